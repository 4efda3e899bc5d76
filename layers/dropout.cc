#include "layers/dropout.h"

#include "layers/layer_context.h"
#include "ops/examples.h"

namespace seqgraph {
namespace {

LayerFlow EmitDropout(LayerContext& c, const DropoutLayer& layer) {
  return c.Pass(c.Dropout(c.x(), layer.rate));
}

LayerFlow EmitSpatial(LayerContext& c, const SpatialDropout1DLayer& layer) {
  return c.Pass(c.DropForAllSteps(c.x(), layer.rate, c.name()));
}

}  // namespace

LayerDef DropoutDef() {
  return DefineLayer<DropoutLayer>()
      .Doc(
          "Any shape -> the same: in training each element is 0 with probability rate, and "
          "otherwise divided by 1 - rate (Srivastava et al. 2014); x itself otherwise.")
      .RowWise()
      .Keras({.ignored = {"seed"}, .unset = {"noise_shape"}})
      .Emit(EmitDropout)
      .LastActivationInFront()
      .Example({"outside_training",
                DropoutLayer{},
                ops::Reals({1, 2}, {3, -4}),
                {},
                ops::Reals({1, 2}, {3, -4})});
}

LayerDef SpatialDropout1DDef() {
  return DefineLayer<SpatialDropout1DLayer>()
      .Doc(
          "[batch, time, features] -> the same: Dropout with one mask for all steps, so that a "
          "feature of a row is there in all or in none.")
      .Takes(LayerTakes::kSequence)
      .Keras({.takes_trainable = false, .ignored = {"seed"}, .unset = {"noise_shape"}})
      .Emit(EmitSpatial)
      .LastActivationInFront()
      .Example({"outside_training",
                SpatialDropout1DLayer{},
                ops::Reals({1, 2, 1}, {3, -4}),
                {},
                ops::Reals({1, 2, 1}, {3, -4})});
}

template void FillLayerKind(const DropoutLayer&, LayerKind&);
template void FillLayerKind(const SpatialDropout1DLayer&, LayerKind&);

}  // namespace seqgraph
