#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "training/run_state.h"

namespace seqgraph {

/// The states of a run in a folder: files "state-0.seqrun", "state-1.seqrun", ... that are written
/// by turns, each as a whole. The newest whole one counts, so that neither a process that is killed
/// while it writes nor a file that a disk has damaged loses more than the time since the one
/// before.
class StateSlots {
 public:
  /// What is there: the newest whole state, and what cannot be read, a line each.
  struct Found {
    std::optional<RunState> newest;
    std::string path;  ///< of it
    std::vector<std::string> damaged;
  };

  /// `keep` states are kept, at least 2.
  explicit StateSlots(std::string folder, int keep = 2) : folder_(std::move(folder)), keep_(keep) {}

  /// To be called before Write(), so that no newer state is replaced. A system's error where the
  /// folder cannot be read.
  absl::StatusOr<Found> Find();
  /// Over the oldest state, or a damaged one, numbered for Find(); then removes older states beyond
  /// those to keep.
  absl::Status Write(RunState& state);
  /// Removes all states, and no other file.
  absl::Status Clear();
  /// Those there are, newest first.
  static absl::StatusOr<std::vector<std::string>> Paths(const std::string& folder);

 private:
  std::string PathOf(int slot) const;

  std::string folder_;
  int keep_;
  std::map<int, int64_t> sequences_;  // of each slot that has a whole state
  int64_t last_ = 0;                  // sequence
};

}  // namespace seqgraph
