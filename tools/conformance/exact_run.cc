#include "tools/conformance/exact_run.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/rewrite.h"

namespace seqgraph::conformance {
namespace {

void Disturb(Tensor& tensor, const ErrorBound& bound, SampleSource& noise) {
  if (tensor.dtype() != DType::kFloat64 || bound.epsilons == 0) return;
  const double limit = bound.absolute();
  for (double& x : tensor.Elements<double>()) {
    const double most = std::min(limit, std::fabs(x));
    if (most > 0) x += noise.Real(-most, most);
  }
}

}  // namespace

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
  if (!same) return Internal("the float64 function is not the float32 one");
  return run;
}

absl::Status ExactRun::Run(const TensorMap& contents, SampleSource* noise) {
  TensorMap in_double;
  for (const auto& [name, tensor] : contents) {
    in_double[name] = CastReals(tensor, DType::kFloat64);
  }
  const auto disturb = [&](const Node& node, absl::Span<const Tensor* const> inputs,
                           OptionalTensors& outputs) -> absl::Status {
    if (noise == nullptr) return absl::OkStatus();
    SEQ_ASSIGN_OR_RETURN(const std::vector<ErrorBound> bounds,
                         node.op->BoundsOf(node.attributes, inputs, PointersTo(outputs)));
    for (size_t o = 0; o < outputs.size(); ++o) Disturb(*outputs[o], bounds[o], *noise);
    return absl::OkStatus();
  };
  SEQ_ASSIGN_OR_RETURN(values_, EvaluateValues(function_, in_double, disturb));
  return absl::OkStatus();
}

absl::Status ExactRun::CheckNode(int index, const std::vector<const Tensor*>& values,
                                 Verdict& verdict) const {
  const Node& node = function_.nodes()[index];
  std::vector<Tensor> contents(node.inputs.size());
  std::vector<const Tensor*> inputs(node.inputs.size(), nullptr);
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!node.inputs[i].present()) continue;
    contents[i] = CastReals(*values[given_[node.inputs[i].index]], DType::kFloat64);
    inputs[i] = &contents[i];
  }
  SEQ_ASSIGN_OR_RETURN(const OptionalTensors exact, Evaluate(*node.op, node.attributes, inputs));
  SEQ_ASSIGN_OR_RETURN(const std::vector<ErrorBound> bounds,
                       node.op->BoundsOf(node.attributes, inputs, PointersTo(exact)));
  for (size_t o = 0; o < exact.size(); ++o) {
    const Tensor* found = values[given_[node.outputs[o].index]];
    if (found == nullptr) continue;
    verdict.Compare(*found, *exact[o], bounds[o],
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
