#include "tools/cross_validation.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "tools/text_table.h"
#include "training/early_stopping.h"
#include "training/trainer.h"

namespace seqgraph::tools {
namespace {

// A fold's metrics, and those of each baseline by its name.
struct FoldResult {
  Logs model;
  std::vector<BaselineResult> baselines;
};

absl::StatusOr<FoldResult> RunFold(SeriesTraining& data, const CrossValidationOptions& options) {
  SEQ_ASSIGN_OR_RETURN(Model model, options.make_model());
  Trainer trainer(&model, options.run);
  EarlyStopping stopping({.patience = static_cast<int>(options.patience),
                          .restore_best_weights = true,
                          .verbose = false});
  const std::vector<Metric> metrics = data.DefaultMetrics();
  FitOptions fit{.epochs = static_cast<int>(options.epochs),
                 .batch = options.batch,
                 .seed = static_cast<uint64_t>(options.seed),
                 .metrics = {},
                 .interrupt = options.interrupt};
  if (data.validation().rows > 0) fit.callbacks.push_back(&stopping);
  SEQ_ASSIGN_OR_RETURN(const FitResult run, trainer.Fit(data.train(), data.validation(), fit));
  if (run.interrupted) return absl::CancelledError("interrupted");
  FoldResult result;
  SEQ_ASSIGN_OR_RETURN(result.model,
                       trainer.Evaluate(data.test(), {.batch = options.batch,
                                                      .metrics = metrics,
                                                      .interrupt = options.interrupt}));
  SEQ_ASSIGN_OR_RETURN(result.baselines, data.TestBaselines());
  return result;
}

class Moments {
 public:
  void Add(double x) {
    sum_ += x;
    squares_ += x * x;
    ++count_;
  }
  double mean() const { return sum_ / count_; }
  double deviation() const {
    const double variance = (squares_ - sum_ * sum_ / count_) / (count_ - 1);
    return std::sqrt(std::max(variance, 0.0));
  }

 private:
  double sum_ = 0, squares_ = 0, count_ = 0;
};

}  // namespace

absl::Status CrossValidate(SeriesTraining& data, const CrossValidationOptions& options,
                           Output& out) {
  SEQ_ASSIGN_OR_RETURN(std::vector<SeriesSplit> folds, data.Folds(options.folds));
  const std::vector<Metric> metrics = data.DefaultMetrics();
  std::vector<std::string> header = {"fold", "rows"};
  for (const Metric& metric : metrics) header.push_back(metric.name);
  TextTable table(header);
  std::vector<Moments> of_model(metrics.size());
  std::map<std::string, std::vector<Moments>> of_baselines;
  for (size_t k = 0; k < folds.size(); ++k) {
    const std::string fold = absl::StrCat(k + 1);
    SEQ_RETURN_IF_ERROR(Annotate(data.Use(std::move(folds[k])), absl::StrCat("fold ", fold)));
    const absl::StatusOr<FoldResult> result = RunFold(data, options);
    if (!result.ok()) return Annotate(result.status(), absl::StrCat("fold ", fold));
    std::vector<std::string> row = {fold, absl::StrCat(data.test().rows)};
    for (size_t m = 0; m < metrics.size(); ++m) {
      const double value = result->model.at(metrics[m].name);
      of_model[m].Add(value);
      row.push_back(absl::StrFormat("%.6g", value));
      for (const BaselineResult& each : result->baselines) {
        std::vector<Moments>& moments = of_baselines[each.name];
        moments.resize(metrics.size());
        moments[m].Add(each.values.at(metrics[m].name));
      }
    }
    table.AddRow(std::move(row));
    out.Print("fold %s of %d done\n", fold, folds.size());
    SEQ_RETURN_IF_ERROR(out.Flush());
  }
  const auto add = [&](const std::string& name, const std::vector<Moments>& moments,
                       double (Moments::*value)() const) {
    std::vector<std::string> row = {name, ""};
    for (const Moments& each : moments) row.push_back(absl::StrFormat("%.6g", (each.*value)()));
    table.AddRow(std::move(row));
  };
  add("mean of folds", of_model, &Moments::mean);
  add("deviation", of_model, &Moments::deviation);
  for (const auto& [name, moments] : of_baselines) {
    add(absl::StrCat("without a model: ", name), moments, &Moments::mean);
  }
  out.Write(table.Text(1, metrics.size() + 1));
  return absl::OkStatus();
}

}  // namespace seqgraph::tools
