#include "training/tensorboard/tensorboard.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "training/model_builder.h"
#include "training/optimizers.h"
#include "training/tensorboard/confusion_image.h"
#include "training/tensorboard/graph_def.h"

namespace seqgraph {
namespace {

constexpr const char* kPlaceNames[] = {"run", "train", "validation"};
constexpr absl::string_view kOfValidation = "val_";
// Curves of batches are on their way to the disk at least so often.
constexpr size_t kMuchToWrite = 64 << 10;

bool IsTrained(const Variable& variable) {
  return variable.def.role == VariableRole::kWeight && variable.def.trainable &&
         variable.def.type.dtype == DType::kFloat32;
}

// sum (a - b)^2, without `b` sum a^2.
double SquaredDistance(absl::Span<const float> a, const Tensor* b) {
  double sum = 0;
  const absl::Span<const float> other =
      b == nullptr ? absl::Span<const float>() : b->Elements<float>();
  for (size_t i = 0; i < a.size(); ++i) {
    const double difference = static_cast<double>(a[i]) - (b == nullptr ? 0 : other[i]);
    sum += difference * difference;
  }
  return sum;
}

}  // namespace

TensorBoard::TensorBoard(TensorBoardOptions options) : options_(std::move(options)) {}

std::string TensorBoard::Folder(Place place) const {
  return place == kRun ? options_.log_dir : absl::StrCat(options_.log_dir, "/", kPlaceNames[place]);
}

double TensorBoard::Now() const {
  if (options_.clock) return options_.clock();
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

absl::Status TensorBoard::Open(Place place) {
  SEQ_ASSIGN_OR_RETURN(EventFile file, EventFile::Create(Folder(place), Now()));
  file.Append(FileVersionEvent(Now()));
  SEQ_RETURN_IF_ERROR(file.Flush());
  files_.erase(place);
  files_.emplace(place, std::move(file));
  return absl::OkStatus();
}

void TensorBoard::Tell(FitContext& context, const absl::Status& status) {
  if (status.ok() || std::exchange(told_, true)) return;
  context.notes.push_back(absl::StrCat(
      "TensorBoard: not written, and tried again after each epoch: ", status.message()));
}

void TensorBoard::Add(FitContext& context, Place place, const std::string& event) {
  if (files_.count(place) == 0) {
    const absl::Status status = Open(place);
    Tell(context, status);
    if (!status.ok()) return;
  }
  files_.at(place).Append(event);
}

void TensorBoard::Flush(FitContext& context) {
  bool written = true;
  for (auto& [place, file] : files_) {
    const absl::Status status = file.Flush();
    written = written && status.ok();
    Tell(context, status);
  }
  if (written && !files_.empty() && std::exchange(told_, false)) {
    int64_t lost = 0;
    for (const auto& [place, file] : files_) lost += file.lost();
    context.notes.push_back(
        absl::StrCat("TensorBoard: written again: ", options_.log_dir,
                     lost > 0 ? absl::StrCat(", without ", lost, " events") : ""));
  }
}

absl::Status TensorBoard::OnTrainBegin(FitContext& context) {
  files_.clear();
  before_.clear();
  epoch_ = context.first_epoch;
  epochs_done_ = context.first_epoch;
  begun_ = told_ = false;
  if (context.resumed) return absl::OkStatus();  // LoadState knows the files
  if (!EventFilesIn(Folder(kTrain)).empty()) {
    context.notes.push_back(
        absl::StrCat("TensorBoard: ", Folder(kTrain),
                     " holds curves of another run; both will be shown as one. Give each run a "
                     "folder of its own"));
  }
  SEQ_RETURN_IF_ERROR(Annotate(Open(kTrain), "TensorBoard"));
  if (context.has_validation) SEQ_RETURN_IF_ERROR(Annotate(Open(kValidation), "TensorBoard"));
  Begin(context);
  return absl::OkStatus();
}

// What is written once.
void TensorBoard::Begin(FitContext& context) {
  if (std::exchange(begun_, true)) return;
  if (!options_.hyper_parameters.empty()) {
    Add(context, kRun, SessionStartEvent(Now(), options_.hyper_parameters));
  }
  const Function* step = context.model.FindFunction(kTrainStep);
  if (options_.write_graph && step != nullptr) {
    Add(context, kTrain, GraphEvent(Now(), FunctionToGraphDef(*step)));
  }
  Flush(context);
}

void TensorBoard::RememberWeights(const Model& model) {
  if (!options_.write_norms) return;
  for (const Variable& variable : model.variables.all()) {
    if (IsTrained(variable)) before_.insert_or_assign(variable.def.name, variable.value);
  }
}

absl::Status TensorBoard::OnEpochBegin(FitContext& context, int epoch) {
  epoch_ = epoch;
  RememberWeights(context.model);
  return absl::OkStatus();
}

absl::Status TensorBoard::OnBatchEnd(FitContext& context, int64_t batch, const Logs& logs) {
  if (options_.update_freq <= 0 || batch % options_.update_freq != 0) return absl::OkStatus();
  Begin(context);
  const int64_t step = epoch_ * context.steps + batch;
  for (const auto& [name, value] : logs) {
    Add(context, kTrain, ScalarEvent(Now(), step, absl::StrCat("batch_", name), value));
  }
  const auto file = files_.find(kTrain);
  if (file != files_.end() && file->second.waiting().size() > kMuchToWrite && !told_) {
    Flush(context);
  }
  return absl::OkStatus();
}

absl::Status TensorBoard::OnEpochEnd(FitContext& context, int epoch, Logs& logs) {
  Begin(context);
  for (const auto& [name, value] : logs) {
    const bool validation = absl::StartsWith(name, kOfValidation);
    Add(context, validation ? kValidation : kTrain,
        ScalarEvent(Now(), epoch, absl::StrCat("epoch_", absl::StripPrefix(name, kOfValidation)),
                    value));
  }
  if (logs.count("learning_rate") == 0) {
    const absl::StatusOr<double> rate = LearningRate(context.model);
    if (rate.ok()) Add(context, kTrain, ScalarEvent(Now(), epoch, "epoch_learning_rate", *rate));
  }
  if (options_.write_norms) AddNorms(context, epoch);
  if (options_.gradient_norms) AddGradientNorms(context, epoch);
  if (options_.histogram_freq > 0 && epoch % options_.histogram_freq == 0) {
    for (const Variable& variable : context.model.variables.all()) {
      if (!IsTrained(variable)) continue;
      Add(context, kTrain,
          HistogramEvent(Now(), epoch, absl::StrCat(variable.def.name, "/histogram"),
                         HistogramBuckets(variable.value.Elements<float>())));
    }
  }
  epochs_done_ = epoch + 1;
  Flush(context);
  return absl::OkStatus();
}

void TensorBoard::AddNorm(FitContext& context, int epoch, const char* what, absl::string_view name,
                          double norm) {
  Add(context, kTrain, ScalarEvent(Now(), epoch, absl::StrCat(what, "/", name), norm));
}

void TensorBoard::AddNorms(FitContext& context, int epoch) {
  double updates = 0, weights = 0;
  const auto add = [&](const char* what, absl::string_view name, double squared) {
    AddNorm(context, epoch, what, name, std::sqrt(squared));
  };
  for (const Variable& variable : context.model.variables.all()) {
    if (!IsTrained(variable)) continue;
    const absl::Span<const float> now = variable.value.Elements<float>();
    const double norm = SquaredDistance(now, nullptr);
    add("weight_norm", variable.def.name, norm);
    weights += norm;
    const auto before = before_.find(variable.def.name);
    if (before == before_.end() || before->second.type() != variable.def.type) continue;
    const double update = SquaredDistance(now, &before->second);
    add("update_norm", variable.def.name, update);
    updates += update;
  }
  add("weight_norm", "all", weights);
  if (!before_.empty()) add("update_norm", "all", updates);
}

void TensorBoard::AddGradientNorms(FitContext& context, int epoch) {
  const auto norms = options_.gradient_norms(context.model);
  if (!norms.ok()) {
    context.notes.push_back(absl::StrCat("TensorBoard: from here on without norms of gradients: ",
                                         norms.status().message()));
    options_.gradient_norms = nullptr;
    return;
  }
  double all = 0;
  for (const auto& [name, norm] : *norms) {
    AddNorm(context, epoch, "gradient_norm", name, norm);
    all += norm * norm;
  }
  AddNorm(context, epoch, "gradient_norm", "all", std::sqrt(all));
}

void TensorBoard::AddConfusion(FitContext& context) {
  if (!options_.confusion_matrix || epochs_done_ == 0) return;
  const auto picture = [&]() -> absl::StatusOr<std::string> {
    SEQ_ASSIGN_OR_RETURN(const ConfusionMatrix matrix, options_.confusion_matrix());
    SEQ_ASSIGN_OR_RETURN(const Pixels pixels, DrawConfusion(matrix));
    SEQ_ASSIGN_OR_RETURN(const std::string png, EncodePng(pixels));
    return ImageEvent(Now(), epochs_done_ - 1, "confusion_matrix", pixels.width, pixels.height,
                      png);
  }();
  if (picture.ok()) {
    Add(context, kValidation, *picture);
  } else {
    context.notes.push_back(absl::StrCat(
        "TensorBoard: there is no picture of the confusion matrix: ", picture.status().message()));
  }
}

absl::Status TensorBoard::OnTrainEnd(FitContext& context) {
  // A run that was interrupted may go on: it has not ended.
  if (context.stop_training || epochs_done_ >= context.epochs) {
    AddConfusion(context);
    if (!options_.hyper_parameters.empty()) Add(context, kRun, SessionEndEvent(Now(), true));
  }
  Flush(context);
  return absl::OkStatus();
}

absl::Status TensorBoard::OnTrainFailure(FitContext& context) {
  if (!options_.hyper_parameters.empty() && files_.count(kRun) > 0) {
    Add(context, kRun, SessionEndEvent(Now(), false));
  }
  Flush(context);
  return absl::OkStatus();
}

void TensorBoard::SaveState(StateWriter& state) const {
  state.Set("epoch", epoch_);
  state.Set("epochs_done", epochs_done_);
  for (const auto& [place, file] : files_) {
    StateWriter part = state.Below(kPlaceNames[place]);
    part.Set("file", file.name());
    part.Set("size", file.size());
    part.Set("waiting", file.waiting());
  }
  StateWriter before = state.Below("before");
  for (const auto& [name, tensor] : before_) before.Set(name, tensor);
}

absl::Status TensorBoard::LoadState(FitContext& context, const StateReader& state) {
  SEQ_RETURN_IF_ERROR(state.Get("epoch", &epoch_));
  SEQ_RETURN_IF_ERROR(state.Get("epochs_done", &epochs_done_));
  for (const Place place : {kRun, kTrain, kValidation}) {
    const StateReader part = state.Below(kPlaceNames[place]);
    if (!part.Has("file")) continue;
    std::string name, waiting;
    int64_t size = 0;
    SEQ_RETURN_IF_ERROR(part.Get("file", &name));
    SEQ_RETURN_IF_ERROR(part.Get("size", &size));
    SEQ_RETURN_IF_ERROR(part.Get("waiting", &waiting));
    absl::StatusOr<EventFile> file = EventFile::GoOn(Folder(place), name, size, std::move(waiting));
    if (file.ok()) {
      files_.emplace(place, *std::move(file));
    } else {
      context.notes.push_back(
          absl::StrCat("TensorBoard: a new file goes on, as ", file.status().message()));
    }
  }
  begun_ = !files_.empty();
  return state.Below("before").ForEach([&](const std::string& name, const Records::Value& value) {
    const Tensor* tensor = std::get_if<Tensor>(&value);
    if (tensor == nullptr) return InvalidArgument("'", name, "' in it is no tensor");
    before_.insert_or_assign(name, *tensor);
    return absl::OkStatus();
  });
}

}  // namespace seqgraph
