#pragma once

// The oracle: functions computed node after node by the definitions of their ops, in float64 and
// without any backend.

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "graph/evaluate.h"
#include "graph/function.h"
#include "graph/op_def.h"
#include "graph/op_registry.h"
#include "graph/tensor.h"
#include "tools/conformance/verdict.h"

namespace seqgraph::conformance {

/// A function of static shapes in float64, to be run on contents of inputs and variables.
class ExactRun {
 public:
  /// `function` has float32 reals; this is the same one with float64 reals.
  static absl::StatusOr<ExactRun> Create(const Function& function, const OpRegistry& registry);

  /// The float64 function. Its nodes are those of the float32 one, in the same order; its values
  /// are the same by name.
  const Function& function() const { return function_; }

  /// Values by the names of inputs and variables (reals of either type). With `noise` each node's
  /// outputs are off by random errors up to their bounds (OpDef::Bound), as a backend's may be,
  /// but of no element by more than itself: what is zero, or positive, stays so.
  absl::Status Run(const TensorMap& contents, SampleSource* noise = nullptr);

  /// Of the last run.
  const Tensor& value(Value value) const { return values_[value.index]; }
  /// Results, and updates by the name of the variable.
  TensorMap Results() const { return ResultsOf(function_, values_); }

  /// Holds one node of a backend's run against its definition applied to the very inputs that the
  /// backend had, so that no error of another node counts. `values` are the backend's, one for each
  /// value of the float32 function. A value that nobody used is not judged.
  absl::Status CheckNode(int node, const std::vector<const Tensor*>& values,
                         Verdict& verdict) const;

 private:
  Function function_;
  std::vector<int> given_;  // for each value its index in the float32 function
  std::vector<Tensor> values_;
};

/// How far a result of the whole function may be from the exact one when every node keeps to its
/// bound, with all amplification that the contents cause: for each result the largest deviation
/// that random errors as large as the bounds made in a few runs of the definitions.
/// Source: Monte Carlo arithmetic, Parker, UCLA CSD-970002, 1997.
class ChainBound {
 public:
  static constexpr int kDraws = 4;

  /// Adds one noisy outcome.
  void Add(const TensorMap& exact, const TensorMap& noisy);
  ErrorBound Of(const std::string& result) const;

 private:
  std::map<std::string, double> largest_;
};

/// Runs the function exactly and kDraws times with noise. Gives the exact results.
absl::StatusOr<TensorMap> RunWithBound(ExactRun& run, const TensorMap& contents, uint64_t seed,
                                       ChainBound& bound);

}  // namespace seqgraph::conformance
