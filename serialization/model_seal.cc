#include "serialization/model_seal.h"

#include <cstdint>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/byte_cursor.h"
#include "base/crc32c.h"

namespace seqgraph {
namespace {

// How a binary file ends: the tag of field 1000, fixed32, then the sum's four bytes.
constexpr absl::string_view kChecksumTag("\xC5\x3E", 2);

constexpr char kTextHeader[] =
    "# proto-file: serialization/model.proto\n"
    "# proto-message: seqgraph.proto.Model\n";
constexpr absl::string_view kTextSeal = "\n# crc32c: ";
constexpr size_t kDigits = 8;
// The header is within so many bytes: no text of the model is taken for its seal.
constexpr size_t kTextHeaderBytes = 160;

UnsealedModel UnsealText(absl::string_view text) {
  const size_t at = text.substr(0, kTextHeaderBytes).find(kTextSeal);
  if (at == absl::string_view::npos) return {ModelSeal::kMissing, text};
  const absl::string_view digits = text.substr(at + kTextSeal.size(), kDigits);
  const size_t end = text.find('\n', at + 1);
  uint32_t sum = 0;
  const bool fits = end != absl::string_view::npos && absl::SimpleHexAtoi(digits, &sum) &&
                    Crc32c(text.substr(end + 1)) == sum;
  return {fits ? ModelSeal::kFits : ModelSeal::kDiffers, text};
}

}  // namespace

std::string SealModel(const std::string& content, ModelFormat format) {
  if (format == ModelFormat::kBinary) {
    return absl::StrCat(content, kChecksumTag, NumberBytes(Crc32c(content), 4));
  }
  const std::string text = absl::StrCat("\n", content);
  return absl::StrCat(kTextHeader, kTextSeal.substr(1), absl::StrFormat("%08x", Crc32c(text)),
                      ", of what stands behind this line; who changes that, removes it\n", text);
}

UnsealedModel UnsealModel(absl::string_view bytes, ModelFormat format) {
  if (format == ModelFormat::kText) return UnsealText(bytes);
  if (bytes.size() < kBinaryModelStart.size() + kModelSealBytes) return {};
  const absl::string_view content = bytes.substr(0, bytes.size() - kModelSealBytes);
  if (bytes.substr(content.size(), kChecksumTag.size()) != kChecksumTag) {
    return {ModelSeal::kMissing, bytes};
  }
  const bool fits = Crc32c(content) == ByteCursor(bytes.substr(bytes.size() - 4)).U32();
  return {fits ? ModelSeal::kFits : ModelSeal::kDiffers, content};
}

}  // namespace seqgraph
