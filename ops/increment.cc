#include <cstdint>
#include <limits>

#include "base/status_macros.h"
#include "ops/examples.h"
#include "ops/shape_rules.h"

namespace seqgraph::ops {
namespace {

// Shape rule: SameAsInput(0).

// Reference computation.

absl::Status ComputeIncrement(const ReferenceContext& c) {
  const auto t = c.input<int64_t>(0);
  const auto new_t = c.output<int64_t>(0);
  if (!new_t) return absl::OkStatus();
  for (int64_t i = 0; i < new_t.size(); ++i) {
    if (t[i] == std::numeric_limits<int64_t>::max()) {
      return InvalidArgument("t is ", t[i], ": no larger count fits");
    }
    new_t[i] = t[i] + 1;
  }
  return absl::OkStatus();
}

// Gradient rule: none, counters have no derivative.

}  // namespace

// Definition.

OpDef IncrementOp() {
  return OpDef("Increment", 1)
      .Doc("new_t = t + 1, element by element. A t that cannot grow fails the run.")
      .Input({.name = "t",
              .type = TypeRule::kCounter,
              .doc = "counters, any shape",
              .differentiable = false})
      .Output({.name = "new_t", .type = TypeRule::kCounter, .doc = "the shape of t"})
      .Shapes(SameAsInput(0))
      .InPlace({0, 0})
      .Reference(ComputeIncrement, ComputeIncrement)
      .Bound(ExactBound())
      .Example({"beyond_32_bits", {}, {CounterScalar(4294967295)}, {CounterScalar(4294967296)}})
      .Samples([](SampleSource& source) {
        return OpSample{{}, {CounterScalar(source.Int(0, 1000000))}};
      });
}

}  // namespace seqgraph::ops
