#include "tools/job_flags.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>

#include "distributed/job.h"

namespace seqgraph::tools {

void JobFlags::Declare(Flags& flags) {
  flags.Switch("--distributed", &distributed,
               "As one of the ranks of a job, which mpirun or srun has started");
  flags.Number(
      "--timeout", &timeout_seconds, [](double given) { return given >= 1 && given <= 86400; },
      "a number of seconds from 1 to 86400", "8",
      "Seconds after which a rank that is silent (stopped, or its link is cut) ends the job");
}

absl::StatusOr<std::unique_ptr<Communicator>> JobFlags::Join() const {
  if (distributed || (joins_by_itself && IsInJob())) {
    return JoinJob({.timeout_seconds = timeout_seconds});
  }
  return JoinAlone();
}

void SilenceOutput() {
  std::fflush(stdout);
  const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nowhere < 0) return;
  ::dup2(nowhere, STDOUT_FILENO);
  ::close(nowhere);
}

}  // namespace seqgraph::tools
