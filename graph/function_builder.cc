#include "graph/function_builder.h"

#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/op_def.h"

namespace seqgraph {
std::string SnakeCase(absl::string_view camel_case) {
  std::string snake;
  for (size_t i = 0; i < camel_case.size(); ++i) {
    const char c = camel_case[i];
    const bool upper = absl::ascii_isupper(c);
    // A word begins at an upper-case letter that follows a lower-case one or precedes one:
    // RNN|Cell, BCE|With|Logits, L2|Loss, but Conv2D.
    const bool begins = upper && i > 0 && camel_case[i - 1] != '_' &&
                        (absl::ascii_islower(camel_case[i - 1]) ||
                         (i + 1 < camel_case.size() && absl::ascii_islower(camel_case[i + 1])));
    if (begins) snake += '_';
    snake += absl::ascii_tolower(c);
  }
  return snake;
}

FunctionBuilder::FunctionBuilder(std::string name, const OpRegistry& registry)
    : registry_(registry) {
  if (name.empty()) Fail(InvalidArgument("a function needs a name"));
  function_.name_ = std::move(name);
}

FunctionBuilder::FunctionBuilder(std::string name, const OpRegistry& registry,
                                 const Function& function)
    : registry_(registry), function_(function) {
  if (name.empty()) Fail(InvalidArgument("a function needs a name"));
  function_.name_ = std::move(name);
  for (const ValueInfo& value : function_.values_) value_names_.insert(value.name);
  for (const Node& node : function_.nodes_) node_names_.insert(node.name);
}

void FunctionBuilder::Fail(absl::Status status) {
  if (status_.ok()) {
    status_ = Annotate(status, absl::StrCat("function ", function_.name_));
  }
}

bool FunctionBuilder::Present(Value value) const {
  return value.present() && value.index < static_cast<int>(function_.values_.size());
}

const TensorType& FunctionBuilder::type(Value value) const {
  static const TensorType kNone{};
  return Present(value) ? function_.values_[value.index].type : kNone;
}

Value FunctionBuilder::AddValue(std::string name, TensorType type, Origin origin, int source,
                                int output) {
  function_.values_.push_back({std::move(name), std::move(type), origin, source, output});
  return Value{static_cast<int>(function_.values_.size()) - 1};
}

FunctionBuilder::FunctionBuilder(FunctionBuilder&&) noexcept = default;
FunctionBuilder::~FunctionBuilder() = default;

Value FunctionBuilder::Variable(std::string name, Shape shape, Initializer initializer) {
  return Variable({std::move(name), {DType::kFloat32, std::move(shape)}, initializer});
}

std::string FunctionBuilder::UniqueName(std::set<std::string>& taken, std::string name) {
  if (taken.insert(name).second) return name;
  // A free number behind one that is taken, by doubling and halving: a graph may have tens of
  // thousands of nodes of one name.
  const auto numbered = [&name](int64_t i) { return absl::StrCat(name, "_", i); };
  int64_t low = 0, high = 1;
  while (taken.contains(numbered(high))) {
    low = high;
    high *= 2;
  }
  while (high - low > 1) {
    const int64_t middle = (low + high) / 2;
    (taken.contains(numbered(middle)) ? low : high) = middle;
  }
  return *taken.insert(numbered(high)).first;
}

Value FunctionBuilder::Input(std::string name, TensorType type) {
  if (!status_.ok()) return {};
  if (absl::Status shape = type.shape.Validate(); !shape.ok()) {
    Fail(Annotate(shape, absl::StrCat("input ", name)));
    return {};
  }
  if (name.empty() || !value_names_.insert(name).second) {
    Fail(InvalidArgument("input \"", name, "\": the name must be new and not empty"));
    return {};
  }
  const Value value = AddValue(std::move(name), std::move(type), Origin::kInput,
                               static_cast<int>(function_.inputs_.size()), 0);
  function_.inputs_.push_back(value);
  return value;
}

Value FunctionBuilder::Variable(VariableDef def) {
  if (!status_.ok()) return {};
  const VariableRead* read =
      value_names_.contains(def.name) ? function_.FindVariable(def.name) : nullptr;
  if (read != nullptr) {
    if (read->def == def) return read->value;
    Fail(InvalidArgument("variable ", def.name, " is declared as ", read->def.type.ToString(),
                         " and again, differently, as ", def.type.ToString()));
    return {};
  }
  absl::Status shape = def.type.shape.Validate();
  if (shape.ok() && !def.type.shape.is_static()) {
    shape = InvalidArgument("the shape of a variable cannot depend on the batch");
  }
  if (shape.ok() && (def.name.empty() || !value_names_.insert(def.name).second)) {
    shape = InvalidArgument("the name must be new and not empty");
  }
  if (!shape.ok()) {
    Fail(Annotate(shape, absl::StrCat("variable \"", def.name, "\" ", def.type.ToString())));
    return {};
  }
  const Value value = AddValue(def.name, def.type, Origin::kVariable,
                               static_cast<int>(function_.variables_.size()), 0);
  function_.variables_.push_back({std::move(def), value});
  return value;
}

std::vector<Value> FunctionBuilder::AddNode(absl::string_view op, absl::Span<const Value> inputs,
                                            Attributes attributes, std::string name) {
  const OpDef* def = registry_.Find(op);
  // Enough absent values for the caller to index, whatever goes wrong.
  std::vector<Value> absent(def == nullptr ? 8 : def->outputs().size());
  if (!status_.ok()) return absent;
  if (name.empty()) name = default_name_.empty() ? SnakeCase(op) : default_name_;
  absl::StatusOr<std::vector<Value>> outputs = TryAddNode(op, inputs, attributes, name);
  if (!outputs.ok()) {
    Fail(Annotate(outputs.status(), absl::StrCat("node ", name, " (", op, ")")));
    return absent;
  }
  return *std::move(outputs);
}

std::vector<Value> FunctionBuilder::AddNodeByNames(
    absl::string_view op, absl::FunctionRef<Value(absl::string_view)> operand,
    const Attributes& attributes, std::string name) {
  std::vector<Value> inputs;
  Attributes own;
  if (const OpDef* def = registry_.Find(op)) {  // else AddNode says so
    for (const InputDef& input : def->inputs()) inputs.push_back(operand(input.name));
    for (const AttributeDef& attribute : def->attributes()) {
      const AttributeValue* value = attributes.Find(attribute.name);
      if (value != nullptr) own.Set(attribute.name, *value);
    }
  }
  return AddNode(op, inputs, std::move(own), std::move(name));
}

absl::StatusOr<std::vector<Value>> FunctionBuilder::TryAddNode(absl::string_view op,
                                                               absl::Span<const Value> inputs,
                                                               const Attributes& attributes,
                                                               const std::string& name) {
  SEQ_ASSIGN_OR_RETURN(const OpDef* def, registry_.Get(op));
  if (inputs.size() > def->inputs().size()) {
    return InvalidArgument("takes at most ", def->inputs().size(), " inputs, got ", inputs.size());
  }
  Node node;
  node.op = def;
  node.inputs.assign(inputs.begin(), inputs.end());
  node.inputs.resize(def->inputs().size());
  std::vector<std::optional<TensorType>> types(node.inputs.size());
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (!node.inputs[i].present()) continue;
    if (!Present(node.inputs[i])) {
      return InvalidArgument("input ", def->inputs()[i].name, " is not a value of this function");
    }
    types[i] = function_.values_[node.inputs[i].index].type;
  }
  SEQ_ASSIGN_OR_RETURN(node.attributes, def->CompleteAttributes(attributes));
  SEQ_ASSIGN_OR_RETURN(std::vector<TensorType> outputs, def->InferTypes(types, node.attributes));

  node.name = UniqueName(node_names_, name);
  const int index = static_cast<int>(function_.nodes_.size());
  for (size_t i = 0; i < outputs.size(); ++i) {
    // The value of a node with one output bears the node's name.
    const std::string value_name =
        outputs.size() == 1 ? node.name : absl::StrCat(node.name, ".", def->outputs()[i].name);
    node.outputs.push_back(AddValue(UniqueName(value_names_, value_name), std::move(outputs[i]),
                                    Origin::kNode, index, static_cast<int>(i)));
  }
  function_.nodes_.push_back(std::move(node));
  return function_.nodes_.back().outputs;
}

void FunctionBuilder::Result(std::string name, Value value) {
  if (!status_.ok()) return;
  if (!Present(value)) {
    return Fail(InvalidArgument("result ", name, " has no value"));
  }
  if (name.empty() || function_.FindResult(name).present()) {
    return Fail(InvalidArgument("result \"", name, "\": the name must be new and not empty"));
  }
  function_.results_.push_back({std::move(name), value});
}

void FunctionBuilder::Update(std::string variable, Value value) {
  if (!status_.ok()) return;
  const VariableRead* read = function_.FindVariable(variable);
  if (read == nullptr) {
    return Fail(InvalidArgument("update of ", variable, ", which is no variable of this function"));
  }
  if (!Present(value) || type(value) != read->def.type) {
    return Fail(InvalidArgument("update of ", variable, " must be ", read->def.type.ToString(),
                                ", got ", Present(value) ? type(value).ToString() : "no value"));
  }
  for (const NamedValue& update : function_.updates_) {
    if (update.name == variable) {
      return Fail(InvalidArgument("two updates of ", variable));
    }
  }
  function_.updates_.push_back({std::move(variable), value});
}

absl::StatusOr<Function> FunctionBuilder::Build() && {
  if (status_.ok() && function_.results_.empty() && function_.updates_.empty()) {
    Fail(InvalidArgument("a function needs at least one result or update"));
  }
  if (!status_.ok()) return status_;
  FindConsumers();
  return std::move(function_);
}

void FunctionBuilder::FindConsumers() {
  function_.consumers_.resize(function_.values_.size());
  for (size_t n = 0; n < function_.nodes_.size(); ++n) {
    for (Value input : function_.nodes_[n].inputs) {
      if (!input.present()) continue;
      std::vector<int>& readers = function_.consumers_[input.index];
      if (readers.empty() || readers.back() != static_cast<int>(n)) {
        readers.push_back(static_cast<int>(n));
      }
    }
  }
}

}  // namespace seqgraph
