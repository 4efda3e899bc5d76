#include "tools/report/model_report.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "backends/all_backends.h"
#include "base/status_macros.h"
#include "ops/all_ops.h"
#include "serialization/model_io.h"
#include "tools/drawing/function_drawing.h"
#include "tools/report/run_data.h"
#include "training/model_builder.h"

namespace seqgraph::tools {
namespace {

std::string ModelOf(const RunRecord& run) {
  std::error_code none;
  for (const std::string& path : {absl::StrCat(run.folder, "/", kBestModelFile),
                                  absl::StrCat(run.folder, "/", kLastModelFile), run.output}) {
    if (!path.empty() && std::filesystem::is_regular_file(path, none)) return path;
  }
  return "";
}

std::string NoteOf(absl::string_view what, const absl::Status& status) {
  return absl::StrCat(what, ": ", status.message());
}

void AddLayers(const Model& model, ModelReport& report) {
  const absl::StatusOr<std::vector<LayerRow>> layers = Layers(model);
  if (!layers.ok()) {
    report.notes.push_back(NoteOf("There is no table of layers", layers.status()));
    return;
  }
  report.layers = *layers;
  for (const Variable& variable : model.variables.all()) {
    if (variable.def.role == VariableRole::kOptimizer) {
      report.optimizer_numbers += variable.value.type().shape.num_elements();
    } else if (variable.def.trainable) {
      report.parameters += variable.value.type().shape.num_elements();
    }
  }
}

absl::Status AddMemory(Model& model, int64_t batch, ModelReport& report) {
  const Function* step = model.FindFunction(kTrainStep);
  if (step == nullptr) step = model.FindFunction("predict");
  if (step == nullptr) return absl::OkStatus();
  SEQ_ASSIGN_OR_RETURN(const std::vector<const Backend*> backends,
                       AllBackends().ParseList(kDefaultBackends));
  SEQ_ASSIGN_OR_RETURN(const std::unique_ptr<CompiledFunction> compiled,
                       CompiledFunction::Compile(*step, AllOps(), &model.variables,
                                                 {.backends = backends,
                                                  .batch = std::max<int64_t>(1, batch),
                                                  .passes = StandardPasses(),
                                                  .plan_only = true}));
  report.memory = MemoryPictureOf(*compiled);
  return absl::OkStatus();
}

absl::Status AddJudgement(Model& model, const RunRecord& run, const CommandFiles& files,
                          const ModelReportOptions& options, ModelReport& report) {
  const absl::StatusOr<std::unique_ptr<RunData>> data = RunData::Load(run, model, files);
  if (files.refused()) return data.status();
  if (!data.ok()) {
    report.notes.push_back(NoteOf(
        "The data of the run could not be read, so nothing here is judged by them", data.status()));
    return absl::OkStatus();
  }
  Profile profile({.warm_up = 2, .calls = options.profiled_steps});
  {
    ModelRunner runner(&model, {});
    absl::StatusOr<Judgement> judgement = Judge(runner, **data, options.judgement);
    if (absl::IsCancelled(judgement.status())) return judgement.status();
    if (judgement.ok()) {
      report.judgement = *std::move(judgement);
    } else {
      report.notes.push_back(NoteOf("The model could not be judged", judgement.status()));
    }
  }
  if (model.FindFunction(kTrainStep) == nullptr) return absl::OkStatus();
  ModelRunner runner(&model, {.profile = &profile});
  const absl::Status profiled =
      ProfileSteps(runner, (*data)->data().train(), (*data)->batch(), 2 + options.profiled_steps);
  if (profiled.ok()) {
    report.times = StepProfileOf(profile, kTrainStep);
  } else {
    report.notes.push_back(NoteOf("No steps could be timed", profiled));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ModelReport> MakeModelReport(const RunRecord& run, const CommandFiles& files,
                                            const ModelReportOptions& options) {
  ModelReport report;
  report.model_path = ModelOf(run);
  if (report.model_path.empty()) {
    report.notes.push_back("The run has left no model (yet), so there is nothing to say of one.");
    return report;
  }
  absl::StatusOr<Model> model = LoadModel(report.model_path, AllOps());
  if (!model.ok()) {
    report.notes.push_back(NoteOf("The model could not be read", model.status()));
    return report;
  }
  AddLayers(*model, report);
  if (const Function* predict = model->FindFunction("predict"))
    report.graph = DrawFunction(*predict);
  const absl::Status memory = AddMemory(*model, run.batch, report);
  if (!memory.ok()) report.notes.push_back(NoteOf("Its memory could not be planned", memory));
  if (!options.judge) return report;
  SEQ_RETURN_IF_ERROR(AddJudgement(*model, run, files, options, report));
  return report;
}

}  // namespace seqgraph::tools
