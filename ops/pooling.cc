#include "ops/pooling.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "graph/bound_rules.h"
#include "graph/evaluate.h"
#include "graph/gradient.h"
#include "ops/examples.h"
#include "ops/operand_shapes.h"
#include "ops/step_rules.h"

namespace seqgraph::ops {
namespace {

// Reference computation.

// Calls step(t) for each step of row n that counts, in order; gives their number.
template <typename F>
int64_t ForEachStep(TensorView<const int32_t> mask, int64_t n, int64_t time, F step) {
  int64_t count = 0;
  for (int64_t t = 0; t < time; ++t) {
    if (mask && mask[n * time + t] == 0) continue;
    ++count;
    step(t);
  }
  return count;
}

template <typename T>
absl::Status ComputeAverage(const ReferenceContext& c) {
  const auto x = c.input<T>(0);
  const auto mask = c.input<int32_t>(1);
  const auto y = c.output<T>(0);
  if (!y) return absl::OkStatus();
  const int64_t time = x.dim(1), width = x.dim(2);
  for (int64_t n = 0; n < x.dim(0); ++n) {
    T* out = y.data + n * width;
    std::fill_n(out, width, T{0});
    const int64_t count = ForEachStep(mask, n, time, [&](int64_t t) {
      for (int64_t j = 0; j < width; ++j) out[j] += x[(n * time + t) * width + j];
    });
    for (int64_t j = 0; j < width && count > 0; ++j) out[j] /= static_cast<T>(count);
  }
  return absl::OkStatus();
}

template <typename T>
absl::Status ComputeAverageGrad(const ReferenceContext& c) {
  const auto dy = c.input<T>(0);
  const auto mask = c.input<int32_t>(2);
  const auto dx = c.output<T>(0);
  if (!dx) return absl::OkStatus();
  const int64_t time = dx.dim(1), width = dx.dim(2);
  std::fill_n(dx.data, dx.size(), T{0});
  for (int64_t n = 0; n < dx.dim(0); ++n) {
    const auto count = static_cast<T>(ForEachStep(mask, n, time, [](int64_t) {}));
    ForEachStep(mask, n, time, [&](int64_t t) {
      for (int64_t j = 0; j < width; ++j) {
        dx[(n * time + t) * width + j] = dy[n * width + j] / count;
      }
    });
  }
  return absl::OkStatus();
}

template <typename T>
absl::Status ComputeMax(const ReferenceContext& c) {
  const auto x = c.input<T>(0);
  const auto mask = c.input<int32_t>(1);
  const auto y = c.output<T>(0);
  if (!y) return absl::OkStatus();
  const int64_t time = x.dim(1), width = x.dim(2);
  for (int64_t n = 0; n < x.dim(0); ++n) {
    T* out = y.data + n * width;
    std::fill_n(out, width, T{0});
    bool first = true;
    ForEachStep(mask, n, time, [&](int64_t t) {
      for (int64_t j = 0; j < width; ++j) {
        const T value = x[(n * time + t) * width + j];
        // NaN once, NaN for ever: it is not below anything.
        if (first || (!(value <= out[j]) && !std::isnan(out[j]))) out[j] = value;
      }
      first = false;
    });
  }
  return absl::OkStatus();
}

template <typename T>
absl::Status ComputeMaxGrad(const ReferenceContext& c) {
  const auto x = c.input<T>(0), y = c.input<T>(1), dy = c.input<T>(2);
  const auto mask = c.input<int32_t>(3);
  const auto dx = c.output<T>(0);
  if (!dx) return absl::OkStatus();
  const int64_t time = x.dim(1), width = x.dim(2);
  std::fill_n(dx.data, dx.size(), T{0});
  for (int64_t n = 0; n < x.dim(0); ++n) {
    for (int64_t j = 0; j < width; ++j) {
      const auto for_each_maximum = [&](auto visit) {
        ForEachStep(mask, n, time, [&](int64_t t) {
          const int64_t place = (n * time + t) * width + j;
          if (x[place] == y[n * width + j]) visit(place);
        });
      };
      int64_t ties = 0;
      for_each_maximum([&](int64_t) { ++ties; });
      for_each_maximum(
          [&](int64_t place) { dx[place] = dy[n * width + j] / static_cast<T>(ties); });
    }
  }
  return absl::OkStatus();
}

// Definitions: what several ops have.

InputDef MaskDef() {
  return {.name = "mask",
          .type = TypeRule::kIndex,
          .doc = "[batch, time]; 0: the step is left out; absent: none is",
          .optional = true,
          .differentiable = false};
}

OpDef PoolingDef(std::string name, std::string doc) {
  return OpDef(std::move(name), 1)
      .Doc(std::move(doc))
      .Input({.name = "x", .doc = "[batch, time, width]"})
      .Input(MaskDef())
      .Output({.name = "y", .doc = "[batch, width]"})
      .With(ShapesByDoc({{"C1", {"x"}, "time"}, {"C2", {"mask"}}}));
}

// x and, now and then, a mask.
OpSample PoolingSample(SampleSource& source) {
  const Tensor x = source.Reals({source.Dimension(), source.Dimension(), source.Dimension()});
  OpSample sample{{}, {x, std::nullopt}};
  if (source.Coin()) sample.inputs[1] = source.Indices({x.shape()[0], x.shape()[1]}, 3);
  return sample;
}

OpSample AverageGradSample(SampleSource& source) {
  const OpSample forward = PoolingSample(source);
  const Shape& x = forward.inputs[0]->shape();
  return {{}, {source.Reals({x[0], x[2]}), forward.inputs[0], forward.inputs[1]}};
}

OpSample MaxGradSample(SampleSource& source) {
  const OpSample forward = PoolingSample(source);
  const std::optional<Tensor>&x = forward.inputs[0], &mask = forward.inputs[1];
  const std::optional<Tensor> y = Evaluate(GlobalMaxPooling1DOp(), {}, forward.inputs).value()[0];
  return {{}, {x, y, source.Reals(y->shape()), mask}};
}

}  // namespace

OpDef GlobalAveragePooling1DOp() {
  return PoolingDef("GlobalAveragePooling1D",
                    "y = the mean of x_t over the steps that are not masked, added in the order of "
                    "t; 0 where all are.")
      .Reference(ComputeAverage<float>, ComputeAverage<double>)
      .Bound(ReductionBound())
      .Gradient(GradientOp("GlobalAveragePooling1DGrad"))
      .Steps(RefuseAllSteps())
      .Cost("FLOPs: 1 for each element of x, 1 for each element of y.",
            [](const CostContext& c) { return c.Moving(c.input_size(0) + c.output_size(0)); })
      .Example(
          {"all_steps", {}, {Reals({1, 3, 2}, {1, 10, 2, 20, 6, 60})}, {Reals({1, 2}, {3, 30})}})
      .Example({"masked",
                {},
                {Reals({2, 3, 1}, {1, 99, 4, 5, 6, 7}), Ids({2, 3}, {1, 0, 2, 0, 0, 0})},
                {Reals({2, 1}, {2.5, 0})}})
      .Samples(PoolingSample);
}

OpDef GlobalAveragePooling1DGradOp() {
  return OpDef("GlobalAveragePooling1DGrad", 1)
      .Doc("dx_t = dy over the number of steps that are not masked; 0 where t is masked.")
      .Input({.name = "dy", .doc = "[batch, width]"})
      .Input({.name = "like",
              .doc = "[batch, time, width]; its elements are not read",
              .differentiable = false})
      .Input(MaskDef())
      .Output({.name = "dx", .doc = "the shape of like"})
      .With(ShapesByDoc({{"C1", {"like"}, "time"}, {"C2", {"mask"}}, {"C3", {"dy"}}}))
      .Reference(ComputeAverageGrad<float>, ComputeAverageGrad<double>)
      .Bound(OutputBound(2))
      .Gradient(GradientOp("GlobalAveragePooling1D"))
      .Cost("FLOPs: 1 for each element of dx. like is not read.",
            [](const CostContext& c) {
              return c.Moving(c.output_size(0), {0, 2});
            })
      .Example({"masked",
                {},
                {Reals({2, 1}, {8, 5}), Reals({2, 3, 1}, {0, 0, 0, 0, 0, 0}),
                 Ids({2, 3}, {1, 0, 2, 0, 0, 0})},
                {Reals({2, 3, 1}, {4, 0, 4, 0, 0, 0})}})
      .Samples(AverageGradSample);
}

OpDef GlobalMaxPooling1DOp() {
  return PoolingDef("GlobalMaxPooling1D",
                    "y = the largest x_t of the steps that are not masked; 0 where all are.")
      .Reference(ComputeMax<float>, ComputeMax<double>)
      .Bound(ExactBound())
      .Gradient(GradientOp("GlobalMaxPooling1DGrad"))
      .Steps(RefuseAllSteps())
      .Cost("FLOPs: 1 for each element of x.",
            [](const CostContext& c) { return c.Moving(c.input_size(0)); })
      .Example({"all_steps",
                {},
                {Reals({1, 3, 2}, {-1, 10, -2, 30, -6, 20})},
                {Reals({1, 2}, {-1, 30})}})
      .Example({"masked",
                {},
                {Reals({2, 3, 1}, {-1, 99, -4, 5, 6, 7}), Ids({2, 3}, {1, 0, 2, 0, 0, 0})},
                {Reals({2, 1}, {-1, 0})}})
      .Samples(PoolingSample);
}

OpDef GlobalMaxPooling1DGradOp() {
  return OpDef("GlobalMaxPooling1DGrad", 1)
      .Doc(
          "dx_t = dy over the number of steps with x = y where x_t = y and t is not masked, else "
          "0: steps that share the maximum share its gradient.")
      .Input({.name = "x", .doc = "[batch, time, width]"})
      .Input({.name = "y", .doc = "[batch, width]: the output of GlobalMaxPooling1D"})
      .Input({.name = "dy", .doc = "[batch, width]: its gradient"})
      .Input(MaskDef())
      .Output({.name = "dx", .doc = "the shape of x"})
      .With(ShapesByDoc({{"C1", {"x"}, "time"}, {"C2", {"mask"}}, {"C3", {"y", "dy"}}}))
      .Reference(ComputeMaxGrad<float>, ComputeMaxGrad<double>)
      .Bound(OutputBound(2))
      .Cost("FLOPs: 2 for each element of x.",
            [](const CostContext& c) { return c.Moving(2 * c.input_size(0)); })
      .Example({"ties_share",
                {},
                {Reals({1, 4, 1}, {7, 3, 7, 7}), Reals({1, 1}, {7}), Reals({1, 1}, {10}),
                 Ids({1, 4}, {1, 1, 0, 1})},
                {Reals({1, 4, 1}, {5, 0, 0, 5})}})
      .Samples(MaxGradSample);
}

Value GlobalAveragePooling1D(FunctionBuilder& g, Value x, Value mask, std::string name) {
  return g.AddNode("GlobalAveragePooling1D", {x, mask}, {}, std::move(name))[0];
}

Value GlobalMaxPooling1D(FunctionBuilder& g, Value x, Value mask, std::string name) {
  return g.AddNode("GlobalMaxPooling1D", {x, mask}, {}, std::move(name))[0];
}

}  // namespace seqgraph::ops
