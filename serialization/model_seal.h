#pragma once

// What shows that a model's file is whole, its seal: the CRC-32C of its content.
//
//   .pb          the last field, `checksum`, of all bytes before it
//   .textproto   a comment of the header, "# crc32c: 1a2b3c4d", of all bytes behind that line:
//   older
//                programs pass over it, and it tells of a file that was cut off. Files of people
//                and of older programs have none.

#include <string>

#include "absl/strings/string_view.h"
#include "serialization/model_io.h"

namespace seqgraph {

/// How each binary file begins: field 1, length-delimited, and the magic text.
inline constexpr absl::string_view kBinaryModelStart("\x0A\x0Eseqgraph model", 16);
/// Bytes that sealing adds to a binary file.
inline constexpr int64_t kModelSealBytes = 6;

enum class ModelSeal { kFits, kDiffers, kMissing };

/// The file of this content, a serialized or printed proto::Model.
std::string SealModel(const std::string& content, ModelFormat format);

struct UnsealedModel {
  ModelSeal seal = ModelSeal::kMissing;
  absl::string_view content;  ///< what is to be parsed: part of the bytes
};
UnsealedModel UnsealModel(absl::string_view bytes, ModelFormat format);

}  // namespace seqgraph
