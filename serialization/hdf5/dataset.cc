#include "serialization/hdf5/dataset.h"

#include <cmath>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/byte_cursor.h"
#include "base/status_macros.h"
#include "serialization/hdf5/messages.h"

namespace seqgraph::hdf5 {
namespace {

// What the elements become; none for a type that has no exact counterpart.
absl::StatusOr<DType> TargetOf(const Datatype& type) {
  const bool narrow = type.size < 4 || (type.size == 4 && type.is_signed);
  if (type.kind == Datatype::Kind::kInteger && type.size <= 8 && !type.big_endian) {
    if (narrow) return DType::kInt32;
    if (type.size == 4 || type.is_signed) return DType::kInt64;
  }
  if (type.kind == Datatype::Kind::kFloat && !type.big_endian) {
    return type.size == 8 ? DType::kFloat64 : DType::kFloat32;
  }
  return absl::InvalidArgumentError(absl::StrCat("holds ", type.ToString(), ", which is not read"));
}

// IEEE 754 binary16 to float; exact.
float FromHalf(uint16_t half) {
  const int exponent = half >> 10 & 31;
  const int fraction = half & 1023;
  const float sign = (half & 0x8000) != 0 ? -1.0f : 1.0f;
  if (exponent == 31) return fraction == 0 ? sign * INFINITY : NAN;
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(fraction), -24);
  return sign * std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
}

int64_t FromInteger(uint64_t bits, const Datatype& type) {
  const int unused = 64 - 8 * static_cast<int>(type.size);
  if (!type.is_signed || unused == 0) return static_cast<int64_t>(bits);
  return static_cast<int64_t>(bits << unused) >> unused;
}

void Fill(absl::string_view bytes, const Datatype& type, Tensor& tensor) {
  if (static_cast<int64_t>(bytes.size()) == tensor.num_bytes()) {
    std::memcpy(tensor.data(), bytes.data(), bytes.size());
    return;
  }
  ByteCursor cursor(bytes);
  for (int64_t i = 0; i < tensor.num_elements(); ++i) {
    const uint64_t bits = cursor.Number(static_cast<int>(type.size));
    if (tensor.dtype() == DType::kFloat32) {
      tensor.Elements<float>()[i] = FromHalf(static_cast<uint16_t>(bits));
    } else if (tensor.dtype() == DType::kInt32) {
      tensor.Elements<int32_t>()[i] = static_cast<int32_t>(FromInteger(bits, type));
    } else {
      tensor.Elements<int64_t>()[i] = FromInteger(bits, type);
    }
  }
}

// The bytes of the elements, all `size` of them.
absl::StatusOr<absl::string_view> Contents(absl::string_view file, const Layout& layout,
                                           uint64_t size) {
  absl::string_view bytes = layout.inside;
  if (!layout.compact && size > 0) {
    if (layout.address == kUndefined) {
      return absl::InvalidArgumentError("was never written");
    }
    if (layout.address > file.size() || size > file.size() - layout.address) {
      return absl::InvalidArgumentError("its elements lie beyond the end of the file");
    }
    bytes = file.substr(layout.address, size);
  }
  if (layout.size < size || bytes.size() < size) {
    return absl::InvalidArgumentError(
        absl::StrCat("takes ", size, " bytes, and only ", layout.size, " are there"));
  }
  return bytes.substr(0, size);
}

}  // namespace

absl::Status ReadDataset(absl::string_view file, const ObjectHeader& header, Budget* budget,
                         Node* node) {
  const Message* type_message = header.Find(MessageType::kDatatype);
  const Message* space_message = header.Find(MessageType::kDataspace);
  const Message* layout_message = header.Find(MessageType::kLayout);
  if (type_message == nullptr || space_message == nullptr || layout_message == nullptr) {
    return absl::InvalidArgumentError("a dataset needs a type, extents and a layout");
  }
  SEQ_ASSIGN_OR_RETURN(const Datatype type, ParseDatatype(type_message->data));
  SEQ_ASSIGN_OR_RETURN(const Dataspace space, ParseDataspace(space_message->data));
  SEQ_ASSIGN_OR_RETURN(const Layout layout, ParseLayout(layout_message->data));
  SEQ_ASSIGN_OR_RETURN(const uint64_t elements, space.Elements());
  if (header.Find(MessageType::kExternalFiles) != nullptr) {
    node->unreadable = "lies in another file, which is not opened";
    return absl::OkStatus();
  }
  if (header.Find(MessageType::kFilters) != nullptr) {
    node->unreadable =
        "is compressed, which is not read: write the file anew with `h5repack -f NONE`";
    return absl::OkStatus();
  }
  const absl::StatusOr<DType> target = TargetOf(type);
  if (!layout.unreadable.empty() || !target.ok() || space.null) {
    node->unreadable = !layout.unreadable.empty() ? layout.unreadable
                       : !target.ok()             ? std::string(target.status().message())
                                                  : "holds nothing";
    return absl::OkStatus();
  }
  // At most 2^40 elements of at most 8 bytes: no overflow.
  SEQ_ASSIGN_OR_RETURN(const absl::string_view bytes, Contents(file, layout, elements * type.size));
  SEQ_RETURN_IF_ERROR(budget->Copy(bytes.size()));
  Shape shape;
  for (const uint64_t extent : space.extents) shape.Append(static_cast<int64_t>(extent));
  // Extents beside a zero are not in the product.
  SEQ_RETURN_IF_ERROR(shape.Validate());
  SEQ_ASSIGN_OR_RETURN(Tensor tensor, Tensor::Zeros({*target, shape}));
  Fill(bytes, type, tensor);
  node->value = std::move(tensor);
  return absl::OkStatus();
}

}  // namespace seqgraph::hdf5
