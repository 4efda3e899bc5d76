#include "layers/dense.h"

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "layers/layer_context.h"
#include "layers/stack_recognizer.h"
#include "ops/dense.h"
#include "ops/examples.h"

namespace seqgraph {
namespace {

// Whether the op applies the activation itself.
bool IsFused(const std::string& activation) {
  return activation == "tanh" || activation == "relu" || activation == "sigmoid";
}

LayerFlow EmitDense(LayerContext& c, const DenseLayer& layer) {
  const bool fused = IsFused(layer.activation);
  const Value w = c.Weight("kernel", {c.features(), layer.units}, layer.kernel_initializer,
                           layer.kernel_regularizer);
  ops::DenseOptions options{.activation = fused ? layer.activation : "none", .name = c.name()};
  if (layer.use_bias) {
    options.bias = c.Weight("bias", {layer.units}, layer.bias_initializer, layer.bias_regularizer);
  }
  const Value y = ops::Dense(c.g(), c.x(), w, options);
  if (fused) return c.Pass(y);
  return c.Pass(EmitActivation(c.g(), layer.activation, y, c.Part(layer.activation)));
}

absl::StatusOr<std::optional<RecognizedLayer>> RecognizeDense(StackRecognizer& r) {
  const Node* node = r.Reader("Dense");
  if (node == nullptr) return std::nullopt;
  const Value w = node->inputs[1], b = node->inputs[2];
  Layer layer{.name = r.Name(w, "dense")};
  SEQ_RETURN_IF_ERROR(r.Weight(*node, absl::StrCat(layer.name, "/kernel"), w, &layer.trainable));
  DenseLayer dense{.units = r.function().type(node->outputs[0]).shape.back().size(),
                   .activation = node->attributes.GetString("activation"),
                   .use_bias = b.present(),
                   .kernel_initializer = r.InitializerOf(w)};
  if (dense.use_bias) {
    SEQ_RETURN_IF_ERROR(r.Weight(*node, absl::StrCat(layer.name, "/bias"), b, &layer.trainable));
    dense.bias_initializer = r.InitializerOf(b);
  }
  if (dense.activation == "none") dense.activation = "linear";
  Value output = node->outputs[0];
  if (dense.activation == "linear") {
    const auto found = FindActivationOf(r.function(), output);
    if (found.has_value() && !IsFused(found->name)) {
      dense.activation = found->name;
      output = found->output;
    }
  }
  layer.kind = dense;
  return RecognizedLayer{std::move(layer), output};
}

}  // namespace

LayerDef DenseDef() {
  return DefineLayer<DenseLayer>()
      .Doc("[..., features] -> [..., units]: y = activation(x·w + b), each row by itself.")
      .RowWise()
      .Keras({.unset = {"activity_regularizer", "kernel_constraint", "bias_constraint", "lora_rank",
                        "lora_alpha", "quantization_config"}})
      .Emit(EmitDense)
      .LastActivation(
          [](const DenseLayer& layer) -> std::optional<std::string> { return layer.activation; })
      .Recognize(RecognizeDense)
      .Example({"relu",
                DenseLayer{.units = 2, .activation = "relu"},
                ops::Reals({1, 2}, {1, 2}),
                {ops::Reals({2, 2}, {1, -1, 2, -2}), ops::Reals({2}, {0.5, 1})},
                ops::Reals({1, 2}, {5.5, 0})})
      .Example({"every_step",
                DenseLayer{.units = 1, .use_bias = false},
                ops::Reals({1, 2, 2}, {1, 2, 3, 4}),
                {ops::Reals({2, 1}, {1, 10})},
                ops::Reals({1, 2, 1}, {21, 43})});
}

template void FillLayerKind(const DenseLayer&, LayerKind&);

}  // namespace seqgraph
