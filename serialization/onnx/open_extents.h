#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace seqgraph {

/// An extent that a model leaves open, and the numbers that two files of it have there.
struct OpenExtent {
  std::string symbol;
  int64_t in_file = 0;
  int64_t in_other = 0;  ///< another number, and another one for each symbol
};

/// The ONNX model of `file`, in which the extents that `other`, an export of the same model for
/// other lengths, has otherwise are open: by the symbol whose numbers they are, or without a name.
/// None if the two differ in anything else, so that a length is part of what is computed.
std::optional<std::string> WithOpenExtents(absl::string_view file, absl::string_view other,
                                           absl::Span<const OpenExtent> open);

}  // namespace seqgraph
