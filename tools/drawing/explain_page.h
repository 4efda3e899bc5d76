#pragma once

#include <string>

#include "runtime/compiled_function.h"

namespace seqgraph::tools {

/// A page (HTML, UTF-8) of a compiled function, which opens without a network: the memory of its
/// values over its nodes, where each node runs and how, the function drawn, and `text` as it is.
/// Light or dark, as the reader prefers. Everything in it is escaped.
std::string ExplainPage(const CompiledFunction& compiled, const std::string& title,
                        const std::string& text);

}  // namespace seqgraph::tools
