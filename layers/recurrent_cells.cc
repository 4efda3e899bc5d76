#include "layers/recurrent_cells.h"

#include "layers/recurrent.h"
#include "ops/examples.h"

namespace seqgraph {
namespace {

using ops::Reals;

// x 1, 2: relu(2 + 1) = 3, then relu(4 + 9 + 1) = 14.
std::vector<LayerExample> SimpleRNNExamples() {
  return {{"sequence",
           SimpleRNN(1, {.activation = "relu", .return_sequences = true}),
           Reals({1, 2, 1}, {1, 2}),
           {Reals({1, 1}, {2}), Reals({1, 1}, {3}), Reals({1}, {1})},
           Reals({1, 2, 1}, {3, 14})},
          {"backwards",
           SimpleRNN(1, {.activation = "relu",
                         .use_bias = false,
                         .return_sequences = true,
                         .go_backwards = true}),
           Reals({1, 2, 1}, {1, 2}),
           {Reals({1, 1}, {2}), Reals({1, 1}, {3})},
           Reals({1, 2, 1}, {4, 14})},
          {"masked",
           SimpleRNN(1, {.activation = "relu",
                         .use_bias = false,
                         .return_sequences = true,
                         .zero_output_for_mask = true}),
           Reals({1, 3, 1}, {1, 2, 2}),
           {Reals({1, 1}, {1}), Reals({1, 1}, {1})},
           Reals({1, 3, 1}, {1, 0, 3}),
           ops::Ids({1, 3}, {1, 0, 1})}};
}

// All gates are sigmoid(0) = 1/2. x 1, 3: c = 1/2 2 = 1, h = 1/2; c = 1/2 + 1/2 6 = 3.5, h = 1.75.
std::vector<LayerExample> LSTMExamples() {
  return {{"last",
           LSTM(1, {.activation = "relu"}),
           Reals({1, 2, 1}, {1, 3}),
           {Reals({1, 4}, {0, 0, 2, 0}), Reals({1, 4}, {0, 0, 0, 0}), Reals({4}, {0, 0, 0, 0})},
           Reals({1, 1}, {1.75})}};
}

// z = r = 1/2. x 1, 1: h' = 2, h = 1; h' = 2 + 1/2 4 = 4, h = 1/2 + 2 = 2.5.
std::vector<LayerExample> GRUExamples() {
  return {{"last",
           GRU(1, {.activation = "relu"}),
           Reals({1, 2, 1}, {1, 1}),
           {Reals({1, 3}, {0, 0, 2}), Reals({1, 3}, {0, 0, 4}), Reals({2, 3}, {0, 0, 0, 0, 0, 0})},
           Reals({1, 1}, {2.5})}};
}

}  // namespace

const std::vector<RecurrentCell>& RecurrentCells() {
  static const auto* const cells = new std::vector<RecurrentCell>{
      {.class_name = "SimpleRNN",
       .flag = "rnn",
       .op = "RNNCell",
       .doc = "h_t = activation(x_t·w + h_{t-1}·u + b).",
       .examples = SimpleRNNExamples},
      {.class_name = "LSTM",
       .flag = "lstm",
       .op = "LSTMCell",
       .gates = 4,
       .has_cell_state = true,
       .has_forget_bias = true,
       .activation_doc = "of the candidate and of the cell state on its way out",
       .doc = "Long short-term memory: gates i, f, candidate c', o from x_t·w + h_{t-1}·u + b, in "
              "this order of columns; c_t = f c_{t-1} + i c', h_t = o activation(c_t).",
       .examples = LSTMExamples},
      {.class_name = "GRU",
       .flag = "gru",
       .op = "GRUCell",
       .gates = 3,
       .has_reset_after = true,
       .activation_doc = "of the candidate",
       .doc = "Gated recurrent unit: gates z, r, candidate h' from x_t·w + h_{t-1}·u + b, in this "
              "order of columns; h_t = z h_{t-1} + (1 - z) h'.",
       .examples = GRUExamples},
  };
  return *cells;
}

const RecurrentCell* FindRecurrentCell(absl::string_view class_name) {
  for (const RecurrentCell& cell : RecurrentCells()) {
    if (cell.class_name == class_name) return &cell;
  }
  return nullptr;
}

}  // namespace seqgraph
