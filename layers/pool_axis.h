#pragma once

#include <cstdint>
#include <functional>

#include "layers/layer_context.h"
#include "ops/pool1d.h"

namespace seqgraph {

/// Calls `pool` with the axis of x as time: [batch, time, all that lies beside and behind it], and
/// puts what it gives, [batch, steps, ...], in its place.
Value PoolAxis(LayerContext& c, Value x, int axis, const std::function<Value(Value)>& pool);

/// Pools the windows along that axis of x by an op over time.
using PoolFunction = Value (*)(FunctionBuilder&, Value, const ops::Pool1DOptions&);
Value PoolWindows(LayerContext& c, Value x, int axis, int64_t width,
                  const ops::WindowOptions& windows, PoolFunction pool);

}  // namespace seqgraph
