#include "ops/gru_cell.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "graph/gradient.h"
#include "ops/examples.h"
#include "ops/lookup_cell.h"
#include "ops/recurrence.h"
#include "ops/recurrent_def.h"
#include "ops/step_rules.h"

namespace seqgraph::ops {
namespace {

// Attributes: those of recurrent_def.h and reset_after. Inputs of both ops: RecurrentInput, then
// these; from kSequence on of GRUCellGrad only.
enum { kMask = 5, kDropout, kSequence, kDSequence, kDLast };

constexpr RecurrentOperands kCell{
    .cell = RecurrenceFacts::Cell::kGru, .mask = kMask, .dropout = kDropout, .version = 2};
constexpr RecurrentOperands kGrad{.cell = RecurrenceFacts::Cell::kGru,
                                  .mask = kMask,
                                  .dropout = kDropout,
                                  .sequence = kSequence,
                                  .version = 2};

// Reference computation.

// One step: its gates, and what backward needs besides.
template <typename T>
struct Step {
  explicit Step(const ReferenceContext& c, int64_t units)
      : reset_after(c.attributes().GetBool("reset_after")),
        units(units),
        a(3 * units),
        q(3 * units),
        reset(units),
        z(units),
        r(units),
        n(units) {}

  // From h, the state before, of row `row` at t. The smallest distance of a sum from a kink goes to
  // `kink_distance` unless that is null.
  void Compute(const Recurrence<T>& operands, int64_t row, int64_t t, const T* h,
               T* kink_distance) {
    const CellFunctions& act = operands.functions;
    ProjectInput(operands, row, t, a.data());
    if (operands.b) AddVector(operands.b.data, 3 * units, a.data());
    std::fill(q.begin(), q.end(), T{0});
    if (reset_after && operands.b) {
      AddVector(operands.b.data + 3 * units, 3 * units, q.data());
    }
    AddRecurrent(operands, row, h, 0, reset_after ? 3 : 2, q.data());
    for (int64_t j = 0; j < units; ++j) {
      z[j] = operands.Apply(act.gates, a[j] + q[j], kink_distance);
      r[j] = operands.Apply(act.gates, a[units + j] + q[units + j], kink_distance);
      reset[j] = r[j].value * h[j];
    }
    if (!reset_after) AddRecurrent(operands, row, reset.data(), 2, 3, q.data());
    for (int64_t j = 0; j < units; ++j) {
      const T from_state = q[2 * units + j];
      const T sum = a[2 * units + j] + (reset_after ? r[j].value * from_state : from_state);
      n[j] = operands.Apply(act.state, sum, kink_distance);
    }
  }
  T Next(const T* h, int64_t j) const {
    return z[j].value * h[j] + (T{1} - z[j].value) * n[j].value;
  }

  const bool reset_after;
  const int64_t units;
  std::vector<T> a;      // what x gives to z, r and the candidate
  std::vector<T> q;      // what the state gives to them; the candidate's before r multiplies it
  std::vector<T> reset;  // r h
  std::vector<ValueAndSlope<T>> z, r, n;  // n: the candidate
};

template <typename T>
void Run(const ReferenceContext& c, const Recurrence<T>& r, TensorView<T> sequence,
         TensorView<T> last, T* kink_distance) {
  const int64_t units = r.units();
  std::vector<T> h(units);
  Step<T> step(c, units);
  for (int64_t n = 0; n < r.batch(); ++n) {
    RunForward(r, n, sequence, h.data(), [&](int64_t t, T* state) {
      step.Compute(r, n, t, state, kink_distance);
      for (int64_t j = 0; j < units; ++j) state[j] = step.Next(state, j);
    });
    if (last) std::copy_n(h.data(), units, last.data + n * units);
  }
}

template <typename T>
absl::Status ComputeGRUCell(const ReferenceContext& c) {
  Run<T>(c, Recurrence<T>(c, kCell.cell, kMask, kDropout), c.output<T>(0), c.output<T>(1), nullptr);
  return absl::OkStatus();
}

// Gradients of one step from dh, which becomes that of the state before, h. da: of what x gives to
// the gates; dq: of what the state gives to them.
template <typename T>
struct StepGradients {
  explicit StepGradients(int64_t units) : da(3 * units), dq(3 * units), before(units), dv(units) {}

  void Compute(const Recurrence<T>& r, int64_t n, Step<T>& s, const T* h,
               const RecurrenceGradients<T>& grad, T* dh) {
    const int64_t units = s.units;
    for (int64_t j = 0; j < units; ++j) {
      const T z = s.z[j].value;
      da[j] = dh[j] * (h[j] - s.n[j].value) * s.z[j].slope;
      da[2 * units + j] = dh[j] * (T{1} - z) * s.n[j].slope;
      before[j] = dh[j] * z;
    }
    if (s.reset_after) {
      for (int64_t j = 0; j < units; ++j) {
        SetReset(s, j, da[2 * units + j] * s.q[2 * units + j]);
        dq[2 * units + j] = da[2 * units + j] * s.r[j].value;
      }
    } else {  // the candidate's product reads v = r h
      std::copy_n(da.data() + 2 * units, units, dq.data() + 2 * units);
      std::fill(dv.begin(), dv.end(), T{0});
      AddRecurrentGradients(r, n, s.reset.data(), 2, 3, dq.data(), grad, dv.data());
      for (int64_t j = 0; j < units; ++j) {
        SetReset(s, j, dv[j] * h[j]);
        before[j] += dv[j] * s.r[j].value;
      }
    }
    std::copy_n(da.data(), 2 * units, dq.data());
    AddRecurrentGradients(r, n, h, 0, s.reset_after ? 3 : 2, dq.data(), grad, before.data());
    std::copy_n(before.data(), units, dh);
  }

  void SetReset(Step<T>& s, int64_t j, T dr) { da[s.units + j] = dr * s.r[j].slope; }
  std::vector<T> da, dq, before, dv;
};

template <typename T>
absl::Status ComputeGRUCellGrad(const ReferenceContext& c) {
  const Recurrence<T> r(c, kGrad.cell, kMask, kDropout);
  const auto sequence = c.input<T>(kSequence);
  const auto d_sequence = c.input<T>(kDSequence), d_last = c.input<T>(kDLast);
  const RecurrenceGradients<T> grad(c);
  const int64_t units = r.units();
  std::vector<T> dh(units);
  const std::vector<T> zeros(units);
  Step<T> step(c, units);
  StepGradients<T> gradients(units);
  for (int64_t n = 0; n < r.batch(); ++n) {
    StartBackward(r, n, d_last, dh.data());
    const auto back = [&](int64_t t, const T* previous, T* dh) {
      const T* h = previous ? previous : zeros.data();
      step.Compute(r, n, t, h, nullptr);
      gradients.Compute(r, n, step, h, grad, dh);
      AddInputGradients(r, n, t, gradients.da.data(), grad);
      if (!grad.db) return;
      AddVector(gradients.da.data(), 3 * units, grad.db.data);
      if (step.reset_after) AddVector(gradients.dq.data(), 3 * units, grad.db.data + 3 * units);
    };
    RunBackward(r, n, sequence, d_sequence, grad, dh.data(), back);
  }
  return absl::OkStatus();
}

// Costs, of steps that are not masked.

// Additions of one bias or two.
double BiasAdditions(const CostContext& c) {
  return c.has_input(kB) ? 3 * (1 + c.attributes().GetBool("reset_after")) : 0;
}

OpCost GRUCellCost(const CostContext& c) {
  return c.Moving(NumStates(c) * (3 * Projection(c) + BiasAdditions(c) + 11) +
                  NumPreviousStates(c) * 6 * c.dim(kU, 0));
}

OpCost GRUCellGradCost(const CostContext& c) {
  const bool dx = c.uses_output(0), dw = c.uses_output(1), du = c.uses_output(2);
  const bool db = c.uses_output(3), dh0 = c.uses_output(4);
  const double units = c.dim(kU, 0), batch = c.dim(kX, 0), time = c.dim(kX, 1);
  const double sums = db ? 3 * (1 + c.attributes().GetBool("reset_after")) : 0;
  return c.Moving(NumStates(c) * (3 * Projection(c) * (1 + dx + dw) + BiasAdditions(c) + 22 + sums +
                                  c.has_input(kDSequence)) +
                  NumPreviousStates(c) * 6 * units * (1 + du) +
                  batch * (time - !dh0) * 6 * units * units);
}

// Samples.

void DrawBias(SampleSource& source, OpSample& sample) {
  const bool reset_after = source.Coin();
  sample.attributes.Set("reset_after", reset_after);
  const int64_t columns = sample.inputs[kU]->shape()[1].size();
  const Shape bias = reset_after ? Shape{2, columns} : Shape{columns};
  if (source.Coin()) sample.inputs[kB] = source.Reals(bias, -0.5, 0.5);
}

Sampler SamplesOf(const RecurrentOperands& kind) {
  return RecurrentSamples(
      kind, DrawBias,
      [](const ReferenceContext& c, const Recurrence<double>& r, double* kink_distance) {
        Run<double>(c, r, c.output<double>(0), {}, kink_distance);
      });
}

// Definitions: what both ops have.

OpDef GRUDef(const RecurrentOperands& kind, std::string name, std::string doc) {
  return RecurrentDef(kind, std::move(name), std::move(doc),
                      "[2, 3 units]: that of x·w and that of h·u; [3 units] with reset_after = "
                      "false")
      .Attribute("reset_after", true,
                 "r multiplies h·u_h + b_h; false: h itself, before the product")
      .Samples(SamplesOf(kind));
}

}  // namespace

OpDef GRUCellOp() {
  return GRUDef(kCell, "GRUCell",
                "All steps of the layer, not one: z = sigmoid(x_t·w_z + b_z + h·u_z + b'_z), r "
                "likewise, where h is h_{t-1} "
                "times recurrent_dropout; n = act(x_t·w_n + b_n + r (h·u_n + b'_n)), or, with "
                "reset_after = false, act(x_t·w_n + b_n + (r h)·u_n) and no b'; h_t = z h_{t-1} "
                "+ (1 - z) n, for t = 0 .. time-1, from h_{-1} = h0: the gated recurrent unit. "
                "Columns of w, u, b are z, r and the candidate n, each of `units`.")
      .Reference(ComputeGRUCell<float>, ComputeGRUCell<double>)
      .Gradient(GradientOp("GRUCellGrad"))
      .Steps(RecurrentSteps())
      .Cost(
          "FLOPs: for each element of sequence, 6 features (0 without w), 6 units (not at t = 0 "
          "without h0), 3 for each bias, 7 for the gates, 4 for h.",
          GRUCellCost)
      .Example({"half_open_gates",
                {{"activation", "relu"}},
                {Reals({1, 2, 1}, {3, -7}), Reals({1, 3}, {0, 0, 1}), Reals({1, 3}, {0, 0, 2}),
                 Reals({2, 3}, {0, 0, 1, 0, 0, 4}), Reals({1, 1}, {2})},
                {Reals({1, 2, 1}, {5, 3}), Reals({1, 1}, {3})}})
      .Example({"any_activations_and_clip",
                {{"activations", "hard_sigmoid(0.25,0.5) linear"}, {"clip", 4.0}},
                {Reals({1, 2, 1}, {3, -7}), Reals({1, 3}, {0, 0, 1}), Reals({1, 3}, {0, 0, 2}),
                 Reals({2, 3}, {0, 0, 1, 0, 0, 4}), Reals({1, 1}, {2})},
                {Reals({1, 2, 1}, {3, 1}), Reals({1, 1}, {1})}})
      .Example({"reset_before",
                {{"activation", "relu"}, {"reset_after", false}},
                {Reals({1, 2, 1}, {3, -4}), Reals({1, 3}, {0, 0, 1}), Reals({1, 3}, {0, 0, 2}),
                 Reals({3}, {0, 0, 1}), Reals({1, 1}, {2})},
                {Reals({1, 2, 1}, {4, 2.5}), Reals({1, 1}, {2.5})}})
      .Example({"reversed_with_mask_and_dropout",
                {{"activation", "relu"}, {"reverse", true}},
                {Reals({1, 4, 1}, {-7, 99, 3, 98}), Reals({1, 3}, {0, 0, 1}),
                 Reals({1, 3}, {0, 0, 4}), Reals({2, 3}, {0, 0, 1, 0, 0, 4}), Reals({1, 1}, {2}),
                 Ids({1, 4}, {1, 0, 1, 0}), Reals({1, 3}, {1, 1, 0.5})},
                {Reals({1, 4, 1}, {3, 5, 5, 0}), Reals({1, 1}, {3})}})
      .Example({"tanh",
                {},
                {Reals({1, 1, 2}, {0.5, -1}), Reals({2, 3}, {0.1, 0.2, 0.3, -0.5, 0.6, 0.7}),
                 Reals({1, 3}, {0.9, -0.3, 0.2}), Reals({2, 3}, {0.05, 1, -0.1, 0.25, -0.4, 0.3}),
                 Reals({1, 1}, {-0.75})},
                {Reals({1, 1, 1}, {-0.6405370580042636}), Reals({1, 1}, {-0.6405370580042636})}})
      .Example(
          {"tanh_reset_before",
           {{"reset_after", false}},
           {Reals({1, 1, 2}, {0.5, -1}), Reals({2, 3}, {0.1, 0.2, 0.3, -0.5, 0.6, 0.7}),
            Reals({1, 3}, {0.9, -0.3, 0.2}), Reals({3}, {0.05, 1, -0.1}), Reals({1, 1}, {-0.75})},
           {Reals({1, 1, 1}, {-0.6907486329841985}), Reals({1, 1}, {-0.6907486329841985})}});
}

OpDef GRUCellGradOp() {
  return GRUDef(kGrad, "GRUCellGrad",
                "The gradients of GRUCell by backpropagation through time, from the last step "
                "to the first, where d_last is added; the gates are computed anew from x and "
                "sequence. With a = x·w + b and q = h·u + b': dz = dh (h - n) sigmoid'(z), "
                "da_n = dh (1 - z) act'(n), dr = da_n q_n sigmoid'(r), dq_n = da_n r; "
                "dh_{t-1} = dh z + dq·uᵀ; dx_t = da·wᵀ, dw = sum of x_tᵀ·da, du = sum of "
                "h_{t-1}ᵀ·dq, db = sums of da and of dq.")
      .Reference(ComputeGRUCellGrad<float>, ComputeGRUCellGrad<double>)
      .Cost(
          "FLOPs: for each element of sequence, 6 features (0 without w) and 6 units (not at t = 0 "
          "without h0), 3 for each bias and 7 for the gates computed anew, 15 for their gradients, "
          "1 for d_sequence, 6 units for dq·uᵀ (at t = 0 only for dh0), 6 features for dx and 6 "
          "for dw, 6 units for du, 3 for each bias of db.",
          GRUCellGradCost)
      .Example({"half_open_gates",
                {{"activation", "relu"}},
                {Reals({1, 2, 1}, {3, -7}),
                 Reals({1, 3}, {0, 0, 1}),
                 Reals({1, 3}, {0, 0, 2}),
                 Reals({2, 3}, {0, 0, 1, 0, 0, 4}),
                 Reals({1, 1}, {2}),
                 {},
                 {},
                 Reals({1, 2, 1}, {5, 3}),
                 {},
                 Reals({1, 1}, {16})},
                {Reals({1, 2, 1}, {8, 8}), Reals({1, 3}, {-184, -148, -32}),
                 Reals({1, 3}, {32, 172, 28}), Reals({2, 3}, {-8, 44, 16, -8, 44, 8}),
                 Reals({1, 1}, {16})}})
      .Example({"reset_before_with_mask",
                {{"activation", "relu"}, {"reset_after", false}},
                {Reals({1, 3, 1}, {3, 99, -4}),
                 Reals({1, 3}, {0, 0, 1}),
                 Reals({1, 3}, {0, 0, 2}),
                 Reals({3}, {0, 0, 1}),
                 Reals({1, 1}, {2}),
                 Ids({1, 3}, {1, 0, 1}),
                 {},
                 Reals({1, 3, 1}, {4, 4, 2.5}),
                 Reals({1, 3, 1}, {0, 0, 16}),
                 {}},
                {Reals({1, 3, 1}, {8, 0, 8}), Reals({1, 3}, {-96, -40, -8}),
                 Reals({1, 3}, {16, 80, 24}), Reals({3}, {-4, 24, 16}), Reals({1, 1}, {16})}});
}

OpDef LookupGRUCellOp() { return LookupOf(GRUCellOp(), /*version=*/1, SamplesOf(kCell.Lookup())); }

OpDef LookupGRUCellGradOp() {
  return LookupOf(GRUCellGradOp(), /*version=*/1, SamplesOf(kGrad.Lookup()))
      // n = 6 at both steps; (dz, dr, dn) = (-8, 8, 8) at the last and (-8, 4, 4) before.
      .Example({"tokens_of_a_row_are_summed",
                {{"activation", "relu"}},
                {Ids({1, 2}, {1, 1}),
                 Reals({2, 3}, {9, 9, 9, 0, 0, 3}),
                 Reals({1, 3}, {0, 0, 0}),
                 Reals({2, 3}, {0, 0, 1, 0, 0, 4}),
                 Reals({1, 1}, {2}),
                 {},
                 {},
                 Reals({1, 2, 1}, {4, 5}),
                 {},
                 Reals({1, 1}, {16})},
                {Reals({2, 3}, {0, 0, 0, -16, 12, 12}), Reals({1, 3}, {-48, 40, 20}),
                 Reals({2, 3}, {-16, 12, 12, -16, 12, 6}), Reals({1, 1}, {4})}});
}

GRUCellOutputs GRUCell(FunctionBuilder& g, Value x, Value w, Value u, const GRUCellOptions& o) {
  Attributes attributes = {{"reset_after", o.reset_after}, {"reverse", o.reverse}};
  SetCellFunctions(kCell.cell, o.recurrent_activation, o.activation, "", {.clip = o.clip},
                   attributes);
  const std::vector<Value> outputs =
      g.AddNode("GRUCell", {x, w, u, o.bias, o.initial_state, o.mask, o.recurrent_dropout},
                std::move(attributes), o.name);
  return {.sequence = outputs[0], .last = outputs[1]};
}

}  // namespace seqgraph::ops
