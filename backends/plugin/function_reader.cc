#include "backends/plugin/function_reader.h"

#include <algorithm>
#include <bit>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/function_builder.h"
#include "graph/op_def.h"

namespace seqgraph {
namespace {

// What the reader takes by number.
static_assert(static_cast<int>(DType::kFloat32) == SG_FLOAT32);
static_assert(static_cast<int>(DType::kFloat64) == SG_FLOAT64);
static_assert(static_cast<int>(DType::kInt32) == SG_INT32);
static_assert(static_cast<int>(DType::kInt64) == SG_INT64);
static_assert(static_cast<int>(Initializer::Kind::kOrthogonal) == 4);
static_assert(static_cast<int>(VariableRole::kOptimizer) == 1);

absl::Status Damaged(absl::string_view what) {
  return InvalidArgument(what, " is damaged or holds a field that this program does not know");
}

std::string ToString(sg_string text) { return std::string(text.data, text.size); }

// The integers of a list; absent if it is damaged.
std::optional<std::vector<int64_t>> ToInts(sg_reader ints) {
  std::vector<int64_t> list;
  for (int64_t value; sg_next_int(&ints, &value) != 0;) list.push_back(value);
  if (ints.at != ints.end) return std::nullopt;
  return list;
}

bool IsDType(int64_t number) { return number >= SG_FLOAT32 && number <= SG_INT64; }

// The element type and extents that sg_parse_ints and sg_parse_tensor have found.
absl::StatusOr<TensorType> ToType(const sg_attribute& found) {
  const std::optional<std::vector<int64_t>> extents = ToInts(found.ints);
  if (!extents.has_value() || extents->size() > static_cast<size_t>(Shape::kMaxRank) ||
      !IsDType(found.int_value)) {
    return Damaged("a type");
  }
  TensorType type{static_cast<DType>(found.int_value), {}};
  for (const int64_t extent : *extents) {
    if (extent < -1) return Damaged("a type");
    type.shape.Append(extent == -1 ? Dim::Batch() : Dim(extent));
  }
  SEQ_RETURN_IF_ERROR(type.shape.Validate());
  return type;
}

absl::StatusOr<TensorType> ReadType(sg_string message) {
  sg_attribute found = {};
  if (sg_parse_ints(message, 4, &found) == 0) return Damaged("a type");
  return ToType(found);
}

absl::StatusOr<Tensor> ToTensor(const sg_attribute& found) {
  SEQ_ASSIGN_OR_RETURN(const TensorType type, ToType(found));
  // Before memory is taken for it.
  if (!type.shape.is_static() || static_cast<uint64_t>(type.num_bytes()) != found.content.size) {
    return Damaged(
        absl::StrCat("a tensor of ", found.content.size, " bytes and type ", type.ToString()));
  }
  SEQ_ASSIGN_OR_RETURN(Tensor tensor, Tensor::Zeros(type));
  std::copy_n(found.content.data, found.content.size, static_cast<char*>(tensor.data()));
  return tensor;
}

absl::StatusOr<AttributeValue> ToAttributeValue(const sg_attribute& attribute) {
  switch (attribute.kind) {
    case SG_ATTRIBUTE_INT:
      return AttributeValue(attribute.int_value);
    case SG_ATTRIBUTE_FLOAT:
      return AttributeValue(attribute.float_value);
    case SG_ATTRIBUTE_BOOL:
      return AttributeValue(attribute.int_value != 0);
    case SG_ATTRIBUTE_STRING:
      return AttributeValue(ToString(attribute.string_value));
    case SG_ATTRIBUTE_INTS: {
      std::optional<std::vector<int64_t>> list = ToInts(attribute.ints);
      if (!list.has_value()) break;
      return AttributeValue(*std::move(list));
    }
    case SG_ATTRIBUTE_DTYPE:
      if (!IsDType(attribute.int_value)) break;
      return AttributeValue(static_cast<DType>(attribute.int_value));
    case SG_ATTRIBUTE_TENSOR: {
      SEQ_ASSIGN_OR_RETURN(Tensor tensor, ToTensor(attribute));
      return AttributeValue(std::move(tensor));
    }
  }
  return Damaged(absl::StrCat("attribute ", ToString(attribute.name)));
}

// Calls `take` for each field of a message.
template <typename Take>
absl::Status ForEachField(sg_string message, absl::string_view what, Take&& take) {
  sg_reader reader = sg_read(message);
  sg_field field;
  int more;
  while ((more = sg_next_field(&reader, &field)) > 0) {
    SEQ_RETURN_IF_ERROR(take(field));
  }
  return more == 0 ? absl::OkStatus() : Damaged(what);
}

// The two texts of an Input, Result or Update: fields 1 and 4.
absl::Status NameAndField4(sg_string message, std::string* name, sg_string* second) {
  constexpr absl::string_view kWhat = "an input, result or update";
  return ForEachField(message, kWhat, [&](const sg_field& field) -> absl::Status {
    if (field.wire != SG_WIRE_BYTES || (field.tag != 1 && field.tag != 4)) return Damaged(kWhat);
    if (field.tag == 1) *name = ToString(field.bytes);
    if (field.tag == 4) *second = field.bytes;
    return absl::OkStatus();
  });
}

absl::StatusOr<Initializer> ReadInitializer(sg_string message) {
  Initializer initializer;
  SEQ_RETURN_IF_ERROR(ForEachField(message, "an initializer", [&](const sg_field& field) {
    if (field.tag == 1 && field.wire == SG_WIRE_VARINT &&
        field.number <= static_cast<uint64_t>(Initializer::Kind::kOrthogonal)) {
      initializer.kind = static_cast<Initializer::Kind>(field.number);
    } else if (field.tag == 4 && field.wire == SG_WIRE_64_BIT) {
      initializer.value = std::bit_cast<double>(field.number);
    } else {
      return Damaged("an initializer");
    }
    return absl::OkStatus();
  }));
  return initializer;
}

class Decoder {
 public:
  Decoder(sg_string bytes, const OpRegistry& registry) : bytes_(bytes), registry_(registry) {}

  absl::StatusOr<Function> Run() {
    SEQ_ASSIGN_OR_RETURN(const std::string name, Name());
    FunctionBuilder builder(name, registry_);
    SEQ_RETURN_IF_ERROR(Annotate(AddAll(builder), absl::StrCat("function ", name)));
    return std::move(builder).Build();
  }

  absl::StatusOr<Value> Find(const std::string& name) const {
    const auto it = values_.find(name);
    if (it != values_.end()) return it->second;
    return InvalidArgument("value \"", name, "\" is not there");
  }

 private:
  absl::StatusOr<std::string> Name() {
    std::string name;
    SEQ_RETURN_IF_ERROR(ForEachField(bytes_, "the function", [&](const sg_field& field) {
      if (field.tag == SG_FUNCTION_NAME) name = ToString(field.bytes);
      return absl::OkStatus();
    }));
    return name;
  }

  absl::Status AddAll(FunctionBuilder& builder) {
    return ForEachField(bytes_, "the function", [&](const sg_field& field) -> absl::Status {
      if (field.wire != SG_WIRE_BYTES) return Damaged("the function");
      switch (field.tag) {
        case SG_FUNCTION_NAME:
          return absl::OkStatus();
        case SG_FUNCTION_INPUT:
          return AddInput(builder, field.bytes);
        case SG_FUNCTION_VARIABLE:
          return AddVariable(builder, field.bytes);
        case SG_FUNCTION_NODE:
          return AddNode(builder, field.bytes);
        case SG_FUNCTION_RESULT:
        case SG_FUNCTION_UPDATE:
          return AddNamed(builder, field);
      }
      return Damaged("the function");
    });
  }

  absl::Status AddInput(FunctionBuilder& builder, sg_string message) {
    std::string name;
    sg_string type_message = {};
    SEQ_RETURN_IF_ERROR(NameAndField4(message, &name, &type_message));
    SEQ_ASSIGN_OR_RETURN(TensorType type,
                         Annotate(ReadType(type_message), absl::StrCat("input ", name)));
    return Define(builder, name, builder.Input(name, std::move(type)));
  }

  absl::Status AddVariable(FunctionBuilder& builder, sg_string message) {
    SEQ_ASSIGN_OR_RETURN(VariableDef def, ReadVariableDef(message));
    const std::string name = def.name;
    return Define(builder, name, builder.Variable(std::move(def)));
  }

  absl::Status AddNode(FunctionBuilder& builder, sg_string message) {
    sg_node node;
    const int index = num_nodes_++;
    if (sg_parse_node(message, &node) == 0) return Damaged(absl::StrCat("node ", index));
    const std::string name = ToString(node.name);
    return Annotate(AddNode(builder, node, name), absl::StrCat("node ", name));
  }

  absl::Status AddNode(FunctionBuilder& builder, const sg_node& node, const std::string& name) {
    SEQ_ASSIGN_OR_RETURN(const OpDef* op, registry_.Get(ToString(node.op)));
    Attributes attributes;
    std::vector<Value> inputs;
    std::vector<sg_string> names;
    SEQ_RETURN_IF_ERROR(ForEachField(node.message, "the node", [&](const sg_field& field) {
      if (field.tag == SG_NODE_ATTRIBUTE) return AddAttribute(field.bytes, attributes);
      if (field.tag == SG_NODE_INPUT) return AddOperand(field.bytes, inputs);
      if (field.tag == SG_NODE_OUTPUT) names.push_back(field.bytes);
      return absl::OkStatus();
    }));
    SEQ_RETURN_IF_ERROR(op->UpgradeAttributes(node.op_version, attributes));
    const std::vector<Value> outputs =
        builder.AddNode(op->name(), inputs, std::move(attributes), name);
    SEQ_RETURN_IF_ERROR(builder.status());
    if (builder.function().nodes().back().name != name) {
      return InvalidArgument("there are two nodes of this name, or it has none");
    }
    if (names.size() > outputs.size()) return Damaged("the list of outputs");
    // Nobody can refer to an output without a name.
    for (size_t i = 0; i < names.size(); ++i) {
      if (names[i].size == 0) continue;
      SEQ_RETURN_IF_ERROR(Define(builder, ToString(names[i]), outputs[i]));
    }
    return absl::OkStatus();
  }

  absl::Status AddAttribute(sg_string message, Attributes& attributes) {
    sg_attribute attribute;
    if (sg_parse_attribute(message, &attribute) == 0) return Damaged("an attribute");
    std::string name = ToString(attribute.name);
    if (attributes.Find(name) != nullptr) {
      return InvalidArgument("attribute ", name, " is given twice");
    }
    SEQ_ASSIGN_OR_RETURN(AttributeValue value, ToAttributeValue(attribute));
    attributes.Set(std::move(name), std::move(value));
    return absl::OkStatus();
  }

  absl::Status AddOperand(sg_string name, std::vector<Value>& inputs) {
    inputs.emplace_back();
    if (name.size == 0) return absl::OkStatus();
    SEQ_ASSIGN_OR_RETURN(inputs.back(), Find(ToString(name)));
    return absl::OkStatus();
  }

  absl::Status AddNamed(FunctionBuilder& builder, const sg_field& field) {
    std::string name;
    sg_string source = {};
    SEQ_RETURN_IF_ERROR(NameAndField4(field.bytes, &name, &source));
    SEQ_ASSIGN_OR_RETURN(const Value value, Find(ToString(source)));
    if (field.tag == SG_FUNCTION_RESULT) {
      builder.Result(name, value);
    } else {
      builder.Update(name, value);
    }
    return builder.status();
  }

  absl::Status Define(const FunctionBuilder& builder, const std::string& name, Value value) {
    SEQ_RETURN_IF_ERROR(builder.status());
    if (values_.emplace(name, value).second) return absl::OkStatus();
    return InvalidArgument("there are two values named ", name);
  }

  const sg_string bytes_;
  const OpRegistry& registry_;
  std::map<std::string, Value> values_;
  int num_nodes_ = 0;
};

absl::StatusOr<TensorType> HostType(const sg_value& value) {
  TensorType type{static_cast<DType>(value.dtype), {}};
  if (!IsDType(value.dtype) || value.rank < 0 || value.rank > Shape::kMaxRank) {
    return Damaged(absl::StrCat("the type of value ", value.name));
  }
  for (int i = 0; i < value.rank; ++i) type.shape.Append(Dim(value.dims[i]));
  return type;
}

// Finds the host's values among ours and checks that both sides infer the same types.
absl::StatusOr<DecodedFunction> Match(const sg_function& encoded, const Decoder& decoder,
                                      Function function) {
  DecodedFunction decoded{std::move(function), {}};
  const size_t num_values = decoded.function.values().size();
  if (num_values != static_cast<size_t>(encoded.num_values) ||
      decoded.function.nodes().size() != static_cast<size_t>(encoded.num_nodes)) {
    return InvalidArgument("the host counts ", encoded.num_values, " values and ",
                           encoded.num_nodes, " nodes; here they are ", num_values, " and ",
                           decoded.function.nodes().size());
  }
  for (int v = 0; v < encoded.num_values; ++v) {
    const std::string name = encoded.values[v]->name;
    SEQ_ASSIGN_OR_RETURN(const Value value, decoder.Find(name));
    SEQ_ASSIGN_OR_RETURN(const TensorType type, HostType(*encoded.values[v]));
    if (decoded.function.type(value) != type) {
      return InvalidArgument("value ", name, " is ", type.ToString(), " for the host, but here ",
                             decoded.function.type(value).ToString());
    }
    decoded.value_of_host.push_back(value.index);
  }
  return decoded;
}

}  // namespace

absl::StatusOr<Function> ReadFunction(sg_string bytes, const OpRegistry& registry) {
  return Decoder(bytes, registry).Run();
}

absl::StatusOr<VariableDef> ReadVariableDef(sg_string bytes) {
  VariableDef def;
  sg_string type = {};
  SEQ_RETURN_IF_ERROR(ForEachField(bytes, "a variable", [&](const sg_field& field) -> absl::Status {
    if (field.tag == 1 && field.wire == SG_WIRE_BYTES) {
      def.name = ToString(field.bytes);
    } else if (field.tag == 4 && field.wire == SG_WIRE_BYTES) {
      type = field.bytes;
    } else if (field.tag == 7 && field.wire == SG_WIRE_BYTES) {
      SEQ_ASSIGN_OR_RETURN(def.initializer, ReadInitializer(field.bytes));
    } else if (field.tag == 10 && field.wire == SG_WIRE_VARINT && field.number <= 1) {
      def.role = static_cast<VariableRole>(field.number);
    } else if (field.tag == 13 && field.wire == SG_WIRE_VARINT) {
      def.trainable = field.number == 0;
    } else {
      return Damaged("a variable");
    }
    return absl::OkStatus();
  }));
  SEQ_ASSIGN_OR_RETURN(def.type, Annotate(ReadType(type), absl::StrCat("variable ", def.name)));
  return def;
}

absl::StatusOr<Tensor> ReadTensor(sg_string bytes) {
  sg_attribute found = {};
  if (sg_parse_tensor(bytes, &found) == 0) return Damaged("a tensor");
  return ToTensor(found);
}

absl::StatusOr<DecodedFunction> DecodeFunction(const sg_function& encoded,
                                               const OpRegistry& registry) {
  Decoder decoder({reinterpret_cast<const char*>(encoded.bytes), encoded.num_bytes}, registry);
  SEQ_ASSIGN_OR_RETURN(Function function, decoder.Run());
  return Match(encoded, decoder, std::move(function));
}

}  // namespace seqgraph
