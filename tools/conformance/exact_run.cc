#include "tools/conformance/exact_run.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/rewrite.h"

namespace seqgraph::conformance {
namespace {

std::vector<const Tensor*> Pointers(const std::vector<Tensor>& tensors) {
  std::vector<const Tensor*> pointers;
  for (const Tensor& tensor : tensors) pointers.push_back(&tensor);
  return pointers;
}

void Disturb(Tensor& tensor, const ErrorBound& bound, SampleSource& noise) {
  if (tensor.dtype() != DType::kFloat64 || bound.epsilons == 0) return;
  const double limit = bound.absolute();
  for (double& x : tensor.Elements<double>()) {
    const double most = std::min(limit, std::fabs(x));
    if (most > 0) x += noise.Real(-most, most);
  }
}

}  // namespace

Tensor InDouble(const Tensor& tensor) {
  return IsReal(tensor.dtype()) ? tensor.Cast(DType::kFloat64) : tensor;
}

absl::StatusOr<std::vector<Tensor>> RunDefinition(const Function& real, const Node& node,
                                                  absl::Span<const Tensor* const> inputs) {
  std::vector<ReferenceContext::Operand> operands(inputs.size()), results(node.outputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i] == nullptr) continue;
    // Reference computations read inputs through const views only.
    operands[i] = {const_cast<void*>(inputs[i]->data()), &inputs[i]->type()};
  }
  std::vector<Tensor> outputs(node.outputs.size());
  for (size_t o = 0; o < outputs.size(); ++o) {
    SEQ_ASSIGN_OR_RETURN(outputs[o], Tensor::Zeros(real.type(node.outputs[o])));
    results[o] = {outputs[o].data(), &outputs[o].type()};
  }
  SEQ_RETURN_IF_ERROR(
      node.op->reference(DType::kFloat64)(ReferenceContext(operands, results, node.attributes)));
  return outputs;
}

absl::StatusOr<ExactRun> ExactRun::Create(const Function& function, const OpRegistry& registry) {
  ExactRun run;
  SEQ_ASSIGN_OR_RETURN(run.function_, WithRealType(function, registry, DType::kFloat64));
  for (const ValueInfo& info : run.function_.values()) {
    run.given_.push_back(function.FindValue(info.name).index);
  }
  bool same = run.function_.nodes().size() == function.nodes().size() &&
              std::count(run.given_.begin(), run.given_.end(), -1) == 0;
  for (size_t n = 0; n < function.nodes().size() && same; ++n) {
    same = run.function_.nodes()[n].name == function.nodes()[n].name;
  }
  if (!same) return absl::InternalError("the float64 function is not the float32 one");
  run.values_.resize(run.function_.values().size());
  return run;
}

absl::Status ExactRun::Run(const TensorMap& contents, SampleSource* noise) {
  const auto feed = [&](Value value) -> absl::Status {
    const ValueInfo& info = function_.info(value);
    const auto found = contents.find(info.name);
    if (found == contents.end() || found->second.shape() != info.type.shape) {
      return absl::InvalidArgumentError(
          absl::StrCat("no ", info.type.ToString(), " is fed to ", info.name));
    }
    values_[value.index] = InDouble(found->second);
    return absl::OkStatus();
  };
  for (Value input : function_.inputs()) SEQ_RETURN_IF_ERROR(feed(input));
  for (const VariableRead& read : function_.variables()) SEQ_RETURN_IF_ERROR(feed(read.value));
  for (const Node& node : function_.nodes()) {
    std::vector<const Tensor*> inputs;
    for (Value input : node.inputs) {
      inputs.push_back(input.present() ? &values_[input.index] : nullptr);
    }
    auto outputs = RunDefinition(function_, node, inputs);
    SEQ_RETURN_IF_ERROR(Annotate(outputs.status(), absl::StrCat("node ", node.name)));
    if (noise != nullptr) {
      SEQ_ASSIGN_OR_RETURN(const std::vector<ErrorBound> bounds,
                           NodeErrorBounds(*node.op, node.attributes, inputs, Pointers(*outputs)));
      for (size_t o = 0; o < outputs->size(); ++o) Disturb((*outputs)[o], bounds[o], *noise);
    }
    for (size_t o = 0; o < outputs->size(); ++o) {
      values_[node.outputs[o].index] = std::move((*outputs)[o]);
    }
  }
  return absl::OkStatus();
}

TensorMap ExactRun::Results() const {
  TensorMap results;
  for (const auto* list : {&function_.results(), &function_.updates()}) {
    for (const NamedValue& named : *list) results[named.name] = values_[named.value.index];
  }
  return results;
}

absl::Status ExactRun::CheckNode(int index, const std::vector<const Tensor*>& values,
                                 Verdict& verdict) const {
  const Node& node = function_.nodes()[index];
  std::vector<Tensor> contents(node.inputs.size());
  std::vector<const Tensor*> inputs(node.inputs.size(), nullptr);
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!node.inputs[i].present()) continue;
    contents[i] = InDouble(*values[given_[node.inputs[i].index]]);
    inputs[i] = &contents[i];
  }
  SEQ_ASSIGN_OR_RETURN(const std::vector<Tensor> exact, RunDefinition(function_, node, inputs));
  SEQ_ASSIGN_OR_RETURN(const std::vector<ErrorBound> bounds,
                       NodeErrorBounds(*node.op, node.attributes, inputs, Pointers(exact)));
  for (size_t o = 0; o < exact.size(); ++o) {
    const Tensor* found = values[given_[node.outputs[o].index]];
    if (found == nullptr) continue;
    verdict.Compare(*found, exact[o], bounds[o],
                    absl::StrCat("node ", node.name, " (", node.op->name(), "), output ",
                                 node.op->outputs()[o].name));
  }
  return absl::OkStatus();
}

void ChainBound::Add(const TensorMap& exact, const TensorMap& noisy) {
  for (const auto& [name, tensor] : exact) {
    double& largest = largest_[name];
    if (tensor.dtype() != DType::kFloat64) continue;
    const auto a = tensor.Elements<double>(), b = noisy.at(name).Elements<double>();
    for (size_t i = 0; i < a.size(); ++i) {
      const double difference = std::fabs(a[i] - b[i]);
      // A noisy run that is not finite proves nothing: no result may then pass.
      if (!(difference <= largest)) largest = difference;
      if (std::isnan(largest)) return;
    }
  }
}

ErrorBound ChainBound::Of(const std::string& result) const {
  const double largest = largest_.at(result);
  return {1, largest / kFloatEpsilon,
          absl::StrCat("largest deviation in ", kDraws,
                       " runs with errors as large as each node's bound")};
}

absl::StatusOr<TensorMap> RunWithBound(ExactRun& run, const TensorMap& contents, uint64_t seed,
                                       ChainBound& bound) {
  SEQ_RETURN_IF_ERROR(run.Run(contents));
  TensorMap exact = run.Results();
  SampleSource noise(seed);
  for (int draw = 0; draw < ChainBound::kDraws; ++draw) {
    SEQ_RETURN_IF_ERROR(run.Run(contents, &noise));
    bound.Add(exact, run.Results());
  }
  SEQ_RETURN_IF_ERROR(run.Run(contents));
  return exact;
}

}  // namespace seqgraph::conformance
