#include "tests/streams/whole_and_steps.h"

#include <cstring>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "backends/all_backends.h"
#include "base/status_macros.h"
#include "graph/compare.h"
#include "graph/rewrite.h"
#include "seqgraph.h"

namespace seqgraph {
namespace {

// Copies step `t` of `steps` between a tensor of the whole sequence and one of a call, whose
// extents differ along the axis alone.
void CopySteps(const AxisExtents& whole, const AxisExtents& call, int64_t t, size_t element,
               const char* from, char* to, bool into_whole) {
  const size_t bytes = static_cast<size_t>(call.extent * call.inner) * element;
  for (int64_t outer = 0; outer < whole.outer; ++outer) {
    const size_t in_whole =
        static_cast<size_t>((outer * whole.extent + t * call.extent) * whole.inner) * element;
    const size_t in_call = static_cast<size_t>(outer * call.extent * call.inner) * element;
    std::memcpy(to + (into_whole ? in_whole : in_call), from + (into_whole ? in_call : in_whole),
                bytes);
  }
}

}  // namespace

absl::StatusOr<Model> CopyOf(const Model& model) {
  SEQ_ASSIGN_OR_RETURN(const std::string bytes, SerializeModel(model, ModelFormat::kBinary));
  return ParseModel(bytes, ModelFormat::kBinary, AllOps());
}

TensorMap RandomRow(const Model& model, uint64_t seed) {
  const Function& predict = *model.FindFunction("predict");
  std::mt19937_64 random(seed);
  TensorMap inputs;
  for (const Value input : predict.inputs()) {
    const ValueInfo& info = predict.info(input);
    Tensor tensor = *Tensor::Zeros({info.type.dtype, info.type.shape.Bind(1)});
    if (info.type.dtype == DType::kInt32) {
      const int64_t below = IndexLimit(predict, input).value_or(3);
      for (int32_t& id : tensor.Elements<int32_t>()) id = static_cast<int32_t>(random() % below);
    } else {
      for (float& x : tensor.Elements<float>()) {
        x = static_cast<float>(static_cast<double>(random() >> 11) * 0x1p-52 - 1);
      }
    }
    inputs.emplace(info.name, std::move(tensor));
  }
  return inputs;
}

absl::StatusOr<TensorMap> RunWhole(Model& model, const TensorMap& inputs) {
  SEQ_ASSIGN_OR_RETURN(const auto simd, AllBackends().ParseList("simd"));
  SEQ_ASSIGN_OR_RETURN(const Function* predict, model.GetFunction("predict"));
  SEQ_ASSIGN_OR_RETURN(auto compiled,
                       CompiledFunction::Compile(*predict, AllOps(), &model.variables,
                                                 {.backends = simd, .passes = StandardPasses()}));
  for (const auto& [name, tensor] : inputs) {
    SEQ_RETURN_IF_ERROR(compiled->SetInput(compiled->FindInput(name), tensor));
  }
  SEQ_RETURN_IF_ERROR(compiled->Run());
  TensorMap results;
  for (size_t r = 0; r < compiled->function().results().size(); ++r) {
    results.emplace(compiled->function().results()[r].name, compiled->Result(static_cast<int>(r)));
  }
  return results;
}

absl::Status CompareSteps(const StreamModel& model, const TensorMap& inputs,
                          const TensorMap& whole) {
  SEQ_ASSIGN_OR_RETURN(const auto stream, model.NewStream());
  int64_t calls = 0;
  for (const StreamPort& port : model.inputs()) {
    if (port.time_axis < 0) continue;
    const AxisExtents all(inputs.at(port.name).shape(), port.time_axis);
    calls = all.extent / AxisExtents(port.type.shape, port.time_axis).extent;
  }
  if (calls == 0) return InvalidArgument("no input has steps");
  for (const auto& [name, tensor] : inputs) {
    int64_t bytes = 0;
    void* const state = stream->state(name, &bytes);
    if (state != nullptr) std::memcpy(state, tensor.data(), static_cast<size_t>(bytes));
  }
  TensorMap told;
  for (int64_t t = 0; t < calls; ++t) {
    for (size_t i = 0; i < model.inputs().size(); ++i) {
      const StreamPort& port = model.inputs()[i];
      const Tensor& input = inputs.at(port.name);
      const int axis = port.time_axis < 0 ? 0 : port.time_axis;
      const bool once = port.time_axis < 0;
      CopySteps(AxisExtents(input.shape(), axis), AxisExtents(port.type.shape, axis), once ? 0 : t,
                SizeOf(port.type.dtype), static_cast<const char*>(input.data()),
                stream->input<char>(static_cast<int>(i)), /*into_whole=*/false);
    }
    SEQ_RETURN_IF_ERROR(stream->Step());
    for (size_t r = 0; r < model.results().size(); ++r) {
      const StreamPort& port = model.results()[r];
      const bool once = port.time_axis < 0;
      if (told.count(port.name) == 0) {
        SEQ_ASSIGN_OR_RETURN(told[port.name], Tensor::Zeros(whole.at(port.name).type()));
      }
      Tensor& to = told.at(port.name);
      const int axis = once ? 0 : port.time_axis;
      // In steps of the result; those before its first are not told.
      const int64_t step = once ? 0 : t - port.delay / AxisExtents(port.type.shape, axis).extent;
      if (step < 0) continue;
      CopySteps(AxisExtents(to.shape(), axis), AxisExtents(port.type.shape, axis), step,
                SizeOf(port.type.dtype), stream->result<char>(static_cast<int>(r)),
                static_cast<char*>(to.data()), /*into_whole=*/true);
    }
  }
  for (const StreamPort& port : model.results()) {
    const Tensor &a = told.at(port.name), &b = whole.at(port.name);
    if (a.BitwiseEquals(b)) continue;
    return Internal("result ", port.name, " of ", calls,
                    " calls differs: ", ComparisonText(Compare(a, b), b.shape()));
  }
  return absl::OkStatus();
}

}  // namespace seqgraph
