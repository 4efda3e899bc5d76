#include "layers/padding.h"

#include "absl/strings/str_cat.h"
#include "layers/layer_context.h"
#include "ops/broadcast_to.h"
#include "ops/examples.h"
#include "ops/pad.h"
#include "ops/reshape.h"
#include "ops/slice.h"

namespace seqgraph {
namespace {

// As in Keras, masks end at all of these.

LayerFlow EmitPadding(LayerContext& c, const ZeroPadding1DLayer& layer) {
  return c.Drop(ops::Pad(
      c.g(), c.x(), {.axis = 1, .before = layer.before, .after = layer.after, .name = c.name()}));
}

LayerFlow EmitCropping(LayerContext& c, const Cropping1DLayer& layer) {
  const int64_t time = c.type().shape[1].size();
  if (layer.before + layer.after >= time) {
    c.Fail(absl::StrCat("it takes ", layer.before, " and ", layer.after, " steps off ", time,
                        ", which leaves none"));
    return {};
  }
  return c.Drop(
      ops::Slice(c.g(), c.x(),
                 {.axis = 1, .begin = layer.before, .end = time - layer.after, .name = c.name()}));
}

LayerFlow EmitUpSampling(LayerContext& c, const UpSampling1DLayer& layer) {
  const Dim batch = c.type().shape[0];
  const int64_t time = c.type().shape[1].size(), features = c.features();
  const Value steps = ops::Reshape(c.g(), c.x(), {batch, time, 1, features}, c.Part("steps"));
  const Value repeated =
      ops::BroadcastTo(c.g(), steps, {batch, time, layer.size, features}, c.Part("repeated"));
  if (!c.g().status().ok()) return {};  // beyond which extents have no product
  return c.Drop(ops::Reshape(c.g(), repeated, {batch, time * layer.size, features}, c.name()));
}

}  // namespace

LayerDef ZeroPadding1DDef() {
  return DefineLayer<ZeroPadding1DLayer>()
      .Doc(
          "[batch, time, features] -> [batch, before + time + after, features]: zeros in front and "
          "behind. Masks end here, as in Keras.")
      .Takes(LayerTakes::kSequence)
      .Keras({.fixed = {{"data_format", "channels_last"}},
              .lists = {{"padding", {"before", "after"}}}})
      .Emit(EmitPadding)
      .Example({"both_sides",
                ZeroPadding1DLayer{.before = 1, .after = 2},
                ops::Reals({1, 1, 2}, {3, 4}),
                {},
                ops::Reals({1, 4, 2}, {0, 0, 3, 4, 0, 0, 0, 0})});
}

LayerDef Cropping1DDef() {
  return DefineLayer<Cropping1DLayer>()
      .Doc(
          "[batch, time, features] -> [batch, time - before - after, features]: without the first "
          "and the last steps. Masks end here, as in Keras.")
      .Takes(LayerTakes::kSequence)
      .Keras({.fixed = {{"data_format", "channels_last"}},
              .lists = {{"cropping", {"before", "after"}}}})
      .Emit(EmitCropping)
      .FitSample([](Cropping1DLayer& layer, SampleSource&) { layer = {.before = 0, .after = 0}; })
      .Example({"both_sides",
                Cropping1DLayer{.before = 1, .after = 2},
                ops::Reals({1, 5, 1}, {1, 2, 3, 4, 5}),
                {},
                ops::Reals({1, 2, 1}, {2, 3})});
}

LayerDef UpSampling1DDef() {
  return DefineLayer<UpSampling1DLayer>()
      .Doc(
          "[batch, time, features] -> [batch, size time, features]: every step size times, one "
          "behind the other. Masks end here, as in Keras.")
      .Takes(LayerTakes::kSequence)
      .Emit(EmitUpSampling)
      .Example({"twice",
                UpSampling1DLayer{},
                ops::Reals({1, 2, 2}, {1, 2, 3, 4}),
                {},
                ops::Reals({1, 4, 2}, {1, 2, 1, 2, 3, 4, 3, 4})});
}

}  // namespace seqgraph
