#include "tests/benchmark/ranks_training.h"

#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "backends/all_backends.h"
#include "base/counter_random.h"
#include "base/status_macros.h"
#include "distributed/job.h"
#include "distributed/measure_network.h"
#include "distributed/step_plan.h"
#include "ops/rewrites/all_rewrites.h"
#include "tests/benchmark/machine.h"
#include "tests/benchmark/paired.h"
#include "tools/measured_step.h"
#include "training/lambda_callback.h"
#include "training/trainer.h"

namespace seqgraph {
namespace {

// The first steps of a run touch memory for the first time.
constexpr size_t kWarmUp = 2;

// Texts of words by lot.
struct Texts {
  Texts(const TextModelOptions& model, int64_t rows) : rows(rows), maxlen(model.maxlen) {
    CounterRandom random(1, "texts");
    for (int64_t i = 0; i < rows * maxlen; ++i) {
      tokens.push_back(random.NextBelow(static_cast<int>(model.num_words)));
    }
    for (int64_t i = 0; i < rows; ++i) targets.push_back(random.NextBelow(2));
  }
  Examples All() const { return {tokens, rows, maxlen, targets}; }

  int64_t rows, maxlen;
  std::vector<int32_t> tokens, targets;
};

// Seconds of each step of a run but the first ones; nothing where another rank leads.
absl::StatusOr<std::vector<double>> TimeSteps(Communicator& ranks,
                                              const RanksTrainingOptions& options,
                                              const Texts& texts) {
  SEQ_ASSIGN_OR_RETURN(Model model, MakeTextModel(options.model));
  std::vector<double> ends;
  ends.reserve(static_cast<size_t>(options.steps) + kWarmUp);
  FitOptions fit{.batch = options.batch, .shuffle = false};
  fit.communicator = &ranks;
  fit.block_rows = options.block;
  if (ranks.is_root()) {
    fit.callbacks = {LambdaCallback({.on_batch_end = [&](FitContext&, int64_t, const Logs&) {
      ends.push_back(WallSeconds());
      return absl::OkStatus();
    }})};
  }
  Trainer trainer(&model);
  SEQ_RETURN_IF_ERROR(trainer.Fit(texts.All(), Examples{}, fit).status());
  std::vector<double> seconds;
  for (size_t i = kWarmUp; i < ends.size(); ++i) seconds.push_back(ends[i] - ends[i - 1]);
  return seconds;
}

// Median seconds of a step in a round, as predicted from the blocks that were measured just before,
// and as seen.
struct Round {
  double predicted_alone = 0, alone = 0, predicted_together = 0, together = 0;
};

// The root's part of a round before the others join.
absl::StatusOr<Round> PredictAndTrainAlone(const RanksTrainingOptions& options, const Texts& texts,
                                           NetworkCosts costs, int ranks) {
  SEQ_ASSIGN_OR_RETURN(Model model, MakeTextModel(options.model));
  SEQ_ASSIGN_OR_RETURN(const auto backends, AllBackends().ParseList(kDefaultBackends));
  const int64_t block = options.block > 0 ? options.block : RowsOfBlock(options.batch);
  SEQ_ASSIGN_OR_RETURN(StepFacts facts,
                       tools::MeasureStep(model, options.batch, block,
                                          {.backends = backends, .passes = StandardPasses()}));
  facts.cores = static_cast<int>(std::thread::hardware_concurrency());
  costs.per_added_byte = MeasureAddedByte(facts.weights);
  const std::unique_ptr<Communicator> alone = JoinAlone();
  SEQ_ASSIGN_OR_RETURN(const std::vector<double> steps, TimeSteps(*alone, options, texts));
  return Round{.predicted_alone = PlanStep(facts, costs, 1).seconds,
               .alone = SpreadOf(steps).median,
               .predicted_together = PlanStep(facts, costs, ranks).seconds};
}

absl::StatusOr<std::vector<Round>> RunRounds(Communicator& ranks,
                                             const RanksTrainingOptions& options,
                                             const NetworkCosts& costs) {
  const Texts texts(options.model, options.batch * (options.steps + static_cast<int>(kWarmUp)));
  std::vector<Round> rounds;
  const double begin = WallSeconds();
  for (char more = 1; more != 0;) {
    Round round;
    if (ranks.is_root()) {
      SEQ_ASSIGN_OR_RETURN(round, PredictAndTrainAlone(options, texts, costs, ranks.size()));
    }
    SEQ_RETURN_IF_ERROR(ranks.Barrier());
    SEQ_ASSIGN_OR_RETURN(const std::vector<double> steps, TimeSteps(ranks, options, texts));
    if (ranks.is_root()) {
      round.together = SpreadOf(steps).median;
      rounds.push_back(round);
    }
    more = WallSeconds() - begin < options.seconds ? 1 : 0;
    SEQ_RETURN_IF_ERROR(ranks.BroadcastValue(&more));
  }
  return rounds;
}

// "middle (p10, p90)" of what is asked of each round.
template <typename Value>
std::string OfRounds(const std::vector<Round>& rounds, const char* format, Value value) {
  std::vector<double> values;
  for (const Round& round : rounds) values.push_back(value(round));
  const Spread spread = SpreadOf(values);
  const auto text = [&](double number) {
    char buffer[32];
    std::snprintf(buffer, sizeof(buffer), format, number);
    return std::string(buffer);
  };
  return absl::StrCat(text(spread.median), " (", text(spread.p10), ", ", text(spread.p90), ")");
}

}  // namespace

absl::Status TrainOnRanks(Communicator& ranks, const RanksTrainingOptions& options) {
  NetworkCosts costs;
  if (ranks.size() > 1) {
    SEQ_ASSIGN_OR_RETURN(costs, MeasureNetwork(ranks));
  }
  SEQ_ASSIGN_OR_RETURN(const std::vector<Round> rounds, RunRounds(ranks, options, costs));
  if (!ranks.is_root()) return absl::OkStatus();
  const auto off = [](double predicted, double seen) { return 100 * (predicted / seen - 1); };
  absl::PrintF(
      "%s\nmedians of %d rounds (10 %%, 90 %%)\n\n"
      "| ranks | batch | one rank, ms | predicted | all, ms | predicted | times as fast |\n"
      "| --- | --- | --- | --- | --- | --- | --- |\n"
      "| %d | %d | %s | %s | %s | %s | %s |\n",
      MachineText(), rounds.size(), ranks.size(), options.batch,
      OfRounds(rounds, "%.4g", [](const Round& r) { return 1e3 * r.alone; }),
      OfRounds(rounds, "%+.1f %%", [&](const Round& r) { return off(r.predicted_alone, r.alone); }),
      OfRounds(rounds, "%.4g", [](const Round& r) { return 1e3 * r.together; }),
      OfRounds(rounds, "%+.1f %%",
               [&](const Round& r) { return off(r.predicted_together, r.together); }),
      OfRounds(rounds, "%.3g", [](const Round& r) { return r.alone / r.together; }));
  return absl::OkStatus();
}

}  // namespace seqgraph
