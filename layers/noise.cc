#include "layers/noise.h"

#include <cmath>

#include "layers/layer_context.h"
#include "ops/elementwise.h"
#include "ops/examples.h"

namespace seqgraph {
namespace {

LayerFlow EmitNoise(LayerContext& c, const GaussianNoiseLayer& layer) {
  const Value noise = c.Noise(0, layer.stddev, c.Part("noise"));
  return c.Pass(noise.present() ? ops::Add(c.g(), c.x(), noise, c.name()) : c.x());
}

LayerFlow EmitGaussianDropout(LayerContext& c, const GaussianDropoutLayer& layer) {
  const Value noise = c.Noise(1, std::sqrt(layer.rate / (1 - layer.rate)), c.Part("noise"));
  return c.Pass(noise.present() ? ops::Multiply(c.g(), c.x(), noise, c.name()) : c.x());
}

}  // namespace

LayerDef GaussianNoiseDef() {
  return DefineLayer<GaussianNoiseLayer>()
      .Doc(
          "Any shape -> the same: in training each element with normal noise added, of mean 0 and "
          "standard deviation stddev; x itself otherwise.")
      .RowWise()
      .Keras({.ignored = {"seed"}})
      .Emit(EmitNoise)
      .LastActivationInFront()
      .Example({"outside_training",
                GaussianNoiseLayer{},
                ops::Reals({1, 2}, {3, -4}),
                {},
                ops::Reals({1, 2}, {3, -4})});
}

LayerDef GaussianDropoutDef() {
  return DefineLayer<GaussianDropoutLayer>()
      .Doc(
          "Any shape -> the same: in training each element times normal noise of mean 1 and "
          "standard deviation sqrt(rate / (1 - rate)) (Srivastava et al. 2014); x itself "
          "otherwise.")
      .RowWise()
      .Keras({.ignored = {"seed"}})
      .Emit(EmitGaussianDropout)
      .LastActivationInFront()
      .Example({"outside_training",
                GaussianDropoutLayer{},
                ops::Reals({1, 2}, {3, -4}),
                {},
                ops::Reals({1, 2}, {3, -4})});
}

}  // namespace seqgraph
