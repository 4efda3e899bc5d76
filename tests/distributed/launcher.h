#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/end_to_end/process.h"

namespace seqgraph {

/// Why no job can be started here: no mpirun, or no shared object that was built with MPI. Empty:
/// one can. Tests are skipped with it.
std::string NoJobHere();

/// Starts so many ranks of a program on this machine, as `mpirun -n RANKS PROGRAM ARGUMENTS` does,
/// with what a sandbox and a container need: no network but the loopback, no memory of other
/// processes, more ranks than cores. The program is a path in the runfiles; "tools/seqgraph_main".
/// Standard output and error are those of all ranks.
class RankedProcess {
 public:
  RankedProcess(int ranks, const std::string& program, const std::vector<std::string>& arguments,
                ProcessOptions options = {});
  /// Ends all that still run.
  ~RankedProcess();

  Process& process() { return *process_; }
  /// Waits for the end of all; once.
  ProcessResult Wait();

 private:
  std::string folder_;  // of mpirun's own files; sockets in it need a short path
  std::unique_ptr<Process> process_;
  bool ended_ = false;
};

/// The same for the seqgraph command, to its end.
ProcessResult RunRanks(int ranks, const std::vector<std::string>& arguments,
                       const ProcessOptions& options = {});

}  // namespace seqgraph
