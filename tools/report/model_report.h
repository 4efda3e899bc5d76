#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/command_files.h"
#include "tools/report/judgement.h"
#include "tools/report/model_view.h"
#include "tools/runs/run_record.h"
#include "training/summary.h"

namespace seqgraph::tools {

/// What a page says of one run beside its curves: of its model, and where its data are read, of
/// what the model makes of them.
struct ModelReport {
  std::string model_path;  ///< empty: the run has left no model
  std::vector<LayerRow> layers;
  int64_t parameters = 0, optimizer_numbers = 0;
  std::string graph;  ///< `predict`, as SVG
  std::optional<MemoryPicture> memory;
  std::optional<Judgement> judgement;
  std::optional<StepProfile> times;
  std::vector<std::string> notes;  ///< what could not be done, and why, a sentence each
};

struct ModelReportOptions {
  bool judge = true;
  int64_t profiled_steps = 10;
  JudgementOptions judgement;
};

/// Best model of the run, else its last one, else what it has saved. What cannot be had is a note,
/// no error; Cancelled where it is interrupted.
absl::StatusOr<ModelReport> MakeModelReport(const RunRecord& run, const CommandFiles& files,
                                            const ModelReportOptions& options);

}  // namespace seqgraph::tools
