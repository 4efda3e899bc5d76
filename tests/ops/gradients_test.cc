// Every gradient rule of the registry against central differences in float64.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/evaluate.h"
#include "graph/function_builder.h"
#include "graph/gradient.h"
#include "ops/all_ops.h"
#include "ops/elementwise.h"
#include "ops/reductions.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

constexpr uint64_t kSeed = 20260802;
constexpr int kSamples = 60;
constexpr double kStep = 1e-5;
constexpr double kBound = 1e-6;  // largest difference / largest magnitude in the tensor
// Differences of a loss near 1 carry errors near 1e-16 / kStep = 1e-11: a gradient below this
// magnitude is compared as if it were this large.
constexpr double kSmallestMagnitude = 1e-4;

// One node with random inputs, and the scalar loss that a random weighting makes of some of its
// outputs. The weighting is not symmetric: with equal weights, errors in single elements could
// cancel, and the tanh of a sum would look like any other slope.
struct Problem {
  Function function;             // results: "loss", "d_<input>"
  TensorMap feeds;               // by input name; weights too
  std::vector<std::string> wrt;  // names of the inputs with a gradient
};

std::vector<int64_t> AllAxes(const Shape& shape) {
  std::vector<int64_t> axes(shape.rank());
  for (int i = 0; i < shape.rank(); ++i) axes[i] = i;
  return axes;
}

// sum of weight * output over the outputs that a coin chooses (at least one real output).
Value WeightedLoss(FunctionBuilder& g, const std::vector<Value>& outputs, SampleSource& source,
                   TensorMap& feeds) {
  std::vector<size_t> chosen, real;
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (!IsReal(g.type(outputs[i]).dtype)) continue;
    real.push_back(i);
    if (source.Coin()) chosen.push_back(i);
  }
  if (chosen.empty()) chosen.push_back(source.OneOf(real));
  Value loss;
  for (size_t i : chosen) {
    const std::string name = absl::StrCat("weight_", i);
    feeds[name] = source.Reals(g.type(outputs[i]).shape);
    const Value weight = g.Input(name, feeds[name].type());
    const Value term = ops::ReduceSum(g, ops::Multiply(g, outputs[i], weight),
                                      {.axes = AllAxes(feeds[name].shape())});
    loss = loss.present() ? ops::Add(g, loss, term) : term;
  }
  return loss;
}

absl::StatusOr<Problem> MakeProblem(const OpRegistry& registry, const OpDef& op,
                                    const OpSample& sample, SampleSource& source) {
  Problem problem;
  FunctionBuilder g("f", registry);
  std::vector<Value> inputs(op.inputs().size()), wrt;
  for (size_t i = 0; i < sample.inputs.size(); ++i) {
    if (!sample.inputs[i].has_value()) continue;
    const InputDef& def = op.inputs()[i];
    problem.feeds[def.name] = *sample.inputs[i];
    inputs[i] = g.Input(def.name, sample.inputs[i]->type());
    // Not each gradient every time: a rule may take short cuts where one is not wanted.
    if (IsReal(sample.inputs[i]->dtype()) && def.differentiable && source.Int(0, 3) > 0) {
      wrt.push_back(inputs[i]);
      problem.wrt.push_back(def.name);
    }
  }
  const std::vector<Value> outputs = g.AddNode(op.name(), inputs, sample.attributes);
  SEQ_RETURN_IF_ERROR(g.status());
  const Value loss = WeightedLoss(g, outputs, source, problem.feeds);
  SEQ_ASSIGN_OR_RETURN(const std::vector<Value> gradients, AddGradients(g, loss, wrt));
  g.Result("loss", loss);
  for (size_t i = 0; i < wrt.size(); ++i) g.Result("d_" + problem.wrt[i], gradients[i]);
  SEQ_ASSIGN_OR_RETURN(problem.function, std::move(g).Build());
  return problem;
}

absl::StatusOr<double> Loss(const Problem& problem, const TensorMap& feeds) {
  SEQ_ASSIGN_OR_RETURN(const TensorMap results, Evaluate(problem.function, feeds));
  return results.at("loss").Elements<double>()[0];
}

// (loss(x + h) - loss(x - h)) / 2h for each element x of an input.
absl::StatusOr<Tensor> CentralDifferences(const Problem& problem, const std::string& input) {
  TensorMap feeds = problem.feeds;
  Tensor gradient = feeds[input];
  for (int64_t i = 0; i < gradient.num_elements(); ++i) {
    double& x = feeds[input].Elements<double>()[i];
    const double old = x, above = old + kStep, below = old - kStep;
    x = above;
    SEQ_ASSIGN_OR_RETURN(const double upper, Loss(problem, feeds));
    x = below;
    SEQ_ASSIGN_OR_RETURN(const double lower, Loss(problem, feeds));
    x = old;
    gradient.Elements<double>()[i] = (upper - lower) / (above - below);
  }
  return gradient;
}

// The largest relative error of the gradients of a random use of the op.
absl::StatusOr<double> GradientError(const OpRegistry& registry, const OpDef& op,
                                     SampleSource& source) {
  const OpSample sample = op.sampler()(source);
  SEQ_ASSIGN_OR_RETURN(const Problem problem, MakeProblem(registry, op, sample, source));
  SEQ_ASSIGN_OR_RETURN(const TensorMap results, Evaluate(problem.function, problem.feeds));
  double worst = 0;
  for (const std::string& input : problem.wrt) {
    const Tensor& gradient = results.at("d_" + input);
    SEQ_ASSIGN_OR_RETURN(const Tensor differences, CentralDifferences(problem, input));
    const double magnitude =
        std::max({LargestFiniteMagnitude(gradient), LargestFiniteMagnitude(differences)});
    Tensor error = gradient;
    for (int64_t i = 0; i < error.num_elements(); ++i) {
      error.Elements<double>()[i] -= differences.Elements<double>()[i];
    }
    const double relative = LargestFiniteMagnitude(error) / std::max(magnitude, kSmallestMagnitude);
    if (!(relative <= worst)) worst = relative;
  }
  return worst;
}

std::vector<const OpDef*> OpsWithGradient() {
  std::vector<const OpDef*> ops;
  for (const OpDef* op : AllOps().All()) {
    if (op->gradient_rule()) ops.push_back(op);
  }
  return ops;
}

class GradientTest : public testing::TestWithParam<const OpDef*> {};

TEST_P(GradientTest, AgreesWithCentralDifferences) {
  SampleSource source(kSeed);
  double worst = 0;
  for (int i = 0; i < kSamples; ++i) {
    SCOPED_TRACE(testing::Message() << "seed " << kSeed << ", sample " << i);
    SEQ_ASSERT_OK_AND_ASSIGN(const double error, GradientError(AllOps(), *GetParam(), source));
    ASSERT_LT(error, kBound);
    worst = std::max(worst, error);
  }
  std::printf("largest relative error %.1e of %.0e allowed\n", worst, kBound);
}

INSTANTIATE_TEST_SUITE_P(AllOps, GradientTest, testing::ValuesIn(OpsWithGradient()),
                         [](const testing::TestParamInfo<const OpDef*>& info) {
                           return info.param->name();
                         });

// Every op with a real output that depends on a real input differentiably either has a rule or is
// on this list, so that none loses its rule unnoticed.
TEST(Gradients, OnlyTheseOpsHaveNoRule) {
  std::vector<std::string> without;
  for (const OpDef* op : AllOps().All()) {
    bool differentiable = false;
    for (const InputDef& input : op->inputs()) differentiable |= input.differentiable;
    if (differentiable && !op->gradient_rule()) without.push_back(op->name());
  }
  EXPECT_EQ(without, (std::vector<std::string>{"BCEGrad",
                                               "BCEWithLogitsGrad",
                                               "CategoricalCrossEntropyGrad",
                                               "Conv1DGrad",
                                               "DenseGrad",
                                               "FusedElementwise",
                                               "GRUCellGrad",
                                               "GlobalMaxPooling1DGrad",
                                               "LSTMCellGrad",
                                               "LookupGRUCellGrad",
                                               "LookupLSTMCellGrad",
                                               "LookupRNNCellGrad",
                                               "MSEGrad",
                                               "MaxPool1DGrad",
                                               "RNNCellGrad",
                                               "ReduceProd",
                                               "RowLossGrad",
                                               "ScatterElementsGrad",
                                               "SoftmaxCrossEntropyWithLogitsGrad",
                                               "SoftmaxGrad"}));
}

// The check itself: a rule that is wrong by 1 part in 100,000 in one element is seen.
TEST(Gradients, AWrongRuleIsSeen) {
  OpRegistry registry;
  SEQ_ASSERT_OK(RegisterAllOps(registry));
  const OpDef& scale = *AllOps().Find("Scale");
  SEQ_ASSERT_OK(registry.Register(
      OpDef("WrongScale", 1)
          .Doc(scale.doc())
          .Input(scale.inputs()[0])
          .Output(scale.outputs()[0])
          .Attribute(scale.attributes()[0])
          .Shapes(scale.shape_rule())
          .Reference(scale.reference(DType::kFloat32), scale.reference(DType::kFloat64))
          .Bound(scale.bound_rule())
          .Gradient([](GradientContext& c) {
            c.SetInputGradient(0, ops::Scale(c.builder(), c.output_gradient(0),
                                             c.attributes().GetFloat("factor") * (1 + 1e-5)));
            return absl::OkStatus();
          })
          .Example(scale.examples()[0])
          .Samples([](SampleSource& source) {
            return OpSample{{{"factor", 1.5}}, {source.Reals({3})}};
          })));
  SampleSource source(kSeed);
  double worst = 0;
  for (int i = 0; i < 4; ++i) {  // now and then the gradient is not wanted at all
    SEQ_ASSERT_OK_AND_ASSIGN(const double error,
                             GradientError(registry, *registry.Find("WrongScale"), source));
    worst = std::max(worst, error);
  }
  EXPECT_GT(worst, kBound);
}

}  // namespace
}  // namespace seqgraph
