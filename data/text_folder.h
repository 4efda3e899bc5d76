#pragma once

#include <string>

#include "absl/status/status.h"
#include "data/class_table.h"
#include "data/text_source.h"

namespace seqgraph::data {

/// ForEachText() for the folder that holds train and test, one that holds it as aclImdb, or one
/// that holds the folders of classes themselves; in file order.
absl::Status ReadTextFolder(const std::string& path, const TextSourceOptions& options,
                            TextSink sink, ClassTable& classes);

}  // namespace seqgraph::data
