#include "stream/stream_shape.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "backends/simd/simd_backend.h"
#include "base/status_macros.h"
#include "graph/function_copy.h"
#include "graph/rewrite.h"
#include "ops/all_ops.h"
#include "ops/rewrites/all_rewrites.h"
#include "runtime/node_assignment.h"

namespace seqgraph {
namespace {

const Backend* BackendOf(const StreamOptions& options) {
  static const Backend* const kSimd = MakeSimdBackend().release();
  return options.backend != nullptr ? options.backend : kSimd;
}

const OpRegistry& OpsOf(const StreamOptions& options) {
  return options.ops != nullptr ? *options.ops : AllOps();
}

// The ports and states of a model that is made for one step at a time: inputs that are told to be
// states become some.
absl::Status TakeStates(const StreamOptions& options, StepFunction& steps) {
  for (const auto& [input, result] : options.states) {
    const auto named = [](const std::string& name) {
      return [&name](const StepPort& port) { return port.name == name; };
    };
    const auto in = std::find_if(steps.inputs.begin(), steps.inputs.end(), named(input));
    const auto out = std::find_if(steps.results.begin(), steps.results.end(), named(result));
    if (in == steps.inputs.end() || out == steps.results.end()) {
      return NotFound("state ", input, "=", result, ": function ", steps.function.name(),
                      in == steps.inputs.end() ? " has no input " : " has no result ",
                      in == steps.inputs.end() ? input : result);
    }
    if (in->type != out->type) {
      return InvalidArgument("state ", input, "=", result, ": the input is ", in->type.ToString(),
                             ", the result ", out->type.ToString());
    }
    SEQ_ASSIGN_OR_RETURN(Tensor zeros, Tensor::Zeros(in->type));
    steps.states.push_back({input, result, in->type, std::move(zeros)});
    steps.inputs.erase(in);
    steps.results.erase(out);
  }
  return absl::OkStatus();
}

std::vector<StreamPort> PortsOf(const std::vector<StepPort>& ports) {
  std::vector<StreamPort> all;
  for (const StepPort& port : ports)
    all.push_back({port.name, port.type, port.time_axis, port.delay});
  return all;
}

// A function that was made for one step, as it is. What it gives is no input and no variable but a
// copy: so states can be stored in any order.
absl::StatusOr<StepFunction> OneStep(const Function& whole, const OpRegistry& ops) {
  if (!whole.updates().empty()) {
    return Unimplemented("function ", whole.name(), " changes variable ", whole.updates()[0].name,
                         ", which streams would share");
  }
  FunctionCopy copy(whole, ops);
  copy.AddSignature();
  for (const Node& node : whole.nodes()) copy.AddNode(node);
  for (const NamedValue& result : whole.results()) {
    Value& value = copy.new_values()[result.value.index];
    value = AsComputed(copy.builder(), value);
  }
  StepFunction steps;
  SEQ_ASSIGN_OR_RETURN(steps.function, std::move(copy).Finish());
  for (const Value input : whole.inputs()) {
    steps.inputs.push_back({.name = whole.info(input).name, .type = whole.type(input)});
  }
  for (const NamedValue& result : whole.results()) {
    steps.results.push_back({.name = result.name, .type = whole.type(result.value)});
  }
  return steps;
}

// The whole function as its passes leave it, with the steps of a call. Passes come first: so the
// steps are computed by the very nodes that the whole sequence is.
absl::StatusOr<StepFunction> Stepped(const Function& function, const Model& model,
                                     const StreamOptions& options, int64_t batch, int64_t steps) {
  const OpRegistry& ops = OpsOf(options);
  const PassList& passes = options.passes != nullptr ? *options.passes : StandardPasses();
  const Backend* const backend = BackendOf(options);
  const NodeOwners owners = [&](const Function& candidate) {
    return RankAssignment(candidate, {&backend, 1}, {});
  };
  SEQ_ASSIGN_OR_RETURN(const Function bound, BindBatch(function, ops, batch));
  std::vector<RewriteCount> counts;
  SEQ_ASSIGN_OR_RETURN(const Function whole, RunPasses(bound, ops, passes, owners, &counts));
  if (!options.states.empty() && options.time_axes.empty()) return OneStep(whole, ops);
  SteppingOptions stepping{
      .steps = steps, .lookahead = options.lookahead, .time_axes = options.time_axes};
  // What is a state by its name has no time.
  for (const auto& [input, result] : options.states) stepping.time_axes[input] = -1;
  return StepsOf(whole, ops, model.variables, stepping);
}

}  // namespace

absl::StatusOr<std::unique_ptr<StreamShape>> StreamShape::Create(Model& model,
                                                                 const StreamOptions& options,
                                                                 int64_t batch, int64_t steps) {
  SEQ_ASSIGN_OR_RETURN(const Function* function, model.GetFunction(options.function));
  if (batch > 1 && !function->has_symbolic_batch()) {
    return InvalidArgument("function ", options.function,
                           " has a fixed batch, so that streams cannot be stepped together");
  }
  SEQ_ASSIGN_OR_RETURN(StepFunction made, Stepped(*function, model, options, batch, steps));
  SEQ_RETURN_IF_ERROR(TakeStates(options, made));
  auto shape = std::make_unique<StreamShape>();
  SEQ_ASSIGN_OR_RETURN(
      shape->compiled,
      CompiledFunction::Compile(
          made.function, OpsOf(options), &model.variables,
          {.backends = {BackendOf(options)}, .batch = batch, .max_memory = options.max_memory}));
  // Packs the weights, with states and inputs of zeros.
  SEQ_RETURN_IF_ERROR(shape->compiled->Run());
  shape->batch = batch;
  shape->steps = made.steps;
  shape->inputs = PortsOf(made.inputs);
  shape->results = PortsOf(made.results);
  shape->states = std::move(made.states);
  const auto slot = [batch](int index, const TensorType& type) {
    return StreamSlot{index, type.num_bytes() / batch};
  };
  for (const StreamPort& port : shape->inputs) {
    shape->input_slots.push_back(slot(shape->compiled->FindInput(port.name), port.type));
  }
  for (const StreamPort& port : shape->results) {
    shape->result_slots.push_back(slot(shape->compiled->FindResult(port.name), port.type));
  }
  for (const StepState& state : shape->states) {
    shape->state_slots.push_back(slot(shape->compiled->FindInput(state.name), state.type));
    shape->next_slots.push_back(slot(shape->compiled->FindResult(state.next), state.type));
  }
  return shape;
}

}  // namespace seqgraph
