#include "tools/report/run_folders.h"

#include <set>
#include <utility>

#include "base/status_macros.h"

namespace seqgraph::tools {

bool IsFileOfRun(const std::string& below) {
  const std::string name = below.substr(below.rfind('/') + 1);  // also in a folder of runs
  for (const char* file :
       {kRunFile, kHistoryFile, kStepsFile, kMessagesFile, kBestModelFile, kLastModelFile}) {
    if (name == file) return true;
  }
  return false;
}

absl::StatusOr<std::vector<RunRecord>> LoadRuns(const std::vector<std::string>& folders) {
  constexpr size_t kMost = 50;
  std::vector<std::string> all;
  for (const std::string& folder : folders) {
    std::vector<std::string> found = RunFolders(folder);
    // What is no folder of runs is told so when it is read.
    if (found.empty()) found = {folder};
    all.insert(all.end(), found.begin(), found.end());
  }
  if (all.size() > kMost) {
    return InvalidArgument(all.size(), " runs: at most ", kMost, " are shown together; name those");
  }
  std::vector<RunRecord> runs;
  std::set<std::string> seen;
  for (const std::string& folder : all) {
    if (!seen.insert(folder).second) {
      return InvalidArgument(folder, " is named twice: name each run once");
    }
    SEQ_ASSIGN_OR_RETURN(RunRecord run, LoadRunRecord(folder));
    runs.push_back(std::move(run));
  }
  return runs;
}

}  // namespace seqgraph::tools
