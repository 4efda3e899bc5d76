#include "training/tensorboard/graph_def.h"

#include <set>
#include <variant>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "graph/op_def.h"
#include "training/tensorboard/event.pb.h"

namespace seqgraph {
namespace {

// What the op of that name last changed in TensorFlow, of which readers want to know.
constexpr int kProducer = 1;

tensorboard::DataType DataTypeOf(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return tensorboard::DT_FLOAT;
    case DType::kFloat64:
      return tensorboard::DT_DOUBLE;
    case DType::kInt32:
      return tensorboard::DT_INT32;
    case DType::kInt64:
      break;
  }
  return tensorboard::DT_INT64;
}

void SetShape(const Shape& shape, tensorboard::TensorShape& to) {
  for (const Dim dim : shape.dims()) to.add_dim()->set_size(dim.is_batch() ? -1 : dim.size());
}

class GraphDefMaker {
 public:
  explicit GraphDefMaker(const Function& function)
      : function_(function), names_(function.values().size()) {}

  std::string Make() {
    graph_.mutable_versions()->set_producer(kProducer);
    for (const Value input : function_.inputs()) AddSource(input, "Placeholder");
    for (const VariableRead& read : function_.variables()) AddSource(read.value, "VariableV2");
    for (const Node& node : function_.nodes()) AddNode(node);
    for (const NamedValue& result : function_.results()) AddEnd("result/", "Result", result);
    for (const NamedValue& update : function_.updates()) AddEnd("update/", "Assign", update);
    return graph_.SerializeAsString();
  }

 private:
  // [A-Za-z0-9.][A-Za-z0-9_./>-]*, and no node has it yet. Nor may it be a scope of others, or
  // other than a scope where others lie below it.
  std::string FreeName(absl::string_view name) {
    std::string allowed;
    for (const char c : name) {
      const bool inside = absl::ascii_isalnum(c) || c == '.' || (!allowed.empty() && c == '_');
      const bool after_scope = !allowed.empty() && allowed.back() != '/' && (c == '/' || c == '-');
      allowed += inside || after_scope ? c : '_';
    }
    if (allowed.empty() || allowed[0] == '_') allowed.insert(0, "n");
    if (allowed.back() == '/') allowed.back() = '_';
    std::string free = allowed;
    for (int n = 1; !taken_.insert(free).second; ++n) free = absl::StrCat(allowed, "_", n);
    return free;
  }

  tensorboard::NodeDef& Add(absl::string_view name, absl::string_view op) {
    tensorboard::NodeDef& node = *graph_.add_node();
    node.set_name(FreeName(name));
    node.set_op(std::string(op));
    return node;
  }

  static tensorboard::AttributeValue& Attribute(tensorboard::NodeDef& node, absl::string_view key) {
    tensorboard::NodeAttribute& attribute = *node.add_attr();
    attribute.set_key(std::string(key));
    return *attribute.mutable_value();
  }

  void AddSource(Value value, const char* op) {
    const ValueInfo& info = function_.info(value);
    tensorboard::NodeDef& node = Add(info.name, op);
    names_[value.index] = node.name();
    Attribute(node, "dtype").set_type(DataTypeOf(info.type.dtype));
    SetShape(info.type.shape, *Attribute(node, "shape").mutable_shape());
    SetShape(info.type.shape, *Attribute(node, "_output_shapes").mutable_list()->add_shape());
  }

  void AddNode(const Node& node) {
    tensorboard::NodeDef& made = Add(node.name, node.op->name());
    for (const Value input : node.inputs) {
      if (input.present()) made.add_input(names_[input.index]);
    }
    for (const auto& [name, value] : node.attributes.entries()) SetAttribute(name, value, made);
    if (node.outputs.empty()) return;
    Attribute(made, "T").set_type(DataTypeOf(function_.type(node.outputs[0]).dtype));
    tensorboard::AttributeList& shapes = *Attribute(made, "_output_shapes").mutable_list();
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      const Value output = node.outputs[i];
      names_[output.index] = i == 0 ? made.name() : absl::StrCat(made.name(), ":", i);
      SetShape(function_.type(output).shape, *shapes.add_shape());
    }
  }

  static void SetAttribute(const std::string& name, const AttributeValue& value,
                           tensorboard::NodeDef& node) {
    if (std::holds_alternative<TensorAttribute>(value)) return;
    tensorboard::AttributeValue& to = Attribute(node, name);
    if (const int64_t* number = std::get_if<int64_t>(&value)) to.set_i(*number);
    if (const double* number = std::get_if<double>(&value)) to.set_f(static_cast<float>(*number));
    if (const bool* on = std::get_if<bool>(&value)) to.set_b(*on);
    if (const std::string* text = std::get_if<std::string>(&value)) to.set_s(*text);
    if (const DType* dtype = std::get_if<DType>(&value)) to.set_type(DataTypeOf(*dtype));
    if (const auto* numbers = std::get_if<std::vector<int64_t>>(&value)) {
      for (const int64_t number : *numbers) to.mutable_list()->add_i(number);
    }
  }

  void AddEnd(const char* scope, const char* op, const NamedValue& end) {
    tensorboard::NodeDef& node = Add(absl::StrCat(scope, end.name), op);
    node.add_input(names_[end.value.index]);
  }

  const Function& function_;
  tensorboard::GraphDef graph_;
  std::vector<std::string> names_;  // of values, as inputs name them
  std::set<std::string> taken_;
};

}  // namespace

std::string FunctionToGraphDef(const Function& function) { return GraphDefMaker(function).Make(); }

}  // namespace seqgraph
