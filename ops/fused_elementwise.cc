#include "ops/fused_elementwise.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/activation.h"
#include "graph/evaluate.h"
#include "ops/examples.h"
#include "ops/shape_rules.h"
#include "ops/step_rules.h"

namespace seqgraph::ops {
namespace {

constexpr int kMaxInputs = ElementwiseProgram::kMaxInputs;

// Attributes: program.

template <typename Context>
int CountInputs(const Context& c) {
  int inputs = kMaxInputs;
  while (inputs > 0 && !c.has_input(inputs - 1)) --inputs;
  return inputs;
}

template <typename Context>
absl::StatusOr<ElementwiseProgram> ProgramOf(const Context& c) {
  return ElementwiseProgram::Parse(c.attributes().GetString("program"), CountInputs(c));
}

// Shape rule.

Types FusedElementwiseShape(const ShapeContext& c) {
  const int inputs = CountInputs(c);
  for (int i = 1; i < inputs; ++i) {
    if (!c.has_input(i)) {
      return Violation("C1", "x", i, " is absent, but x", inputs - 1, " is there");
    }
  }
  int tensor = 0;  // the first that is not one number
  while (tensor + 1 < inputs && c.shape(tensor).rank() == 0) ++tensor;
  for (int i = 0; i < inputs; ++i) {
    if (c.shape(i).rank() == 0) continue;
    SEQ_RETURN_IF_ERROR(CheckShape("C2", absl::StrCat("x", i), c.shape(i),
                                   absl::StrCat("the shape of x", tensor), c.shape(tensor)));
  }
  const auto program = ProgramOf(c);
  if (!program.ok()) return Violation("C3", program.status().message());
  return std::vector<TensorType>{c.type(tensor)};
}

// Reference computation.

// One instruction over a block of n elements. The result may be the memory of an operand.
template <typename T>
void RunInstruction(const ElementwiseInstruction& instruction, const T* a, const T* b, int64_t n,
                    T* y) {
  const auto unary = [&](auto f) { std::transform(a, a + n, y, f); };
  const auto binary = [&](auto f) { std::transform(a, a + n, b, y, f); };
  const T constant = static_cast<T>(instruction.constant);
  switch (instruction.op) {
    case ElementwiseOp::kAdd:
      return binary([](T p, T q) { return p + q; });
    case ElementwiseOp::kSubtract:
      return binary([](T p, T q) { return p - q; });
    case ElementwiseOp::kMultiply:
      return binary([](T p, T q) { return p * q; });
    case ElementwiseOp::kDivide:
      return binary([](T p, T q) { return p / q; });
    case ElementwiseOp::kMaximum:
      return binary([](T p, T q) { return p != p || p >= q ? p : q; });
    case ElementwiseOp::kScale:
      return unary([constant](T p) { return constant * p; });
    case ElementwiseOp::kFillLike:
      std::fill_n(y, n, constant);
      return;
    case ElementwiseOp::kAbs:
      return unary([](T p) { return std::fabs(p); });
    case ElementwiseOp::kSqrt:
      return unary([](T p) { return std::sqrt(p); });
    case ElementwiseOp::kRelu:
      return unary([](T p) { return Activate(Activation::kRelu, p); });
    case ElementwiseOp::kSigmoid:
      return unary([](T p) { return Activate(Activation::kSigmoid, p); });
    case ElementwiseOp::kTanh:
      return unary([](T p) { return Activate(Activation::kTanh, p); });
    case ElementwiseOp::kReluGrad:
      return binary([](T p, T q) { return p > 0 ? q : T{0}; });
    case ElementwiseOp::kSigmoidGrad:
      return binary([](T p, T q) { return q * SlopeFromOutput(Activation::kSigmoid, p); });
    case ElementwiseOp::kTanhGrad:
      return binary([](T p, T q) { return q * SlopeFromOutput(Activation::kTanh, p); });
  }
}

template <typename T>
absl::Status ComputeFusedElementwise(const ReferenceContext& c) {
  const auto y = c.output<T>(0);
  if (!y) return absl::OkStatus();
  constexpr int64_t kBlock = 64;
  // Each input, and whether it moves on with the elements; one number is repeated for a block.
  std::vector<std::pair<const T*, bool>> x;
  std::vector<std::vector<T>> repeated;
  for (int i = 0; i < kMaxInputs && c.input<T>(i); ++i) {
    const auto input = c.input<T>(i);
    const bool moves = input.size() == y.size();
    if (!moves) repeated.emplace_back(kBlock, input[0]);
    x.emplace_back(moves ? input.data : repeated.back().data(), moves);
  }
  const int inputs = static_cast<int>(x.size());
  SEQ_ASSIGN_OR_RETURN(const ElementwiseProgram program,
                       ElementwiseProgram::Parse(c.attributes().GetString("program"), inputs));
  std::vector<T> results(program.code.size() * kBlock);
  for (int64_t begin = 0; begin < y.size(); begin += kBlock) {
    const int64_t n = std::min(kBlock, y.size() - begin);
    const auto at = [&](int r) -> const T* {
      if (r < 0) return nullptr;
      if (r < inputs) return x[r].first + (x[r].second ? begin : 0);
      return results.data() + (r - inputs) * kBlock;
    };
    for (size_t i = 0; i < program.code.size(); ++i) {
      // Only the last one writes y, which may be the memory of an input.
      T* result = i + 1 == program.code.size() ? y.data + begin : results.data() + i * kBlock;
      RunInstruction(program.code[i], at(program.code[i].a), at(program.code[i].b), n, result);
    }
  }
  return absl::OkStatus();
}

// Cost: as the ops that it stands for.

OpCost FusedElementwiseCost(const CostContext& c) {
  const auto program = ProgramOf(c);
  SEQ_CHECK(program.ok());  // as the shape rule has checked
  double flops = 0;
  for (const ElementwiseInstruction& each : program->code) flops += InfoOf(each.op).flops;
  return c.Moving(flops * c.output_size(0));
}

// Error bound.

// A value in double, and how far a float one may be from it.
struct Bounded {
  double value = 0;
  double error = 0;
};

// What one instruction gives: the errors of its operands by its slopes (first order), and a
// rounding of its own for each operation.
Bounded Execute(const ElementwiseInstruction& instruction, const Bounded& a, const Bounded& b) {
  constexpr double eps = kFloatEpsilon;
  const auto result = [](double value, double inherited, double roundings, double of) {
    return Bounded{value, inherited + roundings * eps * std::fabs(of)};
  };
  const double c = instruction.constant;
  const double through = std::fabs(a.value) * b.error + std::fabs(b.value) * a.error;
  const double x = a.value, dy = b.value;
  switch (instruction.op) {
    case ElementwiseOp::kAdd:
      return result(x + dy, a.error + b.error, 1, x + dy);
    case ElementwiseOp::kSubtract:
      return result(x - dy, a.error + b.error, 1, x - dy);
    case ElementwiseOp::kMultiply:
      return result(x * dy, through + a.error * b.error, 1, x * dy);
    case ElementwiseOp::kDivide: {
      const double least = std::max(0.0, std::fabs(dy) - b.error);  // of what it divides by
      return result(x / dy, (a.error + std::fabs(x / dy) * b.error) / least, 1, x / dy);
    }
    case ElementwiseOp::kMaximum:
      return result(std::max(x, dy), std::max(a.error, b.error), 0, 0);
    case ElementwiseOp::kAbs:
      return result(std::fabs(x), a.error, 0, 0);
    case ElementwiseOp::kSqrt: {
      const double y = std::sqrt(x);
      return result(y, a.error == 0 ? 0 : y - std::sqrt(std::max(0.0, x - a.error)), 1, y);
    }
    case ElementwiseOp::kScale:  // the factor is rounded too
      return result(c * x, std::fabs(c) * a.error, 2, c * x);
    case ElementwiseOp::kFillLike:
      return result(c, 0, 1, c);
    case ElementwiseOp::kRelu:
      return result(x < 0 ? 0 : x, a.error, 0, 0);
    case ElementwiseOp::kSigmoid: {
      const double y = 1 / (1 + std::exp(-x));
      return result(y, a.error / 4, kElementaryRoundings, y);
    }
    case ElementwiseOp::kTanh:
      return result(std::tanh(x), a.error, kElementaryRoundings, std::tanh(x));
    case ElementwiseOp::kReluGrad:  // which side of the kink x lies on may be uncertain
      return result(x > 0 ? dy : 0, std::fabs(x) > a.error ? b.error : b.error + std::fabs(dy),
                    a.error > 0 ? 1 : 0, dy);
    case ElementwiseOp::kSigmoidGrad:
      return result(dy * x * (1 - x),
                    std::fabs(x * (1 - x)) * b.error + std::fabs(dy * (1 - 2 * x)) * a.error, 3,
                    std::max(std::fabs(dy * x), std::fabs(dy * x * (1 - x))));
    case ElementwiseOp::kTanhGrad:
      return result(dy * (1 - x * x),
                    std::fabs(1 - x * x) * b.error + std::fabs(2 * dy * x) * a.error, 3,
                    std::max(std::fabs(dy), std::fabs(dy * x * x)));
  }
  return {};
}

// The largest result over all elements and the largest error, instruction by instruction: the
// roundings of each, through the slopes of those after it. Inputs of one element count for all.
Bounded LargestOf(const ElementwiseProgram& program, absl::Span<const Tensor* const> inputs) {
  std::vector<Bounded> registers(program.num_registers());
  int64_t size = 1;  // of the inputs of more than one element, or of none
  for (const Tensor* input : inputs) {
    if (input->num_elements() != 1) size = input->num_elements();
  }
  Bounded largest;
  for (int64_t e = 0; e < size; ++e) {
    for (size_t i = 0; i < inputs.size(); ++i) {
      registers[i] = {inputs[i]->Elements<double>()[inputs[i]->num_elements() == 1 ? 0 : e], 0};
    }
    for (size_t i = 0; i < program.code.size(); ++i) {
      const ElementwiseInstruction& code = program.code[i];
      registers[inputs.size() + i] = Execute(code, code.a >= 0 ? registers[code.a] : Bounded(),
                                             code.b >= 0 ? registers[code.b] : Bounded());
    }
    const auto& [value, error] = registers.back();
    if (std::isfinite(value)) largest.value = std::max(largest.value, std::fabs(value));
    if (std::isfinite(error)) largest.error = std::max(largest.error, error);
  }
  return largest;
}

absl::StatusOr<ErrorBound> FusedBound(const BoundContext& c, int) {
  SEQ_ASSIGN_OR_RETURN(const ElementwiseProgram program, ProgramOf(c));
  const auto [value, error] = LargestOf(program, c.inputs().first(CountInputs(c)));
  // In eps of the output where it has a magnitude: what nodes behind it can add to.
  const double scale = value > 0 ? value : 1;
  return ErrorBound{error / kFloatEpsilon / scale, scale,
                    absl::StrCat("roundings through ", program.code.size(), " instructions")};
}

// Samples.

// Appends |r| + 0.5.
int AboveZero(int r, ElementwiseProgram& program) {
  program.code.push_back({.op = ElementwiseOp::kAbs, .a = r});
  program.code.push_back({.op = ElementwiseOp::kFillLike, .constant = 0.5});
  const int last = program.num_registers() - 1;
  program.code.push_back({.op = ElementwiseOp::kAdd, .a = last - 1, .b = last});
  return last + 1;
}

// A random program that reads all its inputs: each instruction takes what has not been read yet,
// as long as there is any.
ElementwiseProgram RandomProgram(SampleSource& source, int num_inputs) {
  ElementwiseProgram program{.num_inputs = num_inputs, .code = {}};
  std::vector<int> unread;
  for (int r = 0; r < num_inputs; ++r) unread.push_back(r);
  const auto take = [&] {
    if (unread.empty()) return static_cast<int>(source.Int(0, program.num_registers() - 1));
    const int r = unread.back();
    unread.pop_back();
    return r;
  };
  int64_t more = source.Int(1, 5);
  while (more-- > 0 || unread.size() > 1) {
    const std::vector<ElementwiseOpInfo> table(ElementwiseOps().begin(), ElementwiseOps().end());
    const ElementwiseOpInfo& info = source.OneOf(table);
    // Towards the end only what leaves fewer unread.
    if (info.operands != 2 && more < 0) continue;
    ElementwiseInstruction instruction{.op = info.op};
    if (info.operands > 0) instruction.a = take();
    if (info.operands > 1) instruction.b = take();
    // Roots, and what divides, are taken well above 0; a difference may be at the kink of relu.
    if (info.op == ElementwiseOp::kReluGrad && instruction.a >= num_inputs) {
      instruction.a = AboveZero(instruction.a, program);
    }
    if (info.op == ElementwiseOp::kSqrt) instruction.a = AboveZero(instruction.a, program);
    if (info.op == ElementwiseOp::kDivide) instruction.b = AboveZero(instruction.b, program);
    if (info.has_constant) instruction.constant = source.Real(-2, 2);
    unread.insert(unread.begin(), program.num_registers());
    program.code.push_back(instruction);
  }
  return program;
}

// Drawn again where a rounding decides the result: next to a kink, or by what has cancelled.
OpSample FusedElementwiseSample(SampleSource& source) {
  for (;;) {
    const Shape shape = RandomShape(source, 0, 3);
    const int inputs = static_cast<int>(source.Int(1, 4));
    const ElementwiseProgram program = RandomProgram(source, inputs);
    OpSample sample{{{"program", program.ToText()}}, {}};
    const int tensor = static_cast<int>(source.Int(0, inputs - 1));  // another may be one number
    for (int i = 0; i < inputs; ++i) {
      const bool number = i != tensor && source.Int(0, 3) == 0;
      sample.inputs.push_back(source.RealsAwayFromZero(number ? Shape() : shape));
    }
    const auto [value, error] = LargestOf(program, PointersTo(sample.inputs));
    sample.inputs.resize(kMaxInputs);
    if (error <= 1e-4 * value || value == 0) return sample;
  }
}

}  // namespace

// Definition.

OpDef FusedElementwiseOp() {
  OpDef op("FusedElementwise", 2);
  op.Doc(
      "y = program(x0, x1, ...), element by element: several ops that compute each element from "
      "the same element of their inputs, without the tensors between them. A program is up to 32 "
      "instructions with semicolons between, each an op (add, subtract, multiply, divide, maximum, "
      "scale:FACTOR, fill_like:VALUE, abs, sqrt, relu, sigmoid, tanh, relu_grad, sigmoid_grad, "
      "tanh_grad) and its operands: x0 is the first input, t0 the result of the first instruction; "
      "y is that of the last. An input that is one number goes with every element.");
  for (int i = 0; i < kMaxInputs; ++i) {
    op.Input(
          {.name = absl::StrCat("x", i), .doc = "the shape of y, or one number", .optional = i > 0})
        .InPlace({0, i});
  }
  const TensorType x = RealType({2, 3});
  op.Output({.name = "y", .doc = "the shape of the first input that is not one number"})
      .Attribute(
          {.name = "program", .kind = AttributeKind::kString, .doc = "\"tanh x0; multiply t0 x1\""})
      .Constrain("C1", "no input is left out before one that is there")
      .Constrain("C2", "all inputs that are not one number have one shape")
      .Constrain("C3",
                 "program is well formed, and reads every input and every result but the last")
      .Shapes(FusedElementwiseShape)
      .Reject({"C1", {{"program", "add x0 x2"}}, {x, {}, x, {}, {}, {}, {}, {}}})
      .Reject({"C2", {{"program", "add x0 x1"}}, {x, RealType({3, 2}), {}, {}, {}, {}, {}, {}}})
      .Reject({"C2",
               {{"program", "add x0 x1; add t0 x2"}},
               {RealType({}), x, RealType({1}), {}, {}, {}, {}, {}}});
  for (const char* program : {"", "add x0 x2", "add x0", "add x0 x1;", "add x0 t0", "add:1 x0 x1",
                              "scale x0; add t0 x1", "cosh x0; add t0 x1", "tanh x0",
                              "tanh x1; add x0 x1", "scale:nan x0; add t0 x1", "add x0 x01"}) {
    op.Reject({"C3", {{"program", program}}, {x, x, {}, {}, {}, {}, {}, {}}});
  }
  return op.Reference(ComputeFusedElementwise<float>, ComputeFusedElementwise<double>)
      .Bound(FusedBound)
      .Steps(ElementwiseSteps())
      .Cost(
          "FLOPs for each element: 3 for sigmoid_grad and tanh_grad, none for fill_like, 1 for "
          "each "
          "other instruction.",
          FusedElementwiseCost)
      .Example({"weighted_difference",
                {{"program", "scale:2 x0; subtract t0 x1; relu t1"}},
                {Reals({3}, {1, 2, -1}), Reals({3}, {0.5, 7, -4}), {}, {}, {}, {}, {}, {}},
                {Reals({3}, {1.5, 0, 2})}})
      .Example({"every_op",
                {{"program",
                  "fill_like:0.5; multiply x0 t0; tanh t1; tanh_grad t2 x1; sigmoid x0; "
                  "sigmoid_grad t4 x1; relu x0; relu_grad t6 x1; add t3 t5; subtract t8 t7; "
                  "scale:-2 t9"}},
                {Reals({2}, {2, -1}), Reals({2}, {3, 4}), {}, {}, {}, {}, {}, {}},
                {Reals({2}, {2.850192437894804, -7.864477329659274})}})
      .Example({"numbers_and_quotients",
                {{"program", "abs x1; sqrt t0; divide x0 t1; maximum t2 x2"}},
                {RealScalar(6), Reals({3}, {-4, 9, 0.25}), RealScalar(2.5), {}, {}, {}, {}, {}},
                {Reals({3}, {3, 2.5, 12})}})
      .Samples(FusedElementwiseSample);
}

Value FusedElementwise(FunctionBuilder& g, absl::Span<const Value> inputs,
                       const ElementwiseProgram& program, std::string name) {
  return g.AddNode("FusedElementwise", inputs, {{"program", program.ToText()}}, std::move(name))[0];
}

}  // namespace seqgraph::ops
