// `simd,onednn` and `auto` against the better of `onednn` and `reference`, over a grid of sizes:
// training steps and inference of the embedding model (T = 100, vocabulary 500), one thread. All
// sides alternate in one process, in processor time of the thread.
//
//   bazel run //tests/benchmark:grid_benchmark
//   bazel run //tests/benchmark:grid_benchmark -- --bar=1.05 --largest=128 --task=predict
//
// Prints a line for each size with times over the baseline's (median, 10 % to 90 %), and the worst
// ones; exit status 1 where one is beyond --bar.

#include <omp.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "backends/all_backends.h"
#include "base/status_macros.h"
#include "ops/all_ops.h"
#include "ops/rewrites/all_rewrites.h"
#include "runtime/compiled_function.h"
#include "tests/benchmark/machine.h"
#include "tests/benchmark/paired.h"
#include "tools/auto_choice.h"
#include "training/initializers.h"
#include "training/model_builder.h"
#include "training/text_models.h"

namespace seqgraph {
namespace {

constexpr int64_t kTime = 100, kVocabulary = 500;

struct Sizes {
  int64_t features, units;
};

// Of all pairs of {1, 3, 8, 16, 17, 32, 48, 64, 100, 128, 200, 256, 384, 512}: equal ones, and for
// each extent an unequal one on either side.
constexpr Sizes kGrid[] = {
    {1, 1},     {3, 3},     {8, 8},     {16, 16},   {17, 17},   {32, 32},   {48, 48}, {64, 64},
    {100, 100}, {128, 128}, {200, 200}, {256, 256}, {384, 384}, {512, 512}, {1, 512}, {3, 100},
    {8, 64},    {16, 8},    {16, 256},  {17, 3},    {32, 128},  {48, 16},   {64, 17}, {100, 48},
    {128, 384}, {200, 32},  {256, 512}, {384, 1},   {512, 200},
};
// Small batches are looked at here; 64 everywhere.
constexpr Sizes kSmallBatches[] = {{3, 3}, {16, 8}, {32, 32}, {100, 100}, {256, 256}, {512, 512}};

struct Case {
  const char* function;
  int64_t batch;
  Sizes sizes;
};

// A function of the embedding model, compiled for some backends.
class Side {
 public:
  /// `backends` may be "auto": `note` then tells what was chosen.
  Side(const Case& c, const std::string& backends) {
    absl::StatusOr<Model> model = MakeTextModel({.num_words = kVocabulary,
                                                 .maxlen = kTime,
                                                 .embedding_dim = c.sizes.features,
                                                 .units = c.sizes.units});
    SEQ_CHECK(model.ok());
    model_ = *std::move(model);
    SEQ_CHECK(InitializeVariables(1, model_.variables).ok());
    const Function& function = **model_.GetFunction(c.function);
    const bool by_measuring = backends == tools::kAuto;
    const auto list = AllBackends().ParseList(by_measuring ? tools::kAutoCandidates : backends);
    SEQ_CHECK(list.ok());
    CompileOptions options{.backends = *list, .batch = c.batch, .passes = StandardPasses()};
    if (by_measuring) Choose(function, options);
    auto compiled = CompiledFunction::Compile(function, AllOps(), &model_.variables, options);
    SEQ_CHECK(compiled.ok());
    compiled_ = *std::move(compiled);
    Fill(c.batch);
  }

  void Run() { SEQ_CHECK(compiled_->Run().ok()); }
  const std::string& note() const { return note_; }

  // Every backend that has a node, in alphabetical order.
  std::string Backends() const {
    std::vector<std::string> names;
    for (const NodeAssignment& node : compiled_->assignments()) names.push_back(node.backend);
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    std::string text;
    for (const std::string& name : names) absl::StrAppend(&text, text.empty() ? "" : "+", name);
    return text;
  }

 private:
  void Choose(const Function& function, CompileOptions& options) {
    tools::ChoiceOrigin origin;
    auto choice =
        tools::AutoChoice(std::nullopt).Choose(function, model_.variables, options, &origin);
    SEQ_CHECK(choice.ok());
    options.preferences = std::move(choice->preferences);
    note_ = absl::StrFormat("chosen in %.2f s", origin.seconds);
  }

  void Fill(int64_t batch) {
    std::mt19937 rng(1);
    auto* tokens = static_cast<int32_t*>(compiled_->input(compiled_->FindInput("tokens")));
    for (int64_t i = 0; i < batch * kTime; ++i) {
      tokens[i] = static_cast<int32_t>(rng() % kVocabulary);
    }
    const int input = compiled_->FindInput("labels");
    if (input < 0) return;
    auto* labels = static_cast<float*>(compiled_->input(input));
    for (int64_t i = 0; i < batch; ++i) labels[i] = static_cast<float>(rng() % 2);
  }

  Model model_;
  std::unique_ptr<CompiledFunction> compiled_;
  std::string note_;
};

// The better of onednn and reference; a single call tells where they are far apart.
std::pair<std::unique_ptr<Side>, std::string> Baseline(const Case& c) {
  auto onednn = std::make_unique<Side>(c, "onednn");
  auto reference = std::make_unique<Side>(c, "reference");
  SecondsOfRun(ThreadSeconds, 1, [&] { onednn->Run(); });
  const double fast = SecondsOfRun(ThreadSeconds, 1, [&] { onednn->Run(); });
  const double naive = SecondsOfRun(ThreadSeconds, 1, [&] { reference->Run(); });
  if (naive > 3 * fast + 1e-3) return {std::move(onednn), "onednn"};
  const PairedTimes times =
      MeasureInTurn(ThreadSeconds, {[&] { onednn->Run(); }, [&] { reference->Run(); }},
                    {.turn_seconds = 0.003, .most_rounds = 11, .seconds = 0.3});
  if (times.ratios[1].median < 1) return {std::move(reference), "reference"};
  return {std::move(onednn), "onednn"};
}

std::string RatioText(const Spread& ratio) {
  return absl::StrFormat("%.3f (%.3f to %.3f)", ratio.median, ratio.p10, ratio.p90);
}

std::string Label(const Case& c) {
  return absl::StrFormat("%-10s batch %2d (%3d,%3d)", c.function, c.batch, c.sizes.features,
                         c.sizes.units);
}

struct Worst {
  double ratio = 0;
  std::string label;

  void Take(double other, const Case& c) {
    if (other <= ratio) return;
    ratio = other;
    label = Label(c);
  }
};

struct Options {
  double bar = 0;
  int64_t smallest = 1, largest = 512, batch = 0;
  std::string task;
  bool with_auto = true;
  double seconds = 1.5;
};

std::vector<Case> Cases(const Options& options) {
  std::vector<Case> cases;
  const auto add = [&](int64_t batch, const Sizes& sizes) {
    const int64_t extent = std::max(sizes.features, sizes.units);
    if (extent < options.smallest || extent > options.largest) return;
    if (options.batch > 0 && batch != options.batch) return;
    for (const char* function : {kTrainStep, kPredict}) {
      if (options.task.empty() || options.task == function) {
        cases.push_back({function, batch, sizes});
      }
    }
  };
  for (const Sizes& sizes : kGrid) add(64, sizes);
  for (const Sizes& sizes : kSmallBatches) {
    for (int64_t batch : {1, 7, 32}) add(batch, sizes);
  }
  return cases;
}

void Measure(const Case& c, const Options& options, Worst& listed, Worst& chosen) {
  const auto [baseline, name] = Baseline(c);
  Side side(c, "simd,onednn");
  std::vector<BenchmarkRun> sides = {[&b = *baseline] { b.Run(); }, [&] { side.Run(); }};
  std::unique_ptr<Side> measured;
  if (options.with_auto) {
    measured = std::make_unique<Side>(c, tools::kAuto);
    sides.push_back([&] { measured->Run(); });
  }
  const PairedTimes times = MeasureInTurn(
      ThreadSeconds, sides, {.turn_seconds = 0.005, .seconds = options.seconds, .precision = 0.02});
  std::string line =
      absl::StrFormat("%s | %-9s %9.1f us | %s by %s", Label(c), name, 1e6 * times.seconds[0],
                      RatioText(times.ratios[1]), side.Backends());
  listed.Take(times.ratios[1].median, c);
  if (measured != nullptr) {
    absl::StrAppend(&line, " | ", RatioText(times.ratios[2]), " by ", measured->Backends(), ", ",
                    measured->note());
    chosen.Take(times.ratios[2].median, c);
  }
  std::printf("%s | %d rounds\n", line.c_str(), times.rounds);
  std::fflush(stdout);
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app("simd,onednn and auto against the better of onednn and reference, by sizes.");
  app.add_option("--bar", options.bar, "Exit status 1 where a ratio is larger; 0: never");
  app.add_option("--smallest", options.smallest, "Least of max(features, units)");
  app.add_option("--largest", options.largest, "Most of max(features, units)");
  app.add_option("--batch", options.batch, "Only this one; 0: all");
  app.add_option("--task", options.task, "Only this one")
      ->check(CLI::IsMember({kTrainStep, kPredict}));
  app.add_option("--auto", options.with_auto, "Whether auto is measured too");
  app.add_option("--seconds", options.seconds, "About so long for one size");
  CLI11_PARSE(app, argc, argv);
  omp_set_num_threads(1);
  std::fputs(MachineText().c_str(), stdout);
  std::printf("baseline | simd,onednn / baseline%s\n",
              options.with_auto ? " | auto / baseline" : "");
  Worst listed, chosen;
  for (const Case& c : Cases(options)) Measure(c, options, listed, chosen);
  std::printf("worst of simd,onednn: %.3f, %s\n", listed.ratio, listed.label.c_str());
  if (options.with_auto) {
    std::printf("worst of auto: %.3f, %s\n", chosen.ratio, chosen.label.c_str());
  }
  return options.bar > 0 && std::max(listed.ratio, chosen.ratio) > options.bar ? 1 : 0;
}

}  // namespace
}  // namespace seqgraph

int main(int argc, char** argv) { return seqgraph::Main(argc, argv); }
