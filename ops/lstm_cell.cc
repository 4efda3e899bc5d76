#include "ops/lstm_cell.h"

#include <algorithm>
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

// Attributes: those of recurrent_def.h. Inputs of both ops: RecurrentInput, then these; from
// kSequence on of LSTMCellGrad only.
enum { kC0 = 5, kMask, kDropout, kSequence, kDSequence, kDLast, kDLastCell };

constexpr RecurrentOperands kCell{
    .cell = RecurrenceFacts::Cell::kLstm, .mask = kMask, .dropout = kDropout, .version = 2};
constexpr RecurrentOperands kGrad{.cell = RecurrenceFacts::Cell::kLstm,
                                  .mask = kMask,
                                  .dropout = kDropout,
                                  .sequence = kSequence,
                                  .version = 2};

constexpr char kBiasDoc[] =
    "[7 units]: biases of the gates, and the peepholes p_i, p_o, p_f; [4 units] with peepholes = "
    "false";

// Reference computation.

// What one step computes, for each unit.
template <typename T>
struct Gates {
  explicit Gates(int64_t units)
      : sums(4 * units), i(units), f(units), g(units), o(units), a(units) {}

  std::vector<T> sums;                          // of i, f, g, o, but for what o sees of c
  std::vector<ValueAndSlope<T>> i, f, g, o, a;  // a: act(c)
};

// The weights by which gates see the cell; null without.
template <typename T>
const T* Peepholes(const Recurrence<T>& r) {
  return r.functions.peepholes && r.b ? r.b.data + 4 * r.units() : nullptr;
}

// The gates of row n at t from state and cell before, which may be null for zeros, and c.
template <typename T>
void Step(const Recurrence<T>& r, int64_t n, int64_t t, const T* h, const T* before,
          Gates<T>& gates, T* cell, T* kink_distance) {
  const int64_t units = r.units();
  const CellFunctions& act = r.functions;
  const T* p = Peepholes(r);
  T* z = gates.sums.data();
  ProjectInput(r, n, t, z);
  if (h != nullptr) AddRecurrent(r, n, h, 0, 4, z);
  if (r.b) AddVector(r.b.data, 4 * units, z);
  for (int64_t j = 0; j < units; ++j) {
    const T c_before = before ? before[j] : T{0};
    const auto sees = [&](int gate, T c) { return p ? p[gate * units + j] * c : T{0}; };
    ValueAndSlope<T>&i = gates.i[j], &f = gates.f[j], &g = gates.g[j];
    i = r.Apply(act.gates, z[j] + sees(0, c_before), kink_distance);
    f = act.coupled ? ValueAndSlope<T>{1 - i.value, 0}
                    : r.Apply(act.gates, z[units + j] + sees(2, c_before), kink_distance);
    g = r.Apply(act.state, z[2 * units + j], kink_distance);
    const T added = i.value * g.value;
    cell[j] = before ? f.value * c_before + added : added;
    gates.o[j] = r.Apply(act.gates, z[3 * units + j] + sees(1, cell[j]), kink_distance);
    gates.a[j] = ActivateWithSlope(act.output, cell[j]);
    if (kink_distance && cell[j] != 0) {
      *kink_distance = std::min<T>(*kink_distance, KinkDistance(act.output, cell[j]));
    }
  }
}

template <typename T>
void StartCell(const Recurrence<T>& r, int64_t n, TensorView<const T> c0, T* cell) {
  if (c0) {
    std::copy_n(c0.data + n * r.units(), r.units(), cell);
  } else {
    std::fill_n(cell, r.units(), T{0});
  }
}

template <typename T>
void Run(const Recurrence<T>& r, TensorView<const T> c0, TensorView<T> sequence, TensorView<T> last,
         TensorView<T> last_cell, T* kink_distance) {
  const int64_t units = r.units();
  std::vector<T> h(units), cell(units);
  Gates<T> gates(units);
  for (int64_t n = 0; n < r.batch(); ++n) {
    StartCell(r, n, c0, cell.data());
    RunForward(r, n, sequence, h.data(), [&](int64_t t, T* state) {
      Step(r, n, t, state, cell.data(), gates, cell.data(), kink_distance);
      for (int64_t j = 0; j < units; ++j) state[j] = gates.o[j].value * gates.a[j].value;
    });
    if (last) std::copy_n(h.data(), units, last.data + n * units);
    if (last_cell) std::copy_n(cell.data(), units, last_cell.data + n * units);
  }
}

template <typename T>
absl::Status ComputeLSTMCell(const ReferenceContext& c) {
  Run<T>(Recurrence<T>(c, kCell.cell, kMask, kDropout), c.input<T>(kC0), c.output<T>(0),
         c.output<T>(1), c.output<T>(2), nullptr);
  return absl::OkStatus();
}

// Gates and cells of a row, computed anew from its sequence. At a masked step cells has what it had
// before, and gates nothing.
template <typename T>
struct RowStates {
  explicit RowStates(const Recurrence<T>& r)
      : gates(r.time(), Gates<T>(r.units())), cells(r.time() * r.units()), start(r.units()) {}

  void Compute(const Recurrence<T>& r, int64_t n, TensorView<const T> c0,
               TensorView<const T> sequence) {
    const int64_t units = r.units(), first = r.FirstStep(n);
    StartCell(r, n, c0, start.data());
    const T* before = start.data();
    for (int64_t k = 0; k < r.time(); ++k) {
      const int64_t t = r.Place(k);
      T* cell = cells.data() + t * units;
      if (r.Counts(n, t)) {
        Step<T>(r, n, t, PreviousState(r, n, t, first, sequence), before, gates[t], cell, nullptr);
      } else {
        std::copy_n(before, units, cell);
      }
      before = cell;
    }
  }
  // c that the step at place t began with.
  const T* CellBefore(const Recurrence<T>& r, int64_t t) const {
    if (t == r.Place(0)) return start.data();
    return cells.data() + (r.reverse ? t + 1 : t - 1) * r.units();
  }
  std::vector<Gates<T>> gates;  // by place
  std::vector<T> cells, start;
};

// dz, the gradient of the sums, from dh and dc of the step; dc becomes that of the cell before.
// What the step gives to the gradient of the peepholes is added to `dp` unless that is null.
template <typename T>
void GateGradients(const Recurrence<T>& r, const Gates<T>& gates, const T* cell,
                   const T* cell_before, const T* dh, T* dc, T* dz, T* dp) {
  const int64_t units = r.units();
  const T* p = Peepholes(r);
  for (int64_t j = 0; j < units; ++j) {
    const ValueAndSlope<T>&i = gates.i[j], &f = gates.f[j], &g = gates.g[j], &o = gates.o[j],
          &a = gates.a[j];
    T &di = dz[j], &df = dz[units + j], &dg = dz[2 * units + j], &d_out = dz[3 * units + j];
    d_out = dh[j] * a.value * o.slope;
    dc[j] += dh[j] * o.value * a.slope;
    if (p) dc[j] += d_out * p[units + j];
    const T d_forget = dc[j] * cell_before[j];
    di = (r.functions.coupled ? dc[j] * g.value - d_forget : dc[j] * g.value) * i.slope;
    df = r.functions.coupled ? T{0} : d_forget * f.slope;
    dg = dc[j] * i.value * g.slope;
    dc[j] *= f.value;
    if (p) dc[j] += di * p[j] + df * p[2 * units + j];
    if (dp == nullptr) continue;
    dp[j] += di * cell_before[j];
    dp[units + j] += d_out * cell[j];
    dp[2 * units + j] += df * cell_before[j];
  }
}

template <typename T>
absl::Status ComputeLSTMCellGrad(const ReferenceContext& c) {
  const Recurrence<T> r(c, kGrad.cell, kMask, kDropout);
  const auto c0 = c.input<T>(kC0), sequence = c.input<T>(kSequence);
  const auto d_sequence = c.input<T>(kDSequence), d_last = c.input<T>(kDLast);
  const auto d_last_cell = c.input<T>(kDLastCell);
  const RecurrenceGradients<T> grad(c);
  const auto dc0 = c.output<T>(5);
  const int64_t units = r.units();
  T* const dp = grad.db && r.functions.peepholes ? grad.db.data + 4 * units : nullptr;
  std::vector<T> dh(units), dc(units), dz(4 * units);
  RowStates<T> states(r);
  for (int64_t n = 0; n < r.batch(); ++n) {
    states.Compute(r, n, c0, sequence);
    StartBackward(r, n, d_last, dh.data());
    StartBackward(r, n, d_last_cell, dc.data());
    const auto step = [&](int64_t t, const T* previous, T* dh) {
      GateGradients(r, states.gates[t], states.cells.data() + t * units, states.CellBefore(r, t),
                    dh, dc.data(), dz.data(), dp);
      AddInputGradients(r, n, t, dz.data(), grad);
      if (grad.db) AddVector(dz.data(), 4 * units, grad.db.data);
      std::fill_n(dh, units, T{0});
      AddRecurrentGradients(r, n, previous, 0, 4, dz.data(), grad, dh);
    };
    RunBackward(r, n, sequence, d_sequence, grad, dh.data(), step);
    if (dc0) std::copy_n(dc.data(), units, dc0.data + n * units);
  }
  return absl::OkStatus();
}

// Costs, of steps that are not masked.

OpCost LSTMCellCost(const CostContext& c) {
  return c.Moving(NumStates(c) * (4 * Projection(c) + 4 * c.has_input(kB) + 9) +
                  NumPreviousStates(c) * 8 * c.dim(kU, 0));
}

OpCost LSTMCellGradCost(const CostContext& c) {
  const bool dx = c.uses_output(0), dw = c.uses_output(1), du = c.uses_output(2);
  const bool db = c.uses_output(3), dh0 = c.uses_output(4);
  const double units = c.dim(kU, 0), batch = c.dim(kX, 0), time = c.dim(kX, 1);
  const double gates = 4 * Projection(c) * (1 + dx + dw) + 4 * c.has_input(kB) + 4 * db;
  return c.Moving(NumStates(c) * (gates + 30 + c.has_input(kDSequence)) +
                  NumPreviousStates(c) * 8 * units * (1 + du) +
                  batch * (time - !dh0) * 8 * units * units);
}

// Samples.

void DrawBiasAndCell(SampleSource& source, OpSample& sample) {
  const Dim batch = sample.inputs[kX]->shape()[0], units = sample.inputs[kU]->shape()[0];
  const bool peepholes = source.Int(0, 3) == 0;
  if (peepholes) sample.attributes.Set("peepholes", true);
  if (source.Int(0, 3) == 0) sample.attributes.Set("input_forget", true);
  if (peepholes || source.Coin()) {
    sample.inputs[kB] = source.Reals({(peepholes ? 7 : 4) * units.size()}, -0.5, 0.5);
  }
  if (source.Coin()) sample.inputs[kC0] = source.Reals({batch, units});
}

Sampler SamplesOf(const RecurrentOperands& kind) {
  return RecurrentSamples(
      kind, DrawBiasAndCell,
      [](const ReferenceContext& c, const Recurrence<double>& r, double* kink_distance) {
        Run<double>(r, c.input<double>(kC0), c.output<double>(0), {}, {}, kink_distance);
      });
}

}  // namespace

OpDef LSTMCellOp() {
  return RecurrentDef(
             kCell, "LSTMCell",
             "All steps of the layer, not one: [i, f, g, o] = x_t·w + (h_{t-1} "
             "recurrent_dropout)·u + b; c_t = sigmoid(f) "
             "c_{t-1} + sigmoid(i) act(g); h_t = sigmoid(o) act(c_t), for t = 0 .. time-1, "
             "from h_{-1} = h0 and c_{-1} = c0: long short-term memory. Columns of w, u, b "
             "are the gates i, f, g, o, each of `units`.",
             kBiasDoc)
      .Reference(ComputeLSTMCell<float>, ComputeLSTMCell<double>)
      .Gradient(GradientOp("LSTMCellGrad"))
      .Steps(RecurrentSteps())
      .Cost(
          "FLOPs: for each element of sequence, 8 features (0 without w), 8 units (not at t = 0 "
          "without h0), 4 for b, 4 for the gates, 3 for c, 2 for h.",
          LSTMCellCost)
      .Samples(SamplesOf(kCell))
      .Example({"half_open_gates",
                {{"activation", "relu"}},
                {Reals({1, 2, 1}, {2, 1}),
                 Reals({1, 4}, {0, 0, 1, 0}),
                 Reals({1, 4}, {0, 0, 2, 0}),
                 {},
                 {},
                 Reals({1, 1}, {4})},
                {Reals({1, 2, 1}, {1.5, 1.75}), Reals({1, 1}, {1.75}), Reals({1, 1}, {3.5})}})
      .Example(
          {"reversed_with_mask_and_dropout",
           {{"activation", "relu"}, {"reverse", true}},
           {Reals({1, 4, 1}, {1, 99, 2, 98}),
            Reals({1, 4}, {0, 0, 1, 0}),
            Reals({1, 4}, {0, 0, 4, 0}),
            {},
            {},
            Reals({1, 1}, {4}),
            Ids({1, 4}, {1, 0, 1, 0}),
            Reals({1, 4}, {1, 1, 0.5, 1})},
           {Reals({1, 4, 1}, {1.75, 1.5, 1.5, 0}), Reals({1, 1}, {1.75}), Reals({1, 1}, {3.5})}})
      .Example({"peepholes_and_clip",
                {{"activations", "hard_sigmoid(0.25,0.5) linear linear"},
                 {"peepholes", true},
                 {"clip", 1.5}},
                {Reals({1, 2, 1}, {0.5, 1}),
                 Reals({1, 4}, {1, 0, 2, 0}),
                 Reals({1, 4}, {0, 0, 0, 0}),
                 Reals({7}, {0, 0, 0, 0, 0.5, 0.25, -1}),
                 {},
                 Reals({1, 1}, {1})},
                {Reals({1, 2, 1}, {0.5625, 0.933837890625}), Reals({1, 1}, {0.933837890625}),
                 Reals({1, 1}, {1.5625})}})
      .Example({"coupled_gates",
                {{"activations", "hard_sigmoid(0.25,0.5) linear linear"},
                 {"peepholes", true},
                 {"clip", 1.5},
                 {"input_forget", true}},
                {Reals({1, 2, 1}, {0.5, 1}),
                 Reals({1, 4}, {1, 0, 2, 0}),
                 Reals({1, 4}, {0, 0, 0, 0}),
                 Reals({7}, {0, 0, 0, 0, 0.5, 0.25, -1}),
                 {},
                 Reals({1, 1}, {1})},
                {Reals({1, 2, 1}, {0.5625, 0.847900390625}), Reals({1, 1}, {0.847900390625}),
                 Reals({1, 1}, {1.4375})}})
      .Example(
          {"tanh_with_everything",
           {},
           {Reals({1, 1, 2}, {0.5, -1}), Reals({2, 4}, {0.1, 0.2, 0.3, 0.4, -0.5, 0.6, 0.7, -0.8}),
            Reals({1, 4}, {0.9, -0.3, 0.2, 0.5}), Reals({4}, {0.05, 1, -0.1, 0.25}),
            Reals({1, 1}, {-0.75}), Reals({1, 1}, {0.6})},
           {Reals({1, 1, 1}, {0.059602920033762025}), Reals({1, 1}, {0.059602920033762025}),
            Reals({1, 1}, {0.08465073100166348})}});
}

OpDef LSTMCellGradOp() {
  return RecurrentDef(
             kGrad, "LSTMCellGrad",
             "The gradients of LSTMCell, from the last step to the first, with gates and c_t "
             "computed "
             "anew from x and sequence: dh_t = d_sequence_t + dz_{t+1}·uᵀ, dc_t = dc_{t+1} "
             "sigmoid(f_{t+1}) + "
             "dh_t sigmoid(o) act'(c_t), dz_t = [dc_t act(g) sigmoid'(i), dc_t c_{t-1} "
             "sigmoid'(f), dc_t "
             "sigmoid(i) act'(g), dh_t act(c_t) sigmoid'(o)], where d_last and d_last_cell are "
             "added at "
             "the last; dx_t = dz_t·wᵀ, dw = sum of x_tᵀ·dz_t, du = sum of h_{t-1}ᵀ·dz_t, db = sum "
             "of "
             "dz_t.",
             kBiasDoc)
      .Reference(ComputeLSTMCellGrad<float>, ComputeLSTMCellGrad<double>)
      .Cost(
          "FLOPs: for each element of sequence, 8 features (0 without w) and 8 units (not at t = 0 "
          "without h0), 4 for b and 8 for gates and c computed anew, 22 for dz and dc, 1 for "
          "d_sequence, 8 units for dz·uᵀ (at t = 0 only for dh0), 8 features for dx and 8 for dw, "
          "8 units for du, 4 for db.",
          LSTMCellGradCost)
      .Samples(SamplesOf(kGrad))
      .Example({"half_open_gates",
                {{"activation", "relu"}},
                {Reals({1, 2, 1}, {2, 1}),
                 Reals({1, 4}, {0, 0, 1, 0}),
                 Reals({1, 4}, {0, 0, 2, 0}),
                 {},
                 {},
                 Reals({1, 1}, {4}),
                 {},
                 {},
                 Reals({1, 2, 1}, {1.5, 1.75}),
                 {},
                 Reals({1, 1}, {8}),
                 Reals({1, 1}, {2})},
                {Reals({1, 2, 1}, {3, 3}), Reals({1, 4}, {12, 16.5, 9, 16}),
                 Reals({1, 4}, {9, 6.75, 4.5, 10.5}), Reals({4}, {9, 10.5, 6, 11.5}),
                 Reals({1, 1}, {6}), Reals({1, 1}, {3})}})
      .Example({"reversed_with_mask",
                {{"activation", "relu"}, {"reverse", true}},
                {Reals({1, 3, 1}, {1, 99, 2}),
                 Reals({1, 4}, {0, 0, 1, 0}),
                 Reals({1, 4}, {0, 0, 2, 0}),
                 {},
                 {},
                 Reals({1, 1}, {4}),
                 Ids({1, 3}, {1, 0, 1}),
                 {},
                 Reals({1, 3, 1}, {1.75, 1.5, 1.5}),
                 Reals({1, 3, 1}, {5, 0, 0}),
                 Reals({1, 1}, {3}),
                 Reals({1, 1}, {2})},
                {Reals({1, 3, 1}, {3, 0, 3}), Reals({1, 4}, {12, 16.5, 9, 16}),
                 Reals({1, 4}, {9, 6.75, 4.5, 10.5}), Reals({4}, {9, 10.5, 6, 11.5}),
                 Reals({1, 1}, {6}), Reals({1, 1}, {3})}});
}

OpDef LookupLSTMCellOp() {
  return LookupOf(LSTMCellOp(), /*version=*/1, SamplesOf(kCell.Lookup()));
}

OpDef LookupLSTMCellGradOp() {
  return LookupOf(LSTMCellGradOp(), /*version=*/1, SamplesOf(kGrad.Lookup()))
      // c = 3, then 2.5; (di, df, dg, do) = (3, 4.5, 3, 5) at the last step, (1.5, 3, 1.5, 0)
      // before.
      .Example(
          {"tokens_of_a_row_are_summed",
           {{"activation", "relu"}},
           {Ids({1, 2}, {1, 1}),
            Reals({2, 4}, {9, 9, 9, 9, 0, 0, 2, 0}),
            Reals({1, 4}, {0, 0, 0, 0}),
            {},
            {},
            Reals({1, 1}, {4}),
            {},
            {},
            Reals({1, 2, 1}, {1.5, 1.25}),
            {},
            Reals({1, 1}, {8}),
            Reals({1, 1}, {2})},
           {Reals({2, 4}, {0, 0, 0, 0, 4.5, 7.5, 4.5, 5}), Reals({1, 4}, {4.5, 6.75, 4.5, 7.5}),
            Reals({4}, {4.5, 7.5, 4.5, 5}), Reals({1, 1}, {0}), Reals({1, 1}, {1.5})}});
}

LSTMCellOutputs LSTMCell(FunctionBuilder& g, Value x, Value w, Value u, const LSTMCellOptions& o) {
  Attributes attributes = {{"reverse", o.reverse}};
  SetCellFunctions(kCell.cell, o.recurrent_activation, o.activation, o.output_activation,
                   {.clip = o.clip, .coupled = o.input_forget, .peepholes = o.peepholes},
                   attributes);
  const std::vector<Value> outputs = g.AddNode(
      "LSTMCell", {x, w, u, o.bias, o.initial_state, o.initial_cell, o.mask, o.recurrent_dropout},
      std::move(attributes), o.name);
  return {.sequence = outputs[0], .last = outputs[1], .last_cell = outputs[2]};
}

}  // namespace seqgraph::ops
