#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "serialization/hdf5/tree.h"

namespace seqgraph::hdf5 {

/// The bytes of a file with this content, in HDF5's earliest format (superblock 0, symbol tables,
/// contiguous arrays, texts of variable length in UTF-8), which every version of the library reads.
/// The same tree gives the same bytes. InvalidArgument, naming the object, for what the format has
/// no room for: a name with a zero byte or a slash, an empty name, more than 4,000 texts in one
/// attribute, a dataset whose elements could not be read.
absl::StatusOr<std::string> WriteTree(const Node& root);

}  // namespace seqgraph::hdf5
