#ifndef SEQGRAPH_SERIALIZATION_LAYERS_PROTO_H_
#define SEQGRAPH_SERIALIZATION_LAYERS_PROTO_H_

#include "absl/status/statusor.h"
#include "graph/layers.h"
#include "serialization/layers.pb.h"

namespace seqgraph {

/// A stack in a file has at most this many layers.
inline constexpr int kMaxStackLayers = 1000;

proto::LayerStack LayerStackToProto(const LayerStack& stack);

/// The inverse, for untrusted messages. InvalidArgument, naming the layer: an extent that is not
/// from 1 to 2^40, a number that is not finite, a name that is empty, too long or there twice, an
/// unknown kind. Whether the layers fit each other, and the variables them, is for who builds them.
absl::StatusOr<LayerStack> LayerStackFromProto(const proto::LayerStack& stack);

}  // namespace seqgraph

#endif  // SEQGRAPH_SERIALIZATION_LAYERS_PROTO_H_
