#include "tools/batched_run.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "runtime/profile.h"
#include "tools/array_files.h"

namespace seqgraph::tools {
namespace {

// `count` places along an axis, from `begin`.
Tensor SliceAxis(const Tensor& tensor, int axis, int64_t begin, int64_t count) {
  const AxisExtents extents(tensor.shape(), axis);
  Shape shape;
  for (int d = 0; d < tensor.shape().rank(); ++d) {
    shape.Append(d == axis ? Dim(count) : tensor.shape()[d]);
  }
  Tensor part = *Tensor::Zeros({tensor.dtype(), shape});  // No larger than what is there.
  const int64_t bytes = extents.inner * SizeOf(tensor.dtype());
  for (int64_t o = 0; o < extents.outer; ++o) {
    std::memcpy(static_cast<char*>(part.data()) + o * count * bytes,
                static_cast<const char*>(tensor.data()) + (o * extents.extent + begin) * bytes,
                static_cast<size_t>(count * bytes));
  }
  return part;
}

// Writes `part` over the places along the axis from `begin`.
void PlaceAlongAxis(const Tensor& part, int axis, int64_t begin, Tensor& whole) {
  const AxisExtents extents(whole.shape(), axis);
  const int64_t count = part.shape()[axis].size();
  const int64_t bytes = extents.inner * SizeOf(whole.dtype());
  for (int64_t o = 0; o < extents.outer; ++o) {
    std::memcpy(static_cast<char*>(whole.data()) + (o * extents.extent + begin) * bytes,
                static_cast<const char*>(part.data()) + o * count * bytes,
                static_cast<size_t>(count * bytes));
  }
}

absl::Status SetInputs(const Function& function, const std::vector<Tensor>& inputs, int64_t begin,
                       CompiledFunction& compiled) {
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Value input = function.inputs()[i];
    const int index = compiled.FindInput(function.info(input).name);
    if (index < 0) continue;  // No result depends on it.
    const int axis = BatchAxis(function.type(input).shape);
    SEQ_RETURN_IF_ERROR(compiled.SetInput(
        index, axis < 0 ? inputs[i] : SliceAxis(inputs[i], axis, begin, compiled.batch())));
  }
  return absl::OkStatus();
}

void TakeResults(const Function& function, int64_t begin, const CompiledFunction& compiled,
                 std::vector<Tensor>& results) {
  for (size_t i = 0; i < results.size(); ++i) {
    Tensor result = compiled.Result(compiled.FindResult(function.results()[i].name));
    const int axis = BatchAxis(function.type(function.results()[i].value).shape);
    if (axis < 0) {
      results[i] = std::move(result);
    } else {
      PlaceAlongAxis(result, axis, begin, results[i]);
    }
  }
}

}  // namespace

absl::StatusOr<std::vector<Tensor>> RunInBatches(ModelRunner& runner, const Function& function,
                                                 const std::vector<Tensor>& inputs,
                                                 const BatchedRunOptions& options) {
  std::vector<Tensor> results;
  for (const auto& result : function.results()) {
    const TensorType& type = function.type(result.value);
    SEQ_ASSIGN_OR_RETURN(results.emplace_back(),
                         Tensor::Zeros({type.dtype, type.shape.Bind(options.rows)}));
  }
  Profile* const profile = runner.profile();
  int profile_number = 0;
  CompiledFunction* compiled = nullptr;
  for (int64_t begin = 0; begin < options.rows; begin += options.batch) {
    if (options.interrupt != nullptr && options.interrupt->load()) {
      return Cancelled("interrupted after ", begin, " rows");
    }
    const int64_t count = std::min(options.batch, options.rows - begin);
    if (compiled == nullptr || count != compiled->batch()) {
      SEQ_ASSIGN_OR_RETURN(compiled, runner.Compile(function.name(), count));
      if (profile != nullptr) profile_number = profile->AddFunction(*compiled);
    }
    SEQ_RETURN_IF_ERROR(SetInputs(function, inputs, begin, *compiled));
    const absl::Status status =
        profile == nullptr ? compiled->Run() : profile->Run(profile_number, *compiled);
    if (!status.ok()) return Annotate(status, absl::StrCat("rows from ", begin));
    TakeResults(function, begin, *compiled, results);
  }
  return results;
}

}  // namespace seqgraph::tools
