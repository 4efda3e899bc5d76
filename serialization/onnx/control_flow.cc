// If, Loop and Scan, whose graphs are read in the place of the node: the branch that is taken, the
// body once a round. How often that is must be known when the model is imported. And calls of the
// functions that a model defines.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "serialization/onnx/node_reader.h"
#include "serialization/proto_guard.h"

namespace seqgraph::onnx {

using onnx_proto::AttributeProto;
using onnx_proto::NodeProto;

namespace {

constexpr int kMaxSubgraphs = 8;  // one in the other
constexpr int64_t kMaxRounds = 4096;

const AttributeProto* FindAttribute(const NodeProto& node, absl::string_view name) {
  for (const AttributeProto& attribute : node.attribute()) {
    if (attribute.name() == name) return &attribute;
  }
  return nullptr;
}

std::vector<int64_t> IntsOf(const NodeProto& node, absl::string_view name, size_t count) {
  const AttributeProto* attribute = FindAttribute(node, name);
  if (attribute == nullptr) return std::vector<int64_t>(count, 0);
  return {attribute->ints().begin(), attribute->ints().end()};
}

// The attributes that a function has defaults for: field attribute_proto, which onnx.proto has from
// 1.13 on; an older one leaves it among the unknown fields.
absl::StatusOr<std::vector<AttributeProto>> DefaultsOf(const onnx_proto::FunctionProto& function) {
  constexpr int kAttributeProto = 11;
  std::vector<AttributeProto> defaults;
  const google::protobuf::Reflection& reflection = *function.GetReflection();
  if (const auto* known = function.GetDescriptor()->FindFieldByNumber(kAttributeProto)) {
    for (int i = 0; i < reflection.FieldSize(function, known); ++i) {
      const auto& message = reflection.GetRepeatedMessage(function, known, i);
      defaults.emplace_back().CopyFrom(message);
    }
    return defaults;
  }
  const auto& fields = reflection.GetUnknownFields(function);
  for (int i = 0; i < fields.field_count(); ++i) {
    const auto& field = fields.field(i);
    if (field.number() != kAttributeProto ||
        field.type() != google::protobuf::UnknownField::TYPE_LENGTH_DELIMITED) {
      continue;
    }
    SEQ_RETURN_IF_ERROR(ParseForeignProto(field.length_delimited(), &defaults.emplace_back()));
  }
  return defaults;
}

// The call with the defaults of the attributes that it does not give.
absl::StatusOr<NodeProto> WithDefaults(const NodeProto& call,
                                       const onnx_proto::FunctionProto& function) {
  NodeProto complete = call;
  SEQ_ASSIGN_OR_RETURN(const std::vector<AttributeProto> defaults, DefaultsOf(function));
  for (const AttributeProto& attribute : defaults) {
    if (FindAttribute(call, attribute.name()) == nullptr) *complete.add_attribute() = attribute;
  }
  return complete;
}

// The attributes of the function that is called become those of the call; what neither has goes.
absl::Status ResolveReferences(GraphImport& graph, const NodeProto& call, NodeProto& node) {
  auto& attributes = *node.mutable_attribute();
  for (int i = attributes.size() - 1; i >= 0; --i) {
    AttributeProto& attribute = attributes[i];
    if (attribute.has_g()) {
      for (NodeProto& inner : *attribute.mutable_g()->mutable_node()) {
        SEQ_RETURN_IF_ERROR(ResolveReferences(graph, call, inner));
      }
    }
    if (attribute.ref_attr_name().empty()) continue;
    const AttributeProto* given = FindAttribute(call, attribute.ref_attr_name());
    if (given == nullptr) {
      attributes.DeleteSubrange(i, 1);
      continue;
    }
    SEQ_RETURN_IF_ERROR(graph.Charge(static_cast<int64_t>(given->ByteSizeLong())));
    const std::string name = attribute.name();
    attribute = *given;
    attribute.set_name(name);
  }
  return absl::OkStatus();
}

// The one number that an operand is known to be.
absl::StatusOr<int64_t> KnownNumber(const Operand& x, absl::string_view what) {
  if (x.known == nullptr || x.known->num_elements() != 1 || HoldsBatch(*x.known)) {
    return Unimplemented(what, " depends on the inputs");
  }
  return x.known->Cast(DType::kInt64).Elements<int64_t>()[0];
}

absl::StatusOr<bool> Holds(const Operand& condition, absl::string_view what) {
  SEQ_RETURN_IF_ERROR(KnownNumber(condition, what).status());
  return !IsZero(condition);
}

}  // namespace

absl::StatusOr<NodeReader::Body> NodeReader::BodyOf(const NodeProto& node,
                                                    absl::string_view attribute, const Scope& scope,
                                                    int depth) {
  if (depth == kMaxSubgraphs) {
    return ResourceExhausted("more than ", kMaxSubgraphs, " graphs one in the other");
  }
  const AttributeProto* found = FindAttribute(node, attribute);
  if (found == nullptr || !found->has_g()) return InvalidArgument("it has no ", attribute);
  Body body{&found->g(), {&scope, {}}};
  SEQ_RETURN_IF_ERROR(ReadInitializers(*body.graph, body.scope));
  return body;
}

absl::StatusOr<std::vector<Operand>> NodeReader::Run(const Body& body,
                                                     absl::Span<const Operand> inputs, int depth) {
  if (body.graph->input_size() != static_cast<int>(inputs.size())) {
    return InvalidArgument("its graph has ", body.graph->input_size(), " inputs, not ",
                           inputs.size());
  }
  ++nodes_;  // a round of nothing takes its time, too
  Scope scope{&body.scope, {}};
  for (size_t i = 0; i < inputs.size(); ++i) {
    SEQ_RETURN_IF_ERROR(Define(scope, body.graph->input(static_cast<int>(i)).name(), inputs[i]));
  }
  SEQ_RETURN_IF_ERROR(ReadNodes(*body.graph, scope, depth + 1));
  std::vector<Operand> outputs;
  for (const auto& output : body.graph->output()) {
    SEQ_ASSIGN_OR_RETURN(outputs.emplace_back(), Lookup(output.name(), scope));
    if (!outputs.back().present()) return InvalidArgument("its graph has an output without a name");
  }
  return outputs;
}

absl::StatusOr<Operand> NodeReader::Stack(std::vector<Operand> parts, int64_t axis) {
  if (parts.empty()) return Unimplemented("it gives what it collected in no round");
  const Operand first = parts[0];
  if (axis < 0) axis += first.rank() + 1;
  if (axis < 0 || axis > first.rank())
    return InvalidArgument("axis ", axis, " of what it collects");
  for (Operand& part : parts) {
    if (part.type != first.type || part.merged > 0 || part.per_row != 0 || part.row_first) {
      return Unimplemented("what it collects differs from round to round");
    }
    std::vector<Dim> dims(part.shape().dims().begin(), part.shape().dims().end());
    dims.insert(dims.begin() + axis, Dim(1));
    if (dims.size() > static_cast<size_t>(Shape::kMaxRank)) return Unimplemented("too many axes");
    SEQ_ASSIGN_OR_RETURN(part, graph_.Reshape(part, Shape(dims)));
  }
  SEQ_ASSIGN_OR_RETURN(Operand y, graph_.Concat(parts, axis));
  y.narrow = first.narrow;
  return y;
}

absl::Status NodeReader::ReadCall(const NodeProto& node, const onnx_proto::FunctionProto& function,
                                  Scope& scope, int depth) {
  if (depth == kMaxSubgraphs) {
    return ResourceExhausted("more than ", kMaxSubgraphs, " functions one in the other");
  }
  SEQ_ASSIGN_OR_RETURN(const std::vector<Operand> inputs, Inputs(node, scope));
  if (node.input_size() > function.input_size() || node.output_size() > function.output_size()) {
    return InvalidArgument("the function has ", function.input_size(), " inputs and ",
                           function.output_size(), " outputs");
  }
  const size_t bytes = function.ByteSizeLong() + node.ByteSizeLong();
  SEQ_RETURN_IF_ERROR(graph_.Charge(static_cast<int64_t>(bytes)));
  SEQ_ASSIGN_OR_RETURN(const NodeProto call, WithDefaults(node, function));
  onnx_proto::GraphProto body;
  *body.mutable_node() = function.node();
  for (NodeProto& inner : *body.mutable_node()) {
    SEQ_RETURN_IF_ERROR(ResolveReferences(graph_, call, inner));
  }
  Scope own;  // it sees nothing of what is around
  for (int i = 0; i < function.input_size(); ++i) {
    const auto place = static_cast<size_t>(i);
    SEQ_RETURN_IF_ERROR(
        Define(own, function.input(i), place < inputs.size() ? inputs[place] : Absent()));
  }
  const int64_t around = opset_;
  for (const auto& import : function.opset_import()) {
    if (KeyOf(import.domain(), "").empty()) opset_ = import.version();
  }
  SEQ_RETURN_IF_ERROR(ReadNodes(body, own, depth + 1));
  opset_ = around;
  for (int i = 0; i < node.output_size(); ++i) {
    if (node.output(i).empty()) continue;
    SEQ_ASSIGN_OR_RETURN(Operand output, Lookup(function.output(i), own));
    SEQ_RETURN_IF_ERROR(Define(scope, node.output(i), std::move(output)));
  }
  return absl::OkStatus();
}

absl::Status NodeReader::ReadIf(const NodeProto& node, Scope& scope, int depth) {
  if (node.input_size() != 1) return InvalidArgument("it needs one input");
  SEQ_ASSIGN_OR_RETURN(const Operand condition, Lookup(node.input(0), scope));
  const auto run = [&](bool holds) -> absl::StatusOr<std::vector<Operand>> {
    const char* branch = holds ? "then_branch" : "else_branch";
    SEQ_ASSIGN_OR_RETURN(const Body body, BodyOf(node, branch, scope, depth));
    SEQ_ASSIGN_OR_RETURN(std::vector<Operand> outputs, Run(body, {}, depth));
    if (static_cast<int>(outputs.size()) == node.output_size()) return outputs;
    return InvalidArgument(branch, " has not as many outputs as the node");
  };
  const absl::StatusOr<bool> holds = Holds(condition, "which branch is taken");
  SEQ_ASSIGN_OR_RETURN(std::vector<Operand> outputs, run(!holds.ok() || *holds));
  if (!holds.ok()) {
    // Both are computed where each is what the other could be.
    SEQ_ASSIGN_OR_RETURN(const std::vector<Operand> others, run(false));
    for (size_t i = 0; i < outputs.size(); ++i) {
      SEQ_ASSIGN_OR_RETURN(outputs[i], Select(condition, outputs[i], others[i]));
    }
  }
  for (int i = 0; i < node.output_size(); ++i) {
    if (node.output(i).empty()) continue;
    SEQ_RETURN_IF_ERROR(Define(scope, node.output(i), outputs[i]));
  }
  return absl::OkStatus();
}

absl::StatusOr<Operand> NodeReader::Select(const Operand& condition, const Operand& a,
                                           const Operand& b) {
  const bool plain = a.merged + b.merged == 0 && a.per_row == 0 && b.per_row == 0 && !a.row_first &&
                     !b.row_first && a.type == b.type && a.narrow == b.narrow;
  if (!plain || condition.rank() > 1 || (condition.rank() == 1 && condition.shape()[0] != 1)) {
    return Unimplemented("which branch is taken depends on the inputs, and they differ in type");
  }
  SEQ_ASSIGN_OR_RETURN(const Operand scalar, graph_.Reshape(condition, Shape{}));
  SEQ_ASSIGN_OR_RETURN(const std::vector<Operand> all, graph_.Broadcast({scalar, a, b}));
  SEQ_ASSIGN_OR_RETURN(Operand y, graph_.Emit("Where", all));
  y.boolean = a.boolean;
  y.narrow = a.narrow;
  return y;
}

// Inputs: rounds at most, whether there is a first one, what goes from round to round. The body
// takes the number of the round, the condition, and these; and gives the condition of the next,
// these anew, and what is collected.
absl::Status NodeReader::ReadLoop(const NodeProto& node, Scope& scope, int depth) {
  SEQ_ASSIGN_OR_RETURN(const std::vector<Operand> inputs, Inputs(node, scope));
  if (inputs.size() < 2) return InvalidArgument("it needs two inputs");
  SEQ_ASSIGN_OR_RETURN(const Body body, BodyOf(node, "body", scope, depth));
  const size_t carried = inputs.size() - 2;
  const auto given = static_cast<size_t>(body.graph->output_size());
  if (given < 1 + carried || static_cast<size_t>(node.output_size()) > given - 1) {
    return InvalidArgument("its graph has ", given, " outputs");
  }
  int64_t rounds = kMaxRounds + 1;
  if (inputs[0].present()) {
    SEQ_ASSIGN_OR_RETURN(rounds, KnownNumber(inputs[0], "how many rounds there are"));
  }
  Operand condition = inputs[1];
  if (!condition.present()) {
    condition = WithBoolean(graph_.Scalar(1, DType::kInt32), true).value();
  }
  std::vector<Operand> state(inputs.begin() + 2, inputs.end());
  std::vector<std::vector<Operand>> collected(given - 1 - carried);
  for (int64_t round = 0; round < rounds; ++round) {
    SEQ_ASSIGN_OR_RETURN(const bool goes_on, Holds(condition, "how many rounds there are"));
    if (!goes_on) break;
    if (round == kMaxRounds) return Unimplemented("more than ", kMaxRounds, " rounds");
    std::vector<Operand> feeds = {Operand::Of(Tensor::Scalar<int64_t>(round)), condition};
    feeds.insert(feeds.end(), state.begin(), state.end());
    SEQ_ASSIGN_OR_RETURN(std::vector<Operand> outputs, Run(body, feeds, depth));
    condition = outputs[0];
    // A condition that the body only hands on is known if the first one was.
    for (size_t i = 0; i < carried; ++i) state[i] = std::move(outputs[1 + i]);
    for (size_t i = 0; i < collected.size(); ++i) {
      collected[i].push_back(std::move(outputs[1 + carried + i]));
    }
  }
  for (int i = 0; i < node.output_size(); ++i) {
    if (node.output(i).empty()) continue;
    const auto place = static_cast<size_t>(i);
    Operand output = place < carried ? state[place] : Absent();
    if (place >= carried) {
      SEQ_ASSIGN_OR_RETURN(output, Stack(std::move(collected[place - carried]), 0));
    }
    SEQ_RETURN_IF_ERROR(Define(scope, node.output(i), std::move(output)));
  }
  return absl::OkStatus();
}

// Inputs: states, then sequences, of which the body takes one step a round; it gives the states
// anew, then what is collected.
absl::Status NodeReader::ReadScan(const NodeProto& node, Scope& scope, int depth) {
  if (opset_ < 9) return Unimplemented("opset ", opset_, " has another meaning");
  SEQ_ASSIGN_OR_RETURN(const std::vector<Operand> inputs, Inputs(node, scope));
  SEQ_ASSIGN_OR_RETURN(const Body body, BodyOf(node, "body", scope, depth));
  const AttributeProto* count = FindAttribute(node, "num_scan_inputs");
  const auto sequences = static_cast<size_t>(count == nullptr ? 0 : count->i());
  if (sequences < 1 || sequences > inputs.size()) {
    return InvalidArgument("num_scan_inputs is ", sequences);
  }
  const size_t states = inputs.size() - sequences;
  const auto given = static_cast<size_t>(body.graph->output_size());
  if (given < states || static_cast<size_t>(node.output_size()) > given) {
    return InvalidArgument("its graph has ", given, " outputs");
  }
  const size_t results = given - states;
  std::vector<int64_t> axes = IntsOf(node, "scan_input_axes", sequences);
  const std::vector<int64_t> backward = IntsOf(node, "scan_input_directions", sequences);
  const std::vector<int64_t> out_axes = IntsOf(node, "scan_output_axes", results);
  const std::vector<int64_t> out_backward = IntsOf(node, "scan_output_directions", results);
  if (axes.size() != sequences || backward.size() != sequences || out_axes.size() != results ||
      out_backward.size() != results) {
    return InvalidArgument("its axes or directions differ in number");
  }
  int64_t rounds = -1;
  for (size_t i = 0; i < sequences; ++i) {
    const Operand& x = inputs[states + i];
    if (axes[i] < 0) axes[i] += x.rank();
    if (axes[i] < 0 || axes[i] >= x.rank() || x.merged > 0) {
      return InvalidArgument("axis ", axes[i], " of ", x.shape().ToString());
    }
    const Dim extent = x.shape()[static_cast<int>(axes[i])];
    if (extent.is_batch()) return Unimplemented("how many rounds there are depends on the batch");
    if (rounds >= 0 && extent != rounds) return InvalidArgument("its sequences differ in length");
    rounds = extent.size();
  }
  if (rounds > kMaxRounds) return Unimplemented("more than ", kMaxRounds, " rounds");
  std::vector<Operand> state(inputs.begin(), inputs.begin() + static_cast<int64_t>(states));
  std::vector<std::vector<Operand>> collected(results);
  for (int64_t round = 0; round < rounds; ++round) {
    std::vector<Operand> feeds = state;
    for (size_t i = 0; i < sequences; ++i) {
      const Operand& x = inputs[states + i];
      const int64_t at = backward[i] != 0 ? rounds - 1 - round : round;
      SEQ_ASSIGN_OR_RETURN(const Operand step, graph_.Slice(x, axes[i], at, at + 1));
      std::vector<Dim> dims(x.shape().dims().begin(), x.shape().dims().end());
      dims.erase(dims.begin() + axes[i]);
      SEQ_ASSIGN_OR_RETURN(feeds.emplace_back(), graph_.Reshape(step, Shape(dims)));
    }
    SEQ_ASSIGN_OR_RETURN(std::vector<Operand> outputs, Run(body, feeds, depth));
    for (size_t i = 0; i < states; ++i) state[i] = std::move(outputs[i]);
    for (size_t i = 0; i < results; ++i) collected[i].push_back(std::move(outputs[states + i]));
  }
  for (int i = 0; i < node.output_size(); ++i) {
    if (node.output(i).empty()) continue;
    const auto place = static_cast<size_t>(i);
    Operand output = place < states ? state[place] : Absent();
    if (place >= states) {
      std::vector<Operand>& parts = collected[place - states];
      if (out_backward[place - states] != 0) std::reverse(parts.begin(), parts.end());
      SEQ_ASSIGN_OR_RETURN(output, Stack(std::move(parts), out_axes[place - states]));
    }
    SEQ_RETURN_IF_ERROR(Define(scope, node.output(i), std::move(output)));
  }
  return absl::OkStatus();
}

}  // namespace seqgraph::onnx
