#include "tools/diff/lockstep.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/compare.h"
#include "graph/rewrite.h"
#include "runtime/compiled_function.h"
#include "runtime/node_assignment.h"
#include "runtime/sample_inputs.h"
#include "tools/diff/node_check.h"

namespace seqgraph::diff {
namespace {

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
    return InvalidArgument(
        "backend ", name, " takes none of the ", result_.nodes.size(), " nodes of function ",
        result_.function.name(),
        ": nothing of it would be compared; `seqgraph explain` tells its reasons");
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
        return InvalidArgument("function ", function.name(), " needs an input ", name,
                               ": give it in --inputs=FILE.npz");
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
