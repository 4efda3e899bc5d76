#include "base/printable.h"

#include "absl/strings/ascii.h"

namespace seqgraph {
namespace {

// Bytes of the character that text begins with, in UTF-8, if it must not be printed; otherwise 0.
size_t UnprintableBytes(absl::string_view text) {
  const auto byte = [text](size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
  };
  if (absl::ascii_iscntrl(byte(0))) return 1;
  if (byte(0) == 0xC2 && byte(1) >= 0x80 && byte(1) <= 0x9F) return 2;
  if (byte(0) != 0xE2) return 0;
  const bool breaks = byte(1) == 0x80 && byte(2) >= 0xA8 && byte(2) <= 0xAE;
  const bool isolates = byte(1) == 0x81 && byte(2) >= 0xA6 && byte(2) <= 0xA9;
  return breaks || isolates ? 3 : 0;
}

}  // namespace

std::string Printable(absl::string_view text, absl::string_view kept) {
  std::string line;
  line.reserve(text.size());
  while (!text.empty()) {
    const bool stays = kept.find(text[0]) != kept.npos;
    const size_t bytes = stays ? 0 : UnprintableBytes(text);
    line += bytes == 0 ? text[0] : ' ';
    text.remove_prefix(bytes == 0 ? 1 : bytes);
  }
  return line;
}

}  // namespace seqgraph
