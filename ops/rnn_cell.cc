#include "ops/rnn_cell.h"

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

// Attributes: those of recurrent_def.h. Inputs: RecurrentInput, then these.
enum { kMask = 5, kDropout };
enum { kSequence = 5, kDSequence, kDLast, kGradMask, kGradDropout };

constexpr RecurrentOperands kCell{.cell = RecurrenceFacts::Cell::kSimple,
                                  .mask = kMask,
                                  .dropout = kDropout,
                                  .version = 3,
                                  .masks_since = 2};
constexpr RecurrentOperands kGrad{.cell = RecurrenceFacts::Cell::kSimple,
                                  .mask = kGradMask,
                                  .dropout = kGradDropout,
                                  .sequence = kSequence,
                                  .version = 3,
                                  .masks_since = 2};

// Reference computation.

template <typename T>
absl::Status ComputeRNNCell(const ReferenceContext& c) {
  RunSimpleCell<T>(Recurrence<T>(c, kCell.cell, kMask, kDropout), c.output<T>(0), c.output<T>(1),
                   nullptr);
  return absl::OkStatus();
}

template <typename T>
absl::Status ComputeRNNCellGrad(const ReferenceContext& c) {
  const Recurrence<T> r(c, kGrad.cell, kGradMask, kGradDropout);
  const auto sequence = c.input<T>(kSequence);
  const auto d_sequence = c.input<T>(kDSequence), d_last = c.input<T>(kDLast);
  const RecurrenceGradients<T> grad(c);
  const int64_t units = r.units();
  std::vector<T> dh(units), dz(units);
  for (int64_t n = 0; n < r.batch(); ++n) {
    StartBackward(r, n, d_last, dh.data());
    const auto step = [&](int64_t t, const T* previous, T* dh) {
      const T* h = sequence.data + (n * r.time() + t) * units;
      if (r.functions.plain()) {
        const Activation act = r.functions.state.kind;
        for (int64_t j = 0; j < units; ++j) dz[j] = dh[j] * SlopeFromOutput(act, h[j]);
      } else {
        SimpleSums(r, n, t, previous, dz.data());
        for (int64_t j = 0; j < units; ++j) {
          dz[j] = dh[j] * r.Apply(r.functions.state, dz[j]).slope;
        }
      }
      AddInputGradients(r, n, t, dz.data(), grad);
      if (grad.db) AddVector(dz.data(), units, grad.db.data);
      std::fill_n(dh, units, T{0});
      AddRecurrentGradients(r, n, previous, 0, 1, dz.data(), grad, dh);
    };
    RunBackward(r, n, sequence, d_sequence, grad, dh.data(), step);
  }
  return absl::OkStatus();
}

// Costs, of steps that are not masked.

OpCost RNNCellCost(const CostContext& c) {
  return c.Moving(NumStates(c) * (Projection(c) + c.has_input(kB) + 1) +
                  NumPreviousStates(c) * 2 * c.dim(kU, 0));
}

OpCost RNNCellGradCost(const CostContext& c) {
  const bool has_w = c.has_input(kW);
  const bool dx = c.uses_output(0), dw = c.uses_output(1), du = c.uses_output(2);
  const bool db = c.uses_output(3), dh0 = c.uses_output(4);
  const double units = c.dim(kU, 0), batch = c.dim(kX, 0), time = c.dim(kX, 1);
  const CellFunctions functions = *CellFunctionsOf(kGrad.cell, c.attributes());
  const bool anew = !functions.plain();  // sums
  const double sums = anew ? Projection(c) + c.has_input(kB) : 0;
  const double slope = functions.state.kind == Activation::kRelu ? 1 : 3;
  const double steps_back = time - !dh0;  // dz·uᵀ: at t = 0 only for dh0
  OpCost cost = c.Moving(
      NumStates(c) * (slope + sums + c.has_input(kDSequence) + Projection(c) * (dx + dw) + db) +
          batch * steps_back * 2 * units * units + NumPreviousStates(c) * 2 * units * (du + anew),
      {kSequence, kDSequence, kDLast});
  if (has_w ? dw || anew : anew) cost.bytes_read += c.input_bytes(kX);
  if (has_w && (dx || anew)) cost.bytes_read += c.input_bytes(kW);
  if (steps_back > 0 || anew) cost.bytes_read += c.input_bytes(kU);
  if (du || anew) cost.bytes_read += c.input_bytes(kH0);
  if (anew) cost.bytes_read += c.input_bytes(kB);
  return cost;
}

// Samples.

void DrawBias(SampleSource& source, OpSample& sample) {
  if (source.Coin()) {
    sample.inputs[kB] = source.Reals({sample.inputs[kU]->shape()[0]}, -0.5, 0.5);
  }
}

Sampler SamplesOf(const RecurrentOperands& kind) {
  return RecurrentSamples(
      kind, DrawBias,
      [](const ReferenceContext& c, const Recurrence<double>& r, double* kink_distance) {
        RunSimpleCell<double>(r, c.output<double>(0), {}, kink_distance);
      });
}

}  // namespace

OpDef RNNCellOp() {
  return RecurrentDef(kCell, "RNNCell",
                      "All steps of the layer, not one: h_t = act(x_t·w + (h_{t-1} "
                      "recurrent_dropout)·u + b) for t = 0 .. time-1, from "
                      "h_{-1} = h0: the simple recurrent layer.",
                      "[units]")
      .Reference(ComputeRNNCell<float>, ComputeRNNCell<double>)
      .Gradient(GradientOp("RNNCellGrad"))
      .Steps(RecurrentSteps())
      .Cost(
          "FLOPs: for each element of sequence, 2 features (0 without w), 2 units (not at t = 0 "
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
      .Example({"any_activation_and_clip",
                {{"activations", "leaky_relu(0.5)"}, {"clip", 2.0}},
                {Reals({1, 3, 1}, {1, -2, 3}),
                 Reals({1, 1}, {2}),
                 Reals({1, 1}, {0.5}),
                 Reals({1}, {1}),
                 {}},
                {Reals({1, 3, 1}, {2, -1, 2}), Reals({1, 1}, {2})}})
      .Example(
          {"sigmoid_already_projected",
           {{"activation", "sigmoid"}},
           {Reals({1, 2, 2}, {1, -1, 0.5, 2}), {}, Reals({2, 2}, {0.1, 0.2, -0.3, 0.4}), {}, {}},
           {Reals({1, 2, 2},
                  {0.7310585786300049, 0.2689414213699951, 0.6206771644600164, 0.904976804177071}),
            Reals({1, 2}, {0.6206771644600164, 0.904976804177071})}})
      .Example(
          {"masked_steps_repeat_and_keep_the_state",
           {{"activation", "relu"}},
           {Reals({3, 4, 1}, {1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4}),
            Reals({1, 1}, {1}),
            Reals({1, 1}, {2}),
            {},
            Reals({3, 1}, {0, 7, 3}),
            Ids({3, 4}, {1, 0, 1, 0, 0, 2, 0, 0, 0, 0, 0, 0})},
           {Reals({3, 4, 1}, {1, 1, 5, 5, 0, 16, 16, 16, 0, 0, 0, 0}), Reals({3, 1}, {5, 16, 3})}})
      .Example({"reversed_with_dropout",
                {{"activation", "relu"}, {"reverse", true}},
                {Reals({2, 3, 1}, {1, 2, 3, 1, 2, 3}),
                 Reals({1, 1}, {1}),
                 Reals({1, 1}, {2}),
                 {},
                 {},
                 Ids({2, 3}, {1, 1, 1, 1, 1, 0}),
                 Reals({2, 1}, {0.5, 1})},
                {Reals({2, 3, 1}, {6, 5, 3, 5, 2, 0}), Reals({2, 1}, {6, 5})}})
      .Samples(SamplesOf(kCell));
}

OpDef RNNCellGradOp() {
  return RecurrentDef(
             kGrad, "RNNCellGrad",
             "The gradients of RNNCell, from the last step to the first: dz_t = (d_sequence_t "
             "+ dz_{t+1}·uᵀ) act'(z_t), where d_last is added at the last; dx_t = dz_t·wᵀ, "
             "dw = sum of x_tᵀ·dz_t, du = sum of h_{t-1}ᵀ·dz_t, db = sum of dz_t, "
             "dh0 = dz_0·uᵀ. act' is computed from h, where it can be; else from z computed anew.",
             "[units]")
      .Reference(ComputeRNNCellGrad<float>, ComputeRNNCellGrad<double>)
      .Cost(
          "FLOPs: for each element of sequence, 3 for dz (1 with relu), 1 for d_sequence, 2 units "
          "for dz·uᵀ (at t = 0 only for dh0), 2 features for dx and 2 features for dw (0 without "
          "w), 2 units for du (not at t = 0 without h0), 1 for db. x is read for dw only, w for dx "
          "only, h0 for du only, b never. With an activation that is not known by its output, or "
          "clip, "
          "the sums are computed anew.",
          RNNCellGradCost)
      .Example(
          {"tanh_with_everything",
           {},
           {Reals({1, 2, 1}, {1, -2}), Reals({1, 2}, {0.5, -0.25}),
            Reals({2, 2}, {0.1, 0.2, -0.3, 0.4}), Reals({2}, {0.05, -0.1}),
            Reals({1, 2}, {0.5, -1}), Reals({1, 2, 2}, {0.5, -0.5, 0.25, 0.75}),
            Reals({1, 2, 2}, {1, 2, -1, 0.5}), Reals({1, 2}, {0.5, -2})},
           {Reals({1, 2, 1}, {-0.0439453125, -0.0703125}), Reals({1, 2}, {1.55390625, 2.72109375}),
            Reals({2, 2}, {0.073828125, 0.376171875, -0.38203125, -1.08046875}),
            Reals({2}, {0.14765625, 0.75234375}), Reals({1, 2}, {0.343359375, 0.378515625})}})
      .Example({"relu_already_projected_last_only",
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
      .Example({"a_masked_step_hands_its_gradient_back",
                {{"activation", "relu"}},
                {Reals({1, 3, 1}, {1, 9, 2}),
                 Reals({1, 1}, {2}),
                 Reals({1, 1}, {3}),
                 {},
                 Reals({1, 1}, {5}),
                 Reals({1, 3, 1}, {17, 17, 55}),
                 Reals({1, 3, 1}, {1, 10, 100}),
                 Reals({1, 1}, {1000}),
                 Ids({1, 3}, {1, 0, 1})},
                {Reals({1, 3, 1}, {6622, 0, 2200}), Reals({1, 1}, {5511}), Reals({1, 1}, {35255}),
                 Reals({1}, {4411}), Reals({1, 1}, {9933})}})
      .Samples(SamplesOf(kGrad));
}

OpDef LookupRNNCellOp() {
  return LookupOf(RNNCellOp(), /*version=*/3, SamplesOf(kCell.Lookup()))
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
  return LookupOf(RNNCellGradOp(), /*version=*/3, SamplesOf(kGrad.Lookup()))
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

RNNCellOutputs RNNCell(FunctionBuilder& g, Value x, Value w, Value u,
                       const RNNCellOptions& options) {
  Attributes attributes = {{"reverse", options.reverse}};
  SetCellFunctions(kCell.cell, "", options.activation, "", {.clip = options.clip}, attributes);
  const std::vector<Value> outputs = g.AddNode(
      "RNNCell",
      {x, w, u, options.bias, options.initial_state, options.mask, options.recurrent_dropout},
      std::move(attributes), options.name);
  return {.sequence = outputs[0], .last = outputs[1]};
}

}  // namespace seqgraph::ops
