#include "tools/diff/lockstep.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/compare.h"
#include "graph/evaluate.h"
#include "graph/rewrite.h"
#include "runtime/compiled_function.h"
#include "runtime/node_assignment.h"
#include "runtime/sample_inputs.h"

namespace seqgraph::diff {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Keeps every value that the first backend computes.
class Recorder : public RunObserver {
 public:
  explicit Recorder(const CompiledFunction& compiled)
      : compiled_(compiled), values_(compiled.function().values().size()) {}

  absl::Status BeforeNode(int, const KernelArgs&) override { return absl::OkStatus(); }
  absl::Status AfterNode(int n, const KernelArgs& args) override {
    const Function& function = compiled_.function();
    const Node& node = function.nodes()[n];
    for (size_t o = 0; o < node.outputs.size(); ++o) {
      const Value value = node.outputs[o];
      if (args.outputs[o] == nullptr || compiled_.opaque_values()[value.index]) continue;
      values_[value.index] = Tensor::CopyOf(function.type(value), args.outputs[o]);
    }
    return absl::OkStatus();
  }
  const std::optional<Tensor>& value(Value value) const { return values_[value.index]; }

 private:
  const CompiledFunction& compiled_;
  std::vector<std::optional<Tensor>> values_;
};

// What a private value must be, as far as it can be known without seeing it.
struct Shadow {
  Tensor exact;             // in double
  double epsilons = 0;      // how far it may be from the truth, relative to its largest element
  std::vector<int> makers;  // the nodes that it came through since the last value that was seen
};

// Compares each node of the second backend.
class Checker : public RunObserver {
 public:
  Checker(const CompiledFunction& compiled, const Recorder& first, Mode mode,
          LockstepResult& result)
      : compiled_(compiled), first_(first), mode_(mode), result_(result) {
    for (const std::vector<int>& readers : compiled.function().Consumers()) {
      last_use_.push_back(readers.empty() ? -1 : readers.back());
    }
  }

  void BeginStep(int64_t step) {
    step_ = step;
    shadows_.clear();
    live_.clear();
  }

  absl::Status BeforeNode(int n, const KernelArgs& args) override {
    const Function& function = compiled_.function();
    const Node& node = function.nodes()[n];
    inputs_.assign(node.inputs.size(), std::nullopt);
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const Value value = node.inputs[i];
      if (!value.present()) continue;
      if (compiled_.opaque_values()[value.index]) {
        const Tensor& exact = shadows_.at(value.index).exact;
        inputs_[i] = exact.Cast(function.type(value).dtype);
        continue;
      }
      if (mode_ == Mode::kIsolated && function.info(value).origin == Origin::kNode &&
          first_.value(value).has_value()) {
        const Tensor& given = *first_.value(value);
        std::memcpy(const_cast<void*>(args.inputs[i]), given.data(),
                    static_cast<size_t>(given.num_bytes()));
      }
      inputs_[i] = Tensor::CopyOf(function.type(value), args.inputs[i]);
      live_[value.index] = {args.inputs[i], *inputs_[i]};
    }
    return absl::OkStatus();
  }

  absl::Status AfterNode(int n, const KernelArgs& args) override {
    const Node& node = compiled_.function().nodes()[n];
    std::vector<bool> wanted;
    for (const void* output : args.outputs) wanted.push_back(output != nullptr);
    double inherited = 0;
    std::vector<int> group;
    const OptionalTensors inputs = ExactInputs(node, &inherited, &group);
    group.push_back(n);
    SEQ_ASSIGN_OR_RETURN(const OptionalTensors exact, EvaluateInDouble(node, inputs, wanted));
    SEQ_ASSIGN_OR_RETURN(std::vector<ErrorBound> bounds, NodeBounds(node, inputs, exact));
    NoteGrowth(node, inputs);
    for (size_t o = 0; o < exact.size(); ++o) {
      if (!exact[o].has_value()) continue;
      const Value value = node.outputs[o];
      if (inherited > 0) {
        bounds[o].epsilons += inherited;
        bounds[o].scale = std::max(bounds[o].scale, LargestFiniteMagnitude(*exact[o]));
        absl::StrAppend(&bounds[o].formula, ", and ", absl::SixDigits(inherited),
                        " eps of private inputs");
      }
      if (compiled_.opaque_values()[value.index]) {
        shadows_[value.index] = {*exact[o], bounds[o].epsilons, group};
        continue;
      }
      Tensor actual = Tensor::CopyOf(compiled_.function().type(value), args.outputs[o]);
      Check(n, static_cast<int>(o), actual, *exact[o], bounds[o], group);
      live_[value.index] = {args.outputs[o], std::move(actual)};
    }
    CheckLive(n, args);
    // Not a failure of the node: the end of the comparison.
    return result_.fault.has_value() ? absl::AbortedError("beyond its bound") : absl::OkStatus();
  }

 private:
  // A value that has been seen, and where.
  struct Live {
    const void* address = nullptr;
    Tensor content;
  };

  // What later nodes read must be as it was: the node may write nothing but its outputs.
  void CheckLive(int n, const KernelArgs& args) {
    for (auto it = live_.begin(); it != live_.end();) {
      const auto& [v, live] = *it;
      // Its memory may by now be that of an output.
      const bool replaced = !IsOutput(n, v) && std::find(args.outputs.begin(), args.outputs.end(),
                                                         live.address) != args.outputs.end();
      if (last_use_[v] <= n || replaced) {
        it = live_.erase(it);
        continue;
      }
      const Tensor now = Tensor::CopyOf(live.content.type(), live.address);
      if (!now.BitwiseEquals(live.content) && !result_.fault.has_value()) {
        const Comparison found = Compare(now, live.content);
        result_.fault = Fault{.step = step_,
                              .node = n,
                              .group = {n},
                              .overwritten = compiled_.function().values()[v].name,
                              .element = found.element,
                              .first = found.exact,
                              .second = found.actual,
                              .measured = found.measured};
      }
      ++it;
    }
  }

  bool IsOutput(int n, int v) const {
    const ValueInfo& info = compiled_.function().values()[v];
    return info.origin == Origin::kNode && info.source == n;
  }

  // In double; private ones as their shadows, whose uncertainty and makers are gathered.
  OptionalTensors ExactInputs(const Node& node, double* inherited, std::vector<int>* group) const {
    OptionalTensors exact = CastReals(inputs_, DType::kFloat64);
    std::set<int> makers;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (!node.inputs[i].present()) continue;
      const auto shadow = shadows_.find(node.inputs[i].index);
      if (shadow == shadows_.end()) continue;
      exact[i] = shadow->second.exact;
      *inherited += shadow->second.epsilons;
      makers.insert(shadow->second.makers.begin(), shadow->second.makers.end());
    }
    group->assign(makers.begin(), makers.end());
    return exact;
  }

  void NoteGrowth(const Node& node, const OptionalTensors& inputs) {
    if (!node.op->recurrence().has_value() || node.op->recurrence()->is_gradient()) return;
    const auto growth = GrowthOf(node, inputs);
    if (!growth.ok() || !growth->has_value()) return;
    RecurrenceGrowth& noted = result_.growth[node.name];
    noted.spectral_norm = std::max(noted.spectral_norm, (*growth)->spectral_norm);
    noted.amplification = std::max(noted.amplification, (*growth)->amplification);
  }

  void Check(int n, int output, const Tensor& actual, const Tensor& exact, const ErrorBound& bound,
             const std::vector<int>& group) {
    const Node& node = compiled_.function().nodes()[n];
    const Comparison found = Compare(actual, exact, bound);
    const double ratio = found.measured == 0 ? 0
                         : found.allowed > 0 ? found.measured / found.allowed
                                             : kInfinity;
    NodeRecord& record = result_.nodes[n];
    record.compared += actual.num_elements();
    if (ratio >= record.ratio) {
      record.ratio = ratio;
      record.formula = bound.formula;
    }
    const std::optional<Tensor>& other = first_.value(node.outputs[output]);
    if (other.has_value() && IsReal(other->dtype())) {
      const Tensor wide = other->Cast(DType::kFloat64);
      record.difference = std::max(record.difference, Compare(actual, wide).measured);
      record.magnitude = std::max(record.magnitude, LargestFiniteMagnitude(wide));
    }
    if (ratio <= 1 || result_.fault.has_value()) return;
    Fault fault{.step = step_,
                .node = n,
                .group = group,
                .output = output,
                .element = found.element,
                .second = found.actual,
                .exact = found.exact,
                .measured = found.measured,
                .bound = bound};
    fault.first = other.has_value() ? other->Cast(DType::kFloat64).Elements<double>()[found.element]
                                    : found.exact;
    result_.fault = std::move(fault);
  }

  const CompiledFunction& compiled_;
  const Recorder& first_;
  const Mode mode_;
  LockstepResult& result_;
  int64_t step_ = 0;
  OptionalTensors inputs_;
  std::map<int, Shadow> shadows_;
  std::vector<int> last_use_;  // for each value the last node that reads it, or -1
  std::map<int, Live> live_;
};

// Both backends with what they run.
class Lockstep {
 public:
  Lockstep(const LockstepOptions& options, LockstepResult& result)
      : options_(options), result_(result) {}

  absl::Status Prepare(const Model& model, const Function& function, int64_t batch,
                       const std::map<std::string, Tensor>& inputs, const OpRegistry& registry) {
    inputs_ = inputs;
    SEQ_ASSIGN_OR_RETURN(first_variables_, CopyVariables(function, model.variables));
    SEQ_ASSIGN_OR_RETURN(second_variables_, CopyVariables(function, model.variables));
    SEQ_ASSIGN_OR_RETURN(const Function shared, RunPassesForBoth(function, batch, registry));
    SEQ_ASSIGN_OR_RETURN(
        first_, Compile(options_.With(options_.first), first_variables_, shared, batch, registry));
    SEQ_ASSIGN_OR_RETURN(second_, Compile(options_.With(options_.second), second_variables_, shared,
                                          batch, registry));
    for (CompiledFunction* compiled : {first_.get(), second_.get()}) {
      SEQ_RETURN_IF_ERROR(SetInputs(*compiled, inputs));
    }
    result_.function = second_->function();
    for (const NodeAssignment& assignment : second_->assignments()) {
      result_.nodes.push_back({.node = assignment.node,
                               .op = assignment.op,
                               .implementation = assignment.implementation,
                               .backend = assignment.backend});
    }
    SEQ_RETURN_IF_ERROR(CheckSecondTakesSome());
    for (size_t v = 0; v < second_->opaque_values().size(); ++v) {
      if (!second_->opaque_values()[v]) continue;
      result_.opaque_values.push_back(result_.function.values()[v].name);
    }
    recorder_ = std::make_unique<Recorder>(*first_);
    checker_ = std::make_unique<Checker>(*second_, *recorder_, options_.mode, result_);
    return absl::OkStatus();
  }

  absl::Status Step(int64_t step) {
    if (options_.mode == Mode::kIsolated) {
      for (const Variable& variable : first_variables_.all()) {
        SEQ_RETURN_IF_ERROR(second_variables_.Assign(variable.def.name, variable.value));
      }
    }
    history_.push_back(Contents(second_variables_));
    if (history_.size() > 2) history_.erase(history_.begin());
    SEQ_RETURN_IF_ERROR(first_->Run(recorder_.get()));
    checker_->BeginStep(step);
    const absl::Status status = second_->Run(checker_.get());
    if (second_->damage().has_value() && second_->damage()->node >= 0) {
      const int node = second_->damage()->node;
      result_.fault =
          Fault{.step = step, .node = node, .group = {node}, .damage = *second_->damage()};
    }
    if (result_.fault.has_value()) {
      KeepValues(inputs_);
      return absl::OkStatus();
    }
    SEQ_RETURN_IF_ERROR(status);
    result_.steps.push_back(AfterStep());
    return absl::OkStatus();
  }

 private:
  absl::Status CheckSecondTakesSome() const {
    const std::string& name = options_.second->info().name;
    for (const NodeRecord& record : result_.nodes) {
      if (record.backend == name) return absl::OkStatus();
    }
    return absl::InvalidArgumentError(
        absl::StrCat("backend ", name, " takes none of the ", result_.nodes.size(),
                     " nodes of function ", result_.function.name(),
                     ": nothing of it would be compared; `seqgraph explain` tells its reasons"));
  }

  absl::StatusOr<std::unique_ptr<CompiledFunction>> Compile(std::vector<const Backend*> backends,
                                                            VariableStore& variables,
                                                            const Function& function, int64_t batch,
                                                            const OpRegistry& registry) const {
    return CompiledFunction::Compile(function, registry, &variables,
                                     {.backends = std::move(backends),
                                      .batch = batch,
                                      .threads = options_.threads,
                                      .guard_bytes = options_.guard_bytes});
  }

  // What fires where neither side loses a node to the rest, for both must run the same nodes.
  absl::StatusOr<Function> RunPassesForBoth(const Function& function, int64_t batch,
                                            const OpRegistry& registry) const {
    SEQ_ASSIGN_OR_RETURN(const Function bound, BindBatch(function, registry, batch));
    const NodeOwners owners =
        [this](const Function& candidate) -> absl::StatusOr<std::vector<int>> {
      SEQ_ASSIGN_OR_RETURN(std::vector<int> ranks,
                           RankAssignment(candidate, options_.With(options_.second)));
      SEQ_ASSIGN_OR_RETURN(const std::vector<int> of_first,
                           RankAssignment(candidate, options_.With(options_.first)));
      // The second, which is to be tried, goes first.
      const int width = static_cast<int>(options_.rest.size()) + 2;
      for (size_t n = 0; n < ranks.size(); ++n) ranks[n] = ranks[n] * width + of_first[n];
      return ranks;
    };
    return RunPasses(bound, registry, options_.passes, owners);
  }

  static absl::Status SetInputs(CompiledFunction& compiled,
                                const std::map<std::string, Tensor>& inputs) {
    const Function& function = compiled.function();
    for (size_t i = 0; i < function.inputs().size(); ++i) {
      const std::string& name = function.info(function.inputs()[i]).name;
      const auto given = inputs.find(name);
      if (given == inputs.end()) {
        return absl::InvalidArgumentError(
            absl::StrCat("function ", function.name(), " needs an input ", name));
      }
      SEQ_RETURN_IF_ERROR(compiled.SetInput(static_cast<int>(i), given->second));
    }
    return absl::OkStatus();
  }

  static std::map<std::string, Tensor> Contents(const VariableStore& store) {
    std::map<std::string, Tensor> contents;
    for (const Variable& variable : store.all()) contents[variable.def.name] = variable.value;
    return contents;
  }

  void KeepValues(const std::map<std::string, Tensor>& inputs) {
    const Function& function = result_.function;
    for (size_t v = 0; v < function.values().size(); ++v) {
      const ValueInfo& info = function.values()[v];
      const int index = static_cast<int>(v);
      if (info.origin == Origin::kInput) {
        result_.fault->values[index] = inputs.at(info.name);
      } else if (info.origin == Origin::kVariable) {
        result_.fault->values[index] = history_.back().at(info.name);
        if (history_.size() > 1) result_.fault->before[index] = history_.front().at(info.name);
      } else if (recorder_->value({index}).has_value()) {
        result_.fault->values[index] = *recorder_->value({index});
      }
    }
  }

  StepRecord AfterStep() const {
    StepRecord record;
    const Function& function = result_.function;
    for (size_t i = 0; i < function.results().size(); ++i) {
      const TensorType& type = function.type(function.results()[i].value);
      if (type.shape.num_elements() != 1) continue;
      const auto scalar = [i](const CompiledFunction& compiled) {
        return compiled.Result(static_cast<int>(i)).Cast(DType::kFloat64).Elements<double>()[0];
      };
      record.scalars[function.results()[i].name] = {scalar(*first_), scalar(*second_)};
    }
    for (const Variable& variable : first_variables_.all()) {
      if (!IsReal(variable.value.dtype())) continue;
      const Tensor wide = variable.value.Cast(DType::kFloat64);
      const double scale = LargestFiniteMagnitude(wide);
      const double difference =
          Compare(second_variables_.Find(variable.def.name)->value, wide).measured;
      const double relative = scale > 0 ? difference / scale : difference;
      if (record.variable.empty() || relative > record.difference) {
        record.variable = variable.def.name;
        record.difference = relative;
      }
    }
    return record;
  }

  const LockstepOptions& options_;
  LockstepResult& result_;
  VariableStore first_variables_, second_variables_;
  std::unique_ptr<CompiledFunction> first_, second_;
  std::unique_ptr<Recorder> recorder_;
  std::unique_ptr<Checker> checker_;
  std::map<std::string, Tensor> inputs_;
  // Variables of the second backend as the last steps began: two at most.
  std::vector<std::map<std::string, Tensor>> history_;
};

}  // namespace

std::vector<const Backend*> LockstepOptions::With(const Backend* backend) const {
  std::vector<const Backend*> list = {backend};
  for (const Backend* other : rest) {
    if (std::find(list.begin(), list.end(), other) == list.end()) list.push_back(other);
  }
  return list;
}

absl::StatusOr<LockstepResult> RunLockstep(const Model& model, const Function& function,
                                           int64_t batch,
                                           const std::map<std::string, Tensor>& inputs,
                                           const OpRegistry& registry,
                                           const LockstepOptions& options) {
  LockstepResult result;
  Lockstep lockstep(options, result);
  SEQ_RETURN_IF_ERROR(lockstep.Prepare(model, function, batch, inputs, registry));
  for (int64_t step = 0; step < options.steps && !result.fault.has_value(); ++step) {
    if (absl::Status status = lockstep.Step(step); !status.ok()) {
      return Annotate(status, absl::StrCat("step ", step + 1));
    }
  }
  return result;
}

}  // namespace seqgraph::diff
