#ifndef SEQGRAPH_DATA_WORD_TABLE_H_
#define SEQGRAPH_DATA_WORD_TABLE_H_

// Words numbered 0, 1, 2, ... in the order in which they are first added.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace seqgraph::data {

/// An interning table: open addressing with linear probing over (hash, id) pairs, the letters in
/// one arena, so that looking up a known word touches no allocator. Hashes are those of HashWord().
class WordTable {
 public:
  WordTable();

  /// The number of words.
  int32_t size() const { return static_cast<int32_t>(ends_.size()) - 1; }

  /// The id of `word`, or -1.
  int32_t Find(absl::string_view word, uint32_t hash) const {
    for (size_t i = hash & mask_;; i = (i + 1) & mask_) {
      const Slot& slot = slots_[i];
      if (slot.id < 0) return -1;
      if (slot.hash == hash && Equals(slot.id, word)) return slot.id;
    }
  }

  /// The id of `word`, new or known; -1 if the table is full (2^31 - 2 words, or 2^40 letters).
  int32_t FindOrAdd(absl::string_view word, uint32_t hash) {
    const int32_t id = Find(word, hash);
    return id >= 0 ? id : Add(word, hash);
  }

  /// The word of an id in [0, size()). Holds until the next word is added.
  absl::string_view Word(int32_t id) const {
    return absl::string_view(letters_).substr(ends_[id], ends_[id + 1] - ends_[id]);
  }

 private:
  struct Slot {
    uint32_t hash = 0;
    int32_t id = -1;
  };

  bool Equals(int32_t id, absl::string_view word) const {
    const size_t begin = ends_[id];
    return ends_[id + 1] - begin == word.size() &&
           std::memcmp(letters_.data() + begin, word.data(), word.size()) == 0;
  }
  int32_t Add(absl::string_view word, uint32_t hash);
  void Place(Slot slot);
  void Grow();

  std::vector<Slot> slots_;  // The size is a power of two, at most half of the slots are taken.
  size_t mask_;
  std::string letters_;
  std::vector<uint64_t> ends_;  // Word i is letters [ends_[i], ends_[i + 1]).
};

}  // namespace seqgraph::data

#endif  // SEQGRAPH_DATA_WORD_TABLE_H_
