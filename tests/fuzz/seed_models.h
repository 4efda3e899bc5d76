#pragma once

// Small models of many kinds: what tests of hostile bytes begin with, and streams run on.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "graph/layer_stack.h"
#include "graph/model.h"

namespace seqgraph {

/// Each example of each op alone, as the function "predict": its inputs "x0", "x1", .., but for the
/// second, if it is real, which is the variable "w".
std::vector<Model> OpModels();

/// Each example of each class of layers that stands in a stack alone, without its mask.
std::vector<LayerStack> LayerStacks();

/// Stacks that go step by step: cells of each kind, tokens with a mask, windows, strides.
std::vector<LayerStack> StreamStacks();

/// The function "predict" of a stack; weights in [-0.7, 0.7). Errors: those of StackFunction.
absl::StatusOr<Model> StackModel(const LayerStack& stack, uint64_t seed);

/// The model's file without the six bytes that it ends with; empty if it cannot be saved.
std::string UnsealedFile(const Model& model);
/// The content with what a model's file ends with: the right checksum.
std::string SealedFile(const std::string& content);

}  // namespace seqgraph
