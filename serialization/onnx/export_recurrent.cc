// RNNCell, LSTMCell and GRUCell as RNN, LSTM and GRU: time-major (layout 0, which every runtime
// has), weights transposed, an LSTM's gates i, f, c, o as i, o, f, c.

#include <algorithm>
#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "graph/cell_functions.h"
#include "graph/op_def.h"
#include "serialization/onnx/export_mask.h"
#include "serialization/onnx/node_export.h"
#include "serialization/onnx/recurrent_activations.h"

namespace seqgraph::onnx {
namespace {

// Our place of each of ONNX's gates.
using Gates = std::vector<int64_t>;

const Gates& GatesOf(const std::string& op) {
  static const auto& gates = *new std::map<std::string, Gates>{
      {"RNNCell", {0}}, {"LSTMCell", {0, 3, 1, 2}}, {"GRUCell", {0, 1, 2}}};
  return gates.at(op);
}

enum OurInput { kOurX, kOurW, kOurU, kOurB, kOurH0, kOurC0 };

// y[g, j] of [rows, gates units]: transposed, in ONNX's order of gates: [1, gates units, rows].
Tensor TransposedGates(const Tensor& w, const Gates& order) {
  const int64_t rows = w.shape()[0].size(), columns = w.shape()[1].size();
  const int64_t gates = static_cast<int64_t>(order.size()), units = columns / gates;
  std::vector<float> y(rows * columns);
  const auto from = w.Elements<float>();
  for (int64_t g = 0; g < gates; ++g) {
    for (int64_t j = 0; j < units; ++j) {
      for (int64_t r = 0; r < rows; ++r) {
        y[(g * units + j) * rows + r] = from[r * columns + order[g] * units + j];
      }
    }
  }
  return Tensor::Of<float>({1, columns, rows}, y);
}

// Both halves of B: [1, 2 gates units]. A bias of one row is followed by zeros.
Tensor BothBiases(const Tensor& b, const Gates& order) {
  const int64_t gates = static_cast<int64_t>(order.size());
  const bool two = b.shape().rank() == 2;
  const int64_t columns = b.num_elements() / (two ? 2 : 1), units = columns / gates;
  std::vector<float> y(2 * columns);
  for (int64_t row = 0; row < (two ? 2 : 1); ++row) {
    for (int64_t g = 0; g < gates; ++g) {
      std::copy_n(b.Elements<float>().begin() + row * columns + order[g] * units, units,
                  y.begin() + row * columns + g * units);
    }
  }
  return Tensor::Of<float>({1, 2 * columns}, y);
}

absl::StatusOr<std::string> Weights(NodeExport& node, int input, const Gates& order,
                                    Tensor (*convert)(const Tensor&, const Gates&)) {
  if (!node.has_input(input)) return std::string();
  SEQ_ASSIGN_OR_RETURN(const Tensor content, node.graph().Content(node.node().inputs[input]));
  if (content.dtype() != DType::kFloat32) return Unimplemented("weights in float64");
  const std::string name = node.graph().function().info(node.node().inputs[input]).name;
  return node.graph().Initializer(convert(content, order), name);
}

// Of b the last 3 units: [1, 3 units], in ONNX's order.
Tensor Peepholes(const Tensor& b, const Gates&) {
  const auto all = b.Elements<float>();
  const int64_t count = b.num_elements() / 7 * 3;
  return Tensor::Of<float>({1, count}, std::vector<float>(all.end() - count, all.end()));
}

// The biases before them.
Tensor BiasesBeforePeepholes(const Tensor& b, const Gates& order) {
  const auto all = b.Elements<float>();
  const int64_t count = b.num_elements() / 7 * 4;
  return BothBiases(
      Tensor::Of<float>({count}, std::vector<float>(all.begin(), all.begin() + count)), order);
}

void AddFloats(onnx_proto::NodeProto* proto, const char* name, const std::vector<double>& values) {
  if (values.empty()) return;
  onnx_proto::AttributeProto* attribute = proto->add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx_proto::AttributeProto::FLOATS);
  for (const double value : values) attribute->add_floats(static_cast<float>(value));
}

// The attributes that say what CellFunctions does.
absl::Status WriteFunctions(const CellFunctions& f, RecurrenceFacts::Cell cell,
                            onnx_proto::NodeProto* proto) {
  std::vector<ActivationFunction> functions = {f.state};
  if (cell != RecurrenceFacts::Cell::kSimple) functions.insert(functions.begin(), f.gates);
  if (cell == RecurrenceFacts::Cell::kLstm) functions.push_back(f.output);
  SEQ_ASSIGN_OR_RETURN(const OnnxActivations activations, WriteActivations(functions));
  SetStrings(proto, "activations", activations.names);
  AddFloats(proto, "activation_alpha", activations.alpha);
  AddFloats(proto, "activation_beta", activations.beta);
  if (f.clip != 0) SetFloat(proto, "clip", f.clip);
  if (f.coupled) SetInt(proto, "input_forget", 1);
  return absl::OkStatus();
}

// "simple_rnn" of "simple_rnn/kernel", so that an importer finds the variables' names again.
std::string NodeName(NodeExport& node) {
  const std::string& kernel = node.graph().function().info(node.node().inputs[kOurW]).name;
  return absl::EndsWith(kernel, "/kernel") ? std::string(absl::StripSuffix(kernel, "/kernel"))
                                           : node.node().name;
}

absl::StatusOr<std::string> State(NodeExport& node, int input) {
  if (!node.has_input(input)) return std::string();
  return node.Emit("Unsqueeze", {node.input(input), node.graph().Ints({0}, "axes")});
}

absl::StatusOr<onnx_proto::NodeProto*> WriteRecurrent(NodeExport& node) {
  const OpDef& op = *node.node().op;
  const Gates& gates = GatesOf(op.name());
  const bool has_cell = gates.size() == 4, is_gru = gates.size() == 3;
  if (!node.has_input(kOurW)) return Unimplemented("its input is already projected");
  if (node.has_input(op.FindInput("recurrent_dropout"))) return Unimplemented("recurrent dropout");
  const int mask = op.FindInput("mask");
  std::string lengths, steps_of_x = node.input(kOurX);
  const MaskSteps* steps = nullptr;  // of a mask that is not made of lengths
  if (node.has_input(mask)) {
    if (TakesLengths(node.graph(), node.node())) {
      lengths = node.graph().NameOf(
          node.graph().function().producer(node.node().inputs[mask])->inputs[0]);
    } else {
      SEQ_ASSIGN_OR_RETURN(steps, StepsOf(node, mask));
      lengths = steps->lengths;
      steps_of_x = Compacted(node, steps_of_x, *steps);
    }
  }
  const std::string x = node.Between("time_major");
  SetInts(node.graph().Add("Transpose", {steps_of_x}, x), "perm", {1, 0, 2});
  SEQ_ASSIGN_OR_RETURN(const std::string w, Weights(node, kOurW, gates, TransposedGates));
  SEQ_ASSIGN_OR_RETURN(const std::string r, Weights(node, kOurU, gates, TransposedGates));
  SEQ_ASSIGN_OR_RETURN(const CellFunctions functions,
                       CellFunctionsOf(op.recurrence()->cell, node.attributes()));
  SEQ_ASSIGN_OR_RETURN(
      const std::string b,
      Weights(node, kOurB, gates, functions.peepholes ? BiasesBeforePeepholes : BothBiases));
  SEQ_ASSIGN_OR_RETURN(const std::string h0, State(node, kOurH0));
  std::vector<std::string> inputs = {x, w, r, b, lengths, h0};
  if (has_cell) {
    SEQ_ASSIGN_OR_RETURN(inputs.emplace_back(), State(node, kOurC0));
    if (functions.peepholes) {
      SEQ_ASSIGN_OR_RETURN(inputs.emplace_back(), Weights(node, kOurB, gates, Peepholes));
    }
  }
  while (inputs.back().empty()) inputs.pop_back();
  std::vector<std::string> outputs;
  for (int i = 0; i < (has_cell ? 3 : 2); ++i) {
    outputs.push_back(node.uses_output(i) ? node.Between(absl::StrCat("Y", i)) : "");
  }
  while (!outputs.empty() && outputs.back().empty()) outputs.pop_back();
  if (outputs.empty()) return nullptr;  // nobody reads anything of it
  onnx_proto::NodeProto* proto = node.graph().Add(node.row().onnx, inputs, outputs[0]);
  for (size_t i = 1; i < outputs.size(); ++i) proto->add_output(outputs[i]);
  proto->set_name(NodeName(node));
  SetInt(proto, "hidden_size", node.input_type(kOurU).shape[0].size());
  SetString(proto, "direction", node.attributes().GetBool("reverse") ? "reverse" : "forward");
  SEQ_RETURN_IF_ERROR(WriteFunctions(functions, op.recurrence()->cell, proto));
  if (is_gru) {
    SetInt(proto, "linear_before_reset", node.attributes().GetBool("reset_after") ? 1 : 0);
  }
  if (!outputs[0].empty()) {  // [time, 1, batch, units]
    const std::string y = node.Emit("Squeeze", {outputs[0], node.graph().Ints({1}, "axes")});
    const std::string batch_major = steps != nullptr ? node.Between("steps") : node.output(0);
    SetInts(node.graph().Add("Transpose", {y}, batch_major), "perm", {1, 0, 2});
    if (steps != nullptr) {
      Spread(node, batch_major, *steps, node.attributes().GetBool("reverse"), node.output(0));
    }
  }
  for (size_t i = 1; i < outputs.size(); ++i) {  // [1, batch, units]
    if (outputs[i].empty()) continue;
    const int initial = kOurH0 + static_cast<int>(i) - 1;
    const std::string axes = node.graph().Ints({0}, "axes");
    if (lengths.empty() || !node.has_input(initial)) {
      node.graph().Add("Squeeze", {outputs[i], axes}, node.output(static_cast<int>(i)));
      continue;
    }
    // A row without a step ends in its initial state here, in zeros there.
    const std::string zero = node.Initializer(Tensor::Scalar<int32_t>(0), "zero");
    const std::string some = node.Emit("Less", {zero, lengths});
    const std::string column = node.Emit("Unsqueeze", {some, node.graph().Ints({1}, "axes")});
    node.graph().Add("Where",
                     {column, node.Emit("Squeeze", {outputs[i], axes}), node.input(initial)},
                     node.output(static_cast<int>(i)));
  }
  return proto;
}

constexpr ExporterRow kRecurrentExporterRows[] = {
    {"GRUCell", WriteRecurrent, "GRU"},
    {"LSTMCell", WriteRecurrent, "LSTM"},
    {"RNNCell", WriteRecurrent, "RNN"},
};

}  // namespace

absl::Span<const ExporterRow> RecurrentExporters() { return kRecurrentExporterRows; }

}  // namespace seqgraph::onnx
