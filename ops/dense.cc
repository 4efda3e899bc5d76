#include "ops/dense.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "graph/activation.h"
#include "graph/bound_rules.h"
#include "graph/gradient.h"
#include "ops/activations.h"
#include "ops/examples.h"
#include "ops/matrix_loops.h"
#include "ops/operand_shapes.h"
#include "ops/step_rules.h"

namespace seqgraph::ops {
namespace {

// Attributes: activation.

// Reference computation.

// Product of all extents but the last.
int64_t NumRows(const Shape& shape) {
  return Shape(shape.dims().first(shape.rank() - 1)).num_elements();
}

template <typename T>
absl::Status ComputeDense(const ReferenceContext& c) {
  const auto x = c.input<T>(0), w = c.input<T>(1), b = c.input<T>(2);
  const auto y = c.output<T>(0);
  if (!y) return absl::OkStatus();
  const Activation activation = ParseActivation(c.attributes().GetString("activation"));
  const int64_t rows = NumRows(x.shape), features = w.dim(0), units = w.dim(1);
  std::fill_n(y.data, y.size(), T{0});
  for (int64_t r = 0; r < rows; ++r) {
    T* y_row = y.data + r * units;
    AddVectorTimesMatrix(x.data + r * features, w.data, features, units, y_row);
    if (b) AddVector(b.data, units, y_row);
    for (int64_t j = 0; j < units; ++j) y_row[j] = Activate(activation, y_row[j]);
  }
  return absl::OkStatus();
}

template <typename T>
absl::Status ComputeDenseGrad(const ReferenceContext& c) {
  const auto x = c.input<T>(0), w = c.input<T>(1), dz = c.input<T>(2);
  const auto dx = c.output<T>(0), dw = c.output<T>(1), db = c.output<T>(2);
  const int64_t rows = NumRows(x.shape), features = w.dim(0), units = w.dim(1);
  if (dw) std::fill_n(dw.data, dw.size(), T{0});
  if (db) std::fill_n(db.data, db.size(), T{0});
  for (int64_t r = 0; r < rows; ++r) {
    const T* dz_row = dz.data + r * units;
    if (dx) MatrixTimesVector(w.data, dz_row, features, units, dx.data + r * features);
    if (dw) AddOuterProduct(x.data + r * features, dz_row, features, units, dw.data);
    if (db) AddVector(dz_row, units, db.data);
  }
  return absl::OkStatus();
}

// Costs.

OpCost DenseCost(const CostContext& c) {
  const double y = static_cast<double>(NumRows(c.shape(0))) * c.dim(1, 1);
  const bool activated = c.attributes().GetString("activation") != "none";
  return c.Moving(y * (2 * c.dim(1, 0) + c.has_input(2) + activated));
}

// x is read for dw only, w for dx only.
OpCost DenseGradCost(const CostContext& c) {
  const bool dx = c.uses_output(0), dw = c.uses_output(1), db = c.uses_output(2);
  OpCost cost = c.Moving(c.input_size(2) * (2 * c.dim(1, 0) * (dx + dw) + db), {2});
  if (dw) cost.bytes_read += c.input_bytes(0);
  if (dx) cost.bytes_read += c.input_bytes(1);
  return cost;
}

// Error bound of DenseGrad: dx sums over units, dw and db over rows.

double DenseGradTerms(const BoundContext& c, int o) {
  return static_cast<double>(o == 0 ? c.shape(1)[1].size() : NumRows(c.shape(0)));
}

// Gradient rule. (DenseGrad has none.)

absl::Status DenseGradient(GradientContext& c) {
  const Value dz = ActivationGrad(c.builder(), c.attributes().GetString("activation"), c.output(0),
                                  c.output_gradient(0));
  const DenseGradOutputs grad = DenseGrad(c.builder(), c.input(0), c.input(1), dz);
  c.SetInputGradient(0, grad.dx);
  c.SetInputGradient(1, grad.dw);
  c.SetInputGradient(2, grad.db);
  return absl::OkStatus();
}

// Samples.

// The smallest |x·w + b|: how far relu is from its kink.
double KinkDistance(const Tensor& x, const Tensor& w, const std::optional<Tensor>& b) {
  const int64_t features = w.shape()[0].size(), units = w.shape()[1].size();
  double distance = 1;
  for (int64_t r = 0; r < NumRows(x.shape()); ++r) {
    std::vector<double> z(units);
    AddVectorTimesMatrix(x.Elements<double>().data() + r * features, w.Elements<double>().data(),
                         features, units, z.data());
    if (b.has_value()) AddVector(b->Elements<double>().data(), units, z.data());
    for (double element : z) distance = std::min(distance, std::abs(element));
  }
  return distance;
}

OpSample DenseSample(SampleSource& source) {
  const std::string activation = source.OneOf<std::string>({"none", "tanh", "relu", "sigmoid"});
  Shape shape = RandomShape(source, 0, 2);
  const int64_t features = source.Dimension(), units = source.Dimension();
  shape.Append(features);
  const bool has_bias = source.Coin();
  const double limit = 1 / std::sqrt(features);
  // Drawn again while relu is near its kink, with less and less distance asked for.
  for (double gap = 1e-3;; gap /= 2) {
    const Tensor x = source.Reals(shape);
    const Tensor w = source.Reals({features, units}, -limit, limit);
    std::optional<Tensor> b;
    if (has_bias) b = source.Reals({units});
    if (activation != "relu" || KinkDistance(x, w, b) >= gap) {
      return {{{"activation", activation}}, {x, w, b}};
    }
  }
}

OpSample DenseGradSample(SampleSource& source) {
  const Shape rows = RandomShape(source, 0, 2);
  const int64_t features = source.Dimension(), units = source.Dimension();
  Shape x = rows, dz = rows;
  x.Append(features);
  dz.Append(units);
  return {{}, {source.Reals(x), source.Reals({features, units}), source.Reals(dz)}};
}

Tensor ExampleX() { return Reals({2, 3}, {1, 2, 3, -1, 0.5, 0}); }
Tensor ExampleW() { return Reals({3, 2}, {0.1, -0.2, 0.3, 0.4, -0.5, 0.6}); }
Tensor ExampleB() { return Reals({2}, {0.25, -1}); }

}  // namespace

// Definitions.

OpDef DenseOp() {
  return OpDef("Dense", 1)
      .Doc("y = act(x·w + b): a fully connected layer, applied to each row of x.")
      .Input({.name = "x", .doc = "[..., features]"})
      .Input({.name = "w", .doc = "[features, units]"})
      .Input({.name = "b", .doc = "[units]; absent: zero", .optional = true})
      .Output({.name = "y", .doc = "[..., units]"})
      .Attribute({.name = "activation",
                  .kind = AttributeKind::kString,
                  .default_value = "none",
                  .doc = "act",
                  .one_of = {"none", "tanh", "relu", "sigmoid"}})
      .With(ShapesByDoc({{"C1", {"x"}}, {"C2", {"w"}}, {"C3", {"b"}}}))
      .Reference(ComputeDense<float>, ComputeDense<double>)
      .Bound(SumBound([](const BoundContext& c, int) {  // features, and the bias
        return static_cast<double>(c.shape(0).back().size() + 1);
      }))
      .Gradient(DenseGradient)
      .Steps(RowSteps())
      .Cost("FLOPs: 2 features for each element of y, 1 more for b, 1 more for act.", DenseCost)
      .Example({"linear",
                {},
                {ExampleX(), ExampleW(), ExampleB()},
                {Reals({2, 2}, {-0.55, 1.4, 0.3, -0.6})}})
      .Example({"no_bias_rank_one",
                {},
                {Reals({3}, {1, 2, 3}), ExampleW(), {}},
                {Reals({2}, {-0.8, 2.4})}})
      .Example({"tanh",
                {{"activation", "tanh"}},
                {ExampleX(), ExampleW(), ExampleB()},
                {Reals({2, 2}, {-0.5005202111902353, 0.8853516482022625, 0.2913126124515909,
                                -0.5370495669980353})}})
      .Example({"relu",
                {{"activation", "relu"}},
                {ExampleX(), ExampleW(), ExampleB()},
                {Reals({2, 2}, {0, 1.4, 0.3, 0})}})
      .Example({"sigmoid",
                {{"activation", "sigmoid"}},
                {ExampleX(), ExampleW(), ExampleB()},
                {Reals({2, 2}, {0.36586440898919936, 0.8021838885585817, 0.574442516811659,
                                0.35434369377420455})}})
      .Samples(DenseSample);
}

OpDef DenseGradOp() {
  return OpDef("DenseGrad", 1)
      .Doc("dx = dz·wᵀ, dw = xᵀ·dz, db = the sum of dz over all rows: the gradients of x·w + b.")
      .Input({.name = "x", .doc = "[..., features]"})
      .Input({.name = "w", .doc = "[features, units]"})
      .Input({.name = "dz", .doc = "[..., units]: the gradient of x·w + b, before the activation"})
      .Output({.name = "dx", .doc = "[..., features]"})
      .Output({.name = "dw", .doc = "[features, units]"})
      .Output({.name = "db", .doc = "[units]"})
      .With(ShapesByDoc({{"C1", {"x"}}, {"C2", {"w"}}, {"C3", {"dz"}}}))
      .Reference(ComputeDenseGrad<float>, ComputeDenseGrad<double>)
      .Bound(SumBound(DenseGradTerms))
      .Cost(
          "FLOPs: for each element of dz, 2 features for dx, 2 features for dw, 1 for db. x is "
          "read "
          "for dw only, w for dx only.",
          DenseGradCost)
      .Example({"two_rows",
                {},
                {ExampleX(), ExampleW(), Reals({2, 2}, {1, -2, 0.5, 3})},
                {Reals({2, 3}, {0.5, -0.5, -1.7, -0.55, 1.35, 1.55}),
                 Reals({3, 2}, {0.5, -5, 2.25, -2.5, 3, -6}), Reals({2}, {1.5, 1})}})
      .Samples(DenseGradSample);
}

Value Dense(FunctionBuilder& g, Value x, Value w, const DenseOptions& options) {
  return g.AddNode("Dense", {x, w, options.bias}, {{"activation", options.activation}},
                   options.name)[0];
}

DenseGradOutputs DenseGrad(FunctionBuilder& g, Value x, Value w, Value dz, std::string name) {
  const std::vector<Value> outputs = g.AddNode("DenseGrad", {x, w, dz}, {}, std::move(name));
  return {.dx = outputs[0], .dw = outputs[1], .db = outputs[2]};
}

}  // namespace seqgraph::ops
