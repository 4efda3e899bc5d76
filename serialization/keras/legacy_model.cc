#include "serialization/keras/legacy_model.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "serialization/keras/optimizer_state.h"
#include "serialization/keras/stack_config.h"
#include "serialization/keras/text_assets.h"
#include "serialization/keras/training_config.h"

namespace seqgraph::keras {
namespace {

using hdf5::Attribute;
using hdf5::Node;

constexpr char kModelWeights[] = "model_weights";
constexpr char kOptimizerWeights[] = "optimizer_weights";
constexpr char kWeightNames[] = "weight_names";

// A configuration: one text, or several in name0, name1, ... that belong together.
absl::StatusOr<Json> ReadJsonAttribute(const Node& root, const std::string& name) {
  SEQ_ASSIGN_OR_RETURN(const std::vector<std::string> parts, TextList(root, "", name));
  std::string text;
  for (const std::string& part : parts) text += part;
  return Annotate(ParseJson(text), name);
}

// Of the Keras that wrote the file. Unimplemented for 1, whose layers have other settings.
absl::StatusOr<int> VersionOf(const Node& root, const Json& config) {
  const Attribute* version = root.FindAttribute("keras_version");
  std::string text = version != nullptr && !version->texts.empty() ? version->texts[0] : "";
  // The first versions did not say what they are.
  const std::string names = config.dump(-1, ' ', true, Json::error_handler_t::replace);
  if (text.empty() && absl::StrContains(names, "\"inner_activation\"")) text = "1";
  const int major = text.empty() ? 2 : MajorVersion(text);
  if (major == 2 || major == 3) return major;
  return Unimplemented("Keras ", text, " wrote the file; those of Keras 2 and 3 are read: ",
                       "load it with Keras 2.2, which knows both, and save it anew");
}

// TensorFlow 2.11's name of a slot.
std::string Keras2SlotName(const SlotDef& slot) {
  return slot.keras2.empty() ? slot.name : slot.keras2[0];
}

// The slot that an array of Keras 2 belongs to: "Adam/m/dense/kernel:0" from TensorFlow 2.11 on,
// "Adam/dense/kernel/m:0" before. "iteration" for the counter; empty if it is none.
std::string Keras2Slot(const std::string& array, const Optimizer& optimizer) {
  const std::vector<std::string> parts =
      absl::StrSplit(absl::StripSuffix(array, ":0"), '/', absl::SkipEmpty());
  if (parts.empty()) return "";
  for (const char* counter : {"iteration", "iter", "iterations"}) {
    if (parts.back() == counter) return "iteration";
  }
  if (parts.back() == "learning_rate") return "learning_rate";
  for (const std::string& candidate : {parts.back(), parts.size() > 2 ? parts[1] : std::string()}) {
    for (const SlotGroup& group : optimizer.slots()) {
      for (const SlotDef& slot : group) {
        if (candidate == slot.name || absl::c_linear_search(slot.keras2, candidate)) {
          return slot.name;
        }
      }
    }
  }
  return "";
}

// Arrays whose names do not tell their slots, as before TensorFlow 2: a counter, other numbers,
// then a slot of all weights, the next slot of all weights, and what stands for slots that are not
// used.
absl::StatusOr<std::map<std::string, std::vector<Tensor>>> SlotsInOrder(std::vector<Tensor> arrays,
                                                                        const Optimizer& optimizer,
                                                                        size_t weights) {
  std::map<std::string, std::vector<Tensor>> by_slot;
  size_t next = 0;
  if (!arrays.empty() && arrays[0].num_elements() == 1 && !IsReal(arrays[0].dtype())) {
    by_slot["iteration"].push_back(std::move(arrays[next++]));
  } else {
    by_slot["iteration"].push_back(Tensor::Scalar(int64_t{0}));  // some did not count
  }
  while (next < arrays.size() && arrays[next].shape().rank() == 0) ++next;
  for (const SlotGroup& group : optimizer.slots()) {
    for (const SlotDef& slot : group) {
      if (slot.shared || (slot.idle && next == arrays.size())) continue;
      for (size_t i = 0; i < weights; ++i) {
        if (next == arrays.size()) {
          return InvalidArgument(kOptimizerWeights, ": has too few arrays for ", optimizer.name());
        }
        by_slot[slot.name].push_back(std::move(arrays[next++]));
      }
    }
  }
  while (next < arrays.size() && arrays[next].num_elements() <= 1) ++next;
  if (next == arrays.size()) return by_slot;
  return InvalidArgument(kOptimizerWeights, ": has ", arrays.size() - next, " arrays more than ",
                         optimizer.name(), " takes for these layers");
}

// Puts arrays of Keras 2 in the order of Keras 3: they name their slots, and within a slot follow
// the order of the weights.
absl::StatusOr<std::vector<Tensor>> Keras3Order(const std::vector<std::string>& names,
                                                std::vector<Tensor> arrays,
                                                const Optimizer& optimizer,
                                                const std::vector<Weight>& weights) {
  std::map<std::string, std::vector<Tensor>> by_slot;
  const bool named = absl::c_none_of(
      names, [&](const std::string& name) { return Keras2Slot(name, optimizer).empty(); });
  if (named) {
    for (size_t i = 0; i < names.size(); ++i) {
      by_slot[Keras2Slot(names[i], optimizer)].push_back(std::move(arrays[i]));
    }
  } else {
    SEQ_ASSIGN_OR_RETURN(
        by_slot, SlotsInOrder(std::move(arrays), optimizer,
                              absl::c_count_if(weights, [](auto& w) { return w.trainable; })));
  }
  size_t given = 0;
  for (const auto& [slot, list] : by_slot) given += list.size();
  std::vector<Tensor> ordered;
  if (by_slot["iteration"].size() != 1) {
    return InvalidArgument(kOptimizerWeights, ": has no iteration");
  }
  ordered.push_back(by_slot["iteration"][0]);
  // In Keras 2 it is a setting, mostly not in the state.
  ordered.push_back(by_slot["learning_rate"].size() == 1
                        ? by_slot["learning_rate"][0]
                        : Tensor::Scalar(static_cast<float>(optimizer.learning_rate)));
  std::map<std::string, size_t> used;
  size_t expected = by_slot["iteration"].size() + by_slot["learning_rate"].size();
  if (given > expected) {
    // TensorFlow keeps momenta that plain SGD never reads.
    for (const Slot& slot : SlotsOf(optimizer, weights, /*with_idle=*/true)) {
      if (slot.def.idle && by_slot[slot.def.name].empty()) continue;
      if (slot.def.shared) {  // which Keras 2 does not keep: it starts anew, and so do we
        ordered.push_back(Tensor::Scalar(static_cast<float>(slot.def.initial)));
        continue;
      }
      const size_t next = used[slot.def.name]++;
      if (next >= by_slot[slot.def.name].size()) {
        return InvalidArgument(kOptimizerWeights, ": has nothing for ", slot.variable);
      }
      ordered.push_back(std::move(by_slot[slot.def.name][next]));
      ++expected;
    }
    if (given != expected) {
      return InvalidArgument(kOptimizerWeights, ": has ", given, " arrays, and ", optimizer.name(),
                             " has ", expected, " for these layers");
    }
  }
  return ordered;
}

absl::StatusOr<std::vector<NamedTensor>> ReadState(const Node& root, const Optimizer& optimizer,
                                                   const std::vector<Weight>& weights) {
  const Node* group = root.Child(kOptimizerWeights);
  if (group == nullptr) return std::vector<NamedTensor>();
  SEQ_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                       TextList(*group, kOptimizerWeights, kWeightNames));
  std::vector<Tensor> arrays;
  for (const std::string& name : names) {
    const std::string path = absl::StrCat(kOptimizerWeights, "/", name);
    const Node* node = group->Find(name);
    if (node == nullptr) return InvalidArgument(path, ": is missing");
    SEQ_ASSIGN_OR_RETURN(const Tensor* tensor, node->Value(path));
    arrays.push_back(*tensor);
  }
  const bool keras2 =
      absl::c_any_of(names, [](const std::string& name) { return absl::EndsWith(name, ":0"); });
  if (keras2) {
    SEQ_ASSIGN_OR_RETURN(arrays, Keras3Order(names, std::move(arrays), optimizer, weights));
  }
  return NameState(optimizer, weights, std::move(arrays));
}

// Keras's name of a weight: "sequential/dense/kernel", or in Keras 2 "dense/kernel:0".
std::string ArrayName(const KerasModel& model, const LayerWeights& layer, const Weight& weight,
                      Layout layout) {
  return layout == Layout::kKeras3
             ? absl::StrCat(model.stack.name, "/", layer.layer, "/", weight.path)
             : absl::StrCat(layer.layer, "/", weight.path, ":0");
}

absl::Status AddWeights(const KerasModel& model, const std::vector<LayerWeights>& layers,
                        Layout layout, const std::string& version, Node& root) {
  Node& group = root.Group(kModelWeights);
  std::vector<std::string> names;
  for (const LayerWeights& layer : layers) {
    names.push_back(layer.layer);
    Node& node = group.Group(layer.layer);
    std::vector<std::string> arrays;
    // What is trained before what is not, also of layers within this one.
    std::vector<Weight> weights = layer.weights;
    std::stable_partition(weights.begin(), weights.end(),
                          [](const Weight& weight) { return weight.trainable; });
    for (const Weight& weight : weights) {
      SEQ_ASSIGN_OR_RETURN(const Tensor* tensor, WeightOf(model, weight));
      arrays.push_back(ArrayName(model, layer, weight, layout));
      node.Put(arrays.back(), *tensor);
    }
    for (const Weight& count : layer.counts) {
      arrays.push_back(ArrayName(model, layer, count, layout));
      node.Put(arrays.back(), Tensor::Scalar<int32_t>(0));
    }
    node.SetTexts(kWeightNames, std::move(arrays));
  }
  group.SetTexts("layer_names", std::move(names));
  group.SetText("backend", "tensorflow");
  group.SetText("keras_version", version);
  group.Group("top_level_model_weights").SetTexts(kWeightNames, {});
  return absl::OkStatus();
}

absl::Status AddState(const KerasModel& model, const std::vector<LayerWeights>& layers,
                      Layout layout, Node& root) {
  const Optimizer& optimizer = *model.training->optimizer;
  const std::vector<Weight> weights = AllWeights(layers);
  std::map<std::string, std::string> array_of;
  for (const LayerWeights& layer : layers) {
    for (const Weight& weight : layer.weights) {
      array_of[weight.variable] = ArrayName(model, layer, weight, layout);
    }
  }
  const bool keras2 = layout == Layout::kKeras2;
  SEQ_ASSIGN_OR_RETURN(const std::vector<Tensor> arrays,
                       ListState(optimizer, weights, model.optimizer_state, /*with_idle=*/keras2));
  const std::string prefix = keras2 ? optimizer.name() : OptimizerName(optimizer);
  std::vector<std::string> names = {keras2 ? "iteration:0" : absl::StrCat(prefix, "/iteration"),
                                    keras2 ? "" : absl::StrCat(prefix, "/learning_rate")};
  for (const Slot& slot : SlotsOf(optimizer, weights, /*with_idle=*/keras2)) {
    if (slot.def.shared) {
      names.push_back(keras2 ? "" : absl::StrCat(prefix, "/", slot.def.name));
      continue;
    }
    const std::string& array = array_of[slot.weight->variable];
    const std::string name = keras2 ? Keras2SlotName(slot.def) : slot.def.name;
    names.push_back(
        keras2 ? absl::StrCat(prefix, "/", name, "/", array)
               : absl::StrCat(prefix, "/", absl::StrReplaceAll(array, {{"/", "_"}}), "_", name));
  }
  Node& group = root.Group(kOptimizerWeights);
  std::vector<std::string> listed;
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i].empty()) continue;  // Keras 2 has the learning rate in its settings
    group.Put(names[i], arrays[i]);
    listed.push_back(names[i]);
  }
  group.SetTexts(kWeightNames, std::move(listed));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<KerasModel> ReadLegacyModel(const Node& root, const ReadOptions& options) {
  KerasModel model;
  SEQ_ASSIGN_OR_RETURN(const Json config, ReadJsonAttribute(root, "model_config"));
  SEQ_ASSIGN_OR_RETURN(const int version, VersionOf(root, config));
  std::vector<std::string> of_training;
  const LayerReading reading = {*options.layers, version, &model.notes, &of_training};
  SEQ_ASSIGN_OR_RETURN(ConfiguredStack configured, ReadStack(config, options.time, reading));
  model.stack = std::move(configured.stack);
  if (version < 3) {
    SEQ_RETURN_IF_ERROR(CheckMasksInKeras2(model.stack, *options.layers,
                                           "leave the mask away in front of it before you save"));
  }
  SEQ_ASSIGN_OR_RETURN(const std::vector<LayerWeights> layers,
                       WeightsOf(model.stack, *options.layers, configured.places));
  const Node* group = root.Child(kModelWeights);
  if (group == nullptr) return InvalidArgument("the file has no model_weights");
  SEQ_ASSIGN_OR_RETURN(model.weights,
                       ReadLegacyWeights(*group, kModelWeights, layers, &model.notes));
  if (const Attribute* text = root.FindAttribute(kTextAssetsAttribute)) {
    std::string json;
    for (const std::string& part : text->texts) json += part;
    SEQ_RETURN_IF_ERROR(Annotate(ReadTextAssets(json, model), kTextAssetsAttribute));
  }
  const bool compiled = root.FindAttribute("training_config") != nullptr ||
                        root.FindAttribute("training_config0") != nullptr;
  if (!options.training) return model;
  if (compiled) {
    const absl::StatusOr<Json> training = ReadJsonAttribute(root, "training_config");
    TakeTraining(training.ok() ? ReadTraining(*training, configured.outputs, &model.notes)
                               : training.status(),
                 model);
  }
  LeaveOutTraining(of_training, model);
  if (model.training.has_value() && model.training->optimizer.has_value()) {
    TakeState(ReadState(root, *model.training->optimizer, AllWeights(layers)), model);
  }
  return model;
}

absl::StatusOr<Node> LegacyModelTree(const KerasModel& model, Layout layout,
                                     const LayerRegistry& registry) {
  const bool keras2 = layout == Layout::kKeras2;
  const std::string version = keras2 ? "2.15.0" : "3.0.0";
  if (keras2) {
    SEQ_RETURN_IF_ERROR(CheckMasksInKeras2(
        model.stack, registry, "a .h5 file in the layout of Keras 3 keeps it (--h5_layout)"));
  }
  SEQ_ASSIGN_OR_RETURN(const std::vector<LayerWeights> layers, WeightsOf(model.stack, registry));
  SEQ_ASSIGN_OR_RETURN(
      const OrderedJson config,
      StackJson(model.stack, registry, keras2 ? Dialect::kKeras2 : Dialect::kLegacy));
  Node root;
  root.SetText("keras_version", version);
  root.SetText("backend", "tensorflow");
  root.SetText("model_config", JsonText(config));
  if (model.training.has_value()) {
    root.SetText(
        "training_config",
        JsonText(TrainingJson(*model.training, keras2 ? Dialect::kKeras2 : Dialect::kLegacy)));
  }
  if (HasTextAssets(model)) root.SetText(kTextAssetsAttribute, TextAssetsJson(model));
  SEQ_RETURN_IF_ERROR(AddWeights(model, layers, layout, version, root));
  if (model.training.has_value() && model.training->optimizer.has_value() &&
      !model.optimizer_state.empty()) {
    SEQ_RETURN_IF_ERROR(AddState(model, layers, layout, root));
  }
  return root;
}

}  // namespace seqgraph::keras
