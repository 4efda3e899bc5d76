#pragma once

// FusedElementwise: y = program(x0, x1, ...) element by element.

#include <string>

#include "absl/types/span.h"
#include "graph/elementwise_program.h"
#include "graph/function_builder.h"

namespace seqgraph::ops {

/// As many inputs as the program has, of one shape or one number each -> y of that shape.
/// InvalidArgument (in the builder) where shapes differ. It has no gradient: nodes are fused once a
/// function is differentiated.
Value FusedElementwise(FunctionBuilder& g, absl::Span<const Value> inputs,
                       const ElementwiseProgram& program, std::string name = "");

}  // namespace seqgraph::ops
