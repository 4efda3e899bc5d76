#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "data/csv.h"
#include "tools/command.h"
#include "tools/runs/run_difference.h"
#include "tools/runs/run_table.h"
#include "tools/text_table.h"
#include "training/progress.h"

namespace seqgraph::tools {
namespace {

using Json = nlohmann::ordered_json;
constexpr size_t kTextColumns = 2;  // name and status

Json JsonOf(const RunRecord& run) {
  Json metrics = Json::object();
  for (const auto& [name, value] : FinalMetrics(run)) {
    metrics[name] = std::isfinite(value) ? Json(value) : Json(nullptr);
  }
  Json json = {{"run", run.name},        {"folder", run.folder},   {"status", StatusText(run)},
               {"started", run.started}, {"seconds", run.seconds}, {"epochs", run.history.rows()},
               {"best_epoch", nullptr},  {"metrics", metrics},     {"flags", run.flags},
               {"output", run.output}};
  if (run.best_epoch.has_value()) json["best_epoch"] = *run.best_epoch + 1;
  return json;
}

class RunsCommand : public Command {
 public:
  void Declare(Flags& flags) override {
    flags.Texts("DIR", &words_,
                "Folders of runs, or of folders of them; `diff A B` compares two runs");
    flags.Text("--sort", &sort_, "NAME",
               "By name, started, status, seconds, epochs, best_epoch, a metric (val_loss) or a "
               "flag (units)");
    flags.Switch("--descending", &descending_, "The largest first");
    flags.Choice("--format", &format_, {"text", "json", "csv"}, "How runs are printed");
    flags.Footer(
        "A table of what `train` left in its run folders (runs/, or $SEQGRAPH_RUNS): how each run\n"
        "stands, its numbers at the best epoch by validation loss, and the flags in which they\n"
        "differ. A run that is `cut off` goes on with train --resume=FOLDER.\n"
        "\n"
        "Examples:\n"
        "  seqgraph runs\n"
        "  seqgraph runs --sort=val_loss --format=json\n"
        "  seqgraph runs diff runs/a runs/b");
  }

  absl::StatusOr<int> Run(Output& out) override {
    if (!words_.empty() && words_[0] == "diff") return Diff(out);
    SEQ_ASSIGN_OR_RETURN(std::vector<RunRecord> runs, Load());
    SEQ_RETURN_IF_ERROR(Annotate(SortRuns(sort_, descending_, &runs), "--sort"));
    if (format_ == "json") {
      Json all = Json::array();
      for (const RunRecord& run : runs) all.push_back(JsonOf(run));
      out.Write(all.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
      return 0;
    }
    const RunTable table = TableOfRuns(runs);
    if (format_ == "csv") {
      WriteCsv(table, out);
      return 0;
    }
    TextTable text(table.header);
    for (const std::vector<std::string>& row : table.rows) text.AddRow(row);
    out.Write(text.Text(kTextColumns, table.header.size() - 1));
    return 0;
  }

 private:
  // A run that cannot be read is said, and does not keep the others from being shown.
  absl::StatusOr<std::vector<RunRecord>> Load() const {
    std::vector<std::string> folders = words_;
    if (folders.empty()) folders.push_back(RunsFolder());
    std::vector<RunRecord> runs;
    for (const std::string& folder : folders) {
      const std::vector<std::string> found = RunFolders(folder);
      if (found.empty()) {
        return NotFound(folder, " holds no run: `seqgraph train` leaves one in ", RunsFolder(),
                        ", or where --run says");
      }
      for (const std::string& each : found) {
        absl::StatusOr<RunRecord> run = LoadRunRecord(each);
        if (run.ok()) {
          runs.push_back(*std::move(run));
        } else {
          std::fprintf(stderr, "seqgraph: %s\n", std::string(run.status().message()).c_str());
        }
      }
    }
    return runs;
  }

  static void WriteCsv(const RunTable& table, Output& out) {
    const auto line = [&](const std::vector<std::string>& cells) {
      out.Write(absl::StrCat(absl::StrJoin(cells, ",",
                                           [](std::string* text, const std::string& cell) {
                                             text->append(data::CsvField(cell));
                                           }),
                             "\n"));
    };
    line(table.header);
    for (const std::vector<std::string>& row : table.rows) line(row);
  }

  absl::StatusOr<int> Diff(Output& out) const {
    if (words_.size() != 3) {
      return InvalidArgument("runs diff needs two folders of runs, got ", words_.size() - 1);
    }
    SEQ_ASSIGN_OR_RETURN(const RunRecord a, LoadRunRecord(words_[1]));
    SEQ_ASSIGN_OR_RETURN(const RunRecord b, LoadRunRecord(words_[2]));
    const std::vector<RunDifference> differences = DifferencesOfRuns(a, b);
    if (format_ == "json") {
      Json all = Json::array();
      for (const RunDifference& each : differences) {
        all.push_back({{"what", each.what}, {"a", each.a}, {"b", each.b}});
      }
      out.Write(all.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
      return 0;
    }
    RunTable table{.header = {"", a.name, b.name}, .rows = {}};
    for (const RunDifference& each : differences) table.rows.push_back({each.what, each.a, each.b});
    if (format_ == "csv") {
      WriteCsv(table, out);
      return 0;
    }
    if (differences.empty()) {
      out.Print("The same flags, data, environment and history.\n");
      return 0;
    }
    TextTable text(table.header);
    for (const std::vector<std::string>& row : table.rows) text.AddRow(row);
    out.Write(text.Text(table.header.size(), table.header.size()));
    return 0;
  }

  std::vector<std::string> words_;
  std::string sort_ = "started";
  bool descending_ = false;
  std::string format_ = "text";
};

}  // namespace

CommandDef DefineRuns() {
  return DefineCommand<RunsCommand>("runs", "List runs of train, or compare two of them");
}

}  // namespace seqgraph::tools
