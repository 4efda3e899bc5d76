#pragma once

// What `train` leaves of a run in its folder, for people and for commands that show runs; the state
// to go on from is beside it (training/run_folder.h).

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace seqgraph::tools {

/// Columns of numbers by name, all of one length; NaN where there is none.
struct NumberTable {
  std::map<std::string, std::vector<double>, std::less<>> columns;

  /// That column; empty: there is none.
  const std::vector<double>& operator[](absl::string_view name) const;
  size_t rows() const { return columns.empty() ? 0 : columns.begin()->second.size(); }
  /// A header and a line a row, the columns in `first` before the others; each number in the
  /// shortest form that reads back as the same double.
  std::string ToCsv(const std::vector<std::string>& first) const;
};

/// How a run stands.
enum class RunStatus {
  kRunning,      ///< or killed: whoever reads cannot tell but by the folder's lock
  kFinished,     ///< all epochs, or ended by patience
  kInterrupted,  ///< by a signal or --max_time; it can go on
  kFailed,       ///< by an error, which `error` has
};
/// "running", "finished", "interrupted", "failed".
const char* RunStatusName(RunStatus status);

/// What a run was and what came of it. Values that are not known are empty or 0.
struct RunRecord {
  std::string folder;  ///< as it was asked for
  std::string name;    ///< the folder's own

  /// Arguments of the program that make the same run again: "train", then "--name=value"s. Files
  /// have whole paths.
  std::vector<std::string> command;
  /// Those flags by name ("--units"); several of one name are joined by a blank.
  std::map<std::string, std::string> flags;

  RunStatus status = RunStatus::kRunning;
  std::string error;
  std::string started, ended;  ///< "2026-11-29T10:30:00Z"
  double seconds = 0;          ///< that it took, in all processes

  /// "cpu", "instruction_set", "threads", "backends", "system", "program", "onednn", ...
  std::map<std::string, std::string> environment;
  int64_t seed = 0, batch = 0;

  std::string data;  ///< what --data named
  int64_t train_rows = 0, validation_rows = 0;
  std::string train_hash, validation_hash;  ///< SHA-256 of what training takes of the rows
  std::string noun;                         ///< what a row is called, many of them: "reviews"

  std::string description;  ///< of the model, for people
  int64_t parameters = 0;   ///< that are trained
  std::string output;       ///< whole path of the saved model

  std::string monitor;  ///< what tells which epoch is the best: "val_loss"; empty: nothing
  std::optional<int> best_epoch;  ///< from 0
  /// For each thing that is measured, without "val_": whether more is better.
  std::map<std::string, bool, std::less<>> higher_is_better;
  /// The same of a column of the history ("val_loss"); nullopt: it is not known.
  std::optional<bool> HigherIsBetter(absl::string_view column) const;

  /// One row an epoch: "epoch" (from 0), "loss", "accuracy", "val_loss", "learning_rate", ...
  NumberTable history;
  /// "epoch", "step" (of the epoch, from 1), "total_step", and the means over the epoch so far of
  /// loss and metrics: at most kStepRows rows at equal distances.
  NumberTable steps;
  /// What callbacks said, a line each.
  std::string messages;
};

/// The place of the best of those values, the first of equals; nullopt: none of them is a number.
std::optional<size_t> BestRow(const std::vector<double>& values, bool higher_is_better);

/// Files of a run's folder.
inline constexpr char kRunFile[] = "run.json", kHistoryFile[] = "history.csv",
                      kStepsFile[] = "steps.csv", kMessagesFile[] = "messages.txt",
                      kBestModelFile[] = "best.pb", kLastModelFile[] = "last.pb";
inline constexpr int64_t kStepRows = 2000;

/// Reads run.json and the tables beside it. NotFound: there is no run.json; InvalidArgument: it is
/// none, with the place; ResourceExhausted: a file is beyond 64 MB. Tables that are not there are
/// empty.
absl::StatusOr<RunRecord> LoadRunRecord(const std::string& folder);

/// Where runs lie unless --run says: what $SEQGRAPH_RUNS names, or "runs"; "off": nowhere.
std::string RunsFolder();

/// Folders of runs: that folder itself, or those in it, in the order of their names; none where
/// there is none, or no such folder.
std::vector<std::string> RunFolders(const std::string& folder);

/// run.json of that record (all but the tables and messages), replaced as a whole.
absl::Status SaveRunRecord(const RunRecord& record);

}  // namespace seqgraph::tools
