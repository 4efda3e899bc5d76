#pragma once

// The list of all layers, with their structs for programs that stack them.

#include "layers/activation.h"
#include "layers/activation_layers.h"
#include "layers/attention.h"
#include "layers/bidirectional.h"
#include "layers/convolution.h"
#include "layers/dense.h"
#include "layers/dropout.h"
#include "layers/embedding.h"
#include "layers/flatten.h"
#include "layers/image.h"
#include "layers/layer_def.h"
#include "layers/leaky_relu.h"
#include "layers/masking.h"
#include "layers/merging.h"
#include "layers/noise.h"
#include "layers/normalization.h"
#include "layers/one_hot.h"
#include "layers/operation.h"
#include "layers/padding.h"
#include "layers/pooling.h"
#include "layers/recurrent.h"
#include "layers/repeat_vector.h"
#include "layers/rescaling.h"
#include "layers/reshaping.h"
#include "layers/rnn.h"
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
    InnerStackDef,
    OperationDef,
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
    Conv1DDef,
    DepthwiseConv1DDef,
    SeparableConv1DDef,
    MaxPooling1DDef,
    AveragePooling1DDef,
    ZeroPadding1DDef,
    Cropping1DDef,
    UpSampling1DDef,
    Conv2DDef,
    MaxPooling2DDef,
    AveragePooling2DDef,
    GlobalAveragePooling2DDef,
    GlobalMaxPooling2DDef,
    NormalizationDef,
    BatchNormalizationDef,
    LayerNormalizationDef,
    UnitNormalizationDef,
    GaussianNoiseDef,
    GaussianDropoutDef,
    ReLUDef,
    ELUDef,
    PReLUDef,
    SoftmaxDef,
    ReshapeDef,
    PermuteDef,
    RescalingDef,
    IdentityDef,
    SimpleRNNCellDef,
    LSTMCellDef,
    GRUCellDef,
    StackedRNNCellsDef,
    RNNDef,
};

/// Registers every class of this folder. Fails only where one of them is there already.
absl::Status RegisterAllLayers(LayerRegistry& registry);

/// A registry with every class of this folder and no other; it lives as long as the program.
const LayerRegistry& AllLayers();

}  // namespace seqgraph
