#pragma once

#include <string>

#include "graph/function.h"

namespace seqgraph {

/// The function as text, one line a node, for people:
///
///   function predict(tokens: int32[batch, 100]) -> (probability: float32[batch, 1])
///     variable embedding/embeddings: float32[500, 16]
///     embedding: float32[batch, 100, 16] = Embedding(tokens, embedding/embeddings)
///     ...
///     result probability = dense
std::string FunctionToText(const Function& function);

/// The function in Graphviz's DOT language: `dot -Tsvg`.
std::string FunctionToDot(const Function& function);

}  // namespace seqgraph
