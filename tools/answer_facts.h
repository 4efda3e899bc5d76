#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "data/text_source.h"
#include "distributed/same_facts.h"
#include "graph/model.h"
#include "tools/flags.h"

namespace seqgraph::tools {

/// What the answers of a model follow from besides the rows: its weights and its file at `path`, by
/// hash; what `flags` say of computing; `backends`, as ModelRunner::DescribeBackends() names them
/// with the instruction set. Errors: those of HashFile().
absl::StatusOr<Facts> FactsOfAnswers(const std::string& path, const Model& model,
                                     const BackendFlags& flags, const std::string& backends);

/// How a table of texts is read, on one line.
std::string LayoutText(const data::CsvLayout& layout);

}  // namespace seqgraph::tools
