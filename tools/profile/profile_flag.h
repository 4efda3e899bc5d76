#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "runtime/profile.h"
#include "tools/flags.h"
#include "tools/interrupt.h"

namespace seqgraph::tools {

/// --profile=FILE and --profile_steps=N, of commands that run functions.
class ProfileFlag {
 public:
  void Declare(Flags& flags);

  /// The work of a command, recorded if --profile asks for it; then, whether the work succeeded or
  /// not (but where CommandFiles refused a file), the file is written (as a whole or not at all)
  /// and a table of the ops goes to standard error. Where `work` is of more worth than its profile,
  /// a file that cannot be written is told, and no error.
  absl::StatusOr<int> Around(absl::string_view command,
                             const std::function<absl::StatusOr<int>()>& work,
                             bool work_is_worth_more = false);

  /// Whether a profile is wanted.
  bool given() const { return !path_.empty(); }
  /// Calls of each function to record.
  int64_t steps() const { return steps_; }
  /// While Around runs and a profile is wanted; null otherwise.
  Profile* profile() { return profile_.has_value() ? &*profile_ : nullptr; }
  Trace* trace() { return profile_.has_value() ? &profile_->trace() : nullptr; }

 private:
  absl::Status Write(absl::string_view command) const;

  const CommandFiles* files_ = nullptr;
  std::string path_;
  int64_t steps_ = 20;
  std::optional<Profile> profile_;
};

/// Ctrl-C, for a command that would otherwise just be ended by it: only if `wanted`, the first one
/// sets a flag, so that what was recorded can be written.
class InterruptIfProfiling {
 public:
  explicit InterruptIfProfiling(bool wanted) {
    if (wanted) handler_.emplace(/*restart=*/false);
  }
  /// Null if it is not wanted.
  const std::atomic<bool>* flag() const { return handler_ ? handler_->flag() : nullptr; }
  bool interrupted() const { return handler_ && handler_->flag()->load(); }
  /// The exit status of an interrupted command, as shells have it.
  int exit_status() const { return 128 + (handler_ ? handler_->signal() : 0); }

 private:
  std::optional<InterruptHandler> handler_;
};

}  // namespace seqgraph::tools
