#include "backends/plugin/function_reader.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
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

absl::StatusOr<Tensor> ToTensor(const sg_attribute& attribute) {
  const absl::Status damaged = Damaged(absl::StrCat("attribute ", ToString(attribute.name)));
  const std::optional<std::vector<int64_t>> extents = ToInts(attribute.ints);
  if (!extents.has_value() || extents->size() > static_cast<size_t>(Shape::kMaxRank) ||
      !IsDType(attribute.int_value)) {
    return damaged;
  }
  TensorType type{static_cast<DType>(attribute.int_value), {}};
  for (int64_t extent : *extents) {
    if (extent < 0) return damaged;
    type.shape.Append(Dim(extent));
  }
  SEQ_RETURN_IF_ERROR(type.shape.Validate());
  // Before memory is taken for it.
  if (static_cast<uint64_t>(type.num_bytes()) != attribute.content.size) return damaged;
  SEQ_ASSIGN_OR_RETURN(Tensor tensor, Tensor::Zeros(type));
  std::copy_n(attribute.content.data, attribute.content.size, static_cast<char*>(tensor.data()));
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

class Decoder {
 public:
  Decoder(const sg_function& encoded, const OpRegistry& registry)
      : encoded_(encoded), registry_(registry) {}

  absl::StatusOr<DecodedFunction> Run() && {
    SEQ_ASSIGN_OR_RETURN(const std::string name, Name());
    FunctionBuilder builder(name, registry_);
    SEQ_RETURN_IF_ERROR(Annotate(AddAll(builder), absl::StrCat("function ", name)));
    SEQ_ASSIGN_OR_RETURN(Function function, std::move(builder).Build());
    return Match(std::move(function));
  }

 private:
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
  sg_string Bytes() const {
    return {reinterpret_cast<const char*>(encoded_.bytes), encoded_.num_bytes};
  }

  absl::StatusOr<std::string> Name() {
    std::string name;
    SEQ_RETURN_IF_ERROR(ForEachField(Bytes(), "the function", [&](const sg_field& field) {
      if (field.tag == SG_FUNCTION_NAME) name = ToString(field.bytes);
      return absl::OkStatus();
    }));
    return name;
  }

  absl::Status AddAll(FunctionBuilder& builder) {
    return ForEachField(Bytes(), "the function", [&](const sg_field& field) -> absl::Status {
      if (field.wire != SG_WIRE_BYTES) return Damaged("the function");
      switch (field.tag) {
        case SG_FUNCTION_NAME:
          return absl::OkStatus();
        case SG_FUNCTION_INPUT:
        case SG_FUNCTION_VARIABLE:
          return AddSource(builder, field);
        case SG_FUNCTION_NODE:
          return AddNode(builder, field.bytes);
        case SG_FUNCTION_RESULT:
        case SG_FUNCTION_UPDATE:
          return AddNamed(builder, field);
      }
      return Damaged("the function");
    });
  }

  // The first two texts of an Input, VariableDef, Result or Update: fields 1 and 4.
  absl::Status NameAndField4(sg_string message, std::string* name, sg_string* second) {
    return ForEachField(message, "an input, variable, result or update",
                        [&](const sg_field& field) {
                          if (field.tag == 1 && field.wire == SG_WIRE_BYTES)
                            *name = ToString(field.bytes);
                          if (field.tag == 4 && field.wire == SG_WIRE_BYTES) *second = field.bytes;
                          return absl::OkStatus();
                        });
  }

  absl::Status AddSource(FunctionBuilder& builder, const sg_field& field) {
    std::string name;
    sg_string type_message = {};
    SEQ_RETURN_IF_ERROR(NameAndField4(field.bytes, &name, &type_message));
    SEQ_ASSIGN_OR_RETURN(TensorType type, HostType(name));
    const Value value = field.tag == SG_FUNCTION_INPUT
                            ? builder.Input(name, std::move(type))
                            : builder.Variable({name, std::move(type), Initializer::Zeros()});
    return Define(builder, name, value);
  }

  absl::StatusOr<TensorType> HostType(const std::string& name) const {
    const sg_value* value = sg_find_value(&encoded_, {name.data(), name.size()}, nullptr);
    if (value == nullptr) return InvalidArgument("value ", name, " has no type");
    if (value->dtype < SG_FLOAT32 || value->dtype > SG_INT64 || value->rank < 0 ||
        value->rank > Shape::kMaxRank) {
      return Damaged(absl::StrCat("the type of value ", name));
    }
    TensorType type{static_cast<DType>(value->dtype), {}};
    for (int i = 0; i < value->rank; ++i) type.shape.Append(Dim(value->dims[i]));
    return type;
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
    sg_string field;
    for (int i = 0; sg_node_field(&node, SG_NODE_ATTRIBUTE, i, &field) != 0; ++i) {
      sg_attribute attribute;
      if (sg_parse_attribute(field, &attribute) == 0) return Damaged("an attribute");
      SEQ_ASSIGN_OR_RETURN(AttributeValue value, ToAttributeValue(attribute));
      attributes.Set(ToString(attribute.name), std::move(value));
    }
    SEQ_RETURN_IF_ERROR(op->UpgradeAttributes(node.op_version, attributes));
    std::vector<Value> inputs;
    for (int i = 0; sg_node_field(&node, SG_NODE_INPUT, i, &field) != 0; ++i) {
      Value value;
      if (field.size > 0) {
        SEQ_ASSIGN_OR_RETURN(value, Find(ToString(field)));
      }
      inputs.push_back(value);
    }
    const std::vector<Value> outputs =
        builder.AddNode(ToString(node.op), inputs, std::move(attributes), name);
    SEQ_RETURN_IF_ERROR(builder.status());
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (sg_node_field(&node, SG_NODE_OUTPUT, static_cast<int32_t>(i), &field) == 0 ||
          field.size == 0) {
        return Damaged("the list of outputs");
      }
      SEQ_RETURN_IF_ERROR(Define(builder, ToString(field), outputs[i]));
    }
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

  absl::StatusOr<Value> Find(const std::string& name) const {
    const auto it = values_.find(name);
    if (it != values_.end()) return it->second;
    return InvalidArgument("value \"", name, "\" is not there");
  }

  // Finds the host's values among ours and checks that both sides infer the same types.
  absl::StatusOr<DecodedFunction> Match(Function function) const {
    DecodedFunction decoded{std::move(function), {}};
    const size_t num_values = decoded.function.values().size();
    if (num_values != static_cast<size_t>(encoded_.num_values) ||
        decoded.function.nodes().size() != static_cast<size_t>(encoded_.num_nodes)) {
      return InvalidArgument("the host counts ", encoded_.num_values, " values and ",
                             encoded_.num_nodes, " nodes; here they are ", num_values, " and ",
                             decoded.function.nodes().size());
    }
    for (int v = 0; v < encoded_.num_values; ++v) {
      const std::string name = encoded_.values[v]->name;
      SEQ_ASSIGN_OR_RETURN(const Value value, Find(name));
      SEQ_ASSIGN_OR_RETURN(const TensorType type, HostType(name));
      if (decoded.function.type(value) != type) {
        return InvalidArgument("value ", name, " is ", type.ToString(), " for the host, but here ",
                               decoded.function.type(value).ToString());
      }
      decoded.value_of_host.push_back(value.index);
    }
    return decoded;
  }

  const sg_function& encoded_;
  const OpRegistry& registry_;
  absl::flat_hash_map<std::string, Value> values_;
  int num_nodes_ = 0;
};

}  // namespace

absl::StatusOr<DecodedFunction> DecodeFunction(const sg_function& encoded,
                                               const OpRegistry& registry) {
  return Decoder(encoded, registry).Run();
}

}  // namespace seqgraph
