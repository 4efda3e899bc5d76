#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "distributed/communicator.h"
#include "tools/flags.h"

namespace seqgraph::tools {

/// The flags of commands that can be one of the ranks of a job: --distributed and --timeout.
struct JobFlags {
  bool distributed = false;
  double timeout_seconds = 8;
  /// Of commands that share their work wherever mpirun or srun has started several of them, with
  /// or without --distributed.
  bool joins_by_itself = false;

  void Declare(Flags& flags);

  /// All ranks of the job, once in a process; one rank alone where none is asked for. Errors: no
  /// MPI on this machine; the others cannot be reached. What goes wrong from then on, main.cc tells
  /// the other ranks: a command returns its error as ever.
  absl::StatusOr<std::unique_ptr<Communicator>> Join() const;
};

/// From now on what is written to standard output goes nowhere, whoever writes it: for ranks other
/// than the root. Standard error stays.
void SilenceOutput();

}  // namespace seqgraph::tools
