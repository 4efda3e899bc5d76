#include "layers/rescaling.h"

#include "layers/layer_context.h"
#include "ops/elementwise.h"
#include "ops/examples.h"

namespace seqgraph {
namespace {

LayerFlow EmitRescaling(LayerContext& c, const RescalingLayer& layer) {
  FunctionBuilder& g = c.g();
  const Value scaled = ops::Scale(g, c.x(), layer.scale, c.Part("scaled"));
  if (layer.offset == 0) return c.Pass(scaled);
  const Value offset = ops::FillLike(g, scaled, layer.offset, c.Part("offset"));
  return c.Pass(ops::Add(g, scaled, offset, c.name()));
}

}  // namespace

LayerDef RescalingDef() {
  return DefineLayer<RescalingLayer>()
      .Doc("Any shape -> the same: scale x + offset. Masks pass.")
      .RowWise()
      .Emit(EmitRescaling)
      .LastActivation([](const RescalingLayer&) -> std::optional<std::string> { return ""; })
      .Example({"both",
                RescalingLayer{.scale = 0.5, .offset = 1},
                ops::Reals({1, 2}, {4, -2}),
                {},
                ops::Reals({1, 2}, {3, 0})});
}

LayerDef IdentityDef() {
  return DefineLayer<IdentityLayer>()
      .Doc("Any shape -> the same: x itself. Masks pass.")
      .RowWise()
      .Emit([](LayerContext& c, const IdentityLayer&) { return c.Pass(c.x()); })
      .LastActivation(
          [](const IdentityLayer&) -> std::optional<std::string> { return std::nullopt; })
      .Example(
          {"row", IdentityLayer{}, ops::Reals({1, 2}, {4, -2}), {}, ops::Reals({1, 2}, {4, -2})});
}

}  // namespace seqgraph
