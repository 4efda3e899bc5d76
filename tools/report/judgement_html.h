#pragma once

#include "tools/report/html.h"
#include "tools/report/judgement.h"

namespace seqgraph::tools {

/// Adds what a model makes of rows: classes, examples that are wrong, forecasts. Names of sections
/// end in `suffix`.
void AddJudgement(const Judgement& judgement, const std::string& suffix, Page& page);

}  // namespace seqgraph::tools
