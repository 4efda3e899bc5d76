#include "ops/recurrent_def.h"

#include <cmath>
#include <optional>
#include <utility>

#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "ops/examples.h"
#include "ops/recurrent_bound.h"

namespace seqgraph::ops {
namespace {

using Operands = std::vector<std::optional<TensorType>>;

std::string Label(int number) { return absl::StrCat("C", number); }

// "units", "4 units".
std::string Columns(const RecurrentOperands& kind) {
  return kind.gates() == 1 ? "units" : absl::StrCat(kind.gates(), " units");
}

absl::Status CheckMasks(const RecurrentOperands& kind, const ShapeContext& c, Dim columns) {
  const Shape& x = c.shape(kX);
  if (c.has_input(kind.mask)) {
    SEQ_RETURN_IF_ERROR(
        CheckShape("C7", "mask", c.shape(kind.mask), "shape [batch, time]", Shape{x[0], x[1]}));
  }
  if (c.has_input(kind.dropout)) {
    SEQ_RETURN_IF_ERROR(CheckShape("C8", "recurrent_dropout", c.shape(kind.dropout),
                                   absl::StrCat("shape [batch, ", Columns(kind), "]"),
                                   Shape{x[0], columns}));
  }
  return absl::OkStatus();
}

void Reject(OpDef& op, const std::string& label, Operands operands, int input,
            std::optional<TensorType> type) {
  operands[input] = std::move(type);
  op.Reject({label, {}, std::move(operands)});
}

}  // namespace

absl::Status CheckRecurrentOperands(const RecurrentOperands& kind, const ShapeContext& c,
                                    const Shape& bias, absl::string_view bias_text) {
  const Shape &x = c.shape(kX), &u = c.shape(kU);
  if (x.rank() != 3 || x[1].is_batch() || x[1].size() < 1) {
    return Violation("C1", "x must be [batch, time, features] with time at least 1, got ",
                     x.ToString());
  }
  if (u.rank() != 2 || !u.is_static() || u[0].size() * kind.gates() != u[1].size()) {
    return Violation("C2", "u must be [units, ", Columns(kind), "], got ", u.ToString());
  }
  const Dim units = u[0], columns = u[1];
  if (c.has_input(kW)) {
    SEQ_RETURN_IF_ERROR(CheckShape("C3", "w", c.shape(kW),
                                   absl::StrCat("shape [features, ", Columns(kind), "]"),
                                   Shape{x[2], columns}));
  } else {
    SEQ_RETURN_IF_ERROR(CheckShape("C4", "x, which is already projected where w is absent,", x,
                                   absl::StrCat("shape [batch, time, ", Columns(kind), "]"),
                                   Shape{x[0], x[1], columns}));
  }
  if (c.has_input(kB)) {
    SEQ_RETURN_IF_ERROR(
        CheckShape("C5", "b", c.shape(kB), absl::StrCat("shape ", bias_text), bias));
  }
  if (c.has_input(kH0)) {
    SEQ_RETURN_IF_ERROR(
        CheckShape("C6", "h0", c.shape(kH0), "shape [batch, units]", Shape{x[0], units}));
  }
  return CheckMasks(kind, c, columns);
}

Shape SequenceShape(const ShapeContext& c) {
  const Shape& x = c.shape(kX);
  return Shape{x[0], x[1], c.shape(kU)[0]};
}

Shape StateShape(const ShapeContext& c) { return Shape{c.shape(kX)[0], c.shape(kU)[0]}; }

Shape WeightGradientShape(const ShapeContext& c) {
  return c.has_input(kW) ? c.shape(kW) : Shape{0, c.shape(kU)[1]};
}

absl::Status CheckGradientOperands(const ShapeContext& c, int sequence, bool has_cell, int label) {
  const int d_sequence = sequence + 1, d_last = sequence + 2, d_last_cell = sequence + 3;
  SEQ_RETURN_IF_ERROR(CheckShape(Label(label), "sequence", c.shape(sequence),
                                 "shape [batch, time, units]", SequenceShape(c)));
  const bool cell = has_cell && c.has_input(d_last_cell);
  if (!c.has_input(d_sequence) && !c.has_input(d_last) && !cell) {
    return Violation(Label(label + 1), "d_sequence or d_last", has_cell ? " or d_last_cell" : "",
                     " must be there");
  }
  if (c.has_input(d_sequence)) {
    SEQ_RETURN_IF_ERROR(CheckShape(Label(label + 2), "d_sequence", c.shape(d_sequence),
                                   "shape [batch, time, units]", SequenceShape(c)));
  }
  if (c.has_input(d_last)) {
    SEQ_RETURN_IF_ERROR(CheckShape(Label(label + 3), "d_last", c.shape(d_last),
                                   "shape [batch, units]", StateShape(c)));
  }
  if (!cell) return absl::OkStatus();
  return CheckShape(Label(label + 3), "d_last_cell", c.shape(d_last_cell), "shape [batch, units]",
                    StateShape(c));
}

OpDef RecurrentDef(const RecurrentOperands& kind, std::string name, std::string doc,
                   std::string bias_doc) {
  const std::string columns = Columns(kind);
  const std::string gradient_of(absl::StripSuffix(name, "Grad"));
  const bool gradient = gradient_of.size() < name.size();
  return OpDef(std::move(name), kind.version)
      .CompatibleFrom(1)
      .Recurrent({.cell = kind.cell, .gradient_of = gradient ? gradient_of : ""})
      .Bound(gradient ? RecurrentGradBound() : RecurrentBound())
      .Doc(std::move(doc))
      .Input(
          {.name = "x",
           .doc = absl::StrCat("[batch, time, features]; without w [batch, time, ", columns, "]")})
      .Input({.name = "w",
              .doc = absl::StrCat("[features, ", columns, "]; absent: x is already projected"),
              .optional = true})
      .Input({.name = "u", .doc = absl::StrCat("[units, ", columns, "]")})
      .Input({.name = "b", .doc = bias_doc + "; absent: zero", .optional = true})
      .Input({.name = "h0", .doc = "[batch, units]; absent: zero", .optional = true})
      .Attribute({.name = "activation",
                  .kind = AttributeKind::kString,
                  .default_value = "tanh",
                  .doc = "act",
                  .one_of = {"tanh", "relu", "sigmoid"}})
      .Attribute({.name = "reverse",
                  .kind = AttributeKind::kBool,
                  .default_value = false,
                  .doc = "go from t = time-1 down to 0; the sequence keeps the order of x, and "
                         "last is the state after t = 0",
                  .since = kind.masks_since})
      .Constrain("C1", "x is [batch, time, features] with time at least 1")
      .Constrain("C2", absl::StrCat("u is [units, ", columns, "]"))
      .Constrain("C3", absl::StrCat("w is [features, ", columns, "]"))
      .Constrain("C4", absl::StrCat("without w, x is [batch, time, ", columns, "]"))
      .Constrain("C5", absl::StrCat("b is ", bias_doc))
      .Constrain("C6", "h0 is [batch, units]")
      .Constrain("C7", "mask is [batch, time]")
      .Constrain("C8", absl::StrCat("recurrent_dropout is [batch, ", columns, "]"));
}

void AddMaskInputs(OpDef& op, const RecurrentOperands& kind) {
  op.Input({.name = "mask",
            .type = TypeRule::kIndex,
            .doc = "[batch, time]; 0: a masked step keeps the state, and its output repeats the "
                   "one before (zero where none came before); absent: no step is masked",
            .optional = true,
            .differentiable = false,
            .since = kind.masks_since})
      .Input({.name = "recurrent_dropout",
              .doc = absl::StrCat(
                  "[batch, ", Columns(kind), "]: multiplies h_{t-1} on its way into u",
                  kind.gates() > 1 ? ", for each gate by its own factors" : "", "; absent: ones"),
              .optional = true,
              .differentiable = false,
              .since = kind.masks_since});
}

void AddGradientInputs(OpDef& op, bool has_cell, int label) {
  op.Input({.name = "sequence", .doc = "the output of the forward op: [batch, time, units]"})
      .Input(
          {.name = "d_sequence", .doc = "the gradient of sequence; absent: zero", .optional = true})
      .Input({.name = "d_last",
              .doc = "the gradient of last, [batch, units]; absent: zero",
              .optional = true});
  if (has_cell) {
    op.Input({.name = "d_last_cell",
              .doc = "the gradient of last_cell, [batch, units]; absent: zero",
              .optional = true});
  }
  op.Constrain(Label(label), "sequence is [batch, time, units]")
      .Constrain(Label(label + 1), has_cell ? "d_sequence, d_last or d_last_cell is there"
                                            : "d_sequence or d_last is there")
      .Constrain(Label(label + 2), "d_sequence is [batch, time, units]")
      .Constrain(Label(label + 3), has_cell ? "d_last and d_last_cell are [batch, units]"
                                            : "d_last is [batch, units]");
}

double NumStates(const CostContext& c) { return c.dim(kX, 0) * c.dim(kX, 1) * c.dim(kU, 0); }

double NumPreviousStates(const CostContext& c) {
  return c.dim(kX, 0) * (c.dim(kX, 1) - !c.has_input(kH0)) * c.dim(kU, 0);
}

double Projection(const CostContext& c) { return c.has_input(kW) ? 2 * c.dim(kW, 0) : 0; }

Operands ValidOperands(const OpDef& op, const RecurrentOperands& kind) {
  Operands valid(op.inputs().size());
  valid[kX] = RealType({2, 4, 3});
  valid[kW] = RealType({3, 5 * kind.gates()});
  valid[kU] = RealType({5, 5 * kind.gates()});
  return valid;
}

void RejectOperands(OpDef& op, const RecurrentOperands& kind, const Operands& valid) {
  const int64_t columns = 5 * kind.gates();
  Reject(op, "C1", valid, kX, RealType({2, 3}));
  Reject(op, "C1", valid, kX, RealType({2, 0, 3}));
  Reject(op, "C1", valid, kX, RealType({2, Dim::Batch(), 3}));
  Reject(op, "C2", valid, kU, RealType({5, columns - 1}));
  Reject(op, "C2", valid, kU, RealType({columns}));
  Reject(op, "C2", valid, kU, RealType({Dim::Batch(), Dim::Batch()}));
  Reject(op, "C3", valid, kW, RealType({columns, 3}));
  Reject(op, "C3", valid, kW, RealType({3, columns - 1}));
  Reject(op, "C4", valid, kW, std::nullopt);
  Reject(op, "C5", valid, kB, RealType({1, columns}));
  Reject(op, "C5", valid, kB, RealType({3}));
  Reject(op, "C6", valid, kH0, RealType({5}));
  Reject(op, "C6", valid, kH0, RealType({5, 2}));
  Reject(op, "C7", valid, kind.mask, IndexType({2}));
  Reject(op, "C7", valid, kind.mask, IndexType({4, 2}));
  Reject(op, "C8", valid, kind.dropout, RealType({columns}));
  Reject(op, "C8", valid, kind.dropout, RealType({2, columns + 1}));
}

void RejectGradientOperands(OpDef& op, int sequence, bool has_cell, const Operands& valid,
                            int label) {
  Reject(op, Label(label), valid, sequence, RealType({4, 2, 5}));
  Operands none = valid;
  for (int i = 1; i <= 2 + has_cell; ++i) none[sequence + i] = std::nullopt;
  op.Reject({Label(label + 1), {}, none});
  Reject(op, Label(label + 2), valid, sequence + 1, RealType({2, 4, 3}));
  Reject(op, Label(label + 3), valid, sequence + 2, RealType({2, 1, 5}));
  if (has_cell) Reject(op, Label(label + 3), valid, sequence + 3, RealType({5, 2}));
}

Tensor RunSample(const OpSample& sample,
                 const std::function<void(const ReferenceContext& c)>& compute) {
  std::vector<ReferenceContext::Operand> inputs(sample.inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (sample.inputs[i].has_value()) {
      inputs[i] = ReferenceContext::Operand::Of(*sample.inputs[i]);
    }
  }
  const Shape &x = sample.inputs[kX]->shape(), &u = sample.inputs[kU]->shape();
  const TensorType type{DType::kFloat64, Shape{x[0], x[1], u[0]}};
  Tensor sequence = *Tensor::Zeros(type);
  const ReferenceContext::Operand output{sequence.data(), &type};
  compute(ReferenceContext(inputs, {&output, 1}, sample.attributes));
  return sequence;
}

OpSample RecurrentSample(SampleSource& source, const RecurrentOperands& kind, int num_inputs,
                         const std::function<void(OpSample&)>& add, const SampleRun& run,
                         Tensor* sequence) {
  const std::string activation = source.OneOf<std::string>({"tanh", "tanh", "relu", "sigmoid"});
  const int64_t batch = source.Dimension(), time = source.Dimension();
  const int64_t units = source.Dimension(), columns = kind.gates() * units;
  const bool projected = source.Coin(), has_state = source.Coin(), reverse = source.Coin();
  const bool has_mask = source.Coin(), has_dropout = source.Int(0, 3) == 0;
  const int64_t features = projected ? columns : source.Dimension();
  const double u_limit = 1 / std::sqrt(units), w_limit = 1 / std::sqrt(features);
  for (double gap = 1e-3;; gap /= 2) {
    OpSample sample;
    sample.attributes.Set("activation", activation);
    sample.attributes.Set("reverse", reverse);
    sample.inputs.resize(num_inputs);
    sample.inputs[kX] = source.Reals({batch, time, features});
    if (!projected) sample.inputs[kW] = source.Reals({features, columns}, -w_limit, w_limit);
    sample.inputs[kU] = source.Reals({units, columns}, -u_limit, u_limit);
    if (has_state) sample.inputs[kH0] = source.Reals({batch, units});
    if (has_mask) sample.inputs[kind.mask] = source.Indices({batch, time}, 3);
    if (has_dropout) sample.inputs[kind.dropout] = source.Reals({batch, columns}, 0, 1.5);
    add(sample);
    double kink_distance = 1;
    *sequence = run(sample, &kink_distance);
    if (kink_distance >= gap) return sample;
  }
}

void AddGradientSamples(SampleSource& source, int sequence_input, bool has_cell, Tensor sequence,
                        OpSample& sample) {
  const Shape shape = sequence.shape(), state{shape[0], shape[2]};
  sample.inputs[sequence_input] = std::move(sequence);
  const int64_t which = source.Int(1, has_cell ? 7 : 3);
  if (which & 1) sample.inputs[sequence_input + 1] = source.Reals(shape);
  if (which & 2) sample.inputs[sequence_input + 2] = source.Reals(state);
  if (which & 4) sample.inputs[sequence_input + 3] = source.Reals(state);
}

}  // namespace seqgraph::ops
