#pragma once

// numpy's array files: .npy (one array; numpy.lib.format versions 1.0 to 3.0) and .npz (a zip of
// them).
//
//   absl::StatusOr<std::string> file = NpyFile(absl::MakeConstSpan(tokens), {rows, maxlen});
//   absl::StatusOr<NpyArray> array = ReadNpy("tokens.npy");
//   absl::StatusOr<absl::Span<const int32_t>> values = array->Values<int32_t>();

#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace seqgraph::data {

/// The element types that arrays here have. Read are also truth values and integers of fewer bytes
/// (as int32), uint32 and uint64 (as int64), float16 (as float32), and the other byte order.
enum class NpyType { kInt32, kInt64, kFloat32, kFloat64 };

/// numpy's name for it: "<i4", "<i8", "<f4", "<f8".
absl::string_view NpyDescr(NpyType type);

/// Bytes an element.
int64_t NpyItemSize(NpyType type);

template <typename T>
struct NpyTypeOf;
template <>
struct NpyTypeOf<int32_t> {
  static constexpr NpyType value = NpyType::kInt32;
};
template <>
struct NpyTypeOf<int64_t> {
  static constexpr NpyType value = NpyType::kInt64;
};
template <>
struct NpyTypeOf<float> {
  static constexpr NpyType value = NpyType::kFloat32;
};
template <>
struct NpyTypeOf<double> {
  static constexpr NpyType value = NpyType::kFloat64;
};

/// An array in row-major (C) order, whatever the order in its file. The shape {} is a scalar, with
/// one element.
struct NpyArray {
  NpyType type = NpyType::kFloat32;
  std::vector<int64_t> shape;
  std::vector<char> bytes;

  int64_t size() const { return static_cast<int64_t>(bytes.size()) / NpyItemSize(type); }

  /// The elements, if they are of type T; InvalidArgument otherwise. Holds as long as the array.
  template <typename T>
  absl::StatusOr<absl::Span<const T>> Values() const {
    absl::Status status = CheckType(NpyTypeOf<T>::value);
    if (!status.ok()) return status;
    return absl::MakeConstSpan(reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T));
  }

  absl::Status CheckType(NpyType wanted) const;
};

/// Files beyond this are refused (ResourceExhausted), so are .npz files whose arrays together are,
/// and an array that would be once it is read.
inline constexpr int64_t kMaxNpyBytes = int64_t{1} << 31;

/// The bytes of a version 1.0 file up to the first element, as numpy writes them: padded so that
/// the elements start at a multiple of 64.
std::string NpyHeader(NpyType type, absl::Span<const int64_t> shape);

/// The bytes of a version 1.0 file; writing them is the caller's. InvalidArgument if the shape does
/// not have as many elements as `elements` holds.
absl::StatusOr<std::string> NpyFile(NpyType type, absl::Span<const int64_t> shape,
                                    absl::string_view elements);

/// The same from typed elements.
template <typename T>
absl::StatusOr<std::string> NpyFile(absl::Span<const T> elements, absl::Span<const int64_t> shape) {
  return NpyFile(NpyTypeOf<T>::value, shape,
                 absl::string_view(reinterpret_cast<const char*>(elements.data()),
                                   elements.size() * sizeof(T)));
}

/// Parses the bytes of a whole .npy file; `name` is for messages. InvalidArgument, saying what was
/// expected and found, for anything malformed, too long, too short or of another element type, and
/// for a uint64 beyond 2^63 - 1. An array in Fortran order is put in C order. Allocates no more
/// than the elements that are there, as they are in the file and as they are here.
absl::StatusOr<NpyArray> ParseNpy(absl::string_view bytes, absl::string_view name);

/// Bytes of a .npy file, and of the elements as they are here.
struct NpySize {
  int64_t file = 0, array = 0;
};

/// What its header says, from its first bytes: before more of them is read, or unpacked. Errors as
/// ParseNpy, and ResourceExhausted beyond kMaxNpyBytes.
absl::StatusOr<NpySize> MeasureNpy(absl::string_view start, absl::string_view name);

/// Reads a .npy file. ResourceExhausted where it would take more than MemoryLimit().
absl::StatusOr<NpyArray> ReadNpy(const std::string& path);

/// Reads a .npz file, stored or compressed: the arrays by name, without ".npy". No more of one is
/// unpacked than its header says, and nothing beyond MemoryLimit().
absl::StatusOr<std::map<std::string, NpyArray>> ReadNpz(const std::string& path);

}  // namespace seqgraph::data
