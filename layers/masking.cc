#include "layers/masking.h"

#include "layers/layer_context.h"
#include "ops/binary.h"
#include "ops/cast.h"
#include "ops/elementwise.h"
#include "ops/examples.h"
#include "ops/extrema.h"
#include "ops/mask.h"

namespace seqgraph {
namespace {

// A step is there where some feature is not mask_value: where the least of (x == mask_value) is 0.
LayerFlow EmitMasking(LayerContext& c, const MaskingLayer& layer) {
  FunctionBuilder& g = c.g();
  const Value marked = ops::Binary(g, "Equal", c.x(),
                                   ops::FillLike(g, c.x(), layer.mask_value, c.Part("mask_value")),
                                   c.Part("marked"));
  const Value all = ops::ReduceMin(g, ops::Cast(g, marked, c.real(), c.Part("marked_real")),
                                   {.axes = {2}, .name = c.Part("all_marked")});
  const Value mask =
      ops::Binary(g, "Less", all, ops::FillLike(g, all, 1, c.Part("one")), c.Part("mask"));
  return {ops::ZeroMasked(g, c.x(), mask, c.name()), mask};
}

}  // namespace

LayerDef MaskingDef() {
  return DefineLayer<MaskingLayer>()
      .Doc(
          "[batch, time, features] -> the same: steps all of whose features are mask_value are "
          "masked for the layers behind, and zero. A mask that comes with the input is replaced.")
      .Takes(LayerTakes::kSequence)
      .Emit(EmitMasking)
      .Example({"value",
                MaskingLayer{.mask_value = 7},
                ops::Reals({1, 3, 2}, {7, 7, 7, 1, 0, 0}),
                {},
                ops::Reals({1, 3, 2}, {0, 0, 7, 1, 0, 0})});
}

}  // namespace seqgraph
