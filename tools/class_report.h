#ifndef SEQGRAPH_TOOLS_CLASS_REPORT_H_
#define SEQGRAPH_TOOLS_CLASS_REPORT_H_

#include <string>
#include <vector>

#include "data/text_dataset.h"
#include "training/confusion_matrix.h"

namespace seqgraph::tools {

/// "10 of them positive" for two classes, "10 cooking, 12 music, 9 sport" for more; of many the
/// number.
std::string ClassCounts(const data::TokenSet& set, const std::vector<std::string>& labels);

/// A line a class: precision, recall, F1, and how many there are; then their means, each class
/// alike (macro) and by size.
std::string ClassReport(const ConfusionMatrix& matrix, const std::vector<std::string>& labels);

/// A line a class, a column for what its rows were taken for.
std::string ConfusionText(const ConfusionMatrix& matrix, const std::vector<std::string>& labels);

}  // namespace seqgraph::tools

#endif  // SEQGRAPH_TOOLS_CLASS_REPORT_H_
