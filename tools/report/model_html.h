#pragma once

#include "tools/report/html.h"
#include "tools/report/model_report.h"

namespace seqgraph::tools {

/// Adds layers, the graph, where the time goes, and the memory plan. Names of sections end in
/// `suffix`.
void AddModel(const ModelReport& report, const std::string& suffix, Page& page);

}  // namespace seqgraph::tools
