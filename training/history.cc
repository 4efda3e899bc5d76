#include "training/history.h"

#include <charconv>
#include <chrono>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/atomic_file.h"
#include "base/status_macros.h"

namespace seqgraph {
namespace {

void AppendDouble(double value, std::string& out) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), value);
  out.append(buffer, end.ptr);
}

}  // namespace

absl::Status History::OnTrainBegin(FitContext& context) {
  epochs_.clear();
  values_.clear();
  run_facts_ = context.run_facts;
  return absl::OkStatus();
}

absl::Status History::OnEpochEnd(FitContext&, int epoch, Logs& logs) {
  Append(epoch, logs);
  return absl::OkStatus();
}

void History::Append(int epoch, const Logs& logs) {
  constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
  epochs_.push_back(epoch);
  for (const auto& [name, value] : logs) {
    std::vector<double>& column = values_[name];
    column.resize(epochs_.size() - 1, kMissing);
    column.push_back(value);
  }
  for (auto& [name, column] : values_) column.resize(epochs_.size(), kMissing);
}

const std::vector<double>& History::operator[](absl::string_view name) const {
  static const auto& none = *new std::vector<double>;
  const auto it = values_.find(name);
  return it == values_.end() ? none : it->second;
}

std::string History::ToCsv() const {
  std::string csv = "epoch";
  for (const auto& [name, column] : values_) absl::StrAppend(&csv, ",", name);
  std::string facts;
  for (const auto& [name, fact] : run_facts_) {
    absl::StrAppend(&csv, ",", name);
    absl::StrAppend(&facts, ",\"", absl::StrReplaceAll(fact, {{"\"", "\"\""}}), "\"");
  }
  csv += '\n';
  for (size_t row = 0; row < epochs_.size(); ++row) {
    absl::StrAppend(&csv, epochs_[row]);
    for (const auto& [name, column] : values_) {
      csv += ',';
      AppendDouble(column[row], csv);
    }
    absl::StrAppend(&csv, facts, "\n");
  }
  return csv;
}

absl::Status History::WriteCsv(const std::string& path) const {
  return Annotate(AtomicWriteFile(path, ToCsv()), absl::StrCat("history ", path));
}

void History::SaveState(StateWriter& state) const {
  state.Set("epochs", std::vector<int64_t>(epochs_.begin(), epochs_.end()));
  StateWriter values = state.Below("values");
  for (const auto& [name, column] : values_) values.Set(name, column);
}

absl::Status History::LoadState(FitContext&, const StateReader& state) {
  std::vector<int64_t> epochs;
  SEQ_RETURN_IF_ERROR(state.Get("epochs", &epochs));
  epochs_.assign(epochs.begin(), epochs.end());
  values_.clear();
  return state.Below("values").ForEach([&](const std::string& name, const Records::Value& value) {
    const auto* column = std::get_if<std::vector<double>>(&value);
    if (column == nullptr || column->size() != epochs_.size()) {
      return InvalidArgument("'", name, "' in it is not a number for each epoch");
    }
    values_[name] = *column;
    return absl::OkStatus();
  });
}

absl::Status HistoryFile::OnTrainBegin(FitContext& context) {
  SEQ_RETURN_IF_ERROR(history_.OnTrainBegin(context));
  written_ = true;
  // A path that cannot be written shows before the first epoch.
  return context.resumed ? absl::OkStatus() : history_.WriteCsv(path_);
}

absl::Status HistoryFile::OnEpochEnd(FitContext& context, int epoch, Logs& logs) {
  history_.Append(epoch, logs);
  is_current_ = false;
  if (history_.epochs().size() <= kEachEpoch || Now() >= next_write_) Write(context);
  return absl::OkStatus();
}

absl::Status HistoryFile::OnTrainEnd(FitContext& context) {
  if (!is_current_) Write(context);
  return absl::OkStatus();
}

absl::Status HistoryFile::OnTrainFailure(FitContext& context) { return OnTrainEnd(context); }

double HistoryFile::Now() const {
  if (clock_) return clock_();
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void HistoryFile::SaveState(StateWriter& state) const { history_.SaveState(state); }

absl::Status HistoryFile::LoadState(FitContext& context, const StateReader& state) {
  SEQ_RETURN_IF_ERROR(history_.LoadState(context, state));
  return history_.WriteCsv(path_);
}

void HistoryFile::Write(FitContext& context) {
  constexpr double kPauses = 100;  // as long as a write each
  const double before = Now();
  const absl::Status status = history_.WriteCsv(path_);
  const double after = Now();
  next_write_ = after + kPauses * (after - before);
  is_current_ = status.ok();
  if (!status.ok() && written_) {
    context.notes.push_back(
        absl::StrCat("Not written, and tried again after each epoch: ", status.message()));
  }
  if (status.ok() && !written_) context.notes.push_back(absl::StrCat("Written again: ", path_));
  written_ = status.ok();
}

}  // namespace seqgraph
