#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "data/vocabulary.h"
#include "graph/model.h"
#include "runtime/profile.h"
#include "tools/backend_choice.h"
#include "tools/tested_model.h"
#include "training/model_runner.h"

namespace seqgraph::tools {

/// The answer to a text.
struct TextAnswer {
  int64_t label = 0;  ///< the class that PredictedClass() tells
  /// Of each class; of two 1 - p and p for a model that gives p.
  std::vector<float> probabilities;
};

/// A saved model that answers raw text with the probabilities of its labels.
class TextClassifier {
 public:
  /// Texts that are computed together.
  static constexpr int64_t kBatch = 16;

  /// Of a model that was read from `path`: compiles its function `predict` for its backends. Errors
  /// name the file: InvalidArgument for a model that does not take text or does not give a
  /// probability for each label (or for two labels that of the second). What happens, now and in
  /// Classify, is recorded in `profile` if it is not null.
  static absl::StatusOr<std::unique_ptr<TextClassifier>> Create(TestedModel tested,
                                                                const std::string& path,
                                                                const BackendFlags& flags,
                                                                Profile* profile);

  /// One for each of at most kBatch texts, which may be any bytes. The answer to a text does not
  /// depend on those beside it: the batch always has the same size. `numbers` [texts, columns] are
  /// those of NumericColumnsOf() the model; InvalidArgument where they are not as many.
  absl::StatusOr<std::vector<TextAnswer>> Classify(absl::Span<const std::string> texts,
                                                   absl::Span<const float> numbers = {});

  /// The names of the classes.
  const std::vector<std::string>& labels() const { return model_.labels; }
  /// How a text becomes words.
  data::TokenRule rule() const { return vocabulary_.rule(); }
  const Model& model() const { return model_; }

  /// What answers: assignments, memory.
  const CompiledFunction& predict() const { return *predict_; }
  const BackendSelection& backends() const { return backends_; }
  /// ModelRunner::DescribeBackends().
  std::string DescribeBackends() const { return runner_->DescribeBackends(); }

 private:
  TextClassifier() = default;
  absl::Status Prepare(const std::string& path, const BackendFlags& flags);

  BackendSelection backends_;  // outlives what is compiled
  Model model_;
  data::Vocabulary vocabulary_;
  std::optional<ModelRunner> runner_;
  CompiledFunction* predict_ = nullptr;  // of the runner
  int64_t width_ = 1;                    // Probabilities a text that predict_ gives.
  std::string scratch_;
  Profile* profile_ = nullptr;
  int profile_number_ = 0;
};

}  // namespace seqgraph::tools
