#include "ops/cross_entropy.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "graph/bound_rules.h"
#include "graph/gradient.h"
#include "ops/examples.h"
#include "ops/loss_rules.h"
#include "ops/one_hot.h"
#include "ops/reshape.h"
#include "ops/row_softmax.h"

namespace seqgraph::ops {
namespace {

// Attributes: epsilon, of CategoricalCrossEntropy and its gradient. Inputs: predictions, labels,
// then dloss of gradients, then weights.
enum { kPredictions, kLabels };
constexpr int kDLoss = 2;

// Reference computation. Rows are widened to double. A class whose label is 0 adds 0 whatever its
// prediction.

// loss = the mean over all rows of weight entropy(predictions, labels, classes).
template <typename T, typename F>
absl::Status ComputeLoss(const ReferenceContext& c, F entropy) {
  const auto x = c.input<T>(kPredictions), labels = c.input<T>(kLabels);
  const auto weights = c.input<T>(kWeights);
  const auto loss = c.output<T>(0);
  if (!loss) return absl::OkStatus();
  const int64_t classes = x.shape.back().size(), rows = x.size() / classes;
  double sum = 0;
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t begin = row * classes;
    sum += RowWeight(weights, row) * entropy(x.data + begin, labels.data + begin, classes);
  }
  loss[0] = static_cast<T>(sum / rows);
  return absl::OkStatus();
}

// gradient(dloss weight / rows, predictions, labels, classes, dx) for each row.
template <typename T, typename F>
absl::Status ComputeLossGrad(const ReferenceContext& c, F gradient) {
  const auto x = c.input<T>(kPredictions), labels = c.input<T>(kLabels);
  const auto dloss = c.input<T>(kDLoss), weights = c.input<T>(kGradWeights);
  const auto dx = c.output<T>(0);
  if (!dx) return absl::OkStatus();
  const int64_t classes = x.shape.back().size(), rows = x.size() / classes;
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t begin = row * classes;
    gradient(RowWeight(weights, row) * dloss[0] / rows, x.data + begin, labels.data + begin,
             classes, dx.data + begin);
  }
  return absl::OkStatus();
}

template <typename T>
double RowSum(const T* row, int64_t n) {
  double sum = 0;
  for (int64_t k = 0; k < n; ++k) sum += row[k];
  return sum;
}

template <typename T>
absl::Status ComputeLogits(const ReferenceContext& c) {
  return ComputeLoss<T>(c, [](const T* z, const T* y, int64_t classes) {
    const double normalizer = LogSumExp(z, classes);
    double entropy = 0;
    for (int64_t k = 0; k < classes; ++k) {
      if (y[k] != 0) entropy += y[k] * (normalizer - z[k]);
    }
    return entropy;
  });
}

template <typename T>
absl::Status ComputeLogitsGrad(const ReferenceContext& c) {
  std::vector<double> p;
  return ComputeLossGrad<T>(c, [&p](double scale, const T* z, const T* y, int64_t classes, T* dz) {
    RowSoftmax(z, classes, p);
    const double total = RowSum(y, classes);
    for (int64_t k = 0; k < classes; ++k) {
      dz[k] = static_cast<T>(scale * (p[k] * total - y[k]));
    }
  });
}

template <typename T>
absl::Status ComputeProbabilities(const ReferenceContext& c) {
  const double epsilon = c.attributes().GetFloat("epsilon");
  return ComputeLoss<T>(c, [epsilon](const T* q, const T* y, int64_t classes) {
    const double total = RowSum(q, classes);
    double entropy = 0;
    for (int64_t k = 0; k < classes; ++k) {
      if (y[k] != 0) entropy -= y[k] * std::log(std::clamp(q[k] / total, epsilon, 1 - epsilon));
    }
    return entropy;
  });
}

template <typename T>
absl::Status ComputeProbabilitiesGrad(const ReferenceContext& c) {
  const double epsilon = c.attributes().GetFloat("epsilon");
  return ComputeLossGrad<T>(
      c, [epsilon](double scale, const T* q, const T* y, int64_t classes, T* dp) {
        const double total = RowSum(q, classes);
        const auto clipped = [&](int64_t k) {
          return q[k] / total < epsilon || q[k] / total > 1 - epsilon;
        };
        double not_clipped = 0;
        for (int64_t k = 0; k < classes; ++k) not_clipped += clipped(k) ? 0 : y[k];
        for (int64_t k = 0; k < classes; ++k) {
          const double own = clipped(k) || y[k] == 0 ? 0 : y[k] / static_cast<double>(q[k]);
          dp[k] = static_cast<T>(scale * (not_clipped / total - own));
        }
      });
}

// Costs.

double NumRows(const CostContext& c) {
  return c.input_size(0) / static_cast<double>(c.shape(0).back().size());
}

// Error bounds. A loss adds up labels times logarithms, each off by an elementary function and the
// sum of its row, in relation to the largest of 1 and its operands. A gradient is a difference of
// two terms, each with a sum of the row in it.

double LossRoundings(const BoundContext& c) {
  return kElementaryRoundings + SumRoundings(c.input(0).num_elements());
}

absl::StatusOr<ErrorBound> LogitsBound(const BoundContext& c, int) {
  const int64_t classes = c.shape(0).back().size();
  const double terms = MeanOverRows(c, kWeights, [&](int64_t row) {
    const double *z = c.reals(kPredictions) + row * classes, *y = c.reals(kLabels) + row * classes;
    const double normalizer = LogSumExp(z, classes);
    double largest = std::abs(normalizer), sum = 0;
    for (int64_t k = 0; k < classes; ++k) {  // -inf, a class that cannot be, adds nothing
      if (std::isfinite(z[k])) largest = std::max(largest, std::abs(z[k]));
    }
    for (int64_t k = 0; k < classes; ++k) {
      if (y[k] != 0) sum += std::abs(y[k]) * (1 + largest + std::abs(normalizer - z[k]));
    }
    return sum;
  });
  return Roundings(LossRoundings(c), terms, "mean of labels times logits");
}

absl::StatusOr<ErrorBound> ProbabilitiesBound(const BoundContext& c, int) {
  const int64_t classes = c.shape(0).back().size();
  const double epsilon = c.attributes().GetFloat("epsilon");
  const double terms = MeanOverRows(c, kWeights, [&](int64_t row) {
    const double *q = c.reals(kPredictions) + row * classes, *y = c.reals(kLabels) + row * classes;
    const double total = RowSum(q, classes);
    double sum = 0;
    for (int64_t k = 0; k < classes; ++k) {
      const double log = std::log(std::clamp(q[k] / total, epsilon, 1 - epsilon));
      if (y[k] != 0) sum += std::abs(y[k]) * (1 + std::abs(log));
    }
    return sum;
  });
  return Roundings(LossRoundings(c), terms, "mean of labels times logarithms");
}

// `own(row, k)` is the second term over weight dloss / rows; the first one is what is left of the
// output.
template <typename F>
absl::StatusOr<ErrorBound> DifferenceBound(const BoundContext& c, int o, F own) {
  const int64_t classes = c.shape(0).back().size(), rows = c.input(0).num_elements() / classes;
  const auto gradient = c.output(o).Elements<double>();
  double largest = 0;
  for (int64_t row = 0; row < rows; ++row) {
    const double weight = c.has_input(kGradWeights) ? c.reals(kGradWeights)[row] : 1;
    const double scale = std::abs(weight * c.reals(kDLoss)[0]) / static_cast<double>(rows);
    for (int64_t k = 0; k < classes; ++k) {
      const double terms =
          std::abs(gradient[row * classes + k]) + 2 * scale * std::abs(own(row * classes, k));
      if (std::isfinite(terms)) largest = std::max(largest, terms);
    }
  }
  return Roundings(kElementaryRoundings + 2 * SumRoundings(classes), largest, "sum of two terms");
}

absl::StatusOr<ErrorBound> LogitsGradBound(const BoundContext& c, int o) {
  return DifferenceBound(c, o,
                         [&](int64_t begin, int64_t k) { return c.reals(kLabels)[begin + k]; });
}

absl::StatusOr<ErrorBound> ProbabilitiesGradBound(const BoundContext& c, int o) {
  const int64_t classes = c.shape(0).back().size();
  const double epsilon = c.attributes().GetFloat("epsilon");
  double total = 0;
  return DifferenceBound(c, o, [&](int64_t begin, int64_t k) {
    const double *q = c.reals(kPredictions) + begin, *y = c.reals(kLabels) + begin;
    if (k == 0) total = RowSum(q, classes);
    const bool clipped = q[k] / total < epsilon || q[k] / total > 1 - epsilon;
    return clipped || y[k] == 0 ? 0 : y[k] / q[k];
  });
}

// Definitions: what several ops have.

OpDef LossDef(std::string name, std::string doc, std::string input, std::string input_doc,
              bool gradient) {
  return OpDef(std::move(name), 1)
      .Doc(std::move(doc))
      .With(LossShapes({.name = std::move(input),
                        .doc = std::move(input_doc),
                        .labels_doc = ": the probability of each class",
                        .classes = true},
                       gradient));
}

// Rows of soft labels that need not add up to 1, some of them 0, and weights now and then.
OpSample LossSample(SampleSource& source, double low, double high, bool gradient) {
  const Shape shape = RandomShape(source, 1, 3);
  Tensor labels = source.Reals(shape, 0, 1);
  for (double& y : labels.Elements<double>()) y = source.Int(0, 3) == 0 ? 0 : y;
  OpSample sample{{}, {source.Reals(shape, low, high), labels}};
  AddLossInputs(source, gradient, sample);
  return sample;
}

// Half of the samples clip: epsilon is large then, and p / s stays away from both bounds, where the
// loss has kinks.
OpSample ProbabilitiesSample(SampleSource& source, bool gradient) {
  const double epsilon = source.Coin() ? 0.2 : 1e-7;
  for (;;) {
    OpSample sample = LossSample(source, 0.05, 0.95, gradient);
    sample.attributes.Set("epsilon", epsilon);
    const Tensor& p = *sample.inputs[0];
    const int64_t classes = p.shape().back().size();
    bool near = false;
    for (int64_t i = 0; i < p.num_elements(); ++i) {
      const auto all = p.Elements<double>();
      const double q = all[i] / RowSum(all.data() + i / classes * classes, classes);
      for (double bound : {epsilon, 1 - epsilon}) near |= std::abs(q - bound) < 1e-3;
    }
    if (!near || classes == 1) return sample;
  }
}

}  // namespace

OpDef SoftmaxCrossEntropyWithLogitsOp() {
  return LossDef("SoftmaxCrossEntropyWithLogits",
                 "Categorical cross-entropy of softmax(z): loss = the mean over all rows of "
                 "weight times the sum of -y_k (z_k - log sum of exp(z_j)), where y are the "
                 "labels. Rows are all axes but the last. Computed in double.",
                 "z", "logits, [..., classes]", /*gradient=*/false)
      .Reference(ComputeLogits<float>, ComputeLogits<double>)
      .Bound(LogitsBound)
      .Gradient(GradientOp("SoftmaxCrossEntropyWithLogitsGrad"))
      .Cost("FLOPs: 7 for each element, 4 for each row, 1 for the division by rows.",
            [](const CostContext& c) { return c.Moving(7 * c.input_size(0) + 4 * NumRows(c) + 1); })
      .Samples([](SampleSource& source) { return LossSample(source, -3, 3, false); })
      .Example({"by_log_2",  // softmax 1/4, 1/2, 1/4: -log 1/2 and -log 1/4
                {},
                {Reals({2, 3}, {0, 0.6931471805599453, 0, 7, 7.6931471805599453, 7}),
                 Reals({2, 3}, {0, 1, 0, 1, 0, 0})},
                {RealScalar(1.0397207708399179)}})
      .Example({"soft_labels_and_weights",  // (3 (0.5 log 4 + 0.5 log 2) + 0) / 2
                {},
                {Reals({2, 3}, {0, 0.6931471805599453, 0, 7, 8, 9}),
                 Reals({2, 3}, {0.5, 0.5, 0, 1, 0, 0}), Reals({2}, {3, 0})},
                {RealScalar(1.5595811562598769)}})
      .Example({"far_apart",
                {},
                {Reals({1, 2}, {-2000, 1000}), Reals({1, 2}, {1, 0})},
                {RealScalar(3000)}});
}

OpDef SoftmaxCrossEntropyWithLogitsGradOp() {
  return LossDef("SoftmaxCrossEntropyWithLogitsGrad",
                 "dz_k = dloss weight / rows (softmax(z)_k Y - y_k), where Y is the sum of the "
                 "row's labels. The gradient of SoftmaxCrossEntropyWithLogits.",
                 "z", "logits, [..., classes]", /*gradient=*/true)
      .Reference(ComputeLogitsGrad<float>, ComputeLogitsGrad<double>)
      .Bound(LogitsGradBound)
      .Cost("FLOPs: 9 for each element, 1 for each row, 1 for the division by rows.",
            [](const CostContext& c) { return c.Moving(9 * c.input_size(0) + 1 * NumRows(c) + 1); })
      .Samples([](SampleSource& source) { return LossSample(source, -3, 3, true); })
      .Example({"by_log_2_and_weights",
                {},
                {Reals({2, 3}, {0, 0.6931471805599453, 0, 7, 7.6931471805599453, 7}),
                 Reals({2, 3}, {0, 1, 0, 2, 0, 0}), RealScalar(8), Reals({2}, {1, 3})},
                {Reals({2, 3}, {1, -2, 1, -18, 12, 6})}});
}

OpDef CategoricalCrossEntropyOp() {
  OpDef op = LossDef("CategoricalCrossEntropy",
                     "Categorical cross-entropy: loss = the mean over all rows of weight times the "
                     "sum of -y_k log q_k, where y are the labels and q_k is p_k over the sum of "
                     "the row, clipped to [epsilon, 1 - epsilon]. Rows are all axes but the last. "
                     "Computed in double.",
                     "p", "probabilities, [..., classes]; each row is divided by its sum",
                     /*gradient=*/false);
  AddEpsilon(op, "p over its sum");
  op.Reference(ComputeProbabilities<float>, ComputeProbabilities<double>)
      .Bound(ProbabilitiesBound)
      .Gradient(GradientOp("CategoricalCrossEntropyGrad"))
      .Cost("FLOPs: 7 for each element, 2 for each row, 1 for the division by rows.",
            [](const CostContext& c) { return c.Moving(7 * c.input_size(0) + 2 * NumRows(c) + 1); })
      .Samples([](SampleSource& source) { return ProbabilitiesSample(source, false); })
      .Example({"rows_are_divided_by_their_sum",  // (log 4 + log 2) / 2
                {},
                {Reals({2, 3}, {1, 2, 1, 0.25, 0.5, 0.25}), Reals({2, 3}, {1, 0, 0, 0, 1, 0})},
                {RealScalar(1.0397207708399179)}})
      .Example({"clipped_and_weighted",
                {{"epsilon", 0.25}},
                {Reals({1, 2}, {0, 1}), Reals({1, 2}, {1, 0}), Reals({1}, {2})},
                {RealScalar(2.772588722239781)}});
  return op;
}

OpDef CategoricalCrossEntropyGradOp() {
  OpDef op = LossDef("CategoricalCrossEntropyGrad",
                     "dp_k = dloss weight / rows (Y / s - y_k / p_k), where s is the sum of the "
                     "row's p and Y the sum of its labels that are not clipped; without the second "
                     "term where p_k is clipped. The gradient of CategoricalCrossEntropy.",
                     "p", "probabilities, [..., classes]", /*gradient=*/true);
  AddEpsilon(op, "p over its sum");
  op.Reference(ComputeProbabilitiesGrad<float>, ComputeProbabilitiesGrad<double>)
      .Bound(ProbabilitiesGradBound)
      .Cost("FLOPs: 8 for each element, 2 for each row, 1 for the division by rows.",
            [](const CostContext& c) { return c.Moving(8 * c.input_size(0) + 2 * NumRows(c) + 1); })
      .Samples([](SampleSource& source) { return ProbabilitiesSample(source, true); })
      .Example({"two_rows",  // 4 / 2 (1/4 - [1, 0, 0]), and 4 / 2 5 (1/4 - [0, 1/2, 0])
                {},
                {Reals({2, 3}, {1, 2, 1, 1, 2, 1}), Reals({2, 3}, {1, 0, 0, 0, 1, 0}),
                 RealScalar(4), Reals({2}, {1, 5})},
                {Reals({2, 3}, {-1.5, 0.5, 0.5, 2.5, -2.5, 2.5})}})
      .Example({"zero_where_clipped",
                {{"epsilon", 0.25}},
                {Reals({1, 2}, {0, 1}), Reals({1, 2}, {1, 0}), RealScalar(4)},
                {Reals({1, 2}, {0, 0})}});
  return op;
}

namespace {

// ids as one-hot rows for `predictions`.
Value OneHotLabels(FunctionBuilder& g, Value predictions, Value ids) {
  const Shape shape = g.type(predictions).shape;
  if (shape.rank() == 0 || shape.back().is_batch()) {
    g.Fail(InvalidArgument("predictions must be [..., classes] for sparse labels, got ",
                           shape.ToString()));
    return {};
  }
  const Value labels = OneHot(g, ids, shape.back().size());
  const Shape given = g.type(ids).shape;
  const bool has_last = given.rank() == shape.rank() && given.back() == Dim(1);
  return has_last ? Reshape(g, labels, shape) : labels;
}

}  // namespace

Value SoftmaxCrossEntropyWithLogits(FunctionBuilder& g, Value z, Value labels,
                                    const CrossEntropyOptions& options) {
  return g.AddNode("SoftmaxCrossEntropyWithLogits", {z, labels, options.weights}, {},
                   options.name)[0];
}

Value SparseSoftmaxCrossEntropyWithLogits(FunctionBuilder& g, Value z, Value ids,
                                          const CrossEntropyOptions& options) {
  return SoftmaxCrossEntropyWithLogits(g, z, OneHotLabels(g, z, ids), options);
}

Value CategoricalCrossEntropy(FunctionBuilder& g, Value p, Value labels,
                              const CategoricalCrossEntropyOptions& options) {
  return g.AddNode("CategoricalCrossEntropy", {p, labels, options.weights},
                   {{"epsilon", options.epsilon}}, options.name)[0];
}

Value SparseCategoricalCrossEntropy(FunctionBuilder& g, Value p, Value ids,
                                    const CategoricalCrossEntropyOptions& options) {
  return CategoricalCrossEntropy(g, p, OneHotLabels(g, p, ids), options);
}

}  // namespace seqgraph::ops
