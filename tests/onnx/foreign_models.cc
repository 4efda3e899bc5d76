#include "tests/onnx/foreign_models.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/atomic_file.h"
#include "base/status_macros.h"
#include "data/npy.h"
#include "graph/op_def.h"
#include "ops/all_ops.h"
#include "serialization/onnx/onnx.pb.h"
#include "serialization/onnx/onnx_reader.h"
#include "training/model_runner.h"

namespace seqgraph::onnx {
namespace {

constexpr int64_t kMaxFile = 64 << 20;
constexpr int64_t kOpenExtent = 5, kBatch = 3, kIds = 5;

using Arrays = std::map<std::string, data::NpyArray>;

template <typename T>
Tensor FromArray(const data::NpyArray& array) {
  Shape shape;
  for (int64_t extent : array.shape) shape.Append(extent);
  return Tensor::Of<T>(shape, *array.Values<T>());
}

std::optional<Tensor> Find(const Arrays& arrays, const char* prefix, size_t i) {
  for (const std::string& name : {absl::StrCat(prefix, i), absl::StrCat(prefix, "_", i)}) {
    const auto found = arrays.find(name);
    if (found == arrays.end()) continue;
    switch (found->second.type) {
      case data::NpyType::kFloat32:
        return FromArray<float>(found->second);
      case data::NpyType::kFloat64:
        return FromArray<double>(found->second);
      case data::NpyType::kInt32:
        return FromArray<int32_t>(found->second);
      case data::NpyType::kInt64:
        return FromArray<int64_t>(found->second);
    }
  }
  return std::nullopt;
}

// Numbers for the open extents behind the first axis that is not the batch to the reader.
std::map<std::string, int64_t> OpenExtents(const onnx_proto::GraphProto& graph,
                                           const Arrays& arrays) {
  std::map<std::string, int64_t> dims;
  for (int i = 0; i < graph.input_size(); ++i) {
    const auto& shape = graph.input(i).type().tensor_type().shape();
    const std::optional<Tensor> array = Find(arrays, "in", i);
    bool open = shape.dim_size() > 0 && !shape.dim(0).has_dim_value();
    for (int axis = 1; axis < shape.dim_size(); ++axis) {
      const bool has_number = shape.dim(axis).has_dim_value() && shape.dim(axis).dim_value() >= 0;
      if (has_number) continue;
      if (open) {
        const bool given = array.has_value() && axis < array->shape().rank();
        dims[absl::StrCat(graph.input(i).name(), ":", axis)] =
            given ? array->shape()[axis].size() : kOpenExtent;
      }
      open = true;
    }
  }
  return dims;
}

}  // namespace

std::vector<ForeignModel> ForeignModels(const std::string& folder) {
  std::vector<ForeignModel> models;
  if (!std::filesystem::is_directory(folder)) return models;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".onnx") continue;
    models.push_back({entry.path().stem().string(), entry.path().string()});
  }
  std::sort(models.begin(), models.end(),
            [](const ForeignModel& a, const ForeignModel& b) { return a.name < b.name; });
  return models;
}

absl::StatusOr<ForeignCase> ReadForeignCase(const ForeignModel& foreign) {
  SEQ_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(foreign.path, kMaxFile));
  onnx_proto::ModelProto proto;
  if (!proto.ParseFromString(bytes)) return InvalidArgument(foreign.path, " is no protobuf");
  const std::filesystem::path folder = std::filesystem::path(foreign.path).parent_path();
  const std::string stem = foreign.name.substr(0, foreign.name.find("__"));
  const std::string npz = (folder / absl::StrCat(stem, ".npz")).string();
  Arrays arrays;
  if (std::filesystem::exists(npz)) {
    SEQ_ASSIGN_OR_RETURN(arrays, data::ReadNpz(npz));
  }
  ForeignCase result;
  result.batch = kBatch;
  SEQ_ASSIGN_OR_RETURN(
      result.model, LoadOnnx(foreign.path, AllOps(), {.dims = OpenExtents(proto.graph(), arrays)}));
  const Function& predict = result.model.functions[0];
  for (size_t i = 0; i < predict.inputs().size(); ++i) {
    const Shape& shape = predict.type(predict.inputs()[i]).shape;
    const std::optional<Tensor> array = Find(arrays, "in", i);
    for (int axis = 0; array.has_value() && axis < shape.rank(); ++axis) {
      if (shape[axis].is_batch()) result.batch = array->shape()[axis].size();
    }
  }
  SampleSource source(3);
  for (size_t i = 0; i < predict.inputs().size(); ++i) {
    TensorType type = predict.type(predict.inputs()[i]);
    type.shape = type.shape.Bind(result.batch);
    const std::optional<Tensor> array = Find(arrays, "in", i);
    const Tensor random =
        IsReal(type.dtype) ? source.Reals(type.shape) : source.Indices(type.shape, kIds);
    result.inputs.push_back(array.value_or(random).Cast(type.dtype));
  }
  for (size_t i = 0; Find(arrays, "out", i).has_value(); ++i) {
    result.expected.push_back(*Find(arrays, "out", i));
  }
  return result;
}

absl::StatusOr<std::vector<Tensor>> RunForeignCase(ForeignCase& foreign,
                                                   const std::string& backends) {
  ModelRunner runner(&foreign.model, {.backend = backends});
  SEQ_ASSIGN_OR_RETURN(CompiledFunction* const predict, runner.Compile("predict", foreign.batch));
  for (size_t i = 0; i < foreign.inputs.size(); ++i) {
    SEQ_RETURN_IF_ERROR(predict->SetInput(static_cast<int>(i), foreign.inputs[i]));
  }
  SEQ_RETURN_IF_ERROR(predict->Run());
  std::vector<Tensor> results;
  for (size_t i = 0; i < predict->function().results().size(); ++i) {
    results.push_back(predict->Result(static_cast<int>(i)));
  }
  return results;
}

}  // namespace seqgraph::onnx
