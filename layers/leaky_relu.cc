#include "layers/leaky_relu.h"

#include "layers/layer_context.h"
#include "ops/activations.h"
#include "ops/elementwise.h"
#include "ops/examples.h"
#include "ops/unary.h"

namespace seqgraph {
namespace {

// relu(x) - slope relu(-x): one of the two is 0, so that no digit is lost.
LayerFlow EmitLeakyReLU(LayerContext& c, const LeakyReLULayer& layer) {
  FunctionBuilder& g = c.g();
  const Value above = ops::Relu(g, c.x(), c.Part("above"));
  const Value below =
      ops::Relu(g, ops::Unary(g, "Negative", c.x(), c.Part("negative")), c.Part("below"));
  return c.Pass(ops::Subtract(g, above, ops::Scale(g, below, layer.negative_slope, c.Part("slope")),
                              c.name()));
}

}  // namespace

LayerDef LeakyReLUDef() {
  return DefineLayer<LeakyReLULayer>()
      .Doc(
          "Any shape -> the same: x where x >= 0, negative_slope x elsewhere (Maas et al. 2013). "
          "The gradient at 0 is 0.")
      .RowWise()
      .Emit(EmitLeakyReLU)
      .LastActivation([](const LeakyReLULayer&) -> std::optional<std::string> { return ""; })
      .Example({"both_sides",
                LeakyReLULayer{.negative_slope = 0.25},
                ops::Reals({1, 3}, {-8, 0, 2}),
                {},
                ops::Reals({1, 3}, {-2, 0, 2})});
}

}  // namespace seqgraph
