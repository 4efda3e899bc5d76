#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "tools/runs/record_writer.h"
#include "tools/runs/run_record.h"
#include "training/callback.h"
#include "training/history.h"

namespace seqgraph::tools {

/// Means of an epoch so far at steps at equal distances, however long a run is: each 2^k-th step,
/// with the smallest k for which there are at most `most` rows. So a run that goes on from its
/// state has the rows of one that never ended.
class StepLog {
 public:
  explicit StepLog(int64_t most = kStepRows) : most_(most) {}

  /// `step` counts from 1 in the whole run, `batch` in the epoch. Allocates for the first step
  /// alone.
  void Add(int64_t step, int epoch, int64_t batch, const Logs& logs);
  NumberTable Table() const;

  void Save(StateWriter& state) const;
  absl::Status Load(const StateReader& state);

 private:
  void Thin();

  int64_t most_;
  int64_t stride_ = 1;
  std::vector<std::string> names_;
  std::vector<double> values_;  // rows of total step, epoch, step, and a value a name
};

struct RunLogOptions {
  /// The file that holds the best model of this run so far; empty: none is saved. Null: never.
  std::function<std::string()> best_model;
  /// Seconds from any fixed point; null: the steady clock.
  std::function<double()> clock;
};

/// Keeps a run's record in its folder up to date: run.json, the tables and messages, and a link to
/// the best model. They are written beside the training, by a thread of its own, at most once a
/// second and for at most a hundredth of the time, and at the end of a run; what cannot be written
/// is said once and ends nothing, for it is of less worth than the run. Put it last in the list of
/// callbacks, so that it has what the others log and say.
class RunLog : public Callback {
 public:
  explicit RunLog(RunRecord record, RunLogOptions options = {});

  absl::Status OnTrainBegin(FitContext& context) override;
  absl::Status OnEpochBegin(FitContext& context, int epoch) override;
  absl::Status OnBatchEnd(FitContext& context, int64_t batch, const Logs& logs) override;
  absl::Status OnEpochEnd(FitContext& context, int epoch, Logs& logs) override;
  absl::Status OnTrainEnd(FitContext& context) override;
  absl::Status OnTrainFailure(FitContext& context) override;
  void SaveState(StateWriter& state) const override;
  absl::Status LoadState(FitContext& context, const StateReader& state) override;
  /// The record of a run that kept none begins with its next epoch.
  bool may_be_left_out() const override { return true; }

  /// How the run ended, once nothing more is saved of it. Once.
  absl::Status Finish(RunStatus status, const std::string& error);

  /// Until what was begun to be written is there.
  void Wait() { writer_.Wait(); }

 private:
  double Now() const;
  void WriteWhereTimely(FitContext& context);
  RecordContent Content();
  void FindBestEpoch();

  RunRecord record_;
  RunLogOptions options_;
  History history_;
  StepLog steps_;
  int64_t total_steps_ = 0;
  int epoch_ = 0;
  double began_ = 0, seconds_before_ = 0;  // of this process; in those before it
  double next_write_ = 0;
  bool written_ = true;
  RecordWriter writer_;
};

/// "2026-11-29T10:30:00Z" of now.
std::string TimeOfNow();

}  // namespace seqgraph::tools
