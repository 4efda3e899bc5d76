#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace seqgraph::conformance {

/// Kinds of messages from worker to supervisor: the first byte. The supervisor sends names only.
enum class MessageKind : char {
  kHello = 'h',  ///< name, version, description, on lines of their own
  kError = 'e',  ///< there is no such backend: why
  kRow = 'r',    ///< RowToJson
  kCrash = 'c',  ///< a signal ends the worker: what is known about it
};

/// A message is one packet of a socket (SOCK_SEQPACKET) and never longer than this.
inline constexpr size_t kMaxMessage = 64 << 10;

/// False if the other side is gone.
bool SendMessage(int fd, absl::string_view message);

/// Waits for the next message for at most that many seconds (< 0: for ever).
enum class Received { kMessage, kGone, kTimeout };
Received ReceiveMessage(int fd, double seconds, std::string* message);

}  // namespace seqgraph::conformance
