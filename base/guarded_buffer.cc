#include "base/guarded_buffer.h"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace seqgraph {
namespace {

constexpr size_t kPage = 4096;

size_t RoundUp(size_t bytes, size_t multiple) {
  return (bytes + multiple - 1) / multiple * multiple;
}

// The buffers that there are, for the signal handler, which may neither lock nor allocate.
struct Entry {
  std::atomic<const std::byte*> begin{nullptr};  // of the mapping; null: free
  size_t mapped = 0;
  const std::byte* data = nullptr;
  int64_t bytes = 0;
  const char* label = nullptr;
};
constexpr int kMaxEntries = 4096;
Entry entries[kMaxEntries];

void Append(char* text, size_t size, const char* more) {
  const size_t used = std::strlen(text);
  const size_t room = size - used - 1;
  const size_t length = std::min(std::strlen(more), room);
  std::memcpy(text + used, more, length);
  text[used + length] = '\0';
}

void AppendNumber(char* text, size_t size, uint64_t number) {
  char digits[24];
  char* p = digits + sizeof(digits) - 1;
  *p = '\0';
  do {
    *--p = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number > 0);
  Append(text, size, p);
}

}  // namespace

std::byte GuardByte(const std::byte* p) {
  constexpr uint8_t kGuard[4] = {0xE1, 0xA3, 0xC5, 0x7F};  // 0x7FC5A3E1, a quiet NaN
  return std::byte{kGuard[reinterpret_cast<uintptr_t>(p) % 4]};
}

void WriteGuard(std::byte* begin, std::byte* end) {
  for (std::byte* p = begin; p < end; ++p) *p = GuardByte(p);
}

const std::byte* FirstDamage(const std::byte* begin, const std::byte* end) {
  for (const std::byte* p = begin; p < end; ++p) {
    if (*p != GuardByte(p)) return p;
  }
  return nullptr;
}

absl::StatusOr<std::unique_ptr<GuardedBuffer>> GuardedBuffer::Create(int64_t bytes,
                                                                     int64_t alignment, Guard guard,
                                                                     std::string label) {
  std::unique_ptr<GuardedBuffer> buffer(new GuardedBuffer());
  buffer->bytes_ = bytes;
  buffer->guard_ = guard;
  buffer->label_ = std::move(label);
  const size_t aligned = RoundUp(static_cast<size_t>(bytes), static_cast<size_t>(alignment));
  // A page of canaries in front and, where the end is not unmapped, one behind.
  const bool behind = guard == Guard::kCanary;
  const size_t offset = static_cast<size_t>(alignment) < kPage ? alignment : 0;
  buffer->usable_bytes_ =
      behind ? RoundUp(kPage + offset + aligned + kPage, kPage) : kPage + RoundUp(aligned, kPage);
  buffer->mapped_bytes_ = buffer->usable_bytes_ + 2 * kPage;
  void* mapping = mmap(nullptr, buffer->mapped_bytes_, PROT_NONE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
                       /*offset=*/0);
  if (mapping == MAP_FAILED) {
    return ResourceExhausted("no memory for ", buffer->label_, ", ", bytes, " bytes");
  }
  buffer->mapping_ = static_cast<std::byte*>(mapping);
  buffer->usable_ = buffer->mapping_ + kPage;
  if (mprotect(buffer->usable_, buffer->usable_bytes_, PROT_READ | PROT_WRITE) != 0) {
    return ResourceExhausted("cannot map ", buffer->label_);
  }
  buffer->data_ =
      behind ? buffer->usable_ + kPage + offset : buffer->usable_ + buffer->usable_bytes_ - aligned;
  WriteGuard(buffer->usable_, buffer->data_);
  WriteGuard(buffer->data_ + bytes, buffer->usable_ + buffer->usable_bytes_);
  for (Entry& entry : entries) {
    const std::byte* expected = nullptr;
    if (!entry.begin.compare_exchange_strong(expected, buffer->mapping_)) continue;
    entry.mapped = buffer->mapped_bytes_;
    entry.data = buffer->data_;
    entry.bytes = bytes;
    entry.label = buffer->label_.c_str();
    break;
  }
  return buffer;
}

GuardedBuffer::~GuardedBuffer() {
  if (mapping_ == nullptr) return;
  for (Entry& entry : entries) {
    if (entry.begin.load() == mapping_) entry.begin.store(nullptr);
  }
  munmap(mapping_, mapped_bytes_);
}

void GuardedBuffer::Fill(uint8_t pattern) {
  if (bytes_ > 0) std::memset(data_, pattern, static_cast<size_t>(bytes_));
}

void GuardedBuffer::SetReadOnly(bool read_only) {
  if (guard_ != Guard::kPage || bytes_ == 0) return;
  mprotect(usable_, usable_bytes_, read_only ? PROT_READ : PROT_READ | PROT_WRITE);
}

std::string GuardedBuffer::Damage() const {
  int64_t changed = 0, first = 0;
  const std::byte* const end = data_ + bytes_;
  const auto look = [&](const std::byte* begin, const std::byte* stop) {
    for (const std::byte* p = begin; p < stop; ++p) {
      if (*p == GuardByte(p)) continue;
      if (changed++ == 0) first = p < data_ ? p - data_ : p - end;
    }
  };
  look(usable_, data_);
  look(end, usable_ + usable_bytes_);
  if (changed == 0) return "";
  return absl::StrCat("wrote outside ", label_, " (", bytes_, " bytes): ", changed,
                      " bytes changed, the first ",
                      first < 0 ? absl::StrCat(-first, " before its beginning")
                                : absl::StrCat(first, " past its end"));
}

void DescribeAddress(const void* address, char* text, size_t size) {
  text[0] = '\0';
  const std::byte* p = static_cast<const std::byte*>(address);
  for (const Entry& entry : entries) {
    const std::byte* begin = entry.begin.load();
    if (begin == nullptr || p < begin || p >= begin + entry.mapped) continue;
    const std::byte* end = entry.data + entry.bytes;
    if (p >= end) {
      AppendNumber(text, size, static_cast<uint64_t>(p - end));
      Append(text, size, " bytes past the end of ");
    } else if (p < entry.data) {
      AppendNumber(text, size, static_cast<uint64_t>(entry.data - p));
      Append(text, size, " bytes before the beginning of ");
    } else {
      Append(text, size, "wrote to the read-only ");
    }
    Append(text, size, entry.label);
    Append(text, size, " (");
    AppendNumber(text, size, static_cast<uint64_t>(entry.bytes));
    Append(text, size, " bytes)");
    return;
  }
}

}  // namespace seqgraph
