// Forecasts a demand by the hour, a day ahead, from the week before: a GRU over 168 steps, scaled
// in the model, trained on made-up numbers and judged beside what needs no model. With data of
// one's own: pass a CSV file with a column `demand`.
//
//   bazel run //examples:series_forecast -- [DEMAND.csv [EPOCHS [BACKEND [MODEL.pb]]]]

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "seqgraph.h"

namespace seqgraph {
namespace {

constexpr int kDay = 24;

// Made-up hours of half a year: a wave a day, less at weekends, and a level that wanders.
void WriteDemand(const std::string& path) {
  std::ofstream file(path);
  std::mt19937 rng(1);
  std::normal_distribution<double> noise(0, 1.5);
  double level = 0;
  file << "hour,demand\n";
  for (int hour = 0; hour < 26 * 7 * kDay; ++hour) {
    const double day = std::sin(2 * M_PI * (hour % kDay) / kDay);
    const bool weekend = hour / kDay % 7 >= 5;
    level = 0.995 * level + noise(rng);
    file << hour << ',' << 100 + level + 30 * day - (weekend ? 25 : 0) << '\n';
  }
}

absl::StatusOr<Model> BuildForecaster(const data::SeriesSet& set, const SeriesSplit& split,
                                      const SeriesTask& task) {
  SEQ_ASSIGN_OR_RETURN(const FeatureScale scale,
                       FitScale(set, split.train, task, ScaleKind::kStandard));
  return MakeSeriesModel({.task = task,
                          .features = set.num_features(),
                          .steps = task.window,
                          .outputs = 1,
                          .input = scale,
                          .target = scale,
                          .layers = {.cell = "GRU", .units = 24}},
                         {.optimizer = Adam{.learning_rate = 5e-3}});
}

absl::Status Run(const std::string& path, int epochs, const std::string& backend,
                 const std::string& file) {
  SEQ_ASSIGN_OR_RETURN(const data::SeriesSet set, data::ReadSeries(path, {.columns = {"demand"}}));
  const SeriesTask task{.kind = SeriesTaskKind::kForecast,
                        .window = 7 * kDay,
                        .horizon = kDay,
                        .stride = 3,
                        .season = 7 * kDay};
  SEQ_ASSIGN_OR_RETURN(const SeriesSplit split,
                       SplitSeries(set, task, {.validation = 0.1, .test = 0.2}));
  SEQ_ASSIGN_OR_RETURN(const auto train, SeriesExamples::Create(set, split.train, task));
  SEQ_ASSIGN_OR_RETURN(const auto validation, SeriesExamples::Create(set, split.validation, task));
  SEQ_ASSIGN_OR_RETURN(const auto test, SeriesExamples::Create(set, split.test, task));
  SEQ_ASSIGN_OR_RETURN(Model model, BuildForecaster(set, split, task));
  Trainer trainer(&model, {.backend = backend});
  SEQ_RETURN_IF_ERROR(
      trainer
          .Fit(train.examples(), validation.examples(),
               {.epochs = epochs,
                .callbacks = {EarlyStopping({.patience = 3}),
                              ModelCheckpoint(file, {.save_best_only = true}), Progress(stderr)}})
          .status());

  SEQ_ASSIGN_OR_RETURN(Model best, LoadModel(file, AllOps()));
  ModelRunner runner(&best, {.backend = backend});
  const std::vector<Metric> metrics = DefaultMetrics(task);
  SEQ_ASSIGN_OR_RETURN(const Logs logs, runner.Evaluate(test.examples(), {.metrics = metrics}));
  SEQ_ASSIGN_OR_RETURN(const auto baselines, FitBaselines(set, split.train, task));
  SEQ_ASSIGN_OR_RETURN(const auto without, JudgeBaselines(baselines, set, split.test, task,
                                                          {.metrics = metrics, .width = 1}));
  std::printf("%s\n", BaselineVerdict(without, logs, metrics[0]).c_str());

  SEQ_ASSIGN_OR_RETURN(const std::vector<RowRange> last, RowsToPredict(set, task));
  SEQ_ASSIGN_OR_RETURN(const auto behind,
                       SeriesExamples::Create(set, last, task, {.labels = false}));
  SEQ_ASSIGN_OR_RETURN(const std::vector<float> next, runner.Predict(behind.examples()));
  std::printf("the next day begins with %.1f, %.1f, %.1f\n", next[0], next[1], next[2]);
  return absl::OkStatus();
}

}  // namespace
}  // namespace seqgraph

int main(int argc, char** argv) {
  std::string path = argc > 1 ? argv[1] : "";
  if (path.empty()) {
    path = "demand.csv";
    seqgraph::WriteDemand(path);
  }
  const absl::Status status =
      seqgraph::Run(path, argc > 2 ? std::atoi(argv[2]) : 10, argc > 3 ? argv[3] : "simd,onednn",
                    argc > 4 ? argv[4] : "demand.pb");
  if (!status.ok()) std::fprintf(stderr, "series_forecast: %s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
