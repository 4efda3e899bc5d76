#pragma once

// Ops and functions run by the computations of their definitions, without any backend: what they
// mean. For constant folding, importers, oracles and tests.

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "graph/function.h"
#include "graph/op_def.h"
#include "graph/tensor.h"

namespace seqgraph {

struct EvaluationOptions {
  /// Which outputs are wanted; empty: all. The others are absent.
  std::vector<bool> wanted;
  /// Elements of real outputs before the computation, which must overwrite each of them.
  double fill = 0;
  /// These outputs lie in the memory of a copy of that input where both have the same type.
  std::vector<InPlacePair> in_place;
};

/// The outputs of one use of an op. `inputs`: one for each, null if absent; `attributes` may leave
/// out defaults. InvalidArgument as its shape rule or its computation says.
absl::StatusOr<OptionalTensors> Evaluate(const OpDef& op, const Attributes& attributes,
                                         absl::Span<const Tensor* const> inputs,
                                         const EvaluationOptions& options = {});
absl::StatusOr<OptionalTensors> Evaluate(const OpDef& op, const Attributes& attributes,
                                         const OptionalTensors& inputs,
                                         const EvaluationOptions& options = {});

using TensorMap = std::map<std::string, Tensor>;

/// Called after each node; may change its outputs, all of which are there.
using EvaluationVisitor = std::function<absl::Status(
    const Node& node, absl::Span<const Tensor* const> inputs, OptionalTensors& outputs)>;

/// All values of a function of static shapes, by index, from the contents of its inputs and
/// variables by name, whose types must be the function's. Errors name the node.
absl::StatusOr<std::vector<Tensor>> EvaluateValues(const Function& function, const TensorMap& feeds,
                                                   const EvaluationVisitor& visitor = nullptr);

/// Its results, and updates by the name of the variable.
absl::StatusOr<TensorMap> Evaluate(const Function& function, const TensorMap& feeds);

/// Those of a function whose values are given.
TensorMap ResultsOf(const Function& function, absl::Span<const Tensor> values);

/// With what is real converted to `real`: tensors; and attributes that are tensors or say the
/// element type of an op without real inputs.
Tensor CastReals(const Tensor& tensor, DType real);
OptionalTensors CastReals(const OptionalTensors& tensors, DType real);
Attributes CastReals(const Attributes& attributes, DType real);

/// Null for absent ones. The tensors must outlive it.
std::vector<const Tensor*> PointersTo(const OptionalTensors& tensors);

/// The types of tensors, absent ones included.
std::vector<std::optional<TensorType>> TypesOf(const OptionalTensors& tensors);

}  // namespace seqgraph
