#include "tools/report/testing/made_up_run.h"

#include <cmath>

#include "absl/strings/str_cat.h"

namespace seqgraph::tools {
namespace {

RunRecord Record(const std::string& text) {
  RunRecord run;
  run.folder = absl::StrCat("runs/", text);
  run.name = text;
  run.command = {"train", "--data=reviews.csv", "--label=a b", text};
  run.flags = {{"--data", "reviews.csv"}, {"--units", "8"}, {"--cell", text}};
  run.status = RunStatus::kFinished;
  run.started = "2026-11-29T10:30:00Z";
  run.ended = "2026-11-29T10:31:15Z";
  run.seconds = 75;
  run.environment = {{"cpu", "EPYC"}, {"instruction_set", "AVX-512"}, {"system", text}};
  run.seed = 1;
  run.batch = 64;
  run.data = text;
  run.train_rows = 2000;
  run.validation_rows = 500;
  run.train_hash = "0123456789abcdef";
  run.noun = "reviews";
  run.description = text;
  run.parameters = 8081;
  run.monitor = "val_loss";
  run.best_epoch = 2;
  run.higher_is_better = {{"accuracy", true}};
  run.history.columns = {{"epoch", {0, 1, 2, 3, 4}},
                         {"loss", {0.69, 0.55, 0.42, 0.33, 0.25}},
                         {"val_loss", {0.66, 0.52, 0.41, 0.44, 0.5}},
                         {"accuracy", {0.52, 0.71, 0.83, 0.88, 0.93}},
                         {"val_accuracy", {0.6, 0.74, 0.81, 0.8, 0.79}},
                         {"learning_rate", {1e-3, 1e-3, 1e-3, 5e-4, 5e-4}}};
  run.messages = text;
  return run;
}

Judgement Told(const std::string& text) {
  Judgement judgement;
  judgement.part = "validation";
  judgement.noun = "reviews";
  judgement.rows = 10;
  judgement.metrics = {{"loss", 0.41}, {"accuracy", 0.7}};
  judgement.baselines = text;
  const float told[] = {0.1f, 0.2f, 0.3f, 0.8f, 0.9f, 0.7f, 0.95f, 0.6f, 0.4f, 0.45f};
  const int32_t is[] = {0, 0, 0, 0, 1, 1, 1, 1, 1, 1};
  judgement.classes = JudgeClasses(told, is, {"no", "yes"}).value();
  WrongExample wrong;
  wrong.name = text;
  wrong.is = "no";
  wrong.taken_for = text;
  wrong.probability = 0.8;
  wrong.probability_of_is = 0.2;
  wrong.parts.tokens = {"such", text, "a", "", "film", "that", "never", "ends"};
  wrong.moved = {0.01, 0.4, 0, -0.2, 0.05, 0, -0.31, 0.002};
  judgement.classes->wrong = {wrong};
  WrongExample series = wrong;
  series.parts = {};
  series.moved.clear();
  series.parts.features = {"x", text};
  for (int step = 0; step < 24; ++step) {
    series.parts.values.push_back(static_cast<float>(std::sin(step * 0.5)));
    series.parts.values.push_back(step == 3 ? NAN : static_cast<float>(step));
    series.moved.push_back(0.1 * std::cos(step * 0.3));
  }
  judgement.classes->wrong.push_back(series);
  Chart forecast;
  forecast.title = text;
  forecast.x_label = "step of the data";
  forecast.lines = {{"came", {}, {}, 0}, {"told", {}, {}, 1}};
  forecast.bands = {{"told from 0.1 to 0.9", {}, {}, {}, 1}};
  for (int step = 0; step < 60; ++step) {
    const double y = std::sin(step * 0.3);
    forecast.lines[0].x.push_back(step);
    forecast.lines[0].y.push_back(y);
    forecast.lines[1].x.push_back(step);
    forecast.lines[1].y.push_back(y * 0.8);
    forecast.bands[0].x.push_back(step);
    forecast.bands[0].low.push_back(y * 0.8 - 0.3);
    forecast.bands[0].high.push_back(y * 0.8 + 0.3);
  }
  judgement.numbers = NumberJudgement{{forecast}, {text}};
  return judgement;
}

}  // namespace

ReportedRun MadeUpRun(const std::string& text) {
  ModelReport model;
  model.layers = {{"embedding", "Embedding", "(None, 100, 16)", 8000}, {text, text, text, 81}};
  model.parameters = 8081;
  model.notes = {text};
  model.judgement = Told(text);
  model.times = StepProfile{.function = "train_step", .batch = 64, .calls = 10, .ms = 2};
  model.times->spans = {{"train_step, batch 64", "2.0000 ms", 0, 1, 0},
                        {"embedding", text, 0, 0.25, 1},
                        {text, "1.0000 ms", 0.25, 0.5, 1},
                        {"grad", "0.5000 ms", 0.75, 0.25, 1}};
  model.times->ops = {{"SimpleRNN", 1, 1, 0.5, 12.5}, {"Embedding", 1, 0.5, 0.25, 0}};
  model.memory = MemoryPicture{.function = "train_step",
                               .batch = 64,
                               .nodes = 4,
                               .arena = 3072,
                               .live_bound = 3072,
                               .buffers = {{text, 0, 1024, -1, 2}, {"y", 1024, 2048, 1, 4}}};
  return {Record(text), std::move(model)};
}

}  // namespace seqgraph::tools
