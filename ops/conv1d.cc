#include "ops/conv1d.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "graph/bound_rules.h"
#include "graph/gradient.h"
#include "ops/examples.h"
#include "ops/shape_rules.h"
#include "ops/step_rules.h"

namespace seqgraph::ops {
namespace {

// Attributes: those of windows; groups. Group g has the channels [g channels / groups, ..) and the
// filters [g filters / groups, ..).

// Shape rules.

// C1 to C5; the shape of y.
absl::StatusOr<Shape> ConvolvedShape(const ShapeContext& c) {
  const Shape &x = c.shape(0), &w = c.shape(1);
  if (x.rank() != 3 || x[1].is_batch() || x[2].is_batch()) {
    return Violation("C1", "x must be [batch, time, channels], got ", x.ToString());
  }
  if (w.rank() != 3 || !w.is_static()) {
    return Violation("C2", "w must be [width, channels / groups, filters], got ", w.ToString());
  }
  const int64_t groups = c.attributes().GetInt("groups");
  if (groups < 1 || w[2].size() % groups != 0 || w[1].size() > Shape::kMaxElements / groups ||
      w[1].size() * groups != x[2].size()) {
    return Violation("C3", "w must be [width, channels / groups, filters] with channels ",
                     x[2].size(), " and groups ", groups, ", which divides both, got ",
                     w.ToString());
  }
  SEQ_ASSIGN_OR_RETURN(const int64_t steps, CountWindows(c, "C4", "C5", w[0].size(), x));
  return Shape{x[0], steps, w[2]};
}

Types Conv1DShape(const ShapeContext& c) {
  SEQ_ASSIGN_OR_RETURN(const Shape y, ConvolvedShape(c));
  if (c.has_input(2)) {
    SEQ_RETURN_IF_ERROR(CheckShape("C6", "b", c.shape(2), "[filters]", {y[2]}));
  }
  return std::vector<TensorType>{{c.real(), y}};
}

Types Conv1DGradShape(const ShapeContext& c) {
  SEQ_ASSIGN_OR_RETURN(const Shape y, ConvolvedShape(c));
  SEQ_RETURN_IF_ERROR(CheckShape("C6", "dy", c.shape(2), "[batch, steps, filters]", y));
  return std::vector<TensorType>{c.type(0), c.type(1), {c.real(), {y[2]}}};
}

// Reference computation.

// Calls f(ix, iw, iy) for all terms y[iy] += x[ix] w[iw], those of an element of y in the order of
// places and channels; ix is -1 where x is padding, which is 0 (and makes NaN of what is not
// finite).
template <typename F>
void ForEachTerm(const Shape& x, const Shape& w, const Attributes& attributes, F f) {
  const Windows windows(w[0].size(), attributes);
  const int64_t time = x[1].size(), channels = x[2].size(), groups = attributes.GetInt("groups");
  const int64_t steps = windows.Count(time), filters = w[2].size();
  const int64_t group_channels = w[1].size(), group_filters = filters / groups;
  for (int64_t row = 0; row < x[0].size() * steps; ++row) {
    for (int64_t i = 0; i < windows.width; ++i) {
      const int64_t t = windows.Step(row % steps, i), step = row / steps * time + t;
      for (int64_t c = 0; c < channels; ++c) {
        const int64_t ix = t < 0 || t >= time ? -1 : step * channels + c;
        const int64_t first = c / group_channels * group_filters;
        const int64_t w_row = (i * group_channels + c % group_channels) * filters;
        for (int64_t j = first; j < first + group_filters; ++j) {
          f(ix, w_row + j, row * filters + j);
        }
      }
    }
  }
}

template <typename T>
absl::Status ComputeConv1D(const ReferenceContext& c) {
  const auto x = c.input<T>(0), w = c.input<T>(1), b = c.input<T>(2);
  const auto y = c.output<T>(0);
  if (!y) return absl::OkStatus();
  std::fill_n(y.data, y.size(), T{0});
  ForEachTerm(x.shape, w.shape, c.attributes(), [&](int64_t ix, int64_t iw, int64_t iy) {
    y[iy] += (ix < 0 ? T{0} : x[ix]) * w[iw];
  });
  for (int64_t i = 0; b && i < y.size(); ++i) y[i] += b[i % b.size()];
  return absl::OkStatus();
}

template <typename T>
absl::Status ComputeConv1DGrad(const ReferenceContext& c) {
  const auto x = c.input<T>(0), w = c.input<T>(1), dy = c.input<T>(2);
  const auto dx = c.output<T>(0), dw = c.output<T>(1), db = c.output<T>(2);
  for (const auto& output : {dx, dw, db}) {
    if (output) std::fill_n(output.data, output.size(), T{0});
  }
  if (dx || dw) {
    ForEachTerm(x.shape, w.shape, c.attributes(), [&](int64_t ix, int64_t iw, int64_t iy) {
      if (dx && ix >= 0) dx[ix] += dy[iy] * w[iw];
      if (dw) dw[iw] += dy[iy] * (ix < 0 ? T{0} : x[ix]);
    });
  }
  for (int64_t i = 0; db && i < dy.size(); ++i) db[i % db.size()] += dy[i];
  return absl::OkStatus();
}

// Costs, and bounds: y sums over places and channels of a group, dx over places and filters of
// one, dw and db over all rows of y.

OpCost Conv1DCost(const CostContext& c) {
  return c.Moving(c.output_size(0) * (2 * c.dim(1, 0) * c.dim(1, 1) + c.has_input(2)));
}

// x is read for dw only, w for dx only.
OpCost Conv1DGradCost(const CostContext& c) {
  const bool dx = c.uses_output(0), dw = c.uses_output(1), db = c.uses_output(2);
  OpCost cost = c.Moving(c.input_size(2) * (2 * c.dim(1, 0) * c.dim(1, 1) * (dx + dw) + db), {2});
  if (dw) cost.bytes_read += c.input_bytes(0);
  if (dx) cost.bytes_read += c.input_bytes(1);
  return cost;
}

double Conv1DTerms(const BoundContext& c, int) {
  const Shape& w = c.shape(1);
  return static_cast<double>(w[0].size() * w[1].size() + 1);
}

double Conv1DGradTerms(const BoundContext& c, int o) {
  const Shape &w = c.shape(1), &dy = c.shape(2);
  const int64_t filters = w[2].size() / c.attributes().GetInt("groups");
  return static_cast<double>(o == 0 ? w[0].size() * filters : dy[0].size() * dy[1].size());
}

// Definitions: what both have.

OpDef Conv1DDef(std::string name, std::string doc) {
  return OpDef(std::move(name), 1)
      .Doc(std::move(doc))
      .Input({.name = "x", .doc = "[batch, time, channels]"})
      .Input({.name = "w", .doc = "[width, channels / groups, filters]"})
      .Constrain("C1", "x is [batch, time, channels]")
      .Constrain("C2", "w is [width, channels / groups, filters]")
      .Constrain("C3", "groups is at least 1 and divides channels and filters")
      .With([](OpDef& op) { AddWindowAttributes(op, "C4", "C5"); })
      .Attribute("groups", int64_t{1}, "parts of channels and filters that are apart");
}

// x, w and the shape of y.
std::pair<OpSample, Shape> RandomConv1D(SampleSource& source) {
  const int64_t groups = source.Int(1, 3), width = source.Int(1, 4), time = source.Dimension();
  const int64_t channels = groups * source.Int(1, 3), filters = groups * source.Dimension();
  const int64_t batch = source.Int(1, 3);
  const WindowOptions windows = RandomWindows(source, width, time);
  OpSample sample{
      WindowAttributes(windows),
      {source.Reals({batch, time, channels}), source.Reals({width, channels / groups, filters})}};
  const Shape y = {batch, Windows(width, sample.attributes).Count(time), filters};
  sample.attributes.Set("groups", groups);
  return {std::move(sample), y};
}

OpRejection Rejection(std::string label, Attributes attributes, Shape x, Shape w, Shape last) {
  return {std::move(label), std::move(attributes), {RealType(x), RealType(w), RealType(last)}};
}

void AddRejections(OpDef& op, const Shape& valid, const Shape& invalid) {
  const Shape x = {2, 4, 2}, w = {3, 2, 3};
  op.Reject(Rejection("C1", {}, {4, 2}, w, valid))
      .Reject(Rejection("C1", {}, {2, 4, Dim::Batch()}, w, valid))
      .Reject(Rejection("C2", {}, x, {3, 2}, valid))
      .Reject(Rejection("C2", {}, x, {Dim::Batch(), 2, 3}, valid))
      .Reject(Rejection("C3", {}, x, {3, 1, 3}, valid))
      .Reject(Rejection("C3", {{"groups", 2}}, x, {3, 1, 3}, valid))
      .Reject(Rejection("C3", {{"groups", 0}}, x, w, valid))
      .Reject(Rejection("C4", {}, x, {0, 2, 3}, valid))
      .Reject(Rejection("C4", {{"stride", 0}}, x, w, valid))
      .Reject(Rejection("C4", {{"dilation", 0}}, x, w, valid))
      .Reject(Rejection("C4", {{"pad_before", -1}}, x, w, valid))
      .Reject(Rejection("C4", {{"pad_after", int64_t{1} << 40}}, x, w, valid))
      .Reject(Rejection("C5", {{"dilation", 2}}, x, w, valid))
      .Reject(Rejection("C6", {}, x, w, invalid));
}

// Time 4 of two channels.
Tensor ExampleSequence() { return Reals({1, 4, 2}, {1, 2, 3, 4, 5, 6, 7, 8}); }

}  // namespace

OpDef Conv1DOp() {
  return Conv1DDef("Conv1D",
                   "y[n, s, f] = b[f] + the sum over i and c of x[n, s stride - pad_before + i "
                   "dilation, c] w[i, c, f], x being 0 outside: a convolution over time. With "
                   "groups, c and f are those of one group.")
      .Input({.name = "b", .doc = "[filters]; absent: zero", .optional = true})
      .Output({.name = "y", .doc = "[batch, steps, filters], one step for each window"})
      .Constrain("C6", "b is [filters]")
      .With([](OpDef& op) { AddRejections(op, {3}, {2}); })
      .Shapes(Conv1DShape)
      .Reference(ComputeConv1D<float>, ComputeConv1D<double>)
      .Bound(SumBound(Conv1DTerms))
      .Gradient(GradientOp("Conv1DGrad"))
      .Steps(WindowSteps([](const StepContext& c) { return c.whole_input(1).shape[0].size(); },
                         /*pads_zero=*/true))
      .Cost("FLOPs: 2 width channels / groups for each element of y, 1 more for b.", Conv1DCost)
      // x_t·(1, 10) + x_{t+1}·(100, 0) + 0.5.
      .Example({"two_places",
                {},
                {ExampleSequence(), Reals({2, 2, 1}, {1, 10, 100, 0}), Reals({1}, {0.5})},
                {Reals({1, 3, 1}, {321.5, 543.5, 765.5})}})
      // Windows -1, 1 and 1, 3.
      .Example({"strided_dilated_padded",
                {{"stride", 2}, {"dilation", 2}, {"pad_before", 1}},
                {ExampleSequence(), Reals({2, 2, 1}, {1, 10, 100, 0}), {}},
                {Reals({1, 2, 1}, {300, 743})}})
      // Filter 0 takes channel 0 alone, filter 1 channel 1.
      .Example({"groups",
                {{"groups", 2}},
                {ExampleSequence(), Reals({2, 1, 2}, {1, 2, 10, 20}), {}},
                {Reals({1, 3, 2}, {31, 84, 53, 128, 75, 172})}})
      .Samples([](SampleSource& source) {
        auto [sample, y] = RandomConv1D(source);
        sample.inputs.emplace_back();
        if (source.Coin()) sample.inputs.back() = source.Reals({y[2]});
        return sample;
      });
}

OpDef Conv1DGradOp() {
  return Conv1DDef("Conv1DGrad",
                   "dx, dw and db of Conv1D: dx and dw sum dy w and dy x over the terms of y that "
                   "they are in, db sums dy over batch and steps.")
      .Input({.name = "dy", .doc = "[batch, steps, filters]: the gradient of y"})
      .Output({.name = "dx", .doc = "the shape of x"})
      .Output({.name = "dw", .doc = "the shape of w"})
      .Output({.name = "db", .doc = "[filters]"})
      .Constrain("C6", "dy is [batch, steps, filters]")
      .With([](OpDef& op) {
        AddRejections(op, {2, 2, 3}, {2, 3, 3});
      })
      .Shapes(Conv1DGradShape)
      .Reference(ComputeConv1DGrad<float>, ComputeConv1DGrad<double>)
      .Bound(SumBound(Conv1DGradTerms))
      .Cost(
          "FLOPs: for each element of dy, 2 width channels / groups for dx, as many for dw, 1 for "
          "db. x is read for dw only, w for dx only.",
          Conv1DGradCost)
      .Example(
          {"two_places",
           {},
           {ExampleSequence(), Reals({2, 2, 1}, {1, 10, 100, 0}), Reals({1, 3, 1}, {1, 2, -1})},
           {Reals({1, 4, 2}, {1, 10, 102, 20, 199, -10, -100, 0}), Reals({2, 2, 1}, {2, 4, 6, 8}),
            Reals({1}, {2})}})
      .Samples([](SampleSource& source) {
        auto [sample, y] = RandomConv1D(source);
        sample.inputs.push_back(source.Reals(y));
        return sample;
      });
}

Value Conv1D(FunctionBuilder& g, Value x, Value w, const Conv1DOptions& options) {
  Attributes attributes = WindowAttributes(options.windows);
  attributes.Set("groups", options.groups);
  return g.AddNode("Conv1D", {x, w, options.bias}, std::move(attributes), options.name)[0];
}

}  // namespace seqgraph::ops
