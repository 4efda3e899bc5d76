#include "ops/row_loss.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "graph/bound_rules.h"
#include "graph/gradient.h"
#include "ops/examples.h"
#include "ops/loss_rules.h"

namespace seqgraph::ops {
namespace {

// Inputs: x, labels, then dloss of the gradient, then weights.
constexpr double kEpsilon = 1e-7;  // Keras's backend.epsilon().
constexpr double kLog2 = 0.69314718055994530942;

double Sign(double x) { return x > 0 ? 1 : x < 0 ? -1 : 0; }
double Shown(double share) { return std::clamp(share, kEpsilon, 1.0); }

// Losses that are means over a row of Loss(x, y, delta), with the slope by x. Where a maximum has a
// kink, the slope is TensorFlow's.

struct AbsoluteError {
  static double Loss(double x, double y, double) { return std::abs(x - y); }
  static double Slope(double x, double y, double) { return Sign(x - y); }
};
struct PercentageError {
  static double Scale(double y) { return 100 / std::max(std::abs(y), kEpsilon); }
  static double Loss(double x, double y, double) { return std::abs(x - y) * Scale(y); }
  static double Slope(double x, double y, double) { return Sign(x - y) * Scale(y); }
};
struct LogarithmicError {
  static double Difference(double x, double y) {
    return std::log1p(std::max(x, kEpsilon)) - std::log1p(std::max(y, kEpsilon));
  }
  static double Loss(double x, double y, double) { return std::pow(Difference(x, y), 2); }
  static double Slope(double x, double y, double) {
    return x < kEpsilon ? 0 : 2 * Difference(x, y) / (1 + x);
  }
};
struct Huber {
  static double Loss(double x, double y, double delta) {
    const double e = std::abs(x - y);
    return e <= delta ? e * e / 2 : delta * (e - delta / 2);
  }
  static double Slope(double x, double y, double delta) { return std::clamp(x - y, -delta, delta); }
};
// Koenker and Bassett 1978: smallest on average where x is the quantile delta of y.
struct Pinball {
  static double Loss(double x, double y, double q) {
    return std::max(q * (y - x), (q - 1) * (y - x));
  }
  static double Slope(double x, double y, double q) { return x < y ? -q : x > y ? 1 - q : 0; }
};
struct LogCosh {
  static double Loss(double x, double y, double) {
    const double e = std::abs(x - y);
    return e + std::log1p(std::exp(-2 * e)) - kLog2;
  }
  static double Slope(double x, double y, double) { return std::tanh(x - y); }
};
struct Poisson {
  static double Loss(double x, double y, double) { return x - y * std::log(x + kEpsilon); }
  static double Slope(double x, double y, double) { return 1 - y / (x + kEpsilon); }
};
struct Hinge {
  static double Loss(double x, double y, double) { return std::max(1 - y * x, 0.0); }
  static double Slope(double x, double y, double) { return 1 - y * x >= 0 ? -y : 0; }
};
struct SquaredHinge {
  static double Loss(double x, double y, double) { return std::pow(Hinge::Loss(x, y, 0), 2); }
  static double Slope(double x, double y, double) { return -2 * y * Hinge::Loss(x, y, 0); }
};

template <typename Element>
double MeanLoss(const LossRow& row) {
  double sum = 0;
  for (int64_t k = 0; k < row.width; ++k) sum += Element::Loss(row.x(k), row.y(k), row.delta);
  return sum / static_cast<double>(row.width);
}

template <typename Element>
void MeanSlopes(const LossRow& row, absl::FunctionRef<void(int64_t, double)> set) {
  for (int64_t k = 0; k < row.width; ++k) {
    set(k, Element::Slope(row.x(k), row.y(k), row.delta) / static_cast<double>(row.width));
  }
}

// Losses of a row as a whole.

double Divergence(const LossRow& row) {
  double sum = 0;
  for (int64_t k = 0; k < row.width; ++k) {
    sum += Shown(row.y(k)) * std::log(Shown(row.y(k)) / Shown(row.x(k)));
  }
  return sum;
}

void DivergenceSlopes(const LossRow& row, absl::FunctionRef<void(int64_t, double)> set) {
  for (int64_t k = 0; k < row.width; ++k) {
    const double x = row.x(k);
    set(k, x < kEpsilon || x > 1 ? 0 : -Shown(row.y(k)) / x);
  }
}

// pos = sum of y x, neg = the largest of (1 - y) x.
struct HingeSides {
  explicit HingeSides(const LossRow& row) {
    for (int64_t k = 0; k < row.width; ++k) {
      pos += row.y(k) * row.x(k);
      const double other = Other(row, k);
      if (k > 0 && other < neg) continue;
      largest = k > 0 && other == neg ? largest + 1 : 1;
      neg = other;
    }
  }
  static double Other(const LossRow& row, int64_t k) { return (1 - row.y(k)) * row.x(k); }
  double pos = 0, neg = 0;
  double largest = 0;  // how many are
};

double CategoricalHinge(const LossRow& row) {
  const HingeSides sides(row);
  return std::max(sides.neg - sides.pos + 1, 0.0);
}

void CategoricalHingeSlopes(const LossRow& row, absl::FunctionRef<void(int64_t, double)> set) {
  const HingeSides sides(row);
  const bool flat = sides.neg - sides.pos + 1 < 0;
  for (int64_t k = 0; k < row.width; ++k) {
    const double y = row.y(k);
    const bool is_neg = HingeSides::Other(row, k) == sides.neg;
    set(k, flat ? 0 : (is_neg ? (1 - y) / sides.largest : 0) - y);
  }
}

// x and y over their lengths, or over epsilon if that is more.
struct Directions {
  explicit Directions(const LossRow& row) {
    double xx = 0, yy = 0, xy = 0;
    for (int64_t k = 0; k < row.width; ++k) {
      xx += row.x(k) * row.x(k);
      yy += row.y(k) * row.y(k);
      xy += row.x(k) * row.y(k);
    }
    x = 1 / std::max(std::sqrt(xx), kEpsilon);
    y = 1 / std::max(std::sqrt(yy), kEpsilon);
    cosine = xy * x * y;
    turns = std::sqrt(xx) >= kEpsilon;
  }
  double x, y, cosine;
  bool turns;  // the length of x counts
};

double CosineSimilarity(const LossRow& row) { return -Directions(row).cosine; }

void CosineSlopes(const LossRow& row, absl::FunctionRef<void(int64_t, double)> set) {
  const Directions d(row);
  for (int64_t k = 0; k < row.width; ++k) {
    set(k, d.x * ((d.turns ? d.cosine * row.x(k) * d.x : 0) - row.y(k) * d.y));
  }
}

template <typename Element>
constexpr RowLossKind MeanKind(const char* name, const char* formula,
                               LossLabels labels = LossLabels::kNumbers, double delta = 1) {
  return {name, formula, labels, MeanLoss<Element>, MeanSlopes<Element>, delta};
}

constexpr RowLossKind kKinds[] = {
    MeanKind<AbsoluteError>("mean_absolute_error", "mean |x - y|"),
    MeanKind<PercentageError>("mean_absolute_percentage_error", "100 mean |x - y| / max(|y|, e)"),
    MeanKind<LogarithmicError>("mean_squared_logarithmic_error",
                               "mean (log(1 + max(x, e)) - log(1 + max(y, e)))^2"),
    MeanKind<Huber>("huber",
                    "mean of (x - y)^2 / 2 where |x - y| <= delta, else delta (|x - y| - delta / "
                    "2)"),
    MeanKind<Pinball>("pinball", "mean max(delta (y - x), (delta - 1) (y - x))",
                      LossLabels::kNumbers, 0.5),
    MeanKind<LogCosh>("log_cosh", "mean log cosh(x - y)"),
    MeanKind<Poisson>("poisson", "mean of x - y log(x + e)"),
    {"kl_divergence", "sum of q log(q / p), p and q = x and y clipped to [e, 1]",
     LossLabels::kShares, Divergence, DivergenceSlopes},
    MeanKind<Hinge>("hinge", "mean max(1 - y x, 0)", LossLabels::kSigns),
    MeanKind<SquaredHinge>("squared_hinge", "mean max(1 - y x, 0)^2", LossLabels::kSigns),
    {"categorical_hinge", "max(max((1 - y) x) - sum of y x + 1, 0)", LossLabels::kOneHot,
     CategoricalHinge, CategoricalHingeSlopes},
    {"cosine_similarity", "- sum of x y / (max(|x|, e) max(|y|, e))", LossLabels::kNumbers,
     CosineSimilarity, CosineSlopes},
};

// Reference computation, in double.

const RowLossKind& KindOf(const ReferenceContext& c) {
  return *FindRowLoss(c.attributes().GetString("kind"));
}

// Calls visit(row number, row) for each.
template <typename T, typename F>
void ForEachRow(const ReferenceContext& c, F visit) {
  const auto x = c.input<T>(0), labels = c.input<T>(1);
  const int64_t width = RowWidth(x.shape), rows = x.size() / width;
  const bool shift = KindOf(c).labels == LossLabels::kSigns &&
                     std::all_of(labels.data, labels.data + labels.size(),
                                 [](T label) { return label == 0 || label == 1; });
  for (int64_t row = 0; row < rows; ++row) {
    const T* x_row = x.data + row * width;
    const T* y_row = labels.data + row * width;
    const auto x_of = [x_row](int64_t k) { return static_cast<double>(x_row[k]); };
    const auto y_of = [y_row, shift](int64_t k) {
      const double y = y_row[k];
      return shift ? 2 * y - 1 : y;
    };
    visit(row, rows, LossRow{width, c.attributes().GetFloat("delta"), x_of, y_of});
  }
}

template <typename T>
absl::Status ComputeRowLoss(const ReferenceContext& c) {
  const auto weights = c.input<T>(kWeights);
  const auto loss = c.output<T>(0);
  if (!loss) return absl::OkStatus();
  double sum = 0;
  ForEachRow<T>(c, [&](int64_t row, int64_t rows, const LossRow& values) {
    sum += RowWeight(weights, row) * KindOf(c).loss(values) / static_cast<double>(rows);
  });
  loss[0] = static_cast<T>(sum);
  return absl::OkStatus();
}

template <typename T>
absl::Status ComputeRowLossGrad(const ReferenceContext& c) {
  const auto dloss = c.input<T>(2), weights = c.input<T>(kGradWeights);
  const auto dx = c.output<T>(0);
  if (!dx) return absl::OkStatus();
  ForEachRow<T>(c, [&](int64_t row, int64_t rows, const LossRow& values) {
    const double scale = RowWeight(weights, row) * dloss[0] / static_cast<double>(rows);
    T* dx_row = dx.data + row * values.width;
    KindOf(c).gradient(values, [dx_row, scale](int64_t k, double slope) {
      dx_row[k] = static_cast<T>(scale * slope);
    });
  });
  return absl::OkStatus();
}

// Samples away from kinks: |x - y| is in [0.2, 1.9), |y x| in [0.1, 0.9) or [1.1, 1.9).
OpSample Sample(SampleSource& source, bool gradient) {
  const RowLossKind& kind = kKinds[source.Int(0, std::size(kKinds) - 1)];
  Shape shape = RandomShape(source, 1, 3);
  Tensor x = source.Reals(shape, 0.1, 0.9);
  Tensor y = source.Reals(shape, 1.1, 2);
  const auto labels = y.Elements<double>();
  const int64_t width = RowWidth(shape);
  for (size_t i = 0; i < labels.size(); ++i) {
    if (kind.labels == LossLabels::kShares) labels[i] -= 1.1;
    if (kind.labels == LossLabels::kOneHot) labels[i] = static_cast<int64_t>(i) % width == 0;
    if (kind.labels == LossLabels::kSigns) {
      labels[i] = source.Coin() ? 1 : -1;
      if (source.Coin()) x.Elements<double>()[i] += 1;
      if (source.Coin()) x.Elements<double>()[i] *= -1;
    }
  }
  OpSample sample{{{"kind", kind.name}, {"delta", source.Coin() ? 0.15 : 2.5}},
                  {std::move(x), std::move(y)}};
  AddLossInputs(source, gradient, sample);
  return sample;
}

// Definitions: what both ops have.

OpDef RowLossDef(std::string name, std::string doc, bool gradient) {
  std::vector<std::string> names;
  for (const RowLossKind& kind : kKinds) {
    names.push_back(kind.name);
    absl::StrAppend(&doc, "\n\n- ", kind.name, ": ", kind.formula);
  }
  std::vector<std::optional<TensorType>> valid = {RealType({2, 3}), RealType({2, 3})};
  if (gradient) valid.push_back(RealType({}));
  return OpDef(std::move(name), 1)
      .Doc(std::move(doc))
      .Attribute({.name = "kind",
                  .kind = AttributeKind::kString,
                  .default_value = std::string(kKinds[0].name),
                  .doc = "L, by Keras's name",
                  .one_of = std::move(names)})
      .Attribute("delta", 1.0, "of huber; of pinball the quantile, from 0 to 1")
      .With(LossShapes(
          {.name = "x", .doc = "predictions, any shape", .labels = "labels", .classes = true},
          gradient))
      .Require("C5", "delta is above 0 and finite",
               [](const ShapeContext& c) -> std::string {
                 const double delta = c.attributes().GetFloat("delta");
                 if (delta > 0 && std::isfinite(delta)) return "";
                 return absl::StrCat("attribute delta must be above 0, got ", delta);
               })
      .Reject({"C5", {{"kind", "huber"}, {"delta", 0.0}}, valid})
      .Samples([gradient](SampleSource& source) { return Sample(source, gradient); });
}

CostRule PerElement(int weights) {
  return [weights](const CostContext& c) {
    return c.Moving((8 + c.has_input(weights)) * c.input_size(0) + 1);
  };
}

constexpr char kCost[] =
    "FLOPs: 8 for each element, 9 with weights, whatever the kind, 1 for the division by rows.";

}  // namespace

absl::Span<const RowLossKind> RowLossKinds() { return kKinds; }

const RowLossKind* FindRowLoss(absl::string_view name) {
  for (const RowLossKind& kind : kKinds) {
    if (kind.name == name) return &kind;
  }
  return nullptr;
}

OpDef RowLossOp() {
  const auto example = [](const std::string& name, const std::string& kind, Tensor x, Tensor y,
                          double loss, double delta = 1) {
    return OpExample{
        name, {{"kind", kind}, {"delta", delta}}, {std::move(x), std::move(y)}, {RealScalar(loss)}};
  };
  const Tensor x = Reals({2, 2}, {1, 2.5, 3, 4}), y = Reals({2, 2}, {1, 2, 6, 3});
  const Tensor margins = Reals({2, 2}, {0.5, -2, 3, 0.25});
  OpDef op = RowLossDef(
      "RowLoss",
      "loss = the mean over rows of weight L, where rows are all axes but the last and the weight "
      "is that of the row. Computed in double. L is, with x and y the row's predictions and "
      "labels, the mean, sum and largest over it, and e = 1e-7 (where all labels of a hinge are 0 "
      "or 1, y = 2 label - 1):",
      /*gradient=*/false);
  op.Reference(ComputeRowLoss<float>, ComputeRowLoss<double>)
      .Bound(ElementaryBound())
      .Gradient(GradientOp("RowLossGrad"))
      .Cost(kCost, PerElement(kWeights))
      .Example(example("absolute", "mean_absolute_error", x, y, 4.5 / 4))
      .Example({"weighted",
                {{"kind", "mean_absolute_error"}},
                {x, y, Reals({2}, {3, 0.5})},
                {RealScalar((3 * 0.25 + 0.5 * 2) / 2)}})
      .Example(example("percentage", "mean_absolute_percentage_error", Reals({2, 2}, {2, 3, 5, -4}),
                       Reals({2, 2}, {1, 4, 5, -2}), 56.25))
      .Example(example("logarithmic", "mean_squared_logarithmic_error", Reals({1, 2}, {3, 1}),
                       Reals({1, 2}, {1, 3}), 0.4804530139182014))  // (log 2)^2
      .Example(example("huber", "huber", x, y, (0 + 0.125 + 2.5 + 0.5) / 4))
      .Example(example("huber_wider", "huber", x, y, (0 + 0.125 + 4 + 0.5) / 4, 2))
      .Example(example("pinball", "pinball", x, y, (0 + 0.5 * 0.75 + 3 * 0.25 + 0.75) / 4, 0.25))
      .Example(example("log_cosh", "log_cosh", Reals({1, 2}, {1, -1}), Reals({1, 2}, {0, 0}),
                       0.4337808304830271))
      .Example(example("log_cosh_far", "log_cosh", Reals({1, 1}, {0}), Reals({1, 1}, {1000}),
                       999.3068528194401))
      .Example(example("poisson", "poisson", Reals({1, 2}, {1, 2}), Reals({1, 2}, {0, 3}),
                       0.46027915416008414))
      .Example(example("divergence", "kl_divergence", Reals({1, 2}, {0.25, 0.75}),
                       Reals({1, 2}, {0.5, 0.5}), 0.14384103622589042))  // log(4 / 3) / 2
      .Example(example("hinge", "hinge", margins, Reals({2, 2}, {1, -1, 1, -1}), 0.4375))
      .Example(example("hinge_of_0_and_1", "hinge", margins, Reals({2, 2}, {1, 0, 1, 0}), 0.4375))
      .Example(example("squared_hinge", "squared_hinge", margins, Reals({2, 2}, {1, -1, 1, -1}),
                       (0.25 + 1.5625) / 4))
      .Example(example("categorical_hinge", "categorical_hinge", Reals({1, 3}, {0.25, 0.5, 0.125}),
                       Reals({1, 3}, {0, 1, 0}), 0.75))
      .Example(example("cosine", "cosine_similarity", Reals({1, 2}, {3, 4}), Reals({1, 2}, {4, 3}),
                       -0.96))
      .Example(example("cosine_of_zeros", "cosine_similarity", Reals({1, 2}, {0, 0}),
                       Reals({1, 2}, {4, 3}), 0));
  return op;
}

OpDef RowLossGradOp() {
  OpDef op = RowLossDef("RowLossGrad",
                        "dx = dloss weight / rows dL/dx, with L as in RowLoss, of which it is the "
                        "gradient; 0 where x is clipped.",
                        /*gradient=*/true);
  op.InPlace({0, 0})
      .Reference(ComputeRowLossGrad<float>, ComputeRowLossGrad<double>)
      .Bound(ElementaryBound())
      .Cost(kCost, PerElement(kGradWeights))
      .Example({"weighted_huber",
                {{"kind", "huber"}},
                {Reals({2, 2}, {1, 2.5, 3, 4}), Reals({2, 2}, {1, 2, 6, 3}), RealScalar(8),
                 Reals({2}, {1, 0.5})},
                {Reals({2, 2}, {0, 1, -1, 1})}})
      .Example({"pinball",
                {{"kind", "pinball"}, {"delta", 0.25}},
                {Reals({1, 3}, {1, 2, 3}), Reals({1, 3}, {1, 5, 2}), RealScalar(3)},
                {Reals({1, 3}, {0, -0.25, 0.75})}})
      .Example({"absolute_is_flat_where_equal",
                {{"kind", "mean_absolute_error"}},
                {Reals({1, 2}, {1, 2}), Reals({1, 2}, {1, 5}), RealScalar(4)},
                {Reals({1, 2}, {0, -2})}})
      .Example({"hinge",
                {{"kind", "hinge"}},
                {Reals({2, 1}, {0.5, 3}), Reals({2, 1}, {0, 1}), RealScalar(4)},
                {Reals({2, 1}, {2, 0})}});
  return op;
}

Value RowLoss(FunctionBuilder& g, const std::string& kind, Value x, Value labels,
              const RowLossOptions& options) {
  return g.AddNode("RowLoss", {x, labels, options.weights},
                   {{"kind", kind}, {"delta", options.delta}}, options.name)[0];
}

}  // namespace seqgraph::ops
