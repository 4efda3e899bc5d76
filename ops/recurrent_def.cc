#include "ops/recurrent_def.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "ops/examples.h"
#include "ops/operand_shapes.h"
#include "ops/recurrent_bound.h"

namespace seqgraph::ops {
namespace {

std::string ActivationList() {
  return absl::StrJoin(ActivationTable(), ", ", [](std::string* out, const ActivationRow& row) {
    if (&RowOf(row.kind) == &row) out->append(row.name);
  });
}

// The inputs mask and recurrent_dropout.
void AddMaskInputs(OpDef& op, const RecurrentOperands& kind, const std::string& columns) {
  op.Input({.name = "mask",
            .type = TypeRule::kIndex,
            .doc = "[batch, time]; 0: a masked step keeps the state, and its output repeats the "
                   "one before (zero where none came before); absent: no step is masked",
            .optional = true,
            .differentiable = false,
            .since = kind.masks_since})
      .Input({.name = "recurrent_dropout",
              .doc = absl::StrCat("[batch, ", columns, "]: multiplies h_{t-1} on its way into u",
                                  kind.gates() > 1 ? ", for each gate by its own factors" : "",
                                  "; absent: ones"),
              .optional = true,
              .differentiable = false,
              .since = kind.masks_since});
}

void AddOutputs(OpDef& op, const RecurrentOperands& kind, const std::string& columns,
                const std::string& bias_doc) {
  if (!kind.is_gradient()) {
    op.Output({.name = "sequence", .doc = "[batch, time, units]: h_0 .. h_{time-1}"})
        .Output({.name = "last", .doc = "[batch, units]: the last state, h_{time-1}"});
    if (kind.has_cell())
      op.Output({.name = "last_cell", .doc = "[batch, units]: c of the same step"});
    return;
  }
  op.Output({.name = "dx", .doc = "the shape of x"})
      .Output({.name = "dw", .doc = absl::StrCat("the shape of w; [0, ", columns, "] without w")})
      .Output({.name = "du", .doc = absl::StrCat("[units, ", columns, "]")})
      .Output({.name = "db", .doc = bias_doc})
      .Output({.name = "dh0", .doc = "[batch, units]"});
  if (kind.has_cell()) op.Output({.name = "dc0", .doc = "[batch, units]"});
}

// The shapes of what the op has, and C4.
void ConstrainOperands(OpDef& op, const RecurrentOperands& kind, const std::string& columns) {
  std::vector<ShapeConstraint> shapes = {{"C1", {"x"}, "time"},
                                         {"C2", {"u"}},
                                         {"C3", {"w"}},
                                         {"C5", {"b"}},
                                         {"C6", {"h0"}},
                                         {"C7", {"mask"}},
                                         {"C8", {"recurrent_dropout"}}};
  if (kind.is_gradient()) {
    shapes.insert(shapes.end(),
                  {{"C9", {"sequence"}}, {"C11", {"d_sequence"}}, {"C12", {"d_last"}}});
    if (kind.has_cell()) shapes.back().inputs.push_back("d_last_cell");
  }
  if (kind.has_cell()) shapes.push_back({"C13", {"c0"}});
  op.With(ShapesByDoc(std::move(shapes)))
      .Require("C4", absl::StrCat("without w, x is [batch, time, ", columns, "]"),
               [columns](const ShapeContext& c) -> std::string {
                 if (c.has_input(kW) || c.shape(kX)[2] == c.shape(kU)[1]) return "";
                 return absl::StrCat(
                     "x, which is already projected where w is absent, must be "
                     "[batch, time, ",
                     columns, "] with units ", c.shape(kU)[0].ToString(), ", got ",
                     c.shape(kX).ToString());
               });
  OpRejection rejection{"C4", {}, {RealType({2, 4, 3}), {}, RealType({5, 5 * kind.gates()})}};
  rejection.inputs.resize(op.inputs().size());
  if (kind.is_gradient()) rejection.inputs[kind.sequence] = RealType({2, 4, 5});
  op.Reject(rejection);
  rejection.inputs[kX] = RealType({2, 4, 5 * kind.gates()});
  if (kind.is_gradient()) rejection.inputs[kind.sequence + 2] = RealType({2, 5});
  RequireFunctions(kind.cell, "C14", rejection, op);
  if (!kind.is_gradient()) return;
  rejection.inputs[kind.sequence + 2].reset();
  op.With(RequireGradient("C10"));
  rejection.inputs[kX] = RealType({2, 4, 5 * kind.gates()});
  rejection.constraint = "C10";
  op.Reject(rejection);
}

// Half of the uses have tanh, relu or sigmoid alone.
Attributes DrawFunctions(SampleSource& source, const RecurrentOperands& kind) {
  Attributes attributes;
  if (source.Coin()) {
    attributes.Set("activation", source.OneOf<std::string>({"tanh", "tanh", "relu", "sigmoid"}));
    return attributes;
  }
  const auto table = ActivationTable();
  const auto draw = [&] {
    return source.OneOf(std::vector<ActivationRow>(table.begin(), table.end()));
  };
  CellFunctions functions;
  bool grows = false;
  for (ActivationFunction* f : {&functions.gates, &functions.state, &functions.output}) {
    const ActivationRow row = draw();
    *f = {row.kind, row.alpha, row.beta};
    if (row.parameters > 0 && source.Coin()) f->alpha = source.Int(1, 8) / 8.0;
    if (row.parameters > 1 && source.Coin()) f->beta = source.Int(-4, 4) / 8.0;
    grows |= row.steepest == 0;
  }
  if (grows || source.Int(0, 3) == 0) functions.clip = source.Int(4, 12) / 8.0;
  SetCellFunctions(kind.cell, functions, attributes);
  return attributes;
}

// The sequence [batch, time, units] that `compute` writes to output 0 from the sample's inputs.
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

// The same use of the cell on the looked-up rows.
OpSample Projected(const OpSample& sample) {
  OpSample projected = sample;
  const Tensor &ids = *sample.inputs[kIds], &table = *sample.inputs[kTable];
  const int64_t columns = table.shape()[1].size();
  std::vector<double> x;
  for (const int32_t id : ids.Elements<int32_t>()) {
    const double* row = table.Elements<double>().data() + id * columns;
    x.insert(x.end(), row, row + columns);
  }
  projected.inputs[kX] = Tensor::Of<double>(Shape{ids.shape()[0], ids.shape()[1], columns}, x);
  projected.inputs[kW].reset();
  return projected;
}

// Adds sequence and random gradients of the outputs to a sample, at least one of them.
void AddGradientSamples(SampleSource& source, int sequence_input, bool has_cell, Tensor sequence,
                        OpSample& sample) {
  const Shape shape = sequence.shape(), state{shape[0], shape[2]};
  sample.inputs[sequence_input] = std::move(sequence);
  const int64_t which = source.Int(1, has_cell ? 7 : 3);
  if (which & 1) sample.inputs[sequence_input + 1] = source.Reals(shape);
  if (which & 2) sample.inputs[sequence_input + 2] = source.Reals(state);
  if (which & 4) sample.inputs[sequence_input + 3] = source.Reals(state);
}

// For OpDef::With: the inputs sequence, d_sequence, d_last and perhaps d_last_cell.
std::function<void(OpDef&)> GradientInputs(bool has_cell) {
  return [has_cell](OpDef& op) {
    op.Input({.name = "sequence", .doc = "[batch, time, units]: the output of the forward op"})
        .Input({.name = "d_sequence",
                .doc = "[batch, time, units]: the gradient of sequence; absent: zero",
                .optional = true})
        .Input({.name = "d_last",
                .doc = "[batch, units]: the gradient of last; absent: zero",
                .optional = true});
    if (!has_cell) return;
    op.Input({.name = "d_last_cell",
              .doc = "[batch, units]: the gradient of last_cell; absent: zero",
              .optional = true});
  };
}

}  // namespace

OpDef RecurrentDef(const RecurrentOperands& kind, std::string name, std::string doc,
                   std::string bias_doc) {
  const std::string columns = kind.gates() == 1 ? "units" : absl::StrCat(kind.gates(), " units");
  const std::string gradient_of(kind.is_gradient() ? absl::StripSuffix(name, "Grad") : "");
  OpDef op(std::move(name), kind.version);
  op.CompatibleFrom(1)
      .Recurrent({.cell = kind.cell, .gradient_of = gradient_of})
      .Bound(kind.is_gradient() ? RecurrentGradBound() : RecurrentBound())
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
                  .doc = kind.has_cell() ? "act, of candidate and output" : "act",
                  .one_of = {"tanh", "relu", "sigmoid"}})
      .Attribute({.name = "reverse",
                  .kind = AttributeKind::kBool,
                  .default_value = false,
                  .doc = "go from t = time-1 down to 0; the sequence keeps the order of x, and "
                         "last is the state after t = 0",
                  .since = kind.masks_since})
      .Attribute(
          {.name = "activations",
           .kind = AttributeKind::kString,
           .default_value = "",
           .doc = absl::StrCat(
               kind.gates() == 1 ? "act"
               : kind.has_cell()
                   ? "those of the gates (in place of the sigmoid), the candidate and the output"
                   : "those of the gates (in place of the sigmoid) and the candidate",
               ", separated by spaces: names of ", ActivationList(),
               ", with parameters as in hard_sigmoid(0.2,0.5); empty: activation says"),
           .since = kind.version})
      .Attribute({.name = "clip",
                  .kind = AttributeKind::kFloat,
                  .default_value = 0.0,
                  .doc =
                      "sums of gates are limited to [-clip, clip] in front of their activations; "
                      "0: they are not",
                  .since = kind.version});
  if (kind.has_cell()) {
    op.Attribute({.name = "input_forget",
                  .kind = AttributeKind::kBool,
                  .default_value = false,
                  .doc = "coupled gates: 1 - i takes the place of the forget gate",
                  .since = kind.version})
        .Attribute({.name = "peepholes",
                    .kind = AttributeKind::kBool,
                    .default_value = false,
                    .doc = "b has 3 units more, p_i, p_o, p_f: i and f see c_{t-1}, o sees c_t; "
                           "p_i c_{t-1} is added to the sum of i, and so on",
                    .since = kind.version})
        .Input({.name = "c0", .doc = "[batch, units]; absent: zero", .optional = true});
  }
  // What was added to an op stands behind what it had.
  const bool masks_last = kind.is_gradient() && kind.masks_since > 1;
  if (!masks_last) AddMaskInputs(op, kind, columns);
  if (kind.is_gradient()) op.With(GradientInputs(kind.has_cell()));
  if (masks_last) AddMaskInputs(op, kind, columns);
  AddOutputs(op, kind, columns, bias_doc);
  ConstrainOperands(op, kind, columns);
  return op;
}

void RequireFunctions(RecurrenceFacts::Cell cell, const std::string& label, OpRejection rejection,
                      OpDef& op) {
  op.Require(label, "activations are as many as the cell has, clip is finite and at least 0",
             [cell](const ShapeContext& c) {
               return std::string(CellFunctionsOf(cell, c.attributes()).status().message());
             });
  rejection.constraint = label;
  for (Attributes attributes :
       {Attributes{{"activations", "tanh tanh tanh tanh"}}, Attributes{{"clip", -1.0}}}) {
    rejection.attributes = std::move(attributes);
    op.Reject(rejection);
  }
}

std::function<void(OpDef&)> RequireGradient(std::string label) {
  return [label = std::move(label)](OpDef& op) {
    std::vector<std::string> names;
    for (const InputDef& input : op.inputs()) {
      if (absl::StartsWith(input.name, "d_")) names.push_back(input.name);
    }
    const int first = op.FindInput(names[0]), count = static_cast<int>(names.size());
    const std::string text = absl::StrJoin(names, " or ");
    op.Require(label, text + " is there", [=](const ShapeContext& c) {
      for (int i = first; i < first + count; ++i) {
        if (c.has_input(i)) return std::string();
      }
      return text + " must be there";
    });
  };
}

double NumStates(const CostContext& c) { return c.dim(kX, 0) * c.dim(kX, 1) * c.dim(kU, 0); }

double NumPreviousStates(const CostContext& c) {
  return c.dim(kX, 0) * (c.dim(kX, 1) - !c.has_input(kH0)) * c.dim(kU, 0);
}

double Projection(const CostContext& c) { return c.has_input(kW) ? 2 * c.dim(kW, 0) : 0; }

Sampler RecurrentSamples(const RecurrentOperands& kind, DrawMore draw_more, RunCell run) {
  return [=](SampleSource& source) {
    const Attributes functions = DrawFunctions(source, kind);
    const bool plain = functions.Find("activations") == nullptr;
    // Not all of them keep states small, and most have kinks to keep away from.
    constexpr int64_t kAny = std::numeric_limits<int64_t>::max();
    const int64_t batch = std::min(source.Dimension(), plain ? kAny : 3);
    const int64_t time = std::min(source.Dimension(), plain ? kAny : 6);
    const int64_t units = source.Dimension(), columns = kind.gates() * units;
    const bool projected = kind.lookup || source.Coin(), has_state = source.Coin(),
               reverse = source.Coin();
    const bool has_mask = source.Coin(), has_dropout = source.Int(0, 3) == 0;
    const int64_t features = projected ? columns : source.Dimension();
    const int64_t rows = kind.lookup ? source.Dimension() : 0;
    const double u_limit = 1 / std::sqrt(units), w_limit = 1 / std::sqrt(features);
    for (double gap = 1e-3;; gap /= 2) {
      OpSample sample;
      sample.attributes = functions;
      sample.attributes.Set("reverse", reverse);
      // The last input is of the masks, or of the gradients behind them.
      sample.inputs.resize(std::max(kind.dropout, kind.sequence + 2 + kind.has_cell()) + 1);
      if (kind.lookup) {
        sample.inputs[kIds] = source.Indices({batch, time}, rows);
        sample.inputs[kTable] = source.Reals({rows, columns});
      } else {
        sample.inputs[kX] = source.Reals({batch, time, features});
      }
      if (!projected) sample.inputs[kW] = source.Reals({features, columns}, -w_limit, w_limit);
      sample.inputs[kU] = source.Reals({units, columns}, -u_limit, u_limit);
      if (has_state) sample.inputs[kH0] = source.Reals({batch, units});
      if (has_mask) sample.inputs[kind.mask] = source.Indices({batch, time}, 3);
      if (has_dropout) sample.inputs[kind.dropout] = source.Reals({batch, columns}, 0, 1.5);
      draw_more(source, sample);
      double kink_distance = 1;
      const OpSample on_rows = kind.lookup ? Projected(sample) : sample;
      Tensor sequence = RunSample(on_rows, [&](const ReferenceContext& c) {
        run(c, {c, kind.cell, kind.mask, kind.dropout}, &kink_distance);
      });
      if (kink_distance < gap || !(LargestFiniteMagnitude(sequence) < 100)) continue;
      if (kind.is_gradient()) {
        AddGradientSamples(source, kind.sequence, kind.has_cell(), std::move(sequence), sample);
      }
      return sample;
    }
  };
}

}  // namespace seqgraph::ops
