#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "graph/tensor.h"

namespace seqgraph {

/// Inputs of a function of a model with what it must give for them, on any backend. It belongs to
/// the file: in memory the weights move on, and what is expected with them. How one is made and
/// checked: training/self_tests.h.
struct SelfTest {
  /// A tensor and how far any element may be off.
  struct Expected {
    Tensor tensor;
    double allowed = 0;
  };

  std::string function;
  int64_t batch = 1;
  std::map<std::string, Tensor> inputs;       ///< one for each input of the function
  std::map<std::string, Expected> results;    ///< by the name of a result
  std::map<std::string, Expected> gradients;  ///< of "loss", by the name of a trainable variable
  std::string producer;                       ///< backend and version that computed it
};

}  // namespace seqgraph
