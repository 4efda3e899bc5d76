#include "tools/runs/run_log.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/status_macros.h"

namespace seqgraph::tools {
namespace {

constexpr double kSecondsBetweenWrites = 1, kShareOfTime = 0.01;
constexpr size_t kPlaces = 3;  // total step, epoch, step

}  // namespace

void StepLog::Add(int64_t step, int epoch, int64_t batch, const Logs& logs) {
  if (names_.empty()) {
    for (const auto& [name, value] : logs) names_.push_back(name);
    values_.reserve(static_cast<size_t>(most_) * (kPlaces + names_.size()));
  }
  if (step % stride_ != 0) return;
  const size_t width = kPlaces + names_.size();
  if (values_.size() >= static_cast<size_t>(most_) * width) Thin();
  if (step % stride_ != 0) return;
  values_.insert(values_.end(), {static_cast<double>(step), static_cast<double>(epoch),
                                 static_cast<double>(batch)});
  for (const std::string& name : names_) {
    const auto found = logs.find(name);
    values_.push_back(found == logs.end() ? std::numeric_limits<double>::quiet_NaN()
                                          : found->second);
  }
}

void StepLog::Thin() {
  const size_t width = kPlaces + names_.size();
  while (values_.size() >= static_cast<size_t>(most_) * width) {
    stride_ *= 2;
    size_t kept = 0;
    for (size_t row = 0; row < values_.size() / width; ++row) {
      if (static_cast<int64_t>(values_[row * width]) % stride_ != 0) continue;
      std::copy_n(values_.begin() + static_cast<ptrdiff_t>(row * width), width,
                  values_.begin() + static_cast<ptrdiff_t>(kept++ * width));
    }
    values_.resize(kept * width);
  }
}

NumberTable StepLog::Table() const {
  NumberTable table;
  const size_t width = kPlaces + names_.size();
  const auto column = [&](size_t place) {
    std::vector<double> values;
    for (size_t at = place; at < values_.size(); at += width) values.push_back(values_[at]);
    return values;
  };
  table.columns = {{"total_step", column(0)}, {"epoch", column(1)}, {"step", column(2)}};
  for (size_t i = 0; i < names_.size(); ++i) table.columns[names_[i]] = column(kPlaces + i);
  return table;
}

void StepLog::Save(StateWriter& state) const {
  state.Set("stride", stride_);
  state.Set("names", names_);
  state.Set("values", values_);
}

absl::Status StepLog::Load(const StateReader& state) {
  SEQ_RETURN_IF_ERROR(state.Get("stride", &stride_));
  SEQ_RETURN_IF_ERROR(state.Get("names", &names_));
  SEQ_RETURN_IF_ERROR(state.Get("values", &values_));
  const size_t width = kPlaces + names_.size(), most = static_cast<size_t>(most_) * width;
  if (stride_ < 1 || values_.size() % width != 0 || values_.size() > most) {
    return InvalidArgument("its log of steps has ", values_.size(), " numbers and a distance of ",
                           stride_);
  }
  values_.reserve(most);
  return absl::OkStatus();
}

RunLog::RunLog(RunRecord record, RunLogOptions options)
    : record_(std::move(record)), options_(std::move(options)) {
  record_.status = RunStatus::kRunning;
}

double RunLog::Now() const {
  if (options_.clock) return options_.clock();
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

absl::Status RunLog::OnTrainBegin(FitContext& context) {
  began_ = Now();
  written_ = true;
  next_write_ = 0;
  for (const auto& [name, fact] : context.run_facts) record_.environment[name] = fact;
  record_.higher_is_better = context.higher_is_better;
  if (!context.resumed) WriteWhereTimely(context);
  return history_.OnTrainBegin(context);
}

absl::Status RunLog::OnEpochBegin(FitContext&, int epoch) {
  epoch_ = epoch;
  return absl::OkStatus();
}

absl::Status RunLog::OnBatchEnd(FitContext&, int64_t batch, const Logs& logs) {
  steps_.Add(++total_steps_, epoch_, batch + 1, logs);
  return absl::OkStatus();
}

absl::Status RunLog::OnEpochEnd(FitContext& context, int epoch, Logs& logs) {
  history_.Append(epoch, logs);
  record_.messages = absl::StrJoin(context.messages, "\n");
  WriteWhereTimely(context);
  return absl::OkStatus();
}

// All but how it ended is known now, and is written while models and states are.
absl::Status RunLog::OnTrainEnd(FitContext& context) {
  record_.messages = absl::StrJoin(context.messages, "\n");
  RecordContent content = Content();
  content.but_for_the_record = true;
  writer_.Post(std::move(content));
  return absl::OkStatus();
}

absl::Status RunLog::OnTrainFailure(FitContext& context) { return OnTrainEnd(context); }

void RunLog::SaveState(StateWriter& state) const {
  state.Set("seconds", seconds_before_ + Now() - began_);
  state.Set("started", record_.started);
  state.Set("total_steps", total_steps_);
  state.Set("epoch", epoch_);
  StateWriter steps = state.Below("steps"), history = state.Below("history");
  steps_.Save(steps);
  history_.SaveState(history);
}

absl::Status RunLog::LoadState(FitContext& context, const StateReader& state) {
  SEQ_RETURN_IF_ERROR(state.Get("seconds", &seconds_before_));
  SEQ_RETURN_IF_ERROR(state.Get("started", &record_.started));
  SEQ_RETURN_IF_ERROR(state.Get("total_steps", &total_steps_));
  SEQ_RETURN_IF_ERROR(state.Get("epoch", &epoch_));
  SEQ_RETURN_IF_ERROR(steps_.Load(state.Below("steps")));
  SEQ_RETURN_IF_ERROR(history_.LoadState(context, state.Below("history")));
  record_.messages = absl::StrJoin(context.messages, "\n");
  WriteWhereTimely(context);
  return absl::OkStatus();
}

void RunLog::WriteWhereTimely(FitContext& context) {
  const absl::Status status = writer_.status();
  if (!status.ok() && written_) {
    context.notes.push_back(
        absl::StrCat("The run's record is not written, and is tried again: ", status.message()));
  }
  written_ = status.ok();
  const double now = Now();
  if (now < next_write_) return;
  writer_.Post(Content());
  next_write_ = now + std::max(kSecondsBetweenWrites, writer_.seconds() / kShareOfTime);
}

void RunLog::FindBestEpoch() {
  record_.best_epoch.reset();
  const bool higher = record_.HigherIsBetter(record_.monitor).value_or(false);
  const std::optional<size_t> row = BestRow(history_[record_.monitor], higher);
  if (row.has_value()) record_.best_epoch = history_.epochs()[*row];
}

RecordContent RunLog::Content() {
  FindBestEpoch();
  record_.seconds = seconds_before_ + Now() - began_;
  return {.record = record_,
          .history = history_,
          .steps = steps_.Table(),
          .best_model = options_.best_model ? options_.best_model() : ""};
}

absl::Status RunLog::Finish(RunStatus status, const std::string& error) {
  record_.status = status;
  record_.error = error;
  record_.ended = TimeOfNow();
  return writer_.Finish(Content());
}

std::string TimeOfNow() {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::Now(), absl::UTCTimeZone());
}

}  // namespace seqgraph::tools
