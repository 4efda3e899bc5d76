#include "tools/tensorboard_flag.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"
#include "base/trace.h"
#include "training/gradient_norms.h"
#include "training/optimizers.h"

namespace seqgraph::tools {
namespace {

// Flags that say nothing of the model that comes of it, beside those of files.
const std::set<std::string>& FlagsOfTheProcess() {
  static const auto& flags = *new std::set<std::string>{
      "--run",       "--continue", "--overwrite",  "--allow_changes", "--verify",
      "--max_time",  "--keep",     "--save_every", "--max_memory",    "--profile_steps",
      "--self_test", "--threads",  "--backend"};
  return flags;
}

HyperParameters ParametersOf(const Flags& flags, const TrainingRunOptions& run,
                             const Model& model) {
  HyperParameters parameters = {{"batch", static_cast<double>(run.batch)},
                                {"epochs", static_cast<double>(run.epochs)},
                                {"patience", static_cast<double>(run.patience)},
                                {"seed", static_cast<double>(run.seed)}};
  if (model.optimizer.has_value()) parameters.push_back({"optimizer", model.optimizer->name});
  if (const auto rate = LearningRate(model); rate.ok()) {
    // The number that was meant, and not what the nearest float is.
    double meant = *rate;
    if (absl::SimpleAtod(absl::StrCat(static_cast<float>(*rate)), &meant)) {
      parameters.push_back({"learning_rate", meant});
    }
  }
  std::set<std::string> left_out = FlagsOfTheProcess();
  for (const DeclaredFiles& files : flags.files().declared()) left_out.insert(files.flag);
  left_out.erase("--data");
  for (const std::string& given : flags.Given()) {
    const std::pair<std::string, std::string> flag = absl::StrSplit(given, absl::MaxSplits('=', 1));
    if (left_out.count(flag.first) > 0) continue;
    const std::string name = flag.first.substr(2);
    double number = 0;
    if (absl::SimpleAtod(flag.second, &number)) {
      parameters.push_back({name, number});
    } else if (flag.second == "true") {
      parameters.push_back({name, true});
    } else {
      parameters.push_back({name, flag.second});
    }
  }
  return parameters;
}

// Of rows with a class each.
bool HasClasses(const TrainingData& data) {
  const Examples rows = data.validation();
  return rows.rows > 0 && data.labels().size() >= 2 && rows.label_begin.empty() &&
         static_cast<int64_t>(rows.targets.size()) == rows.rows;
}

absl::StatusOr<ConfusionMatrix> ConfusionOf(const TrainingData& data, Trainer& trainer,
                                            int64_t batch) {
  const Examples rows = data.validation();
  // The function that is compiled already.
  SEQ_ASSIGN_OR_RETURN(const std::vector<float> predictions,
                       trainer.Predict(rows, {.batch = batch, .function = "evaluate"}));
  return ConfusionMatrix::FromPredictions(predictions, rows.targets,
                                          static_cast<int64_t>(data.labels().size()));
}

// Made when it is first asked for: what the run needs has its memory by then.
class GradientsOfRun {
 public:
  GradientsOfRun(const TrainingData& data, Trainer& trainer, const TrainingRunOptions& run)
      : data_(data), trainer_(trainer), batch_(run.batch), class_weights_(run.class_weights) {}

  absl::StatusOr<std::vector<std::pair<std::string, double>>> operator()(const Model& model) {
    ModelRunner& runner = trainer_.runner();
    const TraceSpan span(runner.trace(), "norms of gradients", "pass");
    if (norms_ == nullptr) {
      RunnerOptions options = runner.options();
      options.profile = nullptr;
      if (options.max_memory > 0) {
        options.max_memory = std::max<int64_t>(options.max_memory - runner.MemoryInUse(), 1);
      }
      SEQ_ASSIGN_OR_RETURN(
          norms_, GradientNorms::Create(model, options, data_.train(), batch_, class_weights_));
    }
    return norms_->Measure(model);
  }

 private:
  const TrainingData& data_;
  Trainer& trainer_;
  int64_t batch_;
  std::map<int32_t, double> class_weights_;
  std::shared_ptr<GradientNorms> norms_;
};

}  // namespace

void TensorBoardFlag::Declare(Flags& flags, const int64_t& folds) {
  // Made with its parents, as a place for many runs is.
  flags.CacheFolder(
      "--tensorboard", &folder_, "FOLDER",
      "Curves, weights, graph and hyper-parameters as event files for TensorBoard, below\n"
      "FOLDER/train and FOLDER/validation; a folder for each run",
      [this] { return folder_; },
      // Names follow from time and process, and none that is there is taken.
      {"events.out.tfevents"});
  flags.Check("--tensorboard", [this, &folds] {
    return !folder_.empty() && folds > 0 ? "shows one run, and --folds makes several" : "";
  });
}

std::optional<TensorBoardOptions> TensorBoardFlag::Options(const Flags& flags,
                                                           const TrainingRunOptions& run,
                                                           const TrainingData& data,
                                                           Trainer& trainer) const {
  if (folder_.empty()) return std::nullopt;
  TensorBoardOptions options{
      .log_dir = folder_,
      .histogram_freq = 1,
      .gradient_norms = GradientsOfRun(data, trainer, run),
      .hyper_parameters = ParametersOf(flags, run, trainer.runner().model())};
  if (HasClasses(data)) {
    options.confusion_matrix = [&data, &trainer, batch = run.batch] {
      return ConfusionOf(data, trainer, batch);
    };
  }
  return options;
}

}  // namespace seqgraph::tools
