#include "tools/series_flags.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"
#include "tools/encoded_texts.h"
#include "training/losses.h"
#include "training/series/series_record.h"

namespace seqgraph::tools {
namespace {

constexpr char kText[] = "text", kNext[] = "next";

std::vector<std::string> ListOf(const std::string& text) {
  return absl::StrSplit(text, ',', absl::SkipEmpty());
}

// Nullopt: something is no number.
std::optional<std::vector<double>> NumbersOf(const std::string& text) {
  std::vector<double> numbers;
  for (const std::string& each : ListOf(text)) {
    if (!absl::SimpleAtod(each, &numbers.emplace_back())) return std::nullopt;
  }
  return numbers;
}

std::vector<std::string> Names(const std::string& list) { return absl::StrSplit(list, ", "); }

}  // namespace

char SeparatorOf(const DataFlags& data) {
  return data.separator.empty() ? '\0' : data.Options().csv.separator;
}

bool SeriesFlags::Wanted(const DataFlags& data) const {
  if (!wanted_.has_value()) {
    wanted_ = task.empty() ? !data.synthetic() && !data.NamesTexts() &&
                                 !IsEncodedTexts(data.data) && data.LooksLikeSeries()
                           : task != kText && task != kNext;
  }
  return *wanted_;
}

bool SeriesFlags::TellsNext() const { return task == kNext; }

void SeriesFlags::Declare(Flags& flags, const DataFlags& data) {
  std::vector<std::string> tasks = {kText, kNext};
  std::string help =
      "By default what the data look like\ntext: a class of each text\n"
      "next: the next token of a text, a file such as .txt (also .gz), which predict --roll\n"
      "  goes on with; windows of --maxlen tokens, by default characters; validation the last 0.2";
  for (const SeriesTaskFacts& facts : SeriesTasks()) {
    tasks.push_back(facts.name);
    absl::StrAppend(&help, "\n", facts.name, ": ", facts.help, ";\n  ", facts.loss, ";\n  ",
                    absl::StrReplaceAll(facts.metrics, {{",", ", "}}), "; validation ",
                    facts.validation, ", test ", facts.test);
  }
  flags.Choice("--task", &task, tasks, help);
  DeclareColumns(flags, data);
  declared_.push_back(flags.Text("--known", &known_future, "COLUMN,...",
                                 "Features that are known over the horizon too (forecast)"));
  declared_.push_back(flags.Int("--window", &sizes.window, 1, 1'000'000,
                                "Steps of a row (forecast: that it is told from)"));
  declared_.push_back(
      flags.Int("--horizon", &sizes.horizon, 1, 100'000, "Steps to be told (forecast)"));
  declared_.push_back(flags.Int("--stride", &sizes.stride, 1, 1'000'000,
                                "Steps from one window to the next; by default 1 for a forecast,\n"
                                "else as long as a window"));
  declared_.push_back(flags.Number(
      "--season", &season_, [](double s) { return s >= 1 && s <= 1e6; },
      "a whole number from 1 to 1000000", "none",
      "Steps of a season, to compare a forecast with the one before"));
  declared_.push_back(flags.Text("--quantiles", &quantiles, "Q,...",
                                 "Quantiles to be told (regress, forecast): 0.1,0.5,0.9"));
  declared_.push_back(flags.Switch("--many_labels", &sizes.many_labels,
                                   "Any number of labels a series: --target names columns of 0\n"
                                   "and 1"));
  scale_ = flags.Choice("--scale", &scale, Names(ScaleKindNames()),
                        "How features and targets are scaled, found from the rows that are\n"
                        "trained on; of texts what --numeric_columns names");
  declared_.push_back(flags.Text("--loss", &loss, "NAME", "Of the task: Keras's name"));
  test_ = flags.Share("--test", &test,
                      "Share that is kept for `evaluate --part=test`; by default 0.2 for a\n"
                      "forecast, else none");
  declared_.push_back(*test_);
  declared_.push_back(flags.InputFile("--validation_data", &validation_data,
                                      "Series to validate by, instead of a share of --data"));
  declared_.push_back(
      flags.Int("--folds", &folds, 2, 1000,
                "Train on so many splits of --data, print how well each does on what it\n"
                "did not see, mean and spread, and save nothing"));
  flags.Check("--quantiles", [this]() -> std::string {
    if (NumbersOf(quantiles).has_value()) return "";
    return absl::StrCat("expected numbers with commas, got '", quantiles, "'");
  });
  flags.Check("--loss", [this]() -> std::string {
    if (loss.empty() || loss == "pinball") return "";
    return std::string(LossByName(loss).status().message());
  });
}

void SeriesFlags::DeclareColumns(Flags& flags, const DataFlags& data) {
  const auto column = [&](const char* name, std::string* value, const char* help) {
    declared_.push_back(flags.Text(name, value, "COLUMN", help));
  };
  column("--series", &columns.series, "Rows of one text here are a series; by default all are one");
  column("--order", &columns.order, "Numbers that the steps of a series are sorted by");
  column("--time", &columns.time, "Times of the steps: dates, or numbers");
  column("--label", &columns.label, "The class of each series (tag: of each step)");
  column("--group", &columns.group, "Series of one text here are not split");
  column("--weight", &columns.weight, "What each counts for in the loss");
  declared_.push_back(flags.Text("--column", &features, "COLUMN,...",
                                 "The features; by default all other columns of numbers"));
  declared_.push_back(flags.Text("--target", &targets, "COLUMN,...",
                                 "Numbers to be told (regress, many labels), features to be told\n"
                                 "(forecast; by default all)"));
  declared_.push_back(flags.Text("--time_format", &columns.time_format, "FORMAT",
                                 "Of --time, as strptime has it: \"%d.%m.%Y %H:%M\""));
  declared_.push_back(flags.Choice("--missing", &missing, Names(MissingNames()),
                                   "What becomes of a feature that is empty, NaN or NA"));
  declared_.push_back(
      flags.Switch("--per_step", &sizes.per_step, "Numbers for each step (regress)"));
  flags.Check("--data", [this, &data]() -> std::string {
    if (Wanted(data)) {
      const std::string of_texts = data.GivenOfTexts();
      return of_texts.empty() ? ""
                              : absl::StrCat(of_texts, " is for texts, and --data=", data.data,
                                             " holds series of numbers");
    }
    std::string given = FirstGiven(declared_);
    // Of texts there may be numbers beside them.
    const bool scales = scale_.has_value() && scale_->given() && data.numeric_columns.empty();
    if (given.empty() && scales) given = scale_->name();
    if (given.empty()) return "";
    return absl::StrCat(given, " is for series of numbers, and --data=", data.data,
                        !task.empty() ? " is said to hold texts"
                                      : " holds texts, by its look; --task=NAME says else");
  });
}

absl::StatusOr<data::SeriesSourceOptions> SeriesFlags::Source(const DataFlags& data) const {
  data::SeriesSourceOptions source = columns;
  source.separator = SeparatorOf(data);
  source.skip_bad_rows = data.skip_bad_rows;
  source.columns = ListOf(features);
  SEQ_ASSIGN_OR_RETURN(source.missing, MissingByName(missing));
  const std::string forecast = FactsOf(SeriesTaskKind::kForecast).name;
  const bool next_steps = task == forecast || (task.empty() && sizes.horizon > 0);
  // What a forecast tells are features, too.
  if (!next_steps) source.targets = ListOf(targets);
  source.per_step = sizes.per_step || task == FactsOf(SeriesTaskKind::kTag).name;
  return source;
}

absl::StatusOr<SeriesTask> SeriesFlags::Task(const data::SeriesSet& set) const {
  SeriesTask found = sizes;
  found.season = static_cast<int>(season_);
  found.quantiles = *NumbersOf(quantiles);
  if (!task.empty()) {
    SEQ_ASSIGN_OR_RETURN(found.kind, SeriesTaskByName(task));
  } else if (sizes.horizon > 0) {
    found.kind = SeriesTaskKind::kForecast;
  } else if (!set.classes.empty()) {
    found.kind = set.per_step ? SeriesTaskKind::kTag : SeriesTaskKind::kClassify;
  } else if (!set.targets.empty()) {
    found.kind = sizes.many_labels ? SeriesTaskKind::kClassify : SeriesTaskKind::kRegress;
    found.per_step = set.per_step;
  } else {
    return InvalidArgument("nothing says what to learn of ", set.description,
                           ": --task=", SeriesTaskNames(),
                           "; --label and --target name columns, --horizon=N the steps of a "
                           "forecast");
  }
  if (found.kind == SeriesTaskKind::kForecast) {
    found.horizon = std::max<int64_t>(found.horizon, 1);
    SEQ_ASSIGN_OR_RETURN(found.targets, FeaturesByName(set, ListOf(targets)));
    SEQ_ASSIGN_OR_RETURN(found.known_future, FeaturesByName(set, ListOf(known_future)));
  }
  return found;
}

SplitOptions SeriesFlags::Split(const SeriesTask& of, const DataFlags& data, int64_t seed) const {
  const SeriesTaskFacts& facts = FactsOf(of.kind);
  SplitOptions split;
  split.test = test_->given() ? test : facts.test;
  split.validation = data.validation_flag->given() ? data.rest.validation : facts.validation;
  if (!validation_data.empty()) split.validation = 0;
  split.seed = static_cast<uint32_t>(seed);
  return split;
}

}  // namespace seqgraph::tools
