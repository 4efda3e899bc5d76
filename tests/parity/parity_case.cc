#include "tests/parity/parity_case.h"

#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "data/npy.h"
#include "graph/status_macros.h"
#include "nlohmann/json.hpp"

namespace seqgraph::parity {
namespace {

using Json = nlohmann::json;
using Arrays = std::map<std::string, data::NpyArray>;

absl::Status NotExpressible(const std::string& where, const std::string& key, const Json& value) {
  return absl::UnimplementedError(
      absl::StrCat(where, ": ", key, " = ", value.dump(), " cannot be expressed"));
}

// Settings that Keras writes into every config, with the only value that is implemented. A setting
// that is neither here nor read by the layer is refused: it may change the mathematics.
absl::Status CheckOtherSettings(const std::string& where, const Json& config,
                                const std::set<std::string>& read) {
  static const auto* const kNeutral = new std::map<std::string, Json>{
      {"trainable", true},
      {"embeddings_regularizer", nullptr},
      {"kernel_regularizer", nullptr},
      {"recurrent_regularizer", nullptr},
      {"bias_regularizer", nullptr},
      {"activity_regularizer", nullptr},
      {"embeddings_constraint", nullptr},
      {"kernel_constraint", nullptr},
      {"recurrent_constraint", nullptr},
      {"bias_constraint", nullptr},
      {"quantization_config", nullptr},
      {"mask_zero", false},
      {"return_state", false},
      {"go_backwards", false},
      {"stateful", false},
      {"zero_output_for_mask", false},
      {"dropout", 0.0},
      {"recurrent_dropout", 0.0},
      {"weight_decay", nullptr},
      {"clipnorm", nullptr},
      {"global_clipnorm", nullptr},
      {"clipvalue", nullptr},
      {"use_ema", false},
      {"ema_momentum", 0.99},  // matters with use_ema only
      {"ema_overwrite_frequency", nullptr},
      {"loss_scale_factor", nullptr},
      {"gradient_accumulation_steps", nullptr},
      {"amsgrad", false},
  };
  for (const auto& [key, value] : config.items()) {
    // "unroll" is a matter of speed only.
    if (read.count(key) || key == "name" || key == "class" || key == "unroll") continue;
    const auto neutral = kNeutral->find(key);
    if (neutral == kNeutral->end() || neutral->second != value) {
      return NotExpressible(where, key, value);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadActivation(const std::string& where, const Json& config,
                                           bool allow_linear) {
  const std::string activation = config.at("activation");
  if (activation == "tanh" || activation == "relu" || activation == "sigmoid") return activation;
  if (activation == "linear" && allow_linear) return std::string("none");
  return NotExpressible(where, "activation", activation);
}

absl::StatusOr<Layer> ReadLayer(const Json& json) {
  const std::string type = json.at("class");
  const Json& config = json.at("config");
  const std::string name = config.at("name");
  const std::string where = absl::StrCat("layer ", name, " (", type, ")");
  if (type == "Embedding") {
    SEQ_RETURN_IF_ERROR(CheckOtherSettings(where, config, {"input_dim", "output_dim"}));
    return Layer{name, EmbeddingLayer{config.at("input_dim"), config.at("output_dim")}};
  }
  if (type == "SimpleRNN") {
    SEQ_RETURN_IF_ERROR(
        CheckOtherSettings(where, config, {"units", "activation", "use_bias", "return_sequences"}));
    SEQ_ASSIGN_OR_RETURN(std::string activation, ReadActivation(where, config, false));
    return Layer{name, SimpleRNNLayer{config.at("units"), std::move(activation),
                                      config.at("use_bias"), config.at("return_sequences")}};
  }
  if (type == "Dense") {
    SEQ_RETURN_IF_ERROR(CheckOtherSettings(where, config, {"units", "activation", "use_bias"}));
    SEQ_ASSIGN_OR_RETURN(std::string activation, ReadActivation(where, config, true));
    return Layer{name,
                 DenseLayer{config.at("units"), std::move(activation), config.at("use_bias")}};
  }
  return absl::UnimplementedError(
      absl::StrCat(where,
                   ": layers of this kind cannot be expressed; Embedding, one-hot input, "
                   "SimpleRNN and Dense can"));
}

absl::StatusOr<Optimizer> ReadOptimizer(const Json& json) {
  const std::string type = json.at("class");
  const std::string where = absl::StrCat("optimizer ", type);
  const double learning_rate = json.at("learning_rate");
  if (type == "RMSprop") {
    SEQ_RETURN_IF_ERROR(CheckOtherSettings(
        where, json, {"learning_rate", "rho", "momentum", "epsilon", "centered"}));
    return Optimizer(RMSProp{.learning_rate = learning_rate,
                             .rho = json.at("rho"),
                             .momentum = json.at("momentum"),
                             .epsilon = json.at("epsilon"),
                             .centered = json.at("centered")});
  }
  if (type == "SGD") {
    SEQ_RETURN_IF_ERROR(CheckOtherSettings(where, json, {"learning_rate", "momentum", "nesterov"}));
    return Optimizer(SGD{.learning_rate = learning_rate,
                         .momentum = json.at("momentum"),
                         .nesterov = json.at("nesterov")});
  }
  if (type == "Adam") {
    SEQ_RETURN_IF_ERROR(
        CheckOtherSettings(where, json, {"learning_rate", "beta_1", "beta_2", "epsilon"}));
    return Optimizer(Adam{.learning_rate = learning_rate,
                          .beta_1 = json.at("beta_1"),
                          .beta_2 = json.at("beta_2"),
                          .epsilon = json.at("epsilon")});
  }
  return absl::UnimplementedError(absl::StrCat(where, " is not known; RMSprop, SGD and Adam are"));
}

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

absl::Status ReadArrays(const std::string& path, ParityCase& result) {
  absl::StatusOr<Arrays> arrays = data::ReadNpz(path);
  SEQ_RETURN_IF_ERROR(arrays.status());
  SEQ_ASSIGN_OR_RETURN(result.tokens, ReadTensor(*arrays, "tokens", DType::kInt32));
  SEQ_ASSIGN_OR_RETURN(const std::vector<double> targets, ReadDoubles(*arrays, "targets"));
  if (result.tokens.shape().rank() != 2 ||
      result.tokens.shape()[0].size() != static_cast<int64_t>(targets.size())) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": tokens must be [rows, time] with a target for each row"));
  }
  result.targets = Tensor::Of<double>(Shape{static_cast<int64_t>(targets.size()), 1}, targets)
                       .Cast(DType::kFloat32);
  for (int i = 0; arrays->count(absl::StrCat("initial_", i)); ++i) {
    SEQ_ASSIGN_OR_RETURN(Tensor initial,
                         ReadTensor(*arrays, absl::StrCat("initial_", i), DType::kFloat32));
    SEQ_ASSIGN_OR_RETURN(Tensor trained,
                         ReadTensor(*arrays, absl::StrCat("trained_", i), DType::kFloat32));
    result.initial_weights.push_back(std::move(initial));
    result.trained_weights.push_back(std::move(trained));
  }
  SEQ_ASSIGN_OR_RETURN(result.step_losses, ReadDoubles(*arrays, "step_losses"));
  SEQ_ASSIGN_OR_RETURN(result.predict_initial, ReadDoubles(*arrays, "predict_initial"));
  SEQ_ASSIGN_OR_RETURN(result.predict_trained, ReadDoubles(*arrays, "predict_trained"));
  return absl::OkStatus();
}

absl::Status ReadConfig(const Json& json, ParityCase& result) {
  result.name = json.at("name");
  result.batch = json.at("batch");
  result.epochs = json.at("epochs");
  if (json.at("shuffle") != false) return NotExpressible("case", "shuffle", json.at("shuffle"));
  if (json.at("loss") != "binary_crossentropy") {
    return NotExpressible("case", "loss", json.at("loss"));
  }
  if (!json.at("one_hot_depth").is_null()) {
    result.layers.push_back({"one_hot", OneHotLayer{json.at("one_hot_depth")}});
  }
  for (const Json& layer : json.at("layers")) {
    SEQ_ASSIGN_OR_RETURN(Layer read, ReadLayer(layer));
    result.layers.push_back(std::move(read));
  }
  SEQ_ASSIGN_OR_RETURN(result.optimizer, ReadOptimizer(json.at("optimizer")));
  result.evaluate_loss = json.at("evaluate_after").at("loss");
  result.evaluate_accuracy = json.at("evaluate_after").at("accuracy");
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
    SEQ_RETURN_IF_ERROR(Annotate(ReadConfig(Json::parse(text.str()), result), config_path));
  } catch (const Json::exception& error) {
    return absl::InvalidArgumentError(absl::StrCat(config_path, ": ", error.what()));
  }
  SEQ_RETURN_IF_ERROR(ReadArrays(absl::StrCat(folder, "/expected.npz"), result));
  return result;
}

}  // namespace seqgraph::parity
