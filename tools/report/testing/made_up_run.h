#pragma once

#include <string>

#include "tools/report/report_page.h"

namespace seqgraph::tools {

/// A run of five epochs with all that a page can show, made by hand; nothing of it comes from a
/// model. `text` stands wherever a text that is not ours does.
ReportedRun MadeUpRun(const std::string& text);

}  // namespace seqgraph::tools
