#include "tests/onnx/round_trip_models.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/function_builder.h"
#include "ops/all_ops.h"
#include "ops/dense.h"
#include "ops/elementwise.h"
#include "ops/embedding.h"
#include "ops/gru_cell.h"
#include "ops/lstm_cell.h"
#include "ops/mask.h"
#include "ops/one_hot.h"
#include "ops/pooling.h"
#include "ops/rnn_cell.h"
#include "ops/slice.h"
#include "ops/softmax.h"

namespace seqgraph::onnx {
namespace {

constexpr int64_t kFeatures = 4, kUnits = 5;

// A function that grows layer by layer; variables are named as Keras names them.
class Layers {
 public:
  FunctionBuilder& g() { return g_; }

  Value Tokens() { return g_.Input("tokens", {DType::kInt32, {Dim::Batch(), kTime}}); }
  Value Lengths() { return g_.Input("lengths", {DType::kInt32, {Dim::Batch()}}); }
  Value Weight(const std::string& name, const Shape& shape) {
    return g_.Variable(name, shape, Initializer::Zeros());
  }
  Value Embedding(Value tokens) {
    return ops::Embedding(g_, tokens, Weight("embedding/embeddings", {kWords, kFeatures}));
  }
  Value OneHot(Value tokens) { return ops::OneHot(g_, tokens, kWords); }
  Value Dense(Value x, const std::string& name, int64_t units, const std::string& activation,
              bool bias = true) {
    const Value kernel = Weight(name + "/kernel", {g_.type(x).shape.back(), units});
    const Value b = bias ? Weight(name + "/bias", {units}) : Value{};
    return ops::Dense(g_, x, kernel, {.bias = b, .activation = activation});
  }

  struct Cell {
    Value w, u;
  };
  Cell Weights(Value x, const std::string& name, int64_t gates) {
    return {Weight(name + "/kernel", {g_.type(x).shape.back(), gates * kUnits}),
            Weight(name + "/recurrent_kernel", {kUnits, gates * kUnits})};
  }
  ops::RNNCellOutputs Rnn(Value x, const std::string& name, ops::RNNCellOptions options = {},
                          bool bias = true) {
    const Cell cell = Weights(x, name, 1);
    if (bias) options.bias = Weight(name + "/bias", {kUnits});
    return ops::RNNCell(g_, x, cell.w, cell.u, options);
  }
  ops::LSTMCellOutputs Lstm(Value x, const std::string& name, ops::LSTMCellOptions options = {}) {
    const Cell cell = Weights(x, name, 4);
    options.bias = Weight(name + "/bias", {4 * kUnits});
    return ops::LSTMCell(g_, x, cell.w, cell.u, options);
  }
  ops::GRUCellOutputs Gru(Value x, const std::string& name, ops::GRUCellOptions options = {}) {
    const Cell cell = Weights(x, name, 3);
    options.bias = options.reset_after ? Weight(name + "/bias", {2, 3 * kUnits})
                                       : Weight(name + "/bias", {3 * kUnits});
    return ops::GRUCell(g_, x, cell.w, cell.u, options);
  }

  // Weights in [-0.7, 0.7), and one of them the zero with a sign.
  absl::StatusOr<Model> Finish(Value result) {
    g_.Result("probability", result);
    SEQ_ASSIGN_OR_RETURN(Function predict, std::move(g_).Build());
    Model model;
    model.name = "model";
    SEQ_RETURN_IF_ERROR(model.AddFunction(std::move(predict)));
    SampleSource source(7);
    for (const Variable& variable : model.variables.all()) {
      Tensor content = source.Reals(variable.def.type.shape, -0.7, 0.7).Cast(DType::kFloat32);
      content.Elements<float>()[0] = -0.0f;
      SEQ_RETURN_IF_ERROR(model.variables.Assign(variable.def.name, content));
    }
    return model;
  }

 private:
  FunctionBuilder g_{"predict", AllOps()};
};

absl::StatusOr<Model> OneHotRnn() {
  Layers l;
  return l.Finish(l.Dense(l.Rnn(l.OneHot(l.Tokens()), "simple_rnn").last, "dense", 1, "sigmoid"));
}

absl::StatusOr<Model> EmbeddingRnn() {
  Layers l;
  return l.Finish(
      l.Dense(l.Rnn(l.Embedding(l.Tokens()), "simple_rnn").last, "dense", 1, "sigmoid"));
}

absl::StatusOr<Model> WithoutBias() {
  Layers l;
  const Value state =
      l.Rnn(l.Embedding(l.Tokens()), "simple_rnn", {.activation = "relu"}, /*bias=*/false).last;
  return l.Finish(l.Dense(state, "dense", 2, "none", /*bias=*/false));
}

absl::StatusOr<Model> Lstm() {
  Layers l;
  return l.Finish(l.Dense(l.Lstm(l.Embedding(l.Tokens()), "lstm").last, "dense", 1, "sigmoid"));
}

absl::StatusOr<Model> Gru(bool reset_after) {
  Layers l;
  const Value state = l.Gru(l.Embedding(l.Tokens()), "gru", {.reset_after = reset_after}).last;
  return l.Finish(l.Dense(state, "dense", 1, "sigmoid"));
}

absl::StatusOr<Model> Bidirectional() {
  Layers l;
  const Value x = l.Embedding(l.Tokens());
  const Value forward = l.Lstm(x, "bidirectional/forward_lstm").last;
  const Value backward = l.Lstm(x, "bidirectional/backward_lstm", {.reverse = true}).last;
  return l.Finish(l.Dense(ops::Concat(l.g(), forward, backward, 1), "dense", 3, "tanh"));
}

// Two layers, the first gives its whole sequence, both ways; a layer for each step; its mean.
absl::StatusOr<Model> Stacked() {
  Layers l;
  const Value x = l.Embedding(l.Tokens());
  const Value forward = l.Gru(x, "bidirectional/forward_gru").sequence;
  const Value backward = l.Gru(x, "bidirectional/backward_gru", {.reverse = true}).sequence;
  const Value both = ops::Concat(l.g(), forward, ops::Reverse(l.g(), backward, 1), 2);
  const Value sequence = l.Rnn(both, "simple_rnn").sequence;
  const Value each = l.Dense(sequence, "time_distributed", 4, "relu");
  return l.Finish(ops::GlobalAveragePooling1D(l.g(), each));
}

absl::StatusOr<Model> Classes() {
  Layers l;
  const Value sequence = l.Lstm(l.Embedding(l.Tokens()), "lstm", {.activation = "relu"}).sequence;
  const Value pooled = ops::GlobalMaxPooling1D(l.g(), sequence);
  return l.Finish(ops::Softmax(l.g(), l.Dense(pooled, "dense", 4, "none")));
}

// Rows of different lengths, both ways; behind the end there is nothing.
absl::StatusOr<Model> Lengths() {
  Layers l;
  const Value x = l.Embedding(l.Tokens());
  const Value mask = ops::SequenceMask(l.g(), l.Lengths(), kTime);
  const Value sequence = l.Gru(x, "gru", {.mask = mask}).sequence;
  const Value zeroed = ops::ZeroMasked(l.g(), sequence, mask);
  const Value state = l.Lstm(zeroed, "lstm", {.mask = mask, .reverse = true}).last;
  return l.Finish(l.Dense(state, "dense", 1, "sigmoid"));
}

// Tokens that are their own mask, with zeros anywhere: sequences both ways, read where masked too,
// and the last state.
absl::StatusOr<Model> MaskZero() {
  Layers l;
  const Value tokens = l.Tokens();
  const Value x = l.Embedding(tokens);
  const Value forward = l.Lstm(x, "forward_lstm", {.mask = tokens}).sequence;
  const Value backward = l.Rnn(x, "backward_rnn", {.mask = tokens, .reverse = true}).sequence;
  const Value both = ops::Concat(l.g(), forward, backward, 2);
  const Value last = l.Gru(both, "gru", {.mask = tokens}).last;
  const Value mean = ops::GlobalAveragePooling1D(l.g(), both, tokens);
  const Value most = ops::GlobalMaxPooling1D(l.g(), both, tokens);
  const Value all = ops::Concat(l.g(), last, ops::Concat(l.g(), mean, most, 1), 1);
  return l.Finish(l.Dense(all, "dense", 3, "sigmoid"));
}

// Lengths of which some are 0, whose sequence is read beyond them, and a state that rows begin in.
absl::StatusOr<Model> LengthsFromAState() {
  Layers l;
  const Value h0 = l.g().Input("h0", {DType::kFloat32, {Dim::Batch(), kUnits}});
  const Value mask = ops::SequenceMask(l.g(), l.Lengths(), kTime);
  const auto cell = l.Gru(l.Embedding(l.Tokens()), "gru", {.initial_state = h0, .mask = mask});
  const Value mean = ops::GlobalAveragePooling1D(l.g(), cell.sequence);
  return l.Finish(ops::Concat(l.g(), cell.last, mean, 1));
}

absl::StatusOr<Model> InitialState() {
  Layers l;
  const Value h0 = l.g().Input("h0", {DType::kFloat32, {Dim::Batch(), kUnits}});
  const Value c0 = l.g().Input("c0", {DType::kFloat32, {Dim::Batch(), kUnits}});
  const auto cell =
      l.Lstm(l.Embedding(l.Tokens()), "lstm", {.initial_state = h0, .initial_cell = c0});
  return l.Finish(ops::Add(l.g(), cell.last, ops::Scale(l.g(), cell.last_cell, 0.1)));
}

}  // namespace

std::vector<NamedModel> RoundTripModels() {
  return {
      {"onehot_rnn", OneHotRnn},
      {"embedding_rnn", EmbeddingRnn},
      {"without_bias", WithoutBias},
      {"lstm", Lstm},
      {"gru_reset_after", [] { return Gru(true); }},
      {"gru_reset_before", [] { return Gru(false); }},
      {"bidirectional", Bidirectional},
      {"stacked", Stacked},
      {"classes", Classes},
      {"lengths", Lengths},
      {"initial_state", InitialState},
      {"mask_zero", MaskZero, /*other_ops=*/true},
      {"lengths_from_a_state", LengthsFromAState, /*other_ops=*/true},
  };
}

Tensor RandomInput(SampleSource& source, const TensorType& type) {
  if (IsReal(type.dtype)) return source.Reals(type.shape).Cast(type.dtype);
  if (type.shape.rank() > 1) return source.Indices(type.shape, kWords);
  std::vector<int32_t> lengths(type.shape.num_elements());
  for (int32_t& length : lengths) length = static_cast<int32_t>(source.Int(0, kTime));
  return Tensor::Of<int32_t>(type.shape, lengths);
}

}  // namespace seqgraph::onnx
