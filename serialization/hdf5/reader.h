#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "serialization/hdf5/tree.h"

namespace seqgraph::hdf5 {

/// Groups lie at most this deep in each other.
inline constexpr int kMaxDepth = 32;

/// The first bytes of a file of this format.
bool LooksLikeHdf5(absl::string_view bytes);

/// The whole content of a file. Reads superblocks 0 to 3; groups by symbol table or by compact
/// links; texts of fixed and variable length; arrays of (u)int8 to int64 and float16 to float64,
/// contiguous or compact, which become int32, int64, float32 or float64. What a file may hold
/// beyond that (chunks, filters, dense storage, links to elsewhere) is an error that names it, or
/// for a dataset is said in Node::unreadable.
///
/// The bytes are untrusted: each address and length is checked against them before it is used,
/// steps and memory stay within a small multiple of their number, nesting within kMaxDepth, and
/// nothing outside of them is ever opened. Errors name the object: InvalidArgument for what is
/// malformed, ResourceExhausted for what refers to the same bytes over and over.
absl::StatusOr<Node> ReadTree(absl::string_view bytes);

}  // namespace seqgraph::hdf5
