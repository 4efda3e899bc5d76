#pragma once

// Words numbered 0, 1, 2, ... in the order in which they are first added.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace seqgraph::data {

/// An interning table: open addressing with linear probing, the letters in one arena, so that
/// looking up a known word touches no allocator. Keys are those of WordKey(): a word of up to eight
/// letters, which most are, is found by its slot alone.
class WordTable {
 public:
  WordTable();

  /// The number of words.
  int32_t size() const { return static_cast<int32_t>(words_.size()); }

  /// The id of `word`, or -1.
  int32_t Find(absl::string_view word, uint64_t key) const {
    const uint32_t size = ClampedSize(word);
    for (size_t i = FirstSlot(key);; i = (i + 1) & mask_) {
      const Slot& slot = slots_[i];
      if (slot.id < 0) return -1;
      if (slot.key == key && slot.size == size && (size <= kInKey || Equals(slot.id, word))) {
        return slot.id;
      }
    }
  }

  /// The id of `word`, new or known; -1 if the table is full (2^31 - 2 words, or 2^40 letters).
  int32_t FindOrAdd(absl::string_view word, uint64_t key) {
    const int32_t id = Find(word, key);
    return id >= 0 ? id : Add(word, key);
  }

  /// The word of an id in [0, size()). Holds until the next word is added.
  absl::string_view Word(int32_t id) const {
    const Entry& entry = words_[static_cast<size_t>(id)];
    return absl::string_view(letters_).substr(entry.begin, entry.size);
  }
  /// Its WordKey().
  uint64_t Key(int32_t id) const { return words_[static_cast<size_t>(id)].key; }

 private:
  static constexpr uint32_t kInKey = 8;  // A key says all about a word of up to so many letters.

  struct Slot {
    uint64_t key = 0;
    uint32_t size = 0;
    int32_t id = -1;
  };
  struct Entry {
    uint64_t key;
    uint64_t begin;  // In letters_.
    uint64_t size;
  };

  static uint32_t ClampedSize(absl::string_view word) {
    return static_cast<uint32_t>(
        std::min<uint64_t>(word.size(), std::numeric_limits<uint32_t>::max()));
  }
  // Multiplicative hashing: the high bits of the product depend on all of the key.
  size_t FirstSlot(uint64_t key) const {
    return static_cast<size_t>((key * 0x9e3779b97f4a7c15u) >> shift_);
  }
  bool Equals(int32_t id, absl::string_view word) const { return Word(id) == word; }
  int32_t Add(absl::string_view word, uint64_t key);
  void Place(const Slot& slot);
  void Grow();

  std::vector<Slot> slots_;  // The size is a power of two, at most half of the slots are taken.
  size_t mask_;
  int shift_;  // 64 - the bits of mask_.
  std::string letters_;
  std::vector<Entry> words_;
};

}  // namespace seqgraph::data
