#include "graph/stepping.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/stepper.h"

namespace seqgraph {
namespace {

constexpr int64_t kMaxSteps = 1 << 16;  // of a call: beyond what strides of real models multiply to

// The axes of time that an input may have, the likeliest first; -1: none. A sequence of rows has
// one, unless it is told otherwise: it is not read again in each step.
std::vector<int> CandidateAxes(const TensorType& type) {
  const int rank = type.shape.rank();
  if (rank <= 1) return {-1};
  // A row of integers is tokens, one of reals features or, rarely, a sequence of numbers.
  std::vector<int> axes = {1};
  if (rank == 2 && IsReal(type.dtype)) axes = {-1, 1};
  // In front of the batch; where it is 1, it is the batch.
  if (type.shape[0].size() > 1) axes.push_back(0);
  return axes;
}

// The steps of all inputs that have any must be as many.
bool SameSteps(const Function& whole, absl::Span<const int> axes) {
  std::set<int64_t> steps;
  for (size_t i = 0; i < axes.size(); ++i) {
    if (axes[i] < 0) continue;
    steps.insert(whole.type(whole.inputs()[i]).shape[axes[i]].size());
  }
  return steps.size() <= 1;
}

absl::StatusOr<StepFunction> WithAxes(const Function& whole, const OpRegistry& registry,
                                      const VariableStore& variables,
                                      const SteppingOptions& options, absl::Span<const int> axes) {
  int64_t steps = options.steps;
  while (true) {
    Stepper stepper(whole, registry, variables, steps, options.lookahead);
    absl::StatusOr<StepFunction> made = stepper.Run(axes);
    if (stepper.period() == steps || stepper.period() > kMaxSteps) return made;
    steps = stepper.period();
  }
}

absl::StatusOr<std::vector<std::vector<int>>> CandidatesOf(const Function& whole,
                                                           const SteppingOptions& options) {
  std::vector<std::vector<int>> candidates;
  for (Value input : whole.inputs()) {
    const ValueInfo& info = whole.info(input);
    candidates.push_back(CandidateAxes(info.type));
    const auto given = options.time_axes.find(info.name);
    if (given == options.time_axes.end()) continue;
    if (given->second < -1 || given->second >= info.type.shape.rank()) {
      return InvalidArgument("input ", info.name, " is ", info.type.ToString(), " and has no axis ",
                             given->second, " for time");
    }
    candidates.back() = {given->second};
  }
  for (const auto& [name, axis] : options.time_axes) {
    const Value value = whole.FindValue(name);
    if (value.present() && whole.info(value).origin == Origin::kInput) continue;
    return InvalidArgument("function ", whole.name(), " has no input ", name);
  }
  return candidates;
}

}  // namespace

absl::StatusOr<StepFunction> StepsOf(const Function& whole, const OpRegistry& registry,
                                     const VariableStore& variables,
                                     const SteppingOptions& options) {
  if (options.steps < 1 || options.steps > kMaxSteps) {
    return InvalidArgument("a call takes from 1 to ", kMaxSteps, " steps, not ", options.steps);
  }
  if (whole.has_symbolic_batch()) {
    return InvalidArgument("function ", whole.name(), ": the batch is not bound");
  }
  SEQ_ASSIGN_OR_RETURN(const std::vector<std::vector<int>> candidates,
                       CandidatesOf(whole, options));
  // All combinations, the last input's axes changing fastest; so many inputs that these are many
  // must be told. Of those that go, one in which as many inputs as can have steps.
  constexpr int kMostTries = 256;
  std::vector<size_t> chosen(candidates.size(), 0);
  std::optional<StepFunction> best;
  int64_t most = -1;
  absl::Status refused;
  for (int tries = 0; tries < kMostTries; ++tries) {
    std::vector<int> axes;
    for (size_t i = 0; i < chosen.size(); ++i) axes.push_back(candidates[i][chosen[i]]);
    const int64_t stepped = std::count_if(axes.begin(), axes.end(), [](int a) { return a >= 0; });
    if (stepped > most && SameSteps(whole, axes)) {
      absl::StatusOr<StepFunction> steps = WithAxes(whole, registry, variables, options, axes);
      if (steps.ok()) {
        best = *std::move(steps);
        most = stepped;
      } else if (refused.ok()) {
        refused = steps.status();
      }
    }
    size_t i = chosen.size();
    while (i > 0 && ++chosen[i - 1] == candidates[i - 1].size()) chosen[--i] = 0;
    if (i == 0) break;
  }
  if (best.has_value()) return *std::move(best);
  if (!refused.ok()) return Annotate(refused, absl::StrCat("function ", whole.name()));
  return InvalidArgument("function ", whole.name(),
                         ": its inputs have different numbers of steps; say which axes are time");
}

}  // namespace seqgraph
