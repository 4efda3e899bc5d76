#pragma once

// A layer is a value: everything known about a class of layers is gathered in one LayerDef.
//
//   LayerDef RepeatVectorDef() {
//     return DefineLayer<RepeatVectorLayer>()
//         .Doc("[batch, features] -> [batch, n, features]: the same vector n times.")
//         .Takes(LayerTakes::kVector)
//         .Emit(EmitRepeatVector)
//         .Example({...});
//   }
//
// Files, checks, summaries, recognition, documentation and tests walk the list of definitions
// (layers/all_layers.cc) and know no class.

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "graph/layer_stack.h"
#include "graph/tensor.h"
#include "layers/layer_fields.h"

namespace seqgraph {

class LayerContext;     // layers/layer_context.h
class SampleSource;     // graph/op_def.h
class StackRecognizer;  // layers/stack_recognizer.h

/// What a layer takes.
enum class LayerTakes {
  kTokens,    ///< int32 [batch, time, ...]: only the first layer of a stack
  kNumbers,   ///< float32 [batch, ...]
  kSequence,  ///< float32 [batch, time, features]
  kSteps,     ///< float32 [batch, time, ...]
  kImage,     ///< float32 [batch, height, width, channels]
  kVector,    ///< float32 [batch, features]
};

/// Whether TimeDistributed gives a layer the inputs of all steps as one value, [batch, time, ...],
/// whose axes behind the batch it then skips (LayerContext::outer_axes).
enum class StepsAtOnce : uint8_t {
  kNever,      ///< each step is a call of its own
  kInference,  ///< in training, what it gives depends on the whole batch of a call
  kAlways,
};

/// What flows from layer to layer.
struct LayerFlow {
  Value value;
  Value mask;  ///< int32 [batch, time]; 0: a step to be left out. Absent: none is.
};

/// How a layer stands in Keras's files, where that does not follow from its fields.
struct KerasFacts {
  /// False: Keras has no such layer. It can be the first of a stack that is written for Keras,
  /// whose input is then what the layer gives.
  bool exists = true;
  std::string module = "keras.layers";  ///< where Keras has the class
  /// Its class takes no argument `trainable`.
  bool takes_trainable = true;
  /// Keys without a meaning for what the layer computes.
  std::vector<std::string> ignored;
  /// Keys that must be absent, null, false, zero or empty: what they ask for cannot be given.
  std::vector<std::string> unset;
  /// Keys that may have this one value: {key, value}.
  std::vector<std::pair<std::string, std::string>> fixed;
  /// Keys that hold the values of several fields: {key, fields}. Also one value for all of them.
  std::vector<std::pair<std::string, std::vector<std::string>>> lists;
  /// It is an operation on tensors, no layer: layers/operation.h.
  bool operation = false;
  /// What it takes behind its first input is its `initial_state`; else all inputs are one list.
  bool takes_states = false;
};

/// A layer alone with what it gives, worked out by hand.
struct LayerExample {
  std::string name;  ///< lower_snake_case, unique within the class
  LayerKind layer;
  Tensor input;
  /// Content of its weights in the order in which the layer makes them.
  std::vector<Tensor> weights;
  Tensor output;
  /// int32 [batch, time]: the mask that comes with the input; absent: none.
  std::optional<Tensor> mask;
  std::vector<Tensor> more_inputs = {};  ///< behind `input`, where it takes several
};

/// The layer found in a function, and the value that it gives.
struct RecognizedLayer {
  Layer layer;
  Value output;
};

/// Gives a name its number: "dense", "dense_1", ...
using NumberName = std::function<std::string(const std::string& name)>;

struct LayerDef {
  std::string class_name;  ///< Keras's: "SpatialDropout1D"
  std::string doc;
  LayerTakes takes = LayerTakes::kNumbers;  ///< as its first input
  /// How many inputs it may have: in a stack it is one.
  int least_inputs = 1;
  int most_inputs = 1;
  /// What it gives for a row of the last axis depends on that row alone, however many axes stand in
  /// front: distributed over time, it takes all steps at once. Then `takes` is kNumbers.
  bool row_wise = false;
  StepsAtOnce all_steps = StepsAtOnce::kNever;
  std::vector<LayerField> fields;
  KerasFacts keras;
  std::vector<LayerExample> examples;

  /// Emits the nodes; mistakes go to the builder.
  std::function<LayerFlow(LayerContext&, const LayerKind&)> emit;
  /// What single fields do not say; may be empty.
  std::function<absl::Status(const LayerKind&)> check;
  /// Fills in what follows from the other settings; may be empty.
  std::function<void(LayerKind&)> complete;
  /// Names the layers that it holds where the user did not; may be empty.
  std::function<void(LayerKind&, const NumberName&)> name_inner;
  /// The activation that comes last; nullopt: that of the layer in front. Empty: "", or that of the
  /// one layer that it holds.
  std::function<std::optional<std::string>(const LayerKind&)> last_activation;
  /// Finds the layer at the recognizer's place; nullopt: it is another one, an error: it would be
  /// this one, but for what the error says. Empty: it is not looked for.
  std::function<absl::StatusOr<std::optional<RecognizedLayer>>(StackRecognizer&)> recognize;
  /// Makes one of random settings, each within its rule, fit together; may be empty.
  std::function<void(LayerKind&, SampleSource&)> fit_sample;

  const LayerField* FindField(absl::string_view name) const;
  /// "simple_rnn": Keras's name for a layer of this class that has none.
  std::string default_name() const;
};

namespace internal_layers {

// What a definition is made of, whatever its class; compiled once, not for each layer.
class Definition {
 public:
  Definition(std::vector<LayerField> fields, std::string class_name);
  Definition(const Definition& other);
  Definition(Definition&& other) noexcept;
  ~Definition();

  LayerDef* operator->() { return def_.get(); }
  void SetKeras(const KerasFacts& facts);
  void AddExample(const LayerExample& example);
  LayerDef Take();

 private:
  std::unique_ptr<LayerDef> def_;
};

}  // namespace internal_layers

/// Builds the definition of the class that `T` holds, from functions that take a T.
template <LayerStruct T>
class DefineLayer {
 public:
  explicit DefineLayer(T prototype = {})
      : def_(FieldsOf(prototype), internal_layers::ClassName(prototype)) {}

  DefineLayer& Doc(std::string text) { return def_->doc = std::move(text), *this; }
  DefineLayer& Takes(LayerTakes takes) { return def_->takes = takes, *this; }
  DefineLayer& Inputs(int least, int most) {
    def_->least_inputs = least;
    def_->most_inputs = most;
    return *this;
  }
  DefineLayer& RowWise() { return def_->row_wise = true, *this; }
  DefineLayer& AllSteps(StepsAtOnce steps) { return def_->all_steps = steps, *this; }
  DefineLayer& Keras(const KerasFacts& facts) { return def_.SetKeras(facts), *this; }
  DefineLayer& Example(const LayerExample& example) { return def_.AddExample(example), *this; }
  /// LayerFlow emit(LayerContext&, const T&), and the like.
  template <typename F>
  DefineLayer& Emit(F emit) {
    def_->emit = [emit](LayerContext& c, const LayerKind& kind) { return emit(c, *As<T>(kind)); };
    return *this;
  }
  DefineLayer& Check(absl::Status (*check)(const T&)) {
    def_->check = [check](const LayerKind& kind) { return check(*As<T>(kind)); };
    return *this;
  }
  DefineLayer& Complete(void (*complete)(T&)) { return def_->complete = Changing(complete), *this; }
  DefineLayer& NameInner(void (*name)(T&, const NumberName&)) {
    return def_->name_inner = Changing(name), *this;
  }
  template <typename F>
  DefineLayer& LastActivation(F last) {
    def_->last_activation = [last](const LayerKind& kind) { return last(*As<T>(kind)); };
    return *this;
  }
  /// What comes last is what the layer in front applied.
  DefineLayer& LastActivationInFront() {
    def_->last_activation = [](const LayerKind&) { return std::nullopt; };
    return *this;
  }
  DefineLayer& Recognize(
      std::function<absl::StatusOr<std::optional<RecognizedLayer>>(StackRecognizer&)> recognize) {
    return def_->recognize = std::move(recognize), *this;
  }
  DefineLayer& FitSample(void (*fit)(T&, SampleSource&)) {
    return def_->fit_sample = Changing(fit), *this;
  }

  operator LayerDef() && { return def_.Take(); }
  operator LayerDef() & { return def_.Take(); }

 private:
  template <typename... Arguments>
  static std::function<void(LayerKind&, Arguments...)> Changing(void (*change)(T&, Arguments...)) {
    return [change](LayerKind& kind, Arguments... arguments) {
      T layer = *As<T>(kind);
      change(layer, arguments...);
      kind = layer;
    };
  }

  internal_layers::Definition def_;
};

/// The classes of layers that stacks may have, in the order in which they were added.
class LayerRegistry {
 public:
  /// InvalidArgument for a definition without class, doc, emission or example, with two fields of
  /// one name or a default that its rule does not allow; AlreadyExists for a second one of its
  /// class.
  absl::Status Register(LayerDef def);
  /// Null if there is none.
  const LayerDef* Find(absl::string_view class_name) const;
  /// InvalidArgument lists those that there are.
  absl::StatusOr<const LayerDef*> Get(absl::string_view class_name) const;
  const std::deque<LayerDef>& all() const { return defs_; }

 private:
  std::deque<LayerDef> defs_;
};

/// OK if the layer is of a class in the registry and its settings, with those of the layers that it
/// holds, make sense by themselves. InvalidArgument names the setting.
absl::Status CheckLayer(const LayerKind& layer, const LayerRegistry& registry);

/// CheckLayer() for all layers, whose names must differ, and the extents of the input.
absl::Status CheckStack(const LayerStack& stack, const LayerRegistry& registry);

/// The layers that `layer` holds, with the names of the fields that hold them.
std::vector<std::pair<std::string, Layer>> InnerLayers(const LayerKind& layer);

/// Whether it takes tokens: itself, or the first of the layers that it holds.
bool TakesTokens(const LayerKind& layer, const LayerRegistry& registry);

/// Settings that are drawn at random, each within its rule, for tests of all classes. Extents are
/// small.
LayerKind SampleLayer(const LayerDef& def, const LayerRegistry& registry, SampleSource& random);

}  // namespace seqgraph
