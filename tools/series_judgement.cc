#include "tools/series_judgement.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "training/series/split.h"
#include "training/summary.h"

namespace seqgraph::tools {

absl::StatusOr<JudgedSeries> JudgedSeries::Read(const Model& model, const DataFlags& data,
                                                const std::string& part, bool skip_bad_rows) {
  JudgedSeries judged;
  SEQ_ASSIGN_OR_RETURN(SeriesData read, ReadSeriesFor(model, data.data, data,
                                                      /*without_labels=*/false, skip_bad_rows));
  judged.data_ = std::make_unique<SeriesData>(std::move(read));
  const SeriesData& own = *judged.data_;
  SEQ_ASSIGN_OR_RETURN(const SplitOptions options, SplitFromText(model.series.split));
  if (part == "all" || (part == "test" && options.test == 0)) {
    judged.part_ = "all";
    SEQ_ASSIGN_OR_RETURN(judged.rows_, AllRows(own.set, own.task));
    judged.fitted_ = judged.rows_;
  } else {
    SEQ_ASSIGN_OR_RETURN(SeriesSplit split, SplitSeries(own.set, own.task, options));
    judged.part_ = part;
    judged.fitted_ = split.train;
    SEQ_ASSIGN_OR_RETURN(judged.rows_, PartOf(std::move(split), part));
  }
  if (judged.rows_.empty()) {
    return InvalidArgument(
        "the part ", part, " of ", data.data,
        " is empty: it was given no share when the model was trained; --part names another");
  }
  SEQ_ASSIGN_OR_RETURN(std::optional<Model> longer, LongerFor(model, judged.rows_));
  if (longer.has_value()) judged.longer_ = std::make_unique<Model>(*std::move(longer));
  SEQ_ASSIGN_OR_RETURN(SeriesExamples examples,
                       ExamplesFor(judged.longer_ != nullptr ? *judged.longer_ : model, own,
                                   judged.rows_, /*labels=*/true));
  judged.examples_ = std::make_unique<SeriesExamples>(std::move(examples));
  return judged;
}

std::string JudgedSeries::Lines() const {
  return absl::StrCat(SeriesLines(data_->set), "Part: ", part_, ", ",
                      WithThousands(static_cast<int64_t>(rows_.size())), " rows\n");
}

absl::StatusOr<std::string> JudgedSeries::Table(Evaluate evaluate, int64_t batch,
                                                const std::atomic<bool>* interrupt) const {
  const std::vector<Metric> metrics = DefaultMetrics(data_->task);
  SEQ_ASSIGN_OR_RETURN(
      const Logs logs,
      evaluate(examples(), {.batch = batch, .metrics = metrics, .interrupt = interrupt}));
  if (logs.empty()) return std::string();  // another rank has them
  SEQ_ASSIGN_OR_RETURN(const std::vector<BaselineResult> baselines,
                       BaselinesOf(data_->set, fitted_, data_->set, rows_, data_->task, metrics));
  return absl::StrCat(absl::StrFormat("loss: %.6f\n", logs.at("loss")),
                      ComparisonText("model", logs, "", baselines, metrics));
}

}  // namespace seqgraph::tools
