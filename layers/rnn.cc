#include "layers/rnn.h"

#include <map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "layers/layer_context.h"
#include "ops/examples.h"
#include "ops/reshape.h"

namespace seqgraph {
namespace {

using ops::Reals;

constexpr char kSuffix[] = "Cell";

// The cells of a cell in the order in which a step goes through them: itself, or those that it
// holds.
std::vector<Layer> CellsOf(const Layer& cell) {
  if (const auto stacked = As<StackedRNNCellsLayer>(cell.kind)) return stacked->cells;
  return {cell};
}

// A cell over all steps, as a layer of the class with its settings and those of the RNN.
LayerFlow EmitOver(LayerContext& c, const Layer& cell, const RNNLayer& rnn, bool is_last) {
  RecurrentLayer layer = As<CellLayer>(cell.kind)->of;
  layer.return_sequences = rnn.return_sequences || !is_last;
  layer.go_backwards = rnn.go_backwards;
  layer.stateful = rnn.stateful;
  layer.zero_output_for_mask = rnn.zero_output_for_mask && is_last;
  // What the next cell takes stays in the order of time.
  return EmitCellOverTime(c, layer, /*flip=*/rnn.go_backwards && !is_last);
}

// Cells that a layer holds, one after the other.
LayerFlow EmitCells(LayerContext& c, const std::vector<Layer>& cells, const RNNLayer& rnn) {
  LayerFlow flow = {c.x(), c.mask()};
  NumberedNames names;
  for (size_t i = 0; i < cells.size() && c.g().status().ok(); ++i) {
    LayerContext inner = c.Inner(cells[i], absl::StrCat("cells/", names.Next(cells[i].kind)), flow);
    flow = EmitOver(inner, cells[i], rnn, i + 1 == cells.size());
  }
  return flow;
}

LayerFlow EmitRNN(LayerContext& c, const RNNLayer& layer) {
  LayerContext inner = c.Inner(layer.cell, "cell", {c.x(), c.mask()});
  if (As<CellLayer>(layer.cell.kind)) return EmitOver(inner, layer.cell, layer, /*is_last=*/true);
  return EmitCells(inner, CellsOf(layer.cell), layer);
}

// [batch, features] as one step.
LayerFlow OneStep(LayerContext& c) {
  const Dim batch = c.type().shape[0];
  return {ops::Reshape(c.g(), c.x(), {batch, 1, c.features()}, c.Part("step")), {}};
}

LayerFlow EmitCellLayer(LayerContext& c, const CellLayer& cell) {
  LayerContext step = c.With(OneStep(c));
  return EmitOver(step, {.name = c.name(), .kind = cell}, {}, /*is_last=*/true);
}

LayerFlow EmitStacked(LayerContext& c, const StackedRNNCellsLayer& layer) {
  LayerContext step = c.With(OneStep(c));
  return EmitCells(step, layer.cells, {});
}

absl::Status CheckCells(const std::vector<Layer>& cells) {
  std::map<std::string, int> names;
  for (const Layer& cell : cells) {
    if (!As<CellLayer>(cell.kind)) {
      return InvalidArgument("its cells must be SimpleRNNCell, LSTMCell or GRUCell, got ",
                             cell.kind.class_name);
    }
    if (names[cell.name]++ > 0) return InvalidArgument("two cells have the name ", cell.name);
  }
  return absl::OkStatus();
}

absl::Status Check(const RNNLayer& layer) { return CheckCells(CellsOf(layer.cell)); }
absl::Status CheckStacked(const StackedRNNCellsLayer& layer) { return CheckCells(layer.cells); }

// Keras's names of layers within one that are not named.
void NameInner(RNNLayer& layer, const NumberName& number) {
  if (layer.cell.name == RNNLayer().cell.name) {
    layer.cell.name = number(SnakeCase(layer.cell.kind.class_name));
  }
}

Layer SampleCell(SampleSource& random, const std::string& name) {
  RecurrentLayer of{.cell = random.OneOf(RecurrentCells()).class_name,
                    .units = random.Dimension(),
                    .use_bias = random.Coin()};
  return {.name = name, .kind = Cell(of)};
}

void FitStacked(StackedRNNCellsLayer& layer, SampleSource& random) {
  layer.cells = {SampleCell(random, "first"), SampleCell(random, "second")};
}

void FitSample(RNNLayer& layer, SampleSource& random) {
  layer.cell = SampleCell(random, "inner");
  if (random.Coin()) return;
  StackedRNNCellsLayer stacked;
  FitStacked(stacked, random);
  layer.cell.kind = stacked;
}

LayerDef CellDef(const char* class_name, LayerExample example) {
  const RecurrentCell& cell = *FindRecurrentCell(class_name);
  return DefineLayer<CellLayer>(CellLayer{.of = {.cell = cell.class_name}})
      .Doc(absl::StrCat("The cell of an RNN; alone, one step [batch, features] -> [batch, units] "
                        "from a state of zeros. ",
                        cell.doc))
      .Takes(LayerTakes::kVector)
      .Keras({.ignored = {"implementation", "seed"},
              .unset = {"kernel_constraint", "recurrent_constraint", "bias_constraint"}})
      .Emit(EmitCellLayer)
      .Example(std::move(example));
}

}  // namespace

bool CellLayer::SetClass(const std::string& name) {
  return absl::EndsWith(name, kSuffix) &&
         of.SetClass(std::string(absl::StripSuffix(name, kSuffix)));
}

CellLayer Cell(RecurrentLayer of) { return {.of = std::move(of)}; }

RNNLayer RNN(const std::vector<CellLayer>& cells, RNNLayer options) {
  std::vector<Layer> layers;
  for (size_t i = 0; i < cells.size(); ++i) {
    layers.push_back({.name = absl::StrCat("cell_", i), .kind = cells[i]});
  }
  if (layers.size() == 1) {
    options.cell.kind = layers[0].kind;
  } else {
    options.cell.kind = StackedRNNCellsLayer{std::move(layers)};
  }
  return options;
}

LayerDef SimpleRNNCellDef() {
  return CellDef("SimpleRNN", {"step",
                               Cell(SimpleRNN(1, {.activation = "relu"})),
                               Reals({1, 1}, {3}),
                               {Reals({1, 1}, {2}), Reals({1, 1}, {5}), Reals({1}, {1})},
                               Reals({1, 1}, {7})});
}

// All gates are 1/2: c = 1/2 2 3 = 3, h = 3 / 2.
LayerDef LSTMCellDef() {
  return CellDef("LSTM", {"step",
                          Cell(LSTM(1, {.activation = "relu", .use_bias = false})),
                          Reals({1, 1}, {3}),
                          {Reals({1, 4}, {0, 0, 2, 0}), Reals({1, 4}, {0, 0, 0, 0})},
                          Reals({1, 1}, {1.5})});
}

// z = 1/2, h' = 2 3: h = 6 / 2.
LayerDef GRUCellDef() {
  return CellDef("GRU", {"step",
                         Cell(GRU(1, {.activation = "relu", .use_bias = false})),
                         Reals({1, 1}, {3}),
                         {Reals({1, 3}, {0, 0, 2}), Reals({1, 3}, {0, 0, 0})},
                         Reals({1, 1}, {3})});
}

LayerDef StackedRNNCellsDef() {
  const CellLayer cell = Cell(SimpleRNN(1, {.activation = "relu", .use_bias = false}));
  return DefineLayer<StackedRNNCellsLayer>()
      .Doc(
          "Cells in a row, of an RNN: each takes what the one in front gives in the same step. "
          "Alone, one step from states of zeros.")
      .Takes(LayerTakes::kVector)
      .Emit(EmitStacked)
      .Check(CheckStacked)
      .LastActivation([](const StackedRNNCellsLayer&) -> std::optional<std::string> { return ""; })
      .FitSample(FitStacked)
      .Example({"two",
                StackedRNNCellsLayer{{{.name = "a", .kind = cell}, {.name = "b", .kind = cell}}},
                Reals({1, 1}, {3}),
                {Reals({1, 1}, {2}), Reals({1, 1}, {7}), Reals({1, 1}, {5}), Reals({1, 1}, {7})},
                Reals({1, 1}, {30})});
}

LayerDef RNNDef() {
  const CellLayer cell = Cell(SimpleRNN(1, {.activation = "relu", .use_bias = false}));
  return DefineLayer<RNNLayer>()
      .Doc(
          "[batch, time, features] -> [batch, units], or with return_sequences [batch, time, "
          "units]: a cell, or several in a row, over all steps. A masked step keeps all states.")
      .Takes(LayerTakes::kSequence)
      .Keras(
          {.ignored = {"unroll"}, .unset = {"return_state", "activity_regularizer", "time_major"}})
      .Emit(EmitRNN)
      .Check(Check)
      .NameInner(NameInner)
      .LastActivation([](const RNNLayer&) -> std::optional<std::string> { return ""; })
      .FitSample(FitSample)
      // 2 1 = 2, 2 2 + 2 = 6.
      .Example({"one_cell",
                RNN({cell}),
                Reals({1, 2, 1}, {1, 2}),
                {Reals({1, 1}, {2}), Reals({1, 1}, {1})},
                Reals({1, 1}, {6})})
      // First 2, 4 + 2; second 3 2 = 6, 3 6 + 10 6.
      .Example({"stacked",
                RNN({cell, cell}, {.return_sequences = true}),
                Reals({1, 2, 1}, {1, 2}),
                {Reals({1, 1}, {2}), Reals({1, 1}, {1}), Reals({1, 1}, {3}), Reals({1, 1}, {10})},
                Reals({1, 2, 1}, {6, 78})})
      // First 4, 2 + 4, from the end; second 12, 3 6 + 12, in the order in which it was made.
      .Example({"stacked_backwards",
                RNN({cell, cell}, {.return_sequences = true, .go_backwards = true}),
                Reals({1, 2, 1}, {1, 2}),
                {Reals({1, 1}, {2}), Reals({1, 1}, {1}), Reals({1, 1}, {3}), Reals({1, 1}, {1})},
                Reals({1, 2, 1}, {12, 30})});
}

}  // namespace seqgraph
