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

std::vector<std::string> LauncherEnvironment() {
  return {"OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1",
          "OMPI_MCA_btl_vader_single_copy_mechanism=none", "PMIX_MCA_gds=hash",
          absl::StrCat("SEQGRAPH_MPI_LIBRARY=",
                       std::filesystem::absolute("distributed/mpi/libseqgraph_mpi.so").string())};
}

RankedProcess::RankedProcess(int ranks, const std::string& program,
                             const std::vector<std::string>& arguments, ProcessOptions options) {
  // In memory: a disk that other tests fill has no say.
  char folder[] = "/dev/shm/sgXXXXXX";
  EXPECT_NE(::mkdtemp(folder), nullptr);
  folder_ = folder;
  std::vector<std::string> all = {"-n", absl::StrCat(ranks), "--oversubscribe", "--bind-to",
                                  "none"};
  all.push_back(std::filesystem::absolute(program));
  all.insert(all.end(), arguments.begin(), arguments.end());
  options.program = kMpirun;
  for (const std::string& variable : LauncherEnvironment()) {
    options.environment.push_back(variable);
  }
  for (const char* variable : {"OMPI_MCA_plm=isolated", "OMPI_MCA_btl=self,vader",
                               "OMPI_MCA_oob_tcp_if_include=lo", "OMPI_MCA_pml=ob1"}) {
    options.environment.emplace_back(variable);
  }
  options.environment.push_back(absl::StrCat("TMPDIR=", folder_));
  // Names of shared memory follow from mpirun's process number, which two sandboxes have in common.
  options.environment.push_back(absl::StrCat("OMPI_MCA_btl_vader_backing_directory=", folder_));
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
