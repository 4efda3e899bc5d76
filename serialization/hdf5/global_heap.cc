#include "serialization/hdf5/global_heap.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/byte_cursor.h"
#include "base/status_macros.h"

namespace seqgraph::hdf5 {

absl::StatusOr<absl::string_view> GlobalHeap::Object(uint64_t address, uint32_t index) {
  auto found = collections_.find(address);
  if (found == collections_.end()) {
    SEQ_ASSIGN_OR_RETURN(Collection collection, ReadCollection(address));
    found = collections_.emplace(address, std::move(collection)).first;
  }
  const auto object = found->second.find(index);
  if (object != found->second.end()) return object->second;
  return InvalidArgument("the heap at ", address, " has no object ", index);
}

absl::StatusOr<GlobalHeap::Collection> GlobalHeap::ReadCollection(uint64_t address) {
  const auto malformed = [&](absl::string_view why) {
    return InvalidArgument("the heap at ", address, " ", why);
  };
  if (address > file_.size()) return malformed("lies beyond the end of the file");
  ByteCursor head(file_.substr(address));
  if (head.Take(4) != "GCOL" || head.U8() != 1) return malformed("does not begin as one");
  head.Skip(3);
  const uint64_t size = head.U64();
  constexpr uint64_t kHead = 16;
  if (!head.ok() || size < kHead || size > file_.size() - address) {
    return malformed("is longer than the file");
  }
  ByteCursor cursor(file_.substr(address, size));
  cursor.Skip(kHead);
  Collection collection;
  // An object's head has 16 bytes; what is left and smaller is unused.
  while (cursor.left() >= 16) {
    SEQ_RETURN_IF_ERROR(budget_->Step());
    const uint16_t index = cursor.U16();
    cursor.Skip(6);
    const uint64_t bytes = cursor.U64();
    if (index == 0) break;  // the free space, always last
    const absl::string_view data = cursor.Take(bytes);
    cursor.Align();
    if (!cursor.ok()) return malformed(absl::StrCat("ends within object ", index));
    collection.emplace(index, data);
  }
  return collection;
}

}  // namespace seqgraph::hdf5
