#include "serialization/keras/layer_weights.h"

#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "serialization/keras/layer_config.h"

namespace seqgraph::keras {
namespace {

// "SimpleRNN" -> "simple_rnn", "GlobalMaxPooling1D" -> "global_max_pooling1d": Keras puts "_"
// before a capital that a small letter follows, and between a small letter and a capital.
std::string SnakeCase(absl::string_view name) {
  std::string snake;
  for (size_t i = 0; i < name.size(); ++i) {
    const bool capital = absl::ascii_isupper(name[i]);
    const bool starts_word = i + 1 < name.size() && absl::ascii_islower(name[i + 1]);
    if (i > 0 && capital && (starts_word || absl::ascii_islower(name[i - 1]))) snake += '_';
    snake += absl::ascii_tolower(name[i]);
  }
  return snake;
}

// Walks the stack with the shape of what goes from layer to layer.
class Walk {
 public:
  explicit Walk(const LayerInput& input) : time_(true) {
    if (input.features.has_value()) {
      features_ = *input.features;
    } else {
      tokens_ = true;
    }
  }

  absl::StatusOr<LayerWeights> Add(const Layer& layer) {
    result_ = {.layer = layer.name};
    trainable_ = layer.trainable;
    result_.stores.push_back({"vars", layer.name});
    SEQ_RETURN_IF_ERROR(
        Annotate(std::visit(*this, layer.kind), absl::StrCat("layer ", layer.name)));
    for (const Weight& weight : result_.weights) {
      SEQ_RETURN_IF_ERROR(Annotate(weight.shape.Validate(), absl::StrCat("layer ", layer.name)));
    }
    return std::move(result_);
  }

  absl::Status operator()(const EmbeddingLayer& layer) {
    if (!tokens_) return absl::InvalidArgumentError("takes tokens, and gets numbers");
    AddWeight("", "embeddings", {layer.input_dim, layer.output_dim}, "", "vars/0");
    tokens_ = false;
    features_ = layer.output_dim;
    return absl::OkStatus();
  }

  absl::Status operator()(const OneHotLayer& layer) {
    if (!tokens_) return absl::InvalidArgumentError("takes tokens, and gets numbers");
    tokens_ = false;
    features_ = layer.depth;
    return absl::OkStatus();
  }

  absl::Status operator()(const RecurrentLayer& layer) {
    SEQ_RETURN_IF_ERROR(NeedSequence());
    AddRecurrent(layer, "", "");
    features_ = layer.units;
    time_ = layer.return_sequences;
    return absl::OkStatus();
  }

  absl::Status operator()(const BidirectionalLayer& layer) {
    SEQ_RETURN_IF_ERROR(NeedSequence());
    if (layer.forward.return_sequences != layer.backward.return_sequences) {
      return absl::InvalidArgumentError("one of its layers gives sequences, the other does not");
    }
    const bool concat = layer.merge_mode == MergeMode::kConcat;
    if (!concat && layer.forward.units != layer.backward.units) {
      return absl::InvalidArgumentError("its layers have unlike numbers of units");
    }
    result_.stores.push_back({"forward_layer/vars", layer.forward_name});
    AddRecurrent(layer.forward, absl::StrCat(layer.forward_name, "/"), "forward_layer/");
    result_.stores.push_back({"backward_layer/vars", layer.backward_name});
    AddRecurrent(layer.backward, absl::StrCat(layer.backward_name, "/"), "backward_layer/");
    features_ = layer.forward.units + (concat ? layer.backward.units : 0);
    time_ = layer.forward.return_sequences;
    return absl::OkStatus();
  }

  absl::Status operator()(const DenseLayer& layer) {
    SEQ_RETURN_IF_ERROR(NeedNumbers());
    AddWeight("", "kernel", {features_, layer.units}, "", "vars/0");
    if (layer.use_bias) AddWeight("", "bias", {layer.units}, "", "vars/1");
    features_ = layer.units;
    return absl::OkStatus();
  }

  absl::Status operator()(const DropoutLayer&) { return NeedNumbers(); }
  absl::Status operator()(const ActivationLayer&) { return NeedNumbers(); }

  absl::Status operator()(const PoolingLayer&) {
    SEQ_RETURN_IF_ERROR(NeedSequence());
    time_ = false;
    return absl::OkStatus();
  }

 private:
  absl::Status NeedNumbers() const {
    if (!tokens_) return absl::OkStatus();
    return absl::InvalidArgumentError("takes numbers, and gets tokens");
  }
  absl::Status NeedSequence() const {
    SEQ_RETURN_IF_ERROR(NeedNumbers());
    if (time_) return absl::OkStatus();
    return absl::InvalidArgumentError("takes a sequence, and gets one vector");
  }

  // `inner` is the name of a layer inside, with a slash, in our names and Keras's.
  void AddWeight(const std::string& inner, const std::string& name, Shape shape,
                 const std::string& cell, const std::string& store) {
    result_.weights.push_back({.variable = absl::StrCat(result_.layer, "/", inner, name),
                               .shape = std::move(shape),
                               .trainable = trainable_,
                               .path = absl::StrCat(inner, cell, name),
                               .store = store});
  }

  void AddRecurrent(const RecurrentLayer& layer, const std::string& inner,
                    const std::string& store) {
    const int64_t gates = layer.kind == RecurrentKind::kLSTM  ? 4
                          : layer.kind == RecurrentKind::kGRU ? 3
                                                              : 1;
    const int64_t width = gates * layer.units;
    const std::string cell_name = absl::StrCat(SnakeCase(RecurrentClass(layer.kind)), "_cell");
    const std::string cell = absl::StrCat(cell_name, "/");
    const std::string vars = absl::StrCat(store, "cell/vars");
    result_.stores.push_back({vars, cell_name});
    AddWeight(inner, "kernel", {features_, width}, cell, absl::StrCat(vars, "/0"));
    AddWeight(inner, "recurrent_kernel", {layer.units, width}, cell, absl::StrCat(vars, "/1"));
    if (!layer.use_bias) return;
    const bool two = layer.kind == RecurrentKind::kGRU && layer.reset_after;
    AddWeight(inner, "bias", two ? Shape{2, width} : Shape{width}, cell, absl::StrCat(vars, "/2"));
  }

  bool tokens_ = false;
  bool time_;
  int64_t features_ = 0;
  bool trainable_ = true;
  LayerWeights result_;
};

}  // namespace

absl::StatusOr<std::vector<LayerWeights>> WeightsOf(const LayerStack& stack) {
  std::vector<LayerWeights> all;
  std::map<std::string, int> used;
  Walk walk(stack.input);
  for (const Layer& layer : stack.layers) {
    SEQ_ASSIGN_OR_RETURN(LayerWeights weights, walk.Add(layer));
    const std::string group = SnakeCase(LayerClass(layer));
    if (group.empty()) continue;
    const int number = used[group]++;
    weights.group = number == 0 ? group : absl::StrCat(group, "_", number);
    all.push_back(std::move(weights));
  }
  return all;
}

std::vector<Weight> AllWeights(const std::vector<LayerWeights>& layers) {
  std::vector<Weight> all;
  for (const LayerWeights& layer : layers) {
    all.insert(all.end(), layer.weights.begin(), layer.weights.end());
  }
  return all;
}

}  // namespace seqgraph::keras
