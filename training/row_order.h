#pragma once

#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace seqgraph {

/// The order in which an epoch takes its rows, by lot: a function of seed, epoch and the rows'
/// steps alone. Does not allocate after it is made.
class RowOrder {
 public:
  /// Stretches of so many batches are sorted.
  static constexpr int64_t kStretch = 8;

  /// No rows: as they are. With `steps` [rows] that differ, which must stay where they are, whole
  /// batches are of rows of about the same number of steps: what was drawn is sorted by steps
  /// within stretches of kStretch batches, equal ones as drawn, and then it is drawn which batch is
  /// the next. So each row may come at any time in company that changes, and what is left, the last
  /// smaller batch, is of any rows.
  RowOrder(int64_t rows, int64_t batch, uint64_t seed, absl::Span<const int64_t> steps = {});

  /// Of epoch 0, 1, ...; valid until the next call. Empty: as they are.
  absl::Span<const int64_t> Of(int epoch);

 private:
  struct Drawn {
    int64_t steps, place, row;
  };
  void GatherBySteps(int epoch);

  int64_t batch_;
  uint64_t seed_;
  absl::Span<const int64_t> steps_;
  std::vector<int64_t> order_;
  std::vector<Drawn> drawn_;      // of whole batches, with steps
  std::vector<int64_t> batches_;  // their order
};

}  // namespace seqgraph
