#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "base/content_hash.h"
#include "base/status_macros.h"
#include "tools/command.h"
#include "tools/interrupt.h"
#include "tools/job_flags.h"
#include "tools/output_path.h"
#include "tools/sweep/sweep_run.h"
#include "tools/text_table.h"
#include "training/progress.h"

namespace seqgraph::tools {
namespace {

using Json = nlohmann::ordered_json;
constexpr int64_t kDefaultEpochs = 100;  // of train
constexpr size_t kHashDigits = 8;

std::string TextOf(const MeanAndSpread& value) {
  if (value.count == 0) return "";
  return value.count == 1
             ? FormatMetric(value.mean)
             : absl::StrCat(FormatMetric(value.mean), " +- ", FormatMetric(value.spread));
}

class SweepCommand : public Command {
 public:
  void Declare(Flags& flags) override {
    flags.Texts("TRAIN", &words_, "Behind `--`: train, and the flags that all runs have alike");
    const std::vector<Flag> own = {
        flags.Int("--seeds", &seeds_, 1, 1000,
                  "Runs of each combination, with seeds from --first_seed on"),
        flags.Int("--first_seed", &first_seed_, 0, std::numeric_limits<int64_t>::max() / 2,
                  "Of each combination's runs; also of the combinations that are drawn"),
        flags.Int("--jobs", &jobs_, 0, 1000,
                  "Runs at once, on each rank; 0: as many as there are cores"),
        flags.Choice("--search", &search_, {"grid", "random", "halving"},
                     "All combinations; --samples drawn from them; or all, or --samples of them,\n"
                     "for --first_epochs, then the best in --eta times as many, and so on"),
        flags.Int("--samples", &samples_, 0, kMostPoints, "Combinations that are drawn; 0: all"),
        flags.Int("--eta", &eta_, 2, 100, "One in so many goes on with so many times the epochs"),
        flags.Int("--first_epochs", &first_epochs_, 1, 1'000'000, "Of the first round"),
        flags.Text("--metric", &metric_, "NAME", "Tells which combination is better"),
        flags.OutputFolder("--output", &folder_,
                           "Of the sweep; by default sweep-HASH of what it is, where runs lie",
                           {"sweep.txt", "lock"}),
        flags.Choice("--format", &format_, {"text", "json"}, "How the table is printed")};
    for (const Flag& flag : own) own_.insert(flag.name());
    job_.Declare(flags);
    own_.insert({"--help", "--max_memory", "--distributed", "--timeout"});
    flags.Footer(
        "Runs `train` for each combination of the values of flags, several at a time, and prints\n"
        "mean and spread over seeds at each run's best epoch. Each run has its folder in the\n"
        "sweep's, so `seqgraph runs FOLDER` and `report` show them. Ended anywhere, the same\n"
        "command goes on; numbers do not depend on how many run at once, nor on their order.\n"
        "With --distributed, started by mpirun or srun, the ranks share the runs: whoever is free\n"
        "gets the next one. All of them must see the sweep's folder and the data.\n"
        "A range LOW..HIGH is drawn from (--search=random): by its logarithm where HIGH is at\n"
        "least ten times LOW.\n"
        "\n"
        "Examples:\n"
        "  seqgraph sweep --units=8,16,32 --learning_rate=1e-3,1e-4 --seeds=3 -- train "
        "--data=reviews.csv\n"
        "  seqgraph sweep --units=4..64 --learning_rate=1e-4..1e-1 --search=random --samples=20 "
        "\\\n"
        "    -- train --data=vowels.csv --series=id --order=step --label=speaker");
  }

  // Flags of train in front of `--` are what is swept.
  absl::StatusOr<std::vector<std::string>> Expand(std::vector<std::string> given) override {
    std::vector<std::string> left;
    for (size_t i = 0; i < given.size(); ++i) {
      if (given[i] == "--") {
        left.insert(left.end(), given.begin() + static_cast<ptrdiff_t>(i), given.end());
        break;
      }
      const std::string name = given[i].substr(0, given[i].find('='));
      if (!absl::StartsWith(name, "--") || own_.count(name) > 0) {
        left.push_back(given[i]);
        continue;
      }
      SEQ_ASSIGN_OR_RETURN(SweepAxis axis, ParseSweepAxis(given[i]));
      for (const SweepAxis& other : axes_) {
        if (other.flag == axis.flag)
          return InvalidArgument(axis.flag, " is given twice: put all its values into one list");
      }
      axes_.push_back(std::move(axis));
      axis_texts_.push_back(given[i]);
    }
    return left;
  }

  absl::StatusOr<int> Run(Output& out) override {
    SEQ_ASSIGN_OR_RETURN(const std::unique_ptr<Communicator> communicator, job_.Join());
    const int64_t cores = std::max<int64_t>(1, std::thread::hardware_concurrency());
    const int at_once = static_cast<int>(jobs_ == 0 ? cores : jobs_);
    if (communicator->is_root()) return Lead(at_once, *communicator, out);
    const InterruptHandler interrupt;
    const absl::Status status = HelpSweep(at_once, *communicator, *interrupt.flag());
    // What else went wrong the root says.
    if (absl::IsCancelled(status) && interrupt.signal() != 0) return interrupt.exit_status();
    return status.ok() ? 0 : 1;
  }

 private:
  // The rank that deals out runs.
  absl::StatusOr<int> Lead(int at_once, Communicator& communicator, Output& out) {
    SEQ_ASSIGN_OR_RETURN(Sweep sweep, MakeSweep());
    sweep.at_once = at_once;
    SEQ_RETURN_IF_ERROR(OpenSweep(sweep, Definition()));
    const auto say = [&](const std::string& line) {
      if (format_ == "json") {
        std::fprintf(stderr, "seqgraph: %s\n", line.c_str());
      } else {
        out.Print("%s\n", line);
        out.Flush().IgnoreError();  // told at the end
      }
    };
    const int ranks = communicator.size();
    say(absl::StrFormat("%d combinations, %d runs in %s, %d at once%s", sweep.points.size(),
                        sweep.points.size() * static_cast<size_t>(seeds_), sweep.folder,
                        sweep.at_once,
                        ranks == 1 ? "" : absl::StrCat(" on each of ", ranks, " ranks")));
    SEQ_RETURN_IF_ERROR(out.Flush());
    const InterruptHandler interrupt;
    const std::chrono::steady_clock::time_point began = std::chrono::steady_clock::now();
    const absl::StatusOr<SweepOutcome> outcome =
        RunSweep(sweep, communicator, *interrupt.flag(), say);
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    if (absl::IsCancelled(outcome.status())) {
      std::fprintf(stderr, "seqgraph: interrupted; the same command goes on with the sweep in %s\n",
                   sweep.folder.c_str());
      return interrupt.signal() == 0 ? 128 + SIGTERM : interrupt.exit_status();
    }
    SEQ_RETURN_IF_ERROR(outcome.status());
    if (outcome->ended > 0) {
      say(absl::StrFormat("%d runs in %.1f s; what each took adds up to %.1f s", outcome->ended,
                          seconds, outcome->own_seconds));
    }
    format_ == "json" ? PrintJson(outcome->rows, out) : PrintText(outcome->rows, out);
    if (outcome->first_failure.empty()) return 0;
    return FailedPrecondition("a run failed: ", outcome->first_failure);
  }

  // Behind "train".
  absl::StatusOr<std::vector<std::string>> TrainFlags() const {
    if (words_.empty() || words_[0] != "train") {
      return InvalidArgument("expected `-- train` and its flags behind those of the sweep");
    }
    std::vector<std::string> flags(words_.begin() + 1, words_.end());
    const std::string of_sweep = FlagOfSweep(flags);
    if (!of_sweep.empty())
      return InvalidArgument(of_sweep,
                             " behind `--`: the sweep gives it to each run; leave it out");
    for (const SweepAxis& axis : axes_) {
      if (FlagOfSweep({axis.flag}) != "")
        return InvalidArgument(axis.flag, " cannot be swept: the sweep gives it to each run");
      for (const std::string& flag : flags) {
        if (flag.substr(0, flag.find('=')) == axis.flag) {
          return InvalidArgument(axis.flag,
                                 " is swept, and given behind `--` too: leave out one of them");
        }
      }
    }
    return flags;
  }

  absl::StatusOr<std::vector<SweepPoint>> Points() const {
    if (axes_.empty()) {
      return InvalidArgument(
          "nothing is swept: give flags of train with several values, as in "
          "--units=8,16 -- train ...");
    }
    if (search_ == "grid" || samples_ == 0) {
      if (search_ == "random")
        return InvalidArgument("--search=random needs --samples=N, the number of combinations");
      return GridPoints(axes_);
    }
    return RandomPoints(axes_, samples_, static_cast<uint64_t>(first_seed_));
  }

  absl::StatusOr<Sweep> MakeSweep() const {
    if (search_ == "grid" && samples_ > 0)
      return InvalidArgument("--samples needs --search=random or halving");
    Sweep sweep{.program = program_invocation_name,
                .first_seed = first_seed_,
                .seeds = seeds_,
                .metric = metric_};
    SEQ_ASSIGN_OR_RETURN(sweep.train, TrainFlags());
    SEQ_ASSIGN_OR_RETURN(sweep.points, Points());
    const int64_t points = static_cast<int64_t>(sweep.points.size());
    sweep.rungs = {{0, points}};
    if (search_ == "halving") {
      SEQ_ASSIGN_OR_RETURN(const int64_t epochs, TakeEpochs(sweep.train));
      sweep.rungs = HalvingRungs(points, first_epochs_, epochs, eta_);
    }
    sweep.folder = folder_;
    if (!folder_.empty()) return sweep;
    const std::string runs = RunsFolder() == "off" ? "runs" : RunsFolder();
    SEQ_RETURN_IF_ERROR(MakeOutputFolder("--output", runs));
    sweep.folder =
        absl::StrCat(runs, "/sweep-", HashBytes(Definition()).Hex().substr(0, kHashDigits));
    return sweep;
  }

  // Of the last round: what the words behind `--` say, which is taken from them.
  static absl::StatusOr<int64_t> TakeEpochs(std::vector<std::string>& train) {
    int64_t epochs = kDefaultEpochs;
    for (auto it = train.begin(); it != train.end(); ++it) {
      absl::string_view value = *it;
      if (!absl::ConsumePrefix(&value, "--epochs=")) continue;
      if (!absl::SimpleAtoi(value, &epochs) || epochs < 1) {
        return InvalidArgument("--epochs: expected a whole number from 1 on, got '", value, "'");
      }
      train.erase(it);
      break;
    }
    return epochs;
  }

  // All that the numbers follow from.
  std::string Definition() const {
    std::string text =
        absl::StrCat("sweep 1\nsearch ", search_, "\nseeds ", seeds_, " from ", first_seed_, "\n");
    if (samples_ > 0) absl::StrAppend(&text, "samples ", samples_, "\n");
    if (search_ == "halving") {
      absl::StrAppend(&text, "eta ", eta_, ", first epochs ", first_epochs_, ", by ", metric_,
                      "\n");
    }
    for (const std::string& axis : axis_texts_) absl::StrAppend(&text, axis, "\n");
    absl::StrAppend(&text, absl::StrJoin(words_, "\n"), "\n");
    return text;
  }

  void PrintText(const std::vector<SweepRow>& rows, Output& out) const {
    std::set<std::string> metrics;
    for (const SweepRow& row : rows) {
      for (const auto& [name, value] : row.metrics) metrics.insert(name);
    }
    std::vector<std::string> header;
    for (const SweepAxis& axis : axes_) header.push_back(axis.flag);
    const size_t first_number = header.size();
    header.insert(header.end(), {"runs", "epochs"});
    header.insert(header.end(), metrics.begin(), metrics.end());
    TextTable table(header);
    for (const SweepRow& row : rows) {
      std::vector<std::string> cells;
      for (const std::string& flag : row.point.flags)
        cells.push_back(flag.substr(flag.find('=') + 1));
      cells.push_back(absl::StrCat(row.runs.size()));
      cells.push_back(absl::StrCat(row.epochs));
      for (const std::string& name : metrics) {
        const auto found = row.metrics.find(name);
        cells.push_back(found == row.metrics.end() ? "" : TextOf(found->second));
      }
      table.AddRow(std::move(cells));
    }
    out.Write("\n");
    out.Write(table.Text(first_number, header.size() - 1));
    if (rows.empty() || rows[0].runs.empty()) return;
    out.Print("The best by %s: %s\n", metric_, rows[0].runs[0].output);
  }

  void PrintJson(const std::vector<SweepRow>& rows, Output& out) const {
    Json all = Json::array();
    for (const SweepRow& row : rows) {
      Json metrics = Json::object();
      for (const auto& [name, value] : row.metrics) {
        metrics[name] = {{"mean", value.mean}, {"spread", value.spread}, {"runs", value.count}};
      }
      Json folders = Json::array();
      for (const RunRecord& run : row.runs) folders.push_back(run.folder);
      all.push_back({{"flags", row.point.flags},
                     {"epochs", row.epochs},
                     {"metrics", std::move(metrics)},
                     {"runs", std::move(folders)}});
    }
    out.Write(all.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  }

  JobFlags job_;
  std::set<std::string> own_;
  std::vector<SweepAxis> axes_;
  std::vector<std::string> axis_texts_, words_;
  int64_t seeds_ = 1, first_seed_ = 1, jobs_ = 0, samples_ = 0, eta_ = 3, first_epochs_ = 3;
  std::string search_ = "grid", metric_ = "val_loss", folder_, format_ = "text";
};

}  // namespace

CommandDef DefineSweep() {
  return DefineCommand<SweepCommand>("sweep",
                                     "Train with each combination of flags, and compare them");
}

}  // namespace seqgraph::tools
