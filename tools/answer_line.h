#pragma once

#include <string>
#include <vector>

#include "tools/text_classifier.h"

namespace seqgraph::tools {

/// The answer to a text for people, on one line: probability (of two labels that of the second),
/// label, and the beginning of the text, with tabs between; or as a JSON object with the
/// probabilities of all labels and all of the text.
std::string AnswerLine(const std::string& text, const TextAnswer& answer,
                       const std::vector<std::string>& labels, bool json);

}  // namespace seqgraph::tools
