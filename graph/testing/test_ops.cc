#include "graph/testing/test_ops.h"

#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/bound_rules.h"
#include "graph/function_builder.h"
#include "graph/gradient.h"

namespace seqgraph {
namespace {

using Types = absl::StatusOr<std::vector<TensorType>>;

// All inputs and all outputs have the type of the first input.
Types AllAlike(const ShapeContext& c) {
  for (int i = 1; i < c.num_inputs(); ++i) {
    if (c.has_input(i) && c.shape(i) != c.shape(0)) {
      return absl::InvalidArgumentError(absl::StrCat("C1: the shapes must be equal, got ",
                                                     c.shape(0).ToString(), " and ",
                                                     c.shape(i).ToString()));
    }
  }
  return std::vector<TensorType>{c.type(0)};
}

Types LikeFirst(const ShapeContext& c) { return std::vector<TensorType>{c.type(0)}; }

Tensor Reals(const Shape& shape, std::initializer_list<double> elements) {
  return Tensor::Of<double>(shape, elements);
}

template <typename T, typename F>
absl::Status Map(const ReferenceContext& c, F f) {
  const auto x = c.input<T>(0);
  const auto y = c.output<T>(0);
  for (int64_t i = 0; i < y.size(); ++i) y[i] = f(x[i]);
  return absl::OkStatus();
}

template <typename T, typename F>
absl::Status Zip(const ReferenceContext& c, F f) {
  const auto a = c.input<T>(0), b = c.input<T>(1);
  const auto y = c.output<T>(0);
  for (int64_t i = 0; i < y.size(); ++i) y[i] = f(a[i], b[i]);
  return absl::OkStatus();
}

OpDef Add() {
  return OpDef("Add", 1)
      .Doc("y = a + b")
      .Input({.name = "a"})
      .Input({.name = "b"})
      .Output({.name = "y"})
      .Shapes(AllAlike)
      .Reference(
          [](const auto& c) { return Zip<float>(c, [](float a, float b) { return a + b; }); },
          [](const auto& c) { return Zip<double>(c, [](double a, double b) { return a + b; }); })
      .Gradient([](GradientContext& c) {
        c.SetInputGradient(0, c.output_gradient(0));
        c.SetInputGradient(1, c.output_gradient(0));
        return absl::OkStatus();
      })
      .InPlace({0, 0})
      .InPlace({0, 1})
      .Bound(OutputBound(1))
      .Example({"one", {}, {Reals({1}, {1}), Reals({1}, {2})}, {Reals({1}, {3})}});
}

OpDef Multiply() {
  return OpDef("Multiply", 1)
      .Doc("y = a * b")
      .Input({.name = "a"})
      .Input({.name = "b"})
      .Output({.name = "y"})
      .Shapes(AllAlike)
      .Reference(
          [](const auto& c) { return Zip<float>(c, [](float a, float b) { return a * b; }); },
          [](const auto& c) { return Zip<double>(c, [](double a, double b) { return a * b; }); })
      .Gradient([](GradientContext& c) {
        for (int i = 0; i < 2; ++i) {
          if (!c.wanted(i)) continue;
          c.SetInputGradient(
              i, c.builder().AddNode("Multiply", {c.output_gradient(0), c.input(1 - i)})[0]);
        }
        return absl::OkStatus();
      })
      .InPlace({0, 0})
      .InPlace({0, 1})
      .Bound(OutputBound(1))
      .Example({"one", {}, {Reals({1}, {2}), Reals({1}, {3})}, {Reals({1}, {6})}});
}

template <typename T>
absl::Status ComputeScale(const ReferenceContext& c) {
  const T factor = static_cast<T>(c.attributes().GetFloat("factor"));
  return Map<T>(c, [factor](T x) { return factor * x; });
}

OpDef Scale() {
  return OpDef("Scale", 1)
      .Doc("y = factor * x")
      .Input({.name = "x"})
      .Output({.name = "y"})
      .Attribute({.name = "factor", .kind = AttributeKind::kFloat, .default_value = 2.0})
      .Shapes(LikeFirst)
      .Reference(ComputeScale<float>, ComputeScale<double>)
      .Gradient([](GradientContext& c) {
        c.SetInputGradient(0,
                           c.builder().AddNode("Scale", {c.output_gradient(0)},
                                               {{"factor", c.attributes().GetFloat("factor")}})[0]);
        return absl::OkStatus();
      })
      .InPlace({0, 0})
      .Bound(OutputBound(2))
      .Example({"twice", {}, {Reals({1}, {2})}, {Reals({1}, {4})}});
}

template <typename T>
absl::Status ComputeAddRow(const ReferenceContext& c) {
  const auto x = c.input<T>(0), row = c.input<T>(1);
  const auto y = c.output<T>(0);
  for (int64_t i = 0; i < y.size(); ++i) y[i] = x[i] + row[i % row.size()];
  return absl::OkStatus();
}

OpDef AddRow() {
  return OpDef("AddRow", 1)
      .Doc("y[i, j] = x[i, j] + row[j]")
      .Input({.name = "x"})
      .Input({.name = "row"})
      .Output({.name = "y"})
      .Shapes([](const ShapeContext& c) -> Types {
        if (c.shape(0).rank() == 2 && c.shape(1) == Shape{c.shape(0)[1]}) return LikeFirst(c);
        return absl::InvalidArgumentError("C1: x must be [rows, columns] and row [columns]");
      })
      .Reference(ComputeAddRow<float>, ComputeAddRow<double>)
      .InPlace({0, 1})
      .InPlace({0, 0})
      .Bound(OutputBound(1))
      .Example({"one", {}, {Reals({1, 1}, {2}), Reals({1}, {3})}, {Reals({1, 1}, {5})}});
}

template <typename T>
absl::Status ComputeSum(const ReferenceContext& c) {
  const auto x = c.input<T>(0);
  T sum = 0;
  for (int64_t i = 0; i < x.size(); ++i) sum += x[i];
  c.output<T>(0)[0] = sum;
  return absl::OkStatus();
}

OpDef Sum() {
  return OpDef("Sum", 1)
      .Doc("y = sum of x")
      .Input({.name = "x"})
      .Output({.name = "y"})
      .Shapes([](const ShapeContext& c) -> Types {
        return std::vector<TensorType>{{c.real(), {}}};
      })
      .Reference(ComputeSum<float>, ComputeSum<double>)
      .Gradient([](GradientContext& c) {
        c.SetInputGradient(0, c.builder().AddNode("Spread", {c.output_gradient(0), c.input(0)})[0]);
        return absl::OkStatus();
      })
      .Bound(ReductionBound())
      .Example({"two", {}, {Reals({2}, {1, 2})}, {Reals({}, {3})}});
}

template <typename T>
absl::Status ComputeSpread(const ReferenceContext& c) {
  const auto y = c.output<T>(0);
  for (int64_t i = 0; i < y.size(); ++i) y[i] = c.input<T>(0)[0];
  return absl::OkStatus();
}

OpDef Spread() {
  return OpDef("Spread", 1)
      .Doc("y = s in the shape of like")
      .Input({.name = "s"})
      .Input({.name = "like", .differentiable = false, .shape_only = true})
      .Output({.name = "y"})
      .Shapes([](const ShapeContext& c) -> Types { return std::vector<TensorType>{c.type(1)}; })
      .Reference(ComputeSpread<float>, ComputeSpread<double>)
      .Bound(ExactBound())
      .Example({"two", {}, {Reals({}, {3}), Reals({2}, {0, 0})}, {Reals({2}, {3, 3})}});
}

template <typename T>
absl::Status ComputeFill(const ReferenceContext& c) {
  const auto y = c.output<T>(0);
  for (int64_t i = 0; i < y.size(); ++i) y[i] = static_cast<T>(c.attributes().GetFloat("value"));
  return absl::OkStatus();
}

OpDef FillLike() {
  return OpDef("FillLike", 1)
      .Doc("y = value in the shape of like")
      .Input({.name = "like", .differentiable = false})
      .Output({.name = "y"})
      .Attribute({.name = "value", .kind = AttributeKind::kFloat})
      .Shapes(LikeFirst)
      .Reference(ComputeFill<float>, ComputeFill<double>)
      .Bound(OutputBound(1))
      .Example({"one", {{"value", 7.0}}, {Reals({1}, {0})}, {Reals({1}, {7})}});
}

template <typename T>
absl::Status ComputeSumDiff(const ReferenceContext& c) {
  const auto x = c.input<T>(0), y = c.input<T>(1);
  const auto sum = c.output<T>(0), diff = c.output<T>(1);
  for (int64_t i = 0; i < x.size(); ++i) {
    if (sum) sum[i] = x[i] + (y ? y[i] : 0);
    if (diff) diff[i] = x[i] - (y ? y[i] : 0);
  }
  return absl::OkStatus();
}

OpDef SumDiff() {
  return OpDef("SumDiff", 1)
      .Doc("sum = x + y, diff = x - y; y is zero where it is absent")
      .Input({.name = "x"})
      .Input({.name = "y", .optional = true})
      .Output({.name = "sum"})
      .Output({.name = "diff"})
      .Shapes([](const ShapeContext& c) -> Types {
        SEQ_RETURN_IF_ERROR(AllAlike(c).status());
        return std::vector<TensorType>{c.type(0), c.type(0)};
      })
      .Reference(ComputeSumDiff<float>, ComputeSumDiff<double>)
      .Gradient([](GradientContext& c) {
        // d/dx = dsum + ddiff; where only one of them is there, it is that one.
        const Value dsum = c.output_gradient(0), ddiff = c.output_gradient(1);
        FunctionBuilder& g = c.builder();
        if (dsum.present() && ddiff.present()) {
          const std::vector<Value> both = g.AddNode("SumDiff", {dsum, ddiff});
          c.SetInputGradient(0, both[0]);
          c.SetInputGradient(1, both[1]);
        } else if (dsum.present()) {
          c.SetInputGradient(0, dsum);
          c.SetInputGradient(1, dsum);
        } else {
          c.SetInputGradient(0, ddiff);
          c.SetInputGradient(1, g.AddNode("Scale", {ddiff}, {{"factor", -1.0}})[0]);
        }
        return absl::OkStatus();
      })
      .Bound(OperandBound(1))
      .Example({"one", {}, {Reals({1}, {5}), Reals({1}, {2})}, {Reals({1}, {7}), Reals({1}, {3})}});
}

template <typename T>
absl::Status ComputePick(const ReferenceContext& c) {
  const auto ids = c.input<int32_t>(0);
  const auto table = c.input<T>(1);
  const auto y = c.output<T>(0);
  for (int64_t i = 0; i < ids.size(); ++i) {
    if (ids[i] < 0 || ids[i] >= table.size()) {
      return absl::InvalidArgumentError(
          absl::StrCat("ids[", i, "] is ", ids[i], ", the table has ", table.size(), " rows"));
    }
    y[i] = table[ids[i]];
  }
  return absl::OkStatus();
}

OpDef Pick() {
  return OpDef("Pick", 1)
      .Doc("y[i] = table[ids[i]]")
      .Input({.name = "ids", .type = TypeRule::kIndex, .differentiable = false})
      .Input({.name = "table"})
      .Output({.name = "y"})
      .Shapes([](const ShapeContext& c) -> Types {
        return std::vector<TensorType>{{c.real(), c.shape(0)}};
      })
      .Reference(ComputePick<float>, ComputePick<double>)
      .Bound(ExactBound())
      .Example({"one", {}, {Tensor::Of<int32_t>({1}, {1}), Reals({2}, {5, 6})}, {Reals({1}, {6})}});
}

template <typename T>
absl::Status ComputeRamp(const ReferenceContext& c) {
  const auto ids = c.input<int32_t>(0);
  for (int64_t i = 0; i < ids.size(); ++i) c.output<T>(0)[i] = static_cast<T>(ids[i]) / 10;
  return absl::OkStatus();
}

OpDef Ramp() {
  return OpDef("Ramp", 1)
      .Doc("y = ids / 10 as real numbers")
      .Input({.name = "ids", .type = TypeRule::kIndex})
      .Output({.name = "y"})
      .Attribute({.name = "dtype", .kind = AttributeKind::kDType, .default_value = DType::kFloat32})
      .Shapes([](const ShapeContext& c) -> Types {
        return std::vector<TensorType>{{c.attributes().GetDType("dtype"), c.shape(0)}};
      })
      .Reference(ComputeRamp<float>, ComputeRamp<double>)
      .Bound(OutputBound(1))
      .Example({"one", {}, {Tensor::Of<int32_t>({1}, {5})}, {Reals({1}, {0.5})}});
}

OpDef Round() {
  return OpDef("Round", 1)
      .Doc("y = round(x)")
      .Input({.name = "x"})
      .Output({.name = "y"})
      .Shapes(LikeFirst)
      .Reference(
          [](const auto& c) { return Map<float>(c, [](float x) { return std::round(x); }); },
          [](const auto& c) { return Map<double>(c, [](double x) { return std::round(x); }); })
      .Bound(ExactBound())
      .Example({"one", {}, {Reals({1}, {1.25})}, {Reals({1}, {1})}});
}

OpDef Count() {
  const auto compute = [](const ReferenceContext& c) {
    return Map<int64_t>(c, [](int64_t t) { return t + 1; });
  };
  return OpDef("Count", 1)
      .Doc("y = t + 1")
      .Input({.name = "t", .type = TypeRule::kCounter, .differentiable = false})
      .Output({.name = "y", .type = TypeRule::kCounter})
      .Shapes(LikeFirst)
      .Reference(compute, compute)
      .InPlace({0, 0})
      .Bound(ExactBound())
      .Example({"one", {}, {Tensor::Scalar<int64_t>(1)}, {Tensor::Scalar<int64_t>(2)}});
}

}  // namespace

OpDef CopyOp(std::string name) {
  return OpDef(std::move(name), 1)
      .Doc("y = x")
      .Input({.name = "x"})
      .Output({.name = "y"})
      .Shapes(LikeFirst)
      .Reference([](const auto& c) { return Map<float>(c, [](float x) { return x; }); },
                 [](const auto& c) { return Map<double>(c, [](double x) { return x; }); })
      .Bound(ExactBound())
      .Example({"one", {}, {Reals({1}, {2})}, {Reals({1}, {2})}});
}

OpRegistry MakeTestOps() {
  OpRegistry registry;
  for (auto make :
       {Add, Multiply, Scale, AddRow, Sum, Spread, FillLike, SumDiff, Pick, Ramp, Round, Count}) {
    SEQ_CHECK(registry.Register(make()).ok());
  }
  return registry;
}

const OpRegistry& TestOps() {
  static const OpRegistry* const registry = new OpRegistry(MakeTestOps());
  return *registry;
}

}  // namespace seqgraph
