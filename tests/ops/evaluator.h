#ifndef SEQGRAPH_TESTS_OPS_EVALUATOR_H_
#define SEQGRAPH_TESTS_OPS_EVALUATOR_H_

// Evaluates single ops and whole functions with the reference computations of their definitions,
// node after node, without any backend.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "graph/attributes.h"
#include "graph/function.h"
#include "graph/op_def.h"
#include "graph/tensor.h"

namespace seqgraph {

using OptionalTensors = std::vector<std::optional<Tensor>>;
using TensorMap = std::map<std::string, Tensor>;

struct EvaluateOptions {
  /// Which outputs are wanted; empty: all.
  std::vector<bool> wanted;
  /// Elements of real outputs before the computation: a reference must overwrite each of them.
  double fill = 0;
};

/// Runs one op: infers the output types and computes. `attributes` may leave out defaults. Outputs
/// that are not wanted are absent.
absl::StatusOr<OptionalTensors> EvaluateOp(const OpDef& op, const Attributes& attributes,
                                           const OptionalTensors& inputs,
                                           const EvaluateOptions& options = {});

/// Runs a function of static shapes on inputs and variables by name; gives results by name.
absl::StatusOr<TensorMap> Evaluate(const Function& function, const TensorMap& feeds);

/// The tensors with those of real type converted to `real`; attributes likewise.
OptionalTensors CastReals(const OptionalTensors& tensors, DType real);
Attributes CastReals(const Attributes& attributes, DType real);

/// The types of tensors, absent ones included.
std::vector<std::optional<TensorType>> TypesOf(const OptionalTensors& tensors);

/// The largest |x| of a tensor of any type; 0 if it is empty, NaN if an element is.
double LargestMagnitude(const Tensor& tensor);

/// The largest |a - b|, over the largest |b| (over 1 if b is zero everywhere). Infinite if the
/// shapes differ; NaN if a difference is.
double RelativeError(const Tensor& a, const Tensor& b);

}  // namespace seqgraph

#endif  // SEQGRAPH_TESTS_OPS_EVALUATOR_H_
