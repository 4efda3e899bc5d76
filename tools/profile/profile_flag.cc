#include "tools/profile/profile_flag.h"

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "base/atomic_file.h"
#include "base/status_macros.h"
#include "tools/profile/chrome_trace.h"
#include "tools/profile/perfetto_trace.h"

namespace seqgraph::tools {

void ProfileFlag::Declare(Flags& flags) {
  files_ = &flags.files();
  flags.OutputFile("--profile", &path_,
                   "What took how long, as JSON for Perfetto or chrome://tracing; FILE.pftrace in\n"
                   "Perfetto's own form, with memory and GFLOP/s over time");
  Flag steps = flags.Int("--profile_steps", &steps_, 1, 10'000,
                         "Calls of each function whose nodes are recorded, after 2 to warm up");
  flags.Check("--profile_steps",
              [this, steps] { return steps.given() && path_.empty() ? "needs --profile" : ""; });
}

absl::StatusOr<int> ProfileFlag::Around(absl::string_view command,
                                        const std::function<absl::StatusOr<int>()>& work,
                                        bool work_is_worth_more) {
  if (path_.empty()) return work();
  profile_.emplace(ProfileOptions{.calls = steps_});
  absl::StatusOr<int> result = [&] {
    const TraceSpan all(trace(), command, "command");
    return work();
  }();
  // It may be the very file that the work would not lose.
  const absl::Status written = files_->refused() ? absl::OkStatus() : Write(command);
  profile_.reset();
  if (written.ok() || !result.ok()) return result;
  if (!work_is_worth_more) return written;
  std::fprintf(stderr, "seqgraph: there is no profile: %s\n",
               std::string(written.message()).c_str());
  return result;
}

absl::Status ProfileFlag::Write(absl::string_view command) const {
  const std::string name = absl::StrCat("seqgraph ", command);
  SEQ_RETURN_IF_ERROR(AtomicWriteFile(path_, IsPerfettoPath(path_) ? PerfettoTrace(*profile_, name)
                                                                   : ChromeTrace(*profile_, name)));
  std::fputs(OpTable(*profile_).c_str(), stderr);
  return absl::OkStatus();
}

}  // namespace seqgraph::tools
