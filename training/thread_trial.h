#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace seqgraph {

/// Whether a step is faster on one thread than on all that were asked for, found on the first steps
/// themselves: they give the same bits on any number of threads. Small steps can lose on two
/// threads what the cores' caches have to tell each other.
///
/// Blocks of steps go by turns to one and to all threads; the first step of a block, which moves
/// data from core to core, does not count, and medians are compared, so that a disturbed step does
/// not decide.
class ThreadTrial {
 public:
  static constexpr int kBlocks = 6, kBlock = 8;
  static constexpr int kSteps = kBlocks * kBlock;

  bool done() const { return step_ == kSteps; }
  /// Whether the next step is for one thread: while it is tried, and when it has won.
  bool alone() const { return done() ? alone_won() : step_ / kBlock % 2 == 0; }
  /// What the step took that alone() was asked for; not after it is done.
  void Record(double seconds);

  /// When it is done: one thread takes no longer.
  bool alone_won() const { return median_[0] <= median_[1]; }
  /// "train_step in batches of 64: 1 thread from here on; 2 take 1.31 times as long (36.2 us)".
  std::string Text(absl::string_view what, int threads) const;

 private:
  int step_ = 0;
  std::array<int, 2> counts_ = {};  ///< alone, all
  std::array<std::array<double, kSteps / 2>, 2> seconds_ = {};
  std::array<double, 2> median_ = {};
};

}  // namespace seqgraph
