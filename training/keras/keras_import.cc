#include "training/keras/keras_import.h"

#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "layers/layer_emission.h"
#include "serialization/keras/layer_weights.h"
#include "serialization/keras/optimizer_state.h"
#include "training/keras/keras_export.h"
#include "training/losses.h"
#include "training/optimizers.h"
#include "training/sequential.h"

namespace seqgraph {
namespace {

// The loss that belongs to the stack's last activation.
std::string LossOfOutput(const LayerStack& stack) {
  const std::string activation = LastActivation(stack, AllLayers());
  if (activation == "sigmoid") return "binary_crossentropy";
  return activation == "softmax" ? "categorical_crossentropy" : "mean_squared_error";
}

absl::Status Assign(const std::vector<keras::NamedTensor>& tensors, Model& model) {
  for (const keras::NamedTensor& tensor : tensors) {
    SEQ_RETURN_IF_ERROR(model.variables.Assign(tensor.name, tensor.tensor));
  }
  return absl::OkStatus();
}

// The losses of several outputs, with the optimizer.
absl::Status SetOutputLosses(const keras::KerasModel& keras, TrainableOptions& options) {
  if (!keras.training.has_value() || !keras.training->optimizer.has_value()) {
    return InvalidArgument(keras.training_left_out.empty() ? "the file does not say it"
                                                           : keras.training_left_out);
  }
  const keras::Training& training = *keras.training;
  const std::vector<std::string> results = ResultNames(keras.stack, AllLayers());
  for (size_t i = 0; i < results.size(); ++i) {
    const keras::OutputLoss of_output =
        i < training.losses.size()
            ? training.losses[i]
            : keras::OutputLoss{.loss = training.loss, .settings = training.loss_settings};
    if (of_output.loss.empty()) continue;  // it is not trained on
    OutputLoss& to = options.losses.emplace_back();
    SEQ_ASSIGN_OR_RETURN(to.loss, LossByName(of_output.loss, of_output.settings));
    to.loss.prediction = results[i];
    to.weight = of_output.weight;
  }
  if (options.losses.empty()) return InvalidArgument("the file names no loss of its outputs");
  options.optimizer = *training.optimizer;
  return absl::OkStatus();
}

// True if an open length is another then.
bool SetLengths(const std::map<std::string, int64_t>& times, LayerStack& stack) {
  bool changed = false;
  const auto set = [&](LayerInput& input) {
    const auto time = times.find(input.name);
    if (!input.open_time || time == times.end() || input.time == time->second) return;
    input.time = time->second;
    changed = true;
  };
  set(stack.input);
  for (LayerInput& input : stack.more_inputs) set(input);
  return changed;
}

}  // namespace

absl::StatusOr<TrainableOptions> TrainingFromKeras(const keras::KerasModel& keras,
                                                   std::vector<std::string>* notes) {
  TrainableOptions options{.name = keras.stack.name};
  SEQ_ASSIGN_OR_RETURN(const std::vector<keras::LayerWeights> layers,
                       keras::WeightsOf(keras.stack));
  const std::vector<keras::Weight> weights = keras::AllWeights(layers);
  if (absl::c_none_of(weights, [](const keras::Weight& weight) { return weight.trainable; })) {
    options.trainable = false;
    notes->push_back("it has no weight that is trained: it predicts");
    return options;
  }
  if (keras.stack.outputs.size() > 1) {
    const absl::Status status = SetOutputLosses(keras, options);
    if (status.ok()) return options;
    options.trainable = false;
    notes->push_back(
        absl::StrCat("its training is not taken over (", status.message(), "): it predicts"));
    return options;
  }
  const keras::Training training = keras.training.value_or(keras::Training());
  std::string left_out = keras.training_left_out;
  std::vector<std::string> taken;
  absl::StatusOr<Loss> loss = LossByName(training.loss, training.loss_settings);
  if (!loss.ok()) {
    if (!training.loss.empty()) left_out = std::string(loss.status().message());
    loss = LossByName(LossOfOutput(keras.stack));
    taken.push_back(loss->name);
  } else if (training.loss_weight != 1) {
    loss = Weighted(*std::move(loss), training.loss_weight);
  }
  options.loss = *std::move(loss);
  if (training.optimizer.has_value()) {
    options.optimizer = *training.optimizer;
  } else {
    taken.push_back(options.optimizer.name());
  }
  if (taken.empty()) return options;
  const std::string instead =
      absl::StrCat("who trains it does so with ", absl::StrJoin(taken, " and "));
  notes->push_back(left_out.empty()
                       ? absl::StrCat("the file does not say all of how it was trained: ", instead)
                       : absl::StrCat("its training is not taken over (", left_out,
                                      "); it predicts, and ", instead));
  return options;
}

absl::StatusOr<Model> ModelFromKeras(const keras::KerasModel& keras,
                                     std::vector<std::string>* notes) {
  SEQ_ASSIGN_OR_RETURN(TrainableOptions options, TrainingFromKeras(keras, notes));
  options.initialize_weights = keras.weights.empty();
  SEQ_ASSIGN_OR_RETURN(Model model, BuildModel(keras.stack, options));
  model.preprocessing = keras.preprocessing;
  model.series = keras.series;
  model.labels = keras.labels;
  SEQ_RETURN_IF_ERROR(Assign(keras.weights, model));
  if (options.trainable) SEQ_RETURN_IF_ERROR(Assign(keras.optimizer_state, model));
  return model;
}

absl::StatusOr<bool> SetOpenLength(int64_t time, Model& model) {
  if (!model.layers.has_value()) return false;
  std::map<std::string, int64_t> times;
  for (const LayerInput& input : InputsOf(*model.layers)) times[input.name] = time;
  return SetOpenLengths(times, model);
}

absl::StatusOr<bool> SetOpenLengths(const std::map<std::string, int64_t>& times, Model& model) {
  if (!model.layers.has_value()) return false;
  LayerStack stack = *model.layers;
  if (!SetLengths(times, stack)) return false;
  SEQ_ASSIGN_OR_RETURN(Model rebuilt, WithOpenLengths(times, model));
  model = std::move(rebuilt);
  return true;
}

absl::StatusOr<Model> WithOpenLengths(const std::map<std::string, int64_t>& times,
                                      const Model& model) {
  std::vector<std::string> notes;  // of what was noted when the model was made
  SEQ_ASSIGN_OR_RETURN(keras::KerasModel keras, KerasFromModel(model, &notes));
  SetLengths(times, keras.stack);
  SEQ_ASSIGN_OR_RETURN(Model rebuilt, ModelFromKeras(keras, &notes));
  rebuilt.description = model.description;
  return rebuilt;
}

absl::Status SetKerasWeights(const std::string& path, Model& model,
                             std::vector<std::string>* notes) {
  SEQ_ASSIGN_OR_RETURN(const keras::KerasModel known, KerasFromModel(model, notes));
  SEQ_ASSIGN_OR_RETURN(keras::StoredWeights stored,
                       keras::ReadKerasWeights(path, known.stack, notes));
  SEQ_RETURN_IF_ERROR(SetWeights(stored.weights, model));
  if (stored.optimizer_arrays.empty()) return absl::OkStatus();
  if (!known.training.has_value() || !known.training->optimizer.has_value())
    return absl::OkStatus();
  SEQ_ASSIGN_OR_RETURN(const std::vector<keras::LayerWeights> layers,
                       keras::WeightsOf(known.stack));
  absl::StatusOr<std::vector<keras::NamedTensor>> state = keras::NameState(
      *known.training->optimizer, keras::AllWeights(layers), std::move(stored.optimizer_arrays));
  if (!state.ok()) {
    notes->push_back(
        absl::StrCat("the state of the file's optimizer is left out: ", state.status().message()));
    return absl::OkStatus();
  }
  return SetWeights(*state, model);
}

absl::StatusOr<Model> LoadKerasModel(const std::string& path, const KerasImportOptions& options,
                                     std::vector<std::string>* notes) {
  SEQ_ASSIGN_OR_RETURN(keras::KerasModel keras, keras::ReadKerasModel(path, options.read));
  if (options.one_hot) SEQ_RETURN_IF_ERROR(keras::TakeTokensOneHot(keras.stack));
  notes->insert(notes->end(), keras.notes.begin(), keras.notes.end());
  std::vector<std::string> unwanted;
  absl::StatusOr<Model> model = ModelFromKeras(keras, options.read.training ? notes : &unwanted);
  if (!model.ok()) return Annotate(model.status(), absl::StrCat("cannot load ", path));
  return model;
}

}  // namespace seqgraph
