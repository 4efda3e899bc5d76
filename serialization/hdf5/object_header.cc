#include "serialization/hdf5/object_header.h"

#include <deque>
#include <utility>

#include "base/byte_cursor.h"
#include "base/status_macros.h"
#include "serialization/hdf5/messages.h"

namespace seqgraph::hdf5 {
namespace {

constexpr absl::string_view kSecondVersion = "OHDR";
constexpr absl::string_view kSecondContinuation = "OCHK";
constexpr int kShared = 2;  // the flag of a message that lies elsewhere

class HeaderReader {
 public:
  HeaderReader(absl::string_view file, Budget* budget) : file_(file), budget_(budget) {}

  absl::StatusOr<ObjectHeader> Read(uint64_t address) {
    if (address >= file_.size()) {
      return InvalidArgument("its header at ", address, " lies beyond the end of the file");
    }
    ByteCursor cursor(file_.substr(address));
    second_ = file_.substr(address, 4) == kSecondVersion;
    SEQ_RETURN_IF_ERROR(second_ ? ReadSecond(cursor) : ReadFirst(cursor));
    while (!blocks_.empty()) {
      const absl::string_view block = blocks_.front();
      blocks_.pop_front();
      SEQ_RETURN_IF_ERROR(ReadBlock(block));
    }
    return std::move(header_);
  }

 private:
  absl::Status ReadFirst(ByteCursor& cursor) {
    const int version = cursor.U8();
    if (version != 1) {
      return InvalidArgument("its header has version ", version, ", which is not read");
    }
    cursor.Skip(7);  // reserved, number of messages, references
    const uint32_t size = cursor.U32();
    cursor.Skip(4);
    blocks_.push_back(cursor.Take(size));
    if (cursor.ok()) return absl::OkStatus();
    return InvalidArgument("its header is cut short");
  }

  absl::Status ReadSecond(ByteCursor& cursor) {
    cursor.Skip(4);
    const int version = cursor.U8();
    const int flags = cursor.U8();
    if (version != 2) {
      return InvalidArgument("its header has version ", version, ", which is not read");
    }
    if ((flags & 0x20) != 0) cursor.Skip(16);  // times
    if ((flags & 0x10) != 0) cursor.Skip(4);   // when attributes become dense
    ordered_ = (flags & 4) != 0;
    blocks_.push_back(cursor.Take(cursor.Number(1 << (flags & 3))));
    if (cursor.ok()) return absl::OkStatus();
    return InvalidArgument("its header is cut short");
  }

  absl::Status ReadBlock(absl::string_view block) {
    ByteCursor cursor(block);
    const size_t head = second_ ? 4 + (ordered_ ? 2 : 0) : 8;
    while (cursor.left() >= head) {
      SEQ_RETURN_IF_ERROR(budget_->Step());
      const auto type = static_cast<MessageType>(cursor.Number(second_ ? 1 : 2));
      const uint16_t size = cursor.U16();
      const int flags = cursor.U8();
      cursor.Skip(second_ ? (ordered_ ? 2 : 0) : 3);
      const absl::string_view data = cursor.Take(size);
      if (!cursor.ok()) return InvalidArgument("a message of its header is cut short");
      if (type == MessageType::kContinuation) {
        SEQ_RETURN_IF_ERROR(AddContinuation(data));
        continue;
      }
      if ((flags & kShared) != 0) {
        return InvalidArgument("shares a message with other objects, which is not read");
      }
      header_.messages.push_back({type, data});
    }
    return absl::OkStatus();
  }

  absl::Status AddContinuation(absl::string_view data) {
    ByteCursor cursor(data);
    const uint64_t address = cursor.U64();
    const uint64_t size = cursor.U64();
    if (!cursor.ok() || address > file_.size() || size > file_.size() - address) {
      return InvalidArgument("its header goes on beyond the end of the file");
    }
    absl::string_view block = file_.substr(address, size);
    if (second_) {
      constexpr size_t kChecksum = 4;
      if (block.substr(0, 4) != kSecondContinuation || size < 4 + kChecksum) {
        return InvalidArgument("its header goes on where there is none");
      }
      block = block.substr(4, size - 4 - kChecksum);
    }
    blocks_.push_back(block);
    return absl::OkStatus();
  }

  absl::string_view file_;
  Budget* budget_;
  bool second_ = false;
  bool ordered_ = false;
  std::deque<absl::string_view> blocks_;
  ObjectHeader header_;
};

}  // namespace

const Message* ObjectHeader::Find(MessageType type) const {
  for (const Message& message : messages) {
    if (message.type == type) return &message;
  }
  return nullptr;
}

absl::Status ObjectHeader::CheckNotDense(MessageType info, absl::string_view what) const {
  const Message* message = Find(info);
  if (message == nullptr) return absl::OkStatus();
  ByteCursor cursor(message->data);
  cursor.Skip(1);
  const int flags = cursor.U8();
  // Both kinds of info have the largest order of creation before the heap, of unlike sizes.
  if ((flags & 1) != 0) cursor.Skip(info == MessageType::kLinkInfo ? 8 : 2);
  const uint64_t heap = cursor.U64();
  if (cursor.ok() && heap == kUndefined) return absl::OkStatus();
  return InvalidArgument("keeps its ", what,
                         " in a heap of their own, which is not read: write the file anew with "
                         "HDF5's earliest format");
}

absl::StatusOr<ObjectHeader> ReadObjectHeader(absl::string_view file, uint64_t address,
                                              Budget* budget) {
  return HeaderReader(file, budget).Read(address);
}

}  // namespace seqgraph::hdf5
