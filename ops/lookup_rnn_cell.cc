#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "base/status_macros.h"
#include "graph/bound_rules.h"
#include "graph/evaluate.h"
#include "graph/gradient.h"
#include "ops/examples.h"
#include "ops/index_check.h"
#include "ops/operand_shapes.h"
#include "ops/recurrence.h"
#include "ops/recurrent_bound.h"
#include "ops/recurrent_def.h"
#include "ops/rnn_cell.h"

namespace seqgraph::ops {
namespace {

// RNNCell(Embedding(ids, table), -, u, b, h0, mask) in one: a recurrent layer whose projected input
// is looked up, so that the projected sequence never exists; a pass makes it. LookupRNNCellGrad is
// RNNCellGrad without w, whose dx goes through EmbeddingGrad. An output that nobody reads costs
// nothing.

// Attributes: activation, reverse. Inputs: those of RNNCell and RNNCellGrad before dropout, but ids
// for x and table for w.
constexpr int kIds = kX, kTable = kW;
enum { kMask = 5, kDropout };
enum { kSequence = 5, kDSequence, kDLast, kGradMask };

// Reference computation: the ops that these stand for, one after the other.

// What RNNCell or RNNCellGrad gives for looked-up rows as its projected input, and the inputs from
// u to `mask`, the last one.
template <typename T>
absl::StatusOr<OptionalTensors> OnRows(const OpDef& op, const ReferenceContext& c, int mask,
                                       const std::vector<bool>& wanted) {
  const auto ids = c.input<int32_t>(kIds);
  const auto table = c.input<T>(kTable);
  SEQ_RETURN_IF_ERROR(CheckIndices("ids", ids, table.dim(0)));
  const int64_t units = table.dim(1);
  OptionalTensors inputs(op.inputs().size());
  SEQ_ASSIGN_OR_RETURN(inputs[kX],
                       Tensor::Zeros({DTypeOf<T>, Shape{ids.dim(0), ids.dim(1), units}}));
  for (int64_t i = 0; i < ids.size(); ++i) {
    std::copy_n(table.data + ids[i] * units, units, inputs[kX]->Elements<T>().data() + i * units);
  }
  const auto copy = [&](int i, auto input) {
    using Element = std::remove_const_t<std::remove_pointer_t<decltype(input.data)>>;
    if (!input) return;
    inputs[i] = Tensor::Of<Element>(input.shape, absl::MakeConstSpan(input.data, input.size()));
  };
  for (int i = kU; i < mask; ++i) copy(i, c.input<T>(i));
  copy(mask, c.input<int32_t>(mask));
  return Evaluate(op, c.attributes(), inputs, {.wanted = wanted});
}

template <typename T>
void CopyTo(TensorView<T> output, const std::optional<Tensor>& from) {
  if (output) std::copy_n(from->Elements<T>().data(), output.size(), output.data);
}

template <typename T>
absl::Status ComputeLookupRNNCell(const ReferenceContext& c) {
  static const OpDef* const kOp = new OpDef(RNNCellOp());
  const auto sequence = c.output<T>(0), last = c.output<T>(1);
  SEQ_ASSIGN_OR_RETURN(const OptionalTensors outputs,
                       OnRows<T>(*kOp, c, kMask, {bool(sequence), bool(last)}));
  CopyTo(sequence, outputs[0]);
  CopyTo(last, outputs[1]);
  return absl::OkStatus();
}

template <typename T>
absl::Status ComputeLookupRNNCellGrad(const ReferenceContext& c) {
  static const OpDef* const kOp = new OpDef(RNNCellGradOp());
  const auto dtable = c.output<T>(0), du = c.output<T>(1), db = c.output<T>(2),
             dh0 = c.output<T>(3);
  SEQ_ASSIGN_OR_RETURN(
      const OptionalTensors outputs,  // dx, dw, du, db, dh0
      OnRows<T>(*kOp, c, kGradMask, {bool(dtable), false, bool(du), bool(db), bool(dh0)}));
  CopyTo(du, outputs[2]);
  CopyTo(db, outputs[3]);
  CopyTo(dh0, outputs[4]);
  if (!dtable) return absl::OkStatus();
  const auto ids = c.input<int32_t>(kIds);
  const int64_t units = dtable.dim(1);
  std::fill_n(dtable.data, dtable.size(), T{0});
  for (int64_t i = 0; i < ids.size(); ++i) {
    AddVector(outputs[0]->Elements<T>().data() + i * units, units, dtable.data + ids[i] * units);
  }
  return absl::OkStatus();
}

// Costs.

OpCost LookupRNNCellCost(const CostContext& c) {
  OpCost cost =
      c.Moving(NumStates(c) * (c.has_input(kB) + 1) + NumPreviousStates(c) * 2 * c.dim(kU, 0),
               {kIds, kU, kB, kH0});
  cost.bytes_read += std::min(c.dim(kIds, 0) * c.dim(kIds, 1), c.dim(kTable, 0)) *
                     c.dim(kTable, 1) * sizeof(float);
  return cost;
}

OpCost LookupRNNCellGradCost(const CostContext& c) {
  const bool dtable = c.uses_output(0), du = c.uses_output(1), db = c.uses_output(2);
  const bool dh0 = c.uses_output(3);
  const double units = c.dim(kU, 0), batch = c.dim(kIds, 0), time = c.dim(kIds, 1);
  const double slope = c.attributes().GetString("activation") == "relu" ? 1 : 3;
  const double steps_back = time - !dh0;  // dz·uᵀ: at t = 0 only for dh0
  OpCost cost = c.Moving(NumStates(c) * (slope + c.has_input(kDSequence) + dtable + db) +
                             batch * steps_back * 2 * units * units +
                             (du ? NumPreviousStates(c) * 2 * units : 0),
                         {kSequence, kDSequence, kDLast});
  if (dtable) cost.bytes_read += c.input_bytes(kIds);
  if (steps_back > 0) cost.bytes_read += c.input_bytes(kU);
  if (du) cost.bytes_read += c.input_bytes(kH0);
  return cost;
}

// Error bound of dtable: each of up to n terms of a row is off by the recurrence's bound R of the
// largest dz, L, independently, and adding them by SumRoundings of their sum of magnitudes, S:
// R sqrt(n) L + SumRoundings(n) S, at least R of what dtable holds.

absl::StatusOr<ErrorBound> LookupGradBound(const BoundContext& c, int o) {
  const double incoming = LargestIncoming(c);
  if (o != 0) return RecurrentGradBound()(c, o);
  // dz, a row for each id: what the definition gives for a table in which each id has a row of its
  // own.
  const Tensor& ids = c.input(kIds);
  const int64_t n = ids.num_elements(), units = c.shape(kU)[0].size();
  std::vector<const Tensor*> inputs(c.inputs().begin(), c.inputs().end());
  Tensor own_ids = ids;
  for (int64_t i = 0; i < n; ++i) own_ids.Elements<int32_t>()[i] = static_cast<int32_t>(i);
  SEQ_ASSIGN_OR_RETURN(const Tensor own_table, Tensor::Zeros({DType::kFloat64, Shape{n, units}}));
  inputs[kIds] = &own_ids;
  inputs[kTable] = &own_table;
  SEQ_ASSIGN_OR_RETURN(const OptionalTensors rows,
                       Evaluate(c.op(), c.attributes(), inputs, {{true, false, false, false}}));
  const auto dz = rows[0]->Elements<double>();
  std::vector<double> sums(c.input(kTable).num_elements());
  for (int64_t i = 0; i < n * units; ++i) {
    const double term = std::abs(dz[i]);
    if (std::isfinite(term)) sums[ids.Elements<int32_t>()[i / units] * units + i % units] += term;
  }
  const int64_t most = std::max<int64_t>(MostRepeats(ids.Elements<int32_t>()), 1);
  const double largest = std::max(LargestFiniteMagnitude(*rows[0]), incoming);
  const double sum = sums.empty() ? 0 : *std::max_element(sums.begin(), sums.end());
  const double spread = std::max(c.LargestOutput(0), std::sqrt(most) * largest);
  ErrorBound bound = RecurrenceRoundings(c, /*backward=*/true, std::max(spread, sum),
                                         "of dtable, dz and incoming gradient");
  if (bound.scale == 0) return bound;
  bound.epsilons = (bound.epsilons * spread + SumRoundings(most) * sum) / bound.scale;
  absl::StrAppend(&bound.formula, ", by sqrt(", most, ") for as many terms of a row, and ",
                  SumRoundings(most), " eps of their sum of magnitudes");
  return bound;
}

// Samples.

// The same use as one of RNNCell on the looked-up rows.
OpSample Projected(const OpSample& sample, int mask) {
  OpSample projected = sample;
  const Shape& ids = sample.inputs[kIds]->shape();
  const int64_t units = sample.inputs[kU]->shape()[0].size();
  const auto table = sample.inputs[kTable]->Elements<double>();
  std::vector<double> x;
  for (const int32_t id : sample.inputs[kIds]->Elements<int32_t>()) {
    x.insert(x.end(), table.begin() + id * units, table.begin() + (id + 1) * units);
  }
  projected.inputs.resize(kDropout + 1);
  projected.inputs[kX] = Tensor::Of<double>(Shape{ids[0], ids[1], units}, x);
  projected.inputs[kW].reset();
  projected.inputs[kMask] = sample.inputs[mask];
  return projected;
}

// A random use of LookupRNNCell or its gradient; weights and relu's kink as for RNNCell.
OpSample Sample(SampleSource& source, bool gradient) {
  const std::string activation = source.OneOf<std::string>({"tanh", "relu", "sigmoid"});
  const int64_t batch = source.Dimension(), time = source.Dimension();
  const int64_t units = source.Dimension(), rows = source.Dimension();
  const bool has_bias = source.Coin(), has_state = source.Coin();
  const bool has_mask = source.Coin(), reverse = source.Coin();
  const int mask = gradient ? int{kGradMask} : int{kMask};
  const double limit = 1 / std::sqrt(units);
  for (double gap = 1e-3;; gap /= 2) {
    OpSample sample;
    sample.attributes.Set("activation", activation);
    sample.attributes.Set("reverse", reverse);
    sample.inputs.resize(mask + 1);
    sample.inputs[kIds] = source.Indices({batch, time}, rows);
    sample.inputs[kTable] = source.Reals({rows, units});
    sample.inputs[kU] = source.Reals({units, units}, -limit, limit);
    if (has_bias) sample.inputs[kB] = source.Reals({units}, -0.5, 0.5);
    if (has_state) sample.inputs[kH0] = source.Reals({batch, units});
    if (has_mask) sample.inputs[mask] = source.Indices({batch, time}, 3);
    double kink_distance = 1;
    Tensor sequence = RunSample(Projected(sample, mask), [&](const ReferenceContext& c) {
      const Recurrence<double> r(c, RecurrenceFacts::Cell::kSimple, kMask, kDropout);
      RunSimpleCell<double>(r, c.output<double>(0), {}, &kink_distance);
    });
    if (activation == "relu" && kink_distance < gap) continue;
    if (gradient) {
      AddGradientSamples(source, kSequence, /*has_cell=*/false, std::move(sequence), sample);
    }
    return sample;
  }
}

// Definitions: what both ops have.

OpDef LookupRecurrenceDef(std::string name, std::string doc) {
  return OpDef(std::move(name), 2)
      .CompatibleFrom(1)
      .Doc(std::move(doc))
      .Input({.name = "ids",
              .type = TypeRule::kIndex,
              .doc = "[batch, time]; each in [0, rows)",
              .differentiable = false,
              .below = "table"})
      .Input({.name = "table", .doc = "[rows, units]"})
      .Input({.name = "u", .doc = "[units, units]"})
      .Input({.name = "b", .doc = "[units]; absent: zero", .optional = true})
      .Input({.name = "h0", .doc = "[batch, units]; absent: zero", .optional = true})
      .Attribute({.name = "activation",
                  .kind = AttributeKind::kString,
                  .default_value = "tanh",
                  .doc = "act",
                  .one_of = {"tanh", "relu", "sigmoid"}})
      .Attribute({.name = "reverse",
                  .kind = AttributeKind::kBool,
                  .default_value = false,
                  .doc = "go from t = time-1 down to 0, as RNNCell does",
                  .since = 2});
}

InputDef MaskDef() {
  return {.name = "mask",
          .type = TypeRule::kIndex,
          .doc = "[batch, time]; 0: a masked step, as in RNNCell; absent: no step is masked",
          .optional = true,
          .differentiable = false,
          .since = 2};
}

// C1 to C5, which both ops have.
std::vector<ShapeConstraint> Constraints() {
  return {{"C1", {"ids"}, "time"}, {"C2", {"u"}},  {"C3", {"table"}},
          {"C4", {"b"}},           {"C5", {"h0"}}, {"C10", {"mask"}}};
}

}  // namespace

OpDef LookupRNNCellOp() {
  return LookupRecurrenceDef(
             "LookupRNNCell",
             "h_t = act(table[ids_t] + h_{t-1}·u + b) for t = 0 .. time-1, from h_{-1} = h0: "
             "RNNCell on looked-up rows that are already projected. An id that is not in "
             "[0, rows) fails the run.")
      .Input(MaskDef())
      .Output({.name = "sequence", .doc = "[batch, time, units]: h_0 .. h_{time-1}"})
      .Output({.name = "last", .doc = "[batch, units]: h_{time-1}"})
      .With(ShapesByDoc(Constraints()))
      .Reference(ComputeLookupRNNCell<float>, ComputeLookupRNNCell<double>)
      .Recurrent({.cell = RecurrenceFacts::Cell::kSimple})
      .Bound(RecurrentBound())
      .Gradient(GradientOp("LookupRNNCellGrad"))
      .Cost(
          "FLOPs: for each element of sequence, 2 units (not at t = 0 without h0), 1 for "
          "b, 1 for act. Of the table, at most one row for each id is read.",
          LookupRNNCellCost)
      .Samples([](SampleSource& source) { return Sample(source, /*gradient=*/false); })
      .Example({"relu_with_everything",
                {{"activation", "relu"}},
                {Ids({2, 2}, {1, 0, 2, 2}), Reals({3, 1}, {1, 2, -3}), Reals({1, 1}, {2}),
                 Reals({1}, {0.5}), Reals({2, 1}, {0.25, 4})},
                {Reals({2, 2, 1}, {3, 7.5, 5.5, 8.5}), Reals({2, 1}, {7.5, 8.5})}})
      .Example({"sigmoid_without_bias",
                {{"activation", "sigmoid"}},
                {Ids({1, 2}, {1, 0}),
                 Reals({2, 2}, {0.5, 2, 1, -1}),
                 Reals({2, 2}, {0.1, 0.2, -0.3, 0.4}),
                 {},
                 {}},
                {Reals({1, 2, 2}, {0.7310585786300049, 0.2689414213699951, 0.6206771644600164,
                                   0.904976804177071}),
                 Reals({1, 2}, {0.6206771644600164, 0.904976804177071})}});
}

OpDef LookupRNNCellGradOp() {
  std::vector<ShapeConstraint> constraints = Constraints();
  constraints.insert(constraints.end(),
                     {{"C6", {"sequence"}}, {"C8", {"d_sequence"}}, {"C9", {"d_last"}}});
  return LookupRecurrenceDef(
             "LookupRNNCellGrad",
             "The gradients of LookupRNNCell, from t = time-1 down to 0: dz_t = (d_sequence_t + "
             "dz_{t+1}·uᵀ) act'(z_t), where d_last is added at t = time-1; dtable[r] = sum of dz_t "
             "where ids_t = r, du = sum of h_{t-1}ᵀ·dz_t, db = sum of dz_t, dh0 = dz_0·uᵀ. act' is "
             "computed from h.")
      .With(GradientInputs(/*has_cell=*/false))
      .Input(MaskDef())
      .Output({.name = "dtable", .doc = "[rows, units]"})
      .Output({.name = "du", .doc = "[units, units]"})
      .Output({.name = "db", .doc = "[units]"})
      .Output({.name = "dh0", .doc = "[batch, units]"})
      .With(ShapesByDoc(std::move(constraints)))
      .Reference(ComputeLookupRNNCellGrad<float>, ComputeLookupRNNCellGrad<double>)
      .Recurrent({.cell = RecurrenceFacts::Cell::kSimple, .gradient_of = "LookupRNNCell"})
      .Bound(LookupGradBound)
      .Cost(
          "FLOPs: for each element of sequence, 3 for dz (1 with relu), 1 for d_sequence, 2 "
          "units for dz·uᵀ (at t = 0 only for dh0), 1 for dtable, 2 units for du (not at t = 0 "
          "without h0), 1 for db. ids are read for dtable only, h0 for du only, table and b "
          "never.",
          LookupRNNCellGradCost)
      .Reject(
          {"C7",
           {},
           {IndexType({2, 4}), RealType({7, 5}), RealType({5, 5}), {}, {}, RealType({2, 4, 5})}})
      .Samples([](SampleSource& source) { return Sample(source, /*gradient=*/true); })
      .With(RequireGradient("C7"))

      // dz_1 = (10, 20) where h > 0: (0, 20); dz_0 = dz_1·uᵀ = (-20, 60), both h > 0.
      .Example({"relu_duplicates_are_summed",
                {{"activation", "relu"}},
                {Ids({1, 2}, {2, 2}),
                 Reals({3, 2}, {0, 0, 0, 0, 0, 0}),
                 Reals({2, 2}, {2, -1, 1, 3}),
                 {},
                 {},
                 Reals({1, 2, 2}, {1, 2, 0, 4}),
                 {},
                 Reals({1, 2}, {10, 20})},
                {Reals({3, 2}, {0, 0, 0, 0, -20, 80}), Reals({2, 2}, {0, 20, 0, 40}),
                 Reals({2}, {-20, 80}), Reals({1, 2}, {-100, 160})}})
      .Example({"sigmoid_sequence_only",
                {{"activation", "sigmoid"}},
                {Ids({1, 1}, {1}),
                 Reals({2, 1}, {3, 4}),
                 Reals({1, 1}, {5}),
                 {},
                 Reals({1, 1}, {0.5}),
                 Reals({1, 1, 1}, {0.5}),
                 Reals({1, 1, 1}, {8}),
                 {}},
                {Reals({2, 1}, {0, 2}), Reals({1, 1}, {1}), Reals({1}, {2}), Reals({1, 1}, {10})}});
}

}  // namespace seqgraph::ops
