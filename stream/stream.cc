#include "stream/stream.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "base/crc32c.h"
#include "base/status_macros.h"
#include "stream/stream_shape.h"

namespace seqgraph {
namespace {

// Saved states: a head, the states one after the other, the CRC-32C of all before it. Numbers are
// little-endian, as everywhere in memory here.
constexpr char kMagic[8] = {'S', 'E', 'Q', 'S', 'T', 'A', 'T', 'E'};
constexpr uint32_t kVersion = 1;

struct Head {
  char magic[8];
  uint32_t version;
  uint32_t states;
  uint64_t fingerprint;
  uint64_t bytes;  // of the states
};
static_assert(sizeof(Head) == 32);

// The head of a saved state of so many bytes, whose checksum is right.
absl::StatusOr<Head> CheckedHead(absl::string_view bytes) {
  Head head;
  uint32_t crc = 0;
  if (bytes.size() < sizeof(head) + sizeof(crc) ||
      std::memcmp(bytes.data(), kMagic, sizeof(kMagic)) != 0) {
    return InvalidArgument("these ", bytes.size(), " bytes are no saved state of a stream");
  }
  std::memcpy(&head, bytes.data(), sizeof(head));
  std::memcpy(&crc, bytes.data() + bytes.size() - sizeof(crc), sizeof(crc));
  if (head.version > kVersion) {
    return FailedPrecondition("the saved state is of version ", head.version,
                              "; this program reads up to ", kVersion);
  }
  if (Crc32c(bytes.substr(0, bytes.size() - sizeof(crc))) != crc) {
    return DataLoss("the saved state is damaged: its checksum is wrong");
  }
  if (head.version < 1) return InvalidArgument("version 0 of saved states does not exist");
  return head;
}

const char* At(const void* base, int64_t offset) { return static_cast<const char*>(base) + offset; }

}  // namespace

// The next states lie apart from the present ones, so that a step that fails changes none.
void Stream::TakeState(size_t s, const FunctionCall& call, const StreamShape& shape) {
  const StreamSlot& next = shape.next_slots[s];
  std::memcpy(StatePlace(s), call.result(next.index), static_cast<size_t>(next.bytes));
}

absl::Status Stream::Step() {
  SEQ_RETURN_IF_ERROR(call_->Run());
  for (const size_t s : copied_) TakeState(s, *call_, *shape_);
  return absl::OkStatus();
}

absl::Status Stream::RunBlock(absl::Span<const void* const> inputs, absl::Span<void* const> results,
                              int64_t at) {
  const StreamShape& block = *model_->block_shape_;
  for (size_t i = 0; i < block.input_slots.size(); ++i) {
    const StreamSlot& slot = block.input_slots[i];
    std::memcpy(block_->input(slot.index), At(inputs[i], at * shape_->input_slots[i].bytes),
                slot.bytes);
  }
  for (size_t s = 0; s < state_inputs_.size(); ++s) {
    std::memcpy(block_->input(block.state_slots[s].index), StatePlace(s),
                block.state_slots[s].bytes);
  }
  SEQ_RETURN_IF_ERROR(block_->Run());
  for (size_t r = 0; r < block.result_slots.size(); ++r) {
    if (results[r] == nullptr) continue;
    std::memcpy(const_cast<char*>(At(results[r], at * shape_->result_slots[r].bytes)),
                block_->result(block.result_slots[r].index), block.result_slots[r].bytes);
  }
  for (size_t s = 0; s < state_inputs_.size(); ++s) TakeState(s, *block_, block);
  return absl::OkStatus();
}

absl::Status Stream::StepBlock(int64_t calls, absl::Span<const void* const> inputs,
                               absl::Span<void* const> results, int64_t* done) {
  if (inputs.size() != inputs_.size() || results.size() != results_.size()) {
    return InvalidArgument("a block takes ", inputs_.size(), " inputs and ", results_.size(),
                           " results, got ", inputs.size(), " and ", results.size());
  }
  int64_t at = 0;
  absl::Status status;
  while (at < calls && status.ok()) {
    if (block_ != nullptr && calls - at >= model_->block()) {
      status = RunBlock(inputs, results, at);
      if (status.ok()) at += model_->block();
      if (status.ok()) continue;
      // The steps before the one that is wrong are taken, one by one.
      status = absl::OkStatus();
    }
    for (size_t i = 0; i < inputs.size(); ++i) {
      const int64_t bytes = shape_->input_slots[i].bytes;
      std::memcpy(inputs_[i], At(inputs[i], at * bytes), bytes);
    }
    status = Step();
    if (!status.ok()) break;
    for (size_t r = 0; r < results.size(); ++r) {
      const int64_t bytes = shape_->result_slots[r].bytes;
      if (results[r] != nullptr) {
        std::memcpy(const_cast<char*>(At(results[r], at * bytes)), results_[r], bytes);
      }
    }
    ++at;
  }
  if (done != nullptr) *done = at;
  return status;
}

void Stream::Reset() {
  for (size_t s = 0; s < state_inputs_.size(); ++s) {
    std::memcpy(StatePlace(s), shape_->states[s].initial.data(), shape_->state_slots[s].bytes);
  }
}

std::string Stream::Save() const {
  Head head{};
  std::memcpy(head.magic, kMagic, sizeof(kMagic));
  head.version = kVersion;
  head.states = static_cast<uint32_t>(state_inputs_.size());
  head.fingerprint = model_->fingerprint();
  head.bytes = static_cast<uint64_t>(model_->state_bytes());
  std::string bytes(reinterpret_cast<const char*>(&head), sizeof(head));
  for (size_t s = 0; s < state_inputs_.size(); ++s) {
    bytes.append(static_cast<const char*>(StatePlace(s)),
                 static_cast<size_t>(shape_->state_slots[s].bytes));
  }
  const uint32_t crc = Crc32c(bytes);
  bytes.append(reinterpret_cast<const char*>(&crc), sizeof(crc));
  return bytes;
}

absl::Status Stream::Restore(absl::string_view bytes) {
  SEQ_ASSIGN_OR_RETURN(const Head head, CheckedHead(bytes));
  const auto expected = static_cast<uint64_t>(model_->state_bytes());
  if (head.fingerprint != model_->fingerprint() || head.states != state_inputs_.size() ||
      head.bytes != expected || bytes.size() != sizeof(head) + expected + sizeof(uint32_t)) {
    return InvalidArgument("the saved state is of another model, or of other weights");
  }
  const char* from = bytes.data() + sizeof(head);
  for (size_t s = 0; s < state_inputs_.size(); ++s) {
    const int64_t size = shape_->state_slots[s].bytes;
    std::memcpy(StatePlace(s), from, static_cast<size_t>(size));
    from += size;
  }
  return absl::OkStatus();
}

absl::StatusOr<int64_t> Stream::CountSaved(absl::string_view bytes) {
  int64_t count = 0;
  do {
    uint64_t size = bytes.size();  // where a head is no head, which CheckedHead says
    if (bytes.size() >= sizeof(Head)) {
      Head head;
      std::memcpy(&head, bytes.data(), sizeof(head));
      const uint64_t most = bytes.size() - sizeof(Head);
      if (head.bytes <= most && most - head.bytes >= sizeof(uint32_t)) {
        size = sizeof(Head) + head.bytes + sizeof(uint32_t);
      }
    }
    SEQ_RETURN_IF_ERROR(
        Annotate(CheckedHead(bytes.substr(0, size)), absl::StrCat("state ", count + 1)).status());
    bytes.remove_prefix(size);
    ++count;
  } while (!bytes.empty());
  return count;
}

absl::Status Stream::CopyFrom(const Stream& other) {
  if (other.model_ != model_) return InvalidArgument("the other stream is of another model");
  for (size_t s = 0; s < state_inputs_.size(); ++s) {
    std::memmove(StatePlace(s), other.StatePlace(s),
                 static_cast<size_t>(shape_->state_slots[s].bytes));
  }
  return absl::OkStatus();
}

void* Stream::state(absl::string_view name, int64_t* bytes) {
  for (size_t s = 0; s < state_inputs_.size(); ++s) {
    if (shape_->states[s].name != name) continue;
    if (bytes != nullptr) *bytes = shape_->state_slots[s].bytes;
    return StatePlace(s);
  }
  return nullptr;
}

}  // namespace seqgraph
