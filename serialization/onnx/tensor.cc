#include "serialization/onnx/tensor.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/file_descriptor.h"
#include "base/status_macros.h"

namespace seqgraph::onnx {
namespace {

using onnx_proto::TensorProto;

struct TypeRow {
  int32_t type;
  const char* name;
  int64_t raw_bytes = 0;        // of an element in raw_data
  std::optional<DType> ours{};  // what holds its elements here
};

// The types that graphs have come first.
constexpr TypeRow kTypes[] = {
    {TensorProto::FLOAT, "float", 4, DType::kFloat32},
    {TensorProto::DOUBLE, "double", 8, DType::kFloat64},
    {TensorProto::INT32, "int32", 4, DType::kInt32},
    {TensorProto::INT64, "int64", 8, DType::kInt64},
    {TensorProto::BOOL, "bool", 1, DType::kInt32},
    {TensorProto::UINT8, "uint8", 1, DType::kInt32},
    {TensorProto::INT8, "int8", 1, DType::kInt32},
    {TensorProto::UINT16, "uint16", 2, DType::kInt32},
    {TensorProto::INT16, "int16", 2, DType::kInt32},
    {TensorProto::UINT32, "uint32", 4, DType::kInt64},
    {TensorProto::UINT64, "uint64", 8, DType::kInt64},
    {TensorProto::FLOAT16, "float16", 2, DType::kFloat32},
    {TensorProto::BFLOAT16, "bfloat16", 2, DType::kFloat32},
    {TensorProto::STRING, "string"},
    {TensorProto::COMPLEX64, "complex64"},
    {TensorProto::COMPLEX128, "complex128"},
};

const TypeRow* FindType(int32_t type) {
  for (const TypeRow& row : kTypes) {
    if (row.type == type) return &row;
  }
  return nullptr;
}

// The number that 16 bits of IEEE's binary16 are.
float FromHalf(uint16_t bits) {
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  const float magnitude = exponent == 31 ? (fraction == 0 ? INFINITY : NAN)
                          : exponent == 0
                              ? std::ldexp(static_cast<float>(fraction), -24)
                              : std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
  return bits >> 15 != 0 ? -magnitude : magnitude;
}

// bfloat16 is the upper half of a float.
float FromBfloat16(uint16_t bits) {
  const uint32_t wide = uint32_t{bits} << 16;
  float x;
  std::memcpy(&x, &wide, sizeof(x));
  return x;
}

// The shape; beyond the limits of Shape nothing is allocated.
absl::StatusOr<Shape> ShapeOf(const TensorProto& proto) {
  if (proto.dims_size() > Shape::kMaxRank) {
    return Unimplemented("it has ", proto.dims_size(), " axes; at most ", Shape::kMaxRank);
  }
  Shape shape;
  for (int64_t dim : proto.dims()) {
    if (dim < 0 || dim > Shape::kMaxElements) return InvalidArgument("it has an extent of ", dim);
    shape.Append(dim);
  }
  SEQ_RETURN_IF_ERROR(shape.Validate());
  return shape;
}

absl::Status CheckCount(int64_t have, int64_t want) {
  if (have == want) return absl::OkStatus();
  return InvalidArgument("it holds ", have, " elements, but its extents make ", want);
}

template <typename T, typename Field>
absl::StatusOr<Tensor> FromField(const Field& field, const TensorType& type) {
  SEQ_RETURN_IF_ERROR(CheckCount(field.size(), type.shape.num_elements()));
  SEQ_ASSIGN_OR_RETURN(Tensor tensor, Tensor::Zeros(type));
  std::copy(field.begin(), field.end(), tensor.Elements<T>().begin());
  return tensor;
}

// Elements of type From, each as `widen` makes it a T.
template <typename From, typename T, typename Widen>
void WidenRaw(absl::string_view raw, Tensor& tensor, Widen widen) {
  const absl::Span<T> elements = tensor.Elements<T>();
  for (size_t i = 0; i < elements.size(); ++i) {
    From x;
    std::memcpy(&x, raw.data() + i * sizeof(From), sizeof(From));
    elements[i] = widen(x);
  }
}

absl::Status FillFromRaw(absl::string_view raw, int32_t type, Tensor& tensor) {
  const auto as_it_is = [](auto x) { return x; };
  switch (type) {
    case TensorProto::BOOL:
      WidenRaw<uint8_t, int32_t>(raw, tensor, [](uint8_t x) { return x != 0 ? 1 : 0; });
      break;
    case TensorProto::UINT8:
      WidenRaw<uint8_t, int32_t>(raw, tensor, as_it_is);
      break;
    case TensorProto::INT8:
      WidenRaw<int8_t, int32_t>(raw, tensor, as_it_is);
      break;
    case TensorProto::UINT16:
      WidenRaw<uint16_t, int32_t>(raw, tensor, as_it_is);
      break;
    case TensorProto::INT16:
      WidenRaw<int16_t, int32_t>(raw, tensor, as_it_is);
      break;
    case TensorProto::UINT32:
      WidenRaw<uint32_t, int64_t>(raw, tensor, as_it_is);
      break;
    case TensorProto::FLOAT16:
      WidenRaw<uint16_t, float>(raw, tensor, FromHalf);
      break;
    case TensorProto::BFLOAT16:
      WidenRaw<uint16_t, float>(raw, tensor, FromBfloat16);
      break;
    default:
      if (!raw.empty()) std::memcpy(tensor.data(), raw.data(), raw.size());
  }
  if (type != TensorProto::UINT64) return absl::OkStatus();
  const auto elements = tensor.Elements<int64_t>();
  if (std::all_of(elements.begin(), elements.end(), [](int64_t x) { return x >= 0; })) {
    return absl::OkStatus();
  }
  return Unimplemented("it holds a uint64 of 2^63 or more");
}

absl::StatusOr<Tensor> FromBytes(absl::string_view raw, const TypeRow& row,
                                 const TensorType& type) {
  const int64_t count = static_cast<int64_t>(raw.size()) / row.raw_bytes;
  if (count * row.raw_bytes != static_cast<int64_t>(raw.size())) {
    return InvalidArgument("its ", raw.size(), " bytes are no whole number of elements");
  }
  SEQ_RETURN_IF_ERROR(CheckCount(count, type.shape.num_elements()));
  SEQ_ASSIGN_OR_RETURN(Tensor tensor, Tensor::Zeros(type));
  SEQ_RETURN_IF_ERROR(FillFromRaw(raw, row.type, tensor));
  return tensor;
}

// Narrow integers lie in int32_data; 16 bits of a float there too, wide unsigned ones by
// themselves.
absl::StatusOr<Tensor> FromFields(const TensorProto& proto, const TensorType& type) {
  switch (proto.data_type()) {
    case TensorProto::UINT32:
    case TensorProto::UINT64:
      return FromField<int64_t>(proto.uint64_data(), type);
    case TensorProto::FLOAT16:
    case TensorProto::BFLOAT16: {
      SEQ_ASSIGN_OR_RETURN(Tensor tensor, FromField<float>(proto.int32_data(), type));
      const bool half = proto.data_type() == TensorProto::FLOAT16;
      for (int i = 0; i < proto.int32_data_size(); ++i) {
        const auto bits = static_cast<uint16_t>(proto.int32_data(i));
        tensor.Elements<float>()[i] = half ? FromHalf(bits) : FromBfloat16(bits);
      }
      return tensor;
    }
    case TensorProto::FLOAT:
      return FromField<float>(proto.float_data(), type);
    case TensorProto::DOUBLE:
      return FromField<double>(proto.double_data(), type);
    case TensorProto::INT64:
      return FromField<int64_t>(proto.int64_data(), type);
    default:
      return FromField<int32_t>(proto.int32_data(), type);
  }
}

struct Range {
  std::string location;
  int64_t offset = 0;
  int64_t length = -1;  // absent
};

absl::StatusOr<Range> RangeOf(const TensorProto& proto) {
  Range range;
  for (const auto& entry : proto.external_data()) {
    int64_t* number = entry.key() == "offset"   ? &range.offset
                      : entry.key() == "length" ? &range.length
                                                : nullptr;
    if (entry.key() == "location") range.location = entry.value();
    if (number != nullptr && (!absl::SimpleAtoi(entry.value(), number) || *number < 0)) {
      return InvalidArgument("its external data has ", entry.key(), " \"", entry.value(), "\"");
    }
  }
  return range;
}

// The file, opened step by step from the folder, so that no link is followed, not even one that is
// put there meanwhile.
absl::StatusOr<FileDescriptor> OpenBelow(const std::string& folder, const std::string& location) {
  const auto refuse = [&](absl::string_view why) {
    return InvalidArgument("its external data lies in \"", location, "\": ", why);
  };
  if (location.empty() || location[0] == '/' || location.find('\0') != std::string::npos) {
    return refuse("it must be a path relative to the model's folder");
  }
  FileDescriptor at(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const std::vector<std::string> parts = absl::StrSplit(location, '/');
  for (size_t i = 0; i < parts.size(); ++i) {
    if (at.get() < 0) return refuse(std::strerror(errno));
    if (parts[i].empty() || parts[i] == "." || parts[i] == "..") {
      return refuse("it must not leave the model's folder: no \"..\", no \".\"");
    }
    const bool last = i + 1 == parts.size();
    at = FileDescriptor(
        openat(at.get(), parts[i].c_str(),
               O_RDONLY | O_NOFOLLOW | O_CLOEXEC | (last ? O_NONBLOCK : O_DIRECTORY)));
  }
  if (at.get() < 0) return refuse(errno == ELOOP ? "links are not followed" : std::strerror(errno));
  return at;
}

// The bytes of a tensor whose data_location is EXTERNAL: exactly `size`, out of the file that the
// key "location" names relative to `external->folder`, from "offset" on. Refused: an absolute
// path, "." or ".." in it, a link anywhere on the way, what is no regular file, and a range beyond
// the file's end or the budget.
absl::StatusOr<std::string> ReadExternalData(const TensorProto& proto, int64_t size,
                                             ExternalData* external) {
  if (external == nullptr || external->folder.empty()) {
    return InvalidArgument("its elements are in another file, which has no place here");
  }
  SEQ_ASSIGN_OR_RETURN(const Range range, RangeOf(proto));
  if (external->before) {
    SEQ_RETURN_IF_ERROR(external->before(absl::StrCat(external->folder, "/", range.location)));
  }
  SEQ_ASSIGN_OR_RETURN(const FileDescriptor file, OpenBelow(external->folder, range.location));
  struct stat info;
  if (fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return InvalidArgument("its external data \"", range.location, "\" is no regular file");
  }
  if (range.length >= 0 && range.length != size) {
    return InvalidArgument("its external data has ", range.length, " bytes, but its extents make ",
                           size);
  }
  if (range.offset > info.st_size || size > info.st_size - range.offset) {
    return InvalidArgument("its external data, ", size, " bytes from byte ", range.offset,
                           " on, goes beyond the ", info.st_size, " bytes of \"", range.location,
                           "\"");
  }
  if (size > external->budget) {
    return ResourceExhausted("external data is larger than what may be read");
  }
  external->budget -= size;
  std::string bytes(size, '\0');
  for (int64_t done = 0; done < size;) {
    const ssize_t got = pread(file.get(), bytes.data() + done, size - done, range.offset + done);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return InvalidArgument("cannot read external data \"", range.location, "\"");
    done += got;
  }
  return bytes;
}

}  // namespace

std::string ElementTypeName(int32_t type) {
  const TypeRow* row = FindType(type);
  return row != nullptr ? row->name : absl::StrCat("element type ", type);
}

absl::StatusOr<DType> DTypeFromOnnx(int32_t type) {
  const TypeRow* row = FindType(type);
  if (row != nullptr && row->ours.has_value()) return *row->ours;
  return Unimplemented("elements of type ", ElementTypeName(type),
                       " are not supported (numbers of at most 64 bits and bool are)");
}

int32_t DTypeToOnnx(DType dtype) {
  for (const TypeRow& row : kTypes) {
    if (row.ours == dtype) return row.type;
  }
  return TensorProto::UNDEFINED;
}

int32_t NarrowType(int32_t type) {
  const TypeRow* row = FindType(type);
  const bool narrow = row != nullptr && row->ours.has_value() && type != TensorProto::BOOL &&
                      DTypeToOnnx(*row->ours) != type;
  return narrow ? type : 0;
}

absl::StatusOr<Tensor> TensorFromOnnx(const TensorProto& proto, ExternalData* external) {
  SEQ_ASSIGN_OR_RETURN(const DType dtype, DTypeFromOnnx(proto.data_type()));
  const TypeRow& row = *FindType(proto.data_type());
  SEQ_ASSIGN_OR_RETURN(const Shape shape, ShapeOf(proto));
  if (proto.has_segment()) return Unimplemented("it is a segment of a tensor");
  const TensorType type{dtype, shape};
  const bool has_fields = proto.float_data_size() + proto.int32_data_size() +
                              proto.int64_data_size() + proto.double_data_size() +
                              proto.uint64_data_size() >
                          0;
  const bool is_external = proto.data_location() == TensorProto::EXTERNAL;
  if (is_external + proto.has_raw_data() + has_fields > 1) {
    return InvalidArgument("its elements are in more than one place");
  }
  if (is_external) {
    SEQ_ASSIGN_OR_RETURN(const std::string bytes,
                         ReadExternalData(proto, shape.num_elements() * row.raw_bytes, external));
    return FromBytes(bytes, row, type);
  }
  if (proto.has_raw_data()) return FromBytes(proto.raw_data(), row, type);
  return FromFields(proto, type);
}

TensorProto TensorToOnnx(const Tensor& tensor, std::string name) {
  TensorProto proto;
  proto.set_name(std::move(name));
  proto.set_data_type(DTypeToOnnx(tensor.dtype()));
  for (Dim dim : tensor.shape().dims()) proto.add_dims(dim.size());
  proto.set_raw_data(tensor.data(), tensor.num_bytes());
  return proto;
}

}  // namespace seqgraph::onnx
