#pragma once

#include <functional>

#include "absl/status/statusor.h"
#include "graph/op_registry.h"
#include "runtime/backend.h"
#include "tools/conformance/case.h"

namespace seqgraph::conformance {

/// The environment variable by which the supervisor tells a child that it is a worker; its value is
/// "FD SEED".
inline constexpr char kWorkerVariable[] = "SEQGRAPH_CONFORMANCE_WORKER";

/// True in a process that a supervisor started as a worker.
bool IsWorker();

/// Gives the backend under test; called once, in the worker only. The backend must outlive the
/// worker.
using FindBackend = std::function<absl::StatusOr<const Backend*>()>;

/// What a worker does instead of the program's own work: it answers each name of a case with what
/// became of it, until the supervisor is gone. It knows AllCases and `more`. A signal that ends it
/// is reported first, with the buffer that it was about. Gives the exit status.
int WorkerMain(const OpRegistry& registry, const FindBackend& find, const Cases& more = {});

}  // namespace seqgraph::conformance
