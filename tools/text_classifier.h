#ifndef SEQGRAPH_TOOLS_TEXT_CLASSIFIER_H_
#define SEQGRAPH_TOOLS_TEXT_CLASSIFIER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "backends/compiled_function.h"
#include "backends/plugin/select_backends.h"
#include "backends/profile.h"
#include "data/vocabulary.h"
#include "graph/model.h"
#include "tools/flags.h"

namespace seqgraph::tools {

/// The vocabulary that travels in a model. InvalidArgument, naming `path`, for a model without one,
/// or with a rule that this program does not know.
absl::StatusOr<data::Vocabulary> VocabularyOf(const Model& model, const std::string& path);

/// A saved model that answers raw text with the probability of its second label.
class TextClassifier {
 public:
  /// Texts that are computed together.
  static constexpr int64_t kBatch = 16;

  /// Loads the model and compiles its function `predict` for the backends that the flags name, on
  /// which the model's self-tests must pass. Errors name the file: besides those of
  /// LoadTestedModel, InvalidArgument for a model that does not take text or does not give one
  /// probability a text. What happens, now and in Classify, is recorded in `profile` if it is not
  /// null.
  static absl::StatusOr<std::unique_ptr<TextClassifier>> Load(const std::string& path,
                                                              const BackendFlags& flags,
                                                              bool self_test = true,
                                                              Profile* profile = nullptr);

  /// One probability for each of at most kBatch texts, which may be any bytes. The answer to a text
  /// does not depend on those beside it: the batch always has the same size.
  absl::StatusOr<std::vector<float>> Classify(absl::Span<const std::string> texts);

  /// The label of a probability: the second from above one half.
  const std::string& Label(float probability) const {
    return model_.labels[probability > 0.5f ? 1 : 0];
  }

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
  std::string scratch_;
  Profile* profile_ = nullptr;
  int profile_number_ = 0;
};

}  // namespace seqgraph::tools

#endif  // SEQGRAPH_TOOLS_TEXT_CLASSIFIER_H_
