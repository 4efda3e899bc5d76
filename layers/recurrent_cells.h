#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/op_def.h"
#include "layers/layer_def.h"

namespace seqgraph {

/// A kind of cell, which is an op over all steps.
struct RecurrentCell {
  std::string class_name;  ///< Keras's: "LSTM"
  std::string flag;        ///< on command lines: "lstm"
  std::string op;          ///< "LSTMCell"; operands: RecurrenceFacts of graph/op_def.h
  int64_t gates = 1;       ///< blocks of columns of w and u
  bool has_cell_state = false;
  bool has_forget_bias = false;  ///< the second block of the bias may start as 1
  bool has_reset_after = false;  ///< then the bias has two rows
  const char* activation_doc = "of the state";
  std::string doc;
  std::vector<LayerExample> (*examples)() = nullptr;

  bool has_gates() const { return gates > 1; }
  RecurrenceFacts::Cell kind() const {
    if (has_cell_state) return RecurrenceFacts::Cell::kLstm;
    return has_gates() ? RecurrenceFacts::Cell::kGru : RecurrenceFacts::Cell::kSimple;
  }
};

/// All cells.
const std::vector<RecurrentCell>& RecurrentCells();
/// Null if there is none of that class.
const RecurrentCell* FindRecurrentCell(absl::string_view class_name);

}  // namespace seqgraph
