#include "training/confusion_matrix.h"

#include <algorithm>
#include <numeric>

#include "base/status_macros.h"

namespace seqgraph {
namespace {

double Ratio(int64_t part, int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

int64_t PredictedClass(absl::Span<const float> probabilities) {
  if (probabilities.size() == 1) return probabilities[0] > 0.5f ? 1 : 0;
  return std::max_element(probabilities.begin(), probabilities.end()) - probabilities.begin();
}

absl::StatusOr<ConfusionMatrix> ConfusionMatrix::FromPredictions(
    absl::Span<const float> predictions, absl::Span<const int32_t> targets, int64_t classes) {
  const size_t rows = targets.size();
  const size_t width = rows == 0 ? 0 : predictions.size() / rows;
  if (classes < 2 || rows == 0 || width * rows != predictions.size() ||
      !(width == static_cast<size_t>(classes) || (width == 1 && classes == 2))) {
    return InvalidArgument(predictions.size(), " predictions for ", rows, " rows of ", classes,
                           " classes: expected one a row and class, or one a row for two classes");
  }
  ConfusionMatrix matrix(classes);
  for (size_t row = 0; row < rows; ++row) {
    if (targets[row] < 0 || targets[row] >= classes) {
      return InvalidArgument("row ", row, " is of class ", targets[row], " of ", classes,
                             ", which count from 0");
    }
    matrix.Add(targets[row], PredictedClass(predictions.subspan(row * width, width)));
  }
  return matrix;
}

int64_t ConfusionMatrix::rows_of(int64_t target) const {
  int64_t sum = 0;
  for (int64_t p = 0; p < classes_; ++p) sum += count(target, p);
  return sum;
}

int64_t ConfusionMatrix::predicted_as(int64_t predicted) const {
  int64_t sum = 0;
  for (int64_t t = 0; t < classes_; ++t) sum += count(t, predicted);
  return sum;
}

int64_t ConfusionMatrix::rows() const {
  return std::accumulate(counts_.begin(), counts_.end(), int64_t{0});
}

double ConfusionMatrix::precision(int64_t c) const { return Ratio(count(c, c), predicted_as(c)); }

double ConfusionMatrix::recall(int64_t c) const { return Ratio(count(c, c), rows_of(c)); }

double ConfusionMatrix::f1(int64_t c) const {
  return Ratio(2 * count(c, c), predicted_as(c) + rows_of(c));
}

double ConfusionMatrix::accuracy() const {
  int64_t right = 0;
  for (int64_t c = 0; c < classes_; ++c) right += count(c, c);
  return Ratio(right, rows());
}

}  // namespace seqgraph
