#include "ops/formula.h"

#include <numeric>
#include <utility>

#include "ops/binary.h"
#include "ops/elementwise.h"
#include "ops/reductions.h"
#include "ops/unary.h"

namespace seqgraph::ops {
namespace {

// x with the shape of `like`: the same, or one number repeated.
Value Spread(FunctionBuilder& g, Value x, Value like) {
  if (!g.status().ok() || g.type(x).shape.rank() == g.type(like).shape.rank()) return x;
  std::vector<int64_t> axes(g.type(like).shape.rank());
  std::iota(axes.begin(), axes.end(), 0);
  return BroadcastLike(g, x, like, std::move(axes));
}

}  // namespace

Expr operator+(Expr a, Expr b) { return Binary("Add", a, b); }
Expr operator-(Expr a, Expr b) { return Binary("Subtract", a, b); }
Expr operator*(Expr a, Expr b) { return Binary("Multiply", a, b); }
Expr operator/(Expr a, Expr b) { return Binary("Divide", a, b); }
Expr operator+(Expr a, double b) { return a + Constant(b, a); }
Expr operator-(Expr a, double b) { return a - Constant(b, a); }
Expr operator-(double a, Expr b) { return Constant(a, b) - b; }
Expr operator*(double a, Expr b) { return {b.g, Scale(*b.g, b.value, a)}; }
Expr operator-(Expr x) { return Unary("Negative", x); }
Expr Sqrt(Expr x) { return Unary("Sqrt", x); }
Expr Abs(Expr x) { return Unary("Abs", x); }
Expr Max(Expr a, Expr b) { return Binary("Maximum", a, b); }
Expr Square(Expr x) { return x * x; }
Expr Power(Expr base, Expr exponent) { return Binary("Power", base, exponent); }
Expr Power(double base, Expr exponent) { return Power(Constant(base, exponent), exponent); }
Expr Less(Expr a, Expr b) { return Binary("Less", a, b); }

Expr Where(Expr condition, Expr a, Expr b) {
  return {a.g, Where(*a.g, condition.value, a.value, b.value)};
}

Expr Constant(double value, Expr like) { return {like.g, FillLike(*like.g, like.value, value)}; }

Expr Unary(const char* op, Expr x) { return {x.g, Unary(*x.g, op, x.value)}; }

Expr Binary(const char* op, Expr a, Expr b) {
  FunctionBuilder& g = *a.g;
  if (!g.status().ok()) return a;
  if (g.type(a.value).shape.rank() == 0) a.value = Spread(g, a.value, b.value);
  b.value = Spread(g, b.value, a.value);
  return {&g, Binary(g, op, a.value, b.value)};
}

GradientRule GradientFormulas(std::vector<GradientFormula> formulas) {
  return [formulas = std::move(formulas)](GradientContext& c) -> absl::Status {
    FunctionBuilder* const g = &c.builder();
    GradientTerms terms{
        .y = {g, c.output(0)}, .dy = {g, c.output_gradient(0)}, .attributes = c.attributes()};
    for (const Value input : c.node().inputs) terms.inputs.push_back({g, input});
    for (size_t i = 0; i < formulas.size(); ++i) {
      const int input = static_cast<int>(i);
      if (formulas[i] != nullptr && c.wanted(input)) {
        c.SetInputGradient(input, formulas[i](terms).value);
      }
    }
    return absl::OkStatus();
  };
}

}  // namespace seqgraph::ops
