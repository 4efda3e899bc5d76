// Recurrent layers with activations of all kinds, as Keras computes them.

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "graph/activation.h"
#include "graph/evaluate.h"
#include "graph/function_builder.h"
#include "layers/all_layers.h"
#include "layers/layer_emission.h"
#include "ops/all_ops.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

constexpr int64_t kBatch = 2, kTime = 3, kFeatures = 2, kUnits = 2;

struct KerasCase {
  const char *layer, *activation, *recurrent_activation;
  bool reset_after;
  double last[kBatch * kUnits];
};

// By make_recurrent_activations.py. Its activation gelu has constants in float32.
constexpr KerasCase kCases[] = {
    {"SimpleRNN",
     "softsign",
     "sigmoid",
     true,
     {-0.402748204378763, -0.0766459522690854, -0.438637880516199, -0.240406319632848}},
    {"SimpleRNN",
     "gelu",
     "sigmoid",
     true,
     {-0.0600469933590572, -0.00684212755313149, -0.0863605725348431, -0.0950691235709956}},
    {"SimpleRNN",
     "linear",
     "sigmoid",
     true,
     {-2.66256702094221, -0.408969684692918, -2.7218833964212, -0.668614252276567}},
    {"LSTM",
     "tanh",
     "hard_sigmoid",
     true,
     {-0.0120427159860671, -0.136054341330144, 0.0292074632097643, -0.11197850981891}},
    {"LSTM",
     "tanh",
     "hard_sigmoid(0.2,0.5)",
     true,
     {-0.0210942838350126, -0.133841591700109, 0.0211399939123106, -0.108262182537756}},
    {"LSTM",
     "elu",
     "sigmoid",
     true,
     {0.00709264442095672, -0.102337178182895, 0.042364924741588, -0.0754832751279512}},
    {"LSTM",
     "silu",
     "relu6",
     true,
     {-0.000640129277689525, -0.00112880843812103, -1.01306415062745e-06, 0}},
    {"GRU",
     "selu",
     "hard_sigmoid",
     true,
     {-0.0532561737067319, -0.264658661855476, 0.389805321051265, 0.0431736048209314}},
    {"GRU",
     "softplus",
     "hard_sigmoid(0.2,0.5)",
     false,
     {0.870184312116178, 0.675372459536479, 0.984711577670035, 0.737951628230831}},
    {"GRU",
     "mish",
     "tanh",
     false,
     {1.83721629927394, 0.308204177241377, 2.66061319055235, 0.841903701710534}},
};

Tensor Sines(const Shape& shape, double first) {
  Tensor tensor = *Tensor::Zeros({DType::kFloat64, shape});
  for (double& x : tensor.Elements<double>()) x = std::sin(first++);
  return tensor;
}

TEST(RecurrentActivations, AreKerass) {
  for (const KerasCase& c : kCases) {
    SCOPED_TRACE(absl::StrCat(c.layer, ", ", c.activation, ", ", c.recurrent_activation));
    const LayerKind kind = RecurrentLayer{.cell = c.layer,
                                          .units = kUnits,
                                          .activation = c.activation,
                                          .recurrent_activation = c.recurrent_activation,
                                          .reset_after = c.reset_after};
    SEQ_ASSERT_OK(CheckLayer(kind, AllLayers()));
    FunctionBuilder g("layer", AllOps());
    EmissionState state{.g = g, .registry = AllLayers(), .real = DType::kFloat64};
    const Tensor x = Sines({kBatch, kTime, kFeatures}, 0);
    const LayerFlow input = {g.Input("x", x.type()), {}};
    EmittedLayer emitted;
    LayerContext context(state, input, /*trainable=*/true, "layer", "", "", emitted);
    g.Result("y", EmitLayer(context, *AllLayers().Find(kind.class_name), kind).value);
    TensorMap feeds = {{"x", x}};
    for (size_t i = 0; i < emitted.weights.size(); ++i) {
      feeds[emitted.weights[i].variable] =
          Sines(emitted.weights[i].shape, 10 * static_cast<double>(i + 1));
    }
    SEQ_ASSERT_OK_AND_ASSIGN(const Function function, std::move(g).Build());
    SEQ_ASSERT_OK_AND_ASSIGN(const TensorMap results, Evaluate(function, feeds));
    const auto y = results.at("y").Elements<double>();
    ASSERT_EQ(y.size(), std::size(c.last));
    for (size_t i = 0; i < y.size(); ++i) EXPECT_NEAR(y[i], c.last[i], 2e-8) << i;
  }
}

// The formula of nodes that a layer makes of an activation is the cells' own.
TEST(RecurrentActivations, AreThoseOfLayers) {
  for (const std::string& name : CellActivationNames()) {
    SCOPED_TRACE(name);
    FunctionBuilder g("activation", AllOps());
    const Tensor x = Tensor::Of<double>({8}, {-7, -3.5, -1.25, -0.25, 0.125, 0.75, 2.5, 6.5});
    g.Result("y", EmitActivation(g, name, g.Input("x", x.type()), name));
    SEQ_ASSERT_OK_AND_ASSIGN(const Function function, std::move(g).Build());
    SEQ_ASSERT_OK_AND_ASSIGN(const TensorMap results, Evaluate(function, {{"x", x}}));
    for (int64_t i = 0; i < x.num_elements(); ++i) {
      const double exact = ActivateWithSlope(*FindActivation(name), x.Elements<double>()[i]).value;
      EXPECT_NEAR(results.at("y").Elements<double>()[i], exact, 1e-13 * std::max(1.0, exact)) << i;
    }
  }
}

}  // namespace
}  // namespace seqgraph
