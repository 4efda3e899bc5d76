#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "graph/error_bound.h"
#include "graph/model.h"
#include "graph/node_bounds.h"
#include "graph/op_registry.h"
#include "graph/pass.h"
#include "graph/tensor.h"
#include "runtime/backend.h"
#include "runtime/buffer_guards.h"

namespace seqgraph::diff {

enum class Mode {
  kIsolated,  ///< each node gets what the first backend computed: nothing is inherited
  kChained,   ///< each backend goes on from its own values and weights: shows what accumulates
};

struct LockstepOptions {
  const Backend* first = nullptr;   ///< whose values are taken as given: the reference
  const Backend* second = nullptr;  ///< under suspicion
  /// What runs, for both, the nodes that the first or the second does not take; in this order.
  std::vector<const Backend*> rest;
  Mode mode = Mode::kIsolated;
  int64_t steps = 1;
  int threads = 1;
  /// Of which those fire that drive no node of either to the rest.
  PassList passes;
  /// Around every buffer of both, as CompileOptions::guard_bytes.
  int64_t guard_bytes = kDefaultGuardBytes;

  /// The backend, and behind it those of the rest.
  std::vector<const Backend*> With(const Backend* backend) const;
};

/// The largest of all comparisons of one node.
struct NodeRecord {
  std::string node;
  std::string op;
  std::string implementation;  ///< of the second backend, or of that of the rest
  std::string backend;         ///< which of these that is
  double ratio = 0;            ///< largest measured / allowed of its own outputs
  std::string formula;         ///< of that output's bound
  double difference = 0;       ///< largest |second - first|: with what it inherited
  double magnitude = 0;        ///< largest |first|
  int64_t compared = 0;        ///< elements compared, over all steps
};

/// A node beyond its bound.
struct Fault {
  int64_t step = 0;  ///< from 0
  int node = 0;      ///< index into function.nodes()
  /// More than one, `node` last: values between them are private, so that they are one suspect.
  std::vector<int> group;
  /// Not empty: the node wrote into this value, which is none of its outputs and still needed. Then
  /// `element`, `first` (before) and `second` (after) are that value's, and nothing else is set.
  std::string overwritten;
  /// The node wrote into the guard of a buffer; nothing else is set.
  std::optional<GuardDamage> damage;
  int output = 0;
  int64_t element = 0;
  double first = 0;   ///< the first backend's value
  double second = 0;  ///< the second's
  double exact = 0;   ///< in double, from what the second backend's node was given
  double measured = 0;
  ErrorBound bound;
  /// By the index of a value of the function, as far as it is known: what the first backend
  /// computed in this step, inputs, and what variables held when it began.
  std::map<int, Tensor> values;
  /// What variables held when the step before this one began, by value; empty in the first step.
  std::map<int, Tensor> before;
};

/// The state after a step.
struct StepRecord {
  std::map<std::string, std::pair<double, double>> scalars;  ///< results, of first and second
  std::string variable;   ///< where the two differ most, relative to the largest element
  double difference = 0;  ///< there, relative
};

struct LockstepResult {
  Function function;  ///< bound and rewritten: what ran
  std::vector<NodeRecord> nodes;
  std::vector<StepRecord> steps;  ///< that both finished
  std::optional<Fault> fault;
  /// Growth of the recurrences, by node.
  std::map<std::string, RecurrenceGrowth> growth;
  /// Values that the second backend keeps to itself and that were therefore recomputed.
  std::vector<std::string> opaque_values;
};

/// Runs `function` of `model` on both backends with the same inputs (by name, one for each input)
/// and the same variables, node by node, `steps` times; updates of variables count from one to the
/// next. Each node of the second backend is compared with its op in double on the inputs that it
/// was given, under NodeBounds; the first one that is beyond its bound, or writes outside of its
/// buffers, ends the run. The model stays as it is. Errors: InvalidArgument if the rest does not
/// take a node that a backend refuses, if the second takes none, or the inputs do not fit; DataLoss
/// if the first backend writes where it must not.
absl::StatusOr<LockstepResult> RunLockstep(const Model& model, const Function& function,
                                           int64_t batch,
                                           const std::map<std::string, Tensor>& inputs,
                                           const OpRegistry& registry,
                                           const LockstepOptions& options);

}  // namespace seqgraph::diff
