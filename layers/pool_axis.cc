#include "layers/pool_axis.h"

#include <vector>

#include "ops/reshape.h"

namespace seqgraph {

Value PoolAxis(LayerContext& c, Value x, int axis, const std::function<Value(Value)>& pool) {
  FunctionBuilder& g = c.g();
  // The axis to the front, the others as they follow each other.
  const Shape from = g.type(x).shape;
  std::vector<int64_t> there = {0, axis}, back = {0};
  for (int i = 1; i < from.rank(); ++i) {
    if (i != axis) there.push_back(i);
    back.push_back(i < axis ? i + 1 : i == axis ? 1 : i);
  }
  int64_t channels = 1;
  Shape beside = {from[0], from[axis]};
  for (size_t i = 2; i < there.size(); ++i) {
    beside.Append(from[static_cast<int>(there[i])]);
    channels *= beside.back().size();
  }
  if (axis != 1) x = ops::Transpose(g, x, there, c.Part("axis_first"));
  const bool flat = from.rank() == 3;
  if (!flat) x = ops::Reshape(g, x, {from[0], from[axis], channels}, c.Part("sequence"));
  Value y = pool(x);
  if (!g.status().ok()) return {};
  Shape to = {from[0], g.type(y).shape[1]};
  for (const Dim dim : beside.dims().subspan(2)) to.Append(dim);
  if (!flat) y = ops::Reshape(g, y, to, c.Part("places"));
  return axis == 1 ? y : ops::Transpose(g, y, back, c.Part("axis_back"));
}

Value PoolWindows(LayerContext& c, Value x, int axis, int64_t width,
                  const ops::WindowOptions& windows, PoolFunction pool) {
  return PoolAxis(c, x, axis, [&](Value sequence) {
    return pool(c.g(), sequence, {.width = width, .windows = windows, .name = c.name()});
  });
}

}  // namespace seqgraph
