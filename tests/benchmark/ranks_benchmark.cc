// Data-parallel steps on 1 to 1,000 ranks of a simulated network: the collectives as they are, and
// computing as long as it takes here. LSTMs of (512, 512) units on 100 steps of 64 features, 64
// rows a rank, at 10 us and 25 Gbit/s. Efficiency is the rate of a rank over that of one alone.
//
//   bazel run //tests/benchmark:ranks_benchmark
//   bazel run //tests/benchmark:ranks_benchmark -- --faster=16   (machines of so many times our
//                                                                 speed)
//
// Training of a text model on ranks of this machine, against one of them and against what the plan
// says of both (ranks_training.h); without --units the tutorial's:
//
//   mpirun -n 2 bazel-bin/tests/benchmark/ranks_benchmark --run --cell=LSTM --units=128
//   --embedding_dim=128 --rows=256

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "backends/all_backends.h"
#include "distributed/job.h"
#include "distributed/measure_network.h"
#include "distributed/run_steps.h"
#include "distributed/step_plan.h"
#include "ops/rewrites/all_rewrites.h"
#include "seqgraph.h"
#include "tests/benchmark/machine.h"
#include "tests/benchmark/ranks_training.h"
#include "tools/measured_step.h"

namespace seqgraph {
namespace {

struct Flags {
  std::vector<int> ranks = {1, 2, 4, 8, 16, 32, 64, 128, 256, 1000};
  std::vector<int64_t> units = {512, 512};
  int64_t time = 100, features = 64, rows = 64, block = 64;
  bool run = false;
  RanksTrainingOptions training;
  double latency_us = 10, gigabytes = 3.125, faster = 1, seconds = 8;

  RanksTrainingOptions Training() const {
    RanksTrainingOptions made = training;
    if (units_given) made.model.units = units.front();
    if (block_given) made.block = block;
    made.batch = rows;
    made.seconds = seconds;
    return made;
  }
  bool units_given = false, block_given = false;
};

Model MakeLstms(const Flags& flags) {
  Sequential stack({.time = flags.time, .features = flags.features});
  for (size_t i = 0; i < flags.units.size(); ++i) {
    stack.Add(LSTM(flags.units[i], {.return_sequences = i + 1 < flags.units.size()}));
  }
  stack.Add(DenseLayer{.units = 1, .activation = "sigmoid"});
  absl::StatusOr<Model> model = stack.Build();
  SEQ_CHECK(model.ok());
  return *std::move(model);
}

// Of the first block; the batch is that of one rank.
StepFacts MeasureHere(const Flags& flags, double seconds) {
  Model model = MakeLstms(flags);
  const auto backends = AllBackends().ParseList(kDefaultBackends);
  SEQ_CHECK(backends.ok());
  absl::StatusOr<StepFacts> facts = tools::MeasureStep(
      model, flags.rows, flags.block, {.backends = *backends, .passes = StandardPasses()}, seconds);
  SEQ_CHECK(facts.ok());
  facts->block_seconds /= flags.faster;
  facts->optimizer_seconds /= flags.faster;
  return *facts;
}

// One line of the table; false where the simulation failed.
bool PrintRow(StepFacts facts, const NetworkCosts& costs, int ranks, double one_alone) {
  facts.batch *= ranks;
  const auto start = std::chrono::steady_clock::now();
  // All ranks' gradients lie in this process: of many, each float stands for several.
  const absl::StatusOr<SimulatedStep> step = SimulateStep(
      facts, costs, ranks, {.steps = ranks > 256 ? 1 : 2, .floats_each = ranks > 16 ? 16 : 1});
  if (!step.ok()) {
    std::fprintf(stderr, "%d ranks: %s\n", ranks, step.status().ToString().c_str());
    return false;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  const StepPlan plan = PlanStep(facts, costs, ranks);
  const StepPlan behind = PlanStep(facts, costs, ranks, {.overlap = false});
  absl::PrintF("| %d | %.4g | %.1f %% | %.2f %% | %.4g | %.1f %% | %.1f | %.1f | %.1f |\n", ranks,
               1e3 * step->seconds, 100 * one_alone / step->seconds,
               100 * step->communication / step->seconds, 1e3 * plan.seconds,
               100 * one_alone / behind.seconds, static_cast<double>(step->traffic) * 1e-6,
               static_cast<double>(plan.memory()) * 1e-6, took.count());
  std::fflush(stdout);
  return true;
}

int Main(int argc, char** argv) {
  Flags flags;
  CLI::App app("Steps of many ranks");
  app.add_option("--ranks", flags.ranks)->delimiter(',');
  const CLI::Option* units = app.add_option("--units", flags.units)->delimiter(',');
  app.add_option("--rows", flags.rows, "A rank; with --run of all");
  const CLI::Option* block = app.add_option("--block", flags.block, "Rows of a block");
  app.add_option("--features", flags.features);
  app.add_option("--latency", flags.latency_us, "us");
  app.add_option("--bandwidth", flags.gigabytes, "GB/s");
  app.add_option("--faster", flags.faster, "Computing takes so many times less than here");
  app.add_option("--seconds", flags.seconds, "To measure computing; with --run of all");
  app.add_flag("--run", flags.run, "Trains, as a rank of a job that mpirun has started");
  app.add_option("--cell", flags.training.model.cell, "With --run");
  app.add_option("--embedding_dim", flags.training.model.embedding_dim, "With --run");
  app.add_option("--layers", flags.training.model.layers, "With --run");
  app.add_option("--steps", flags.training.steps, "With --run, of a round");
  CLI11_PARSE(app, argc, argv);

  if (flags.run) {
    flags.units_given = units->count() > 0;
    flags.block_given = block->count() > 0;
    absl::Status status;
    {
      auto ranks = JoinJob();
      status = ranks.ok() ? TrainOnRanks(**ranks, flags.Training()) : ranks.status();
      LeaveJob(status);
    }
    if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
    return status.ok() ? 0 : 1;
  }
  const StepFacts facts = MeasureHere(flags, flags.seconds);
  NetworkCosts costs;
  costs.latency = flags.latency_us * 1e-6;
  costs.per_byte = 1e-9 / flags.gigabytes;
  costs.per_added_byte = MeasureAddedByte(facts.weights) / flags.faster;
  absl::PrintF(
      "%s\ngradients of %d rows take %.4g ms (%.0f %% of it the backward pass), the optimizer %.3g "
      "ms; %.1f MB of gradients, added at %.3g GB/s; %.3g us and %.4g GB/s\n\n"
      "| ranks | step, ms | efficiency | messages | predicted, ms | efficiency without buckets, "
      "predicted | MB sent a rank | MB a rank | s to simulate |\n"
      "| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
      MachineText(), flags.rows, 1e3 * facts.block_seconds, 100 * facts.backward_share,
      1e3 * facts.optimizer_seconds, static_cast<double>(facts.weights) * 4e-6,
      1e-9 / costs.per_added_byte, flags.latency_us, flags.gigabytes);
  const double one_alone = PlanStep(facts, costs, 1).seconds;
  for (const int ranks : flags.ranks) {
    if (!PrintRow(facts, costs, ranks, one_alone)) return 1;
  }
  return 0;
}

}  // namespace
}  // namespace seqgraph

int main(int argc, char** argv) { return seqgraph::Main(argc, argv); }
