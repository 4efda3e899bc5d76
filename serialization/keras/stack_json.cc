#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "layers/layer_emission.h"
#include "layers/operation.h"
#include "serialization/keras/operation_config.h"
#include "serialization/keras/stack_config.h"

namespace seqgraph::keras {
namespace {

bool IsOperation(const Layer& layer) { return layer.kind.class_name == OperationLayer::kClass; }

// The batch and the time where they are fixed, and the other extents.
OrderedJson InputShape(const TensorType& type, bool open_time = false) {
  OrderedJson shape = OrderedJson::array();
  for (const Dim dim : type.shape.dims()) {
    const bool open = dim.is_batch() || (open_time && shape.size() == 1);
    open ? shape.push_back(nullptr) : shape.push_back(dim.size());
  }
  return shape;
}

const char* TypeName(const TensorType& type) {
  return type.dtype == DType::kInt32 ? "int32" : "float32";
}

OrderedJson InputJson(const std::string& name, const TensorType& type, bool open_time,
                      Dialect dialect) {
  OrderedJson input;
  input[dialect == Dialect::kKeras2 ? "batch_input_shape" : "batch_shape"] =
      InputShape(type, open_time);
  input["dtype"] = TypeName(type);
  input["sparse"] = false;
  input["name"] = name;
  return ClassJson("keras.layers", "InputLayer", std::move(input), dialect);
}

// A graph as a Functional model.
class GraphWriter {
 public:
  GraphWriter(const LayerStack& stack, const LayerRegistry& registry, Dialect dialect)
      : stack_(stack), registry_(registry), dialect_(dialect), inputs_(InputsOf(stack)) {}

  absl::StatusOr<OrderedJson> Write() {
    SEQ_ASSIGN_OR_RETURN(emitted_, DescribeStack(stack_, registry_));
    std::vector<OrderedJson> nodes(stack_.layers.size(), OrderedJson::array());
    std::vector<int> called(stack_.layers.size());
    for (const LayerCall& call : stack_.calls) {
      SEQ_RETURN_IF_ERROR(CheckMasks(call));
      number_.push_back(called[call.layer]++);
      nodes[call.layer].push_back(NodeJson(call));
    }
    OrderedJson layers = OrderedJson::array();
    for (const int i : KerasOrder(stack_)) {
      const std::string& name = i < 0 ? inputs_[-1 - i].name : stack_.layers[i].name;
      OrderedJson entry;
      if (i < 0) {
        const LayerInput& input = inputs_[-1 - i];
        entry = InputJson(name, InputType(input), input.open_time, dialect_);
      } else {
        SEQ_ASSIGN_OR_RETURN(entry, Entry(stack_.layers[i]));
      }
      entry["name"] = name;
      entry["inbound_nodes"] = i < 0 ? OrderedJson::array() : std::move(nodes[i]);
      layers.push_back(std::move(entry));
    }
    std::vector<LayerValue> inputs;
    for (size_t i = 0; i < inputs_.size(); ++i) inputs.push_back({.output = static_cast<int>(i)});
    OrderedJson config = {{"name", stack_.name}, {"trainable", true}};
    config["layers"] = std::move(layers);
    config["input_layers"] = Refs(inputs);
    config["output_layers"] = Refs(stack_.outputs);
    OrderedJson json =
        ClassJson("keras.src.models.functional", "Functional", std::move(config), dialect_);
    if (dialect_ == Dialect::kKeras3) json["registered_name"] = "Functional";
    return json;
  }

 private:
  absl::StatusOr<OrderedJson> Entry(const Layer& layer) const {
    if (!IsOperation(layer)) return LayerJson(layer, registry_, dialect_);
    if (dialect_ == Dialect::kKeras3) return OperationJson(layer);
    return Unimplemented("layer ", layer.name,
                         ": it is an operation on tensors, which only .keras ",
                         "files hold, no layout of .h5 (--h5_layout)");
  }

  // Versions differ in what they do with masks: that the one that reads it does the same.
  absl::Status CheckMasks(const LayerCall& call) const {
    const Layer& layer = stack_.layers[call.layer];
    if (call.masks == CallMasks::kDropped) {
      return Unimplemented("layer ", layer.name,
                           ": it was an operation on tensors, at which masks ",
                           "end; a layer of Keras would hand them on");
    }
    if (call.inputs.size() < 2) return absl::OkStatus();
    const bool keras2 = dialect_ == Dialect::kKeras2;
    const auto mask = [this](const LayerValue& value) {
      return value.call < 0 ? Value() : emitted_.calls[value.call][value.output].mask;
    };
    bool differs = false;
    if (registry_.Find(layer.kind.class_name)->keras.takes_states) {
      differs = mask(call.inputs[0]).present() && keras2 == (call.masks == CallMasks::kIgnored);
    } else {
      for (const LayerValue& value : call.inputs) {
        differs |=
            mask(value) != mask(call.inputs[0]) && keras2 != (call.masks == CallMasks::kKeras2);
      }
    }
    if (!differs) return absl::OkStatus();
    return Unimplemented("layer ", layer.name, ": Keras ", keras2 ? 2 : 3,
                         " would take the masks of its inputs otherwise than this model; a .h5 "
                         "file in the layout of Keras ",
                         keras2 ? 3 : 2, " keeps it (--h5_layout)");
  }

  OrderedJson Ref(const LayerValue& value) const {
    if (value.call < 0) return {inputs_[value.output].name, 0, 0};
    const LayerCall& call = stack_.calls[value.call];
    return {stack_.layers[call.layer].name, number_[value.call], value.output};
  }

  // Keras 3 writes one without a list around it.
  OrderedJson Refs(const std::vector<LayerValue>& values) const {
    if (values.size() == 1 && dialect_ != Dialect::kKeras2) return Ref(values[0]);
    OrderedJson refs = OrderedJson::array();
    for (const LayerValue& value : values) refs.push_back(Ref(value));
    return refs;
  }

  OrderedJson TensorJson(const LayerValue& value) const {
    const TensorType type = value.call < 0 ? InputType(inputs_[value.output])
                                           : emitted_.calls[value.call][value.output].type;
    const OrderedJson config = {
        {"shape", InputShape(type)}, {"dtype", TypeName(type)}, {"keras_history", Ref(value)}};
    return {{"class_name", "__keras_tensor__"}, {"config", config}};
  }

  OrderedJson NodeJson(const LayerCall& call) const {
    OrderedJson values = OrderedJson::array();
    for (const LayerValue& value : call.inputs) {
      if (dialect_ != Dialect::kKeras2) {
        values.push_back(TensorJson(value));
        continue;
      }
      values.push_back(Ref(value));
      values.back().push_back(OrderedJson::object());
    }
    if (dialect_ == Dialect::kKeras2) return values;
    const LayerDef& def = *registry_.Find(stack_.layers[call.layer].kind.class_name);
    OrderedJson arguments = OrderedJson::array(), named = OrderedJson::object();
    if (def.keras.operation) {
      arguments = OperationArguments(stack_.layers[call.layer], std::move(values));
    } else if (def.most_inputs == 1) {
      arguments = std::move(values);
    } else if (!def.keras.takes_states) {
      arguments.push_back(std::move(values));
    } else {
      arguments.push_back(values[0]);
      values.erase(0);
      if (!values.empty()) named["initial_state"] = std::move(values);
    }
    return {{"args", std::move(arguments)}, {"kwargs", std::move(named)}};
  }

  const LayerStack& stack_;
  const LayerRegistry& registry_;
  const Dialect dialect_;
  const std::vector<LayerInput> inputs_;
  EmittedStack emitted_;
  std::vector<int> number_;  // of each call among those of its layer
};

}  // namespace

absl::StatusOr<OrderedJson> StackJson(const LayerStack& stack, const LayerRegistry& registry,
                                      Dialect dialect) {
  if (stack.is_graph()) return GraphWriter(stack, registry, dialect).Write();
  if (std::any_of(stack.layers.begin(), stack.layers.end(), IsOperation)) {
    LayerStack graph = stack;
    graph.calls = CallsOf(stack);
    graph.outputs = OutputsOf(stack);
    return GraphWriter(graph, registry, dialect).Write();
  }
  SEQ_ASSIGN_OR_RETURN(const EmittedStack emitted, DescribeStack(stack, registry));
  const bool keras2 = dialect == Dialect::kKeras2;
  // What Keras does not have stands in front of its input.
  const bool outside = !emitted.layers[0].def->keras.exists;
  const TensorType type = outside ? emitted.layers[0].output : InputType(stack.input);
  OrderedJson layers = OrderedJson::array();
  layers.push_back(InputJson("input_layer", type, stack.input.open_time, dialect));
  for (const Layer& layer : stack.layers) {
    if (outside && &layer == &stack.layers[0]) continue;
    SEQ_ASSIGN_OR_RETURN(layers.emplace_back(), LayerJson(layer, registry, dialect));
  }
  OrderedJson config;
  config["name"] = stack.name;
  if (!keras2) {
    config["trainable"] = true;
    config["dtype"] = "float32";
  }
  config["layers"] = std::move(layers);
  if (!keras2) config["build_input_shape"] = InputShape(type, stack.input.open_time);
  return ClassJson("keras", "Sequential", std::move(config), dialect);
}

}  // namespace seqgraph::keras
