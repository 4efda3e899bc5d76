#include "layers/recurrent.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/cell_functions.h"
#include "layers/layer_context.h"
#include "layers/stack_recognizer.h"
#include "ops/mask.h"
#include "ops/slice.h"
#include "ops/take_step.h"

namespace seqgraph {
namespace {

RecurrentLayer OfCell(const char* cell, int64_t units, RecurrentLayer layer) {
  layer.cell = cell;
  layer.units = units;
  return layer;
}

// The second of four blocks: the bias of the forget gate.
void SetForgetBias(absl::Span<float> bias) {
  const size_t units = bias.size() / 4;
  std::fill_n(bias.begin() + units, units, 1.0f);
}

// The outputs of the cell's op: sequence, last, and where there is a second state last_cell.
std::vector<Value> EmitCell(LayerContext& c, const RecurrentLayer& layer,
                            const RecurrentCell& cell) {
  const int64_t columns = cell.gates * layer.units;
  std::map<absl::string_view, Value> operands = {{"mask", c.mask()}};
  operands["w"] = c.Weight("kernel", {c.features(), columns}, layer.kernel_initializer,
                           layer.kernel_regularizer);
  operands["u"] = c.Weight("recurrent_kernel", {layer.units, columns}, layer.recurrent_initializer,
                           layer.recurrent_regularizer);
  if (layer.use_bias) {
    const bool two_rows = cell.has_reset_after && layer.reset_after;
    operands["b"] =
        c.Weight("bias", two_rows ? Shape{2, columns} : Shape{columns}, layer.bias_initializer,
                 layer.bias_regularizer,
                 cell.has_forget_bias && layer.unit_forget_bias ? SetForgetBias : nullptr);
  }
  if (!c.more().empty()) {
    operands["h0"] = c.more()[0].value;
    if (cell.has_cell_state) operands["c0"] = c.more()[1].value;
  } else if (layer.stateful) {
    operands["h0"] = c.State("state", layer.units);
    if (cell.has_cell_state) operands["c0"] = c.State("cell_state", layer.units);
  }
  operands["x"] = c.DropForAllSteps(c.x(), layer.dropout, c.Part("dropout"));
  operands["recurrent_dropout"] =
      c.DropoutFactors(layer.recurrent_dropout, {-1, columns}, c.Part("recurrent_dropout"));
  Attributes attributes = {{"reverse", layer.go_backwards}, {"reset_after", layer.reset_after}};
  SetCellFunctions(cell.kind(), layer.recurrent_activation, layer.activation, "", {}, attributes);
  return c.g().AddNodeByNames(
      cell.op, [&](absl::string_view name) { return operands[name]; }, attributes, c.name());
}

Value Output(LayerContext& c, const RecurrentLayer& layer, Value sequence, Value last, bool flip) {
  const bool masked = c.mask().present();
  const bool zeroed = layer.zero_output_for_mask && masked;
  // Keras's output is the last element of the sequence, which is the last state but where a row
  // ends (or wholly consists) of masked steps.
  const bool last_is_state = !zeroed && !(layer.stateful && masked);
  if (!layer.return_sequences && last_is_state) return last;
  Value y = sequence;
  if (zeroed) y = ops::ZeroMasked(c.g(), y, c.mask(), c.Part("zero_masked"));
  if (!layer.return_sequences) {
    return ops::TakeStep(c.g(), y, layer.go_backwards ? 0 : -1, c.Part("last"));
  }
  const bool reversed = layer.go_backwards != flip;
  return reversed ? ops::Reverse(c.g(), y, 1, c.Part("reverse")) : y;
}

absl::StatusOr<std::optional<RecognizedLayer>> Recognize(StackRecognizer& r,
                                                         const RecurrentCell& cell) {
  const Node* node = r.Reader(cell.op);
  if (node == nullptr) return std::nullopt;
  Layer layer{.name = r.Name(r.Operand(*node, "w"), SnakeCase(cell.class_name))};
  SEQ_ASSIGN_OR_RETURN(std::optional<RecurrentLayer> found,
                       RecognizeCell(r, *node, layer.name, &layer.trainable));
  RecurrentLayer& recurrent = *found;
  recurrent.return_sequences = r.IsRead(node->outputs[0]);
  if (recurrent.return_sequences && r.IsRead(node->outputs[1])) {
    return r.Refuse(*node, "both its sequence and its last state are read");
  }
  Value output = node->outputs[recurrent.return_sequences ? 0 : 1];
  if (recurrent.return_sequences) {
    const Value zeroed = BehindZeroMasked(r, output);
    recurrent.zero_output_for_mask = zeroed != output;
    output = zeroed;
  }
  // Keras gives what went backwards in the order in which it was made.
  if (recurrent.return_sequences && recurrent.go_backwards) {
    const Node* reverse = r.OnlyReader(output);
    if (reverse == nullptr || reverse->op->name() != "Reverse") {
      return r.Refuse(*node, "it goes backwards, and its sequence is not reversed");
    }
    output = reverse->outputs[0];
  }
  layer.kind = recurrent;
  return RecognizedLayer{std::move(layer), output};
}

LayerDef RecurrentDef(const char* class_name) {
  const RecurrentCell& cell = *FindRecurrentCell(class_name);
  DefineLayer<RecurrentLayer> def(RecurrentLayer{.cell = cell.class_name});
  def.Doc(absl::StrCat(
              "[batch, time, features] -> [batch, units], or with return_sequences [batch, time, "
              "units]. ",
              cell.doc, " A masked step keeps the state."))
      .Takes(LayerTakes::kSequence)
      .Inputs(1, cell.has_cell_state ? 3 : 2)
      // How it is computed, not what.
      .Keras({.ignored = {"unroll", "implementation", "seed", "input_length", "input_dim",
                          "use_cudnn"},
              .unset = {"time_major", "activity_regularizer", "kernel_constraint",
                        "recurrent_constraint", "bias_constraint"},
              .takes_states = true})
      .Emit([](LayerContext& c, const RecurrentLayer& layer) {
        return EmitRecurrent(c, layer, /*flip=*/false);
      })
      .Recognize([cell](StackRecognizer& r) { return Recognize(r, cell); });
  for (LayerExample& example : cell.examples()) def.Example(std::move(example));
  return def;
}

}  // namespace

RecurrentLayer SimpleRNN(int64_t units, RecurrentLayer options) {
  return OfCell("SimpleRNN", units, std::move(options));
}
RecurrentLayer LSTM(int64_t units, RecurrentLayer options) {
  return OfCell("LSTM", units, std::move(options));
}
RecurrentLayer GRU(int64_t units, RecurrentLayer options) {
  return OfCell("GRU", units, std::move(options));
}

LayerFlow EmitRecurrent(LayerContext& c, const RecurrentLayer& layer, bool flip) {
  c.EnterGroup("cell", absl::StrCat(SnakeCase(layer.cell), "_cell"));
  return EmitCellOverTime(c, layer, flip);
}

LayerFlow EmitCellOverTime(LayerContext& c, const RecurrentLayer& layer, bool flip) {
  const RecurrentCell& cell = *FindRecurrentCell(layer.cell);
  const size_t states = cell.has_cell_state ? 2 : 1;
  if (!c.more().empty() && c.more().size() != states) {
    c.Fail(absl::StrCat("it begins with ", states, " states, got ", c.more().size()));
    return {};
  }
  const std::vector<Value> outputs = EmitCell(c, layer, cell);
  if (!c.g().status().ok()) return {};
  if (layer.return_state) {
    for (size_t i = 1; i <= states; ++i) c.AlsoGive(outputs[i]);
  }
  if (layer.stateful && c.more().empty()) {
    c.Update("state", outputs[1]);
    if (cell.has_cell_state) c.Update("cell_state", outputs[2]);
  }
  const Value y = Output(c, layer, outputs[0], outputs[1], flip);
  // Where the output is reversed, the mask is not: so Keras does it.
  return layer.return_sequences ? c.Pass(y) : c.Drop(y);
}

Value BehindZeroMasked(const StackRecognizer& r, Value sequence) {
  const Node* next = r.OnlyReader(sequence);
  return next != nullptr && next->op->name() == "ZeroMasked" ? next->outputs[0] : sequence;
}

const RecurrentCell* CellOfNode(const Node& node) {
  for (const RecurrentCell& cell : RecurrentCells()) {
    if (cell.op == node.op->name()) return &cell;
  }
  return nullptr;
}

absl::StatusOr<std::optional<RecurrentLayer>> RecognizeCell(StackRecognizer& r, const Node& node,
                                                            const std::string& prefix,
                                                            bool* trainable) {
  const RecurrentCell* cell = CellOfNode(node);
  if (cell == nullptr) return std::nullopt;
  for (const char* name : {"h0", "c0", "recurrent_dropout"}) {
    if (r.Operand(node, name).present()) {
      return r.Refuse(node, absl::StrCat("a layer has no input ", name));
    }
  }
  const Value mask = r.Operand(node, "mask");
  if (mask.present() && mask != r.tokens()) return r.Refuse(node, "its mask is not the tokens");
  const Value w = r.Operand(node, "w"), u = r.Operand(node, "u"), b = r.Operand(node, "b");
  if (!w.present()) return r.Refuse(node, "its input is already projected");
  SEQ_ASSIGN_OR_RETURN(const CellFunctions functions,
                       CellFunctionsOf(cell->kind(), node.attributes));
  if (functions.clip != 0 || functions.coupled || functions.peepholes ||
      !(functions.output == functions.state)) {
    return r.Refuse(node, "a layer has no clip, input_forget, peepholes or output activation");
  }
  RecurrentLayer layer{.cell = cell->class_name,
                       .units = r.function().type(u).shape[0].size(),
                       .activation = ActivationText(functions.state),
                       .recurrent_activation = ActivationText(functions.gates),
                       .use_bias = b.present(),
                       .go_backwards = node.attributes.GetBool("reverse"),
                       .kernel_initializer = r.InitializerOf(w),
                       .recurrent_initializer = r.InitializerOf(u)};
  if (cell->has_reset_after) layer.reset_after = node.attributes.GetBool("reset_after");
  SEQ_RETURN_IF_ERROR(r.Weight(node, absl::StrCat(prefix, "/kernel"), w, trainable));
  SEQ_RETURN_IF_ERROR(r.Weight(node, absl::StrCat(prefix, "/recurrent_kernel"), u, trainable));
  if (b.present()) {
    layer.bias_initializer = r.InitializerOf(b);
    SEQ_RETURN_IF_ERROR(r.Weight(node, absl::StrCat(prefix, "/bias"), b, trainable));
  }
  return layer;
}

LayerDef SimpleRNNDef() { return RecurrentDef("SimpleRNN"); }
LayerDef LSTMDef() { return RecurrentDef("LSTM"); }
LayerDef GRUDef() { return RecurrentDef("GRU"); }

template void FillLayerKind(const RecurrentLayer&, LayerKind&);

}  // namespace seqgraph
