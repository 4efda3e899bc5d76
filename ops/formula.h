#pragma once

// Formulas on values, element by element, written with operators: those of optimizers and of
// gradients.

#include <functional>
#include <vector>

#include "graph/function_builder.h"
#include "graph/gradient.h"

namespace seqgraph::ops {

/// A value in a formula: a tensor, or one number (rank 0), which goes with a tensor element by
/// element. Each operator emits one node; constants are rounded to the type of what they go with.
struct Expr {
  FunctionBuilder* g;
  Value value;
};
Expr operator+(Expr a, Expr b);
Expr operator-(Expr a, Expr b);
Expr operator*(Expr a, Expr b);
Expr operator/(Expr a, Expr b);
Expr operator+(Expr a, double b);
Expr operator-(Expr a, double b);
Expr operator-(double a, Expr b);
Expr operator*(double a, Expr b);
Expr operator-(Expr x);
Expr Sqrt(Expr x);
Expr Abs(Expr x);
Expr Max(Expr a, Expr b);
Expr Square(Expr x);
Expr Power(Expr base, Expr exponent);
Expr Power(double base, Expr exponent);
/// 1 where a < b, else 0.
Expr Less(Expr a, Expr b);
Expr Where(Expr condition, Expr a, Expr b);
/// value everywhere, in the type and shape of `like`.
Expr Constant(double value, Expr like);
/// By the names of ops of ops/unary.h and ops/binary.h.
Expr Unary(const char* op, Expr x);
Expr Binary(const char* op, Expr a, Expr b);

/// What the gradients of a node of one output are made of.
struct GradientTerms {
  std::vector<Expr> inputs;  ///< of which absent ones must not be used
  Expr y, dy;                ///< the output and its gradient
  const Attributes& attributes;

  Expr x() const { return inputs[0]; }
  Expr a() const { return inputs[0]; }
  Expr b() const { return inputs[1]; }
};

/// The rule that gives the gradient of input i as the i-th formula; zero where there is none.
using GradientFormula = std::function<Expr(const GradientTerms&)>;
GradientRule GradientFormulas(std::vector<GradientFormula> formulas);

}  // namespace seqgraph::ops
