#include "training/keras/stack_recognition.h"

#include <set>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "training/keras/same_function.h"
#include "training/model_builder.h"
#include "training/sequential.h"

namespace seqgraph {
namespace {

absl::Status Refuse(const Node& node, absl::string_view why) {
  return absl::UnimplementedError(
      absl::StrCat("node ", node.name, " (", node.op->name(), "): ", why));
}

// Walks from the input of `predict` to its result, a layer at a time.
class Recognizer {
 public:
  explicit Recognizer(const Function& predict) : f_(predict), consumers_(predict.Consumers()) {}

  absl::StatusOr<RecognizedStack> Run(const std::string& name) {
    if (!name.empty()) result_.stack.name = name;
    SEQ_RETURN_IF_ERROR(ReadInput());
    if (f_.results().size() != 1) {
      return absl::UnimplementedError(
          absl::StrCat("it has ", f_.results().size(), " results; a stack of layers has one"));
    }
    while (x_ != f_.results()[0].value) {
      SEQ_RETURN_IF_ERROR(NextLayer());
    }
    return std::move(result_);
  }

 private:
  absl::Status ReadInput() {
    if (f_.inputs().size() != 1) {
      return absl::UnimplementedError(
          absl::StrCat("it has ", f_.inputs().size(), " inputs; a stack of layers has one"));
    }
    x_ = f_.inputs()[0];
    const TensorType& type = f_.type(x_);
    const bool tokens = type.dtype == DType::kInt32 && type.shape.rank() == 2;
    if (!tokens && (type.dtype != DType::kFloat32 || type.shape.rank() != 3)) {
      return absl::UnimplementedError(absl::StrCat("its input is ", type.ToString(),
                                                   "; a stack of layers takes int32[batch, time] "
                                                   "or float32[batch, time, features]"));
    }
    LayerInput& input = result_.stack.input;
    input.name = f_.info(x_).name;
    if (!type.shape[0].is_batch()) input.batch = type.shape[0].size();
    input.time = type.shape[1].size();
    if (tokens) {
      tokens_ = x_;
    } else {
      input.features = type.shape[2].size();
    }
    return absl::OkStatus();
  }

  absl::Status NextLayer() {
    // The tokens are read once more by each layer that they mask.
    std::vector<const Node*> readers;
    for (const int i : consumers_[x_.index]) {
      if (f_.nodes()[i].inputs[0] == x_) readers.push_back(&f_.nodes()[i]);
    }
    if (readers.size() == 2) return BothDirections(*readers[0], *readers[1]);
    if (readers.size() != 1) {
      return absl::UnimplementedError(absl::StrCat("value ", f_.info(x_).name, " is read by ",
                                                   readers.size(),
                                                   " nodes: this is no stack of layers"));
    }
    const Node& node = *readers[0];
    const std::string& op = node.op->name();
    if (op == "OneHot") return AddOneHot(node);
    if (op == "Embedding") return AddEmbedding(node);
    if (op == "Dense") return AddDense(node);
    RecurrentKind kind;
    if (KindOf(op, &kind)) return AddRecurrent(node, kind);
    if (op == "GlobalAveragePooling1D" || op == "GlobalMaxPooling1D") return AddPooling(node);
    for (const auto& [name, activation] : {std::pair{"Sigmoid", "sigmoid"},
                                           {"Tanh", "tanh"},
                                           {"Relu", "relu"},
                                           {"Softmax", "softmax"}}) {
      if (op == name) return AddActivation(node, activation);
    }
    return Refuse(node, "no layer is known that does this");
  }

  static bool KindOf(const std::string& op, RecurrentKind* kind) {
    for (const auto& [name, candidate] : {std::pair{"RNNCell", RecurrentKind::kSimpleRNN},
                                          {"LSTMCell", RecurrentKind::kLSTM},
                                          {"GRUCell", RecurrentKind::kGRU}}) {
      if (op == name) {
        *kind = candidate;
        return true;
      }
    }
    return false;
  }

  Value Operand(const Node& node, absl::string_view name) const {
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.op->inputs()[i].name == name) return node.inputs[i];
    }
    return {};
  }

  // A name for the layer whose weight this is: what the variable is named after, or Keras's.
  std::string Name(Value weight, const std::string& otherwise) {
    std::string name = otherwise;
    if (weight.present()) {
      const std::string& variable = f_.info(weight).name;
      const size_t slash = variable.find('/');
      if (slash != std::string::npos && slash > 0 &&
          variable.find('/', slash + 1) == variable.npos) {
        name = variable.substr(0, slash);
      }
    }
    const std::string base = name;
    for (int i = 1; !names_.insert(name).second; ++i) name = absl::StrCat(base, "_", i);
    return name;
  }

  // Notes which variable a weight of the stack is.
  absl::Status Weight(const Node& node, const std::string& name, Value value, bool* trainable) {
    if (f_.info(value).origin != Origin::kVariable) {
      return Refuse(node, absl::StrCat(f_.info(value).name, " is computed: a layer has variables"));
    }
    const std::string& variable = f_.info(value).name;
    result_.variable_of[name] = variable;
    const VariableDef& def = f_.variables()[f_.info(value).source].def;
    // A layer is frozen as a whole.
    *trainable = *trainable && def.trainable;
    return absl::OkStatus();
  }

  Initializer InitializerOf(Value weight) const {
    return f_.variables()[f_.info(weight).source].def.initializer;
  }

  absl::Status Add(const Node& node, Layer layer, int output) {
    x_ = node.outputs[output];
    result_.stack.layers.push_back(std::move(layer));
    return absl::OkStatus();
  }

  absl::Status AddOneHot(const Node& node) {
    Layer layer{.name = Name({}, "one_hot")};
    layer.kind = OneHotLayer{.depth = node.attributes.GetInt("depth")};
    return Add(node, std::move(layer), 0);
  }

  absl::Status AddEmbedding(const Node& node) {
    const Value table = node.inputs[1];
    Layer layer{.name = Name(table, "embedding")};
    SEQ_RETURN_IF_ERROR(
        Weight(node, absl::StrCat(layer.name, "/embeddings"), table, &layer.trainable));
    const Shape& shape = f_.type(table).shape;
    EmbeddingLayer embedding{.input_dim = shape[0].size(),
                             .output_dim = shape[1].size(),
                             .embeddings_initializer = InitializerOf(table)};
    // Somebody masks by the tokens themselves.
    for (const Node& other : f_.nodes()) {
      const Value mask = Operand(other, "mask");
      if (mask.present() && mask == tokens_) embedding.mask_zero = true;
    }
    layer.kind = embedding;
    return Add(node, std::move(layer), 0);
  }

  absl::Status AddDense(const Node& node) {
    Layer layer{.name = Name(node.inputs[1], "dense")};
    SEQ_RETURN_IF_ERROR(
        Weight(node, absl::StrCat(layer.name, "/kernel"), node.inputs[1], &layer.trainable));
    DenseLayer dense{.units = f_.type(node.outputs[0]).shape.back().size(),
                     .activation = node.attributes.GetString("activation"),
                     .use_bias = node.inputs[2].present(),
                     .kernel_initializer = InitializerOf(node.inputs[1])};
    if (dense.use_bias) {
      SEQ_RETURN_IF_ERROR(
          Weight(node, absl::StrCat(layer.name, "/bias"), node.inputs[2], &layer.trainable));
      dense.bias_initializer = InitializerOf(node.inputs[2]);
    }
    if (dense.activation == "none") dense.activation = "linear";
    const Node* next = OnlyReader(node.outputs[0]);
    const bool softmax =
        dense.activation == "linear" && next != nullptr && next->op->name() == "Softmax";
    if (softmax) dense.activation = "softmax";
    layer.kind = dense;
    return Add(softmax ? *next : node, std::move(layer), 0);
  }

  absl::Status AddActivation(const Node& node, const char* activation) {
    Layer layer{.name = Name({}, "activation")};
    layer.kind = ActivationLayer{activation};
    return Add(node, std::move(layer), 0);
  }

  absl::Status AddPooling(const Node& node) {
    const bool max = node.op->name() == "GlobalMaxPooling1D";
    Layer layer{.name = Name({}, max ? "global_max_pooling1d" : "global_average_pooling1d")};
    layer.kind = PoolingLayer{max ? PoolingLayer::Kind::kMax : PoolingLayer::Kind::kAverage};
    return Add(node, std::move(layer), 0);
  }

  // The one node that reads the value, which is no result; or null.
  const Node* OnlyReader(Value value) const {
    const std::vector<int>& readers = consumers_[value.index];
    return readers.size() == 1 && value != f_.results()[0].value ? &f_.nodes()[readers[0]]
                                                                 : nullptr;
  }
  bool IsRead(Value value) const {
    return !consumers_[value.index].empty() || value == f_.results()[0].value;
  }

  // The settings and weights of one cell; `prefix` is that of its weights in the stack.
  absl::Status ReadCell(const Node& node, RecurrentKind kind, const std::string& prefix,
                        RecurrentLayer* layer, bool* trainable) {
    for (const char* name : {"h0", "c0", "recurrent_dropout"}) {
      if (Operand(node, name).present()) {
        return Refuse(node, absl::StrCat("a layer has no input ", name));
      }
    }
    const Value mask = Operand(node, "mask");
    if (mask.present() && mask != tokens_) return Refuse(node, "its mask is not the tokens");
    const Value w = Operand(node, "w");
    if (!w.present()) return Refuse(node, "its input is already projected");
    const Value u = Operand(node, "u");
    const Value b = Operand(node, "b");
    layer->kind = kind;
    layer->units = f_.type(u).shape[0].size();
    layer->activation = node.attributes.GetString("activation");
    layer->go_backwards = node.attributes.GetBool("reverse");
    layer->use_bias = b.present();
    if (kind == RecurrentKind::kGRU) layer->reset_after = node.attributes.GetBool("reset_after");
    layer->kernel_initializer = InitializerOf(w);
    layer->recurrent_initializer = InitializerOf(u);
    SEQ_RETURN_IF_ERROR(Weight(node, absl::StrCat(prefix, "/kernel"), w, trainable));
    SEQ_RETURN_IF_ERROR(Weight(node, absl::StrCat(prefix, "/recurrent_kernel"), u, trainable));
    if (!b.present()) return absl::OkStatus();
    layer->bias_initializer = InitializerOf(b);
    return Weight(node, absl::StrCat(prefix, "/bias"), b, trainable);
  }

  absl::Status AddRecurrent(const Node& node, RecurrentKind kind) {
    constexpr const char* kNames[] = {"simple_rnn", "lstm", "gru"};
    Layer layer{.name = Name(Operand(node, "w"), kNames[static_cast<int>(kind)])};
    RecurrentLayer recurrent;
    SEQ_RETURN_IF_ERROR(ReadCell(node, kind, layer.name, &recurrent, &layer.trainable));
    recurrent.return_sequences = IsRead(node.outputs[0]);
    if (recurrent.return_sequences && IsRead(node.outputs[1])) {
      return Refuse(node, "both its sequence and its last state are read");
    }
    const Node* last = &node;
    // Keras gives what went backwards in the order in which it was made.
    if (recurrent.return_sequences && recurrent.go_backwards) {
      last = OnlyReader(node.outputs[0]);
      if (last == nullptr || last->op->name() != "Reverse") {
        return Refuse(node, "it goes backwards, and its sequence is not reversed");
      }
    }
    layer.kind = recurrent;
    return Add(*last, std::move(layer), last == &node && !recurrent.return_sequences ? 1 : 0);
  }

  absl::Status BothDirections(const Node& a, const Node& b) {
    RecurrentKind kinds[2];
    if (!KindOf(a.op->name(), &kinds[0]) || !KindOf(b.op->name(), &kinds[1])) {
      return Refuse(b,
                    absl::StrCat("it reads the same as ", a.name, ": this is no stack of layers"));
    }
    const bool swapped = a.attributes.GetBool("reverse");
    const Node& forward = swapped ? b : a;
    const Node& backward = swapped ? a : b;
    Layer layer{.name = Name({}, "bidirectional")};
    BidirectionalLayer both;
    SEQ_RETURN_IF_ERROR(ReadCell(forward, kinds[swapped ? 1 : 0],
                                 absl::StrCat(layer.name, "/", both.forward_name), &both.forward,
                                 &layer.trainable));
    SEQ_RETURN_IF_ERROR(ReadCell(backward, kinds[swapped ? 0 : 1],
                                 absl::StrCat(layer.name, "/", both.backward_name), &both.backward,
                                 &layer.trainable));
    const bool sequences = IsRead(forward.outputs[0]);
    both.forward.return_sequences = both.backward.return_sequences = sequences;
    const Node* merge = OnlyReader(forward.outputs[sequences ? 0 : 1]);
    if (merge == nullptr || merge != OnlyReader(backward.outputs[sequences ? 0 : 1])) {
      return Refuse(forward, "its output and that of the other direction are not merged");
    }
    const std::string& op = merge->op->name();
    if (op == "Concat") {
      both.merge_mode = MergeMode::kConcat;
    } else if (op == "Multiply") {
      both.merge_mode = MergeMode::kMul;
    } else if (op == "Add") {
      both.merge_mode = MergeMode::kSum;
      const Node* next = OnlyReader(merge->outputs[0]);
      if (next != nullptr && next->op->name() == "Scale") {
        both.merge_mode = MergeMode::kAve;
        merge = next;
      }
    } else {
      return Refuse(*merge, "no layer merges two directions so");
    }
    layer.kind = both;
    return Add(*merge, std::move(layer), 0);
  }

  const Function& f_;
  const std::vector<std::vector<int>> consumers_;
  Value x_;
  Value tokens_;
  std::set<std::string> names_;
  RecognizedStack result_;
};

absl::Status Verify(const Function& predict, const RecognizedStack& recognized) {
  absl::StatusOr<Function> built = StackPredict(recognized.stack).Build();
  SEQ_RETURN_IF_ERROR(built.status());
  return CheckSameFunction(predict, *built, recognized.variable_of);
}

}  // namespace

absl::StatusOr<RecognizedStack> RecognizeStack(const Model& model) {
  SEQ_ASSIGN_OR_RETURN(const Function* predict, model.GetFunction(kPredict));
  std::string note;
  if (model.layers.has_value()) {
    RecognizedStack stored{*model.layers, {}};
    const absl::Status same = Verify(*predict, stored);
    if (same.ok()) return stored;
    note = absl::StrCat(" (what its layers build ", same.message(), ")");
  }
  absl::StatusOr<RecognizedStack> recognized = Recognizer(*predict).Run(model.name);
  if (!recognized.ok()) {
    return Annotate(recognized.status(),
                    absl::StrCat("function predict is no stack of layers", note));
  }
  const absl::Status same = Verify(*predict, *recognized);
  if (same.ok()) return recognized;
  return absl::UnimplementedError(
      absl::StrCat("function predict is no stack of layers: the nearest one ", same.message()));
}

}  // namespace seqgraph
