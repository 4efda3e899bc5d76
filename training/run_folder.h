#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/file_descriptor.h"
#include "training/run_state.h"
#include "training/state_slots.h"

namespace seqgraph {

/// How often a state is kept: after so many seconds or steps, or (both 0) after each epoch. By
/// seconds, no oftener than lets the run be a hundredth slower: one that takes long to copy comes
/// later, up to ten minutes.
struct SaveEvery {
  double seconds = 10;
  int64_t steps = 0;
};
/// "10s", "2.5s", "1000steps", "epoch"; InvalidArgument for anything else.
absl::StatusOr<SaveEvery> ParseSaveEvery(absl::string_view text);

struct RunFolderOptions {
  SaveEvery every;
  int keep = 2;  ///< states, at least 2
  /// Where the last state goes if it cannot be written to the folder: a folder that is there;
  /// empty: nowhere.
  std::string fallback;
  /// Told once when states cannot be written, and when they can be again; called by the thread that
  /// trains. Null: nobody.
  std::function<void(const std::string&)> say;
  /// Seconds between tries to write what could not be written: doubled each time, up to a minute.
  double first_pause = 1;
  /// Tries at the end of a run before it is given up.
  int last_tries = 5;
  /// Seconds from any fixed point; null: the steady clock.
  std::function<double()> clock;
};

/// A folder that is the state of a run: what FitOptions::keeper keeps, written by a thread of its
/// own while the run goes on. Killed at any moment, the run goes on from the newest whole state
/// there, with the same bits.
///
///   SEQ_ASSIGN_OR_RETURN(const auto folder, RunFolder::Open("runs/first"));
///   options.keeper = folder.get();
///   options.state = folder->newest();
///   SEQ_ASSIGN_OR_RETURN(const FitResult result, trainer.Fit(train, validation, options));
///   SEQ_RETURN_IF_ERROR(folder->Finish());
///
/// The first state is written before the run goes on, the last one by Finish(). A state that cannot
/// be written (a full disk, a folder that has gone) does not end the run: it
/// stays in memory until a newer one takes its place, and is tried again.
class RunFolder : public StateKeeper {
 public:
  /// Makes the folder (not its parents) and locks it. Errors name the path: FailedPrecondition,
  /// with the process's number, where another process has it; InvalidArgument for options out of
  /// range; those of the system.
  static absl::StatusOr<std::unique_ptr<RunFolder>> Open(const std::string& path,
                                                         RunFolderOptions options = {});
  /// Waits until the newest state is written, but tries only once.
  ~RunFolder() override;

  const std::string& path() const { return path_; }
  /// The newest whole state that was there; null: none.
  const RunState* newest() const { return found_.newest.has_value() ? &*found_.newest : nullptr; }
  /// States that were there and cannot be read, a line each.
  const std::vector<std::string>& damaged() const { return found_.damaged; }
  /// Begins anew: removes the states.
  absl::Status Clear();
  /// Goes into each state from now on, below "keeper/".
  void SetFacts(Records facts) { facts_ = std::move(facts); }

  bool Wants(const RunPosition& position) override;
  absl::Status Keep(RunState state) override;

  /// Waits until the newest state is written. What the last try said, if it is not; then it is in
  /// the fallback folder, or nowhere: where() says.
  absl::Status Finish();
  /// The folder that has the newest state; empty: none.
  const std::string& where() const { return where_; }

 private:
  RunFolder(std::string path, RunFolderOptions options, FileDescriptor lock)
      : path_(std::move(path)),
        options_(std::move(options)),
        lock_(std::move(lock)),
        slots_(path_, options_.keep) {}
  void WriteStates();
  void Stop(int tries);
  void TellChanges();
  double Now() const;
  bool IsTime() const;

  const std::string path_;
  const RunFolderOptions options_;
  const FileDescriptor lock_;
  StateSlots::Found found_;
  Records facts_;
  // Of the thread that trains.
  double last_kept_ = 0;
  std::optional<double> wanted_at_;  // the state that is being made
  double seconds_to_make_ = 0;       // of the last one
  int64_t steps_since_ = 0;
  bool told_failure_ = false, any_kept_ = false;
  std::string where_;
  // Of both threads.
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<RunState> pending_;
  bool stopping_ = false, is_busy_ = false;
  int last_tries_ = 0;
  absl::Status status_;                 // of the last try
  std::atomic<bool> is_written_{true};  // the same, to be looked at in each step
  // Of the thread that writes.
  StateSlots slots_;
  std::thread writer_;
};

}  // namespace seqgraph
