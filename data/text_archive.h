#pragma once

#include <string>

#include "absl/status/status.h"
#include "data/class_table.h"
#include "data/text_source.h"

namespace seqgraph::data {

/// ForEachText() for a tar archive, gzipped or not, in the archive's order.
absl::Status ReadTextArchive(const std::string& path, const TextSourceOptions& options,
                             TextSink sink, ClassTable& classes);

}  // namespace seqgraph::data
