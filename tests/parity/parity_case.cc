#include "tests/parity/parity_case.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "data/npy.h"
#include "layers/all_layers.h"
#include "layers/layer_emission.h"
#include "nlohmann/json.hpp"
#include "serialization/keras/keras_io.h"
#include "serialization/keras/layer_weights.h"
#include "training/keras/keras_import.h"

namespace seqgraph::parity {
namespace {

using Json = nlohmann::json;
using Arrays = std::map<std::string, data::NpyArray>;

absl::StatusOr<const data::NpyArray*> FindArray(const Arrays& arrays, const std::string& name) {
  const auto found = arrays.find(name);
  if (found != arrays.end()) return &found->second;
  return absl::NotFoundError(absl::StrCat("expected.npz has no array ", name));
}

// The elements of an array of any type, as doubles.
absl::StatusOr<std::vector<double>> ReadDoubles(const Arrays& arrays, const std::string& name) {
  SEQ_ASSIGN_OR_RETURN(const data::NpyArray* array, FindArray(arrays, name));
  std::vector<double> values;
  const auto append = [&](auto elements) { values.assign(elements.begin(), elements.end()); };
  switch (array->type) {
    case data::NpyType::kInt32:
      append(*array->Values<int32_t>());
      break;
    case data::NpyType::kInt64:
      append(*array->Values<int64_t>());
      break;
    case data::NpyType::kFloat32:
      append(*array->Values<float>());
      break;
    case data::NpyType::kFloat64:
      append(*array->Values<double>());
      break;
  }
  return values;
}

absl::StatusOr<Tensor> ReadTensor(const Arrays& arrays, const std::string& name, DType dtype) {
  SEQ_ASSIGN_OR_RETURN(const data::NpyArray* array, FindArray(arrays, name));
  SEQ_ASSIGN_OR_RETURN(const std::vector<double> values, ReadDoubles(arrays, name));
  Shape shape;
  for (int64_t extent : array->shape) shape.Append(extent);
  return Tensor::Of<double>(shape, values).Cast(dtype);
}

// Labels as the loss takes them.
absl::StatusOr<Tensor> ReadTargets(const Arrays& arrays, const std::string& name, bool classes) {
  if (classes) return ReadTensor(arrays, name, DType::kInt32);
  SEQ_ASSIGN_OR_RETURN(Tensor targets, ReadTensor(arrays, name, DType::kFloat32));
  if (targets.shape().rank() != 1) return targets;
  const Shape column{targets.num_elements(), 1};
  return Tensor::Of<float>(column, targets.Elements<float>());
}

// The class of a row: a class number, 0 or 1 of a single output, or where a row is largest.
int64_t ClassOfRow(const Tensor& targets, int64_t row) {
  if (targets.dtype() == DType::kInt32) return targets.Elements<int32_t>()[row];
  const int64_t width = targets.num_elements() / targets.shape()[0].size();
  const absl::Span<const float> values = targets.Elements<float>().subspan(row * width, width);
  if (width == 1) return static_cast<int64_t>(values[0]);
  return std::max_element(values.begin(), values.end()) - values.begin();
}

// The weight of each row by its class; 1 where none is given.
Tensor WeightsByClass(const Json& by_class, const Tensor& targets) {
  const int64_t rows = targets.shape()[0].size();
  std::vector<double> weights(rows);
  for (int64_t row = 0; row < rows; ++row) {
    weights[row] = by_class.value(absl::StrCat(ClassOfRow(targets, row)), 1.0);
  }
  return Tensor::Of<double>(Shape{rows}, weights).Cast(DType::kFloat32);
}

// Sample weights, or class weights: Keras does not take both.
absl::Status ReadRowWeights(const Json& json, const Arrays& arrays, const std::string& name,
                            bool classes, CaseOutput& output) {
  const Shape shape = RowsType(output.targets.type(), DType::kFloat32).shape;
  const Shape& rows = classes ? output.targets.shape() : shape;
  const Json by_class = json.value("class_weight", Json());
  if (!by_class.is_null()) {
    output.train_weights = WeightsByClass(by_class, output.targets);
    output.evaluate_weights = WeightsByClass(Json::object(), output.targets);
  } else if (arrays.count(name) > 0) {
    SEQ_ASSIGN_OR_RETURN(output.train_weights, ReadTensor(arrays, name, DType::kFloat32));
    output.evaluate_weights = output.train_weights;
  }
  if (!output.train_weights.has_value() || output.train_weights->shape() == rows) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat("expected.npz: ", name, " is ",
                                                 output.train_weights->shape().ToString(),
                                                 ", expected ", rows.ToString()));
}

absl::Status ReadInputs(const Arrays& arrays, ParityCase& result) {
  for (LayerInput input : InputsOf(result.stack)) {
    const size_t i = result.inputs.size();
    std::string name = absl::StrCat("inputs_", i);
    for (const char* alone : {"tokens", "features"}) {
      if (i == 0 && arrays.count(alone) > 0) name = alone;
    }
    input.batch.reset();  // all rows, not a batch of them
    const TensorType type = InputType(input);
    SEQ_ASSIGN_OR_RETURN(Tensor tensor, ReadTensor(arrays, name, type.dtype));
    const int64_t rows = tensor.shape().rank() > 0 ? tensor.shape()[0].size() : 0;
    if (rows < 1 || tensor.shape() != type.shape.Bind(rows) || (i > 0 && rows != result.rows())) {
      return absl::InvalidArgumentError(absl::StrCat("expected.npz: ", name, " is ",
                                                     tensor.shape().ToString(), ", expected ",
                                                     type.shape.ToString()));
    }
    result.inputs.push_back(std::move(tensor));
  }
  return absl::OkStatus();
}

// Of an output of which `loss` is the loss; null: none.
absl::StatusOr<CaseOutput> ReadOutput(const Json& json, const Arrays& arrays,
                                      const std::string& suffix, const Loss* loss) {
  CaseOutput output{.judged = loss != nullptr};
  if (loss != nullptr) {
    const bool classes = loss->labels_are_classes;
    SEQ_ASSIGN_OR_RETURN(output.targets,
                         ReadTargets(arrays, absl::StrCat("targets", suffix), classes));
    SEQ_RETURN_IF_ERROR(
        ReadRowWeights(json, arrays, absl::StrCat("sample_weights", suffix), classes, output));
  }
  SEQ_ASSIGN_OR_RETURN(output.predict_initial,
                       ReadDoubles(arrays, absl::StrCat("predict_initial", suffix)));
  SEQ_ASSIGN_OR_RETURN(output.predict_trained,
                       ReadDoubles(arrays, absl::StrCat("predict_trained", suffix)));
  return output;
}

absl::Status ReadOutputs(const Json& json, const Arrays& arrays, ParityCase& result) {
  const std::vector<std::string> names = ResultNames(result.stack, AllLayers());
  const std::vector<OutputLoss>& losses = result.training.losses;
  for (size_t i = 0; i < names.size(); ++i) {
    const auto own = std::find_if(losses.begin(), losses.end(), [&](const OutputLoss& each) {
      return each.loss.prediction == names[i];
    });
    const Loss* loss = names.size() == 1     ? &result.training.loss
                       : own == losses.end() ? nullptr
                                             : &own->loss;
    const std::string suffix = names.size() == 1 ? "" : absl::StrCat("_", i);
    SEQ_ASSIGN_OR_RETURN(CaseOutput output, ReadOutput(json, arrays, suffix, loss));
    output.name = names[i];
    result.training.sample_weight |= output.train_weights.has_value();
    if (loss != nullptr &&
        (output.targets.shape().rank() < 1 || output.targets.shape()[0].size() != result.rows())) {
      return absl::InvalidArgumentError("expected.npz: there is not a target for each row");
    }
    result.outputs.push_back(std::move(output));
  }
  return absl::OkStatus();
}

absl::Status ReadWeights(const Arrays& arrays, ParityCase& result) {
  SEQ_ASSIGN_OR_RETURN(const std::vector<keras::LayerWeights> layers,
                       keras::WeightsOf(result.stack));
  size_t recorded = 0;
  while (arrays.count(absl::StrCat("initial_", recorded))) ++recorded;
  const std::vector<keras::Weight> weights = keras::AllWeights(layers);
  if (weights.size() != recorded) {
    return absl::InvalidArgumentError(
        absl::StrCat("the layers have ", weights.size(), " weights, expected.npz has ", recorded));
  }
  for (size_t i = 0; i < recorded; ++i) {
    CaseWeight weight{.variable = weights[i].variable};
    for (const auto& [prefix, tensor] :
         {std::pair{"initial_", &weight.initial}, {"trained_", &weight.trained}}) {
      SEQ_ASSIGN_OR_RETURN(*tensor, ReadTensor(arrays, absl::StrCat(prefix, i), DType::kFloat32));
      if (tensor->shape() == weights[i].shape) continue;
      return absl::InvalidArgumentError(
          absl::StrCat("expected.npz: ", prefix, i, " is ", tensor->shape().ToString(), ", but ",
                       weight.variable, " is ", weights[i].shape.ToString()));
    }
    result.weights.push_back(std::move(weight));
  }
  return absl::OkStatus();
}

absl::Status ReadArrays(const std::string& path, const Json& json, ParityCase& result) {
  absl::StatusOr<Arrays> arrays = data::ReadNpz(path);
  SEQ_RETURN_IF_ERROR(arrays.status());
  SEQ_RETURN_IF_ERROR(ReadInputs(*arrays, result));
  SEQ_RETURN_IF_ERROR(ReadOutputs(json, *arrays, result));
  SEQ_RETURN_IF_ERROR(ReadWeights(*arrays, result));
  SEQ_ASSIGN_OR_RETURN(result.step_losses, ReadDoubles(*arrays, "step_losses"));
  return absl::OkStatus();
}

// The loss by what the configuration of Keras does not tell of it.
void ScaleLoss(const Json& json, TrainableOptions& training) {
  if (!json.contains("scaled_loss")) return;
  const Json& scaled = json["scaled_loss"];
  const std::vector<double> quantiles = scaled.at("quantiles");
  if (!quantiles.empty()) training.loss = Pinball(quantiles);
  training.loss = Scaled(std::move(training.loss), scaled.at("mean").get<std::vector<double>>(),
                         scaled.at("scale").get<std::vector<double>>());
}

// compile_config from case.json's own names for the same.
Json TrainingOf(const Json& json) {
  Json settings = json.at("optimizer");
  const Json class_name = settings.at("class");
  settings.erase("class");
  return {{"loss", json.at("loss")},
          {"optimizer", {{"class_name", class_name}, {"config", settings}}}};
}

absl::StatusOr<keras::KerasModel> ReadModel(const std::string& folder, const Json& json) {
  if (json.contains("config")) return keras::ParseKerasConfig(json.at("config").dump());
  const std::string path = absl::StrCat(folder, "/initial.keras");
  if (!std::filesystem::exists(path)) {
    return absl::NotFoundError(
        absl::StrCat("\"config\" is missing, the model's configuration; so is ", path));
  }
  SEQ_ASSIGN_OR_RETURN(keras::KerasModel model, keras::ReadKerasModel(path, {.training = false}));
  SEQ_ASSIGN_OR_RETURN(model.training,
                       keras::ParseKerasTraining(TrainingOf(json).dump(), &model.notes));
  return model;
}

absl::Status ReadConfig(const std::string& folder, const Json& json, ParityCase& result) {
  result.name = json.at("name");
  result.batch = json.at("batch");
  result.epochs = json.at("epochs");
  if (result.batch < 1 || result.epochs < 0) {
    return absl::InvalidArgumentError("batch must be at least 1, and epochs 0");
  }
  if (json.at("shuffle") != false) {
    return absl::UnimplementedError("shuffle = true cannot be repeated: batches come in order");
  }
  SEQ_ASSIGN_OR_RETURN(keras::KerasModel model, ReadModel(folder, json));
  if (!json.at("one_hot_depth").is_null()) {
    SEQ_RETURN_IF_ERROR(keras::TakeTokensOneHot(model.stack));
  }
  SEQ_ASSIGN_OR_RETURN(result.training, TrainingFromKeras(model, &model.notes));
  // What a converted model may leave out, a run that is to be repeated may not.
  model.notes.erase(std::remove_if(model.notes.begin(), model.notes.end(),
                                   [](const std::string& note) {
                                     return absl::StrContains(note, "(Lambda) is Python code");
                                   }),
                    model.notes.end());
  if (!model.notes.empty()) return absl::UnimplementedError(absl::StrJoin(model.notes, "; "));
  ScaleLoss(json, result.training);
  result.stack = std::move(model.stack);
  SEQ_ASSIGN_OR_RETURN(const EmittedStack emitted, DescribeStack(result.stack, AllLayers()));
  if (emitted.drops && result.epochs > 0) {
    return absl::UnimplementedError("dropout cannot be repeated: Keras draws its masks otherwise");
  }
  result.evaluation = json.at("evaluate_after").get<std::map<std::string, double>>();
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ParityCase> ReadParityCase(const std::string& folder) {
  const std::string config_path = absl::StrCat(folder, "/case.json");
  std::ifstream file(config_path);
  if (!file) {
    return absl::NotFoundError(absl::StrCat("cannot open ", config_path));
  }
  std::stringstream text;
  text << file.rdbuf();
  ParityCase result;
  // The JSON library throws for a missing key or another type; nothing escapes from here.
  try {
    const Json json = Json::parse(text.str());
    SEQ_RETURN_IF_ERROR(Annotate(ReadConfig(folder, json, result), config_path));
    SEQ_RETURN_IF_ERROR(ReadArrays(absl::StrCat(folder, "/expected.npz"), json, result));
  } catch (const Json::exception& error) {
    return absl::InvalidArgumentError(absl::StrCat(config_path, ": ", error.what()));
  }
  return result;
}

}  // namespace seqgraph::parity
