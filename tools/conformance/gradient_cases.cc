// Mode gradients: every op that has a gradient rule, forward and backward in one function, so that
// what a backend shares between the two is in use.

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/function_builder.h"
#include "graph/gradient.h"
#include "ops/elementwise.h"
#include "ops/reductions.h"
#include "tools/conformance/case.h"
#include "tools/conformance/function_check.h"

namespace seqgraph::conformance {
namespace {

constexpr int64_t kGradientDimensions[] = {1, 5, 17};
constexpr int kGradientSamples = 2;
// Central differences in double: (loss(x + h) - loss(x - h)) / 2h with h = 1e-5 has a truncation
// error near h^2 and a rounding error near 1e-16 / h, both well below this share of the largest
// element (of a gradient that is not tiny).
constexpr double kStep = 1e-5;
constexpr double kDifferencesBound = 1e-6;
constexpr double kSmallestMagnitude = 1e-4;
constexpr int kElementsChecked = 8;

struct GradientProblem {
  Problem problem;               // results: "loss", "d <input>"
  std::vector<std::string> wrt;  // inputs with a gradient
};

std::vector<int64_t> AllAxes(const Shape& shape) {
  std::vector<int64_t> axes(shape.rank());
  for (int d = 0; d < shape.rank(); ++d) axes[d] = d;
  return axes;
}

// Random weights for every real output: with equal ones, errors of elements could cancel.
absl::StatusOr<GradientProblem> MakeGradientProblem(const OpDef& op, const OpRegistry& registry,
                                                    SampleSource& source) {
  const OpSample sample = InFloat(op.sampler()(source));
  GradientProblem made;
  TensorMap& contents = made.problem.contents;
  FunctionBuilder g("gradients", registry);
  std::vector<Value> inputs(op.inputs().size()), wrt;
  for (size_t i = 0; i < sample.inputs.size(); ++i) {
    if (!sample.inputs[i].has_value()) continue;
    const InputDef& def = op.inputs()[i];
    contents[def.name] = *sample.inputs[i];
    inputs[i] = g.Input(def.name, sample.inputs[i]->type());
    if (!IsReal(sample.inputs[i]->dtype()) || !def.differentiable) continue;
    wrt.push_back(inputs[i]);
    made.wrt.push_back(def.name);
  }
  const std::vector<Value> outputs = g.AddNode(op.name(), inputs, sample.attributes);
  SEQ_RETURN_IF_ERROR(g.status());
  Value loss;
  for (size_t o = 0; o < outputs.size(); ++o) {
    if (!IsReal(g.type(outputs[o]).dtype)) continue;
    const std::string name = absl::StrCat("weight_", o);
    contents[name] = source.Reals(g.type(outputs[o]).shape).Cast(DType::kFloat32);
    const Value weight = g.Input(name, contents[name].type());
    const Value term = ops::ReduceSum(g, ops::Multiply(g, outputs[o], weight),
                                      {.axes = AllAxes(contents[name].shape())});
    loss = loss.present() ? ops::Add(g, loss, term) : term;
  }
  SEQ_ASSIGN_OR_RETURN(const std::vector<Value> gradients, AddGradients(g, loss, wrt));
  g.Result("loss", loss);
  for (size_t i = 0; i < wrt.size(); ++i) g.Result("d " + made.wrt[i], gradients[i]);
  SEQ_ASSIGN_OR_RETURN(made.problem.function, std::move(g).Build());
  return made;
}

absl::StatusOr<double> Loss(ExactRun& run, const TensorMap& contents) {
  SEQ_RETURN_IF_ERROR(run.Run(contents));
  return run.value(run.function().FindResult("loss")).Elements<double>()[0];
}

// The slope of the loss along one element, which does not rest on any gradient rule.
absl::StatusOr<double> Difference(ExactRun& run, TensorMap contents, const std::string& input,
                                  int64_t element) {
  Tensor in_double = CastReals(contents[input], DType::kFloat64);
  const double x = in_double.Elements<double>()[element];
  const double above = x + kStep, below = x - kStep;
  in_double.Elements<double>()[element] = above;
  contents[input] = in_double;
  SEQ_ASSIGN_OR_RETURN(const double upper, Loss(run, contents));
  in_double.Elements<double>()[element] = below;
  contents[input] = in_double;
  SEQ_ASSIGN_OR_RETURN(const double lower, Loss(run, contents));
  return (upper - lower) / (above - below);
}

absl::Status CheckDifferences(const GradientProblem& made, const CaseContext& context,
                              SampleSource& source, Verdict& verdict) {
  SEQ_ASSIGN_OR_RETURN(ExactRun exact, ExactRun::Create(made.problem.function, context.registry));
  ChainBound chain;
  SEQ_RETURN_IF_ERROR(RunWithBound(exact, made.problem.contents, context.seed, chain).status());
  const auto run = Start(made.problem, context, {.allow_opaque = true}, verdict);
  if (run == nullptr) return absl::OkStatus();
  SEQ_RETURN_IF_ERROR(run->Run(verdict));
  for (const std::string& input : made.wrt) {
    const Tensor gradient = CastReals(run->Results().at("d " + input), DType::kFloat64);
    const int64_t elements = gradient.num_elements();
    const double largest = std::max(LargestFiniteMagnitude(gradient), kSmallestMagnitude);
    for (int64_t k = 0; k < std::min<int64_t>(elements, kElementsChecked); ++k) {
      const int64_t i = elements <= kElementsChecked ? k : source.Int(0, elements - 1);
      SEQ_ASSIGN_OR_RETURN(const double slope, Difference(exact, made.problem.contents, input, i));
      verdict.Measure(std::fabs(gradient.Elements<double>()[i] - slope),
                      kDifferencesBound * largest + chain.Of("d " + input).absolute(),
                      absl::StrCat("gradient of ", input, ", element ", i),
                      "central differences in double; the bounds of all nodes");
    }
  }
  return absl::OkStatus();
}

Case GradientCase(const OpDef* op, const std::string& name, int64_t dimension) {
  return {name, [op, name, dimension](const CaseContext& context, Verdict& verdict) {
            const uint64_t seed = SeedOf(context.seed, name);
            SampleSource source(seed, dimension);
            const auto made = MakeGradientProblem(*op, context.registry, source);
            if (!verdict.Check(made.status(), "building")) return;
            CheckProblem(made->problem, context, seed, verdict);
            if (verdict.ok()) {
              verdict.Check(CheckDifferences(*made, context, source, verdict), "running");
            }
          }};
}

}  // namespace

Cases GradientCases(const OpRegistry& registry) {
  Cases cases;
  for (const OpDef* op : registry.All()) {
    if (!op->gradient_rule() || !op->sampler()) continue;
    for (int64_t dimension : kGradientDimensions) {
      for (int i = 0; i < kGradientSamples; ++i) {
        cases.push_back(GradientCase(
            op, absl::StrCat("gradients/", op->name(), "/dim", dimension, "/", i), dimension));
      }
    }
  }
  return cases;
}

}  // namespace seqgraph::conformance
