#include "tools/measured_step.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "absl/strings/match.h"
#include "base/status_macros.h"
#include "base/trace.h"
#include "ops/all_ops.h"
#include "runtime/profile.h"
#include "runtime/sample_inputs.h"
#include "training/flat_weights.h"
#include "training/model_builder.h"
#include "training/step_parts.h"

namespace seqgraph::tools {
namespace {

constexpr int kWarmUp = 2, kLeastCalls = 5;

double MiddleOf(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Of each node whether it is of the backward pass: whether no result but gradients follows from it.
std::vector<bool> BackwardNodes(const Function& gradients) {
  std::vector<bool> leads(gradients.values().size());
  for (const NamedValue& result : gradients.results()) {
    if (!absl::StartsWith(result.name, StepParts::kGradientPrefix)) {
      leads[result.value.index] = true;
    }
  }
  std::vector<bool> backward(gradients.nodes().size());
  for (size_t n = backward.size(); n-- > 0;) {
    const Node& node = gradients.nodes()[n];
    backward[n] = std::none_of(node.outputs.begin(), node.outputs.end(),
                               [&](Value output) { return leads[output.index]; });
    for (const Value input : node.inputs) {
      if (!backward[n] && input.present()) leads[input.index] = true;
    }
  }
  return backward;
}

// Seconds of whole calls, and of each node of others; one after the other, so that what else the
// machine does hits both.
struct CallTimes {
  std::vector<double> calls;
  std::vector<std::vector<double>> nodes;
};

absl::StatusOr<CallTimes> TimeCalls(CompiledFunction& step, double seconds) {
  FillInputs(step);
  for (int i = 0; i < kWarmUp; ++i) SEQ_RETURN_IF_ERROR(step.Run());
  const Trace clock;
  NodeTimer timer(clock);
  CallTimes times;
  times.nodes.resize(step.function().nodes().size());
  const int64_t begin = clock.Now();
  while (static_cast<double>(clock.Now() - begin) * 1e-9 < seconds ||
         times.calls.size() < kLeastCalls) {
    const int64_t start = clock.Now();
    SEQ_RETURN_IF_ERROR(step.Run());
    times.calls.push_back(static_cast<double>(clock.Now() - start) * 1e-9);
    timer.Clear();
    SEQ_RETURN_IF_ERROR(step.Run(&timer));
    for (size_t n = 0; n < times.nodes.size(); ++n) {
      times.nodes[n].push_back(
          static_cast<double>(timer.times()[n].end_ns - timer.times()[n].begin_ns) * 1e-9);
    }
  }
  return times;
}

// What the optimizer keeps: floats a weight.
int64_t SlotsOf(const Function& step) {
  int64_t floats = 0, kept = 0;
  for (const VariableRead& read : step.variables()) {
    const int64_t elements = read.def.type.shape.num_elements();
    if (read.def.role == VariableRole::kOptimizer) {
      kept += elements;
    } else if (read.def.trainable) {
      floats += elements;
    }
  }
  // Besides the slots of each weight there are a rate and a count.
  return floats == 0 ? 0 : (kept + floats / 2) / floats;
}

// The optimizer's formula on all weights.
absl::StatusOr<double> TimeOptimizer(const StepParts& parts, const FlatLayout& layout,
                                     CompileOptions options, double seconds) {
  SEQ_ASSIGN_OR_RETURN(Model optimizer,
                       OptimizerOfPieces(parts, layout.PiecesIn({0, layout.elements()}), AllOps()));
  SEQ_ASSIGN_OR_RETURN(const Function* apply, optimizer.GetFunction(kApply));
  options.batch = 1;
  SEQ_ASSIGN_OR_RETURN(const std::unique_ptr<CompiledFunction> compiled,
                       CompiledFunction::Compile(*apply, AllOps(), &optimizer.variables, options));
  SEQ_ASSIGN_OR_RETURN(const CallTimes times, TimeCalls(*compiled, seconds));
  return MiddleOf(times.calls);
}

}  // namespace

absl::StatusOr<StepFacts> MeasureStep(Model& model, int64_t batch, int64_t block_rows,
                                      CompileOptions options, double seconds) {
  SEQ_ASSIGN_OR_RETURN(const StepParts parts, SplitTrainStep(model, AllOps()));
  StepFacts facts;
  facts.batch = batch;
  facts.block_rows = std::min(batch, block_rows);
  options.batch = facts.block_rows;
  SEQ_ASSIGN_OR_RETURN(
      const std::unique_ptr<CompiledFunction> compiled,
      CompiledFunction::Compile(parts.gradients, AllOps(), &model.variables, options));
  SEQ_ASSIGN_OR_RETURN(const CallTimes times, TimeCalls(*compiled, 0.8 * seconds));
  const std::vector<bool> is_backward = BackwardNodes(compiled->function());
  double nodes = 0, backward = 0;
  for (size_t n = 0; n < is_backward.size(); ++n) {
    const double median = MiddleOf(times.nodes[n]);
    nodes += median;
    if (is_backward[n]) backward += median;
  }
  facts.block_seconds = MiddleOf(times.calls);
  facts.backward_share = nodes > 0 ? backward / nodes : 0;
  facts.call_bytes = compiled->memory().total();
  const FlatLayout layout(parts.weights);
  for (size_t i = 0; i < layout.tensors(); ++i) facts.tensors.push_back(layout.room(i));
  facts.weights = layout.elements();
  SEQ_ASSIGN_OR_RETURN(const Function* step, model.GetFunction(kTrainStep));
  facts.slots = SlotsOf(*step);
  SEQ_ASSIGN_OR_RETURN(facts.optimizer_seconds,
                       TimeOptimizer(parts, layout, options, 0.2 * seconds));
  return facts;
}

}  // namespace seqgraph::tools
