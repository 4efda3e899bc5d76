// RNN, LSTM and GRU. Ours are batch-major, one direction a node, weights transposed, gates in the
// order of Keras: an LSTM's i, o, f, c become i, f, c, o.

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/cell_functions.h"
#include "serialization/onnx/node_import.h"
#include "serialization/onnx/recurrent_activations.h"

namespace seqgraph::onnx {
namespace {

struct Kind {
  const char* op;  ///< ours
  RecurrenceFacts::Cell cell;
  std::vector<int64_t> gates;  ///< ONNX's place of each of our gates
  bool has_cell;
};

const Kind& KindOf(const std::string& op) {
  using Cell = RecurrenceFacts::Cell;
  static const auto& kinds =
      *new std::map<std::string, Kind>{{"RNN", {"RNNCell", Cell::kSimple, {0}, false}},
                                       {"LSTM", {"LSTMCell", Cell::kLstm, {0, 2, 3, 1}, true}},
                                       {"GRU", {"GRUCell", Cell::kGru, {0, 1, 2}, false}}};
  return kinds.at(op);
}

struct Options {
  bool batch_first = false;
  int64_t units = 0;
  std::vector<bool> reverse;             ///< by direction
  std::vector<CellFunctions> functions;  ///< by direction
  bool reset_after = false;

  int directions() const { return static_cast<int>(reverse.size()); }
};

// Inputs whose place is the same for all three: X, W, R, B, sequence_lens, initial_h; then
// initial_c and P of an LSTM.
enum OnnxInput { kX, kW, kR, kB, kLengths, kInitialH, kInitialC, kPeepholes };

// Of each direction: gates, candidate or state, output, as far as the kind has them.
absl::Status ReadFunctions(NodeImport& node, const Kind& kind, Options& options) {
  OnnxActivations given;
  SEQ_ASSIGN_OR_RETURN(given.names, node.Strings("activations"));
  for (const auto& [attribute, numbers] :
       {std::pair{"activation_alpha", &given.alpha}, std::pair{"activation_beta", &given.beta}}) {
    SEQ_ASSIGN_OR_RETURN(const auto values, node.Floats(attribute));
    if (values.has_value()) *numbers = *values;
  }
  const size_t each = kind.has_cell ? 3 : kind.gates.size() > 1 ? 2 : 1;
  if (given.names.empty()) {
    for (int d = 0; d < options.directions(); ++d) {
      if (each > 1) given.names.push_back("Sigmoid");
      given.names.push_back("Tanh");
      if (each > 2) given.names.push_back("Tanh");
    }
  }
  if (given.names.size() != each * options.directions()) {
    return InvalidArgument("activations must be ", each, " for each direction");
  }
  SEQ_ASSIGN_OR_RETURN(const std::vector<ActivationFunction> read, ReadActivations(given));
  for (auto next = read.begin(); next != read.end();) {
    CellFunctions& f = options.functions.emplace_back();
    if (each > 1) f.gates = *next++;
    f.state = f.output = *next++;
    if (each > 2) f.output = *next++;
  }
  return absl::OkStatus();
}

// What all directions have in common.
absl::Status ReadGates(NodeImport& node, const Kind& kind, Options& options) {
  CellFunctions all;
  SEQ_ASSIGN_OR_RETURN(all.clip, node.Float("clip", 0));
  if (node.Attribute("clip") != nullptr && !(all.clip > 0)) {
    return InvalidArgument("attribute clip must be above 0, got ", all.clip);
  }
  if (all.clip >= std::numeric_limits<float>::max()) all.clip = 0;
  if (kind.has_cell) {
    SEQ_ASSIGN_OR_RETURN(const int64_t coupled, node.Int("input_forget", 0));
    all.coupled = coupled != 0;
    all.peepholes = node.has_input(kPeepholes) && !IsZero(node.optional_input(kPeepholes));
  }
  for (CellFunctions& f : options.functions) {
    f.clip = all.clip;
    f.coupled = all.coupled;
    f.peepholes = all.peepholes;
  }
  return absl::OkStatus();
}

absl::StatusOr<Options> ReadOptions(NodeImport& node, const Kind& kind) {
  Options options;
  SEQ_ASSIGN_OR_RETURN(const std::string direction, node.String("direction", "forward"));
  if (direction == "forward" || direction == "reverse") {
    options.reverse = {direction == "reverse"};
  } else if (direction == "bidirectional") {
    options.reverse = {false, true};
  } else {
    return InvalidArgument("direction \"", direction, "\"");
  }
  SEQ_ASSIGN_OR_RETURN(const int64_t layout, node.Int("layout", 0));
  if (layout != 0 && layout != 1) return InvalidArgument("layout must be 0 or 1");
  options.batch_first = layout == 1;
  SEQ_RETURN_IF_ERROR(ReadFunctions(node, kind, options));
  SEQ_RETURN_IF_ERROR(ReadGates(node, kind, options));
  SEQ_ASSIGN_OR_RETURN(options.units, node.Int("hidden_size", 0));  // 0: the shape of R says it
  if (std::string(kind.op) == "GRUCell") {
    SEQ_ASSIGN_OR_RETURN(const int64_t after, node.Int("linear_before_reset", 0));
    options.reset_after = after != 0;
  }
  return options;
}

// Checks that the shapes of W, R and B are what the sizes say.
absl::Status CheckWeights(const NodeImport& node, const Kind& kind, const Operand& x,
                          Options& options) {
  SEQ_ASSIGN_OR_RETURN(const Operand w, node.input(kW));
  SEQ_ASSIGN_OR_RETURN(const Operand r, node.input(kR));
  if (x.rank() != 3 || w.rank() != 3 || r.rank() != 3 || r.shape()[2].is_batch()) {
    return InvalidArgument("X, W and R must have three axes");
  }
  if (options.units != 0 && r.shape()[2] != options.units) {
    return InvalidArgument("hidden_size is ", options.units, ", but R is ", r.shape().ToString());
  }
  options.units = r.shape()[2].size();
  const int64_t columns = options.units * static_cast<int64_t>(kind.gates.size());
  const Dim directions(options.directions());
  if (options.units < 1 || r.shape() != Shape{directions, columns, options.units} ||
      w.shape() != Shape{directions, columns, x.shape()[2]}) {
    return InvalidArgument("W ", w.shape().ToString(), " and R ", r.shape().ToString(),
                           " do not fit together");
  }
  if (node.has_input(kB) && node.optional_input(kB).shape() != Shape{directions, 2 * columns}) {
    return InvalidArgument("B must be ", Shape{directions, 2 * columns}.ToString(), ", got ",
                           node.optional_input(kB).shape().ToString());
  }
  if (node.has_input(kPeepholes) &&
      node.optional_input(kPeepholes).shape() != Shape{directions, 3 * options.units}) {
    return InvalidArgument("P must be ", Shape{directions, 3 * options.units}.ToString(), ", got ",
                           node.optional_input(kPeepholes).shape().ToString());
  }
  return absl::OkStatus();
}

class Recurrence {
 public:
  Recurrence(NodeImport& node, const Kind& kind, Options options)
      : node_(node), g_(node.graph()), kind_(kind), options_(std::move(options)) {}

  // The sequence; sets the other outputs.
  absl::StatusOr<Operand> Convert(const Operand& x) {
    Operand batch_major = x;
    if (!options_.batch_first) {
      SEQ_ASSIGN_OR_RETURN(batch_major, g_.Transpose(x, {1, 0, 2}));
    }
    SEQ_RETURN_IF_ERROR(MakeMask(batch_major));
    std::array<std::vector<Operand>, 3> outputs;  // sequences, states, cells; by direction
    for (int d = 0; d < options_.directions(); ++d) {
      SEQ_ASSIGN_OR_RETURN(std::vector<Operand> of_direction, Direction(batch_major, d));
      for (size_t i = 0; i < of_direction.size(); ++i) {
        outputs[i].push_back(std::move(of_direction[i]));
      }
    }
    Operand sequence;
    if (node_.wants_output(0)) {
      SEQ_ASSIGN_OR_RETURN(sequence, JoinSequences(outputs[0]));
    }
    for (int i : {1, 2}) {
      if (!node_.wants_output(i) || outputs[i].empty()) continue;
      SEQ_ASSIGN_OR_RETURN(Operand y, JoinStates(outputs[i]));
      node_.SetOutput(i, std::move(y));
    }
    return sequence;
  }

 private:
  absl::Status MakeMask(const Operand& x) {
    if (!node_.has_input(kLengths)) return absl::OkStatus();
    const Operand lengths = node_.optional_input(kLengths);
    const Dim time = x.shape()[1];
    if (lengths.shape() != Shape{x.shape()[0]} || IsReal(lengths.type.dtype) || time.is_batch()) {
      return InvalidArgument("sequence_lens must be integers [batch], got ",
                             lengths.type.ToString());
    }
    // Most exporters that give lengths give the whole of each row.
    if (HasOneValue(lengths, static_cast<double>(time.size()))) return absl::OkStatus();
    SEQ_ASSIGN_OR_RETURN(const Operand index, g_.Cast(lengths, DType::kInt32));
    SEQ_ASSIGN_OR_RETURN(mask_, g_.Emit("SequenceMask", {index}, {{"time", time.size()}}));
    return absl::OkStatus();
  }

  // Of [directions, rows, columns] the transposed part of one, with its gates in our order.
  absl::StatusOr<Operand> Weights(const Operand& all, int d, const std::string& name) {
    SEQ_ASSIGN_OR_RETURN(Operand one, g_.Slice(all, 0, d, d + 1));
    SEQ_ASSIGN_OR_RETURN(one, g_.Reshape(one, Shape{all.shape()[1], all.shape()[2]}));
    SEQ_ASSIGN_OR_RETURN(one, g_.Transpose(one, {1, 0}));
    return Gates(one, 1, name);
  }

  absl::StatusOr<Operand> Gates(const Operand& x, int64_t axis, const std::string& name) {
    Operand ordered = x;
    if (!std::is_sorted(kind_.gates.begin(), kind_.gates.end())) {
      std::vector<Operand> parts;
      for (int64_t gate : kind_.gates) {
        SEQ_ASSIGN_OR_RETURN(parts.emplace_back(),
                             g_.Slice(x, axis, gate * options_.units, (gate + 1) * options_.units));
      }
      SEQ_ASSIGN_OR_RETURN(ordered, g_.Concat(parts, axis));
    }
    if (ordered.known != nullptr) ordered.variable = name;
    return ordered;
  }

  // The biases of the gates, and P behind them.
  absl::StatusOr<Operand> BiasAndPeepholes(int d, const std::string& name) {
    SEQ_ASSIGN_OR_RETURN(Operand bias, Bias(d, name));
    if (!options_.functions[d].peepholes) return bias;
    const int64_t columns = options_.units * static_cast<int64_t>(kind_.gates.size());
    const Operand& p = node_.inputs()[kPeepholes];
    if (!bias.present()) {
      SEQ_ASSIGN_OR_RETURN(bias, g_.BroadcastTo(g_.Scalar(0, p.type.dtype), Shape{columns}));
    }
    SEQ_ASSIGN_OR_RETURN(const Operand one, g_.Slice(p, 0, d, d + 1));
    SEQ_ASSIGN_OR_RETURN(const Operand flat, g_.Reshape(one, Shape{3 * options_.units}));
    SEQ_ASSIGN_OR_RETURN(Operand both, g_.Concat({bias, flat}, 0));
    if (both.known != nullptr) both.variable = name;
    return both;
  }

  // Both halves of B: added, or with reset_after one row each.
  absl::StatusOr<Operand> Bias(int d, const std::string& name) {
    if (!node_.has_input(kB)) return Absent();
    const int64_t columns = options_.units * static_cast<int64_t>(kind_.gates.size());
    SEQ_ASSIGN_OR_RETURN(const Operand one, g_.Slice(node_.optional_input(kB), 0, d, d + 1));
    if (options_.reset_after) {
      SEQ_ASSIGN_OR_RETURN(const Operand rows, g_.Reshape(one, Shape{2, columns}));
      return Gates(rows, 1, name);
    }
    SEQ_ASSIGN_OR_RETURN(const Operand flat, g_.Reshape(one, Shape{2 * columns}));
    SEQ_ASSIGN_OR_RETURN(Operand sum, g_.Slice(flat, 0, 0, columns));
    SEQ_ASSIGN_OR_RETURN(const Operand second, g_.Slice(flat, 0, columns, 2 * columns));
    // Not to add zeros keeps the bits of what is exported from here.
    if (!IsZero(second)) {
      SEQ_ASSIGN_OR_RETURN(sum, g_.Emit("Add", {sum, second}));
    }
    return Gates(sum, 0, name);
  }

  // [batch, units] of one direction; absent where it is zero.
  absl::StatusOr<Operand> InitialState(const Operand& x, int input, int d) {
    if (!node_.has_input(input)) return Absent();
    const Operand all = node_.optional_input(input);
    const int axis = options_.batch_first ? 1 : 0;
    Shape expected = {options_.directions(), x.shape()[0], options_.units};
    if (options_.batch_first) expected = {x.shape()[0], options_.directions(), options_.units};
    if (all.shape() != expected) {
      return InvalidArgument("an initial state must be ", expected.ToString(), ", got ",
                             all.shape().ToString());
    }
    if (IsZero(all)) return Absent();
    SEQ_ASSIGN_OR_RETURN(const Operand one, g_.Slice(all, axis, d, d + 1));
    return g_.Reshape(one, Shape{all.shape()[1 - axis], all.shape()[2]});
  }

  // Sequence, last state and, of an LSTM, last cell.
  absl::StatusOr<std::vector<Operand>> Direction(const Operand& x, int d) {
    std::string prefix = node_.name();
    if (options_.directions() > 1) absl::StrAppend(&prefix, d == 0 ? "/forward" : "/backward");
    std::vector<Operand> inputs = {x};
    SEQ_ASSIGN_OR_RETURN(inputs.emplace_back(), Weights(node_.inputs()[kW], d, prefix + "/kernel"));
    SEQ_ASSIGN_OR_RETURN(inputs.emplace_back(),
                         Weights(node_.inputs()[kR], d, prefix + "/recurrent_kernel"));
    SEQ_ASSIGN_OR_RETURN(inputs.emplace_back(), BiasAndPeepholes(d, prefix + "/bias"));
    SEQ_ASSIGN_OR_RETURN(inputs.emplace_back(), InitialState(x, kInitialH, d));
    if (kind_.has_cell) {
      SEQ_ASSIGN_OR_RETURN(inputs.emplace_back(), InitialState(x, kInitialC, d));
    }
    inputs.push_back(mask_);
    Attributes attributes{{"reverse", static_cast<bool>(options_.reverse[d])}};
    SetCellFunctions(kind_.cell, options_.functions[d], attributes);
    if (std::string(kind_.op) == "GRUCell") attributes.Set("reset_after", options_.reset_after);
    SEQ_ASSIGN_OR_RETURN(std::vector<Operand> outputs, g_.EmitAll(kind_.op, inputs, attributes));
    if (mask_.present()) {
      SEQ_ASSIGN_OR_RETURN(outputs[0], g_.Emit("ZeroMasked", {outputs[0], mask_}));
      for (size_t i = 1; i < outputs.size(); ++i) {
        if (!inputs[3 + i].present()) continue;  // without an initial state it is zero
        SEQ_ASSIGN_OR_RETURN(outputs[i], ZeroWhereEmpty(outputs[i]));
      }
    }
    return outputs;
  }

  // A row without a step ends in its initial state here, in ONNX Runtime in zeros.
  absl::StatusOr<Operand> ZeroWhereEmpty(const Operand& state) {
    SEQ_ASSIGN_OR_RETURN(const Operand first, g_.Slice(mask_, 1, 0, 1));
    SEQ_ASSIGN_OR_RETURN(const std::vector<Operand> all,
                         g_.Broadcast({first, state, g_.Scalar(0, state.type.dtype)}));
    return g_.Emit("Where", all);
  }

  // [time, directions, batch, units], or batch first [batch, time, directions, units].
  absl::StatusOr<Operand> JoinSequences(const std::vector<Operand>& parts) {
    std::vector<Operand> joined;
    for (const Operand& part : parts) {
      const Dim batch = part.shape()[0], time = part.shape()[1], units = part.shape()[2];
      Operand one = part;
      if (!options_.batch_first) {
        SEQ_ASSIGN_OR_RETURN(one, g_.Transpose(part, {1, 0, 2}));
      }
      const Shape shape =
          options_.batch_first ? Shape{batch, time, 1, units} : Shape{time, 1, batch, units};
      SEQ_ASSIGN_OR_RETURN(joined.emplace_back(), g_.Reshape(one, shape));
    }
    return g_.Concat(joined, options_.batch_first ? 2 : 1);
  }

  // [directions, batch, units], or batch first [batch, directions, units].
  absl::StatusOr<Operand> JoinStates(const std::vector<Operand>& parts) {
    std::vector<Operand> joined;
    for (const Operand& part : parts) {
      const Dim batch = part.shape()[0], units = part.shape()[1];
      const Shape shape = options_.batch_first ? Shape{batch, 1, units} : Shape{1, batch, units};
      SEQ_ASSIGN_OR_RETURN(joined.emplace_back(), g_.Reshape(part, shape));
    }
    return g_.Concat(joined, options_.batch_first ? 1 : 0);
  }

  NodeImport& node_;
  GraphImport& g_;
  const Kind& kind_;
  const Options options_;
  Operand mask_;
};

absl::StatusOr<Operand> ConvertRecurrent(NodeImport& node) {
  const Kind& kind = KindOf(node.node().op_type());
  SEQ_ASSIGN_OR_RETURN(const Operand x, node.input(kX));
  SEQ_ASSIGN_OR_RETURN(Options options, ReadOptions(node, kind));
  SEQ_RETURN_IF_ERROR(CheckWeights(node, kind, x, options));
  return Recurrence(node, kind, std::move(options)).Convert(x);
}

constexpr ConverterRow kRecurrentRows[] = {
    {"GRU", ConvertRecurrent},
    {"LSTM", ConvertRecurrent},
    {"RNN", ConvertRecurrent},
};

}  // namespace

absl::Span<const ConverterRow> RecurrentConverters() { return kRecurrentRows; }

}  // namespace seqgraph::onnx
