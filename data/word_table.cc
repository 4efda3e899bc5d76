#include "data/word_table.h"

#include <limits>

namespace seqgraph::data {
namespace {

constexpr size_t kFirstSlots = 1024;
constexpr uint64_t kMaxLetters = uint64_t{1} << 40;

}  // namespace

WordTable::WordTable() : slots_(kFirstSlots), mask_(kFirstSlots - 1), ends_(1, 0) {}

void WordTable::Place(Slot slot) {
  size_t i = slot.hash & mask_;
  while (slots_[i].id >= 0) i = (i + 1) & mask_;
  slots_[i] = slot;
}

void WordTable::Grow() {
  std::vector<Slot> old(slots_.size() * 2);
  old.swap(slots_);
  mask_ = slots_.size() - 1;
  for (const Slot& slot : old) {
    if (slot.id >= 0) Place(slot);
  }
}

int32_t WordTable::Add(absl::string_view word, uint32_t hash) {
  const int32_t id = size();
  if (id >= std::numeric_limits<int32_t>::max() - 1) return -1;
  if (word.size() > kMaxLetters - letters_.size()) return -1;
  if (static_cast<size_t>(id) + 1 > slots_.size() / 2) Grow();
  letters_.append(word.data(), word.size());
  ends_.push_back(letters_.size());
  Place({hash, id});
  return id;
}

}  // namespace seqgraph::data
