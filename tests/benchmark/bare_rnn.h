#pragma once

#include <cstdint>
#include <memory>

namespace seqgraph {

enum class BareCell { kRnn, kLstm, kGru, kLbrGru };

/// One of oneDNN's recurrent primitives and nothing else: the measure that training steps are held
/// against. As its documentation suggests: tanh, sizes as they are (no padding), weights in the
/// layout that the library asks for, all objects made beforehand, random inputs and gradients.
class BareRnn {
 public:
  BareRnn(BareCell cell, int64_t time, int64_t batch, int64_t features, int64_t units);
  ~BareRnn();

  /// One forward_training and one backward.
  void Run();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace seqgraph
