#pragma once

// What `train` does on the ranks of a job besides what it does alone.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "distributed/communicator.h"
#include "tools/flags.h"
#include "tools/job_flags.h"
#include "tools/training_data.h"
#include "training/model_runner.h"

namespace seqgraph::tools {

/// --distributed, --timeout and --block.
struct RankFlags {
  JobFlags job;
  int64_t block_rows = 0;

  void Declare(Flags& flags);
};

/// Whether all ranks are about to train the same: flags that change a bit, rows, backends and their
/// instruction sets. FailedPrecondition names the first rank that differs, and in what.
absl::Status CheckSameTraining(Communicator& communicator, const std::vector<std::string>& given,
                               const TrainingData& data, const ModelRunner& runner);

}  // namespace seqgraph::tools
