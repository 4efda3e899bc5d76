#pragma once

// An op is a value: everything known about it is gathered in one OpDef.
//
//   OpDef SigmoidOp() {
//     return OpDef("Sigmoid", /*version=*/1)
//         .Doc("y = 1 / (1 + exp(-x)), element by element.")
//         .Input({.name = "x", .doc = "any shape"})
//         .Output({.name = "y", .doc = "shape of x"})
//         .Shapes(SameAsInput(0))
//         .Reference(ComputeSigmoid<float>, ComputeSigmoid<double>)
//         .Gradient(SigmoidGradient)
//         .Bound(ElementaryBound())
//         .Example({...})
//         .Samples(SigmoidSample);
//   }

#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "graph/attributes.h"
#include "graph/cost.h"
#include "graph/elementwise_program.h"
#include "graph/error_bound.h"
#include "graph/shape.h"
#include "graph/tensor.h"

namespace seqgraph {

class GradientContext;  // graph/gradient.h
class StepContext;      // graph/stepping.h

/// Which element types an input or output takes. All kReal operands of one node have one type.
enum class TypeRule {
  kReal,     ///< float32, or float64 when the whole function is evaluated in double
  kIndex,    ///< int32
  kCounter,  ///< int64
  /// Any element type; the op's shape rule says how those of one node agree. A gradient reaches
  /// such an operand where it is real.
  kNumber,
};

/// True if a gradient can reach an operand of that rule.
constexpr bool MayBeReal(TypeRule rule) {
  return rule == TypeRule::kReal || rule == TypeRule::kNumber;
}

struct InputDef {
  std::string name;
  TypeRule type = TypeRule::kReal;
  std::string doc;
  bool optional = false;
  /// False where the derivative does not exist or is never wanted (indices, labels, state).
  bool differentiable = true;
  /// The version of the op that brought it; an input that is not of the oldest is optional and
  /// last.
  int since = 1;
  /// kIndex: the elements are in [0, n), where n is the attribute of this name or else the first
  /// extent of the input of this name. Empty: the op says otherwise.
  std::string below;
  /// True where the elements are not read: the outputs do not depend on them, whatever they depend
  /// on themselves, and no gradient passes.
  bool shape_only = false;
};

struct OutputDef {
  std::string name;
  TypeRule type = TypeRule::kReal;
  std::string doc;
};

struct AttributeDef {
  std::string name;
  AttributeKind kind = AttributeKind::kInt;
  /// Absent: the attribute must be given.
  std::optional<AttributeValue> default_value;
  std::string doc;
  /// For kString: the texts allowed; empty: any.
  std::vector<std::string> one_of;
  /// The version of the op that brought it; one that is not of the oldest has a default.
  int since = 1;
};

/// What a shape rule sees: the types of the inputs that are there, and the attributes.
class ShapeContext {
 public:
  ShapeContext(absl::Span<const std::optional<TensorType>> inputs, const Attributes& attributes)
      : inputs_(inputs), attributes_(attributes) {}

  int num_inputs() const { return static_cast<int>(inputs_.size()); }
  bool has_input(int i) const { return inputs_[i].has_value(); }
  const TensorType& type(int i) const { return *inputs_[i]; }
  const Shape& shape(int i) const { return inputs_[i]->shape; }
  const Attributes& attributes() const { return attributes_; }
  /// The float type of the node: that of its first real input; float32 if it has none.
  DType real() const;
  /// True if the node has a real input.
  bool has_real() const;

 private:
  absl::Span<const std::optional<TensorType>> inputs_;
  const Attributes& attributes_;
};

/// Gives the types of all outputs, or InvalidArgument with a message that begins with the label of
/// the violated constraint: "C2: w must be [features, units], got [3]". Op and node are added by
/// the caller.
using ShapeRule = std::function<absl::StatusOr<std::vector<TensorType>>(const ShapeContext&)>;

/// What a reference computation sees. All shapes are static and already proven by the shape rule.
class ReferenceContext {
 public:
  struct Operand {
    void* data = nullptr;  // null: absent input or unused output
    const TensorType* type = nullptr;

    /// An input, which computations read through const views only. `tensor` must outlive it.
    static Operand Of(const Tensor& tensor) {
      return {const_cast<void*>(tensor.data()), &tensor.type()};
    }
  };
  ReferenceContext(absl::Span<const Operand> inputs, absl::Span<const Operand> outputs,
                   const Attributes& attributes)
      : inputs_(inputs), outputs_(outputs), attributes_(attributes) {}

  template <typename T>
  TensorView<const T> input(int i) const {
    return View<const T, T>(inputs_[i]);
  }
  /// The elements hold nothing before the computation writes them, except that an output declared
  /// InPlace may be the very memory of its input.
  template <typename T>
  TensorView<T> output(int i) const {
    return View<T, T>(outputs_[i]);
  }
  /// For what moves elements of any type.
  std::byte* output_data(int i) const { return static_cast<std::byte*>(outputs_[i].data); }
  const Attributes& attributes() const { return attributes_; }
  /// Only for an input that is there.
  const TensorType& input_type(int i) const { return *inputs_[i].type; }
  const TensorType& output_type(int i) const { return *outputs_[i].type; }
  /// The float type of the node: that of its first real input, else of its first real output;
  /// float32 if there is none.
  DType real() const;

 private:
  template <typename Element, typename T>
  static TensorView<Element> View(const Operand& operand) {
    if (operand.data == nullptr) return {};
    SEQ_CHECK(operand.type->dtype == DTypeOf<T>);
    return {static_cast<Element*>(operand.data), operand.type->shape};
  }
  absl::Span<const Operand> inputs_;
  absl::Span<const Operand> outputs_;
  const Attributes& attributes_;
};

/// Computes the outputs. A data-dependent fault (an index out of range) is an InvalidArgument that
/// names input, position and value.
using ReferenceFunction = std::function<absl::Status(const ReferenceContext&)>;

/// Emits the nodes that compute the gradients of the node's inputs; see graph/gradient.h.
using GradientRule = std::function<absl::Status(GradientContext&)>;

/// Emits the nodes that give the node's outputs a few steps at a time; see graph/stepping.h.
using StepRule = std::function<absl::Status(StepContext&)>;

/// Inputs with the outputs worked out by hand. Nullopt: an absent input, an output not compared.
struct OpExample {
  std::string name;  ///< lower_snake_case, unique within the op
  Attributes attributes;
  OptionalTensors inputs;
  OptionalTensors outputs;
  /// Worked out by hand too, for float32 and with all outputs used.
  std::optional<OpCost> cost = std::nullopt;
};

/// Inputs that a constraint must reject.
struct OpRejection {
  std::string constraint;  ///< label: "C1"
  Attributes attributes;
  std::vector<std::optional<TensorType>> inputs;
};

/// A random valid use of an op: what registry-wide tests (gradients, backends against the
/// reference, fuzzing, benchmarks) run. Reals are float64 and are rounded where a test needs float.
struct OpSample {
  Attributes attributes;
  OptionalTensors inputs;
};

/// Random source of a sampler. Draws only what is the same on every machine.
class SampleSource {
 public:
  explicit SampleSource(uint64_t seed, int64_t max_dim = 5) : rng_(seed), max_dim_(max_dim) {}

  /// Uniform in [low, high].
  int64_t Int(int64_t low, int64_t high);
  /// An extent in [1, max_dim].
  int64_t Dimension() { return Int(1, max_dim_); }
  bool Coin() { return Int(0, 1) == 1; }
  /// Uniform in [low, high).
  double Real(double low, double high);
  /// Float64 elements uniform in [low, high).
  Tensor Reals(const Shape& shape, double low = -1, double high = 1);
  /// As Reals, but with |x| >= gap: away from the kink of relu.
  Tensor RealsAwayFromZero(const Shape& shape, double gap = 0.05);
  /// Int32 elements uniform in [0, limit).
  Tensor Indices(const Shape& shape, int64_t limit);
  template <typename T>
  const T& OneOf(const std::vector<T>& items) {
    return items[Int(0, static_cast<int64_t>(items.size()) - 1)];
  }

 private:
  std::mt19937_64 rng_;
  int64_t max_dim_;
};
using Sampler = std::function<OpSample(SampleSource&)>;

/// Output `output` may be written into the memory of input `input` where both have the same type:
/// each element of the output depends, of that input, on the same element only, and no output
/// written later depends on that input.
struct InPlacePair {
  int output;
  int input;
};

struct Constraint {
  std::string label;  ///< "C1"
  std::string text;
};

/// An op that a program of FusedElementwise may hold.
struct FusableFacts {
  ElementwiseOp op;
  std::string constant;  ///< the attribute that is the instruction's constant; empty: it has none
};

/// An op that runs a recurrent cell over all steps, or the gradient of one. Its operands are found
/// by name: x or ids, w or table, u, b, the initial states h0 and (kLstm) c0, mask and
/// recurrent_dropout; outputs sequence, last and (kLstm) last_cell; of a gradient the inputs
/// sequence, d_sequence, d_last, d_last_cell.
struct RecurrenceFacts {
  enum class Cell { kSimple, kLstm, kGru };
  Cell cell = Cell::kSimple;
  std::string gradient_of;  ///< the op whose gradient it is; empty: it is none

  bool is_gradient() const { return !gradient_of.empty(); }
  /// w and u have this times units columns.
  int64_t gates() const { return cell == Cell::kSimple ? 1 : cell == Cell::kLstm ? 4 : 3; }
};

/// The definition of an op. Build it once by chained calls; read-only afterwards. What builds and
/// copies is not inline: it would be compiled anew in the file of every op.
class OpDef {
 public:
  OpDef(std::string name, int version);
  OpDef(const OpDef& other);
  OpDef(OpDef&& other) noexcept;
  OpDef& operator=(const OpDef& other);
  OpDef& operator=(OpDef&& other) noexcept;
  ~OpDef();

  /// Nodes of versions from `oldest` on mean the same in this one. What was added since bears its
  /// version (`since`).
  OpDef& CompatibleFrom(int oldest) { return oldest_version_ = oldest, *this; }
  /// Nodes of versions from `oldest` up to before CompatibleFrom can be rewritten as nodes of this
  /// version: `upgrade` changes their attributes, or says what is wrong with them. For readers of
  /// files; also called for nodes that state no version.
  OpDef& Upgrades(int oldest, std::function<absl::Status(Attributes&)> upgrade);
  OpDef& Doc(std::string text);
  OpDef& Input(InputDef def);
  OpDef& Output(OutputDef def);
  OpDef& Attribute(AttributeDef def);
  OpDef& Attribute(std::string name, AttributeKind kind, std::string doc);
  /// One that may be left out.
  OpDef& Attribute(std::string name, AttributeValue default_value, std::string doc);
  OpDef& Shapes(ShapeRule rule);
  OpDef& Reference(ReferenceFunction in_float, ReferenceFunction in_double);
  /// One that looks at the element types itself.
  OpDef& Reference(ReferenceFunction any);
  /// Without a rule, asking for a gradient through the op is an error that names it.
  OpDef& Gradient(GradientRule rule);
  /// Without a rule the op takes no value that comes step by step. graph/step_rules.h has common
  /// ones.
  OpDef& Steps(StepRule rule);
  /// Says that two nodes with equal attributes and inputs need not give the same (random numbers,
  /// state of its own): no pass merges them or computes them beforehand.
  OpDef& Impure() { return pure_ = false, *this; }
  /// What a use of the op takes (graph/cost.h), with the formula in words for the documentation.
  /// Without a rule: one FLOP for each element of the outputs, and every input is read.
  OpDef& Cost(std::string formula, CostRule rule);
  /// How far a float32 result may be from that of the definition in float64. Asked for real outputs
  /// only: others must be equal.
  OpDef& Bound(BoundRule rule);
  /// Says that each element of the outputs is an element, unchanged, of an input that has the type
  /// rule of the first output, and that attributes and inputs of other rules say which. Implies an
  /// exact bound.
  OpDef& Moves();
  /// Says that a fused program may compute it, as this instruction.
  OpDef& Fusable(ElementwiseOp op, std::string constant = "");
  OpDef& Recurrent(RecurrenceFacts facts);
  OpDef& InPlace(InPlacePair pair);
  /// Constraints are in the order of their labels.
  OpDef& Constrain(std::string label, std::string text);
  /// A constraint with its check, after the shape rule: "" or how it is violated.
  OpDef& Require(std::string label, std::string text,
                 std::function<std::string(const ShapeContext&)> violation);
  /// After all inputs; trailing absent ones may be left out.
  OpDef& Example(OpExample example);
  /// As Example.
  OpDef& Reject(OpRejection rejection);
  /// More of them, which are made when they are asked for.
  OpDef& RejectAlso(std::function<std::vector<OpRejection>(const OpDef&)> rejections);
  /// What several ops have: add(*this).
  template <typename F>
  OpDef& With(const F& add) {
    return add(*this), *this;
  }
  OpDef& Samples(Sampler sampler);

  const std::string& name() const { return name_; }
  int version() const { return version_; }
  int oldest_version() const { return oldest_version_; }
  /// The oldest version whose nodes a reader can have.
  int oldest_readable() const { return upgrade_ ? oldest_upgraded_ : oldest_version_; }
  /// What a reader does first: makes a node's attributes, which are those of version `version` of
  /// the op (0: not said), those of a version that this one is compatible with. FailedPrecondition
  /// for a version that is not readable, else the errors of Upgrades.
  absl::Status UpgradeAttributes(int version, Attributes& attributes) const;
  const std::string& doc() const { return doc_; }
  const std::vector<InputDef>& inputs() const { return inputs_; }
  const std::vector<OutputDef>& outputs() const { return outputs_; }
  const std::vector<AttributeDef>& attributes() const { return attributes_; }
  const ShapeRule& shape_rule() const { return shape_rule_; }
  /// The computation in the context's own real type.
  absl::Status Compute(const ReferenceContext& context) const {
    return reference(context.real())(context);
  }
  /// The computation for nodes whose real type is `real`.
  const ReferenceFunction& reference(DType real) const {
    return real == DType::kFloat64 ? reference_double_ : reference_float_;
  }
  const GradientRule& gradient_rule() const { return gradient_rule_; }
  const StepRule& step_rule() const { return step_rule_; }
  bool pure() const { return pure_; }
  const std::string& cost_formula() const { return cost_formula_; }
  bool has_cost_rule() const { return cost_rule_ != nullptr; }
  /// Nothing where no output is used.
  OpCost CostOf(const CostContext& context) const;
  const BoundRule& bound_rule() const { return bound_rule_; }
  /// The bounds of the outputs, one each; that of an output that is not wanted is empty, and of one
  /// that is not real 0. Elements that are not finite do not count for a scale.
  absl::StatusOr<std::vector<ErrorBound>> BoundsOf(const Attributes& attributes,
                                                   BoundContext::Tensors inputs,
                                                   BoundContext::Tensors exact) const;
  bool moves() const { return moves_; }
  const std::optional<FusableFacts>& fusable() const { return fusable_; }
  const std::optional<RecurrenceFacts>& recurrence() const { return recurrence_; }
  const std::vector<InPlacePair>& in_place() const { return in_place_; }
  const std::vector<Constraint>& constraints() const { return constraints_; }
  const std::vector<OpExample>& examples() const { return examples_; }
  std::vector<OpRejection> rejections() const;
  const Sampler& sampler() const { return sampler_; }

  /// -1 if there is none of that name.
  int FindInput(absl::string_view name) const;
  int FindOutput(absl::string_view name) const;
  int FindAttribute(absl::string_view name) const;

  /// OK if attribute `def` may have this value: its kind, not NaN, and one of the allowed texts.
  static absl::Status CheckAttribute(const AttributeDef& def, const AttributeValue& value);
  /// Fills in defaults and checks names and values.
  absl::StatusOr<Attributes> CompleteAttributes(const Attributes& given) const;
  /// Checks count and types of the inputs, then applies the shape rule and checks what it gives:
  /// InvalidArgument for what the caller did wrong, Internal for an output whose element type is
  /// not what the definition says. `attributes` must be complete.
  absl::StatusOr<std::vector<TensorType>> InferTypes(
      absl::Span<const std::optional<TensorType>> inputs, const Attributes& attributes) const;

 private:
  absl::Status CheckOutputs(const ShapeContext& context,
                            absl::Span<const TensorType> outputs) const;

  std::string name_;
  int version_;
  int oldest_version_;
  int oldest_upgraded_ = 0;
  std::function<absl::Status(Attributes&)> upgrade_;
  std::string doc_;
  std::vector<InputDef> inputs_;
  std::vector<OutputDef> outputs_;
  std::vector<AttributeDef> attributes_;
  ShapeRule shape_rule_;
  ReferenceFunction reference_float_;
  ReferenceFunction reference_double_;
  GradientRule gradient_rule_;
  StepRule step_rule_;
  bool pure_ = true;
  std::string cost_formula_ = "FLOPs: 1 for each element of the outputs.";
  CostRule cost_rule_;
  BoundRule bound_rule_;
  bool moves_ = false;
  std::optional<FusableFacts> fusable_;
  std::optional<RecurrenceFacts> recurrence_;
  std::vector<InPlacePair> in_place_;
  std::vector<Constraint> constraints_;
  std::vector<OpExample> examples_;
  std::vector<std::pair<std::string, std::function<std::string(const ShapeContext&)>>> checks_;
  std::vector<OpRejection> rejections_;
  std::function<std::vector<OpRejection>(const OpDef&)> more_rejections_;
  Sampler sampler_;
};

}  // namespace seqgraph
