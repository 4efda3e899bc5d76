#pragma once

// What a model makes of the rows that its run was judged by, for people to look at.

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "tools/report/class_curves.h"
#include "tools/report/number_judgement.h"
#include "tools/report/occlusion.h"
#include "tools/report/run_data.h"
#include "training/confusion_matrix.h"
#include "training/model_runner.h"

namespace seqgraph::tools {

struct JudgementOptions {
  int wrong_examples = 8;
  const std::atomic<bool>* interrupt = nullptr;
};

/// A row that the model is sure of, and wrong.
struct WrongExample {
  std::string name;  ///< "line 17 of topics.csv"
  std::string is, taken_for;
  double probability = 0;        ///< of what it is taken for
  double probability_of_is = 0;  ///< of what it is
  RowParts parts;                ///< its tokens or steps
  std::vector<double> moved;     ///< for each part: Occlude()
};

struct ClassJudgement {
  std::vector<std::string> labels;
  ConfusionMatrix matrix{2};
  /// Of each class against all others; of two classes of the second alone.
  struct Curves {
    std::string label;
    ThresholdCurve roc, precision_recall;
  };
  std::vector<Curves> curves;
  /// Of two classes the probability of the second; of more that of the class that is told.
  Reliability reliability;
  std::vector<WrongExample> wrong;
};

struct Judgement {
  std::string part;  ///< "validation", or "train" where the run has no other rows
  std::string noun, caveat;
  int64_t rows = 0;
  std::vector<std::pair<std::string, double>> metrics;  ///< loss first
  std::optional<ClassJudgement> classes;
  std::optional<NumberJudgement> numbers;
  std::string baselines;  ///< lines for people
};

/// Runs functions `evaluate` and `predict` of the runner's model. Errors: those of running them;
/// Cancelled.
absl::StatusOr<Judgement> Judge(ModelRunner& runner, const RunData& data,
                                const JudgementOptions& options);

/// The parts of it that need no model: of predictions [rows, width] of classes.
absl::StatusOr<ClassJudgement> JudgeClasses(absl::Span<const float> predictions,
                                            absl::Span<const int32_t> targets,
                                            std::vector<std::string> labels);
/// Rows that are wrong, the surest first: at most so many.
std::vector<int64_t> SurestWrong(absl::Span<const float> predictions,
                                 absl::Span<const int32_t> targets, size_t most);

}  // namespace seqgraph::tools
