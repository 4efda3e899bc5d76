#ifndef SEQGRAPH_LAYERS_RECURRENT_CELLS_H_
#define SEQGRAPH_LAYERS_RECURRENT_CELLS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "graph/function_builder.h"
#include "layers/layer_def.h"

namespace seqgraph {

/// What recurrent layers have in common with their cells: all inputs may be absent but x, w and u.
struct CellInputs {
  Value x, w, u, bias;
  Value state, cell_state;
  Value mask;
  Value recurrent_dropout;
  std::string activation;
  bool reset_after = true;
  bool reverse = false;
  std::string name;
};

struct CellOutputs {
  Value sequence;  ///< in the order of the input
  Value last;
  Value last_cell;  ///< where there is a second state
};

/// A kind of cell, which is an op over all steps.
struct RecurrentCell {
  std::string class_name;  ///< Keras's: "LSTM"
  std::string flag;        ///< on command lines: "lstm"
  std::string op;          ///< "LSTMCell"
  int64_t gates = 1;       ///< blocks of columns of w and u
  bool has_cell_state = false;
  bool has_forget_bias = false;  ///< the second block of the bias may start as 1
  bool has_reset_after = false;  ///< then the bias has two rows
  const char* activation_doc = "of the state";
  std::string doc;
  CellOutputs (*emit)(FunctionBuilder& g, const CellInputs& in) = nullptr;
  std::vector<LayerExample> (*examples)() = nullptr;

  bool has_gates() const { return gates > 1; }
};

/// All cells.
const std::vector<RecurrentCell>& RecurrentCells();
/// Null if there is none of that class.
const RecurrentCell* FindRecurrentCell(absl::string_view class_name);

}  // namespace seqgraph

#endif  // SEQGRAPH_LAYERS_RECURRENT_CELLS_H_
