#pragma once

#include "absl/status/statusor.h"
#include "graph/layer_stack.h"
#include "serialization/layers.pb.h"

namespace seqgraph {

proto::LayerStack LayerStackToProto(const LayerStack& stack);

/// The inverse, for untrusted messages, also of format version 3. InvalidArgument, naming the
/// layer: a number that is not finite, a name that is empty, too long or there twice, a layer
/// without a class or too deep within others. Classes need not be known here, and what their
/// settings mean is not asked: CheckStack() (layers/layer_def.h) does, for who builds the layers.
absl::StatusOr<LayerStack> LayerStackFromProto(const proto::LayerStack& stack);

}  // namespace seqgraph
