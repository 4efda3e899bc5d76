#include "tools/report/run_data.h"

#include <filesystem>
#include <limits>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "tools/backend_line.h"
#include "tools/next_training.h"
#include "tools/series_training.h"
#include "tools/text_training.h"
#include "training/text_models.h"

namespace seqgraph::tools {

absl::StatusOr<std::unique_ptr<RunData>> RunData::Load(const RunRecord& run, const Model& model,
                                                       const CommandFiles& files) {
  std::unique_ptr<RunData> read(new RunData);
  if (run.command.empty()) {
    return FailedPrecondition(run.folder,
                              "/run.json says no command, so its data cannot be read again; "
                              "--judge=off leaves out what needs them");
  }
  // First of all: what flags mean depends on what lies there.
  for (const std::string& argument : run.command) {
    absl::string_view path = argument;
    if (!absl::ConsumePrefix(&path, "--data=") || path == data::kSyntheticName) continue;
    std::error_code none;
    if (!std::filesystem::exists(std::string(path), none)) {
      return FailedPrecondition(path,
                                " is not there any more; --judge=off leaves out what needs it");
    }
  }
  Flags& flags = read->given_.flags();
  read->flags_.DeclareSource(flags);
  read->flags_.DeclareEncoding(flags);
  read->series_.Declare(flags, read->flags_);
  read->model_.Declare(flags);
  flags.Int("--batch", &read->batch_, 1, 1'000'000, "");
  flags.Int("--seed", &read->seed_, 0, std::numeric_limits<int64_t>::max(), "");
  DeclareMaxMemory(flags, &read->max_memory_);
  SEQ_RETURN_IF_ERROR(read->given_.Parse({run.command.begin() + 1, run.command.end()}));
  // What --continue and defaults of the task have made of it.
  if (run.batch > 0) read->batch_ = run.batch;
  read->weighs_classes_ = run.flags.count("--class_weight") > 0;
  const std::string& path = read->flags_.data;
  for (const DeclaredFiles& declared : flags.files().declared()) {
    if (declared.is_output()) continue;
    for (const std::string& input : declared.paths()) {
      SEQ_RETURN_IF_ERROR(
          files.CheckInput(absl::StrCat("what the run has as ", declared.flag), input));
    }
  }
  if (read->series_.TellsNext()) {
    if (!read->flags_.tokens_flag->given()) {  // as train has it
      read->flags_.tokens = std::string(data::TokenRuleName(data::TokenRule::kCharacters));
    }
    read->data_ = std::make_unique<NextTraining>(read->flags_, read->model_);
  } else if (read->series_.Wanted(read->flags_)) {
    read->data_ = std::make_unique<SeriesTraining>(read->flags_, read->model_, read->series_,
                                                   read->seed_, read->max_memory_);
  } else {
    read->data_ = std::make_unique<TextTraining>(read->flags_, read->model_, read->series_.scale);
  }
  SEQ_RETURN_IF_ERROR(read->data_->Load(&model, run.folder));
  const int64_t rows = read->data_->train().rows;
  if (run.train_rows > 0 && rows != run.train_rows) {
    return FailedPrecondition(path, " gives ", rows, " rows to train on, and the run had ",
                              run.train_rows, ": it is not what it was");
  }
  return read;
}

}  // namespace seqgraph::tools
