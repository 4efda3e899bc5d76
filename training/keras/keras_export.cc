#include "training/keras/keras_export.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/op_def.h"
#include "layers/all_layers.h"
#include "layers/layer_emission.h"
#include "layers/stack_recognition.h"
#include "serialization/keras/layer_weights.h"
#include "serialization/keras/optimizer_state.h"
#include "training/model_builder.h"
#include "training/optimizers.h"

namespace seqgraph {
namespace {

// The model's variable for a name that the stack, or an optimizer over it, gives.
std::string ModelVariable(const RecognizedStack& recognized, const std::string& name) {
  constexpr absl::string_view kOptimizer = "optimizer/";
  if (!absl::StartsWith(name, kOptimizer)) {
    const auto found = recognized.variable_of.find(name);
    return found == recognized.variable_of.end() ? name : found->second;
  }
  // "optimizer/<weight>/<slot>"
  const size_t slash = name.rfind('/');
  if (slash < kOptimizer.size()) return name;
  const auto found =
      recognized.variable_of.find(name.substr(kOptimizer.size(), slash - kOptimizer.size()));
  if (found == recognized.variable_of.end()) return name;
  return absl::StrCat(kOptimizer, found->second, name.substr(slash));
}

absl::StatusOr<Tensor> Content(const Model& model, const RecognizedStack& recognized,
                               const std::string& name) {
  const Variable* variable = model.variables.Find(ModelVariable(recognized, name));
  if (variable != nullptr) return variable->value;
  return NotFound("the model has no variable for ", name);
}

absl::StatusOr<std::vector<keras::NamedTensor>> StateOf(const Model& model,
                                                        const RecognizedStack& recognized,
                                                        const Optimizer& optimizer,
                                                        const std::vector<keras::Weight>& weights) {
  std::vector<keras::NamedTensor> state;
  std::vector<std::string> names = {keras::kIteration, keras::kLearningRate};
  for (const keras::Slot& slot : keras::SlotsOf(optimizer, weights)) names.push_back(slot.variable);
  for (const std::string& name : names) {
    SEQ_ASSIGN_OR_RETURN(Tensor tensor, Content(model, recognized, name));
    state.push_back({name, std::move(tensor)});
  }
  return state;
}

std::vector<std::string> MetricsOf(const Function& evaluate, absl::string_view output) {
  if (HasClassLoss(evaluate, output)) return {"accuracy"};
  return {};
}

// The losses of one or several outputs; nothing if there is one that Keras does not have.
std::optional<keras::Training> LossesOf(const Model& model, const LayerStack& stack) {
  const Function* evaluate = model.FindFunction(kEvaluate);
  if (evaluate == nullptr) return std::nullopt;
  const std::vector<std::string> judged = JudgedOutputs(*evaluate);
  if (judged.empty() && stack.outputs.size() > 1) return std::nullopt;
  if (judged.empty()) {
    keras::Training training{.loss = LossOf(*evaluate),
                             .loss_settings = LossSettingsOf(*evaluate),
                             .loss_weight = LossWeightOf(*evaluate),
                             .metrics = MetricsOf(*evaluate, "")};
    return training.loss.empty() ? std::nullopt : std::make_optional(std::move(training));
  }
  keras::Training training;
  for (const std::string& output : ResultNames(stack, AllLayers())) {
    keras::OutputLoss& each = training.losses.emplace_back();
    if (std::find(judged.begin(), judged.end(), output) == judged.end()) continue;
    each.loss = LossOf(*evaluate, output);
    if (each.loss.empty()) return std::nullopt;
    each.settings = LossSettingsOf(*evaluate, output);
    each.weight = LossWeightOf(*evaluate, output);
    each.metrics = MetricsOf(*evaluate, output);
  }
  return training;
}

}  // namespace

absl::StatusOr<keras::KerasModel> KerasFromModel(const Model& model,
                                                 std::vector<std::string>* notes) {
  SEQ_ASSIGN_OR_RETURN(const RecognizedStack recognized, RecognizeStack(model));
  keras::KerasModel keras;
  keras.stack = recognized.stack;
  keras.preprocessing = model.preprocessing;
  keras.series = model.series;
  keras.labels = model.labels;
  SEQ_ASSIGN_OR_RETURN(const std::vector<keras::LayerWeights> layers,
                       keras::WeightsOf(keras.stack));
  const std::vector<keras::Weight> weights = keras::AllWeights(layers);
  for (const keras::Weight& weight : weights) {
    SEQ_ASSIGN_OR_RETURN(Tensor tensor, Content(model, recognized, weight.variable));
    keras.weights.push_back({weight.variable, std::move(tensor)});
  }
  keras.training = LossesOf(model, keras.stack);
  if (!keras.training.has_value()) {
    notes->push_back("the model has no loss that Keras has: written without its training");
    return keras;
  }
  keras.training->optimizer = OptimizerOf(model);
  if (HasScaledLoss(*model.FindFunction(kEvaluate))) {
    notes->push_back("the loss of scaled numbers is written as that of the numbers");
  }
  if (!keras.training->optimizer.has_value()) {
    notes->push_back("the model has no optimizer that Keras has: written without one");
    return keras;
  }
  absl::StatusOr<std::vector<keras::NamedTensor>> state =
      StateOf(model, recognized, *keras.training->optimizer, weights);
  if (state.ok()) {
    keras.optimizer_state = *std::move(state);
  } else {
    notes->push_back(
        absl::StrCat("written without the optimizer's state: ", state.status().message()));
  }
  return keras;
}

absl::Status SetWeights(const std::vector<keras::NamedTensor>& tensors, Model& model) {
  SEQ_ASSIGN_OR_RETURN(const RecognizedStack recognized, RecognizeStack(model));
  for (const keras::NamedTensor& tensor : tensors) {
    SEQ_RETURN_IF_ERROR(
        model.variables.Assign(ModelVariable(recognized, tensor.name), tensor.tensor));
  }
  return absl::OkStatus();
}

}  // namespace seqgraph
