#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "graph/function_builder.h"
#include "layers/layer_def.h"

namespace seqgraph {

/// The counters of dropout masks: int64 scalars, as ops::DropoutMask takes them.
struct DropoutCounters {
  Value seed;
  Value step;
};

/// Changes the starting content of a weight, after its initializer.
using AmendStart = void (*)(absl::Span<float> content);

/// A variable of a layer.
struct LayerWeight {
  std::string variable;  ///< "simple_rnn/recurrent_kernel"
  Shape shape;
  bool trainable = true;
  bool state = false;  ///< it goes from batch to batch and is no weight: Keras's files have none
  Regularizer regularizer;
  AmendStart amend_start = nullptr;
  /// In Keras's ".h5": what follows the layer's name, "simple_rnn_cell/recurrent_kernel".
  std::string path;
  /// In ".weights.h5": what follows the layer's group, "cell/vars/1".
  std::string store;
};

/// What a layer became in a function.
struct EmittedLayer {
  const LayerDef* def = nullptr;
  std::string name;
  TensorType output;
  std::vector<LayerWeight> weights;  ///< in Keras's order
  /// Whole numbers that Keras's files have behind the weights, without a variable: nothing reads
  /// them.
  std::vector<LayerWeight> counts;
  /// Groups that ".weights.h5" has for this layer, with the name that Keras notes in them.
  struct Store {
    std::string path;  ///< "cell/vars"
    std::string name;  ///< "simple_rnn_cell"
  };
  std::vector<Store> stores;
};

/// What is common to all layers of a stack while it is emitted.
struct EmissionState {
  FunctionBuilder& g;
  const LayerRegistry& registry;
  std::optional<DropoutCounters> dropout;
  DType real = DType::kFloat32;  ///< float64: to be evaluated in double
  int64_t stream = 0;            ///< of the next dropout mask
  bool drops = false;            ///< whether a layer would draw random numbers in training
  bool updates = false;          ///< whether a layer would update statistics in training
  /// What states and statistics become, in the order in which layers said so. A layer that is
  /// called again begins with it, as Keras's variables do.
  std::vector<std::pair<std::string, Value>> updated = {};
  /// The steps that values consist of, where they were made one by one.
  std::map<Value, std::vector<Value>> steps = {};
};

/// What the emission of one layer sees.
class LayerContext {
 public:
  /// `layer` collects what it becomes; `prefix` is what its weights are called after; `inner` and
  /// `store` are what Keras's files have in front of the weights of a layer within another.
  LayerContext(EmissionState& state, LayerFlow input, bool trainable, std::string prefix,
               std::string inner, std::string store, EmittedLayer& layer);

  FunctionBuilder& g() { return state_.g; }
  /// Of the layer, and of the node that gives its output: "bidirectional/forward_lstm".
  const std::string& name() const { return prefix_; }
  /// "<name>/<part>", for its other nodes.
  std::string Part(absl::string_view part) const;
  Value x() const { return input_.value; }
  /// What it is given behind x: for layers that take several.
  const std::vector<LayerFlow>& more() const { return more_; }
  CallMasks masks() const { return masks_; }
  void set_more(std::vector<LayerFlow> more, CallMasks masks = CallMasks::kKeras3) {
    more_ = std::move(more);
    masks_ = masks;
  }
  /// What it gives behind what its emission returns: the states of a recurrent layer.
  const std::vector<LayerFlow>& also_given() const { return also_given_; }
  void AlsoGive(Value value) { AlsoGive(LayerFlow{value, {}}); }
  void AlsoGive(LayerFlow output) { also_given_.push_back(output); }
  Value mask() const { return input_.mask; }
  const TensorType& type() const { return state_.g.type(input_.value); }
  /// The type of weights and of what flows.
  DType real() const { return state_.real; }
  /// How many axes of x lie between the batch and what the layer takes: those of the steps that
  /// TimeDistributed gives it at once (LayerDef::all_steps).
  int outer_axes() const { return outer_axes_; }
  /// Extent of the last axis of x.
  int64_t features() const { return type().shape.back().size(); }

  /// The steps [batch, ...] of x [batch, time, ...], in their order.
  std::vector<Value> Steps();
  /// [batch, time, ...] of steps [batch, ...], of which there must be one or more.
  Value Join(const std::vector<Value>& steps, const std::string& name);

  /// The same layer, given another input.
  LayerContext With(LayerFlow input) const {
    LayerContext other = *this;
    other.input_ = input;
    return other;
  }
  /// The same mask behind another value; no mask.
  LayerFlow Pass(Value value) const { return {value, input_.mask}; }
  LayerFlow Drop(Value value) const { return {value, {}}; }

  /// A weight "<name>/<part>" in Keras's order.
  Value Weight(absl::string_view part, Shape shape, const Initializer& initializer,
               const Regularizer& regularizer = {}, AmendStart amend_start = nullptr);
  /// A weight that no gradient reaches: training updates it by Update().
  Value Statistic(absl::string_view part, Shape shape, const Initializer& initializer);
  /// A weight that stays as it is.
  Value Fixed(absl::string_view part, Shape shape, const Initializer& initializer);
  /// What Keras's files have behind the weights, without a meaning here: a whole number.
  void Count(absl::string_view part);
  /// Weights from here on lie in this group of Keras's files.
  void EnterGroup(absl::string_view store, absl::string_view name);
  /// A state "<name>/<part>" [batch, units] that a call begins with; zero at first. The batch must
  /// be fixed.
  Value State(absl::string_view part, int64_t units);
  /// What the next call begins with: of a state, or in training of a statistic.
  void Update(absl::string_view part, Value value);

  /// Whether this is a step of training, and the layer not frozen.
  bool training() const { return state_.dropout.has_value() && trainable_; }
  /// x with elements dropped, in training.
  Value Dropout(Value x, double rate);
  /// x [batch, time, features] with the same features dropped in all steps, in training.
  Value DropForAllSteps(Value x, double rate, const std::string& name);
  /// Normal random numbers of the shape of x; absent outside training and for stddev 0.
  Value Noise(double mean, double stddev, const std::string& name);
  /// Factors of dropout of this shape, in which -1 is the batch; absent outside training.
  Value DropoutFactors(double rate, std::vector<int64_t> shape, const std::string& name);

  const LayerRegistry& registry() const { return state_.registry; }
  /// For a layer that this one holds. Its weights are named after both; `store` is what Keras's
  /// files call the field.
  LayerContext Inner(const Layer& layer, const std::string& store, LayerFlow input);
  /// For a layer that takes the inputs of all steps at once: one axis more is not its own.
  LayerContext OverSteps() const {
    LayerContext other = *this;
    ++other.outer_axes_;
    return other;
  }
  /// Emits it, which must give one value of one.
  LayerFlow EmitInner(const Layer& layer, const std::string& store, LayerFlow input);
  /// The same for each of several values, with the same weights.
  std::vector<Value> EmitInnerForEach(const Layer& layer, const std::string& store,
                                      const std::vector<Value>& inputs);
  const LayerDef& DefOf(const Layer& layer) const;

  /// The mistake, with the layer's name.
  void Fail(absl::string_view why);

 private:
  int NumberInGroup() const;
  Value Begun(absl::string_view part, Value stored) const;
  Value AddWeight(absl::string_view part, Shape shape, const Initializer& initializer,
                  bool trainable, const Regularizer& regularizer, AmendStart amend_start);

  EmissionState& state_;
  LayerFlow input_;
  std::vector<LayerFlow> more_;
  CallMasks masks_ = CallMasks::kKeras3;
  std::vector<LayerFlow> also_given_;
  bool trainable_;
  int outer_axes_ = 0;
  std::string prefix_;
  std::string path_;   // in ".h5", in front of the next weight
  std::string inner_;  // that of a layer within another
  std::string store_;  // in ".weights.h5"
  std::string group_;  // "<store>vars" of the next weight
  EmittedLayer* layer_;
};

/// Checks that the input is what the class takes, and emits the layer: for stacks and wrappers.
LayerFlow EmitLayer(LayerContext& context, const LayerDef& def, const LayerKind& layer);

/// Names of the layers that another one holds, as Keras's files number them: by their classes, in
/// the order in which they are asked for: "dense", "lstm", "dense_1".
class NumberedNames {
 public:
  std::string Next(const LayerKind& kind);

 private:
  std::map<std::string, int> used_;
};

}  // namespace seqgraph
