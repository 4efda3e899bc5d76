#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "serialization/hdf5/global_heap.h"

namespace seqgraph::hdf5 {

/// The kinds of messages that matter here; others are skipped.
enum class MessageType : uint16_t {
  kDataspace = 0x01,
  kLinkInfo = 0x02,
  kDatatype = 0x03,
  kLink = 0x06,
  kExternalFiles = 0x07,
  kLayout = 0x08,
  kFilters = 0x0B,
  kAttribute = 0x0C,
  kContinuation = 0x10,
  kSymbolTable = 0x11,
  kAttributeInfo = 0x15,
};

struct Message {
  MessageType type;
  absl::string_view data;
};

struct ObjectHeader {
  std::vector<Message> messages;

  /// The first of that type, or null.
  const Message* Find(MessageType type) const;
  /// InvalidArgument if the object keeps its `what` in a heap of their own, which is not read.
  absl::Status CheckNotDense(MessageType info, absl::string_view what) const;
};

/// The header at `address`, version 1 or 2, with all its continuations. Check sums, which version
/// 2 has, are not looked at: most files have none, so that all is checked by its sense.
absl::StatusOr<ObjectHeader> ReadObjectHeader(absl::string_view file, uint64_t address,
                                              Budget* budget);

}  // namespace seqgraph::hdf5
