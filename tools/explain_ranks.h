#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "distributed/cost_model.h"
#include "graph/model.h"
#include "runtime/compiled_function.h"
#include "tools/flags.h"
#include "tools/job_flags.h"
#include "tools/output.h"

namespace seqgraph::tools {

/// Of `explain`: --ranks and what goes with it, how long a training step of several ranks would
/// take.
class ExplainRanks {
 public:
  void Declare(Flags& flags);
  /// Whether it is asked for.
  bool wanted() const { return ranks_ > 0 || measure_; }

  /// The constants of the network, as given or measured; joins the job where one is asked for.
  absl::Status FindNetwork();
  /// False for a rank that has nothing to print.
  bool prints() const { return prints_; }

  /// Measures the step on this machine (its first `block_rows` rows) and prints the plan. Errors:
  /// NotFound for a model without train_step; those of MeasureStep.
  absl::StatusOr<int> Run(Model& model, int64_t batch, const CompileOptions& options, Output& out);

 private:
  int64_t ranks_ = 0;
  int64_t block_rows_ = 0;
  int64_t cores_ = 0;
  double latency_us_ = 10;
  double gigabytes_ = 3.125;
  bool measure_ = false;
  std::string format_ = "text";
  JobFlags job_;
  NetworkCosts costs_;
  bool prints_ = true;
};

}  // namespace seqgraph::tools
