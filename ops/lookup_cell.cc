#include "ops/lookup_cell.h"

#include <algorithm>
#include <cmath>
#include <memory>
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
#include "ops/matrix_loops.h"
#include "ops/operand_shapes.h"
#include "ops/recurrent_bound.h"
#include "ops/recurrent_def.h"
#include "ops/step_rules.h"

namespace seqgraph::ops {
namespace {

// Outputs of a cell's gradient; that of the lookup has dtable in the place of the first two.
enum { kDx, kDw, kDu };

using Cell = std::shared_ptr<const OpDef>;

// Reference computation: the ops that these stand for, one after the other.

template <typename T>
absl::Status Compute(const OpDef& cell, const ReferenceContext& c) {
  const auto ids = c.input<int32_t>(kIds);
  const auto table = c.input<T>(kTable);
  SEQ_RETURN_IF_ERROR(CheckIndices("ids", ids, table.dim(0)));
  const int64_t columns = table.dim(1);
  OptionalTensors inputs(cell.inputs().size());
  SEQ_ASSIGN_OR_RETURN(inputs[kX],
                       Tensor::Zeros({DTypeOf<T>, Shape{ids.dim(0), ids.dim(1), columns}}));
  for (int64_t i = 0; i < ids.size(); ++i) {
    std::copy_n(table.data + ids[i] * columns, columns,
                inputs[kX]->Elements<T>().data() + i * columns);
  }
  const auto copy = [&](int i, auto input) {
    using Element = std::remove_const_t<std::remove_pointer_t<decltype(input.data)>>;
    if (!input) return;
    inputs[i] = Tensor::Of<Element>(input.shape, absl::MakeConstSpan(input.data, input.size()));
  };
  for (int i = kU; i < static_cast<int>(inputs.size()); ++i) {
    if (cell.inputs()[i].type == TypeRule::kIndex) {
      copy(i, c.input<int32_t>(i));
    } else {
      copy(i, c.input<T>(i));
    }
  }
  // Output o of the cell is output o - skipped.
  const int skipped = cell.recurrence()->is_gradient() ? kDw : 0;
  const int count = static_cast<int>(cell.outputs().size());
  std::vector<bool> wanted(count);
  for (int o = 0; o < count; ++o) {
    if (skipped == 0 || o != kDw) wanted[o] = bool(c.output<T>(std::max(o - skipped, 0)));
  }
  SEQ_ASSIGN_OR_RETURN(const OptionalTensors outputs,
                       Evaluate(cell, c.attributes(), inputs, {.wanted = wanted}));
  for (int o = skipped == 0 ? 0 : int{kDu}; o < count; ++o) {
    const auto output = c.output<T>(o - skipped);
    if (output) std::copy_n(outputs[o]->Elements<T>().data(), output.size(), output.data);
  }
  const auto dtable = c.output<T>(0);
  if (skipped == 0 || !dtable) return absl::OkStatus();
  std::fill_n(dtable.data, dtable.size(), T{0});
  for (int64_t i = 0; i < ids.size(); ++i) {
    AddVector(outputs[kDx]->Elements<T>().data() + i * columns, columns,
              dtable.data + ids[i] * columns);
  }
  return absl::OkStatus();
}

// The cell's cost on rows that are there, with those of the table in their place.
OpCost CostOf(const OpDef& cell, const CostContext& c) {
  const bool gradient = cell.recurrence()->is_gradient();
  const auto floats = [](Shape shape) { return TensorType{DType::kFloat32, std::move(shape)}; };
  const Shape& ids = c.shape(kIds);
  const TensorType rows = floats({ids[0], ids[1], c.shape(kTable)[1]});
  std::vector<std::optional<TensorType>> inputs(cell.inputs().size()), outputs;
  inputs[kX] = rows;
  for (int i = kU; i < static_cast<int>(inputs.size()); ++i) {
    if (c.has_input(i)) inputs[i] = floats(c.shape(i));  // a mask's elements are as large
  }
  for (int o = 0; o < static_cast<int>(cell.outputs().size()) - gradient; ++o) {
    const bool used = c.uses_output(o);
    outputs.push_back(std::nullopt);
    if (used) outputs[o] = floats({static_cast<int64_t>(c.output_size(o))});
  }
  const bool dtable = gradient && outputs[0].has_value();
  if (gradient) outputs.insert(outputs.begin() + kDw, std::nullopt);
  if (dtable) outputs[kDx] = rows;
  const CostContext projected(inputs, outputs, c.attributes());
  OpCost cost = cell.CostOf(projected);
  // A simple cell's gradient does not read x without w, unless it computes the sums anew.
  const bool simple = cell.recurrence()->gates() == 1;
  const bool reads_x =
      !gradient || !simple || !CellFunctionsOf(cell.recurrence()->cell, c.attributes())->plain();
  if (reads_x) {
    const double read = std::min(c.dim(kIds, 0) * c.dim(kIds, 1), c.dim(kTable, 0));
    cost.bytes_read +=
        static_cast<int64_t>(read * c.dim(kTable, 1) * sizeof(float)) - projected.input_bytes(kX);
  }
  if (reads_x || dtable) cost.bytes_read += c.input_bytes(kIds);
  if (dtable) {
    cost.flops += projected.input_size(kX);
    cost.bytes_written += c.output_bytes(0) - projected.output_bytes(kDx);
  }
  return cost;
}

// Error bound of dtable: each of up to n terms of a row is off by the recurrence's bound R of the
// largest dz, L, independently, and adding them by SumRoundings of their sum of magnitudes, S:
// R sqrt(n) L + SumRoundings(n) S, at least R of what dtable holds.
absl::StatusOr<ErrorBound> GradBound(const BoundContext& c, int o) {
  const double incoming = LargestIncoming(c);
  if (o != 0) return RecurrentGradBound()(c, o);
  // dz, a row for each id: what the definition gives for a table in which each id has a row of its
  // own.
  const Tensor &ids = c.input(kIds), &table = c.input(kTable);
  const int64_t n = ids.num_elements(), columns = table.shape()[1].size();
  std::vector<const Tensor*> inputs(c.inputs().begin(), c.inputs().end());
  Tensor own_ids = ids;
  for (int64_t i = 0; i < n; ++i) own_ids.Elements<int32_t>()[i] = static_cast<int32_t>(i);
  SEQ_ASSIGN_OR_RETURN(Tensor own_table, Tensor::Zeros({DType::kFloat64, Shape{n, columns}}));
  for (int64_t i = 0; i < n; ++i) {
    std::copy_n(table.Elements<double>().data() + ids.Elements<int32_t>()[i] * columns, columns,
                own_table.Elements<double>().data() + i * columns);
  }
  inputs[kIds] = &own_ids;
  inputs[kTable] = &own_table;
  std::vector<bool> wanted(c.op().outputs().size(), false);
  wanted[0] = true;
  SEQ_ASSIGN_OR_RETURN(const OptionalTensors rows,
                       Evaluate(c.op(), c.attributes(), inputs, {.wanted = wanted}));
  const auto dz = rows[0]->Elements<double>();
  std::vector<double> sums(table.num_elements());
  for (int64_t i = 0; i < n * columns; ++i) {
    const double term = std::abs(dz[i]);
    if (!std::isfinite(term)) continue;
    sums[ids.Elements<int32_t>()[i / columns] * columns + i % columns] += term;
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

// The operands of a cell, and the constraints C1 and so on.
void AddOperands(const OpDef& cell, int version, OpDef& op) {
  const bool gradient = cell.recurrence()->is_gradient();
  const std::string columns = cell.inputs()[kU].doc.substr(cell.inputs()[kU].doc.find(' ') + 1);
  const std::string table = absl::StrCat("[rows, ", columns);
  op.Input({.name = "ids",
            .type = TypeRule::kIndex,
            .doc = "[batch, time]; each in [0, rows)",
            .differentiable = false,
            .below = "table"})
      .Input({.name = "table", .doc = table});
  std::vector<ShapeConstraint> shapes = {{"C1", {"ids"}, "time"}, {"C2", {"u"}}, {"C3", {"table"}}};
  for (size_t i = kU; i < cell.inputs().size(); ++i) {
    InputDef input = cell.inputs()[i];
    // Dropout is as old as the version that has all that a cell has.
    input.since = input.name == "recurrent_dropout" ? version : std::min(input.since, version);
    if (i > kU) shapes.push_back({absl::StrCat("C", shapes.size() + 1), {input.name}});
    op.Input(std::move(input));
  }
  for (AttributeDef attribute : cell.attributes()) {
    attribute.since = std::min(attribute.since, version);
    op.Attribute(std::move(attribute));
  }
  if (gradient) op.Output({.name = "dtable", .doc = table});
  for (size_t o = gradient ? int{kDu} : 0; o < cell.outputs().size(); ++o) {
    op.Output(cell.outputs()[o]);
  }
  const size_t next = shapes.size() + 1;
  op.With(ShapesByDoc(std::move(shapes)));
  const int64_t gates = cell.recurrence()->gates();
  OpRejection rejection{
      "", {}, {IndexType({2, 4}), RealType({7, 5 * gates}), RealType({5, 5 * gates})}};
  rejection.inputs.resize(op.inputs().size());
  if (gradient) rejection.inputs[op.FindInput("sequence")] = RealType({2, 4, 5});
  if (gradient) {
    rejection.constraint = absl::StrCat("C", next);
    op.With(RequireGradient(rejection.constraint)).Reject(rejection);
    rejection.inputs[op.FindInput("d_last")] = RealType({2, 5});
  }
  RequireFunctions(cell.recurrence()->cell, absl::StrCat("C", next + gradient),
                   std::move(rejection), op);
}

// The cell's own example where it has w: each token has a row of its own, x·w.
void AddExample(const OpExample& example, OpDef& op) {
  if (!example.inputs[kX].has_value() || !example.inputs[kW].has_value()) return;
  const Tensor &x = *example.inputs[kX], &w = *example.inputs[kW];
  const int64_t tokens = x.shape()[0].size() * x.shape()[1].size();
  const int64_t features = w.shape()[0].size(), columns = w.shape()[1].size();
  std::vector<double> table(tokens * columns);
  std::vector<int32_t> ids(tokens);
  for (int64_t i = 0; i < tokens; ++i) {
    ids[i] = static_cast<int32_t>(i);
    AddVectorTimesMatrix(x.Elements<double>().data() + i * features, w.Elements<double>().data(),
                         features, columns, table.data() + i * columns);
  }
  OpExample looked_up = example;
  looked_up.inputs[kIds] = Tensor::Of<int32_t>(Shape{x.shape()[0], x.shape()[1]}, ids);
  looked_up.inputs[kTable] = Tensor::Of<double>(Shape{tokens, columns}, table);
  op.Example(std::move(looked_up));
}

}  // namespace

OpDef LookupOf(const OpDef& cell, int version, Sampler samples) {
  const RecurrenceFacts& facts = *cell.recurrence();
  const bool gradient = facts.is_gradient();
  OpDef op(absl::StrCat("Lookup", cell.name()), version);
  op.CompatibleFrom(1)
      .Recurrent({.cell = facts.cell,
                  .gradient_of = gradient ? absl::StrCat("Lookup", facts.gradient_of) : ""})
      .Samples(std::move(samples));
  AddOperands(cell, version, op);
  const Cell shared = std::make_shared<const OpDef>(cell);
  op.Reference([shared](const ReferenceContext& c) { return Compute<float>(*shared, c); },
               [shared](const ReferenceContext& c) { return Compute<double>(*shared, c); });
  const auto cost = [shared](const CostContext& c) { return CostOf(*shared, c); };
  if (gradient) {
    return op
        .Doc(absl::StrCat(
            "The gradients of Lookup", facts.gradient_of, ": those of ", facts.gradient_of,
            ", and dtable[r] = sum of the gradients of the projected input where ids_t = r."))
        .Bound(GradBound)
        .Cost(absl::StrCat("That of ", cell.name(),
                           " without w, and FLOPs: 1 for each element of the projected input, "
                           "which is added to dtable. Of the table, at most one row for each id is "
                           "read."),
              cost);
  }
  for (const OpExample& example : cell.examples()) AddExample(example, op);
  return op
      .Doc(absl::StrCat(cell.name(),
                        " on rows that are already projected: table[ids_t] takes the place of "
                        "x_t·w. An id that is not in [0, rows) fails the run."))
      .Bound(RecurrentBound())
      .Gradient(GradientOp(absl::StrCat(op.name(), "Grad")))
      .Steps(RecurrentSteps())
      .Cost(absl::StrCat("That of ", cell.name(),
                         " without w. Of the table, at most one row for each id is read."),
            cost);
}

}  // namespace seqgraph::ops
