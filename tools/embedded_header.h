#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace seqgraph::tools {

/// A header of C and C++ that defines the array `name`[] and `name`_size: a binary model file.
/// `what`: of the model, for people; no "*" in it. With SEQGRAPH_LEAN defined it also names what of
/// the static runtime library the model needs, so that the linker drops all else; where that cannot
/// be said, because the model does not run there, it then is an error that says why.
std::string EmbeddedHeader(const std::string& name, const std::string& what,
                           absl::string_view bytes);

}  // namespace seqgraph::tools
