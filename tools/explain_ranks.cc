#include "tools/explain_ranks.h"

#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "distributed/communicator.h"
#include "distributed/measure_network.h"
#include "distributed/step_plan.h"
#include "tools/measured_step.h"
#include "tools/text_table.h"

namespace seqgraph::tools {
namespace {

constexpr int64_t kMostRanks = 10'000;

bool IsLatency(double us) { return us >= 0 && us <= 1e7; }
bool IsBandwidth(double gigabytes) { return gigabytes >= 1e-6 && gigabytes <= 1e6; }

// A number of ranks, with buckets of gradients that go out within the backward pass, and with all
// messages behind it.
struct Row {
  StepPlan plan, behind;
};

std::string InMicroseconds(double seconds) { return absl::StrFormat("%.1f", seconds * 1e6); }

std::string Thousands(int64_t bytes) {
  return absl::StrFormat("%.1f", static_cast<double>(bytes) / 1e3);
}

std::string PlanText(const StepFacts& facts, const NetworkCosts& costs,
                     const std::vector<Row>& rows) {
  std::string text = absl::StrFormat(
      "train_step, batch %d in blocks of %d rows; measured here: gradients of a block %s us, of "
      "which %.0f %% in the backward pass, optimizer %s us\n"
      "a message takes %s us and %.4g GB/s, a rank %.2f us of it; %d gradients are added at %.3g "
      "GB/s\n",
      facts.batch, facts.block_rows, InMicroseconds(facts.block_seconds),
      100 * facts.backward_share, InMicroseconds(facts.optimizer_seconds),
      InMicroseconds(costs.latency), 1e-9 / costs.per_byte, costs.busy() * 1e6, facts.weights,
      1e-9 / costs.per_added_byte);
  if (facts.cores > 0) absl::StrAppend(&text, "all ranks share ", facts.cores, " cores\n");
  TextTable table({"ranks", "step us", "messages", "unhidden us", "samples/s", "efficiency",
                   "sent kB", "memory kB", "gradients", "optimizer"});
  for (const Row& row : rows) {
    const StepPlan& plan = row.plan;
    table.AddRow({absl::StrCat(plan.ranks), InMicroseconds(plan.seconds),
                  absl::StrFormat("%.1f %%", 100 * plan.communication / plan.seconds),
                  InMicroseconds(row.behind.seconds),
                  absl::StrFormat("%.0f", plan.samples_per_second),
                  absl::StrFormat("%.1f %%", 100 * plan.efficiency), Thousands(plan.traffic),
                  Thousands(plan.memory()), Thousands(plan.gradient_bytes),
                  Thousands(plan.optimizer_bytes)});
  }
  return absl::StrCat(text, "\n", table.Text(0, 9), "\n");
}

std::string PlanJson(const StepFacts& facts, const NetworkCosts& costs,
                     const std::vector<Row>& rows, const std::string& advice) {
  nlohmann::ordered_json json = {{"batch", facts.batch},
                                 {"block_rows", facts.block_rows},
                                 {"block_seconds", facts.block_seconds},
                                 {"backward_share", facts.backward_share},
                                 {"optimizer_seconds", facts.optimizer_seconds},
                                 {"gradients", facts.weights},
                                 {"latency_seconds", costs.latency},
                                 {"seconds_per_byte", costs.per_byte},
                                 {"overhead_seconds", costs.busy()},
                                 {"seconds_per_added_byte", costs.per_added_byte},
                                 {"plans", nlohmann::ordered_json::array()}};
  for (const Row& row : rows) {
    const StepPlan& plan = row.plan;
    json["plans"].push_back({{"ranks", plan.ranks},
                             {"seconds", plan.seconds},
                             {"communication_seconds", plan.communication},
                             {"unhidden_seconds", row.behind.seconds},
                             {"samples_per_second", plan.samples_per_second},
                             {"efficiency", plan.efficiency},
                             {"sent_bytes", plan.traffic},
                             {"memory_bytes", plan.memory()},
                             {"weight_bytes", plan.weight_bytes},
                             {"gradient_bytes", plan.gradient_bytes},
                             {"optimizer_bytes", plan.optimizer_bytes},
                             {"call_bytes", plan.call_bytes}});
  }
  json["advice"] = advice;
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

void ExplainRanks::Declare(Flags& flags) {
  flags.Group("A training step on several ranks");
  flags.Int("--ranks", &ranks_, 0, kMostRanks,
            "Predicts a step whose batch so many ranks share; --batch is that of all (0: explains "
            "nodes)");
  flags.Int("--block", &block_rows_, 0, 1'000'000,
            "Rows whose gradients one call computes (0: 32 up to a batch of 256, else 64)");
  const Flag latency =
      flags.Number("--latency", &latency_us_, IsLatency, "a number of us from 0 to 10^7", "10",
                   "Microseconds until a message without content has come");
  const Flag bandwidth =
      flags.Number("--bandwidth", &gigabytes_, IsBandwidth, "a number of GB/s from 10^-6 to 10^6",
                   "3.125", "GB/s of a rank's link in each direction (3.125: 25 Gbit/s)");
  flags.Int("--cores", &cores_, 0, 1'000'000,
            "All ranks share so many cores, as on one machine (0: each has its own)");
  Flag measured = flags.Switch("--measure", &measure_,
                               "Measures latency and bandwidth between ranks 0 and 1 of a job: "
                               "mpirun -n 2 seqgraph explain MODEL --distributed --measure");
  measured.Excludes(latency).Excludes(bandwidth);
  job_.Declare(flags);
  const Flag format =
      flags.Choice("--format", &format_, {"text", "json"}, "How the prediction is printed");
  flags.Check("--format", [this, format] {
    return format.given() && !wanted() ? "goes with --ranks or --measure" : "";
  });
  flags.Check("--measure", [this] {
    return measure_ && !job_.distributed ? "goes with --distributed: it needs two ranks of a job"
                                         : "";
  });
}

absl::Status ExplainRanks::FindNetwork() {
  costs_.latency = latency_us_ * 1e-6;
  costs_.per_byte = 1e-9 / gigabytes_;
  SEQ_ASSIGN_OR_RETURN(const std::unique_ptr<Communicator> ranks, job_.Join());
  prints_ = ranks->is_root();
  if (ranks_ == 0) ranks_ = ranks->size();
  if (!measure_) return absl::OkStatus();
  SEQ_ASSIGN_OR_RETURN(costs_, MeasureNetwork(*ranks));
  return absl::OkStatus();
}

absl::StatusOr<int> ExplainRanks::Run(Model& model, int64_t batch, const CompileOptions& options,
                                      Output& out) {
  const int64_t block_rows = block_rows_ > 0 ? block_rows_ : RowsOfBlock(batch);
  SEQ_ASSIGN_OR_RETURN(StepFacts facts, MeasureStep(model, batch, block_rows, options));
  facts.cores = static_cast<int>(cores_);
  costs_.per_added_byte = MeasureAddedByte(facts.weights);
  std::vector<Row> rows;
  for (const int ranks : RanksToShow(static_cast<int>(ranks_))) {
    rows.push_back(
        {PlanStep(facts, costs_, ranks), PlanStep(facts, costs_, ranks, {.overlap = false})});
  }
  const std::string advice = StepAdvice(facts, costs_, static_cast<int>(ranks_));
  out.Write(format_ == "json" ? PlanJson(facts, costs_, rows, advice)
                              : absl::StrCat(PlanText(facts, costs_, rows), advice));
  return 0;
}

}  // namespace seqgraph::tools
