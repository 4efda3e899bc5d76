#pragma once

// Protobuf messages from untrusted bytes, and to text that gives the same bits back. Protobuf
// itself skips fields it does not know and turns two bytes of file into a hundred of memory; here
// both are errors.

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"

namespace seqgraph {

/// Bytes of memory that parsing may take for each byte of the file, and what any file may take. A
/// model's graph takes about 10 times its bytes, its weights twice.
inline constexpr int64_t kParseMemoryFactor = 32;
inline constexpr int64_t kForeignMemoryFactor = 64;
inline constexpr int64_t kParseMemoryBase = int64_t{64} << 10;

/// Parses the binary form into `message`. Before anything is allocated, a scan of the bytes bounds
/// the memory that the parsed message would take: InvalidArgument if that is more than
/// kParseMemoryFactor times the bytes plus kParseMemoryBase, if the bytes are no such message, or
/// if some part of it is unknown (see CheckNoUnknownFields). Errors say at which byte or field.
absl::Status ParseBinaryProto(absl::string_view bytes, google::protobuf::Message* message);

/// The same for a format that others define and extend: unknown fields are skipped, and parsing may
/// take kForeignMemoryFactor bytes of memory for each byte, because names and attributes weigh more
/// there.
absl::Status ParseForeignProto(absl::string_view bytes, google::protobuf::Message* message);

/// The binary form; the same message gives the same bytes. At most 2 GiB (checked).
std::string SerializeDeterministically(const google::protobuf::Message& message);

/// Parses protobuf's text format, with the same limits. Errors say "line 3, column 7".
absl::Status ParseTextProto(absl::string_view text, google::protobuf::Message* message);

/// The text form. Numbers are printed so that ParseTextProto gives the same bits; only the payload
/// and sign of a NaN are lost, so whoever cares puts such numbers in a bytes field.
std::string PrintTextProto(const google::protobuf::Message& message);

/// InvalidArgument naming the path of the first field that this program does not know:
/// "functions[0].nodes[2] has field 19, which ...".
absl::Status CheckNoUnknownFields(const google::protobuf::Message& message);

/// InvalidArgument naming the path of the first string field that is not valid UTF-8: protobuf
/// would write it and then refuse to read it.
absl::Status CheckStringsAreUtf8(const google::protobuf::Message& message);

}  // namespace seqgraph
