#pragma once

#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "graph/model.h"
#include "graph/op_def.h"

namespace seqgraph::onnx {

inline constexpr int64_t kBatch = 3, kTime = 6, kWords = 11;

struct NamedModel {
  std::string name;
  std::function<absl::StatusOr<Model>()> make;
  /// Its ops come back as others, which sum in another order but on `reference`.
  bool other_ops = false;
  friend std::ostream& operator<<(std::ostream& out, const NamedModel& m) { return out << m.name; }
};

/// One model of each kind that training makes, with random weights.
std::vector<NamedModel> RoundTripModels();

/// Tokens in [0, kWords), lengths in [0, kTime] for [batch], reals in [-1, 1).
Tensor RandomInput(SampleSource& source, const TensorType& type);

}  // namespace seqgraph::onnx
