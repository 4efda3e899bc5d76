#pragma once

#include <optional>
#include <string>

#include "graph/op_registry.h"
#include "graph/tensor.h"

namespace seqgraph {

/// The reference page of all ops in the registry, in Markdown: what each computes, its inputs,
/// outputs, attributes, constraints, gradient and examples. docs/ops.md is this text.
std::string OpDocs(const OpRegistry& registry);

/// "[2, 3]: 1, 2, 3, 4, 5, 6"; "7" for a scalar; "-" for an absent tensor.
std::string TensorText(const std::optional<Tensor>& tensor);

}  // namespace seqgraph
