#pragma once

// What an operation on tensors is called with, in Keras's configurations.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "serialization/keras/config.h"
#include "serialization/keras/graph_config.h"

namespace seqgraph::keras {

/// Whether an object of a model is a function of TensorFlow, which tf_keras wraps as a layer.
bool IsTensorFlowFunction(const Json& entry);

/// Tensors and numbers in their order, and the rest by name, the settings of the operation
/// included.
class OperationCall {
 public:
  /// What the entry says of its one call, with the tensors in *call.
  absl::Status Read(const Json& entry, EntryCall* call);

  size_t operands() const { return is_tensor_.size(); }
  bool IsTensor(size_t i) const { return is_tensor_[i]; }
  bool tensorflow() const { return tensorflow_; }
  /// Of the operand that is no tensor.
  const Json& constant() const { return constant_; }
  absl::StatusOr<double> Number() const { return NumberOf(constant_); }
  static absl::StatusOr<double> NumberOf(const Json& json);

  /// What is named; null if it is absent.
  Json Take(const char* name);
  /// Whole numbers, or one; none where it is absent.
  absl::StatusOr<std::vector<int64_t>> Ints(const char* name);
  absl::StatusOr<double> Real(const char* name, double otherwise);

  /// Unimplemented unless everything that is named was asked for, or says nothing.
  absl::Status Finish() const;

 private:
  absl::Status Name(const Json& named);
  void Constant(Json value);
  absl::Status Tensor(const Json& ref);
  absl::Status Operand(const Json& json);
  absl::Status ReadNode(const Json& node);

  EntryCall* call_ = nullptr;
  bool tensorflow_ = false;
  std::vector<bool> is_tensor_;  // of the operands
  Json constant_;
  std::map<std::string, Json> named_;
};

}  // namespace seqgraph::keras
