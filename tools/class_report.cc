#include "tools/class_report.h"

#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tools/text_table.h"
#include "training/summary.h"

namespace seqgraph::tools {

std::string ClassReport(const ConfusionMatrix& matrix, const std::vector<std::string>& labels,
                        const std::string& rows_are) {
  TextTable table({"class", "precision", "recall", "f1", rows_are});
  const double classes = static_cast<double>(matrix.classes());
  const double all = static_cast<double>(matrix.rows());
  using Scores = std::array<double, 3>;
  Scores macro{};
  Scores weighted{};
  const auto add = [&table](const std::string& name, const Scores& scores, int64_t rows) {
    table.AddRow({name, absl::StrFormat("%.4f", scores[0]), absl::StrFormat("%.4f", scores[1]),
                  absl::StrFormat("%.4f", scores[2]), WithThousands(rows)});
  };
  for (int64_t c = 0; c < matrix.classes(); ++c) {
    const Scores scores = {matrix.precision(c), matrix.recall(c), matrix.f1(c)};
    const int64_t rows = matrix.rows_of(c);
    for (size_t i = 0; i < scores.size(); ++i) {
      macro[i] += scores[i] / classes;
      weighted[i] += scores[i] * static_cast<double>(rows) / all;
    }
    add(labels[static_cast<size_t>(c)], scores, rows);
  }
  add("macro average", macro, matrix.rows());
  add("weighted average", weighted, matrix.rows());
  return table.Text(1, 4);
}

std::string ConfusionText(const ConfusionMatrix& matrix, const std::vector<std::string>& labels) {
  std::vector<std::string> header = {"is \\ taken for"};
  header.insert(header.end(), labels.begin(), labels.end());
  TextTable table(header);
  for (int64_t t = 0; t < matrix.classes(); ++t) {
    std::vector<std::string> row = {labels[static_cast<size_t>(t)]};
    for (int64_t p = 0; p < matrix.classes(); ++p) row.push_back(absl::StrCat(matrix.count(t, p)));
    table.AddRow(std::move(row));
  }
  return table.Text(1, labels.size());
}

}  // namespace seqgraph::tools
