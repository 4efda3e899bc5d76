#include "training/model_checkpoint.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "base/temporary_file.h"
#include "base/trace.h"
#include "serialization/model_io.h"
#include "training/checkpoint_path.h"

namespace seqgraph {
namespace {

absl::Status MakeFolderOf(const std::string& path) {
  const std::string folder(FolderOf(absl::string_view(path)));
  if (folder.empty()) return absl::OkStatus();
  const int error = MakeFolders(folder);
  if (error == 0) return absl::OkStatus();
  return FailedPrecondition("checkpoint ", path, ": cannot make the folder ", folder, ": ",
                            std::strerror(error));
}

double SteadySeconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Sets all variables, and gives what they were. Compiled functions hold the addresses, so content
// is copied.
std::vector<Tensor> Exchange(const std::vector<Tensor>& values, VariableStore& variables) {
  std::vector<Tensor> before;
  for (size_t i = 0; i < values.size(); ++i) {
    const Variable& variable = variables.all()[i];
    before.push_back(variable.value);
    SEQ_CHECK(variables.Assign(variable.def.name, values[i]).ok());
  }
  return before;
}

std::string FiveDigits(std::optional<double> value) {
  return value.has_value() ? absl::StrFormat("%.5f", *value) : "None";
}

}  // namespace

absl::Status ModelCheckpoint::OnTrainBegin(FitContext& context) {
  if (!absl::EndsWith(path_, ".pb") && !absl::EndsWith(path_, ".textproto")) {
    return InvalidArgument("checkpoint path \"", path_,
                           "\": expected the ending .pb or .textproto");
  }
  SEQ_RETURN_IF_ERROR(CheckCheckpointPath(path_));
  if (options_.save_every_batches < 0) {
    return InvalidArgument("checkpoint: save_every_batches must be at least 0, got ",
                           options_.save_every_batches);
  }
  if (options_.save_best_only) {
    SEQ_ASSIGN_OR_RETURN(higher_is_better_, HigherIsBetter("ModelCheckpoint", options_.monitor,
                                                           options_.mode, context));
  }
  if (!(options_.seconds_between_writes >= 0)) {
    return InvalidArgument("checkpoint: seconds_between_writes must be at least 0, got ",
                           options_.seconds_between_writes);
  }
  batches_ = 0;
  pending_.reset();
  of_file_.reset();
  last_write_.reset();
  // A folder that depends on what is measured is made when that is known.
  if (absl::StrContains(FolderOf(path_), "{")) return absl::OkStatus();
  return MakeFolderOf(path_);
}

absl::Status ModelCheckpoint::OnEpochBegin(FitContext&, int epoch) {
  epoch_ = epoch;
  return absl::OkStatus();
}

absl::Status ModelCheckpoint::OnBatchEnd(FitContext& context, int64_t batch, const Logs& logs) {
  if (options_.save_every_batches > 0 && ++batches_ % options_.save_every_batches == 0) {
    SEQ_RETURN_IF_ERROR(MaybeSave(context, batch, logs));
  }
  return WritePendingIfTime(context);
}

absl::Status ModelCheckpoint::OnEpochEnd(FitContext& context, int epoch, Logs& logs) {
  epoch_ = epoch;
  if (options_.save_every_batches > 0) return absl::OkStatus();
  SEQ_RETURN_IF_ERROR(MaybeSave(context, std::nullopt, logs));
  return WritePendingIfTime(context);
}

absl::Status ModelCheckpoint::OnTrainEnd(FitContext& context) { return WritePending(context); }

absl::Status ModelCheckpoint::OnTrainFailure(FitContext& context) { return WritePending(context); }

void ModelCheckpoint::SaveState(StateWriter& state) const {
  state.Set("epoch", epoch_);
  state.Set("batches", batches_);
  state.Set("best", best_);
  state.Set("last_path", last_path_);
  if (!pending_.has_value()) return;
  StateWriter pending = state.Below("pending");
  pending.Set("is_there", true);
  StateWriter fields = pending.Below("field");
  for (const auto& [name, field] : pending_->fields) {
    std::visit([&, n = name](auto value) { fields.Set(n, value); }, field);
  }
  for (size_t i = 0; i < pending_->values.size(); ++i) {
    pending.Set(absl::StrCat("value/", i), pending_->values[i]);
  }
}

absl::Status ModelCheckpoint::LoadState(FitContext& context, const StateReader& state) {
  SEQ_RETURN_IF_ERROR(state.Get("epoch", &epoch_));
  SEQ_RETURN_IF_ERROR(state.Get("batches", &batches_));
  SEQ_RETURN_IF_ERROR(state.Get("best", &best_));
  SEQ_RETURN_IF_ERROR(state.Get("last_path", &last_path_));
  const std::optional<double> threshold = options_.initial_value_threshold;
  if (threshold.has_value() && Improves(*threshold, best_, higher_is_better_)) {
    of_file_ = threshold;
    last_path_.clear();
    return absl::OkStatus();
  }
  const StateReader pending = state.Below("pending");
  if (!pending.Has("is_there")) return absl::OkStatus();
  Pending loaded;
  SEQ_RETURN_IF_ERROR(
      pending.Below("field").ForEach([&](const std::string& name, const Records::Value& value) {
        if (const auto* whole = std::get_if<int64_t>(&value)) {
          loaded.fields[name] = *whole;
        } else if (const auto* real = std::get_if<double>(&value)) {
          loaded.fields[name] = *real;
        }
        return absl::OkStatus();
      }));
  // To where this one saves: the folder of the run may have been moved.
  SEQ_ASSIGN_OR_RETURN(loaded.path, FormatCheckpointPath(path_, loaded.fields));
  for (const Variable& variable : context.model.variables.all()) {
    const std::string name = absl::StrCat("value/", loaded.values.size());
    SEQ_RETURN_IF_ERROR(pending.Get(name, &loaded.values.emplace_back()));
    if (loaded.values.back().type() == variable.value.type()) continue;
    return InvalidArgument("what is not yet written of ", variable.def.name,
                           " in it is of a model "
                           "with another type");
  }
  pending_ = std::move(loaded);
  return absl::OkStatus();
}

absl::Status ModelCheckpoint::MaybeSave(FitContext& context, std::optional<int64_t> batch,
                                        const Logs& logs) {
  PathFields fields(logs.begin(), logs.end());
  fields["epoch"] = int64_t{epoch_ + 1};
  if (batch.has_value()) fields["batch"] = *batch + 1;
  SEQ_ASSIGN_OR_RETURN(const std::string path, FormatCheckpointPath(path_, fields));
  const std::string epoch = absl::StrCat("Epoch ", epoch_ + 1, ": ");
  if (!options_.save_best_only) {
    Say(context, absl::StrCat(epoch, "saving model to ", path));
    return Save(context, fields, path);
  }
  const auto found = logs.find(options_.monitor);
  if (found == logs.end()) {
    context.messages.push_back(absl::StrCat("Can save best model only with ", options_.monitor,
                                            " available. Available are: ", LogNames(logs),
                                            "; saving anyway to ", path));
    return Save(context, fields, path);
  }
  const double current = found->second;
  if (!Improves(current, best_, higher_is_better_)) {
    Say(context,
        absl::StrCat(epoch, options_.monitor, " did not improve from ", FiveDigits(best_)));
    return absl::OkStatus();
  }
  Say(context, absl::StrCat(epoch, options_.monitor, " improved from ", FiveDigits(best_), " to ",
                            FiveDigits(current), ", saving model to ", path));
  best_ = current;
  if (FileIsBetter(current)) return absl::OkStatus();
  of_file_.reset();
  return Save(context, fields, path);
}

// By more than rounding: a file that this run itself has written after the state that it goes on
// from is written again, with the same bits, when the run comes to it.
bool ModelCheckpoint::FileIsBetter(double current) const {
  if (!of_file_.has_value()) return false;
  constexpr double kRounding = 1e-6;
  return Improves(*of_file_, current, higher_is_better_, kRounding * std::abs(current));
}

double ModelCheckpoint::Now() const { return options_.clock ? options_.clock() : SteadySeconds(); }

bool ModelCheckpoint::IsTime() const {
  if (!write_status_.ok()) return Now() - last_try_ >= pause_;
  return !last_write_.has_value() || Now() - *last_write_ >= options_.seconds_between_writes;
}

absl::Status ModelCheckpoint::Save(FitContext& context, const PathFields& fields,
                                   const std::string& path) {
  if (pending_.has_value() && pending_->path != path) SEQ_RETURN_IF_ERROR(WritePending(context));
  pending_.reset();
  absl::Status status;
  const bool now = IsTime();
  if (now) {
    status = Write(context.model, path);
    if (status.ok()) return status;
  }
  Pending pending{fields, path, {}};
  for (const Variable& variable : context.model.variables.all()) {
    pending.values.push_back(variable.value);
  }
  if (now) return Failed(context, status, std::move(pending));
  pending_ = std::move(pending);
  return absl::OkStatus();
}

absl::Status ModelCheckpoint::Failed(FitContext& context, const absl::Status& status,
                                     Pending pending) {
  if (!options_.keep_trying) return status;
  if (write_status_.ok()) {
    context.notes.push_back(absl::StrCat("The model cannot be saved: ", status.message(),
                                         "; training goes on, and it is tried again"));
  }
  constexpr double kFirstPause = 1, kLongestPause = 60;
  pause_ = write_status_.ok() ? kFirstPause : std::min(2 * pause_, kLongestPause);
  last_try_ = Now();
  write_status_ = status;
  pending_ = std::move(pending);
  return absl::OkStatus();
}

absl::Status ModelCheckpoint::WritePending(FitContext& context) {
  if (!pending_.has_value()) return absl::OkStatus();
  Pending pending = *std::move(pending_);
  pending_.reset();
  const std::vector<Tensor> current = Exchange(pending.values, context.model.variables);
  const absl::Status status = Write(context.model, pending.path);
  Exchange(current, context.model.variables);
  return status.ok() ? status : Failed(context, status, std::move(pending));
}

absl::Status ModelCheckpoint::WritePendingIfTime(FitContext& context) {
  if (!pending_.has_value() || !context.has_optimizer || !IsTime()) return absl::OkStatus();
  return WritePending(context);
}

absl::Status ModelCheckpoint::TryAgain(Model& model, const std::string& path) {
  if (!pending_.has_value()) return absl::OkStatus();
  const std::vector<Tensor> current = Exchange(pending_->values, model.variables);
  const absl::Status status = Write(model, path.empty() ? pending_->path : path);
  Exchange(current, model.variables);
  if (status.ok()) pending_.reset();
  return status;
}

absl::Status ModelCheckpoint::Write(const Model& model, const std::string& path) {
  SEQ_RETURN_IF_ERROR(MakeFolderOf(path));
  std::vector<SelfTest> tests;
  if (options_.self_tests) {
    SEQ_ASSIGN_OR_RETURN(tests, options_.self_tests());
  }
  const TraceSpan span(options_.trace, "write checkpoint", "file");
  SEQ_RETURN_IF_ERROR(Annotate(SaveModel(model, path, tests), "checkpoint"));
  last_path_ = path;
  write_status_ = absl::OkStatus();
  if (options_.seconds_between_writes > 0) last_write_ = Now();
  return absl::OkStatus();
}

void ModelCheckpoint::Say(FitContext& context, const std::string& text) const {
  if (options_.verbose) context.messages.push_back(text);
}

}  // namespace seqgraph
