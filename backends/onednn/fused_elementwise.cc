// Programs of ops that compute element by element, block by block in the first cache.

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "backends/onednn/kernel_makers.h"
#include "backends/onednn/math_loops.h"
#include "graph/elementwise_program.h"
#include "graph/status_macros.h"

namespace seqgraph::onednn {
namespace {

constexpr int64_t kBlock = 256;  // floats: 32 results of instructions fill a first cache of 32 KB

void RunInstruction(const ElementwiseInstruction& code, const float* a, const float* b, int64_t n,
                    float* y) {
  const float constant = static_cast<float>(code.constant);
  switch (code.op) {
    case ElementwiseOp::kAdd:
      return Add(a, b, n, y);
    case ElementwiseOp::kSubtract:
      return Subtract(a, b, n, y);
    case ElementwiseOp::kMultiply:
      return Multiply(a, b, n, y);
    case ElementwiseOp::kScale:
      return Scale(a, constant, n, y);
    case ElementwiseOp::kFillLike:
      std::fill_n(y, n, constant);
      return;
    case ElementwiseOp::kRelu:
      return Relu(a, n, y);
    case ElementwiseOp::kSigmoid:
      return Sigmoid(a, n, y);
    case ElementwiseOp::kTanh:
      return Tanh(a, n, y);
    case ElementwiseOp::kReluGrad:
      return ReluGrad(a, b, n, y);
    case ElementwiseOp::kSigmoidGrad:
      return SigmoidGrad(a, b, n, y);
    case ElementwiseOp::kTanhGrad:
      return TanhGrad(a, b, n, y);
  }
}

class FusedElementwiseKernel : public Kernel {
 public:
  FusedElementwiseKernel(ElementwiseProgram program, int64_t size)
      : program_(std::move(program)), size_(size) {}

  std::string implementation() const override {
    return absl::StrCat("loops (", program_.code.size(), " instructions)");
  }
  int64_t scratch_bytes() const override {
    return static_cast<int64_t>(program_.code.size() * kBlock * sizeof(float));
  }

  absl::Status Run(const KernelArgs& args) override {
    if (args.outputs[0] == nullptr) return absl::OkStatus();
    float* results = static_cast<float*>(args.scratch);
    const int inputs = program_.num_inputs;
    const int last = static_cast<int>(program_.code.size()) - 1;
    for (int64_t begin = 0; begin < size_; begin += kBlock) {
      const int64_t n = std::min(kBlock, size_ - begin);
      const auto at = [&](int r) -> const float* {
        if (r < 0) return nullptr;
        return r < inputs ? In<float>(args, r) + begin : results + (r - inputs) * kBlock;
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
  const int64_t size_;
};

}  // namespace

MadeKernel MakeFusedElementwise(KernelContext& context) {
  int inputs = 0;
  for (Value input : context.node().inputs) inputs += input.present();
  SEQ_ASSIGN_OR_RETURN(
      ElementwiseProgram program,
      ElementwiseProgram::Parse(context.attributes().GetString("program"), inputs));
  return std::make_unique<FusedElementwiseKernel>(std::move(program), context.output_size(0));
}

}  // namespace seqgraph::onednn
