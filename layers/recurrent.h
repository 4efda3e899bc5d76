#pragma once

#include <cstdint>
#include <string>

#include "layers/activation.h"
#include "layers/layer_def.h"
#include "layers/recurrent_cells.h"

namespace seqgraph {

/// [batch, time, features] -> [batch, units], or with return_sequences [batch, time, units]. In a
/// graph it may be given the states that it begins with, each [batch, units].
struct RecurrentLayer {
  std::string cell = "SimpleRNN";  ///< the class: one of RecurrentCells()
  int64_t units = 0;
  std::string activation = "tanh";
  std::string recurrent_activation = "sigmoid";  ///< of the gates, where the cell has some
  bool use_bias = true;
  bool return_sequences = false;
  bool return_state = false;
  bool go_backwards = false;
  bool stateful = false;
  bool zero_output_for_mask = false;
  bool reset_after = true;       ///< GRU
  bool unit_forget_bias = true;  ///< LSTM
  double dropout = 0;
  double recurrent_dropout = 0;
  Initializer kernel_initializer = Initializer::GlorotUniform();
  Initializer recurrent_initializer = Initializer::Orthogonal();
  Initializer bias_initializer = Initializer::Zeros();
  Regularizer kernel_regularizer;
  Regularizer recurrent_regularizer;
  Regularizer bias_regularizer;

  const std::string& class_name() const { return cell; }
  /// False: it is the class of no cell.
  bool SetClass(const std::string& name) {
    cell = name;
    return FindRecurrentCell(name) != nullptr;
  }

  template <typename Visitor>
  void Fields(Visitor& field) {
    CellFields(field);
    field("return_sequences", return_sequences, AnyValue(),
          "the states of all steps, not the last");
    field("return_state", return_state, AnyValue(),
          "gives the last states too, in a graph: h, and where the cell has it c");
    field("go_backwards", go_backwards, AnyValue(),
          "from the last step to the first; the sequence comes reversed, as in Keras");
    field(
        "stateful", stateful, AnyValue(),
        "the state of a row of one batch is where the same row of the next begins; zero at first. "
        "Needs the batch of the stack's input");
    field("zero_output_for_mask", zero_output_for_mask, AnyValue(),
          "masked steps give zeros, not what came before; Bidirectional sets it with "
          "return_sequences");
  }

  /// Those of the cell alone.
  template <typename Visitor>
  void CellFields(Visitor& field) {
    const RecurrentCell* found = FindRecurrentCell(cell);
    const RecurrentCell kind = found != nullptr ? *found : RecurrentCell();
    field("units", units, Extent(), "width of the state");
    field("activation", activation, ActivationName(CellActivationNames()), kind.activation_doc);
    if (kind.has_gates()) {
      field("recurrent_activation", recurrent_activation, ActivationName(CellActivationNames()),
            "of the gates");
    }
    field("use_bias", use_bias, AnyValue(), "whether b is added");
    if (kind.has_forget_bias) {
      field("unit_forget_bias", unit_forget_bias, AnyValue(),
            "the bias of the forget gate starts as 1");
    }
    if (kind.has_reset_after) {
      field("reset_after", reset_after, AnyValue(),
            "r multiplies what the state gives, behind u, with a bias of its own; else the state");
    }
    field("dropout", dropout, Rate(), "of the inputs, one mask for all steps, in training");
    field("recurrent_dropout", recurrent_dropout, Rate(), "of the state on its way into u");
    field("kernel_initializer", kernel_initializer, AnyValue(), "of w");
    field("recurrent_initializer", recurrent_initializer, AnyValue(), "of u");
    field("bias_initializer", bias_initializer, AnyValue(), "of b");
    field("kernel_regularizer", kernel_regularizer, AnyValue(), "of w");
    field("recurrent_regularizer", recurrent_regularizer, AnyValue(), "of u");
    field("bias_regularizer", bias_regularizer, AnyValue(), "of b");
  }
};

/// The layers of recurrent classes; what `options` says of cell and units does not count.
RecurrentLayer SimpleRNN(int64_t units, RecurrentLayer options = {});
RecurrentLayer LSTM(int64_t units, RecurrentLayer options = {});
RecurrentLayer GRU(int64_t units, RecurrentLayer options = {});

extern template void FillLayerKind(const RecurrentLayer&, LayerKind&);
LayerDef SimpleRNNDef();
LayerDef LSTMDef();
LayerDef GRUDef();

/// Emits the layer. A sequence comes in the order in which it was made, with `flip` in the other.
LayerFlow EmitRecurrent(LayerContext& c, const RecurrentLayer& layer, bool flip);
/// The same for a cell that is a layer of its own within a layer: the weights are its own.
LayerFlow EmitCellOverTime(LayerContext& c, const RecurrentLayer& layer, bool flip);

/// The settings and weights of the recurrent layer that a node stands for, without what its
/// outputs tell; the weights are those that the stack calls "<prefix>/kernel" and so on. Nullopt
/// for another op; Unimplemented for what no layer does.
absl::StatusOr<std::optional<RecurrentLayer>> RecognizeCell(StackRecognizer& r, const Node& node,
                                                            const std::string& prefix,
                                                            bool* trainable);
/// What ZeroMasked makes of a sequence, where nothing else reads it; else the sequence.
Value BehindZeroMasked(const StackRecognizer& r, Value sequence);
/// Whether the node is of the op of a cell.
const RecurrentCell* CellOfNode(const Node& node);

}  // namespace seqgraph
