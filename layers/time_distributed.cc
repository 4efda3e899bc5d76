#include "layers/time_distributed.h"

#include <utility>

#include "graph/function_builder.h"
#include "layers/dense.h"
#include "layers/layer_context.h"
#include "ops/examples.h"

namespace seqgraph {
namespace {

// A layer that takes each row of the last axis by itself does so for every step at once.
LayerFlow EmitTimeDistributed(LayerContext& c, const TimeDistributedLayer& layer) {
  const LayerFlow y = c.EmitInner(layer.layer, "layer", {c.x(), c.mask()}, /*row_wise=*/true);
  return c.Pass(y.value);
}

void NameInner(TimeDistributedLayer& layer, const NumberName& number) {
  if (layer.layer.name != TimeDistributedLayer().layer.name) return;
  layer.layer.name = number(SnakeCase(layer.layer.kind.class_name));
}

}  // namespace

TimeDistributedLayer TimeDistributed(LayerKind layer) {
  TimeDistributedLayer wrapper;
  wrapper.layer.kind = std::move(layer);
  return wrapper;
}

LayerDef TimeDistributedDef() {
  return DefineLayer<TimeDistributedLayer>()
      .Doc(
          "[batch, time, features] -> [batch, time, ...]: a layer applied to each step by itself. "
          "It must be one that takes each row of the last axis by itself: dense, dropout, "
          "activations. Masks pass.")
      .Takes(LayerTakes::kSequence)
      .Emit(EmitTimeDistributed)
      .NameInner(NameInner)
      .Example({"dense",
                TimeDistributed(DenseLayer{.units = 1, .use_bias = false}),
                ops::Reals({1, 2, 2}, {1, 2, 3, 4}),
                {ops::Reals({2, 1}, {1, 10})},
                ops::Reals({1, 2, 1}, {21, 43})});
}

}  // namespace seqgraph
