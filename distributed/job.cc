#include "distributed/job.h"

#include <utility>

#include "base/status_macros.h"
#include "distributed/thread_transport.h"

namespace seqgraph {

bool IsInJob() { return false; }

absl::StatusOr<std::unique_ptr<Communicator>> JoinJob(const JobOptions&) { return JoinAlone(); }

std::unique_ptr<Communicator> JoinAlone() {
  return std::make_unique<Communicator>(std::move(ThreadTransports(1)[0]));
}

void LeaveJob(const absl::Status&) {}

}  // namespace seqgraph
