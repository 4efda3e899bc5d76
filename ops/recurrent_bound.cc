#include "ops/recurrent_bound.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "graph/bound_rules.h"
#include "graph/cell_functions.h"
#include "graph/op_def.h"
#include "ops/recurrence.h"

namespace seqgraph::ops {

namespace {

// How steep the activations are: they magnify what sums are off by.
double Steepest(const BoundContext& c) {
  const CellFunctions f = *CellFunctionsOf(c.op().recurrence()->cell, c.attributes());
  double steepest = 1;
  for (const ActivationFunction& function : {f.gates, f.state, f.output}) {
    const double slope = SteepestSlope(function);
    // That of the exponential is its value.
    steepest =
        std::max(steepest, std::isfinite(slope) ? slope
                           : f.clip > 0         ? std::exp(f.clip)
                                        : std::max(c.LargestOutput(0), c.Largest("sequence")));
  }
  return steepest;
}

}  // namespace

ErrorBound RecurrenceRoundings(const BoundContext& c, bool backward, double scale,
                               absl::string_view of) {
  const Shape& x = c.shape(kX);  // or ids
  const int64_t units = std::max<int64_t>(c.shape(kU)[0].size(), 1);
  const int64_t gates = c.op().recurrence()->gates();
  const int64_t batch = std::max<int64_t>(x[0].size(), 1), time = x[1].size();
  // benchdnn multiplies the terms of a GRU by its features.
  const Dim features = x.rank() > 2 ? x[2] : c.shape(kU)[1];
  const int64_t wider = gates == 3 ? std::max<int64_t>(features.size(), 1) : 1;
  const double steepest = Steepest(c);
  const double bound =
      steepest * RecurrenceBound(gates, units, batch, time * wider, backward) / kFloatEpsilon;
  const std::string wide =
      gates == 1 ? "max(units, batch)" : absl::StrCat("max(", gates, " units, batch)");
  const std::string extra = wider > 1 ? absl::StrCat(" ", wider, " features") : "";
  return {
      bound, scale,
      absl::StrCat(
          backward ? absl::StrCat("8 ceil(log2(", 2 * gates + 1, " ", wide, " time", extra, "))")
                   : absl::StrCat("4 ceil(log2(", 2 * gates + 1, " time", extra, "))"),
          " eps", steepest > 1 ? absl::StrCat(" x ", steepest, ", the steepest slope,") : "", " = ",
          bound, " eps of the largest ", of, ", units = ", units, ", batch = ", batch,
          ", time = ", time)};
}

double LargestIncoming(const BoundContext& c) {
  return std::max({c.Largest("d_sequence"), c.Largest("d_last"), c.Largest("d_last_cell")});
}

BoundRule RecurrentBound() {
  return [](const BoundContext& c, int o) {
    const double scale = std::max({c.LargestOutput(o), c.Largest("x"), c.Largest("table"),
                                   c.Largest("b"), c.Largest("h0"), c.Largest("c0")});
    return RecurrenceRoundings(c, /*backward=*/false, scale, "of output, input, b, initial state");
  };
}

BoundRule RecurrentGradBound() {
  return [](const BoundContext& c, int o) {
    return RecurrenceRoundings(c, /*backward=*/true,
                               std::max(c.LargestOutput(o), LargestIncoming(c)),
                               "of output and incoming gradient");
  };
}

}  // namespace seqgraph::ops
