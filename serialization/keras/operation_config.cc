#include "serialization/keras/operation_config.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "layers/activation.h"
#include "layers/activation_layers.h"
#include "layers/leaky_relu.h"
#include "layers/merging.h"
#include "layers/operation.h"
#include "layers/operation_index.h"
#include "layers/rescaling.h"
#include "layers/reshaping.h"
#include "serialization/keras/operation_call.h"

namespace seqgraph::keras {
namespace {

// TensorFlow's functions, as tf_keras names them, and the classes of Keras 3 that are the same.
struct FunctionName {
  const char* tensorflow;
  const char* keras;
};
constexpr FunctionName kFunctionNames[] = {
    {"__operators__.add", "Add"},
    {"__operators__.getitem", "GetItem"},
    {"cast", "Cast"},
    {"clip_by_value", "Clip"},
    {"compat.v1.squeeze", "Squeeze"},
    {"compat.v1.transpose", "Transpose"},
    {"concat", "Concatenate"},
    {"expand_dims", "ExpandDims"},
    {"identity", "Identity"},
    {"linalg.matmul", "Matmul"},
    {"math.abs", "Absolute"},
    {"math.add", "Add"},
    {"math.cos", "Cos"},
    {"math.divide", "TrueDivide"},
    {"math.exp", "Exp"},
    {"math.log", "Log"},
    {"math.maximum", "Maximum"},
    {"math.minimum", "Minimum"},
    {"math.multiply", "Multiply"},
    {"math.negative", "Negative"},
    {"math.pow", "Power"},
    {"math.reciprocal", "Reciprocal"},
    {"math.reduce_max", "Max"},
    {"math.reduce_mean", "Mean"},
    {"math.reduce_min", "Min"},
    {"math.reduce_prod", "Prod"},
    {"math.reduce_std", "Std"},
    {"math.reduce_sum", "Sum"},
    {"math.reduce_variance", "Var"},
    {"math.rsqrt", "Rsqrt"},
    {"math.sigmoid", "Sigmoid"},
    {"math.sin", "Sin"},
    {"math.softplus", "Softplus"},
    {"math.sqrt", "Sqrt"},
    {"math.square", "Square"},
    {"math.subtract", "Subtract"},
    {"math.tanh", "Tanh"},
    {"math.truediv", "TrueDivide"},
    {"nn.elu", "Elu"},
    {"nn.gelu", "Gelu"},
    {"nn.leaky_relu", "LeakyRelu"},
    {"nn.relu", "Relu"},
    {"nn.relu6", "Relu6"},
    {"nn.selu", "Selu"},
    {"nn.silu", "Silu"},
    {"nn.softmax", "Softmax"},
    {"reshape", "Reshape"},
    {"reverse", "Flip"},
    {"stack", "Stack"},
    {"transpose", "Transpose"},
};

// A constant that is an array: nested lists, or in Keras 3 an object around them.
struct ConstantArray {
  std::vector<int64_t> shape;
  std::vector<double> numbers;
};

absl::Status ReadArray(const Json& json, size_t depth, ConstantArray* array) {
  if (!json.is_array()) {
    if (depth != array->shape.size() || !json.is_number()) {
      return Unimplemented("its operand is an array of other than numbers");
    }
    array->numbers.push_back(json.get<double>());
    return absl::OkStatus();
  }
  if (array->numbers.empty() && depth == array->shape.size()) {
    array->shape.push_back(static_cast<int64_t>(json.size()));
  }
  if (depth >= array->shape.size() || depth >= Shape::kMaxRank || json.empty() ||
      array->shape[depth] != static_cast<int64_t>(json.size())) {
    return Unimplemented("its operand is an array of uneven lists, or of too many axes");
  }
  for (const Json& each : json) SEQ_RETURN_IF_ERROR(ReadArray(each, depth + 1, array));
  return absl::OkStatus();
}

absl::StatusOr<ConstantArray> ArrayOf(const Json& constant) {
  const std::string name = ClassName(constant);
  const Json* values = &constant;
  if (constant.is_object() && (name == "__tensor__" || name == "__numpy__") &&
      constant.contains("config") && constant["config"].is_object() &&
      constant["config"].contains("value")) {
    values = &constant["config"]["value"];
  }
  ConstantArray array;
  if (!values->is_array() && !values->is_number()) {
    return Unimplemented("its operand ", Shown(constant), " is no number");
  }
  SEQ_RETURN_IF_ERROR(ReadArray(*values, 0, &array));
  return array;
}

// A constant and a tensor, or two tensors.
absl::StatusOr<LayerKind> Arithmetic(const std::string& name, OperationCall& call) {
  if (call.operands() != 2 || !(call.IsTensor(0) || call.IsTensor(1))) {
    return Unimplemented("it does not take two operands");
  }
  const bool divides = name == "TrueDivide" || name == "Divide";
  if (call.IsTensor(0) && call.IsTensor(1)) {
    if (divides) return OperationLayer{.function = "Divide"};
    if (name == "Power") return Unimplemented("its exponent is a tensor");
    return MergeLayer{name};
  }
  const bool behind = call.IsTensor(0);
  SEQ_ASSIGN_OR_RETURN(ConstantArray array, ArrayOf(call.constant()));
  if (array.numbers.size() > 1) {
    OperationLayer layer{.function = name == "Divide" ? "TrueDivide" : name,
                         .numbers = std::move(array.numbers),
                         .shape = std::move(array.shape),
                         .first = !behind};
    if (TakesArray(layer.function)) return layer;
    return Unimplemented("its operand is an array");
  }
  const double number = array.numbers[0];
  if (name == "Add") return RescalingLayer{.offset = number};
  if (name == "Multiply") return RescalingLayer{.scale = number};
  if (name == "Subtract") {
    return behind ? RescalingLayer{.offset = -number}
                  : RescalingLayer{.scale = -1, .offset = number};
  }
  if (divides && behind && number != 0) return RescalingLayer{.scale = 1 / number};
  if (divides && !behind) return OperationLayer{.function = "TrueDivide", .numbers = {number}};
  if (divides || (name == "Power" && !behind)) {
    return Unimplemented("its operand ", number, " is not known here");
  }
  return OperationLayer{.function = name, .numbers = {number}};
}

absl::StatusOr<std::string> IndexOf(const Json& index) {
  std::vector<IndexPlace> places;
  for (const Json& item : index.is_array() ? index : Json::array({index})) {
    IndexPlace& place = places.emplace_back();
    const std::string class_name = item.is_object() ? ClassName(item) : std::string();
    if (item.is_null()) {
      place.kind = IndexPlace::Kind::kNewAxis;
    } else if (item.is_number_integer()) {
      place.kind = IndexPlace::Kind::kNumber;
      place.begin = item.get<int64_t>();
    } else if (class_name == "__ellipsis__") {
      place.kind = IndexPlace::Kind::kEllipsis;
    } else if (item.is_object()) {
      const Json& bounds =
          class_name == "__slice__" && item.contains("config") ? item["config"] : item;
      for (const auto& [key, to] :
           {std::pair{"start", &place.begin}, {"stop", &place.end}, {"step", &place.stride}}) {
        if (!bounds.is_object() || !bounds.contains(key) || bounds[key].is_null()) continue;
        if (!bounds[key].is_number_integer()) return Unimplemented("its index has ", Shown(item));
        *to = bounds[key].get<int64_t>();
      }
    } else {
      return Unimplemented("its index has ", Shown(item));
    }
    if (places.size() > 2 * Shape::kMaxRank) return InvalidArgument("its index is too long");
  }
  return IndexText(places);
}

absl::StatusOr<LayerKind> Reshaped(OperationCall& call) {
  SEQ_ASSIGN_OR_RETURN(const std::vector<int64_t> shape,
                       call.Ints(call.tensorflow() ? "shape" : "newshape"));
  if (shape.size() < 2 || shape[0] != -1) {
    return Unimplemented("its shape does not begin with -1, which is the batch");
  }
  return ReshapeLayer{.target_shape = {shape.begin() + 1, shape.end()}};
}

absl::StatusOr<LayerKind> Transposed(OperationCall& call) {
  SEQ_ASSIGN_OR_RETURN(const std::vector<int64_t> axes,
                       call.Ints(call.tensorflow() ? "perm" : "axes"));
  if (axes.size() < 2 || axes[0] != 0) return Unimplemented("it moves the batch");
  return PermuteLayer{.dims = {axes.begin() + 1, axes.end()}};
}

absl::StatusOr<int64_t> OneAxis(OperationCall& call, int64_t otherwise) {
  SEQ_ASSIGN_OR_RETURN(const std::vector<int64_t> axes, call.Ints("axis"));
  if (axes.size() > 1) return Unimplemented("it has several axes");
  return axes.empty() ? otherwise : axes[0];
}

// Those whose name says all, but for axes.
absl::StatusOr<LayerKind> Plain(const std::string& name, OperationCall& call) {
  const OperationFacts* facts = FindOperation(name);
  if (facts == nullptr) {
    std::string activation = name == "Exp" ? "exponential" : SnakeCase(name);
    const std::vector<std::string> known = ActivationNames();
    if (std::find(known.begin(), known.end(), activation) != known.end()) {
      return ActivationLayer{.activation = std::move(activation)};
    }
    return Unimplemented("it is not known here: only layers are, operations that make masks, and ",
                         "some that do with tensors what a layer could");
  }
  OperationLayer layer{.function = name};
  if (facts->takes == OperationTakes::kTwoAxes) {
    for (const char* axis : {"axis1", "axis2"}) {
      SEQ_ASSIGN_OR_RETURN(const std::vector<int64_t> one, call.Ints(axis));
      layer.axes.insert(layer.axes.end(), one.begin(), one.end());
    }
  } else if (facts->takes != OperationTakes::kNothing) {
    SEQ_ASSIGN_OR_RETURN(layer.axes, call.Ints("axis"));
    layer.keepdims = call.Take("keepdims") == true;
  }
  return layer;
}

absl::StatusOr<LayerKind> KindOf(const std::string& name, OperationCall& call) {
  for (const char* arithmetic :
       {"Add", "Subtract", "Multiply", "TrueDivide", "Divide", "Power", "Maximum", "Minimum"}) {
    if (name == arithmetic) return Arithmetic(name, call);
  }
  if (call.operands() == 0 || !call.IsTensor(0)) return Unimplemented("it takes no tensor");
  if (name == "GetItem") {
    const Json index = call.tensorflow() ? call.Take("slice_spec") : call.constant();
    SEQ_ASSIGN_OR_RETURN(std::string text, IndexOf(index));
    return OperationLayer{.function = name, .index = std::move(text)};
  }
  for (size_t i = 0; i < call.operands(); ++i) {
    if (!call.IsTensor(i)) return Unimplemented("its operand ", i, " is a constant");
  }
  if (name == "Concatenate") {
    SEQ_ASSIGN_OR_RETURN(const int64_t axis, OneAxis(call, call.tensorflow() ? 0 : -1));
    return ConcatenateLayer{.axis = axis};
  }
  if (name == "Stack") {
    SEQ_ASSIGN_OR_RETURN(const int64_t axis, OneAxis(call, 0));
    return OperationLayer{.function = name, .axes = {axis}};
  }
  if (name == "Matmul" && call.operands() == 2 && call.IsTensor(1)) {
    if (call.Take("transpose_b") == true) return DotLayer{.axis = 2, .other_axis = 2};
    return OperationLayer{.function = name};
  }
  if (call.operands() != 1) return Unimplemented("it takes ", call.operands(), " operands");
  if (name == "Reshape") return Reshaped(call);
  if (name == "Transpose") return Transposed(call);
  if (name == "Negative") return RescalingLayer{.scale = -1};
  if (name == "Softmax") {
    SEQ_ASSIGN_OR_RETURN(const int64_t axis, OneAxis(call, -1));
    return SoftmaxLayer{.axis = axis};
  }
  if (name == "Clip") {
    const bool old = call.tensorflow();
    SEQ_ASSIGN_OR_RETURN(const double low,
                         call.NumberOf(call.Take(old ? "clip_value_min" : "x_min")));
    SEQ_ASSIGN_OR_RETURN(const double high,
                         call.NumberOf(call.Take(old ? "clip_value_max" : "x_max")));
    return OperationLayer{.function = name, .numbers = {low, high}};
  }
  if (name == "Cast" && call.Take("dtype") != "float32") {
    return Unimplemented("it makes what is no float32");
  }
  if (name == "Cast" || name == "Identity") return IdentityLayer();
  if (name == "LeakyRelu") {
    SEQ_ASSIGN_OR_RETURN(const double slope,
                         call.Real(call.tensorflow() ? "alpha" : "negative_slope", 0.2));
    return LeakyReLULayer{.negative_slope = slope};
  }
  if (name == "Elu") {
    SEQ_ASSIGN_OR_RETURN(const double alpha, call.Real("alpha", 1));
    return ELULayer{.alpha = alpha};
  }
  if (name == "Gelu") {
    const Json approximate = call.Take("approximate");
    const bool by_tanh = approximate.is_null() ? !call.tensorflow() : approximate == true;
    if (by_tanh) return OperationLayer{.function = name};
    return ActivationLayer{.activation = "gelu"};
  }
  return Plain(name, call);
}

OrderedJson IndexJson(const std::string& index) {
  const auto bound = [](const std::optional<int64_t>& number) {
    return number.has_value() ? OrderedJson(*number) : OrderedJson();
  };
  OrderedJson items = OrderedJson::array();
  const std::vector<IndexPlace> places = *ParseIndex(index);
  for (const IndexPlace& place : places) {
    OrderedJson item = bound(place.begin);  // null: a new axis
    if (place.kind == IndexPlace::Kind::kSlice) {
      const OrderedJson bounds = {
          {"start", bound(place.begin)}, {"stop", bound(place.end)}, {"step", bound(place.stride)}};
      item = {{"class_name", "__slice__"}, {"config", bounds}};
    } else if (place.kind == IndexPlace::Kind::kEllipsis) {
      item = {{"class_name", "__ellipsis__"}, {"config", OrderedJson::object()}};
    }
    items.push_back(std::move(item));
  }
  return items;
}

// The numbers of an array as lists of lists, row by row.
OrderedJson NestedLists(const OperationLayer& operation) {
  std::vector<OrderedJson> items(operation.numbers.begin(), operation.numbers.end());
  for (size_t axis = operation.shape.size(); axis-- > 0;) {
    const auto extent = static_cast<size_t>(operation.shape[axis]);
    std::vector<OrderedJson> lists;
    for (size_t i = 0; i + extent <= items.size(); i += extent) {
      OrderedJson list = OrderedJson::array();
      for (size_t k = 0; k < extent; ++k) list.push_back(std::move(items[i + k]));
      lists.push_back(std::move(list));
    }
    items = std::move(lists);
  }
  return items[0];
}

}  // namespace

absl::StatusOr<LayerKind> ReadOperation(const Json& entry, EntryCall* call) {
  std::string name = ClassName(entry);
  std::string shown = name;
  if (IsTensorFlowFunction(entry)) {
    name.clear();
    const Json& config = entry.contains("config") ? entry["config"] : entry;
    if (config.is_object() && config.contains("function") && config["function"].is_string()) {
      shown = config["function"].get<std::string>();
    }
    for (const FunctionName& row : kFunctionNames) {
      if (shown == row.tensorflow) name = row.keras;
    }
  }
  const std::string where = absl::StrCat("operation ", shown, " (", NameOf(entry), ")");
  OperationCall operands;
  SEQ_RETURN_IF_ERROR(Annotate(operands.Read(entry, call), where));
  absl::StatusOr<LayerKind> kind = KindOf(name, operands);
  if (!kind.ok()) return Annotate(kind.status(), where);
  // What Keras 3 has among the settings of every operation.
  operands.Take("dtype");
  operands.Take("trainable");
  SEQ_RETURN_IF_ERROR(Annotate(operands.Finish(), where));
  return kind;
}

OrderedJson OperationJson(const Layer& layer) {
  const OperationLayer operation = *As<OperationLayer>(layer.kind);
  const OperationFacts& facts = *FindOperation(operation.function);
  OrderedJson config = {{"name", layer.name}};
  const auto axes = [&]() -> OrderedJson {
    if (operation.axes.empty()) return {};
    return operation.axes.size() == 1 ? OrderedJson(operation.axes[0])
                                      : OrderedJson(operation.axes);
  };
  switch (facts.takes) {
    case OperationTakes::kReducedAxes:
      config["axis"] = axes();
      config["keepdims"] = operation.keepdims;
      break;
    case OperationTakes::kAxis:
    case OperationTakes::kTensors:
      config["axis"] = axes();
      break;
    case OperationTakes::kTwoAxes:
      config["axis1"] = operation.axes[0];
      config["axis2"] = operation.axes[1];
      break;
    case OperationTakes::kLimits:
      config["x_min"] = operation.numbers[0];
      config["x_max"] = operation.numbers[1];
      break;
    default:
      break;
  }
  OrderedJson json = ClassJson(absl::StrCat("keras.src.ops.", facts.module).c_str(),
                               operation.function, std::move(config), Dialect::kKeras3);
  json["registered_name"] = operation.function;
  return json;
}

OrderedJson OperationArguments(const Layer& layer, OrderedJson tensors) {
  const OperationLayer operation = *As<OperationLayer>(layer.kind);
  if (!operation.shape.empty()) {
    OrderedJson array = {{"class_name", "__numpy__"},
                         {"config", {{"value", NestedLists(operation)}, {"dtype", "float32"}}}};
    return operation.first ? OrderedJson::array({std::move(array), tensors[0]})
                           : OrderedJson::array({tensors[0], std::move(array)});
  }
  switch (FindOperation(operation.function)->takes) {
    case OperationTakes::kTensors:
      return OrderedJson::array({std::move(tensors)});
    case OperationTakes::kArray:
      return tensors;
    case OperationTakes::kNumber:
      tensors.push_back(operation.numbers[0]);
      return tensors;
    case OperationTakes::kNumberFirst:
      return OrderedJson::array({operation.numbers[0], tensors[0]});
    case OperationTakes::kIndex:
      tensors.push_back(IndexJson(operation.index));
      return tensors;
    default:
      return tensors;
  }
}

}  // namespace seqgraph::keras
