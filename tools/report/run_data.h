#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "graph/model.h"
#include "tools/command_files.h"
#include "tools/data_flags.h"
#include "tools/flags.h"
#include "tools/model_flags.h"
#include "tools/runs/run_record.h"
#include "tools/series_flags.h"
#include "tools/training_data.h"

namespace seqgraph::tools {

/// The data of a run, read again as the run has read them.
class RunData {
 public:
  /// By the flags of the run, for the model that it has saved. `files`: what the command that asks
  /// may not write over. Errors: data that are not there any more, or others by now
  /// (FailedPrecondition); those of TrainingData::Load.
  static absl::StatusOr<std::unique_ptr<RunData>> Load(const RunRecord& run, const Model& model,
                                                       const CommandFiles& files);

  const TrainingData& data() const { return *data_; }
  /// Rows of a step.
  int64_t batch() const { return batch_; }
  /// Whether training weighs classes, which a step of it then asks for.
  bool weighs_classes() const { return weighs_classes_; }

 private:
  RunData() = default;

  EarlierFlags given_;
  DataFlags flags_;
  SeriesFlags series_;
  ModelFlags model_;
  int64_t batch_ = 64, seed_ = 1, max_memory_ = 0;
  bool weighs_classes_ = false;
  std::unique_ptr<TrainingData> data_;
};

}  // namespace seqgraph::tools
