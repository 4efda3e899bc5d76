#ifndef SEQGRAPH_SERIALIZATION_KERAS_LAYER_LIMITS_H_
#define SEQGRAPH_SERIALIZATION_KERAS_LAYER_LIMITS_H_

#include <cstddef>
#include <cstdint>

namespace seqgraph::keras {

/// No extent in a configuration is larger (units, time, rows of a table): products of a few fit
/// into 64 bits with room to spare.
inline constexpr int64_t kMaxExtent = 1 << 30;
/// A stack has at most this many layers.
inline constexpr size_t kMaxLayers = 1000;
/// Names of models and layers have at most this many bytes.
inline constexpr size_t kMaxLayerName = 200;

}  // namespace seqgraph::keras

#endif  // SEQGRAPH_SERIALIZATION_KERAS_LAYER_LIMITS_H_
