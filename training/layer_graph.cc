#include "training/layer_graph.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "ops/activations.h"
#include "ops/dense.h"
#include "ops/dropout.h"
#include "ops/elementwise.h"
#include "ops/embedding.h"
#include "ops/gru_cell.h"
#include "ops/lstm_cell.h"
#include "ops/mask.h"
#include "ops/one_hot.h"
#include "ops/pooling.h"
#include "ops/reductions.h"
#include "ops/rnn_cell.h"
#include "ops/slice.h"
#include "ops/softmax.h"
#include "ops/take_step.h"

namespace seqgraph {
namespace {

int64_t GatesOf(RecurrentKind kind) {
  switch (kind) {
    case RecurrentKind::kSimpleRNN:
      return 1;
    case RecurrentKind::kLSTM:
      return 4;
    case RecurrentKind::kGRU:
      return 3;
  }
  return 1;
}

// What the cells of all kinds give.
struct CellOutputs {
  Value sequence;  // in the order of the input
  Value last;
  Value last_cell;  // kLSTM
};

// Weights and other inputs of a cell.
struct CellInputs {
  Value x, w, u, bias;
  Value state, cell_state;
  Value mask;
  Value recurrent_dropout;
  std::string name;
};

template <typename Options>
Options CellOptions(const RecurrentLayer& layer, const CellInputs& in) {
  Options options;
  options.bias = in.bias;
  options.initial_state = in.state;
  options.mask = in.mask;
  options.recurrent_dropout = in.recurrent_dropout;
  options.activation = layer.activation;
  options.reverse = layer.go_backwards;
  options.name = in.name;
  return options;
}

CellOutputs EmitCell(FunctionBuilder& g, const RecurrentLayer& layer, const CellInputs& in) {
  switch (layer.kind) {
    case RecurrentKind::kSimpleRNN: {
      const auto options = CellOptions<ops::RNNCellOptions>(layer, in);
      const ops::RNNCellOutputs y = ops::RNNCell(g, in.x, in.w, in.u, options);
      return {y.sequence, y.last, {}};
    }
    case RecurrentKind::kLSTM: {
      auto options = CellOptions<ops::LSTMCellOptions>(layer, in);
      options.initial_cell = in.cell_state;
      const ops::LSTMCellOutputs y = ops::LSTMCell(g, in.x, in.w, in.u, options);
      return {y.sequence, y.last, y.last_cell};
    }
    case RecurrentKind::kGRU: {
      auto options = CellOptions<ops::GRUCellOptions>(layer, in);
      options.reset_after = layer.reset_after;
      const ops::GRUCellOutputs y = ops::GRUCell(g, in.x, in.w, in.u, options);
      return {y.sequence, y.last, {}};
    }
  }
  return {};
}

// Appends layers to a function, one after the other.
class StackEmitter {
 public:
  StackEmitter(FunctionBuilder& g, const LayerStack& stack, Value input,
               const std::optional<DropoutCounters>& dropout)
      : g_(g), stack_(stack), dropout_(dropout), x_(input) {}

  StackOutput Emit() {
    if (absl::Status status = CheckStack(stack_); !status.ok()) g_.Fail(std::move(status));
    for (const Layer& layer : stack_.layers) {
      if (!g_.status().ok()) break;
      layer_ = &layer;
      std::visit([this](const auto& kind) { Add(kind); }, layer.kind);
    }
    return {x_, mask_};
  }

 private:
  const TensorType& type() const { return g_.type(x_); }
  Dim Features() const { return type().shape.back(); }

  // Whether the input is as the layer needs it; if not, the builder gets the mistake.
  bool Takes(DType dtype, int least_rank, int most_rank, absl::string_view needed,
             absl::string_view advice) {
    const int rank = type().shape.rank();
    if (type().dtype == dtype && rank >= least_rank && rank <= most_rank) return true;
    g_.Fail(absl::InvalidArgumentError(absl::StrCat("layer ", layer_->name, ": it takes ", needed,
                                                    " but its input is ", type().ToString(), "; ",
                                                    advice)));
    return false;
  }
  bool TakesTokens() {
    return Takes(DType::kInt32, 2, 2, "tokens int32[batch, time]",
                 "it must be the first layer, with an input without features");
  }
  bool TakesSequence() {
    return Takes(DType::kFloat32, 3, 3, "float32[batch, time, features]",
                 "the layer in front must give sequences: return_sequences of a recurrent layer, "
                 "or an embedding");
  }
  bool TakesReal(int least_rank) {
    return Takes(DType::kFloat32, least_rank, Shape::kMaxRank, "real numbers",
                 "put an embedding in front of it");
  }

  Value Weight(const std::string& name, Shape shape, const Initializer& initializer,
               bool trainable) {
    return g_.Variable(
        {name, {DType::kFloat32, std::move(shape)}, initializer, VariableRole::kWeight, trainable});
  }
  Value Weight(absl::string_view name, Shape shape, const Initializer& initializer) {
    return Weight(absl::StrCat(layer_->name, "/", name), std::move(shape), initializer,
                  layer_->trainable);
  }

  void Add(const EmbeddingLayer& layer) {
    if (!TakesTokens()) return;
    if (layer.mask_zero) mask_ = x_;  // Tokens are their own mask.
    x_ = ops::Embedding(
        g_, x_,
        Weight("embeddings", {layer.input_dim, layer.output_dim}, layer.embeddings_initializer),
        layer_->name);
  }

  void Add(const OneHotLayer& layer) {
    if (TakesTokens()) x_ = ops::OneHot(g_, x_, layer.depth, {.name = layer_->name});
  }

  void Add(const RecurrentLayer& layer) {
    if (!TakesSequence()) return;
    x_ = Recurrent(layer, layer_->name, /*flip=*/false);
    // Where the output is reversed, the mask is not: so Keras does it.
    if (!layer.return_sequences) mask_ = {};
  }

  void Add(const BidirectionalLayer& layer) {
    if (!TakesSequence()) return;
    const auto direction = [&](RecurrentLayer one, const std::string& name, bool flip) {
      one.zero_output_for_mask = one.return_sequences;
      return Recurrent(one, absl::StrCat(layer_->name, "/", name), flip);
    };
    const Value forward = direction(layer.forward, layer.forward_name, false);
    const Value backward = direction(layer.backward, layer.backward_name, true);
    if (!g_.status().ok()) return;
    x_ = Merge(layer.merge_mode, forward, backward);
    if (!layer.forward.return_sequences) mask_ = {};
  }

  Value Merge(MergeMode mode, Value a, Value b) {
    const std::string& name = layer_->name;
    switch (mode) {
      case MergeMode::kConcat:
        return ops::Concat(g_, a, b, g_.type(a).shape.rank() - 1, name);
      case MergeMode::kSum:
        return ops::Add(g_, a, b, name);
      case MergeMode::kMul:
        return ops::Multiply(g_, a, b, name);
      case MergeMode::kAve:
        return ops::Scale(g_, ops::Add(g_, a, b, absl::StrCat(name, "/sum")), 0.5, name);
    }
    return {};
  }

  // One direction. The sequence comes in the order in which the layer went through it, with `flip`
  // in the other.
  Value Recurrent(const RecurrentLayer& layer, const std::string& name, bool flip) {
    CellInputs in = CellWeights(layer, name);
    in.mask = mask_;
    if (layer.stateful) {
      in.state = State(name, "state", layer.units);
      if (layer.kind == RecurrentKind::kLSTM)
        in.cell_state = State(name, "cell_state", layer.units);
    }
    in.x = DropForAllSteps(x_, layer.dropout, absl::StrCat(name, "/dropout"));
    if (dropout_.has_value() && layer.recurrent_dropout > 0) {
      in.recurrent_dropout =
          DropoutFactors(layer.recurrent_dropout, {-1, GatesOf(layer.kind) * layer.units},
                         absl::StrCat(name, "/recurrent_dropout"));
    }
    const CellOutputs outputs = EmitCell(g_, layer, in);
    if (!g_.status().ok()) return {};
    if (layer.stateful) {
      g_.Update(absl::StrCat(name, "/state"), outputs.last);
      if (in.cell_state.present()) g_.Update(absl::StrCat(name, "/cell_state"), outputs.last_cell);
    }
    return Output(layer, outputs, name, flip);
  }

  CellInputs CellWeights(const RecurrentLayer& layer, const std::string& name) {
    const int64_t columns = GatesOf(layer.kind) * layer.units;
    const auto weight = [&](const char* part, Shape shape, const Initializer& initializer) {
      return Weight(absl::StrCat(name, "/", part), std::move(shape), initializer,
                    layer_->trainable);
    };
    CellInputs in;
    in.name = name;
    in.w = weight("kernel", {Features(), columns}, layer.kernel_initializer);
    in.u = weight("recurrent_kernel", {layer.units, columns}, layer.recurrent_initializer);
    if (layer.use_bias) {
      const bool two_rows = layer.kind == RecurrentKind::kGRU && layer.reset_after;
      in.bias =
          weight("bias", two_rows ? Shape{2, columns} : Shape{columns}, layer.bias_initializer);
    }
    return in;
  }

  Value State(const std::string& name, const char* part, int64_t units) {
    return Weight(absl::StrCat(name, "/", part), {*stack_.input.batch, units}, Initializer::Zeros(),
                  /*trainable=*/false);
  }

  Value Output(const RecurrentLayer& layer, const CellOutputs& outputs, const std::string& name,
               bool flip) {
    const bool zeroed = layer.zero_output_for_mask && mask_.present();
    // Keras's output is the last element of the sequence, which is the last state but where a row
    // ends (or wholly consists) of masked steps.
    const bool last_is_state = !zeroed && !(layer.stateful && mask_.present());
    if (!layer.return_sequences && last_is_state) return outputs.last;
    Value y = outputs.sequence;
    if (zeroed) y = ops::ZeroMasked(g_, y, mask_, absl::StrCat(name, "/zero_masked"));
    if (!layer.return_sequences) {
      return ops::TakeStep(g_, y, layer.go_backwards ? 0 : -1, absl::StrCat(name, "/last"));
    }
    return layer.go_backwards != flip ? ops::Reverse(g_, y, 1, absl::StrCat(name, "/reverse")) : y;
  }

  void Add(const DenseLayer& layer) {
    if (!TakesReal(2)) return;
    const bool softmax = layer.activation == "softmax";
    const bool linear = layer.activation == "linear";
    const Value w = Weight("kernel", {Features(), layer.units}, layer.kernel_initializer);
    ops::DenseOptions options{.activation = softmax || linear ? "none" : layer.activation,
                              .name = layer_->name};
    if (layer.use_bias) options.bias = Weight("bias", {layer.units}, layer.bias_initializer);
    x_ = ops::Dense(g_, x_, w, options);
    if (softmax) x_ = ops::Softmax(g_, x_, absl::StrCat(layer_->name, "/softmax"));
  }

  void Add(const DropoutLayer& layer) {
    if (layer.spatial ? !TakesSequence() : !TakesReal(1)) return;
    if (layer.spatial) {
      x_ = DropForAllSteps(x_, layer.rate, layer_->name);
    } else if (dropout_.has_value() && layer.rate > 0) {
      x_ = ops::Dropout(g_, x_, dropout_->seed, dropout_->step,
                        {.rate = layer.rate, .stream = stream_++, .name = layer_->name});
    }
  }

  // Factors of dropout of their own shape; -1 in it is the batch.
  Value DropoutFactors(double rate, std::vector<int64_t> shape, const std::string& name) {
    return ops::DropoutMask(
        g_, dropout_->seed, dropout_->step, x_,
        {.rate = rate, .stream = stream_++, .shape = std::move(shape), .name = name});
  }

  // x [batch, time, features], with the same features dropped in all steps.
  Value DropForAllSteps(Value x, double rate, const std::string& name) {
    if (!dropout_.has_value() || rate == 0) return x;
    const Value factors =
        DropoutFactors(rate, {-1, g_.type(x).shape.back().size()}, absl::StrCat(name, "/mask"));
    return ops::Multiply(g_, x, ops::BroadcastLike(g_, factors, x, {1}, name), name);
  }

  void Add(const PoolingLayer& layer) {
    if (!TakesSequence()) return;
    // As in Keras, the maximum takes no notice of the mask.
    x_ = layer.kind == PoolingLayer::Kind::kAverage
             ? ops::GlobalAveragePooling1D(g_, x_, mask_, layer_->name)
             : ops::GlobalMaxPooling1D(g_, x_, {}, layer_->name);
    mask_ = {};
  }

  void Add(const ActivationLayer& layer) {
    if (!TakesReal(1)) return;
    if (layer.activation == "softmax") {
      x_ = ops::Softmax(g_, x_, layer_->name);
    } else if (layer.activation != "linear") {
      x_ = ops::ApplyActivation(g_, layer.activation, x_, layer_->name);
    }
  }

  FunctionBuilder& g_;
  const LayerStack& stack_;
  const std::optional<DropoutCounters>& dropout_;
  const Layer* layer_ = nullptr;
  Value x_;
  Value mask_;
  int64_t stream_ = 0;  // of the next dropout mask
};

}  // namespace

StackOutput EmitStack(FunctionBuilder& g, const LayerStack& stack, Value input,
                      const std::optional<DropoutCounters>& dropout) {
  return StackEmitter(g, stack, input, dropout).Emit();
}

TensorType InputType(const LayerInput& input) {
  const Dim batch = input.batch.has_value() ? Dim(*input.batch) : Dim::Batch();
  if (!input.features.has_value()) return {DType::kInt32, {batch, input.time}};
  return {DType::kFloat32, {batch, input.time, *input.features}};
}

}  // namespace seqgraph
