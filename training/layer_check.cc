#include <cstdint>
#include <set>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "training/layer_graph.h"

namespace seqgraph {
namespace {

// Far beyond any use, and small enough for every product of sizes.
constexpr int64_t kMostSize = 1 << 24;

absl::Status CheckSize(absl::string_view name, int64_t value) {
  if (value >= 1 && value <= kMostSize) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(name, " must be from 1 to ", kMostSize, ", got ", value));
}

absl::Status CheckRate(absl::string_view name, double rate) {
  if (rate >= 0 && rate < 1) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(name, " must be in [0, 1), got ", rate));
}

absl::Status CheckRegularizer(absl::string_view name, const Regularizer& regularizer) {
  if (regularizer.l1 >= 0 && regularizer.l2 >= 0) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(name, " must have l1 and l2 of at least 0, got ",
                                                 regularizer.l1, " and ", regularizer.l2));
}

absl::Status CheckActivation(absl::string_view activation,
                             std::initializer_list<absl::string_view> known) {
  std::string names;
  for (absl::string_view name : known) {
    if (activation == name) return absl::OkStatus();
    absl::StrAppend(&names, names.empty() ? "" : ", ", name);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("unknown activation \"", activation, "\": expected one of ", names));
}

absl::Status CheckDenseActivation(absl::string_view activation) {
  return CheckActivation(activation, {"linear", "tanh", "relu", "sigmoid", "softmax"});
}

struct Checker {
  const LayerInput& input;

  absl::Status operator()(const EmbeddingLayer& layer) const {
    SEQ_RETURN_IF_ERROR(CheckSize("input_dim", layer.input_dim));
    SEQ_RETURN_IF_ERROR(CheckSize("output_dim", layer.output_dim));
    return CheckRegularizer("embeddings_regularizer", layer.embeddings_regularizer);
  }
  absl::Status operator()(const OneHotLayer& layer) const {
    return CheckSize("depth", layer.depth);
  }
  absl::Status operator()(const RecurrentLayer& layer) const {
    SEQ_RETURN_IF_ERROR(CheckSize("units", layer.units));
    SEQ_RETURN_IF_ERROR(CheckActivation(layer.activation, {"tanh", "relu", "sigmoid"}));
    SEQ_RETURN_IF_ERROR(CheckRate("dropout", layer.dropout));
    SEQ_RETURN_IF_ERROR(CheckRate("recurrent_dropout", layer.recurrent_dropout));
    SEQ_RETURN_IF_ERROR(CheckRegularizer("kernel_regularizer", layer.kernel_regularizer));
    SEQ_RETURN_IF_ERROR(CheckRegularizer("recurrent_regularizer", layer.recurrent_regularizer));
    SEQ_RETURN_IF_ERROR(CheckRegularizer("bias_regularizer", layer.bias_regularizer));
    if (!layer.stateful || input.batch.has_value()) return absl::OkStatus();
    return absl::InvalidArgumentError(
        "it is stateful, so the number of rows must be fixed: set batch of the stack's input");
  }
  absl::Status operator()(const BidirectionalLayer& layer) const {
    SEQ_RETURN_IF_ERROR(Annotate((*this)(layer.forward), layer.forward_name));
    SEQ_RETURN_IF_ERROR(Annotate((*this)(layer.backward), layer.backward_name));
    if (layer.forward_name == layer.backward_name) {
      return absl::InvalidArgumentError("both of its layers have the name " + layer.forward_name);
    }
    const RecurrentLayer& f = layer.forward;
    const RecurrentLayer& b = layer.backward;
    if (f.go_backwards == b.go_backwards) {
      return absl::InvalidArgumentError(
          "go_backwards must differ between its layers: true for one of them");
    }
    if (f.return_sequences != b.return_sequences || f.stateful != b.stateful) {
      return absl::InvalidArgumentError(
          "return_sequences and stateful must be the same for both of its layers");
    }
    if (layer.merge_mode == MergeMode::kConcat || f.units == b.units) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat("its layers have ", f.units, " and ", b.units,
                                                   " units, which only concat can merge"));
  }
  absl::Status operator()(const DenseLayer& layer) const {
    SEQ_RETURN_IF_ERROR(CheckSize("units", layer.units));
    SEQ_RETURN_IF_ERROR(CheckRegularizer("kernel_regularizer", layer.kernel_regularizer));
    SEQ_RETURN_IF_ERROR(CheckRegularizer("bias_regularizer", layer.bias_regularizer));
    return CheckDenseActivation(layer.activation);
  }
  absl::Status operator()(const DropoutLayer& layer) const { return CheckRate("rate", layer.rate); }
  absl::Status operator()(const PoolingLayer&) const { return absl::OkStatus(); }
  absl::Status operator()(const ActivationLayer& layer) const {
    return CheckDenseActivation(layer.activation);
  }
};

}  // namespace

absl::Status CheckStack(const LayerStack& stack) {
  SEQ_RETURN_IF_ERROR(Annotate(CheckSize("time", stack.input.time), "input"));
  if (stack.input.features.has_value()) {
    SEQ_RETURN_IF_ERROR(Annotate(CheckSize("features", *stack.input.features), "input"));
  }
  if (stack.input.batch.has_value()) {
    SEQ_RETURN_IF_ERROR(Annotate(CheckSize("batch", *stack.input.batch), "input"));
  }
  if (stack.layers.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("stack ", stack.name, " has no layers"));
  }
  std::set<std::string> names = {stack.input.name};
  for (const Layer& layer : stack.layers) {
    if (layer.name.empty() || !names.insert(layer.name).second) {
      return absl::InvalidArgumentError(absl::StrCat(
          "layer \"", layer.name, "\": the name must not be empty nor that of another layer"));
    }
    SEQ_RETURN_IF_ERROR(
        Annotate(std::visit(Checker{stack.input}, layer.kind), absl::StrCat("layer ", layer.name)));
  }
  return absl::OkStatus();
}

}  // namespace seqgraph
