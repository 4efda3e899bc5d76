#include "training/history.h"

#include <charconv>
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

absl::Status HistoryFile::OnTrainBegin(FitContext& context) {
  SEQ_RETURN_IF_ERROR(history_.OnTrainBegin(context));
  return history_.WriteCsv(path_);  // A path that cannot be written shows before the first epoch.
}

absl::Status HistoryFile::OnEpochEnd(FitContext&, int epoch, Logs& logs) {
  history_.Append(epoch, logs);
  return history_.WriteCsv(path_);
}

}  // namespace seqgraph
