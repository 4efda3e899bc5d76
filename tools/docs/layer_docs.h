#pragma once

#include <string>

#include "layers/layer_def.h"

namespace seqgraph {

/// The reference page of all layers in Markdown: docs/layers.md.
std::string LayerDocs(const LayerRegistry& registry);

}  // namespace seqgraph
