#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "training/layer_graph.h"

namespace seqgraph {
namespace {

// Calls visit(prefix of the variables, layer) for each recurrent layer of the stack, those within
// bidirectional layers too.
template <typename F>
void ForEachRecurrent(const Layer& layer, F visit) {
  if (const auto* one = std::get_if<RecurrentLayer>(&layer.kind)) visit(layer.name, *one);
  if (const auto* both = std::get_if<BidirectionalLayer>(&layer.kind)) {
    visit(absl::StrCat(layer.name, "/", both->forward_name), both->forward);
    visit(absl::StrCat(layer.name, "/", both->backward_name), both->backward);
  }
}

struct NameOfKind {
  std::string operator()(const EmbeddingLayer&) const { return "embedding"; }
  std::string operator()(const OneHotLayer&) const { return "one_hot"; }
  std::string operator()(const RecurrentLayer& layer) const {
    switch (layer.kind) {
      case RecurrentKind::kSimpleRNN:
        return "simple_rnn";
      case RecurrentKind::kLSTM:
        return "lstm";
      case RecurrentKind::kGRU:
        return "gru";
    }
    return "";
  }
  std::string operator()(const BidirectionalLayer&) const { return "bidirectional"; }
  std::string operator()(const DenseLayer&) const { return "dense"; }
  std::string operator()(const DropoutLayer& layer) const {
    return layer.spatial ? "spatial_dropout1d" : "dropout";
  }
  std::string operator()(const PoolingLayer& layer) const {
    return layer.kind == PoolingLayer::Kind::kAverage ? "global_average_pooling1d"
                                                      : "global_max_pooling1d";
  }
  std::string operator()(const ActivationLayer&) const { return "activation"; }
};

}  // namespace

std::string KerasName(const LayerKind& kind) { return std::visit(NameOfKind(), kind); }

bool HasDropout(const LayerStack& stack) {
  for (const Layer& layer : stack.layers) {
    const auto* dropout = std::get_if<DropoutLayer>(&layer.kind);
    bool drops = dropout != nullptr && dropout->rate > 0;
    ForEachRecurrent(layer, [&](const std::string&, const RecurrentLayer& recurrent) {
      drops = drops || recurrent.dropout > 0 || recurrent.recurrent_dropout > 0;
    });
    if (drops) return true;
  }
  return false;
}

std::vector<WeightPenalty> Penalties(const LayerStack& stack) {
  std::vector<WeightPenalty> penalties;
  for (const Layer& layer : stack.layers) {
    const auto add = [&](const std::string& prefix, const char* weight,
                         const Regularizer& regularizer) {
      if (layer.trainable && regularizer.present()) {
        penalties.push_back({absl::StrCat(prefix, "/", weight), regularizer});
      }
    };
    if (const auto* embedding = std::get_if<EmbeddingLayer>(&layer.kind)) {
      add(layer.name, "embeddings", embedding->embeddings_regularizer);
    }
    ForEachRecurrent(layer, [&](const std::string& prefix, const RecurrentLayer& recurrent) {
      add(prefix, "kernel", recurrent.kernel_regularizer);
      add(prefix, "recurrent_kernel", recurrent.recurrent_regularizer);
      if (recurrent.use_bias) add(prefix, "bias", recurrent.bias_regularizer);
    });
    if (const auto* dense = std::get_if<DenseLayer>(&layer.kind)) {
      add(layer.name, "kernel", dense->kernel_regularizer);
      if (dense->use_bias) add(layer.name, "bias", dense->bias_regularizer);
    }
  }
  return penalties;
}

std::vector<std::string> StateVariables(const LayerStack& stack) {
  std::vector<std::string> names;
  for (const Layer& layer : stack.layers) {
    ForEachRecurrent(layer, [&](const std::string& prefix, const RecurrentLayer& recurrent) {
      if (!recurrent.stateful) return;
      names.push_back(absl::StrCat(prefix, "/state"));
      if (recurrent.kind == RecurrentKind::kLSTM) {
        names.push_back(absl::StrCat(prefix, "/cell_state"));
      }
    });
  }
  return names;
}

std::vector<std::string> ForgetBiases(const LayerStack& stack) {
  std::vector<std::string> names;
  for (const Layer& layer : stack.layers) {
    ForEachRecurrent(layer, [&](const std::string& prefix, const RecurrentLayer& recurrent) {
      if (recurrent.kind == RecurrentKind::kLSTM && recurrent.use_bias &&
          recurrent.unit_forget_bias) {
        names.push_back(absl::StrCat(prefix, "/bias"));
      }
    });
  }
  return names;
}

}  // namespace seqgraph
