#include "ops/binary.h"

#include <cmath>
#include <type_traits>
#include <utility>

#include "base/status_macros.h"
#include "graph/bound_rules.h"
#include "ops/elementwise_loops.h"
#include "ops/examples.h"
#include "ops/formula.h"
#include "ops/numbers.h"
#include "ops/shape_rules.h"
#include "ops/step_rules.h"

namespace seqgraph::ops {
namespace {

// Shape rules: SameNumbers, and for what gives or takes int32:

Types ComparisonShape(const ShapeContext& c) {
  SEQ_ASSIGN_OR_RETURN(const std::vector<TensorType> types, SameNumbers(c));
  return std::vector<TensorType>{{DType::kInt32, types[0].shape}};
}

Types WhereShape(const ShapeContext& c) {
  SEQ_RETURN_IF_ERROR(CheckSameType("C2", c, 1, "a", 2, "b"));
  SEQ_RETURN_IF_ERROR(CheckShape("C1", "a", c.shape(1), "the shape of condition", c.shape(0)));
  SEQ_RETURN_IF_ERROR(CheckShape("C1", "b", c.shape(2), "the shape of condition", c.shape(0)));
  return std::vector<TensorType>{c.type(1)};
}

// Reference computation.

// a / b and a - b (a / b) of integers, rounded toward zero; the smallest integer over -1 wraps.
template <typename T>
T Quotient(T a, T b) {
  return b == -1 ? WrappingSubtract(T{0}, a) : a / b;
}
template <typename T>
T TruncatedRemainder(T a, T b) {
  return b == -1 ? T{0} : a % b;
}

// x^n for an integer n; 0 for what is below 1.
template <typename T>
T IntegerPower(T x, T n) {
  if (n < 0) return x == 1 ? T{1} : x == -1 ? (n % 2 == 0 ? T{1} : T{-1}) : T{0};
  T result = 1;
  for (; n > 0; n /= 2) {
    if (n % 2 == 1) result = WrappingMultiply(result, x);
    x = WrappingMultiply(x, x);
  }
  return result;
}

template <typename T>
absl::Status ComputeWhere(const ReferenceContext& c) {
  const auto condition = c.input<int32_t>(0);
  const auto a = c.input<T>(1), b = c.input<T>(2);
  const auto y = c.output<T>(0);
  if (!y) return absl::OkStatus();
  for (int64_t i = 0; i < y.size(); ++i) y[i] = condition[i] != 0 ? a[i] : b[i];
  return absl::OkStatus();
}

// Formulas of gradients.

// dy where the condition holds, or where it does not, else 0.
Expr If(Expr condition, Expr dy) { return Where(condition, dy, Constant(0, dy)); }
Expr Unless(Expr condition, Expr dy) { return Where(condition, Constant(0, dy), dy); }

// db = -dy k for y = a - k b with the whole number k.
Expr ModuloDb(const GradientTerms& t) { return t.dy * ((t.y - t.a()) / t.b()); }

// Definitions: a row for each op.

struct Row {
  const char* name;
  const char* doc;
  GradientFormula da, db;
  BoundRule bound;
  bool divides;  ///< integers: b must not be 0
  std::initializer_list<double> a, b, y;
  std::initializer_list<int32_t> of_integers;  ///< y of 7 and 2, -7 and 2, 2 and 5
  double low = 0.3;  ///< samples are in [low, 2): a positive base, no denominator near 0
};

// b must not be 0 where the elements are integers.
template <typename T>
absl::Status CheckDivisors(TensorView<const T> b) {
  for (int64_t i = 0; std::is_integral_v<T> && i < b.size(); ++i) {
    if (b[i] == 0) {
      return InvalidArgument("b is 0 at element ", i, ": integers cannot be divided by it");
    }
  }
  return absl::OkStatus();
}

// Inputs a and b of one shape (C1) and element type (C2), with an output y of both.
OpDef BinaryDef(std::string name, std::string doc, bool differentiable = true) {
  return OpDef(std::move(name), 1)
      .Doc(std::move(doc))
      .Input({.name = "a",
              .type = TypeRule::kNumber,
              .doc = "any shape",
              .differentiable = differentiable})
      .Input({.name = "b",
              .type = TypeRule::kNumber,
              .doc = "the shape and element type of a",
              .differentiable = differentiable})
      .Constrain("C1", "b has the shape of a")
      .Constrain("C2", "b has the element type of a")
      .Reject({"C1", {}, {RealType({2, 3}), RealType({3})}})
      .Reject({"C1", {}, {RealType({Dim::Batch(), 3}), RealType({1, 3})}})
      .Reject({"C2", {}, {RealType({2}), IndexType({2})}})
      .Samples([](SampleSource& source) {
        const Shape shape = RandomShape(source, 0, 4);
        const Tensor a = source.Reals(shape);
        return OpSample{{}, {a, source.Reals(shape)}};
      });
}

OpDef Define(const Row& row) {
  const int64_t size = static_cast<int64_t>(row.a.size());
  return BinaryDef(row.name, row.doc)
      .Output({.name = "y", .type = TypeRule::kNumber, .doc = "the shape of a"})
      .Shapes(SameNumbers)
      .Gradient(GradientFormulas({row.da, row.db}))
      .Steps(ElementwiseSteps())
      .Bound(row.bound)
      .InPlace({0, 0})
      .InPlace({0, 1})
      .Example({"some", {}, {Reals({size}, row.a), Reals({size}, row.b)}, {Reals({size}, row.y)}})
      .Samples([low = row.low](SampleSource& source) {
        const Shape shape = RandomShape(source, 0, 4);
        const Tensor a = source.Reals(shape, low, 2);
        return OpSample{{}, {a, source.Reals(shape, low, 2)}};
      });
}

// f: a generic function of two numbers of one type.
template <typename F>
OpDef OfNumbers(const Row& row, F f) {
  return Define(row)
      .Reference(ByType([f, divides = row.divides](auto zero, const ReferenceContext& c) {
        using T = decltype(zero);
        absl::Status status = divides ? CheckDivisors(c.input<T>(1)) : absl::OkStatus();
        return status.ok() ? MapBinary<T>(c, f) : status;
      }))
      .Example({"integers",
                {},
                {Ids({3}, {7, -7, 2}), Ids({3}, {2, 2, 5})},
                {Ids({3}, row.of_integers)}});
}

template <typename F>
OpDef Comparison(std::string name, std::string doc, F f) {
  return BinaryDef(std::move(name), std::move(doc), /*differentiable=*/false)
      .Output({.name = "y", .type = TypeRule::kIndex, .doc = "the shape of a"})
      .Shapes(ComparisonShape)
      .Reference(ByType([f](auto zero, const ReferenceContext& c) {
        const auto a = c.input<decltype(zero)>(0), b = c.input<decltype(zero)>(1);
        const auto y = c.output<int32_t>(0);
        for (int64_t i = 0; y && i < y.size(); ++i) y[i] = f(a[i], b[i]) ? 1 : 0;
        return absl::OkStatus();
      }))
      .Bound(ExactBound())
      .Steps(ElementwiseSteps());
}

}  // namespace

std::vector<OpDef> BinaryOps() {
  return {
      OfNumbers({"Add",
                 "y = a + b, element by element.",
                 [](const auto& t) { return t.dy; },
                 [](const auto& t) { return t.dy; },
                 OutputBound(1),
                 false,
                 {1, 2, 3},
                 {10, -20, 0.5},
                 {11, -18, 3.5},
                 {9, -5, 7},
                 -1},
                []<typename T>(T a, T b) { return WrappingAdd(a, b); })
          .Fusable(ElementwiseOp::kAdd),
      OfNumbers({"Subtract",
                 "y = a - b, element by element.",
                 [](const auto& t) { return t.dy; },
                 [](const auto& t) { return -1 * t.dy; },
                 OutputBound(1),
                 false,
                 {1, 2, 3},
                 {10, -20, 0.5},
                 {-9, 22, 2.5},
                 {5, -9, -3},
                 -1},
                []<typename T>(T a, T b) { return WrappingSubtract(a, b); })
          .Fusable(ElementwiseOp::kSubtract),
      OfNumbers({"Multiply",
                 "y = a b, element by element.",
                 [](const auto& t) { return t.dy * t.b(); },
                 [](const auto& t) { return t.dy * t.a(); },
                 OutputBound(1),
                 false,
                 {1, 2, 3},
                 {10, -20, 0.5},
                 {10, -40, 1.5},
                 {14, -14, 10},
                 -1},
                []<typename T>(T a, T b) { return WrappingMultiply(a, b); })
          .Fusable(ElementwiseOp::kMultiply),
      OfNumbers({"Divide",
                 "y = a / b, element by element; of integers rounded toward zero.",
                 [](const auto& t) { return t.dy / t.b(); },
                 [](const auto& t) { return -(t.dy / t.b() * t.y); },
                 OutputBound(1),
                 true,
                 {1, 9, -2},
                 {4, 3, 0.5},
                 {0.25, 3, -4},
                 {3, -3, 0}},
                []<typename T>(T a, T b) {
                  if constexpr (std::is_integral_v<T>) {
                    return Quotient(a, b);
                  } else {
                    return a / b;
                  }
                })
          .Fusable(ElementwiseOp::kDivide),
      OfNumbers({"Power",
                 "y = a^b, element by element; of integers 0 where it would be a fraction, and "
                 "wrapping around where it is too large.",
                 [](const auto& t) { return t.dy * t.b() * Power(t.a(), t.b() - 1); },
                 [](const auto& t) { return t.dy * t.y * Unary("Log", t.a()); },
                 ElementaryBound(),
                 false,
                 {2, 4, -3},
                 {3, 0.5, 2},
                 {8, 2, 9},
                 {49, 49, 32}},
                []<typename T>(T a, T b) {
                  if constexpr (std::is_integral_v<T>) {
                    return IntegerPower(a, b);
                  } else {
                    return std::pow(a, b);
                  }
                }),
      OfNumbers({"Maximum",
                 "y = the larger of a and b, element by element; NaN where one is. Where they are "
                 "equal, the gradient goes to a.",
                 [](const auto& t) { return Unless(Less(t.a(), t.b()), t.dy); },
                 [](const auto& t) { return If(Less(t.a(), t.b()), t.dy); },
                 ExactBound(),
                 false,
                 {1, -2, 3},
                 {0, 5, 3},
                 {1, 5, 3},
                 {7, 2, 5}},
                []<typename T>(T a, T b) { return a != a || a >= b ? a : b; })
          .Fusable(ElementwiseOp::kMaximum),
      OfNumbers({"Minimum",
                 "y = the smaller of a and b, element by element; NaN where one is. Where they are "
                 "equal, the gradient goes to a.",
                 [](const auto& t) { return Unless(Less(t.b(), t.a()), t.dy); },
                 [](const auto& t) { return If(Less(t.b(), t.a()), t.dy); },
                 ExactBound(),
                 false,
                 {1, -2, 3},
                 {0, 5, 3},
                 {0, -2, 3},
                 {2, -7, 2}},
                []<typename T>(T a, T b) { return a != a || a <= b ? a : b; }),
      OfNumbers({"Modulo",
                 "y = a - b floor(a / b), element by element: its sign is that of b.",
                 [](const auto& t) { return t.dy; },
                 ModuloDb,
                 OutputBound(1),
                 true,
                 {5, -5, 5.5},
                 {3, 3, -2},
                 {2, 1, -0.5},
                 {1, 1, 2}},
                []<typename T>(T a, T b) {
                  T rest;
                  if constexpr (std::is_integral_v<T>) {
                    rest = TruncatedRemainder(a, b);
                  } else {
                    rest = std::fmod(a, b);
                  }
                  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
                }),
      OfNumbers({"Remainder",
                 "y = a - b k, element by element, where k is a / b rounded toward zero: its sign "
                 "is that of a.",
                 [](const auto& t) { return t.dy; },
                 ModuloDb,
                 ExactBound(),
                 true,
                 {5, -5, 5.5},
                 {3, 3, -2},
                 {2, -2, 1.5},
                 {1, -1, 2}},
                []<typename T>(T a, T b) {
                  if constexpr (std::is_integral_v<T>) {
                    return TruncatedRemainder(a, b);
                  } else {
                    return std::fmod(a, b);
                  }
                }),
      Comparison("Equal", "y = 1 where a = b, else 0, element by element.",
                 [](auto a, auto b) { return a == b; })
          .Example(
              {"integers", {}, {Ids({3}, {1, 2, 3}), Ids({3}, {1, 0, 3})}, {Ids({3}, {1, 0, 1})}}),
      Comparison("Less", "y = 1 where a < b, else 0, element by element.",
                 [](auto a, auto b) { return a < b; })
          .Example({"three",
                    {},
                    {Reals({3}, {1, -2, 3}), Reals({3}, {1, 0, 2.5})},
                    {Ids({3}, {0, 1, 0})}}),
  };
}

OpDef WhereOp() {
  const TensorType real = RealType({2, 3}), index = IndexType({2, 3});
  return OpDef("Where", 1)
      .Doc("y = a where the condition is not 0, else b, element by element.")
      .Input({.name = "condition",
              .type = TypeRule::kIndex,
              .doc = "any shape",
              .differentiable = false})
      .Input({.name = "a", .type = TypeRule::kNumber, .doc = "the shape of condition"})
      .Input({.name = "b",
              .type = TypeRule::kNumber,
              .doc = "the shape of condition, the element type of a"})
      .Output({.name = "y", .type = TypeRule::kNumber, .doc = "the shape of condition"})
      .Constrain("C1", "a and b have the shape of condition")
      .Constrain("C2", "b has the element type of a")
      .Shapes(WhereShape)
      .Reject({"C1", {}, {index, RealType({3}), real}})
      .Reject({"C1", {}, {index, real, RealType({3})}})
      .Reject({"C2", {}, {index, real, index}})
      .Reference(ByType([](auto x, auto& c) { return ComputeWhere<decltype(x)>(c); }, /*input=*/1))
      .Moves()
      .Steps(ElementwiseSteps())
      .Gradient(GradientFormulas({nullptr, [](const auto& t) { return If(t.inputs[0], t.dy); },
                                  [](const auto& t) { return Unless(t.inputs[0], t.dy); }}))
      .InPlace({0, 1})
      .InPlace({0, 2})
      .Example({"two_of_three",
                {},
                {Ids({3}, {1, 0, -7}), Reals({3}, {1, 2, 3}), Reals({3}, {10, 20, 30})},
                {Reals({3}, {1, 20, 3})}})
      .Samples([](SampleSource& source) {
        const Shape shape = RandomShape(source, 0, 3);
        const Tensor condition = source.Indices(shape, 2), a = source.Reals(shape);
        return OpSample{{}, {condition, a, source.Reals(shape)}};
      });
}

Value Binary(FunctionBuilder& g, const char* op, Value a, Value b, std::string name) {
  return g.AddNode(op, {a, b}, {}, std::move(name))[0];
}

Value Where(FunctionBuilder& g, Value condition, Value a, Value b, std::string name) {
  return g.AddNode("Where", {condition, a, b}, {}, std::move(name))[0];
}

}  // namespace seqgraph::ops
