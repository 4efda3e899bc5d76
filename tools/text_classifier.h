#ifndef SEQGRAPH_TOOLS_TEXT_CLASSIFIER_H_
#define SEQGRAPH_TOOLS_TEXT_CLASSIFIER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "backends/plugin/select_backends.h"
#include "data/vocabulary.h"
#include "graph/model.h"
#include "runtime/compiled_function.h"
#include "runtime/profile.h"
#include "tools/flags.h"

namespace seqgraph::tools {

/// The answer to a text.
struct TextAnswer {
  int64_t label = 0;  ///< The class that PredictedClass() tells.
  std::vector<float>
      probabilities;  ///< Of each class; of two 1 - p and p for a model that gives p.
};

/// A saved model that answers raw text with the probabilities of its labels.
class TextClassifier {
 public:
  /// Texts that are computed together.
  static constexpr int64_t kBatch = 16;

  /// Loads the model and compiles its function `predict` for the backends that the flags name, on
  /// which the model's self-tests must pass. Errors name the file: besides those of
  /// LoadTestedModel, InvalidArgument for a model that does not take text or does not give a
  /// probability for each label (or for two labels that of the second). What happens, now and in
  /// Classify, is recorded in `profile` if it is not null.
  static absl::StatusOr<std::unique_ptr<TextClassifier>> Load(const std::string& path,
                                                              const BackendFlags& flags,
                                                              bool self_test = true,
                                                              Profile* profile = nullptr);

  /// One for each of at most kBatch texts, which may be any bytes. The answer to a text does not
  /// depend on those beside it: the batch always has the same size.
  absl::StatusOr<std::vector<TextAnswer>> Classify(absl::Span<const std::string> texts);

  /// The names of the classes.
  const std::vector<std::string>& labels() const { return model_.labels; }

  /// What answers: assignments, memory.
  const CompiledFunction& predict() const { return *predict_; }
  const BackendSelection& backends() const { return backends_; }

 private:
  TextClassifier() = default;
  absl::Status Prepare(const std::string& path, const BackendFlags& flags);

  BackendSelection backends_;  // outlives what is compiled
  Model model_;
  data::Vocabulary vocabulary_;
  std::unique_ptr<CompiledFunction> predict_;
  int64_t width_ = 1;  // Probabilities a text that predict_ gives.
  std::string scratch_;
  Profile* profile_ = nullptr;
  int profile_number_ = 0;
};

}  // namespace seqgraph::tools

#endif  // SEQGRAPH_TOOLS_TEXT_CLASSIFIER_H_
