#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "training/callback.h"

namespace seqgraph {

/// What was logged at the end of each epoch. As a callback it forgets an earlier run; Trainer::Fit
/// returns one of its own.
class History : public Callback {
 public:
  absl::Status OnTrainBegin(FitContext& context) override;
  absl::Status OnEpochEnd(FitContext& context, int epoch, Logs& logs) override;

  /// Epochs and values; the facts are those of the process that goes on.
  void SaveState(StateWriter& state) const override;
  absl::Status LoadState(FitContext& context, const StateReader& state) override;

  void Append(int epoch, const Logs& logs);
  /// See FitContext::run_facts.
  void SetRunFacts(std::map<std::string, std::string, std::less<>> facts) {
    run_facts_ = std::move(facts);
  }

  /// The epochs, from 0.
  const std::vector<int>& epochs() const { return epochs_; }
  /// For each name one value an epoch; NaN where it was not logged.
  const std::map<std::string, std::vector<double>, std::less<>>& values() const { return values_; }
  /// The column of that name; empty if there is none.
  const std::vector<double>& operator[](absl::string_view name) const;
  /// What the run was made with, by name: "backends", "threads".
  const std::map<std::string, std::string, std::less<>>& run_facts() const { return run_facts_; }

  /// Comma-separated lines: "epoch" (from 0), the names in alphabetical order and those of the
  /// run's facts, then one line an epoch; each number in the shortest form that reads back as the
  /// same double; "nan" for NaN; facts in double quotes, the same in every line.
  std::string ToCsv() const;
  /// Replaces the file as a whole: it has all lines or is as it was before.
  absl::Status WriteCsv(const std::string& path) const;

 private:
  std::vector<int> epochs_;
  std::map<std::string, std::vector<double>, std::less<>> values_;
  std::map<std::string, std::string, std::less<>> run_facts_;
};

/// Writes the history to a CSV file after each epoch, so that it is there however the run ends. The
/// file holds this run only, also where it begins with an earlier one's weights; a run that goes on
/// from its state has all its epochs. A path that cannot be written is an error before the first
/// step; later on the file is of less worth than the run: a message says once what went wrong, and
/// each epoch, and the end, tries again. Behind kEachEpoch epochs it is written for at most a
/// hundredth of the time, besides at the end: a file of many lines takes longer than their epochs.
class HistoryFile : public Callback {
 public:
  static constexpr size_t kEachEpoch = 1000;

  /// `clock`: seconds from any fixed point; null: the steady clock.
  explicit HistoryFile(std::string path, std::function<double()> clock = nullptr)
      : path_(std::move(path)), clock_(std::move(clock)) {}
  absl::Status OnTrainBegin(FitContext& context) override;
  absl::Status OnEpochEnd(FitContext& context, int epoch, Logs& logs) override;
  absl::Status OnTrainEnd(FitContext& context) override;
  absl::Status OnTrainFailure(FitContext& context) override;
  void SaveState(StateWriter& state) const override;
  absl::Status LoadState(FitContext& context, const StateReader& state) override;

 private:
  void Write(FitContext& context);
  double Now() const;

  std::string path_;
  std::function<double()> clock_;
  History history_;
  double next_write_ = 0;
  bool is_current_ = true;
  bool written_ = true;  // all that is there
};

}  // namespace seqgraph
