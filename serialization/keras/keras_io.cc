#include "serialization/keras/keras_io.h"

#include <algorithm>
#include <climits>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/atomic_file.h"
#include "base/status_macros.h"
#include "base/zip.h"
#include "layers/one_hot.h"
#include "serialization/hdf5/reader.h"
#include "serialization/hdf5/writer.h"
#include "serialization/keras/legacy_model.h"
#include "serialization/keras/optimizer_state.h"
#include "serialization/keras/stack_config.h"
#include "serialization/keras/text_assets.h"
#include "serialization/keras/training_config.h"

namespace seqgraph::keras {
namespace {

constexpr int64_t kMaxFileBytes = INT_MAX;
constexpr char kConfigFile[] = "config.json";
constexpr char kMetadataFile[] = "metadata.json";
constexpr char kWeightsFile[] = "model.weights.h5";

using Files = std::map<std::string, std::string>;

// Weights hardly compress: a zip that unfolds to more than this many times its size is a trap.
absl::StatusOr<Files> Unzip(absl::string_view bytes) {
  const int64_t limit = 16 * static_cast<int64_t>(bytes.size()) + (1 << 20);
  SEQ_ASSIGN_OR_RETURN(Files files, ReadZip(bytes, std::min(limit, kMaxFileBytes)));
  for (const auto& [name, content] : files) {
    if (name == kConfigFile || name == kMetadataFile || name == kWeightsFile ||
        name == kTextAssetsFile) {
      continue;
    }
    return Unimplemented("it holds ", name, ", which no layer that is known here needs");
  }
  for (const char* name : {kConfigFile, kWeightsFile}) {
    if (files.count(name) == 0) return InvalidArgument("it has no ", name);
  }
  return files;
}

absl::StatusOr<hdf5::Node> Tree(const Files& files) {
  return Annotate(hdf5::ReadTree(files.at(kWeightsFile)), kWeightsFile);
}

// A file may have a state, but not the settings: then the name alone says which optimizer it was.
void GuessOptimizer(const StoredWeights& stored, KerasModel& model) {
  const OptimizerDef* def = OptimizerOfName(stored.optimizer_name);
  if (def == nullptr || stored.optimizer_arrays.size() < 2) return;
  const Tensor& rate = stored.optimizer_arrays[1];
  Optimizer optimizer(*def);
  if (rate.num_elements() == 1) {
    optimizer.learning_rate = rate.Cast(DType::kFloat64).Elements<double>()[0];
  }
  model.training->optimizer = optimizer;
  model.notes.push_back(absl::StrCat("the optimizer is taken for ", def->name, " by its name, \"",
                                     stored.optimizer_name,
                                     "\"; all but its learning rate are Keras's defaults"));
}

// What an object says in "keras_version".
std::optional<int> VersionOf(const Json& json) {
  if (!json.is_object() || !json.contains("keras_version") || !json["keras_version"].is_string()) {
    return std::nullopt;
  }
  return MajorVersion(json["keras_version"].get<std::string>());
}

// The model of a configuration, and where its file keeps the weights. `trained`: they come with it,
// so that it predicts whatever its training was.
absl::StatusOr<KerasModel> ReadConfig(absl::string_view text, const ReadOptions& options,
                                      bool trained, std::vector<LayerPlace>* places) {
  SEQ_ASSIGN_OR_RETURN(const Json json, ParseJson(text));
  KerasModel model;
  std::vector<std::string> of_training;
  const LayerReading reading = {*options.layers, VersionOf(json).value_or(options.version),
                                &model.notes, trained ? &of_training : nullptr};
  SEQ_ASSIGN_OR_RETURN(ConfiguredStack configured, ReadStack(json, options.time, reading));
  model.stack = std::move(configured.stack);
  *places = std::move(configured.places);
  if (!options.training) return model;
  if (json.contains("compile_config") && !json["compile_config"].empty()) {
    TakeTraining(ReadTraining(json["compile_config"], configured.outputs, &model.notes), model);
  }
  LeaveOutTraining(of_training, model);
  return model;
}

absl::StatusOr<KerasModel> ReadZipModel(absl::string_view bytes, const ReadOptions& options) {
  const LayerRegistry& registry = *options.layers;
  SEQ_ASSIGN_OR_RETURN(const Files files, Unzip(bytes));
  ReadOptions of_file = options;
  if (const auto metadata = files.find(kMetadataFile); metadata != files.end()) {
    SEQ_ASSIGN_OR_RETURN(const Json json, Annotate(ParseJson(metadata->second), kMetadataFile));
    of_file.version = VersionOf(json).value_or(options.version);
  }
  std::vector<LayerPlace> places;
  SEQ_ASSIGN_OR_RETURN(
      KerasModel model,
      Annotate(ReadConfig(files.at(kConfigFile), of_file, /*trained=*/true, &places), kConfigFile));
  SEQ_ASSIGN_OR_RETURN(const std::vector<LayerWeights> layers,
                       WeightsOf(model.stack, registry, places));
  SEQ_ASSIGN_OR_RETURN(const hdf5::Node tree, Tree(files));
  SEQ_ASSIGN_OR_RETURN(StoredWeights stored,
                       Annotate(ReadWeights(tree, layers, &model.notes), kWeightsFile));
  model.weights = std::move(stored.weights);
  if (const auto text = files.find(kTextAssetsFile); text != files.end()) {
    SEQ_RETURN_IF_ERROR(Annotate(ReadTextAssets(text->second, model), kTextAssetsFile));
  }
  if (!model.training.has_value()) return model;
  if (!model.training->optimizer.has_value()) GuessOptimizer(stored, model);
  if (!model.training->optimizer.has_value()) return model;
  TakeState(
      NameState(*model.training->optimizer, AllWeights(layers), std::move(stored.optimizer_arrays)),
      model);
  return model;
}

}  // namespace

absl::StatusOr<KerasModel> ParseKerasModel(absl::string_view bytes, const ReadOptions& options) {
  if (LooksLikeZip(bytes)) return ReadZipModel(bytes, options);
  if (!hdf5::LooksLikeHdf5(bytes)) {
    return InvalidArgument("neither a .keras file (a zip) nor a .h5 file (HDF5)");
  }
  SEQ_ASSIGN_OR_RETURN(const hdf5::Node root, hdf5::ReadTree(bytes));
  if (root.FindAttribute("model_config") == nullptr &&
      root.FindAttribute("model_config0") == nullptr) {
    return InvalidArgument("the file holds weights alone: they need a model to go into");
  }
  return ReadLegacyModel(root, options);
}

absl::StatusOr<KerasModel> ReadKerasModel(const std::string& path, const ReadOptions& options) {
  SEQ_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path, kMaxFileBytes));
  return Annotate(ParseKerasModel(bytes, options), absl::StrCat("cannot load ", path));
}

absl::StatusOr<KerasModel> ParseKerasConfig(absl::string_view text, const ReadOptions& options) {
  std::vector<LayerPlace> places;
  return ReadConfig(text, options, /*trained=*/false, &places);
}

absl::StatusOr<Training> ParseKerasTraining(absl::string_view text,
                                            std::vector<std::string>* notes) {
  SEQ_ASSIGN_OR_RETURN(const Json json, ParseJson(text));
  return ReadTraining(json, {}, notes);
}

absl::StatusOr<StoredWeights> ParseKerasWeights(absl::string_view bytes, const LayerStack& stack,
                                                std::vector<std::string>* notes,
                                                const LayerRegistry& registry) {
  SEQ_ASSIGN_OR_RETURN(const std::vector<LayerWeights> layers, WeightsOf(stack, registry));
  hdf5::Node root;
  if (LooksLikeZip(bytes)) {
    SEQ_ASSIGN_OR_RETURN(const Files files, Unzip(bytes));
    SEQ_ASSIGN_OR_RETURN(root, Tree(files));
  } else {
    SEQ_ASSIGN_OR_RETURN(root, hdf5::ReadTree(bytes));
  }
  return ReadWeights(root, layers, notes);
}

absl::StatusOr<StoredWeights> ReadKerasWeights(const std::string& path, const LayerStack& stack,
                                               std::vector<std::string>* notes,
                                               const LayerRegistry& registry) {
  SEQ_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path, kMaxFileBytes));
  return Annotate(ParseKerasWeights(bytes, stack, notes, registry),
                  absl::StrCat("cannot load ", path));
}

absl::StatusOr<std::string> KerasZip(const KerasModel& model, const LayerRegistry& registry) {
  SEQ_ASSIGN_OR_RETURN(OrderedJson config, StackJson(model.stack, registry, Dialect::kKeras3));
  if (model.training.has_value()) {
    config["compile_config"] = TrainingJson(*model.training, Dialect::kKeras3);
  }
  SEQ_ASSIGN_OR_RETURN(std::string weights, KerasWeightsHdf5(model, registry));
  const OrderedJson metadata = {{"keras_version", "3.0.0"}, {"date_saved", "1980-01-01@00:00:00"}};
  std::vector<std::pair<std::string, std::string>> files = {{kMetadataFile, JsonText(metadata)},
                                                            {kConfigFile, JsonText(config)},
                                                            {kWeightsFile, std::move(weights)}};
  if (HasTextAssets(model)) files.push_back({kTextAssetsFile, TextAssetsJson(model)});
  return WriteZip(files);
}

absl::StatusOr<std::string> KerasHdf5(const KerasModel& model, Layout layout,
                                      const LayerRegistry& registry) {
  SEQ_ASSIGN_OR_RETURN(const hdf5::Node tree, LegacyModelTree(model, layout, registry));
  return hdf5::WriteTree(tree);
}

absl::StatusOr<std::string> KerasWeightsHdf5(const KerasModel& model,
                                             const LayerRegistry& registry) {
  SEQ_ASSIGN_OR_RETURN(const std::vector<LayerWeights> layers, WeightsOf(model.stack, registry));
  SEQ_ASSIGN_OR_RETURN(const hdf5::Node tree, WeightsStore(model, layers));
  return hdf5::WriteTree(tree);
}

absl::Status TakeTokensOneHot(LayerStack& stack) {
  if (!stack.input.features.has_value()) {
    return InvalidArgument("model ", stack.name, " takes tokens already");
  }
  if (stack.is_graph() || stack.input.time == 0 || !stack.input.between.empty()) {
    return Unimplemented("model ", stack.name, " is no stack that takes sequences");
  }
  const int64_t depth = *stack.input.features;
  std::string name = "one_hot";
  for (const Layer& layer : stack.layers) {
    if (layer.name == name) name += "_words";
  }
  stack.layers.insert(stack.layers.begin(), {.name = name, .kind = OneHotLayer{depth}});
  stack.input.features.reset();
  stack.input.name = LayerInput().name;
  return absl::OkStatus();
}

}  // namespace seqgraph::keras
