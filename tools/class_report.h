#pragma once

#include <string>
#include <vector>

#include "training/confusion_matrix.h"

namespace seqgraph::tools {

/// A line a class: precision, recall, F1, and how many there are (a column of that name); then
/// their means, each class alike (macro) and by size.
std::string ClassReport(const ConfusionMatrix& matrix, const std::vector<std::string>& labels,
                        const std::string& rows_are);

/// A line a class, a column for what its rows were taken for.
std::string ConfusionText(const ConfusionMatrix& matrix, const std::vector<std::string>& labels);

}  // namespace seqgraph::tools
