#include "tools/rank_training.h"

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "distributed/same_facts.h"
#include "tools/run_facts.h"

namespace seqgraph::tools {

void RankFlags::Declare(Flags& flags) {
  job.Declare(flags);
  flags.Int(
      "--block", &block_rows, 1, 1'000'000,
      "With --distributed: rows of a block of the batch, which one rank takes; by default 32\n"
      "of batches up to 256, else 64. Another number of ranks changes no bit, another block\n"
      "does");
}

absl::Status CheckSameTraining(Communicator& communicator, const std::vector<std::string>& given,
                               const TrainingData& data, const ModelRunner& runner) {
  Facts facts = {{"the rows to train on (SHA-256)", HashOfExamples(data.train())},
                 {"the rows to validate on (SHA-256)", HashOfExamples(data.validation())},
                 {"backends", runner.DescribeBackends()}};
  for (const std::string& argument : given) {
    const std::string name = NameOfFlag(argument);
    if (!absl::c_linear_search(FreeFlags(), name)) {
      absl::StrAppend(&facts[name], facts[name].empty() ? "" : " ", argument);
    }
  }
  return CheckSame(communicator, facts);
}

}  // namespace seqgraph::tools
