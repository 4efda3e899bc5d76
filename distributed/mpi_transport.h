#pragma once

// Ranks that an MPI library connects, by way of the shared object distributed/mpi.

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "distributed/mpi/mpi_table.h"
#include "distributed/transport.h"

namespace seqgraph {

/// Loads the shared object; an empty path: $SEQGRAPH_MPI_LIBRARY, else the one beside the program,
/// among what it was built with, or where it was installed. Errors: NotFound, naming the Debian
/// packages; FailedPrecondition: it belongs to another version of Seqgraph.
absl::StatusOr<const SeqgraphMpiTable*> LoadMpi(const std::string& path = "");

/// Whether that rank has left the job, so that nothing more will come from it.
using HasLeft = std::function<bool(int rank)>;

/// The ranks of a job whose MPI has been initialized. It is used by the thread that did that.
/// Waiting asks MPI again and again: without a pause for some microseconds, then giving way to
/// other threads, then with sleeps of up to a millisecond, so that a rank which waits long takes no
/// time from those that compute. `has_left`, if it is not null, is asked then too: a message that
/// cannot come any more is Unavailable.
std::unique_ptr<Transport> MakeMpiTransport(const SeqgraphMpiTable* mpi, HasLeft has_left);

}  // namespace seqgraph
