#pragma once

#include "absl/types/span.h"
#include "graph/model.h"
#include "graph/op_registry.h"

namespace seqgraph {

/// Two ops that between them have everything a file must carry: "Mix" has inputs that may be
/// absent, two outputs and an attribute of every kind; "Copy" gives its input back.
/// `mix_version` is the version of Mix.
OpRegistry FileTestOps(int mix_version = 1);

/// What a model knows of series: every field set, names of any bytes.
SeriesPreprocessing AwkwardSeries();

/// A model over these ops with two functions that share variables, optimizer state, a variable of
/// every element type, preprocessing with words that are not UTF-8, and labels.
Model FileTestModel(const OpRegistry& registry);

/// Floats that a careless writer changes: signed zeros, denormals, the largest, infinities, NaNs
/// with payload and sign, and the ninth digit.
absl::Span<const float> AwkwardFloats();

}  // namespace seqgraph
