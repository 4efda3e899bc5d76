#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace seqgraph {

/// Reads little-endian numbers off untrusted bytes. What lies beyond the end reads as zeros and
/// turns ok() false for good, so that a caller checks once for a whole structure.
class ByteCursor {
 public:
  explicit ByteCursor(absl::string_view bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  size_t position() const { return position_; }
  size_t left() const { return bytes_.size() - position_; }

  uint64_t Number(int size) {
    const absl::string_view bytes = Take(size);
    uint64_t value = 0;
    for (size_t i = 0; i < bytes.size(); ++i) {
      value |= uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
    }
    return value;
  }
  uint8_t U8() { return static_cast<uint8_t>(Number(1)); }
  uint16_t U16() { return static_cast<uint16_t>(Number(2)); }
  uint32_t U32() { return static_cast<uint32_t>(Number(4)); }
  uint64_t U64() { return Number(8); }
  /// A number of eight bytes, of things of which each takes `size` bytes that are still to come.
  uint64_t Count(uint64_t size) {
    const uint64_t count = U64();
    ok_ = ok_ && count <= left() / size;
    return ok_ ? count : 0;
  }

  /// The next bytes; none if there are not that many.
  absl::string_view Take(uint64_t size) {
    if (!ok_ || size > left()) {
      ok_ = false;
      return {};
    }
    const absl::string_view taken = bytes_.substr(position_, size);
    position_ += size;
    return taken;
  }
  void Skip(uint64_t size) { Take(size); }
  /// To the next multiple of eight from where the cursor began, or to the end.
  void Align() { position_ = std::min(bytes_.size(), (position_ + 7) / 8 * 8); }

 private:
  absl::string_view bytes_;
  size_t position_ = 0;
  bool ok_ = true;
};

/// The number as the cursor reads it, in that many bytes.
inline std::string NumberBytes(uint64_t value, int size) {
  std::string bytes;
  for (int i = 0; i < size; ++i) bytes += static_cast<char>(value >> (8 * i));
  return bytes;
}

}  // namespace seqgraph
