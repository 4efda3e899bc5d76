#include "tests/distributed/launcher.h"

#include <signal.h>
#include <stdlib.h>

#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "distributed/mpi_transport.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

constexpr char kMpirun[] = "/usr/bin/mpirun";

}  // namespace

std::string NoJobHere() {
  if (!std::filesystem::exists(kMpirun)) return absl::StrCat("no ", kMpirun);
  // Not loaded: MPI in this process is nobody's rank.
  if (!std::filesystem::exists("distributed/mpi/libseqgraph_mpi.so")) {
    return "Seqgraph was built without MPI";
  }
  return "";
}

RankedProcess::RankedProcess(int ranks, const std::string& program,
                             const std::vector<std::string>& arguments, ProcessOptions options) {
  char folder[] = "/tmp/sgXXXXXX";
  EXPECT_NE(::mkdtemp(folder), nullptr);
  folder_ = folder;
  std::vector<std::string> all = {"-n", absl::StrCat(ranks), "--oversubscribe", "--bind-to",
                                  "none"};
  all.push_back(std::filesystem::absolute(program));
  all.insert(all.end(), arguments.begin(), arguments.end());
  options.program = kMpirun;
  for (const char* variable :
       {"OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1", "OMPI_MCA_plm=isolated",
        "OMPI_MCA_btl=self,vader", "OMPI_MCA_btl_vader_single_copy_mechanism=none",
        "OMPI_MCA_oob_tcp_if_include=lo", "OMPI_MCA_pml=ob1"}) {
    options.environment.emplace_back(variable);
  }
  const std::string mpi = std::filesystem::absolute("distributed/mpi/libseqgraph_mpi.so");
  options.environment.push_back(absl::StrCat("SEQGRAPH_MPI_LIBRARY=", mpi));
  options.environment.push_back(absl::StrCat("TMPDIR=", folder_));
  process_ = std::make_unique<Process>(all, options);
}

RankedProcess::~RankedProcess() {
  if (!ended_) {
    // mpirun ends its ranks before itself, unless it is killed at once.
    process_->Signal(SIGTERM);
    process_->Wait();
  }
  std::error_code error;
  std::filesystem::remove_all(folder_, error);
}

ProcessResult RankedProcess::Wait() {
  const int status = process_->Wait();
  ended_ = true;
  return {status, process_->out(), process_->err()};
}

ProcessResult RunRanks(int ranks, const std::vector<std::string>& arguments,
                       const ProcessOptions& options) {
  RankedProcess job(ranks, "tools/seqgraph_main", arguments, options);
  job.process().CloseInput();
  return job.Wait();
}

}  // namespace seqgraph
