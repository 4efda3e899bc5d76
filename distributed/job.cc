#include "distributed/job.h"

#include <cstdlib>
#include <utility>

#include "absl/strings/numbers.h"
#include "base/status_macros.h"
#include "distributed/mpi_transport.h"
#include "distributed/thread_transport.h"
#include "distributed/watch.h"

namespace seqgraph {
namespace {

// What this process has joined, until it leaves.
struct Job {
  const SeqgraphMpiTable* mpi = nullptr;
  std::unique_ptr<Watch> watch;
};

Job& CurrentJob() {
  static Job& job = *new Job;
  return job;
}

// A number that a launcher tells; -1 without one.
int Told(const char* variable) {
  const char* text = std::getenv(variable);
  int number = -1;
  return text != nullptr && absl::SimpleAtoi(text, &number) ? number : -1;
}

// How many ranks the launcher has started; 1: this process alone; 0: it does not say.
int RanksStarted() {
  for (const char* variable : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"}) {
    if (const int ranks = Told(variable); ranks > 0) return ranks;
  }
  return std::getenv("PMIX_RANK") != nullptr || std::getenv("PMI_RANK") != nullptr ? 0 : 1;
}

}  // namespace

bool IsInJob() { return RanksStarted() != 1; }

absl::StatusOr<std::unique_ptr<Communicator>> JoinJob(const JobOptions& options) {
  Job& job = CurrentJob();
  if (job.mpi != nullptr) return FailedPrecondition("this process has joined its job already");
  SEQ_ASSIGN_OR_RETURN(const SeqgraphMpiTable* mpi, LoadMpi(options.library));
  if (!IsInJob()) return JoinAlone();
  if (const int error = mpi->init(); error != 0) {
    char text[kSeqgraphMpiText];
    mpi->text(error, text);
    return Unavailable("MPI cannot join the other ranks: ", text);
  }
  if (const int started = RanksStarted(); started > 1 && mpi->size() != started) {
    return FailedPrecondition(
        "the launcher started ", started, " ranks, and ", mpi->library(), " knows ", mpi->size(),
        ": start the job with the mpirun of that MPI, or with `srun --mpi=pmix` or `--mpi=pmi2`");
  }
  job.mpi = mpi;
  auto communicator = std::make_unique<Communicator>(MakeMpiTransport(
      mpi, [&job](int rank) { return job.watch != nullptr && job.watch->HasLeft(rank); }));
  if (mpi->size() == 1) return communicator;
  SEQ_ASSIGN_OR_RETURN(job.watch,
                       Watch::Start(*communicator, {.timeout_seconds = options.timeout_seconds}));
  return communicator;
}

std::unique_ptr<Communicator> JoinAlone() {
  return std::make_unique<Communicator>(std::move(ThreadTransports(1)[0]));
}

void LeaveJob(const absl::Status& status) {
  Job& job = CurrentJob();
  if (job.mpi == nullptr) return;
  if (status.ok()) {
    // Nobody waits in MPI, which takes a whole core for that, for ranks that still work.
    if (job.watch != nullptr) job.watch->Leave();
    job.mpi->finalize();
  } else if (job.watch != nullptr) {
    job.watch->Fail(std::string(status.message()));
  }
  job.watch = nullptr;
  job.mpi = nullptr;
}

}  // namespace seqgraph
