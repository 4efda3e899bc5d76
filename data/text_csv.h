#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "data/class_table.h"
#include "data/text_source.h"

namespace seqgraph::data {

/// The separator that a path's name stands for: a comma for .csv, a tab for .tsv, also gzipped
/// (.csv.gz); nothing for any other.
std::optional<char> SeparatorByName(const std::string& path);

/// ForEachText() for a file of separated fields, in its order. A review's folder is "line ", its
/// name the number of the line that its record begins on.
absl::Status ReadTextCsv(const std::string& path, const TextSourceOptions& options, TextSink sink,
                         ClassTable& classes);

}  // namespace seqgraph::data
