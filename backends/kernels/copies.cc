#include "backends/kernels/copies.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "backends/kernels/loop_kernel.h"
#include "graph/status_macros.h"
#include "graph/tensor.h"

namespace seqgraph::kernels {
namespace {

// One step in each row of a sequence [batch, time, ...].
struct Slice {
  Slice(const Shape& sequence, int64_t step) : rows(sequence[0].size()), time(sequence[1].size()) {
    width = 1;
    for (int i = 2; i < sequence.rank(); ++i) width *= sequence[i].size();
    begin = (step < 0 ? step + time : step) * width;
  }
  int64_t rows, time, width, begin;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Kernel>> MakeTakeStep(const NodeContext& context) {
  const Slice s(context.input_shape(0), context.attributes().GetInt("step"));
  return MakeLoop([s](const KernelArgs& args) {
    if (args.outputs[0] == nullptr) return;
    for (int64_t r = 0; r < s.rows; ++r) {
      std::copy_n(In<float>(args, 0) + r * s.time * s.width + s.begin, s.width,
                  Out<float>(args, 0) + r * s.width);
    }
  });
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeTakeStepGrad(const NodeContext& context) {
  const Slice s(context.output_shape(0), context.attributes().GetInt("step"));
  return MakeLoop([s](const KernelArgs& args) {
    if (args.outputs[0] == nullptr) return;
    float* dx = Out<float>(args, 0);
    std::fill_n(dx, s.rows * s.time * s.width, 0.0f);
    for (int64_t r = 0; r < s.rows; ++r) {
      std::copy_n(In<float>(args, 0) + r * s.width, s.width, dx + r * s.time * s.width + s.begin);
    }
  });
}

// The content is computed once, by the op's own definition, and copied in each call: the memory of
// the output is others' in between.
absl::StatusOr<std::unique_ptr<Kernel>> MakeConstant(const NodeContext& context) {
  SEQ_ASSIGN_OR_RETURN(Tensor content,
                       Tensor::Zeros(context.function().type(context.node().outputs[0])));
  const ReferenceContext::Operand output{content.data(), &content.type()};
  SEQ_RETURN_IF_ERROR(context.node().op->reference(DType::kFloat32)(
      ReferenceContext({}, absl::MakeConstSpan(&output, 1), context.attributes())));
  const auto kept = std::make_shared<const Tensor>(std::move(content));
  return MakeLoop([kept](const KernelArgs& args) {
    if (args.outputs[0] == nullptr) return;
    const absl::Span<const float> values = kept->Elements<float>();
    std::copy(values.begin(), values.end(), Out<float>(args, 0));
  });
}

}  // namespace seqgraph::kernels
