#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace seqgraph {

/// SHA-256 (FIPS 180-4): what has the same hash is the same, also if somebody tries that it is not.
struct ContentHash {
  std::array<uint8_t, 32> bytes{};

  /// 64 hexadecimal digits.
  std::string Hex() const;

  friend bool operator==(const ContentHash& a, const ContentHash& b) { return a.bytes == b.bytes; }
  friend bool operator!=(const ContentHash& a, const ContentHash& b) { return !(a == b); }
};

ContentHash HashBytes(absl::string_view bytes);

/// Of all that a file holds. An errno's code, naming the path, where it cannot be read.
absl::StatusOr<ContentHash> HashFile(const std::string& path);

}  // namespace seqgraph
