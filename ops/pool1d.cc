#include "ops/pool1d.h"

#include <algorithm>
#include <cmath>
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

// Attributes: width and those of windows; of averages count_include_pad.

Windows WindowsOf(const Attributes& attributes) {
  return Windows(attributes.GetInt("width"), attributes);
}

// Shape rules.

// C1 to C3; the shape of y for x, which is the operand `name`.
absl::StatusOr<Shape> PooledShape(const ShapeContext& c, const char* name, const Shape& x) {
  if (x.rank() != 3 || x[1].is_batch() || x[2].is_batch()) {
    return Violation("C1", name, " must be [batch, time, channels], got ", x.ToString());
  }
  SEQ_ASSIGN_OR_RETURN(const int64_t steps,
                       CountWindows(c, "C2", "C3", c.attributes().GetInt("width"), x));
  return Shape{x[0], steps, x[2]};
}

Types PoolShape(const ShapeContext& c) {
  SEQ_ASSIGN_OR_RETURN(const Shape y, PooledShape(c, "x", c.shape(0)));
  return std::vector<TensorType>{{c.real(), y}};
}

// Of a gradient whose input `x`, called `name`, has the shape of x, and whose input `dy` that of y.
template <int x, int dy>
Types PoolGradShape(const ShapeContext& c) {
  SEQ_ASSIGN_OR_RETURN(const Shape y, PooledShape(c, x == 0 ? "x" : "like", c.shape(x)));
  SEQ_RETURN_IF_ERROR(CheckShape("C4", "dy", c.shape(dy), "[batch, steps, channels]", y));
  return std::vector<TensorType>{c.type(x)};
}

// Reference computation.

// Calls f(iy, places) for each element of y, with places(visit) calling visit(ix) for the elements
// of x in its window, in order, and giving their number.
template <typename F>
void ForEachWindow(const Shape& x, const Windows& windows, F f) {
  const int64_t time = x[1].size(), channels = x[2].size(), steps = windows.Count(time);
  for (int64_t iy = 0; iy < x[0].size() * steps * channels; ++iy) {
    const int64_t row = iy / channels, first = row / steps * time * channels + iy % channels;
    f(iy, [&](auto visit) {
      return windows.ForEachStep(row % steps, time,
                                 [&](int64_t, int64_t t) { visit(first + t * channels); });
    });
  }
}

// The place of the first largest element, or of the first NaN; -1 if there is none.
template <typename T, typename Places>
int64_t FirstLargest(const T* x, const Places& places) {
  int64_t best = -1;
  places([&](int64_t i) {
    if (best < 0 || x[i] > x[best] || (std::isnan(x[i]) && !std::isnan(x[best]))) best = i;
  });
  return best;
}

template <typename T>
absl::Status ComputeMaxPool(const ReferenceContext& c) {
  const auto x = c.input<T>(0);
  const auto y = c.output<T>(0);
  if (!y) return absl::OkStatus();
  ForEachWindow(x.shape, WindowsOf(c.attributes()), [&](int64_t iy, const auto& places) {
    const int64_t best = FirstLargest(x.data, places);
    y[iy] = best < 0 ? T{0} : x[best];
  });
  return absl::OkStatus();
}

template <typename T>
absl::Status ComputeMaxPoolGrad(const ReferenceContext& c) {
  const auto x = c.input<T>(0), dy = c.input<T>(1);
  const auto dx = c.output<T>(0);
  if (!dx) return absl::OkStatus();
  std::fill_n(dx.data, dx.size(), T{0});
  ForEachWindow(x.shape, WindowsOf(c.attributes()), [&](int64_t iy, const auto& places) {
    const int64_t best = FirstLargest(x.data, places);
    if (best >= 0) dx[best] += dy[iy];
  });
  return absl::OkStatus();
}

// What the sum over a window is divided by.
template <typename T>
T Divisor(const Attributes& attributes, int64_t count) {
  if (attributes.GetBool("count_include_pad")) count = attributes.GetInt("width");
  return static_cast<T>(std::max<int64_t>(count, 1));
}

template <typename T>
absl::Status ComputeAveragePool(const ReferenceContext& c) {
  const auto x = c.input<T>(0);
  const auto y = c.output<T>(0);
  if (!y) return absl::OkStatus();
  ForEachWindow(x.shape, WindowsOf(c.attributes()), [&](int64_t iy, const auto& places) {
    T sum = 0;
    const int64_t count = places([&](int64_t ix) { sum += x[ix]; });
    y[iy] = sum / Divisor<T>(c.attributes(), count);
  });
  return absl::OkStatus();
}

template <typename T>
absl::Status ComputeAveragePoolGrad(const ReferenceContext& c) {
  const auto dy = c.input<T>(0);
  const auto dx = c.output<T>(0);
  if (!dx) return absl::OkStatus();
  std::fill_n(dx.data, dx.size(), T{0});
  ForEachWindow(dx.shape, WindowsOf(c.attributes()), [&](int64_t iy, const auto& places) {
    const T part = dy[iy] / Divisor<T>(c.attributes(), places([](int64_t) {}));
    places([&](int64_t ix) { dx[ix] += part; });
  });
  return absl::OkStatus();
}

// Bounds.

// So many elements of y have one of x in their windows, at most: the terms of a gradient.
double Overlap(const BoundContext& c, int) {
  return static_cast<double>(c.attributes().GetInt("width"));
}

// Which elements are the largest, no sum of magnitudes tells: all of them may fall together.
absl::StatusOr<ErrorBound> MaxGradBound(const BoundContext& c, int o) {
  const double terms = Overlap(c, o);
  return SumOfTerms(static_cast<int64_t>(terms), terms * c.Largest("dy"));
}

// Definitions: what all have.

OpDef PoolDef(std::string name, std::string doc, const Shape& valid_dy, const Shape& other_dy,
              bool x_first) {
  OpDef op(std::move(name), 1);
  op.Doc(std::move(doc))
      .Attribute("width", AttributeKind::kInt, "places of a window")
      .Constrain("C1", x_first ? "x is [batch, time, channels]" : "like is [batch, time, channels]")
      .With([](OpDef& def) { AddWindowAttributes(def, "C2", "C3"); });
  const auto reject = [&](const char* label, Attributes attributes, const Shape& x,
                          const Shape& dy) {
    OpRejection rejection{label, std::move(attributes), {RealType(x)}};
    if (dy.rank() > 0) rejection.inputs.push_back(RealType(dy));
    if (!x_first) std::swap(rejection.inputs[0], rejection.inputs[1]);
    op.Reject(std::move(rejection));
  };
  const Shape x = {2, 4, 3};
  reject("C1", {{"width", 2}}, {4, 3}, valid_dy);
  reject("C1", {{"width", 2}}, {2, Dim::Batch(), 3}, valid_dy);
  reject("C2", {{"width", 0}}, x, valid_dy);
  reject("C2", {{"width", 2}, {"stride", 0}}, x, valid_dy);
  reject("C2", {{"width", 2}, {"dilation", int64_t{1} << 40}}, x, valid_dy);
  reject("C2", {{"width", 2}, {"pad_before", -1}}, x, valid_dy);
  reject("C3", {{"width", 5}}, x, valid_dy);
  if (other_dy.rank() > 0) {
    op.Constrain("C4", "dy is [batch, steps, channels]");
    reject("C4", {{"width", 2}}, x, other_dy);
  }
  return op;
}

OpDef GradDef(std::string name, std::string doc, bool x_first) {
  return PoolDef(std::move(name), std::move(doc), {2, 3, 3}, {2, 4, 3}, x_first);
}

OpDef ForwardDef(std::string name, std::string doc) {
  return PoolDef(std::move(name), std::move(doc), {}, {}, /*x_first=*/true)
      .Input({.name = "x", .doc = "[batch, time, channels]"})
      .Output({.name = "y", .doc = "[batch, steps, channels], one step for each window"})
      .Shapes(PoolShape)
      .Cost("FLOPs: width for each element of y.", [](const CostContext& c) {
        return c.Moving(c.output_size(0) * static_cast<double>(c.attributes().GetInt("width")));
      });
}

void AddCountIncludePad(OpDef& op) {
  op.Attribute("count_include_pad", false, "whether the divisor is the width; else what is there");
}

OpSample ForwardSample(SampleSource& source) {
  const int64_t width = source.Int(1, 4), time = source.Dimension();
  OpSample sample{WindowAttributes(RandomWindows(source, width, time)),
                  {source.Reals({source.Int(1, 3), time, source.Dimension()})}};
  sample.attributes.Set("width", width);
  return sample;
}

OpSample AverageSample(SampleSource& source) {
  OpSample sample = ForwardSample(source);
  sample.attributes.Set("count_include_pad", source.Coin());
  return sample;
}

// x and dy.
OpSample GradSample(OpSample sample, SampleSource& source) {
  const Shape& x = sample.inputs[0]->shape();
  const int64_t steps = WindowsOf(sample.attributes).Count(x[1].size());
  sample.inputs.push_back(source.Reals({x[0], steps, x[2]}));
  return sample;
}

Value AddPool(FunctionBuilder& g, const char* op, Value x, const Pool1DOptions& options,
              bool counts) {
  Attributes attributes = WindowAttributes(options.windows);
  attributes.Set("width", options.width);
  if (counts) attributes.Set("count_include_pad", options.count_include_pad);
  return g.AddNode(op, {x}, std::move(attributes), options.name)[0];
}

}  // namespace

OpDef MaxPool1DOp() {
  return ForwardDef("MaxPool1D",
                    "y[n, s, c] = the largest x[n, s stride - pad_before + i dilation, c] for 0 <= "
                    "i < width, of steps that there are; 0 for none.")
      .Reference(ComputeMaxPool<float>, ComputeMaxPool<double>)
      .Bound(ExactBound())
      .Gradient(GradientOp("MaxPool1DGrad"))
      .Steps(WindowSteps([](const StepContext& c) { return c.attributes().GetInt("width"); },
                         /*pads_zero=*/false))
      .Example({"pairs",
                {{"width", 2}, {"stride", 2}},
                {Reals({1, 5, 1}, {-3, -1, 4, 2, 9})},
                {Reals({1, 2, 1}, {-1, 4})}})
      // Steps -1, 1; 0, 2; 1, 3; 2, 4 with steps -1 and 4 outside.
      .Example({"dilated_padded",
                {{"width", 2}, {"dilation", 2}, {"pad_before", 1}, {"pad_after", 1}},
                {Reals({1, 4, 1}, {-3, -1, -4, -2})},
                {Reals({1, 4, 1}, {-1, -3, -1, -4})}})
      .Samples(ForwardSample);
}

OpDef MaxPool1DGradOp() {
  return GradDef("MaxPool1DGrad",
                 "dx = the sum of dy over the windows in which x is the first of the largest "
                 "elements: the gradient of MaxPool1D.",
                 /*x_first=*/true)
      .Input({.name = "x", .doc = "[batch, time, channels]"})
      .Input({.name = "dy", .doc = "[batch, steps, channels]: the gradient of y"})
      .Output({.name = "dx", .doc = "the shape of x"})
      .Shapes(PoolGradShape<0, 1>)
      .Reference(ComputeMaxPoolGrad<float>, ComputeMaxPoolGrad<double>)
      .Bound(MaxGradBound)
      .Cost("FLOPs: width + 1 for each element of dy.",
            [](const CostContext& c) {
              return c.Moving(c.input_size(1) *
                              static_cast<double>(c.attributes().GetInt("width") + 1));
            })
      .Example({"overlap_and_ties",
                {{"width", 2}},
                {Reals({1, 4, 1}, {1, 5, 2, 2}), Reals({1, 3, 1}, {10, 20, 40})},
                {Reals({1, 4, 1}, {0, 30, 40, 0})}})
      .Samples([](SampleSource& source) { return GradSample(ForwardSample(source), source); });
}

OpDef AveragePool1DOp() {
  return ForwardDef("AveragePool1D",
                    "y[n, s, c] = the mean of x[n, s stride - pad_before + i dilation, c] for 0 <= "
                    "i < width, over steps that there are, or with count_include_pad their sum "
                    "over width; 0 for none.")
      .With(AddCountIncludePad)
      .Reference(ComputeAveragePool<float>, ComputeAveragePool<double>)
      .Bound(SumBound([](const BoundContext& c, int o) { return Overlap(c, o) + 1; }))
      .Gradient(GradientOp("AveragePool1DGrad"))
      .Steps(WindowSteps([](const StepContext& c) { return c.attributes().GetInt("width"); },
                         /*pads_zero=*/false))
      .Example({"pairs",
                {{"width", 2}, {"stride", 2}},
                {Reals({1, 5, 1}, {-3, -1, 4, 2, 9})},
                {Reals({1, 2, 1}, {-2, 3})}})
      .Example({"without_pad",
                {{"width", 2}, {"pad_before", 1}},
                {Reals({1, 2, 1}, {6, 2})},
                {Reals({1, 2, 1}, {6, 4})}})
      .Example({"count_include_pad",
                {{"width", 2}, {"pad_before", 1}, {"count_include_pad", true}},
                {Reals({1, 2, 1}, {6, 2})},
                {Reals({1, 2, 1}, {3, 4})}})
      .Samples(AverageSample);
}

OpDef AveragePool1DGradOp() {
  return GradDef("AveragePool1DGrad",
                 "dx = the sum of dy / (the number of steps that it is the mean of, or with "
                 "count_include_pad width) over the windows that have x.",
                 /*x_first=*/false)
      .With(AddCountIncludePad)
      .Input({.name = "dy", .doc = "[batch, steps, channels]: the gradient of y"})
      .Input({.name = "like",
              .doc = "[batch, time, channels]; its elements are not read",
              .differentiable = false})
      .Output({.name = "dx", .doc = "the shape of like"})
      .Shapes(PoolGradShape<1, 0>)
      .Reference(ComputeAveragePoolGrad<float>, ComputeAveragePoolGrad<double>)
      .Bound(SumBound([](const BoundContext& c, int o) { return Overlap(c, o) + 1; }))
      .Gradient(GradientOp("AveragePool1D"))
      .Cost("FLOPs: width + 1 for each element of dy. like is not read.",
            [](const CostContext& c) {
              const auto width = static_cast<double>(c.attributes().GetInt("width"));
              return c.Moving(c.input_size(0) * (width + 1), {0});
            })
      .Example({"overlap",
                {{"width", 2}, {"pad_before", 1}},
                {Reals({1, 3, 1}, {3, 4, 8}), Reals({1, 3, 1}, {0, 0, 0})},
                {Reals({1, 3, 1}, {5, 6, 4})}})
      .Samples([](SampleSource& source) {
        OpSample sample = GradSample(AverageSample(source), source);
        std::swap(sample.inputs[0], sample.inputs[1]);
        return sample;
      });
}

Value MaxPool1D(FunctionBuilder& g, Value x, const Pool1DOptions& options) {
  return AddPool(g, "MaxPool1D", x, options, /*counts=*/false);
}

Value AveragePool1D(FunctionBuilder& g, Value x, const Pool1DOptions& options) {
  return AddPool(g, "AveragePool1D", x, options, /*counts=*/true);
}

}  // namespace seqgraph::ops
