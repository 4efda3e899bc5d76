#pragma once

#include <string>

namespace seqgraph {

/// The reference page of all optimizers, in Markdown.
std::string OptimizerDocs();

}  // namespace seqgraph
