#include "serialization/keras/weights_store.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"
#include "serialization/hdf5/reader.h"
#include "serialization/keras/cudnn_cells.h"
#include "serialization/keras/optimizer_state.h"
#include "serialization/keras/training_config.h"

namespace seqgraph::keras {
namespace {

using hdf5::Node;

constexpr char kLayers[] = "layers";
// What Keras 2.12 and 2.13 call them.
constexpr char kOldLayers[] = "_layer_checkpoint_dependencies";
constexpr char kOptimizerVars[] = "optimizer/vars";

bool HasArrays(const Node& node) {
  if (!node.is_group()) return true;
  for (const Node& child : node.children) {
    if (HasArrays(child)) return true;
  }
  return false;
}

int CountArrays(const Node& node) {
  int count = node.is_group() ? 0 : 1;
  for (const Node& child : node.children) count += CountArrays(child);
  return count;
}

// Whatever has numbers must belong to a layer of the stack. `path` leads to the group.
absl::Status CheckNothingLeft(const Node& group, const std::string& path,
                              const std::vector<LayerWeights>& layers) {
  for (const Node& child : group.children) {
    const std::string place = absl::StrCat(path, child.name);
    const LayerWeights* owner = nullptr;
    bool is_model = false;
    for (const LayerWeights& layer : layers) {
      if (layer.group == place) owner = &layer;
      is_model = is_model || absl::StartsWith(layer.group, absl::StrCat(place, "/layers/"));
    }
    const std::string shown = absl::StrCat(kLayers, "/", place);
    if (is_model) {
      const Node* inner = child.Child(kLayers);
      if (inner == nullptr) return InvalidArgument(shown, ": holds no layers");
      SEQ_RETURN_IF_ERROR(CheckNothingLeft(*inner, absl::StrCat(place, "/layers/"), layers));
      continue;
    }
    if (owner == nullptr && HasArrays(child)) {
      return InvalidArgument(shown, ": holds weights of a layer that the model does not have");
    }
    const int expected = owner == nullptr ? 0 : owner->arrays();
    if (CountArrays(child) != expected) {
      return InvalidArgument(shown, ": holds ", CountArrays(child), " arrays, and the layer has ",
                             expected, " weights");
    }
  }
  return absl::OkStatus();
}

// Arrays 0, 1, ... of a group.
absl::StatusOr<std::vector<Tensor>> NumberedArrays(const Node& group, const std::string& path) {
  std::vector<Tensor> arrays;
  for (size_t i = 0; i < group.children.size(); ++i) {
    const std::string name = absl::StrCat(i);
    const Node* child = group.Child(name);
    const std::string below = absl::StrCat(path, "/", name);
    if (child == nullptr) return InvalidArgument(below, ": is missing");
    SEQ_ASSIGN_OR_RETURN(const Tensor* tensor, child->Value(below));
    arrays.push_back(*tensor);
  }
  return arrays;
}

absl::StatusOr<StoredWeights> ReadStore(const Node& root, const Node& groups,
                                        const std::vector<LayerWeights>& layers,
                                        std::vector<std::string>* notes) {
  SEQ_RETURN_IF_ERROR(CheckNothingLeft(groups, "", layers));
  StoredWeights stored;
  for (const LayerWeights& layer : layers) {
    for (const Weight& weight : layer.weights) {
      SEQ_ASSIGN_OR_RETURN(Tensor tensor,
                           ReadFloats(groups, kLayers, absl::StrCat(layer.group, "/", weight.store),
                                      weight.shape, notes));
      stored.weights.push_back({weight.variable, std::move(tensor)});
    }
  }
  if (const Node* vars = root.Find(kOptimizerVars)) {
    SEQ_ASSIGN_OR_RETURN(stored.optimizer_arrays, NumberedArrays(*vars, kOptimizerVars));
    const hdf5::Attribute* name = vars->FindAttribute("name");
    if (name != nullptr && name->texts.size() == 1) stored.optimizer_name = name->texts[0];
  }
  return stored;
}

}  // namespace

absl::StatusOr<Tensor> ReadFloats(const Node& group, const std::string& path,
                                  const std::string& name, const Shape& shape,
                                  std::vector<std::string>* notes) {
  const std::string below = absl::StrCat(path, "/", name);
  const Node* node = group.Find(name);
  if (node == nullptr) return InvalidArgument(below, ": is missing");
  SEQ_ASSIGN_OR_RETURN(const Tensor* tensor, node->Value(below));
  if (tensor->shape() != shape || !IsReal(tensor->dtype())) {
    return InvalidArgument(below, ": is ", tensor->type().ToString(),
                           ", and the layer needs float32", shape.ToString());
  }
  if (tensor->dtype() == DType::kFloat32) return *tensor;
  notes->push_back(absl::StrCat(below, " was rounded from float64 to float32"));
  return tensor->Cast(DType::kFloat32);
}

absl::StatusOr<std::vector<std::string>> TextList(const Node& group, const std::string& path,
                                                  const std::string& attribute) {
  std::vector<std::string> texts;
  const hdf5::Attribute* whole = group.FindAttribute(attribute);
  if (whole != nullptr) return whole->texts;
  for (int i = 0;; ++i) {
    const hdf5::Attribute* part = group.FindAttribute(absl::StrCat(attribute, i));
    if (part == nullptr) break;
    texts.insert(texts.end(), part->texts.begin(), part->texts.end());
  }
  if (!texts.empty()) return texts;
  return InvalidArgument(path.empty() ? "/" : path, ": has no attribute ", attribute);
}

namespace {

// What a legacy tree keeps in one group: a layer's weights or, of a model in the model, those of
// all its layers, what is trained before what is not.
struct LegacyGroup {
  std::string name;
  std::vector<const Weight*> weights;
};

std::vector<LegacyGroup> LegacyGroups(const std::vector<LayerWeights>& layers) {
  std::vector<LegacyGroup> groups;
  for (const LayerWeights& layer : layers) {
    if (layer.arrays() == 0) continue;
    if (groups.empty() || groups.back().name != layer.legacy) groups.push_back({layer.legacy, {}});
    for (const auto* arrays : {&layer.weights, &layer.counts}) {
      for (const Weight& weight : *arrays) groups.back().weights.push_back(&weight);
    }
  }
  for (LegacyGroup& group : groups) {
    std::stable_partition(group.weights.begin(), group.weights.end(),
                          [](const Weight* weight) { return weight->trainable; });
  }
  return groups;
}

}  // namespace

namespace {

// Of an array that is there; else of none.
Shape StoredShape(const Node& group, const std::string& name) {
  const Node* node = group.Find(name);
  if (node == nullptr) return Shape();
  const absl::StatusOr<const Tensor*> tensor = node->Value(name);
  return tensor.ok() ? (*tensor)->shape() : Shape();
}

}  // namespace

absl::StatusOr<std::vector<NamedTensor>> ReadLegacyWeights(const Node& group,
                                                           const std::string& path,
                                                           const std::vector<LayerWeights>& layers,
                                                           std::vector<std::string>* notes) {
  SEQ_ASSIGN_OR_RETURN(const std::vector<std::string> names, TextList(group, path, "layer_names"));
  const std::vector<LegacyGroup> groups = LegacyGroups(layers);
  std::map<std::string, Tensor> tensors;
  size_t next = 0;
  std::set<const LegacyGroup*> found;
  const auto by_name = [&](const std::string& name) -> const LegacyGroup* {
    for (const LegacyGroup& candidate : groups) {
      if (candidate.name == name) return &candidate;
    }
    return nullptr;
  };
  // Layers are matched by their names or, where one is another's, by their order, those without
  // weights left out, as Keras does.
  bool named = true;
  for (const std::string& name : names) {
    const Node* stored = group.Child(name);
    named = named && (stored == nullptr || !HasArrays(*stored) || by_name(name) != nullptr);
  }
  for (const std::string& name : names) {
    const std::string below = absl::StrCat(path, path.empty() ? "" : "/", name);
    const Node* stored = group.Child(name);
    if (stored == nullptr) return InvalidArgument(below, ": is missing");
    SEQ_ASSIGN_OR_RETURN(const std::vector<std::string> arrays,
                         TextList(*stored, below, "weight_names"));
    if (arrays.empty()) continue;
    const LegacyGroup* to = named ? by_name(name) : next < groups.size() ? &groups[next] : nullptr;
    ++next;
    if (to == nullptr || !found.insert(to).second) {
      return InvalidArgument(below, ": holds weights of a layer that the model does not have");
    }
    if (arrays.size() != to->weights.size()) {
      return InvalidArgument(below, ": holds ", arrays.size(), " arrays, and layer ", to->name,
                             " has ", to->weights.size(), " weights");
    }
    for (size_t i = 0; i < arrays.size(); ++i) {
      const Weight& weight = *to->weights[i];
      if (weight.variable.empty()) continue;  // a count
      const Shape shape = StoredShape(*stored, arrays[i]);
      const bool cudnn = i >= 2 && absl::EndsWith(to->weights[i - 1]->path, "recurrent_kernel") &&
                         IsCuDnnBias(shape, weight.shape);
      SEQ_ASSIGN_OR_RETURN(
          tensors[weight.variable],
          ReadFloats(*stored, below, arrays[i], cudnn ? shape : weight.shape, notes));
      if (!cudnn) continue;
      FromCuDnn(weight.shape, tensors[to->weights[i - 2]->variable],
                tensors[to->weights[i - 1]->variable], tensors[weight.variable]);
    }
  }
  std::vector<NamedTensor> weights;
  for (const LegacyGroup& each : groups) {
    if (found.count(&each) == 0) {
      return InvalidArgument(path.empty() ? "/" : path, ": has no weights for layer ", each.name);
    }
  }
  for (const Weight& weight : AllWeights(layers)) {
    weights.push_back({weight.variable, std::move(tensors[weight.variable])});
  }
  return weights;
}

namespace {

// Puts what tf_keras on Windows calls "layers\\dense" where it belongs, in group dense of layers.
void SplitBackslashes(Node from, Node& to) {
  for (Node& child : from.children) {
    Node* place = &to;
    for (const absl::string_view part :
         absl::StrSplit(child.name, absl::MaxSplits('\\', hdf5::kMaxDepth))) {
      place = &place->Group(part);
    }
    if (child.is_group()) {
      place->attributes = child.attributes;
      SplitBackslashes(std::move(child), *place);
    } else {
      place->value = std::move(child.value);
      place->unreadable = std::move(child.unreadable);
    }
  }
}

// Gives the layers of Keras 2.12 and 2.13 the names of later versions, which count them by class:
// there each layer with weights counts twice, so that behind "dense" comes "dense_2".
void RenameOldLayers(Node& node) {
  const auto by_name = [](const Node& a, const Node& b) { return a.name < b.name; };
  for (Node& child : node.children) {
    RenameOldLayers(child);
    if (child.name != kOldLayers) continue;
    child.name = kLayers;
    std::map<std::pair<std::string, int64_t>, Node*> numbered;
    for (Node& layer : child.children) {
      const size_t end = layer.name.find_last_not_of("0123456789");
      int64_t number = 0;
      const bool counted = end != std::string::npos && layer.name[end] == '_' &&
                           absl::SimpleAtoi(layer.name.substr(end + 1), &number);
      numbered[{counted ? layer.name.substr(0, end) : layer.name, number}] = &layer;
    }
    std::map<std::string, int> used;
    for (const auto& [name, layer] : numbered) {
      const int number = used[name.first]++;
      layer->name = number == 0 ? name.first : absl::StrCat(name.first, "_", number);
    }
    std::sort(child.children.begin(), child.children.end(), by_name);
  }
  std::sort(node.children.begin(), node.children.end(), by_name);
}

}  // namespace

absl::StatusOr<StoredWeights> ReadWeights(const Node& root, const std::vector<LayerWeights>& layers,
                                          std::vector<std::string>* notes) {
  const auto is_of_windows = [](const Node& child) { return absl::StrContains(child.name, '\\'); };
  const bool split = std::any_of(root.children.begin(), root.children.end(), is_of_windows);
  if (split || root.Child(kOldLayers) != nullptr) {
    Node usual = root;
    if (split) {
      usual = Node();
      SplitBackslashes(root, usual);
    }
    RenameOldLayers(usual);
    if (const Node* groups = usual.Child(kLayers)) return ReadStore(usual, *groups, layers, notes);
  }
  if (const Node* groups = root.Child(kLayers)) return ReadStore(root, *groups, layers, notes);
  StoredWeights stored;
  const Node* model = root.Child("model_weights");
  SEQ_ASSIGN_OR_RETURN(stored.weights,
                       ReadLegacyWeights(model != nullptr ? *model : root,
                                         model != nullptr ? "model_weights" : "", layers, notes));
  return stored;
}

absl::StatusOr<const Tensor*> WeightOf(const KerasModel& model, const Weight& weight) {
  const Tensor* tensor = FindTensor(model.weights, weight.variable);
  if (tensor != nullptr && tensor->type() == TensorType{DType::kFloat32, weight.shape}) {
    return tensor;
  }
  return InvalidArgument("the model has no weight ", weight.variable, " of type ",
                         TensorType{DType::kFloat32, weight.shape}.ToString());
}

absl::StatusOr<Node> WeightsStore(const KerasModel& model,
                                  const std::vector<LayerWeights>& layers) {
  Node root;
  root.Group("vars").SetText("name", model.stack.name);
  Node& groups = root.Group(kLayers);
  for (const LayerWeights& layer : layers) {
    for (const EmittedLayer::Store& store : layer.stores) {
      Node* node = &groups.Group(layer.group);
      for (const absl::string_view part : absl::StrSplit(store.path, '/')) {
        node = &node->Group(part);
      }
      node->SetText("name", store.name);
    }
    for (const Weight& weight : layer.weights) {
      SEQ_ASSIGN_OR_RETURN(const Tensor* tensor, WeightOf(model, weight));
      groups.Put(absl::StrCat(layer.group, "/", weight.store), *tensor);
    }
    for (const Weight& count : layer.counts) {
      groups.Put(absl::StrCat(layer.group, "/", count.store), Tensor::Scalar<int32_t>(0));
    }
  }
  if (!model.training.has_value() || !model.training->optimizer.has_value() ||
      model.optimizer_state.empty()) {
    return root;
  }
  const Optimizer& optimizer = *model.training->optimizer;
  SEQ_ASSIGN_OR_RETURN(const std::vector<Tensor> arrays,
                       ListState(optimizer, AllWeights(layers), model.optimizer_state));
  Node& vars = root.Group("optimizer").Group("vars");
  vars.SetText("name", OptimizerName(optimizer));
  for (size_t i = 0; i < arrays.size(); ++i) vars.Put(absl::StrCat(i), arrays[i]);
  return root;
}

}  // namespace seqgraph::keras
