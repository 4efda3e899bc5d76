#include "serialization/tensor_proto.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <optional>
#include <string>

#include "base/status_macros.h"
#include "google/protobuf/repeated_field.h"
#include "serialization/enum_table.h"

namespace seqgraph {
namespace {

static_assert(std::endian::native == std::endian::little,
              "raw elements are little-endian: swap them here for other machines");

using google::protobuf::RepeatedField;

// False if some element has no exact text.
template <typename T>
bool WriteValues(const Tensor& tensor, RepeatedField<T>* values) {
  const absl::Span<const T> elements = tensor.Elements<T>();
  for (const T x : elements) {
    if (std::isnan(static_cast<double>(x))) return false;
  }
  values->Add(elements.begin(), elements.end());
  return true;
}

bool WriteValues(const Tensor& tensor, proto::Tensor& out) {
  switch (tensor.dtype()) {
    case DType::kFloat32:
      return WriteValues(tensor, out.mutable_float32_values());
    case DType::kFloat64:
      return WriteValues(tensor, out.mutable_float64_values());
    case DType::kInt32:
      return WriteValues(tensor, out.mutable_int32_values());
    case DType::kInt64:
      return WriteValues(tensor, out.mutable_int64_values());
  }
  return false;
}

template <typename T>
absl::StatusOr<Tensor> ReadValues(const RepeatedField<T>& values, const TensorType& type) {
  if (values.size() != type.shape.num_elements()) {
    return InvalidArgument(type.ToString(), " needs ", type.shape.num_elements(), " values, found ",
                           values.size());
  }
  return Tensor::Of<T>(type.shape, absl::MakeConstSpan(values.data(), values.size()));
}

absl::StatusOr<Tensor> ReadValues(const proto::Tensor& from, const TensorType& type) {
  switch (type.dtype) {
    case DType::kFloat32:
      return ReadValues(from.float32_values(), type);
    case DType::kFloat64:
      return ReadValues(from.float64_values(), type);
    case DType::kInt32:
      return ReadValues(from.int32_values(), type);
    case DType::kInt64:
      return ReadValues(from.int64_values(), type);
  }
  return Internal("no such element type");
}

absl::StatusOr<Tensor> ReadRaw(const std::string& raw, const TensorType& type) {
  if (static_cast<int64_t>(raw.size()) != type.num_bytes()) {
    return InvalidArgument(type.ToString(), " needs ", type.num_bytes(), " bytes, found ",
                           raw.size());
  }
  SEQ_ASSIGN_OR_RETURN(Tensor tensor, Tensor::Zeros(type));
  if (!raw.empty()) std::memcpy(tensor.data(), raw.data(), raw.size());
  return tensor;
}

constexpr EnumRow<DType, proto::DType> kDTypes[] = {{DType::kFloat32, proto::FLOAT32},
                                                    {DType::kFloat64, proto::FLOAT64},
                                                    {DType::kInt32, proto::INT32},
                                                    {DType::kInt64, proto::INT64}};

}  // namespace

proto::DType DTypeToProto(DType dtype) { return EnumToProto(kDTypes, dtype); }

absl::StatusOr<DType> DTypeFromProto(proto::DType dtype) {
  if (const std::optional<DType> known = EnumFromProto(kDTypes, dtype)) return *known;
  return InvalidArgument("element type ", static_cast<int>(dtype),
                         " is none of FLOAT32, FLOAT64, INT32, INT64");
}

proto::TensorType TypeToProto(const TensorType& type) {
  proto::TensorType out;
  out.set_dtype(DTypeToProto(type.dtype));
  for (const Dim dim : type.shape.dims()) out.add_dims(dim.is_batch() ? -1 : dim.size());
  return out;
}

absl::StatusOr<TensorType> TypeFromProto(const proto::TensorType& from) {
  SEQ_ASSIGN_OR_RETURN(const DType dtype, DTypeFromProto(from.dtype()));
  if (from.dims_size() > Shape::kMaxRank) {
    return InvalidArgument("rank ", from.dims_size(), " is more than ", Shape::kMaxRank);
  }
  TensorType type{dtype, {}};
  for (const int64_t dim : from.dims()) {
    if (dim < -1) return InvalidArgument("extent ", dim, " is negative and not -1, the batch");
    type.shape.Append(dim == -1 ? Dim::Batch() : Dim(dim));
  }
  SEQ_RETURN_IF_ERROR(type.shape.Validate());
  return type;
}

proto::Tensor TensorToProto(const Tensor& tensor, TensorEncoding encoding) {
  proto::Tensor out;
  *out.mutable_type() = TypeToProto(tensor.type());
  if (encoding == TensorEncoding::kValues && WriteValues(tensor, out)) return out;
  out.set_raw(tensor.data(), tensor.num_bytes());
  return out;
}

absl::StatusOr<Tensor> TensorFromProto(const proto::Tensor& from) {
  SEQ_ASSIGN_OR_RETURN(const TensorType type, TypeFromProto(from.type()));
  if (!type.shape.is_static()) {
    return InvalidArgument("a tensor cannot have the symbolic batch: ", type.ToString());
  }
  const int values = from.float32_values_size() + from.float64_values_size() +
                     from.int32_values_size() + from.int64_values_size();
  if (values > 0 && !from.raw().empty()) {
    return InvalidArgument(type.ToString(), " has its elements twice: as raw bytes and as values");
  }
  if (values == 0) return ReadRaw(from.raw(), type);
  SEQ_ASSIGN_OR_RETURN(Tensor tensor, ReadValues(from, type));
  if (tensor.num_elements() != values) {
    return InvalidArgument(type.ToString(), " also has values of another element type");
  }
  return tensor;
}

}  // namespace seqgraph
