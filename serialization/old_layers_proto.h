#ifndef SEQGRAPH_SERIALIZATION_OLD_LAYERS_PROTO_H_
#define SEQGRAPH_SERIALIZATION_OLD_LAYERS_PROTO_H_

#include "absl/status/statusor.h"
#include "graph/layer_stack.h"
#include "serialization/layers.pb.h"

namespace seqgraph {

/// The layer of a message of format version 3, which had one for each kind. InvalidArgument for an
/// enumerator that it did not have, a text that is too long, a number that is not finite.
absl::StatusOr<LayerKind> OldLayerKind(const proto::Layer& layer);

}  // namespace seqgraph

#endif  // SEQGRAPH_SERIALIZATION_OLD_LAYERS_PROTO_H_
