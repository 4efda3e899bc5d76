#include "tools/diff/node_check.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/compare.h"
#include "graph/evaluate.h"

namespace seqgraph::diff {

absl::Status Recorder::AfterNode(int n, const KernelArgs& args) {
  const Function& function = compiled_.function();
  const Node& node = function.nodes()[n];
  for (size_t o = 0; o < node.outputs.size(); ++o) {
    const Value value = node.outputs[o];
    if (args.outputs[o] == nullptr || compiled_.opaque_values()[value.index]) continue;
    values_[value.index] = Tensor::CopyOf(function.type(value), args.outputs[o]);
  }
  return absl::OkStatus();
}

Checker::Checker(const CompiledFunction& compiled, const Recorder& first, Mode mode,
                 LockstepResult& result)
    : compiled_(compiled), first_(first), mode_(mode), result_(result) {
  for (const std::vector<int>& readers : compiled.function().Consumers()) {
    last_use_.push_back(readers.empty() ? -1 : readers.back());
  }
}

void Checker::BeginStep(int64_t step) {
  step_ = step;
  shadows_.clear();
  live_.clear();
}

absl::Status Checker::BeforeNode(int n, const KernelArgs& args) {
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

absl::Status Checker::AfterNode(int n, const KernelArgs& args) {
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

void Checker::CheckLive(int n, const KernelArgs& args) {
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

bool Checker::IsOutput(int n, int v) const {
  const ValueInfo& info = compiled_.function().values()[v];
  return info.origin == Origin::kNode && info.source == n;
}

OptionalTensors Checker::ExactInputs(const Node& node, double* inherited,
                                     std::vector<int>* group) const {
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

void Checker::NoteGrowth(const Node& node, const OptionalTensors& inputs) {
  if (!node.op->recurrence().has_value() || node.op->recurrence()->is_gradient()) return;
  const auto growth = GrowthOf(node, inputs);
  if (!growth.ok() || !growth->has_value()) return;
  RecurrenceGrowth& noted = result_.growth[node.name];
  noted.spectral_norm = std::max(noted.spectral_norm, (*growth)->spectral_norm);
  noted.amplification = std::max(noted.amplification, (*growth)->amplification);
}

void Checker::Check(int n, int output, const Tensor& actual, const Tensor& exact,
                    const ErrorBound& bound, const std::vector<int>& group) {
  const Node& node = compiled_.function().nodes()[n];
  const Comparison found = Compare(actual, exact, bound);
  const double ratio = found.measured == 0 ? 0
                       : found.allowed > 0 ? found.measured / found.allowed
                                           : std::numeric_limits<double>::infinity();
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

}  // namespace seqgraph::diff
