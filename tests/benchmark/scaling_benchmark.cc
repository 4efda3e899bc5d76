// How the tutorial's training scales, on backend simd: the time of a sample in an epoch with the
// number of samples, the time of a step with the length of reviews, two threads against one, and
// with a folder that keeps the state of the run against none.
// What is compared alternates in one process.
//
//   bazel run //tests/benchmark:scaling_benchmark
//   bazel run //tests/benchmark:scaling_benchmark -- --backend=onednn --samples=100000

#include <omp.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "tests/benchmark/machine.h"
#include "tests/benchmark/paired.h"
#include "training/batch_runner.h"
#include "training/run_folder.h"
#include "training/text_models.h"
#include "training/trainer.h"

namespace seqgraph {
namespace {

constexpr int64_t kTime = 100, kVocabulary = 500, kBatch = 64;

// Rows of random tokens, of which a run may use the first ones.
class Rows {
 public:
  Rows(int64_t rows, int64_t time) : time_(time), tokens_(rows * time), targets_(rows) {
    std::mt19937 rng(1);
    for (int32_t& token : tokens_) token = static_cast<int32_t>(rng() % kVocabulary);
    for (int32_t& target : targets_) target = static_cast<int32_t>(rng() % 2);
  }
  Examples First(int64_t rows) const {
    return {.tokens = absl::MakeSpan(tokens_).subspan(0, rows * time_),
            .rows = rows,
            .maxlen = time_,
            .targets = absl::MakeSpan(targets_).subspan(0, rows)};
  }

 private:
  const int64_t time_;
  std::vector<int32_t> tokens_, targets_;
};

// The embedding model in training.
class Training {
 public:
  Training(const std::string& backend, int64_t time, int threads = 1)
      : model_(MakeTextModel({.num_words = kVocabulary, .maxlen = time}).value()),
        trainer_(&model_, {.backend = backend, .threads = threads}) {}

  void Epochs(const Examples& examples, int epochs, StateKeeper* keeper = nullptr) {
    SEQ_CHECK(trainer_
                  .Fit(examples, Examples{.maxlen = examples.maxlen},
                       {.epochs = epochs, .batch = kBatch, .keeper = keeper})
                  .ok());
  }

  BatchRunner Steps(int64_t batch) {
    return BatchRunner::Create(trainer_.runner().Compile(kTrainStep, batch).value(), "").value();
  }

 private:
  Model model_;
  Trainer trainer_;
};

std::string Text(const Spread& spread) {
  return absl::StrFormat("%.3f (%.3f to %.3f)", spread.median, spread.p10, spread.p90);
}

// Whole epochs, shuffled, of a thousand samples again and again and of many samples once.
void Samples(const std::string& backend, int64_t most) {
  const Rows rows(most, kTime);
  Training training(backend, kTime);
  std::printf("samples | us a sample | over that of 1,000 samples\n");
  for (int64_t count = 10'000; count <= most; count *= 10) {
    const int epochs = static_cast<int>(count / 1000);
    const PairedTimes times =
        MeasureInTurn(ThreadSeconds,
                      {[&] { training.Epochs(rows.First(1000), epochs); },
                       [&] { training.Epochs(rows.First(count), 1); }},
                      {.turn_seconds = 0.1, .least_rounds = 7, .most_rounds = 15, .seconds = 10});
    std::printf("%9lld | %.3f | %s\n", static_cast<long long>(count),
                1e6 * times.seconds[1] / static_cast<double>(count), Text(times.ratios[1]).c_str());
    std::fflush(stdout);
  }
}

// A step of training does some work for its weights alone: what is linear is what each further
// token of a review takes.
void Lengths(const std::string& backend) {
  const std::vector<int64_t> lengths = {25, 50, 100, 200, 400, 800};
  std::vector<std::unique_ptr<Rows>> rows;
  std::vector<std::unique_ptr<Training>> trainings;
  std::vector<BatchRunner> steps;
  for (int64_t length : lengths) {
    rows.push_back(std::make_unique<Rows>(kBatch, length));
    trainings.push_back(std::make_unique<Training>(backend, length));
    steps.push_back(trainings.back()->Steps(kBatch));
  }
  std::vector<BenchmarkRun> sides;
  for (size_t i = 0; i < lengths.size(); ++i) {
    sides.push_back([&, i] { SEQ_CHECK(steps[i].Run(rows[i]->First(kBatch), {}, 0).ok()); });
  }
  const PairedTimes times =
      MeasureInTurn(ThreadSeconds, sides, {.least_rounds = 31, .precision = 0.005});
  std::printf("length | us a step | ns a sample for each token more than one line up\n");
  for (size_t i = 0; i < lengths.size(); ++i) {
    std::printf("%6lld | %.1f", static_cast<long long>(lengths[i]), 1e6 * times.seconds[i]);
    if (i > 0) {
      std::printf(" | %.2f", 1e9 * (times.seconds[i] - times.seconds[i - 1]) /
                                 static_cast<double>((lengths[i] - lengths[i - 1]) * kBatch));
    }
    std::printf("\n");
  }
  std::fflush(stdout);
}

void Threads(const std::string& backend) {
  std::printf("batch | us a step, one thread | two threads: times as fast\n");
  for (int64_t batch : {64, 256, 512, 1024}) {
    const Rows rows(batch, kTime);
    Training one(backend, kTime, 1), two(backend, kTime, 2);
    BatchRunner by_one = one.Steps(batch), by_two = two.Steps(batch);
    const PairedTimes times =
        MeasureInTurn(WallSeconds,
                      {[&] { SEQ_CHECK(by_two.Run(rows.First(batch), {}, 0).ok()); },
                       [&] { SEQ_CHECK(by_one.Run(rows.First(batch), {}, 0).ok()); }},
                      {.least_rounds = 31, .seconds = 3});
    std::printf("%5lld | %.1f | %s\n", static_cast<long long>(batch), 1e6 * times.seconds[1],
                Text(times.ratios[1]).c_str());
    std::fflush(stdout);
  }
}

// Training that keeps its state in a folder, beside training that does not, by the clock. Turns
// take several seconds, for there are that many between two states.
void States(const std::string& backend) {
  constexpr int64_t kRows = 20'000;
  constexpr int kEpochs = 250;
  const Rows rows(kRows, kTime);
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / absl::StrFormat("seqgraph-states-%d", getpid());
  const auto train = [&](const SaveEvery* every) {
    Training training(backend, kTime);
    std::unique_ptr<RunFolder> keeper;
    if (every != nullptr) keeper = RunFolder::Open(folder, {.every = *every}).value();
    training.Epochs(rows.First(kRows), kEpochs, keeper.get());
    if (keeper != nullptr) SEQ_CHECK(keeper->Finish().ok());
  };
  const SaveEvery ten = {}, one = {.seconds = 1}, steps = {.seconds = 0, .steps = 1000};
  std::printf("states | time over that without\n");
  const PairedTimes times = MeasureInTurn(
      WallSeconds,
      {[&] { train(nullptr); }, [&] { train(&ten); }, [&] { train(&one); }, [&] { train(&steps); }},
      {.turn_seconds = 0, .least_rounds = 7, .most_rounds = 15, .seconds = 1});
  std::printf("the first and last of a run of %.2f s | %s\n", times.seconds[0],
              Text(times.ratios[1]).c_str());
  std::printf("each second | %s\n", Text(times.ratios[2]).c_str());
  std::printf("each 1,000 steps | %s\n", Text(times.ratios[3]).c_str());
  std::filesystem::remove_all(folder);
}

int Main(int argc, char** argv) {
  std::string backend = "simd", only;
  int64_t samples = 1'000'000;
  CLI::App app(
      "How training scales with samples, length and threads, and what keeping its state takes.");
  app.add_option("--backend", backend, "Backends in order of preference");
  app.add_option("--samples", samples, "Most samples of an epoch; 400 bytes each");
  app.add_option("--only", only, "One of the four")
      ->check(CLI::IsMember({"lengths", "threads", "samples", "states"}));
  CLI11_PARSE(app, argc, argv);
  omp_set_num_threads(1);
  std::fputs(MachineText().c_str(), stdout);
  if (only.empty() || only == "lengths") Lengths(backend);
  if (only.empty() || only == "threads") Threads(backend);
  if (only.empty() || only == "samples") Samples(backend, samples);
  if (only.empty() || only == "states") States(backend);
  return 0;
}

}  // namespace
}  // namespace seqgraph

int main(int argc, char** argv) { return seqgraph::Main(argc, argv); }
