#pragma once

#include <string>
#include <vector>

#include "layers/recurrent.h"

namespace seqgraph {

/// A cell as a layer within an RNN: the settings of a recurrent layer that are of the cell alone.
struct CellLayer {
  RecurrentLayer of;

  std::string class_name() const { return of.cell + "Cell"; }
  /// False: it is the class of no cell.
  bool SetClass(const std::string& name);

  template <typename Visitor>
  void Fields(Visitor& field) {
    of.CellFields(field);
  }
};

/// Cells in a row: each takes what the one in front gives in the same step.
struct StackedRNNCellsLayer {
  static constexpr char kClass[] = "StackedRNNCells";
  std::vector<Layer> cells;

  template <typename Visitor>
  void Fields(Visitor& field) {
    field("cells", cells, FieldRule{.several = true}, "the cells, first one first");
  }
};

/// [batch, time, features] -> [batch, units], or with return_sequences [batch, time, units]: a
/// cell, or several in a row, over all steps.
struct RNNLayer {
  static constexpr char kClass[] = "RNN";
  Layer cell{.name = "cell"};
  bool return_sequences = false;
  bool go_backwards = false;
  bool stateful = false;
  bool zero_output_for_mask = false;

  template <typename Visitor>
  void Fields(Visitor& field) {
    field("cell", cell, AnyValue(), "SimpleRNNCell, LSTMCell, GRUCell or StackedRNNCells");
    field("return_sequences", return_sequences, AnyValue(),
          "the outputs of all steps, not the last");
    field("go_backwards", go_backwards, AnyValue(),
          "from the last step to the first; the sequence comes reversed, as in Keras");
    field("stateful", stateful, AnyValue(),
          "states go from batch to batch, as in the recurrent layers");
    field("zero_output_for_mask", zero_output_for_mask, AnyValue(),
          "masked steps give zeros, not what came before");
  }
};

/// The cell of a recurrent layer: Cell(LSTM(8)).
CellLayer Cell(RecurrentLayer of);
/// An RNN over these cells. Sequential names the outer one.
RNNLayer RNN(const std::vector<CellLayer>& cells, RNNLayer options = {});

LayerDef SimpleRNNCellDef();
LayerDef LSTMCellDef();
LayerDef GRUCellDef();
LayerDef StackedRNNCellsDef();
LayerDef RNNDef();

}  // namespace seqgraph
