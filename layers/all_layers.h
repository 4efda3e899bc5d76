#pragma once

// The list of all layers, with their structs for programs that stack them.

#include "layers/activation.h"
#include "layers/attention.h"
#include "layers/bidirectional.h"
#include "layers/dense.h"
#include "layers/dropout.h"
#include "layers/embedding.h"
#include "layers/flatten.h"
#include "layers/layer_def.h"
#include "layers/leaky_relu.h"
#include "layers/masking.h"
#include "layers/merging.h"
#include "layers/one_hot.h"
#include "layers/pooling.h"
#include "layers/recurrent.h"
#include "layers/repeat_vector.h"
#include "layers/time_distributed.h"

namespace seqgraph {

inline constexpr LayerDef (*kLayerDefs[])() = {
    EmbeddingDef,
    OneHotDef,
    SimpleRNNDef,
    LSTMDef,
    GRUDef,
    BidirectionalDef,
    DenseDef,
    DropoutDef,
    SpatialDropout1DDef,
    GlobalAveragePooling1DDef,
    GlobalMaxPooling1DDef,
    ActivationDef,
    MaskingDef,
    RepeatVectorDef,
    FlattenDef,
    LeakyReLUDef,
    TimeDistributedDef,
    AddDef,
    SubtractDef,
    MultiplyDef,
    AverageDef,
    MaximumDef,
    MinimumDef,
    ConcatenateDef,
    DotDef,
    AttentionDef,
    AdditiveAttentionDef,
};

/// Registers every class of this folder. Fails only where one of them is there already.
absl::Status RegisterAllLayers(LayerRegistry& registry);

/// A registry with every class of this folder and no other; it lives as long as the program.
const LayerRegistry& AllLayers();

}  // namespace seqgraph
