#pragma once

// The messages of an HDF5 object header: what an object is and holds. Source of all layouts: "HDF5
// File Format Specification", version 3.0, part IV.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace seqgraph::hdf5 {

/// An address that points nowhere.
inline constexpr uint64_t kUndefined = ~uint64_t{0};
inline constexpr int kMaxRank = 32;

/// The element type of a dataset or attribute.
struct Datatype {
  enum class Kind { kInteger, kFloat, kFixedText, kVariableText, kOther };
  Kind kind = Kind::kOther;
  uint32_t size = 0;  ///< bytes an element
  bool is_signed = false;
  bool big_endian = false;
  std::string ToString() const;
};

/// The extents; `scalar` has none and one element.
struct Dataspace {
  bool scalar = false;
  bool null = false;  ///< holds nothing at all
  std::vector<uint64_t> extents;
  /// The number of elements; InvalidArgument if it is beyond 2^40.
  absl::StatusOr<uint64_t> Elements() const;
};

/// Where the elements of a dataset are.
struct Layout {
  bool compact = false;
  absl::string_view inside;  ///< compact: the elements themselves
  uint64_t address = kUndefined;
  uint64_t size = 0;
  /// Extents of a chunk; empty: it is not in chunks. `address` is that of their tree or, with
  /// `single_chunk`, of the one that there is; `size` is then what it has in the file, 0: all.
  std::vector<uint64_t> chunk;
  bool single_chunk = false;
  std::string unreadable;  ///< another layout, which is not read
};

/// A hard link of a group.
struct Link {
  std::string name;
  uint64_t address = kUndefined;
  std::string unreadable;  ///< a soft or external link, which is not followed
};

struct AttributeMessage {
  std::string name;
  Datatype type;
  Dataspace space;
  absl::string_view data;
};

absl::StatusOr<Datatype> ParseDatatype(absl::string_view bytes);
absl::StatusOr<Dataspace> ParseDataspace(absl::string_view bytes);
absl::StatusOr<Layout> ParseLayout(absl::string_view bytes);
absl::StatusOr<Link> ParseLink(absl::string_view bytes);
absl::StatusOr<AttributeMessage> ParseAttribute(absl::string_view bytes);

}  // namespace seqgraph::hdf5
