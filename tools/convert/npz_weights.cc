#include "tools/convert/npz_weights.h"

#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "base/zip.h"
#include "data/npy.h"

namespace seqgraph::tools {
namespace {

template <typename T>
Tensor FromArray(const data::NpyArray& array, const Shape& shape) {
  return Tensor::Of<T>(shape, *array.Values<T>()).Cast(DType::kFloat32);
}

absl::StatusOr<Tensor> ToTensor(const data::NpyArray& array) {
  Shape shape;
  for (const int64_t extent : array.shape) shape.Append(extent);
  SEQ_RETURN_IF_ERROR(shape.Validate());
  switch (array.type) {
    case data::NpyType::kFloat32:
      return FromArray<float>(array, shape);
    case data::NpyType::kFloat64:
      return FromArray<double>(array, shape);
    case data::NpyType::kInt32:
    case data::NpyType::kInt64:
      break;
  }
  return absl::InvalidArgumentError("holds integers, and weights are real");
}

std::vector<const Variable*> Weights(const Model& model) {
  std::vector<const Variable*> weights;
  for (const Variable& variable : model.variables.all()) {
    if (variable.def.role == VariableRole::kWeight) weights.push_back(&variable);
  }
  return weights;
}

}  // namespace

absl::StatusOr<std::string> NpzOfWeights(const Model& model) {
  std::vector<std::pair<std::string, std::string>> files;
  for (const Variable* variable : Weights(model)) {
    std::vector<int64_t> shape;
    for (const Dim dim : variable->value.shape().dims()) shape.push_back(dim.size());
    if (variable->value.dtype() != DType::kFloat32) {
      return absl::UnimplementedError(
          absl::StrCat("weight ", variable->def.name, " is ", variable->def.type.ToString()));
    }
    SEQ_ASSIGN_OR_RETURN(std::string file, data::NpyFile(variable->value.Elements<float>(), shape));
    files.push_back({absl::StrCat(variable->def.name, ".npy"), std::move(file)});
  }
  return WriteZip(files);
}

absl::Status ReadNpzWeights(const std::string& path, Model& model) {
  absl::StatusOr<std::map<std::string, data::NpyArray>> arrays = data::ReadNpz(path);
  SEQ_RETURN_IF_ERROR(arrays.status());
  const std::vector<const Variable*> weights = Weights(model);
  if (arrays->size() != weights.size()) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, ": has ", arrays->size(), " arrays, and the model ", weights.size(), " weights"));
  }
  const bool by_order = arrays->count("arr_0") == 1;
  for (size_t i = 0; i < weights.size(); ++i) {
    const std::string& variable = weights[i]->def.name;
    const std::string name = by_order ? absl::StrCat("arr_", i) : variable;
    const std::string where = absl::StrCat(path, ": array ", name);
    const auto array = arrays->find(name);
    if (array == arrays->end())
      return absl::InvalidArgumentError(absl::StrCat(where, " is missing"));
    SEQ_ASSIGN_OR_RETURN(const Tensor tensor, Annotate(ToTensor(array->second), where));
    SEQ_RETURN_IF_ERROR(Annotate(model.variables.Assign(variable, tensor), where));
  }
  return absl::OkStatus();
}

}  // namespace seqgraph::tools
