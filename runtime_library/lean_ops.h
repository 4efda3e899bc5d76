// No #pragma once: the compiler is told to put this file before its sources, also before itself.
#ifndef SEQGRAPH_RUNTIME_LIBRARY_LEAN_OPS_H_
#define SEQGRAPH_RUNTIME_LIBRARY_LEAN_OPS_H_

// Put before the sources of ops/ where they are compiled for the runtime library: what only tests,
// documentation and the making of models ask an op for is left out of its definition. That is two
// thirds of their code, and most of the time that a program would wait for them.

#include "graph/op_def.h"

namespace seqgraph::ops {

/// Instead of examples and samples: the one example that the registry insists on.
void OneExample(OpDef& op);
/// Instead of what may be missing.
inline constexpr auto kLeftOut = [](OpDef&) {};
/// Instead of the error bound, which no backend asks for.
absl::StatusOr<ErrorBound> NoBound(const BoundContext& context, int output);
absl::Status NoFloat64();

/// Of an op's two computations the one in float32; nodes in float64 end with an error when they
/// run. A computation that looks at the element types itself takes them all.
template <typename InFloat, typename InDouble>
ReferenceFunction Float32Only(InFloat in_float, const InDouble&) {
  return [in_float](const ReferenceContext& c) -> absl::Status {
    if (c.real() != DType::kFloat32) return NoFloat64();
    return in_float(c);
  };
}
template <typename Any>
ReferenceFunction Float32Only(Any any) {
  return any;
}

}  // namespace seqgraph::ops

#define Bound(...) Bound(::seqgraph::ops::NoBound)
#define Cost(formula, ...) Cost("", __VA_ARGS__)
#define Doc(...) Doc("See docs/ops.md.")
#define Example(...) With(::seqgraph::ops::OneExample)
#define Gradient(...) With(::seqgraph::ops::kLeftOut)
#define Reference(...) Reference(::seqgraph::ops::Float32Only(__VA_ARGS__))
#define Reject(...) With(::seqgraph::ops::kLeftOut)
#define RejectAlso(...) With(::seqgraph::ops::kLeftOut)
#define Samples(...) With(::seqgraph::ops::OneExample)

#endif  // SEQGRAPH_RUNTIME_LIBRARY_LEAN_OPS_H_
