#pragma once

#include <cstddef>
#include <optional>

#include "base/status_macros.h"

namespace seqgraph {

/// An enumerator here and what stands for it in files. A table of such rows, not the numbers, ties
/// the two: enumerators here may be ordered anew, and a file's number that has no row is unknown.
template <typename Ours, typename Saved>
struct EnumRow {
  Ours ours;
  Saved saved;
};

/// The row must be there: each enumerator has one (a test walks them).
template <typename Ours, typename Saved, size_t n>
Saved EnumToProto(const EnumRow<Ours, Saved> (&table)[n], Ours ours) {
  for (const auto& row : table) {
    if (row.ours == ours) return row.saved;
  }
  SEQ_CHECK(false);
  return {};
}

/// Nothing for a number that this program does not know.
template <typename Ours, typename Saved, size_t n>
std::optional<Ours> EnumFromProto(const EnumRow<Ours, Saved> (&table)[n], Saved saved) {
  for (const auto& row : table) {
    if (row.saved == saved) return row.ours;
  }
  return std::nullopt;
}

}  // namespace seqgraph
