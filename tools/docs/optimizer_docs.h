#ifndef SEQGRAPH_TOOLS_DOCS_OPTIMIZER_DOCS_H_
#define SEQGRAPH_TOOLS_DOCS_OPTIMIZER_DOCS_H_

#include <string>

namespace seqgraph {

/// The reference page of all optimizers, in Markdown.
std::string OptimizerDocs();

}  // namespace seqgraph

#endif  // SEQGRAPH_TOOLS_DOCS_OPTIMIZER_DOCS_H_
