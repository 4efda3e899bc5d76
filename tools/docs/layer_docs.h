#ifndef SEQGRAPH_TOOLS_DOCS_LAYER_DOCS_H_
#define SEQGRAPH_TOOLS_DOCS_LAYER_DOCS_H_

#include <string>

#include "layers/layer_def.h"

namespace seqgraph {

/// The reference page of all layers in Markdown: docs/layers.md.
std::string LayerDocs(const LayerRegistry& registry);

}  // namespace seqgraph

#endif  // SEQGRAPH_TOOLS_DOCS_LAYER_DOCS_H_
