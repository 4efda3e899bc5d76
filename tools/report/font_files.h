#pragma once

#include <string>
#include <vector>

namespace seqgraph::tools {

/// Files of fonts on this system (below /usr/share/fonts, /usr/local/share/fonts and those of the
/// user), upright and of one weight, best for text first: DejaVu Sans, Liberation Sans, Noto Sans,
/// then others by name.
std::vector<std::string> FontFiles();

}  // namespace seqgraph::tools
