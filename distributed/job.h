#pragma once

// The job that this process was started in.

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "distributed/communicator.h"

namespace seqgraph {

struct JobOptions {
  /// A rank that is silent for so long (stopped, or its link cut) ends the job.
  double timeout_seconds = 8;
  /// The shared object that speaks MPI; empty: $SEQGRAPH_MPI_LIBRARY, else beside the program.
  std::string library;
};

/// Whether a launcher (mpirun, srun) has started this process as one of several.
bool IsInJob();

/// Joins the other ranks; called once, by all of them. Outside a job: one rank alone, which needs
/// no MPI. Errors: NotFound where MPI or the shared object is not there, naming the package that
/// brings it.
absl::StatusOr<std::unique_ptr<Communicator>> JoinJob(const JobOptions& options = {});

/// One rank alone, in a job or not.
std::unique_ptr<Communicator> JoinAlone();

/// Before a process that has joined a job ends: says goodbye to the other ranks and waits for
/// theirs. An error ends the job: rank 0 writes one line that names this rank, its host and the
/// error, and every process ends with status 1; this call does not return then. Returns where there
/// is no job, whatever the status.
void LeaveJob(const absl::Status& status);

}  // namespace seqgraph
