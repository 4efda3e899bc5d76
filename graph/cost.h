#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>

#include "absl/types/span.h"
#include "graph/attributes.h"
#include "graph/shape.h"

namespace seqgraph {

/// What one use of an op takes, whoever runs it: the arithmetic of its formula, and its compulsory
/// traffic, in which each operand is moved once. (An implementation may recompute, reload or skip;
/// how it compares with this is what profiles show.)
///
/// One addition, multiplication, division or comparison is one floating-point operation (FLOP), and
/// so is one call of an elementary function (exp, log, sqrt, tanh, sigmoid); a multiply-add is two.
/// What is computed once a call (a learning rate from a step count) is not counted.
struct OpCost {
  double flops = 0;           ///< exact while below 2^53
  int64_t bytes_read = 0;     ///< of operands whose elements are read
  int64_t bytes_written = 0;  ///< of outputs that are used

  int64_t bytes() const { return bytes_read + bytes_written; }
  OpCost& operator+=(const OpCost& other);
  friend bool operator==(const OpCost&, const OpCost&) = default;
};

/// What a cost rule sees: attributes, the types of the inputs that are there and of the outputs
/// that are used. All shapes are static.
class CostContext {
 public:
  using Operands = absl::Span<const std::optional<TensorType>>;
  CostContext(Operands inputs, Operands outputs, const Attributes& attributes)
      : inputs_(inputs), outputs_(outputs), attributes_(attributes) {}

  const Attributes& attributes() const { return attributes_; }
  bool has_input(int i) const { return inputs_[i].has_value(); }
  bool uses_output(int i) const { return outputs_[i].has_value(); }
  bool uses_any_output() const;
  const Shape& shape(int input) const { return inputs_[input]->shape; }
  /// Extent `axis` of an input.
  double dim(int input, int axis) const { return static_cast<double>(shape(input)[axis].size()); }
  /// Number of elements; 0 for an input that is absent.
  double input_size(int i) const;
  /// Number of elements; 0 for an output that is not used.
  double output_size(int i) const;
  int64_t input_bytes(int i) const;
  int64_t output_bytes(int i) const;

  /// `flops` and the traffic of all inputs that are there and all outputs that are used.
  OpCost Moving(double flops) const;
  /// The same where only these inputs are read (absent ones count nothing).
  OpCost Moving(double flops, std::initializer_list<int> inputs_read) const;
  /// One FLOP for each element of the outputs that are used; reads all inputs: the rule of an op
  /// that states none.
  OpCost OneFlopEach() const;

 private:
  Operands inputs_;
  Operands outputs_;
  const Attributes& attributes_;
};

/// Only called where at least one output is used.
using CostRule = std::function<OpCost(const CostContext&)>;

}  // namespace seqgraph
