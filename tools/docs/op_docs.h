#ifndef SEQGRAPH_TOOLS_DOCS_OP_DOCS_H_
#define SEQGRAPH_TOOLS_DOCS_OP_DOCS_H_

#include <string>

#include "graph/op_registry.h"

namespace seqgraph {

/// The reference page of all ops in the registry, in Markdown: what each computes, its inputs,
/// outputs, attributes, constraints, gradient and examples. docs/ops.md is this text.
std::string OpDocs(const OpRegistry& registry);

}  // namespace seqgraph

#endif  // SEQGRAPH_TOOLS_DOCS_OP_DOCS_H_
