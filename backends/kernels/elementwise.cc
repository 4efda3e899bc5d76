// Ops that compute each element from the same element of their inputs, alone and fused.

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "backends/kernels/elementwise_loops.h"
#include "backends/kernels/loop_kernel.h"
#include "backends/kernels/makers.h"
#include "backends/kernels/parallel.h"
#include "base/status_macros.h"
#include "graph/elementwise_program.h"
#include "graph/op_def.h"

namespace seqgraph::kernels {
namespace {

constexpr int64_t kBlock = 256;  // floats: 32 results of instructions fill a first cache of 32 KB

// The loop of each instruction, of one or two operands; what has none is written out.
constexpr struct {
  ElementwiseOp op;
  UnaryLoop unary;
  BinaryLoop binary;
} kInstructionLoops[] = {
    {ElementwiseOp::kAdd, nullptr, AddLoop},
    {ElementwiseOp::kSubtract, nullptr, SubtractLoop},
    {ElementwiseOp::kMultiply, nullptr, MultiplyLoop},
    {ElementwiseOp::kDivide, nullptr, DivideLoop},
    {ElementwiseOp::kMaximum, nullptr, MaximumLoop},
    {ElementwiseOp::kAbs, AbsLoop, nullptr},
    {ElementwiseOp::kSqrt, SqrtLoop, nullptr},
    {ElementwiseOp::kRelu, ReluLoop, nullptr},
    {ElementwiseOp::kSigmoid, SigmoidLoop, nullptr},
    {ElementwiseOp::kTanh, TanhLoop, nullptr},
    {ElementwiseOp::kReluGrad, nullptr, ReluGradLoop},
    {ElementwiseOp::kSigmoidGrad, nullptr, SigmoidGradLoop},
    {ElementwiseOp::kTanhGrad, nullptr, TanhGradLoop},
};

void RunInstruction(const ElementwiseInstruction& code, const float* a, const float* b, int64_t n,
                    float* y) {
  const float constant = static_cast<float>(code.constant);
  if (code.op == ElementwiseOp::kScale) return ScaleLoop(a, constant, n, y);
  if (code.op == ElementwiseOp::kFillLike) return (void)std::fill_n(y, n, constant);
  for (const auto& row : kInstructionLoops) {
    if (row.op == code.op)
      return row.unary != nullptr ? row.unary(a, n, y) : row.binary(a, b, n, y);
  }
}

class FusedElementwiseKernel : public Kernel {
 public:
  // `numbers`: the inputs that are one number for all of `size` elements.
  FusedElementwiseKernel(ElementwiseProgram program, std::vector<int> numbers, int64_t size)
      : program_(std::move(program)), numbers_(std::move(numbers)), size_(size) {}

  std::string implementation() const override {
    return absl::StrCat("loops (", program_.code.size(), " instructions)");
  }
  int64_t scratch_bytes() const override {
    return static_cast<int64_t>((program_.code.size() + numbers_.size()) * kBlock * sizeof(float));
  }

  absl::Status Run(const KernelArgs& args) override {
    if (args.outputs[0] == nullptr) return absl::OkStatus();
    float* results = static_cast<float*>(args.scratch);
    const int inputs = program_.num_inputs;
    const int last = static_cast<int>(program_.code.size()) - 1;
    // Each input, and by how much it moves on with the elements: a number is repeated for a block.
    const float* from[ElementwiseProgram::kMaxInputs] = {};
    bool moves[ElementwiseProgram::kMaxInputs] = {};
    for (int i = 0; i < inputs; ++i) from[i] = In<float>(args, i), moves[i] = true;
    float* repeated = results + (last + 1) * kBlock;
    for (int i : numbers_) {
      std::fill_n(repeated, std::min(kBlock, size_), *from[i]);
      from[i] = repeated, moves[i] = false;
      repeated += kBlock;
    }
    for (int64_t begin = 0; begin < size_; begin += kBlock) {
      const int64_t n = std::min(kBlock, size_ - begin);
      const auto at = [&](int r) -> const float* {
        if (r < 0) return nullptr;
        if (r < inputs) return from[r] + (moves[r] ? begin : 0);
        return results + (r - inputs) * kBlock;
      };
      for (int i = 0; i <= last; ++i) {
        // Only the last one writes the output, which may be the memory of an input.
        float* y = i == last ? Out<float>(args, 0) + begin : results + i * kBlock;
        RunInstruction(program_.code[i], at(program_.code[i].a), at(program_.code[i].b), n, y);
      }
    }
    return absl::OkStatus();
  }

 private:
  const ElementwiseProgram program_;
  const std::vector<int> numbers_;
  const int64_t size_;
};

// loop(args, i, n) computes the elements [i, i + n) of the output.
template <typename Loop>
MadeKernel MakeBlocks(const KernelContext& context, Loop loop) {
  return MakeLoop(
      [loop, n = context.output_size(0), pool = context.pool()](const KernelArgs& args) {
        if (args.outputs[0] == nullptr) return;
        ForBlocks(*pool, n, [&](int64_t i, int64_t size) { loop(args, i, size); });
      });
}

}  // namespace

MadeKernel MakeMap(const KernelContext& context, UnaryLoop loop) {
  return MakeBlocks(context, [loop](const KernelArgs& args, int64_t i, int64_t n) {
    loop(In<float>(args, 0) + i, n, Out<float>(args, 0) + i);
  });
}

MadeKernel MakeMap(const KernelContext& context, BinaryLoop loop) {
  return MakeBlocks(context, [loop](const KernelArgs& args, int64_t i, int64_t n) {
    loop(In<float>(args, 0) + i, In<float>(args, 1) + i, n, Out<float>(args, 0) + i);
  });
}

MadeKernel MakeWhere(const KernelContext& context) {
  return MakeBlocks(context, [](const KernelArgs& args, int64_t i, int64_t n) {
    WhereLoop(In<int32_t>(args, 0) + i, In<float>(args, 1) + i, In<float>(args, 2) + i, n,
              Out<float>(args, 0) + i);
  });
}

MadeKernel MakeElu(const KernelContext& context) {
  const float alpha = static_cast<float>(context.attributes().GetFloat("alpha"));
  return MakeBlocks(context, [alpha](const KernelArgs& args, int64_t i, int64_t n) {
    EluLoop(In<float>(args, 0) + i, alpha, n, Out<float>(args, 0) + i);
  });
}

MadeKernel MakeElementwise(const KernelContext& context) {
  const FusableFacts& facts = *context.node().op->fusable();
  ElementwiseInstruction code{.op = facts.op};
  if (!facts.constant.empty()) code.constant = context.attributes().GetFloat(facts.constant);
  const int operands = InfoOf(facts.op).operands;
  return MakeBlocks(context, [code, operands](const KernelArgs& args, int64_t i, int64_t n) {
    const auto operand = [&](int k) { return k < operands ? In<float>(args, k) + i : nullptr; };
    RunInstruction(code, operand(0), operand(1), n, Out<float>(args, 0) + i);
  });
}

MadeKernel MakeFusedElementwise(const KernelContext& context) {
  int inputs = 0;
  for (Value input : context.node().inputs) inputs += input.present();
  SEQ_ASSIGN_OR_RETURN(
      ElementwiseProgram program,
      ElementwiseProgram::Parse(context.attributes().GetString("program"), inputs));
  std::vector<int> numbers;
  for (int i = 0; i < inputs; ++i) {
    if (context.input_size(i) != context.output_size(0)) numbers.push_back(i);
  }
  return std::make_unique<FusedElementwiseKernel>(std::move(program), std::move(numbers),
                                                  context.output_size(0));
}

}  // namespace seqgraph::kernels
