#include "tests/fuzz/seed_models.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/byte_cursor.h"
#include "base/crc32c.h"
#include "base/status_macros.h"
#include "graph/evaluate.h"
#include "graph/function_builder.h"
#include "graph/op_def.h"
#include "layers/all_layers.h"
#include "layers/layer_emission.h"
#include "ops/all_ops.h"
#include "serialization/model_io.h"

namespace seqgraph {
namespace {

// The tag of field 1000, fixed32: the checksum.
constexpr absl::string_view kSeal("\xC5\x3E", 2);

absl::StatusOr<Model> OpModel(const OpDef& op, const OpExample& example) {
  FunctionBuilder g("predict", AllOps());
  SEQ_ASSIGN_OR_RETURN(const Attributes attributes, op.CompleteAttributes(example.attributes));
  const OptionalTensors given = CastReals(example.inputs, DType::kFloat32);
  std::vector<Value> inputs(given.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!given[i].has_value()) continue;
    const TensorType& type = given[i]->type();
    inputs[i] = i == 1 && IsReal(type.dtype) ? g.Variable({"w", type, Initializer::Zeros()})
                                             : g.Input(absl::StrCat("x", i), type);
  }
  const std::vector<Value> outputs =
      g.AddNode(op.name(), inputs, CastReals(attributes, DType::kFloat32));
  for (size_t o = 0; o < outputs.size(); ++o) g.Result(absl::StrCat("y", o), outputs[o]);
  SEQ_ASSIGN_OR_RETURN(Function predict, std::move(g).Build());
  Model model;
  model.name = absl::StrCat(op.name(), " ", example.name);
  model.labels = {"cold", "warm"};
  SEQ_RETURN_IF_ERROR(model.AddFunction(std::move(predict)));
  if (model.variables.Find("w") != nullptr) {
    SEQ_RETURN_IF_ERROR(model.variables.Assign("w", *given[1]));
  }
  return model;
}

LayerInput InputFor(const Tensor& example, bool tokens) {
  const Shape& shape = example.shape();
  if (tokens) return {.name = "x", .time = shape[1].size()};
  if (shape.rank() == 2) return {.name = "x", .features = shape[1].size()};
  return {.name = "x", .time = shape[1].size(), .features = shape[2].size()};
}

LayerStack StackOf(const std::string& name, const LayerInput& input, std::vector<LayerKind> kinds) {
  LayerStack stack{.name = name, .input = input};
  for (LayerKind& kind : kinds) {
    const LayerDef& def = *AllLayers().Find(kind.class_name);
    stack.layers.push_back(
        {absl::StrCat(def.default_name(), stack.layers.size()), true, std::move(kind)});
  }
  return stack;
}

}  // namespace

std::vector<Model> OpModels() {
  std::vector<Model> models;
  for (const OpDef* op : AllOps().All()) {
    for (const OpExample& example : op->examples()) {
      absl::StatusOr<Model> model = OpModel(*op, example);
      if (model.ok()) models.push_back(*std::move(model));
    }
  }
  return models;
}

std::vector<LayerStack> LayerStacks() {
  std::vector<LayerStack> stacks;
  for (const LayerDef& def : AllLayers().all()) {
    for (const LayerExample& example : def.examples) {
      const int rank = example.input.shape().rank();
      if (!example.more_inputs.empty() || rank < 2 || rank > 3) continue;
      const bool tokens = example.input.dtype() == DType::kInt32;
      stacks.push_back(StackOf(absl::StrCat(def.class_name, "_", example.name),
                               InputFor(example.input, tokens), {example.layer}));
    }
  }
  return stacks;
}

std::vector<LayerStack> StreamStacks() {
  const LayerInput numbers{.name = "x", .time = 12, .features = 2}, tokens{.name = "x", .time = 12};
  const EmbeddingLayer embedding{.input_dim = 9, .output_dim = 3, .mask_zero = true};
  const RecurrentLayer all{.return_sequences = true};
  return {
      StackOf("rnn", numbers, {SimpleRNN(3, all), DenseLayer{.units = 2}}),
      StackOf("lstm", numbers, {LSTM(3, all), DenseLayer{.units = 1, .activation = "sigmoid"}}),
      StackOf("gru", numbers, {GRU(5), DenseLayer{.units = 1}}),
      StackOf("masked", tokens, {embedding, GRU(4, all), LSTM(3, all), SimpleRNN(2)}),
      StackOf("convolved", numbers,
              {Conv1DLayer{.filters = 3, .kernel_size = 3, .padding = "causal", .dilation_rate = 2},
               LSTM(2, all)}),
      StackOf("strided", numbers,
              {Conv1DLayer{.filters = 2, .kernel_size = 4, .strides = 2, .padding = "causal"},
               MaxPooling1DLayer{{.pool_size = 3}}, GRU(2, all)}),
      StackOf(
          "valid", numbers,
          {Conv1DLayer{.filters = 2, .kernel_size = 3}, LayerNormalizationLayer{}, LSTM(2, all)}),
      StackOf("cropped", numbers, {Cropping1DLayer{.before = 2, .after = 1}, SimpleRNN(2, all)}),
      StackOf("masked_windows", tokens,
              {embedding, Conv1DLayer{.filters = 2, .kernel_size = 2}, GRU(2, all)}),
  };
}

absl::StatusOr<Model> StackModel(const LayerStack& stack, uint64_t seed) {
  SEQ_ASSIGN_OR_RETURN(Function predict, StackFunction("predict", stack, AllLayers()).Build());
  Model model;
  model.name = stack.name;
  model.layers = stack;
  SEQ_RETURN_IF_ERROR(model.AddFunction(std::move(predict)));
  SampleSource source(seed);
  for (const Variable& variable : model.variables.all()) {
    const TensorType& type = variable.def.type;
    if (!IsReal(type.dtype)) continue;
    SEQ_RETURN_IF_ERROR(model.variables.Assign(
        variable.def.name, source.Reals(type.shape, -0.7, 0.7).Cast(type.dtype)));
  }
  return model;
}

std::string UnsealedFile(const Model& model) {
  const absl::StatusOr<std::string> bytes = SerializeModel(model, ModelFormat::kBinary);
  return bytes.ok() ? bytes->substr(0, bytes->size() - kSeal.size() - 4) : "";
}

std::string SealedFile(const std::string& content) {
  return absl::StrCat(content, kSeal, NumberBytes(Crc32c(content), 4));
}

}  // namespace seqgraph
