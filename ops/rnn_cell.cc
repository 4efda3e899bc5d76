#include "ops/rnn_cell.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "graph/gradient.h"
#include "graph/status_macros.h"
#include "ops/activation_math.h"
#include "ops/examples.h"
#include "ops/matrix_loops.h"
#include "ops/recurrence.h"
#include "ops/recurrence_samples.h"
#include "ops/shape_rules.h"

namespace seqgraph::ops {
namespace {

// Attributes: activation. Inputs: RecurrenceInput, for both ops.

// Shape rules.

// C1 to C6, which both ops have.
absl::Status CheckOperands(const ShapeContext& c) {
  const Shape &x = c.shape(kX), &u = c.shape(kU);
  if (x.rank() != 3 || x[1].is_batch() || x[1].size() < 1) {
    return Violation("C1", "x must be [batch, time, features] with time at least 1, got ",
                     x.ToString());
  }
  if (u.rank() != 2 || u[0] != u[1]) {
    return Violation("C2", "u must be [units, units], got ", u.ToString());
  }
  const Dim units = u[0];
  if (c.has_input(kW)) {
    SEQ_RETURN_IF_ERROR(
        CheckShape("C3", "w", c.shape(kW), "shape [features, units]", Shape{x[2], units}));
  } else {
    SEQ_RETURN_IF_ERROR(CheckShape("C4", "x, which is already projected where w is absent,", x,
                                   "shape [batch, time, units]", Shape{x[0], x[1], units}));
  }
  if (c.has_input(kB)) {
    SEQ_RETURN_IF_ERROR(CheckShape("C5", "b", c.shape(kB), "shape [units]", Shape{units}));
  }
  if (c.has_input(kH0)) {
    SEQ_RETURN_IF_ERROR(
        CheckShape("C6", "h0", c.shape(kH0), "shape [batch, units]", Shape{x[0], units}));
  }
  return absl::OkStatus();
}

Types RNNCellShape(const ShapeContext& c) {
  SEQ_RETURN_IF_ERROR(CheckOperands(c));
  const Shape& x = c.shape(kX);
  const Dim units = c.shape(kU)[0];
  const DType real = c.real();
  return std::vector<TensorType>{{real, Shape{x[0], x[1], units}}, {real, Shape{x[0], units}}};
}

Types RNNCellGradShape(const ShapeContext& c) {
  SEQ_RETURN_IF_ERROR(CheckOperands(c));
  const Shape& x = c.shape(kX);
  const Dim units = c.shape(kU)[0];
  const Shape sequence{x[0], x[1], units}, last{x[0], units};
  SEQ_RETURN_IF_ERROR(
      CheckShape("C7", "sequence", c.shape(kSequence), "shape [batch, time, units]", sequence));
  if (!c.has_input(kDSequence) && !c.has_input(kDLast)) {
    return Violation("C8", "d_sequence or d_last must be there");
  }
  if (c.has_input(kDSequence)) {
    SEQ_RETURN_IF_ERROR(CheckShape("C9", "d_sequence", c.shape(kDSequence),
                                   "shape [batch, time, units]", sequence));
  }
  if (c.has_input(kDLast)) {
    SEQ_RETURN_IF_ERROR(CheckShape("C10", "d_last", c.shape(kDLast), "shape [batch, units]", last));
  }
  const DType real = c.real();
  const Shape dw = c.has_input(kW) ? c.shape(kW) : Shape{0, units};
  return std::vector<TensorType>{
      {real, x}, {real, dw}, {real, c.shape(kU)}, {real, Shape{units}}, {real, last}};
}

// Reference computation.

template <typename T>
absl::Status ComputeRNNCell(const ReferenceContext& c) {
  const Recurrence<T> r(c);
  const auto sequence = c.output<T>(0), last = c.output<T>(1);
  const int64_t time = r.time(), units = r.units();
  std::vector<T> states(2 * units);  // two states in turn, where nobody wants the sequence
  for (int64_t n = 0; n < r.batch(); ++n) {
    const T* h = r.h0_row(n);
    for (int64_t t = 0; t < time; ++t) {
      T* next = sequence ? sequence.data + (n * time + t) * units : states.data() + t % 2 * units;
      PreActivation(r, n, t, h, next);
      for (int64_t j = 0; j < units; ++j) next[j] = Activate(r.activation, next[j]);
      h = next;
    }
    if (last) std::copy_n(h, units, last.data + n * units);
  }
  return absl::OkStatus();
}

template <typename T>
absl::Status ComputeRNNCellGrad(const ReferenceContext& c) {
  const Recurrence<T> r(c);
  const auto sequence = c.input<T>(kSequence);
  const auto d_sequence = c.input<T>(kDSequence), d_last = c.input<T>(kDLast);
  const RecurrenceGradients<T> grad(c);
  const int64_t time = r.time(), units = r.units();
  std::vector<T> dh(units), dz(units);
  for (int64_t n = 0; n < r.batch(); ++n) {
    // dh: what step t gets from what comes after it.
    std::fill(dh.begin(), dh.end(), T{0});
    if (d_last) std::copy_n(d_last.data + n * units, units, dh.data());
    for (int64_t t = time - 1; t >= 0; --t) {
      const int64_t row = (n * time + t) * units;
      const T* h = sequence.data + row;
      if (d_sequence) AddVector(d_sequence.data + row, units, dh.data());
      for (int64_t j = 0; j < units; ++j) dz[j] = dh[j] * SlopeFromOutput(r.activation, h[j]);
      AddStep(r, n, t, t > 0 ? h - units : r.h0_row(n), dz.data(), grad);
      MatrixTimesVector(r.u.data, dz.data(), units, units, dh.data());
    }
    if (grad.dh0) std::copy_n(dh.data(), units, grad.dh0.data + n * units);
  }
  return absl::OkStatus();
}

// Costs.

double NumStates(const CostContext& c) { return c.dim(kX, 0) * c.dim(kX, 1) * c.dim(kU, 0); }

// Elements h_{t-1} that are multiplied by u: without h0, the first step has none.
double NumPreviousStates(const CostContext& c) {
  return c.dim(kX, 0) * (c.dim(kX, 1) - !c.has_input(kH0)) * c.dim(kU, 0);
}

OpCost RNNCellCost(const CostContext& c) {
  const double projection = c.has_input(kW) ? 2 * c.dim(kW, 0) : 0;
  return c.Moving(NumStates(c) * (projection + c.has_input(kB) + 1) +
                  NumPreviousStates(c) * 2 * c.dim(kU, 0));
}

OpCost RNNCellGradCost(const CostContext& c) {
  const bool has_w = c.has_input(kW);
  const bool dx = c.uses_output(0), dw = c.uses_output(1), du = c.uses_output(2);
  const bool db = c.uses_output(3), dh0 = c.uses_output(4);
  const double units = c.dim(kU, 0), batch = c.dim(kX, 0), time = c.dim(kX, 1);
  const double slope = c.attributes().GetString("activation") == "relu" ? 1 : 3;
  const double projection = has_w ? 2 * c.dim(kW, 0) * (dx + dw) : 0;
  const double steps_back = time - !dh0;  // dz·uᵀ: at t = 0 only for dh0
  OpCost cost = c.Moving(NumStates(c) * (slope + c.has_input(kDSequence) + projection + db) +
                             batch * steps_back * 2 * units * units +
                             (du ? NumPreviousStates(c) * 2 * units : 0),
                         {kSequence, kDSequence, kDLast});
  if (has_w && dw) cost.bytes_read += c.input_bytes(kX);
  if (has_w && dx) cost.bytes_read += c.input_bytes(kW);
  if (steps_back > 0) cost.bytes_read += c.input_bytes(kU);
  if (du) cost.bytes_read += c.input_bytes(kH0);
  return cost;
}

// Gradient rule. (RNNCellGrad has none.)

absl::Status RNNCellGradient(GradientContext& c) {
  const RNNCellGradOutputs grad =
      RNNCellGrad(c.builder(), {.x = c.input(kX),
                                .w = c.input(kW),
                                .u = c.input(kU),
                                .bias = c.input(kB),
                                .initial_state = c.input(kH0),
                                .sequence = c.output(0),
                                .d_sequence = c.output_gradient(0),
                                .d_last = c.output_gradient(1),
                                .activation = c.attributes().GetString("activation")});
  c.SetInputGradient(kX, grad.dx);
  if (c.input(kW).present()) c.SetInputGradient(kW, grad.dw);
  c.SetInputGradient(kU, grad.du);
  c.SetInputGradient(kB, grad.db);
  c.SetInputGradient(kH0, grad.dh0);
  return absl::OkStatus();
}

// Samples.

// A random use of RNNCell with its sequence. Weights are below 1 / sqrt(units), so that nothing
// grows over time; relu stays away from its kink (drawn again with less and less distance asked).
OpSample RNNCellSampleWithSequence(SampleSource& source, Tensor* sequence) {
  const std::string activation = source.OneOf<std::string>({"tanh", "relu", "sigmoid"});
  const int64_t batch = source.Dimension(), time = source.Dimension();
  const int64_t units = source.Dimension();
  const bool projected = source.Coin(), has_bias = source.Coin(), has_state = source.Coin();
  const int64_t features = projected ? units : source.Dimension();
  const double u_limit = 1 / std::sqrt(units), w_limit = 1 / std::sqrt(features);
  for (double gap = 1e-3;; gap /= 2) {
    OpSample sample;
    sample.attributes.Set("activation", activation);
    sample.inputs.resize(5);
    sample.inputs[kX] = source.Reals({batch, time, features});
    if (!projected) sample.inputs[kW] = source.Reals({features, units}, -w_limit, w_limit);
    sample.inputs[kU] = source.Reals({units, units}, -u_limit, u_limit);
    if (has_bias) sample.inputs[kB] = source.Reals({units}, -0.5, 0.5);
    if (has_state) sample.inputs[kH0] = source.Reals({batch, units});
    double kink_distance = 0;
    *sequence = RunRNNCellSample(sample, &kink_distance);
    if (activation != "relu" || kink_distance >= gap) return sample;
  }
}

OpSample RNNCellSample(SampleSource& source) {
  Tensor sequence;
  return RNNCellSampleWithSequence(source, &sequence);
}

OpSample RNNCellGradSample(SampleSource& source) {
  Tensor sequence;
  OpSample sample = RNNCellSampleWithSequence(source, &sequence);
  const Shape shape = sequence.shape();
  sample.inputs.resize(8);
  sample.inputs[kSequence] = std::move(sequence);
  const int64_t which = source.Int(1, 3);
  if (which & 1) sample.inputs[kDSequence] = source.Reals(shape);
  if (which & 2) sample.inputs[kDLast] = source.Reals({shape[0], shape[2]});
  return sample;
}

// Definitions: what both ops have.

OpDef RecurrenceDef(std::string name, std::string doc) {
  return OpDef(std::move(name), 1)
      .Doc(std::move(doc))
      .Input({.name = "x", .doc = "[batch, time, features]; without w [batch, time, units]"})
      .Input({.name = "w",
              .doc = "[features, units]; absent: x is already projected",
              .optional = true})
      .Input({.name = "u", .doc = "[units, units]"})
      .Input({.name = "b", .doc = "[units]; absent: zero", .optional = true})
      .Input({.name = "h0", .doc = "[batch, units]; absent: zero", .optional = true})
      .Attribute({.name = "activation",
                  .kind = AttributeKind::kString,
                  .default_value = "tanh",
                  .doc = "act",
                  .one_of = {"tanh", "relu", "sigmoid"}})
      .Constrain("C1", "x is [batch, time, features] with time at least 1")
      .Constrain("C2", "u is [units, units]")
      .Constrain("C3", "w is [features, units]")
      .Constrain("C4", "without w, x is [batch, time, units]")
      .Constrain("C5", "b is [units]")
      .Constrain("C6", "h0 is [batch, units]");
}

// Rejections of C1 to C6; `rest` are valid further inputs for batch 2, time 4, units 5.
void RejectOperands(OpDef& op, const std::vector<std::optional<TensorType>>& rest) {
  using Operands = std::vector<std::optional<TensorType>>;
  const TensorType x = RealType({2, 4, 3}), w = RealType({3, 5}), u = RealType({5, 5});
  const std::vector<std::pair<std::string, Operands>> rows = {
      {"C1", {RealType({2, 3}), w, u, {}, {}}},
      {"C1", {RealType({2, 0, 3}), w, u, {}, {}}},
      {"C1", {RealType({2, Dim::Batch(), 3}), w, u, {}, {}}},
      {"C2", {x, w, RealType({5, 4}), {}, {}}},
      {"C2", {x, w, RealType({5}), {}, {}}},
      {"C3", {x, RealType({5, 3}), u, {}, {}}},
      {"C3", {x, RealType({3, 4}), u, {}, {}}},
      {"C4", {x, {}, u, {}, {}}},
      {"C5", {x, w, u, RealType({1, 5}), {}}},
      {"C5", {x, w, u, RealType({3}), {}}},
      {"C6", {x, w, u, {}, RealType({5})}},
      {"C6", {x, w, u, {}, RealType({5, 2})}},
  };
  for (auto [label, operands] : rows) {
    operands.insert(operands.end(), rest.begin(), rest.end());
    op.Reject({label, {}, std::move(operands)});
  }
}

}  // namespace

OpDef RNNCellOp() {
  OpDef op =
      RecurrenceDef("RNNCell",
                    "h_t = act(x_t·w + h_{t-1}·u + b) for t = 0 .. time-1, from h_{-1} = h0: the "
                    "simple recurrent layer.")
          .Output({.name = "sequence", .doc = "h_0 .. h_{time-1}: [batch, time, units]"})
          .Output({.name = "last", .doc = "h_{time-1}: [batch, units]"})
          .Shapes(RNNCellShape)
          .Reference(ComputeRNNCell<float>, ComputeRNNCell<double>)
          .Gradient(RNNCellGradient)
          .Cost(
              "FLOPs: for each element of sequence, 2 features (0 without w), 2 units (not at t = "
              "0 "
              "without h0), 1 for b, 1 for act.",
              RNNCellCost)
          .Example({"tanh_with_everything",
                    {},
                    {Reals({1, 2, 1}, {1, -2}), Reals({1, 2}, {0.5, -0.25}),
                     Reals({2, 2}, {0.1, 0.2, -0.3, 0.4}), Reals({2}, {0.05, -0.1}),
                     Reals({1, 2}, {0.5, -1})},
                    {Reals({1, 2, 2}, {0.7162978701990245, -0.5716699660851173, -0.6087098504320699,
                                       0.3046084531795543}),
                     Reals({1, 2}, {-0.6087098504320699, 0.3046084531795543})}})
          .Example({"relu_with_bias",
                    {{"activation", "relu"}},
                    {Reals({1, 3, 1}, {1, -2, 3}),
                     Reals({1, 1}, {2}),
                     Reals({1, 1}, {0.5}),
                     Reals({1}, {1}),
                     {}},
                    {Reals({1, 3, 1}, {3, 0, 7}), Reals({1, 1}, {7})}})
          .Example({"sigmoid_already_projected",
                    {{"activation", "sigmoid"}},
                    {Reals({1, 2, 2}, {1, -1, 0.5, 2}),
                     {},
                     Reals({2, 2}, {0.1, 0.2, -0.3, 0.4}),
                     {},
                     {}},
                    {Reals({1, 2, 2}, {0.7310585786300049, 0.2689414213699951, 0.6206771644600164,
                                       0.904976804177071}),
                     Reals({1, 2}, {0.6206771644600164, 0.904976804177071})}})
          .Samples(RNNCellSample);
  RejectOperands(op, {});
  return op;
}

OpDef RNNCellGradOp() {
  const TensorType x = RealType({2, 4, 3}), w = RealType({3, 5}), u = RealType({5, 5});
  const TensorType sequence = RealType({2, 4, 5}), last = RealType({2, 5});
  OpDef op =
      RecurrenceDef("RNNCellGrad",
                    "The gradients of RNNCell, from t = time-1 down to 0: dz_t = (d_sequence_t + "
                    "dz_{t+1}·uᵀ) act'(z_t), where d_last is added at t = time-1; dx_t = dz_t·wᵀ, "
                    "dw = sum of x_tᵀ·dz_t, du = sum of h_{t-1}ᵀ·dz_t, db = sum of dz_t, "
                    "dh0 = dz_0·uᵀ. act' is computed from h.")
          .Input({.name = "sequence", .doc = "the output of RNNCell: [batch, time, units]"})
          .Input({.name = "d_sequence",
                  .doc = "the gradient of sequence; absent: zero",
                  .optional = true})
          .Input({.name = "d_last",
                  .doc = "the gradient of last, [batch, units]; absent: zero",
                  .optional = true})
          .Output({.name = "dx", .doc = "the shape of x"})
          .Output({.name = "dw", .doc = "the shape of w; [0, units] without w"})
          .Output({.name = "du", .doc = "[units, units]"})
          .Output({.name = "db", .doc = "[units]"})
          .Output({.name = "dh0", .doc = "[batch, units]"})
          .Constrain("C7", "sequence is [batch, time, units]")
          .Constrain("C8", "d_sequence or d_last is there")
          .Constrain("C9", "d_sequence is [batch, time, units]")
          .Constrain("C10", "d_last is [batch, units]")
          .Shapes(RNNCellGradShape)
          .Reject({"C7", {}, {x, w, u, {}, {}, RealType({4, 2, 5}), sequence, last}})
          .Reject({"C8", {}, {x, w, u, {}, {}, sequence, {}, {}}})
          .Reject({"C9", {}, {x, w, u, {}, {}, sequence, RealType({2, 4, 3}), last}})
          .Reject({"C10", {}, {x, w, u, {}, {}, sequence, sequence, RealType({2, 1, 5})}})
          .Reference(ComputeRNNCellGrad<float>, ComputeRNNCellGrad<double>)
          .Cost(
              "FLOPs: for each element of sequence, 3 for dz (1 with relu), 1 for d_sequence, 2 "
              "units for dz·uᵀ (at t = 0 only for dh0), 2 features for dx and 2 features for dw (0 "
              "without w), 2 units for du (not at t = 0 without h0), 1 for db. x is read for dw "
              "only, w for dx only, h0 for du only, b never.",
              RNNCellGradCost)
          .Example(
              {"tanh_with_everything",
               {},
               {Reals({1, 2, 1}, {1, -2}), Reals({1, 2}, {0.5, -0.25}),
                Reals({2, 2}, {0.1, 0.2, -0.3, 0.4}), Reals({2}, {0.05, -0.1}),
                Reals({1, 2}, {0.5, -1}), Reals({1, 2, 2}, {0.5, -0.5, 0.25, 0.75}),
                Reals({1, 2, 2}, {1, 2, -1, 0.5}), Reals({1, 2}, {0.5, -2})},
               {Reals({1, 2, 1}, {-0.0439453125, -0.0703125}),
                Reals({1, 2}, {1.55390625, 2.72109375}),
                Reals({2, 2}, {0.073828125, 0.376171875, -0.38203125, -1.08046875}),
                Reals({2}, {0.14765625, 0.75234375}), Reals({1, 2}, {0.343359375, 0.378515625})}})
          .Example(
              {"relu_already_projected_last_only",
               {{"activation", "relu"}},
               {Reals({1, 2, 2}, {0, 0, 0, 0}),
                {},
                Reals({2, 2}, {2, -1, 1, 3}),
                {},
                {},
                Reals({1, 2, 2}, {1, 2, 0, 4}),
                {},
                Reals({1, 2}, {10, 20})},
               {Reals({1, 2, 2}, {-20, 60, 0, 20}), Reals({0, 2}, {}),
                Reals({2, 2}, {0, 20, 0, 40}), Reals({2}, {-20, 80}), Reals({1, 2}, {-100, 160})}})
          .Example({"sigmoid_sequence_only",
                    {{"activation", "sigmoid"}},
                    {Reals({1, 1, 1}, {2}),
                     Reals({1, 1}, {3}),
                     Reals({1, 1}, {5}),
                     {},
                     {},
                     Reals({1, 1, 1}, {0.5}),
                     Reals({1, 1, 1}, {8}),
                     {}},
                    {Reals({1, 1, 1}, {6}), Reals({1, 1}, {4}), Reals({1, 1}, {0}), Reals({1}, {2}),
                     Reals({1, 1}, {10})}})
          .Samples(RNNCellGradSample);
  RejectOperands(op, {sequence, {}, last});
  return op;
}

RNNCellOutputs RNNCell(FunctionBuilder& g, Value x, Value w, Value u,
                       const RNNCellOptions& options) {
  const std::vector<Value> outputs =
      g.AddNode("RNNCell", {x, w, u, options.bias, options.initial_state},
                {{"activation", options.activation}}, options.name);
  return {.sequence = outputs[0], .last = outputs[1]};
}

RNNCellGradOutputs RNNCellGrad(FunctionBuilder& g, const RNNCellGradInputs& in) {
  const std::vector<Value> outputs = g.AddNode(
      "RNNCellGrad",
      {in.x, in.w, in.u, in.bias, in.initial_state, in.sequence, in.d_sequence, in.d_last},
      {{"activation", in.activation}}, in.name);
  return {
      .dx = outputs[0], .dw = outputs[1], .du = outputs[2], .db = outputs[3], .dh0 = outputs[4]};
}

}  // namespace seqgraph::ops
