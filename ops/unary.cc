#include "ops/unary.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <type_traits>
#include <utility>

#include "graph/activation.h"
#include "graph/bound_rules.h"
#include "graph/gradient.h"
#include "ops/elementwise_loops.h"
#include "ops/examples.h"
#include "ops/formula.h"
#include "ops/numbers.h"
#include "ops/shape_rules.h"
#include "ops/step_rules.h"

namespace seqgraph::ops {
namespace {

// Shape rule: SameAsInput(0).

// Definitions: a row for each op.

struct UnaryRow {
  const char* name;
  const char* doc;
  GradientRule gradient;  ///< Dx, or a node of its own
  BoundRule bound;
  double low, high;  ///< samples are between; equal: of both signs and away from 0
  std::initializer_list<double> x, y;
  std::initializer_list<int32_t> of_integers = {};  ///< y of -3 and 0
};

// The gradient of x; without: 0, as that of steps is wherever they have one.
GradientRule Dx(GradientFormula dx = nullptr) { return GradientFormulas({std::move(dx)}); }

template <typename T, typename F>
ReferenceFunction Map(F f) {
  return [f](const ReferenceContext& c) { return MapUnary<T>(c, f); };
}

OpDef Define(const UnaryRow& row, TypeRule type) {
  const int64_t size = static_cast<int64_t>(row.x.size());
  return OpDef(row.name, 1)
      .Doc(row.doc)
      .Input({.name = "x", .type = type, .doc = "any shape"})
      .Output({.name = "y", .type = type, .doc = "the shape of x"})
      .Shapes(SameAsInput(0))
      .Gradient(row.gradient)
      .Steps(ElementwiseSteps())
      .Bound(row.bound)
      .InPlace({0, 0})
      .Example({"some", {}, {Reals({size}, row.x)}, {Reals({size}, row.y)}})
      .Samples([low = row.low, high = row.high](SampleSource& source) {
        const Shape shape = RandomShape(source, 0, 3);
        return OpSample{
            {}, {low < high ? source.Reals(shape, low, high) : source.RealsAwayFromZero(shape)}};
      });
}

// f: a generic function of a float or a double.
template <typename F>
OpDef OfReals(const UnaryRow& row, F f) {
  return Define(row, TypeRule::kReal).Reference(Map<float>(f), Map<double>(f));
}

// f: one of an int32_t or an int64_t too.
template <typename F>
OpDef UnaryOfNumbers(const UnaryRow& row, F f) {
  return Define(row, TypeRule::kNumber)
      .Reference(ByType([f](auto x, auto& c) { return MapUnary<decltype(x)>(c, f); }))
      .Example({"integers", {}, {Ids({2}, {-3, 0})}, {Ids({2}, row.of_integers)}});
}

}  // namespace

std::vector<OpDef> UnaryOps() {
  return {
      UnaryOfNumbers({"Abs",
                      "y = |x|, element by element; the smallest integer stays as it is.",
                      Dx([](const auto& t) { return t.dy * Unary("Sign", t.x()); }),
                      ExactBound(),
                      0,
                      0,
                      {-2, 0, 3},
                      {2, 0, 3},
                      {3, 0}},
                     []<typename T>(T x) {
                       if constexpr (std::is_integral_v<T>) {
                         return x < 0 ? WrappingSubtract(T{0}, x) : x;
                       } else {
                         return std::abs(x);
                       }
                     })
          .Fusable(ElementwiseOp::kAbs),
      UnaryOfNumbers({"Negative",
                      "y = -x, element by element; the smallest integer stays as it is.",
                      Dx([](const auto& t) { return -t.dy; }),
                      ExactBound(),
                      0,
                      0,
                      {-2, 0.5},
                      {2, -0.5},
                      {3, 0}},
                     []<typename T>(T x) {
                       if constexpr (std::is_integral_v<T>) {
                         return WrappingSubtract(T{0}, x);
                       } else {
                         return -x;
                       }
                     }),
      UnaryOfNumbers({"Sign",
                      "y = -1, 0 or 1, the sign of x, element by element; NaN stays NaN.",
                      Dx(),
                      ExactBound(),
                      0,
                      0,
                      {-2, 0, 0.5},
                      {-1, 0, 1},
                      {-1, 0}},
                     []<typename T>(T x) {
                       return x > 0 ? T{1} : x < 0 ? T{-1} : x == 0 ? T{0} : x;
                     }),
      OfReals({"Exp",
               "y = exp(x), element by element.",
               Dx([](const auto& t) { return t.dy * t.y; }),
               ElementaryBound(),
               0,
               0,
               {0, 1, -1000},
               {1, 2.718281828459045, 0}},
              [](auto x) { return std::exp(x); }),
      OfReals({"Log",
               "y = the natural logarithm of x, element by element.",
               Dx([](const auto& t) { return t.dy / t.x(); }),
               ElementaryBound(),
               0.1,
               3,
               {1, 2},
               {0, 0.6931471805599453}},
              [](auto x) { return std::log(x); }),
      OfReals({"Sqrt",
               "y = the square root of x, element by element.",
               Dx([](const auto& t) { return t.dy / (2 * t.y); }),
               OutputBound(1),
               0.1,
               3,
               {0, 2.25, 4},
               {0, 1.5, 2}},
              [](auto x) { return std::sqrt(x); })
          .Fusable(ElementwiseOp::kSqrt),
      OfReals({"Reciprocal",
               "y = 1 / x, element by element.",
               Dx([](const auto& t) { return -(t.dy * t.y * t.y); }),
               OutputBound(1),
               0.1,
               3,
               {4, -0.5},
               {0.25, -2}},
              [](auto x) { return 1 / x; }),
      OfReals({"Erf",
               "y = 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x, element by element.",
               Dx([](const auto& t) {  // 2 / sqrt(pi) exp(-x^2)
                 return t.dy * (2 * std::numbers::inv_sqrtpi * Unary("Exp", -Square(t.x())));
               }),
               ElementaryBound(),
               0,
               0,
               {0, 1, -10},
               {0, 0.8427007929497149, -1}},
              [](auto x) { return std::erf(x); }),
      OfReals({"Sin",
               "y = sin(x), x in radians, element by element.",
               Dx([](const auto& t) { return t.dy * Unary("Cos", t.x()); }),
               ElementaryBound(),
               -4,
               4,
               {0, 1, -2.5},
               {0, 0.8414709848078965, -0.5984721441039564}},
              [](auto x) { return std::sin(x); }),
      OfReals({"Cos",
               "y = cos(x), x in radians, element by element.",
               Dx([](const auto& t) { return -(t.dy * Unary("Sin", t.x())); }),
               ElementaryBound(),
               -4,
               4,
               {0, 1, -2.5},
               {1, 0.5403023058681398, -0.8011436155469337}},
              [](auto x) { return std::cos(x); }),
      OfReals({"Atan",
               "y = the angle in (-pi / 2, pi / 2) whose tangent is x, element by element.",
               Dx([](const auto& t) { return t.dy / (Square(t.x()) + 1); }),
               ElementaryBound(),
               -4,
               4,
               {0, 1, -1000},
               {0, 0.7853981633974483, -1.5697963271282298}},
              [](auto x) { return std::atan(x); }),
      OfReals(
          {"Softplus",  // max(x, 0) + log(1 + exp(-|x|)) does not overflow
           "y = log(1 + exp(x)), element by element; no overflow.",
           Dx([](const auto& t) { return t.dy * Unary("Sigmoid", t.x()); }),
           ElementaryBound(),
           -4,
           4,
           {-1000, -1, 0, 2, 1000},
           {0, 0.31326168751822286, 0.6931471805599453, 2.1269280110429727, 1000}},
          []<typename T>(T x) { return std::max(x, T{0}) + std::log1p(std::exp(-std::abs(x))); }),
      OfReals({"Sigmoid",
               "y = 1 / (1 + exp(-x)), element by element; no overflow.",
               GradientOp("SigmoidGrad"),
               ElementaryBound(),
               0,
               0,
               {-1000, -1, 0, 2},
               {0, 0.2689414213699951, 0.5, 0.8807970779778823}},
              [](auto x) { return Activate(Activation::kSigmoid, x); })
          .Fusable(ElementwiseOp::kSigmoid),
      OfReals({"Tanh",
               "y = tanh(x), element by element.",
               GradientOp("TanhGrad"),
               ElementaryBound(),
               0,
               0,
               {-1, 0, 0.5, 1000},
               {-0.7615941559557649, 0, 0.46211715726000975, 1}},
              [](auto x) { return Activate(Activation::kTanh, x); })
          .Fusable(ElementwiseOp::kTanh),
      OfReals({"Relu",
               "y = max(x, 0), element by element; NaN stays NaN.",
               GradientOp("ReluGrad"),
               ExactBound(),
               0,
               0,
               {-2, 0, 3},
               {0, 0, 3}},
              [](auto x) { return Activate(Activation::kRelu, x); })
          .Fusable(ElementwiseOp::kRelu),
      OfReals({"Floor",
               "y = the largest integer that is not above x, element by element.",
               Dx(),
               ExactBound(),
               0,
               0,
               {-1.5, 2.75, 3},
               {-2, 2, 3}},
              [](auto x) { return std::floor(x); }),
      OfReals({"Ceil",
               "y = the smallest integer that is not below x, element by element.",
               Dx(),
               ExactBound(),
               0,
               0,
               {-1.5, 2.25, 3},
               {-1, 3, 3}},
              [](auto x) { return std::ceil(x); }),
      OfReals({"Round",
               "y = the integer closest to x, ties to the even one, element by element.",
               Dx(),
               ExactBound(),
               0,
               0,
               {-1.5, 0.5, 2.75},
               {-2, 0, 3}},
              [](auto x) { return std::nearbyint(x); }),
  };
}

Value Unary(FunctionBuilder& g, const char* op, Value x, std::string name) {
  return g.AddNode(op, {x}, {}, std::move(name))[0];
}

}  // namespace seqgraph::ops
