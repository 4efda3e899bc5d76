#include "layers/all_layers.h"

#include <cstdio>

#include "base/status_macros.h"

namespace seqgraph {

absl::Status RegisterAllLayers(LayerRegistry& registry) {
  for (const auto def : kLayerDefs) SEQ_RETURN_IF_ERROR(registry.Register(def()));
  return absl::OkStatus();
}

const LayerRegistry& AllLayers() {
  static const LayerRegistry* const all = [] {
    auto* registry = new LayerRegistry;
    const absl::Status status = RegisterAllLayers(*registry);
    if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
    SEQ_CHECK(status.ok());
    return registry;
  }();
  return *all;
}

}  // namespace seqgraph
