#include "tools/diff/model_inputs.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "data/npy.h"
#include "data/text_dataset.h"
#include "training/model_builder.h"
#include "training/preprocessing.h"

namespace seqgraph::diff {
namespace {

DType DTypeOfNpy(data::NpyType type) {
  switch (type) {
    case data::NpyType::kInt32:
      return DType::kInt32;
    case data::NpyType::kInt64:
      return DType::kInt64;
    case data::NpyType::kFloat32:
      return DType::kFloat32;
    case data::NpyType::kFloat64:
      return DType::kFloat64;
  }
  return DType::kFloat32;
}

// The array as an input of that type; sets *batch if it is 0, and compares otherwise.
absl::StatusOr<Tensor> FromArray(const data::NpyArray& array, const TensorType& type,
                                 int64_t* batch) {
  const auto misfit = [&] {
    std::vector<Dim> dims(array.shape.begin(), array.shape.end());
    return InvalidArgument("expected ", type.ToString(), *batch > 0 ? " with batch " : "",
                           *batch > 0 ? absl::StrCat(*batch) : "", ", found ",
                           data::NpyDescr(array.type), Shape(absl::MakeConstSpan(dims)).ToString());
  };
  if (array.shape.size() != static_cast<size_t>(type.shape.rank())) return misfit();
  Shape shape;
  for (int d = 0; d < type.shape.rank(); ++d) {
    const int64_t extent = array.shape[d];
    if (type.shape[d].is_batch()) {
      if (*batch == 0 && extent > 0) *batch = extent;
      if (extent != *batch) return misfit();
    } else if (type.shape[d] != extent) {
      return misfit();
    }
    shape.Append(extent);
  }
  const DType dtype = DTypeOfNpy(array.type);
  if (IsReal(dtype) != IsReal(type.dtype)) return misfit();
  SEQ_ASSIGN_OR_RETURN(Tensor tensor, Tensor::Zeros({dtype, shape}));
  if (tensor.num_bytes() != static_cast<int64_t>(array.bytes.size())) return misfit();
  if (!array.bytes.empty()) std::memcpy(tensor.data(), array.bytes.data(), array.bytes.size());
  return tensor.Cast(type.dtype);
}

}  // namespace

absl::StatusOr<ModelInputs> InputsFromFile(const Function& function, const std::string& path) {
  SEQ_ASSIGN_OR_RETURN(const auto arrays, Annotate(data::ReadNpz(path), path));
  ModelInputs inputs{.batch = 0};
  for (Value value : function.inputs()) {
    const ValueInfo& info = function.info(value);
    const auto found = arrays.find(info.name);
    if (found == arrays.end()) {
      return InvalidArgument(path, " has no array ", info.name, ", an input of function ",
                             function.name());
    }
    SEQ_ASSIGN_OR_RETURN(inputs.tensors[info.name],
                         Annotate(FromArray(found->second, info.type, &inputs.batch),
                                  absl::StrCat(path, ": array ", info.name)));
  }
  inputs.batch = std::max<int64_t>(inputs.batch, 1);
  return inputs;
}

absl::StatusOr<ModelInputs> InputsFromTexts(const Model& model, const Function& function,
                                            const std::string& data, int64_t batch) {
  SEQ_ASSIGN_OR_RETURN(const data::Vocabulary vocabulary,
                       Annotate(VocabularyOf(model), absl::StrCat("model ", model.name)));
  const int64_t maxlen = model.preprocessing.maxlen;
  SEQ_ASSIGN_OR_RETURN(
      const data::TokenSet set,
      data::EncodeTexts(data, data::Split::kTrain, vocabulary, static_cast<int>(maxlen), {}));
  ModelInputs inputs{.batch = std::min(batch, set.rows)};
  // In file order all reviews of one label come first: every so many-th one has both.
  const int64_t stride = set.rows / inputs.batch;
  std::vector<int32_t> tokens;
  std::vector<float> labels;
  for (int64_t i = 0; i < inputs.batch; ++i) {
    const absl::Span<const int32_t> row = set.Row(i * stride);
    tokens.insert(tokens.end(), row.begin(), row.end());
    labels.push_back(static_cast<float>(set.targets[static_cast<size_t>(i * stride)]));
  }
  for (Value value : function.inputs()) {
    const ValueInfo& info = function.info(value);
    if (info.type == TensorType{DType::kInt32, {Dim::Batch(), maxlen}}) {
      inputs.tensors[info.name] =
          Tensor::Of<int32_t>({inputs.batch, maxlen}, absl::MakeConstSpan(tokens));
    } else if (info.name == kLabels &&
               info.type == TensorType{DType::kFloat32, {Dim::Batch(), 1}}) {
      inputs.tensors[info.name] = Tensor::Of<float>({inputs.batch, 1}, absl::MakeConstSpan(labels));
    } else {
      return InvalidArgument("function ", function.name(), " has an input ", info.name, ", ",
                             info.type.ToString(),
                             ", that is neither tokens nor labels of reviews: "
                             "give all inputs with --inputs=FILE.npz");
    }
  }
  return inputs;
}

}  // namespace seqgraph::diff
