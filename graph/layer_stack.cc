#include "graph/layer_stack.h"

namespace seqgraph {

LayerKind::LayerKind() = default;
LayerKind::LayerKind(const LayerKind&) = default;
LayerKind::LayerKind(LayerKind&&) noexcept = default;
LayerKind& LayerKind::operator=(const LayerKind&) = default;
LayerKind& LayerKind::operator=(LayerKind&&) noexcept = default;
LayerKind::~LayerKind() = default;

bool operator==(const LayerKind& a, const LayerKind& b) {
  return a.class_name == b.class_name && a.settings == b.settings;
}
bool operator==(const Layer& a, const Layer& b) {
  return a.name == b.name && a.trainable == b.trainable && a.kind == b.kind;
}

}  // namespace seqgraph
