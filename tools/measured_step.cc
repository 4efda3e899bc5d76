#include "tools/measured_step.h"

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/status_macros.h"
#include "base/trace.h"
#include "graph/op_def.h"
#include "ops/all_ops.h"
#include "optimizers/all_optimizers.h"
#include "runtime/profile.h"
#include "runtime/sample_inputs.h"
#include "training/flat_weights.h"
#include "training/model_builder.h"

namespace seqgraph::tools {
namespace {

constexpr int kWarmUp = 2, kLeastCalls = 5;

double MiddleOf(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// What a node of a training step is part of.
enum class PartOfStep { kForward, kBackward, kOptimizer };

std::vector<PartOfStep> PartsOf(const Function& step) {
  std::set<std::string> updates = {"Increment"};
  for (const OptimizerDef* def : AllOptimizers()) updates.insert(def->update_op);
  std::vector<bool> leads(step.values().size());
  for (const NamedValue& result : step.results()) leads[result.value.index] = true;
  std::vector<PartOfStep> parts(step.nodes().size());
  for (size_t n = parts.size(); n-- > 0;) {
    const Node& node = step.nodes()[n];
    const bool forward = std::any_of(node.outputs.begin(), node.outputs.end(),
                                     [&](Value output) { return leads[output.index]; });
    for (const Value input : node.inputs) {
      if (forward && input.present()) leads[input.index] = true;
    }
    parts[n] = forward                              ? PartOfStep::kForward
               : updates.count(node.op->name()) > 0 ? PartOfStep::kOptimizer
                                                    : PartOfStep::kBackward;
  }
  return parts;
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

// Weights as they lie in the flat gradient, and what the optimizer keeps of each.
void CountWeights(const Function& step, StepFacts& facts) {
  int64_t floats = 0, kept = 0;
  std::vector<VariableDef> weights;
  for (const VariableRead& read : step.variables()) {
    const int64_t elements = read.def.type.shape.num_elements();
    if (read.def.role == VariableRole::kOptimizer) {
      kept += elements;
    } else if (read.def.trainable) {
      floats += elements;
      weights.push_back(read.def);
    }
  }
  const FlatLayout layout(weights);
  for (size_t i = 0; i < layout.tensors(); ++i) facts.tensors.push_back(layout.room(i));
  facts.weights = layout.elements();
  // Besides the slots of each weight there are a rate and a count.
  facts.slots = floats == 0 ? 0 : (kept + floats / 2) / floats;
}

}  // namespace

absl::StatusOr<StepFacts> MeasureStep(Model& model, int64_t batch, int64_t block_rows,
                                      CompileOptions options, double seconds) {
  SEQ_ASSIGN_OR_RETURN(const Function* step, model.GetFunction(kTrainStep));
  StepFacts facts;
  facts.batch = batch;
  facts.block_rows = std::min(batch, block_rows);
  options.batch = facts.block_rows;
  SEQ_ASSIGN_OR_RETURN(const std::unique_ptr<CompiledFunction> compiled,
                       CompiledFunction::Compile(*step, AllOps(), &model.variables, options));
  SEQ_ASSIGN_OR_RETURN(const CallTimes times, TimeCalls(*compiled, seconds));
  const std::vector<PartOfStep> parts = PartsOf(compiled->function());
  double nodes = 0, backward = 0, optimizer = 0;
  for (size_t n = 0; n < parts.size(); ++n) {
    const double median = MiddleOf(times.nodes[n]);
    nodes += median;
    if (parts[n] == PartOfStep::kBackward) backward += median;
    if (parts[n] == PartOfStep::kOptimizer) optimizer += median;
  }
  // Nodes that are timed one by one take longer than a call by as much as reading the clock does.
  const double call = MiddleOf(times.calls), scale = nodes > 0 ? std::min(1.0, call / nodes) : 1;
  facts.optimizer_seconds = optimizer * scale;
  facts.block_seconds = call - facts.optimizer_seconds;
  facts.backward_share = facts.block_seconds > 0 ? backward * scale / facts.block_seconds : 0;
  facts.call_bytes = compiled->memory().total();
  CountWeights(*step, facts);
  return facts;
}

}  // namespace seqgraph::tools
