#include "data/word_table.h"

#include <bit>

namespace seqgraph::data {
namespace {

constexpr size_t kFirstSlots = 1024;
constexpr uint64_t kMaxLetters = uint64_t{1} << 40;

int ShiftFor(size_t slots) { return 64 - std::countr_zero(slots); }

}  // namespace

WordTable::WordTable()
    : slots_(kFirstSlots), mask_(kFirstSlots - 1), shift_(ShiftFor(kFirstSlots)) {}

void WordTable::Place(const Slot& slot) {
  size_t i = FirstSlot(slot.key);
  while (slots_[i].id >= 0) i = (i + 1) & mask_;
  slots_[i] = slot;
}

void WordTable::Grow() {
  std::vector<Slot> old(slots_.size() * 2);
  old.swap(slots_);
  mask_ = slots_.size() - 1;
  shift_ = ShiftFor(slots_.size());
  for (const Slot& slot : old) {
    if (slot.id >= 0) Place(slot);
  }
}

int32_t WordTable::Add(absl::string_view word, uint64_t key) {
  const int32_t id = size();
  if (id >= std::numeric_limits<int32_t>::max() - 1) return -1;
  if (word.size() > kMaxLetters - letters_.size()) return -1;
  if (static_cast<size_t>(id) + 1 > slots_.size() / 2) Grow();
  words_.push_back({key, letters_.size(), word.size()});
  letters_.append(word.data(), word.size());
  Place({key, ClampedSize(word), id});
  return id;
}

}  // namespace seqgraph::data
