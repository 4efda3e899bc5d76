// Ops that only move what is there, or write what is known beforehand.

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "backends/kernels/loop_kernel.h"
#include "backends/kernels/makers.h"
#include "base/status_macros.h"
#include "graph/evaluate.h"
#include "graph/tensor.h"

namespace seqgraph::kernels {
namespace {

// The elements begin, begin + stride, ... of an axis, `count` of them, in order; stride may be
// negative. Gather packs them, Scatter puts them back among zeros.
struct Picked {
  AxisExtents whole;
  int64_t begin, stride, count;

  void Gather(const float* x, float* y) const {
    for (int64_t o = 0; o < whole.outer; ++o, x += whole.extent * whole.inner) {
      for (int64_t i = 0; i < count; ++i) {
        y = std::copy_n(x + (begin + i * stride) * whole.inner, whole.inner, y);
      }
    }
  }
  void Scatter(const float* y, float* x) const {
    std::fill_n(x, whole.outer * whole.extent * whole.inner, 0.0f);
    for (int64_t o = 0; o < whole.outer; ++o, x += whole.extent * whole.inner) {
      for (int64_t i = 0; i < count; ++i, y += whole.inner) {
        std::copy_n(y, whole.inner, x + (begin + i * stride) * whole.inner);
      }
    }
  }
};

std::unique_ptr<Kernel> MakeGather(const Picked& picked) {
  return MakeLoop([picked](const KernelArgs& args) {
    if (args.outputs[0] != nullptr) picked.Gather(In<float>(args, 0), Out<float>(args, 0));
  });
}

std::unique_ptr<Kernel> MakeScatter(const Picked& picked) {
  return MakeLoop([picked](const KernelArgs& args) {
    if (args.outputs[0] != nullptr) picked.Scatter(In<float>(args, 0), Out<float>(args, 0));
  });
}

// One step of a sequence [batch, time, ...].
Picked Step(const Shape& sequence, int64_t step) {
  const AxisExtents whole(sequence, 1);
  return {whole, step < 0 ? step + whole.extent : step, 1, 1};
}

Picked SliceOf(const Shape& shape, const Attributes& attributes) {
  const int64_t begin = attributes.GetInt("begin"), end = attributes.GetInt("end");
  const int64_t stride = attributes.GetInt("stride");
  return {AxisExtents(shape, attributes.GetInt("axis")), begin, stride,
          begin == end ? 0 : (end - begin - 1) / stride + 1};
}

}  // namespace

MadeKernel MakeTakeStep(const KernelContext& context) {
  return MakeGather(Step(context.input_shape(0), context.attributes().GetInt("step")));
}

MadeKernel MakeTakeStepGrad(const KernelContext& context) {
  return MakeScatter(Step(context.output_shape(0), context.attributes().GetInt("step")));
}

MadeKernel MakeSlice(const KernelContext& context) {
  return MakeGather(SliceOf(context.input_shape(0), context.attributes()));
}

MadeKernel MakeSliceGrad(const KernelContext& context) {
  return MakeScatter(SliceOf(context.output_shape(0), context.attributes()));
}

MadeKernel MakeReverse(const KernelContext& context) {
  const AxisExtents whole(context.input_shape(0), context.attributes().GetInt("axis"));
  return MakeGather({whole, whole.extent - 1, -1, whole.extent});
}

MadeKernel MakeConcat(const KernelContext& context) {
  const int64_t axis = context.attributes().GetInt("axis");
  const AxisExtents a(context.input_shape(0), axis), b(context.input_shape(1), axis);
  const int64_t from_a = a.extent * a.inner, from_b = b.extent * b.inner;
  return MakeLoop([outer = a.outer, from_a, from_b](const KernelArgs& args) {
    float* y = Out<float>(args, 0);
    for (int64_t o = 0; o < outer && y != nullptr; ++o) {
      y = std::copy_n(In<float>(args, 0) + o * from_a, from_a, y);
      y = std::copy_n(In<float>(args, 1) + o * from_b, from_b, y);
    }
  });
}

MadeKernel MakePad(const KernelContext& context) {
  const Attributes& attributes = context.attributes();
  const AxisExtents x(context.input_shape(0), attributes.GetInt("axis"));
  const int64_t before = attributes.GetInt("before") * x.inner;
  const int64_t after = attributes.GetInt("after") * x.inner, row = x.extent * x.inner;
  const auto value = static_cast<float>(attributes.GetFloat("value"));
  return MakeLoop([=, outer = x.outer](const KernelArgs& args) {
    float* y = Out<float>(args, 0);
    for (int64_t o = 0; o < outer && y != nullptr; ++o) {
      y = std::fill_n(y, before, value);
      y = std::copy_n(In<float>(args, 0) + o * row, row, y);
      y = std::fill_n(y, after, value);
    }
  });
}

MadeKernel MakeReshape(const KernelContext& context) {
  return MakeLoop([n = context.input_size(0)](const KernelArgs& args) {
    const float* x = In<float>(args, 0);
    float* y = Out<float>(args, 0);
    if (y != nullptr && y != x) std::copy_n(x, n, y);
  });
}

MadeKernel MakeTranspose(const KernelContext& context) {
  struct Axis {
    int64_t extent, stride;  // in x
  };
  const Shape& x = context.input_shape(0);
  const std::vector<int64_t>& permutation = context.attributes().GetInts("permutation");
  std::vector<Axis> axes;  // in the order of y
  for (int64_t axis : permutation) {
    axes.push_back({x[static_cast<int>(axis)].size(), AxisExtents(x, axis).inner});
  }
  if (axes.empty()) axes.push_back({1, 1});
  return MakeLoop([axes, size = context.input_size(0)](const KernelArgs& args) {
    const float* x = In<float>(args, 0);
    float* y = Out<float>(args, 0);
    if (y == nullptr || size == 0) return;
    const Axis last = axes.back();
    for (int64_t i = 0; i < size; i += last.extent) {  // i: the first element of a row of y
      int64_t from = 0, rest = i / last.extent;
      for (size_t k = axes.size() - 1; k-- > 0; rest /= axes[k].extent) {
        from += rest % axes[k].extent * axes[k].stride;
      }
      for (int64_t j = 0; j < last.extent; ++j) y[i + j] = x[from + j * last.stride];
    }
  });
}

// The content is computed once, by the op's own definition, and copied in each call: the memory of
// the output is others' in between.
MadeKernel MakeConstant(const KernelContext& context) {
  SEQ_ASSIGN_OR_RETURN(OptionalTensors content,
                       Evaluate(*context.node().op, context.attributes(), OptionalTensors()));
  const auto kept = std::make_shared<const Tensor>(*std::move(content[0]));
  return MakeLoop([kept](const KernelArgs& args) {
    if (args.outputs[0] != nullptr) {
      std::memcpy(args.outputs[0], kept->data(), kept->num_bytes());
    }
  });
}

}  // namespace seqgraph::kernels
