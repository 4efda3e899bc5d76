#include "training/thread_trial.h"

#include <algorithm>

#include "absl/strings/str_format.h"

namespace seqgraph {

void ThreadTrial::Record(double seconds) {
  const int side = alone() ? 0 : 1;
  if (step_ % kBlock > 0) seconds_[side][counts_[side]++] = seconds;
  if (++step_ < kSteps) return;
  for (int i = 0; i < 2; ++i) {
    double* const middle = seconds_[i].data() + counts_[i] / 2;
    std::nth_element(seconds_[i].data(), middle, seconds_[i].data() + counts_[i]);
    median_[i] = *middle;
  }
}

std::string ThreadTrial::Text(absl::string_view what, int threads) const {
  constexpr double kMicro = 1e6;
  if (alone_won()) {
    return absl::StrFormat("%s: 1 thread from here on; %d take %.2f times as long (%.1f us)", what,
                           threads, median_[1] / median_[0], median_[1] * kMicro);
  }
  return absl::StrFormat("%s: %d threads are %.2f times as fast as 1 (%.1f us)", what, threads,
                         median_[0] / median_[1], median_[1] * kMicro);
}

}  // namespace seqgraph
