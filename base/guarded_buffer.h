#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace seqgraph {

/// Known bytes for where nobody should write: the one that belongs at address `p`. As floats they
/// are NaN, which spoils every sum that it gets into; as int32 no index.
std::byte GuardByte(const std::byte* p);
void WriteGuard(std::byte* begin, std::byte* end);
/// The first byte that is no longer as it was written; null if all are.
const std::byte* FirstDamage(const std::byte* begin, const std::byte* end);

/// How a buffer is guarded.
enum class Guard {
  kCanary,  ///< known bytes before and behind, looked at after the run
  kPage,    ///< it ends at an unmapped page (but for the bytes that alignment leaves, which are
            ///< known ones), so that even reading past the end stops the process
};

/// A zeroed buffer handed to a backend, from pages of its own.
class GuardedBuffer {
 public:
  /// `bytes` >= 0. `alignment` is 64, or 4096 for a page-aligned one; the address is aligned to
  /// that and, with canaries, to nothing larger. ResourceExhausted if there is no memory.
  static absl::StatusOr<std::unique_ptr<GuardedBuffer>> Create(int64_t bytes, int64_t alignment,
                                                               Guard guard, std::string label);
  ~GuardedBuffer();
  GuardedBuffer(const GuardedBuffer&) = delete;
  GuardedBuffer& operator=(const GuardedBuffer&) = delete;

  void* data() const { return data_; }
  int64_t bytes() const { return bytes_; }
  const std::string& label() const { return label_; }

  /// Sets every byte of the buffer, not of its guards.
  void Fill(uint8_t pattern);
  /// Lets a write stop the process, or allows writes again. With canaries it does nothing, because
  /// part of the buffer's first page is not the buffer's.
  void SetReadOnly(bool read_only);
  /// What is wrong with the known bytes around it, and where; empty if nothing is.
  std::string Damage() const;

 private:
  GuardedBuffer() = default;
  std::byte* mapping_ = nullptr;  // all pages, unmapped ones included
  size_t mapped_bytes_ = 0;
  std::byte* usable_ = nullptr;  // the pages that can be read
  size_t usable_bytes_ = 0;
  std::byte* data_ = nullptr;
  int64_t bytes_ = 0;
  Guard guard_ = Guard::kCanary;
  std::string label_;
};

/// What lies at an address that stopped the process: "8 bytes past the end of output y (400
/// bytes)", written to `text`; empty where no guarded buffer is near. Safe in a signal handler.
void DescribeAddress(const void* address, char* text, size_t size);

}  // namespace seqgraph
