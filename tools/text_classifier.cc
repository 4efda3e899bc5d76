#include "tools/text_classifier.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "training/confusion_matrix.h"
#include "training/preprocessing.h"

namespace seqgraph::tools {

absl::StatusOr<std::unique_ptr<TextClassifier>> TextClassifier::Create(TestedModel tested,
                                                                       const std::string& path,
                                                                       const BackendFlags& flags,
                                                                       Profile* profile) {
  std::unique_ptr<TextClassifier> classifier(new TextClassifier);
  classifier->profile_ = profile;
  classifier->backends_ = std::move(tested.backends);
  classifier->model_ = std::move(tested.model);
  SEQ_RETURN_IF_ERROR(classifier->Prepare(path, flags));
  return classifier;
}

absl::Status TextClassifier::Prepare(const std::string& path, const BackendFlags& flags) {
  SEQ_ASSIGN_OR_RETURN(vocabulary_, VocabularyToRun(model_, path));
  const int64_t classes = static_cast<int64_t>(model_.labels.size());
  if (classes < 2) return InvalidArgument(path, ": expected two labels or more, found ", classes);
  SEQ_ASSIGN_OR_RETURN(const Function* predict, Annotate(model_.GetFunction("predict"), path));
  const Function& function = *predict;
  const TensorType tokens{DType::kInt32, {Dim::Batch(), model_.preprocessing.maxlen}};
  const TensorType one{DType::kFloat32, {Dim::Batch(), 1}};
  const TensorType all{DType::kFloat32, {Dim::Batch(), classes}};
  const auto columns = static_cast<int64_t>(NumericColumnsOf(model_).size());
  const TensorType numbers{DType::kFloat32, {Dim::Batch(), columns}};
  const bool fits = function.inputs().size() == (columns > 0 ? 2 : 1) &&
                    function.results().size() == 1 &&
                    function.type(function.inputs()[0]) == tokens &&
                    (columns == 0 || function.type(function.inputs()[1]) == numbers);
  width_ = fits && classes == 2 && function.type(function.results()[0].value) == one ? 1 : classes;
  if (!fits || (width_ > 1 && function.type(function.results()[0].value) != all)) {
    return InvalidArgument(path, ": expected a function predict with ",
                           columns > 0 ? "inputs " : "one input ", tokens.ToString(),
                           columns > 0 ? absl::StrCat(", ", numbers.ToString()) : "",
                           " and one result ", all.ToString(),
                           classes == 2 ? absl::StrCat(" or ", one.ToString()) : "", ", as it has ",
                           classes, " labels; `seqgraph inspect` shows what it has");
  }
  SEQ_ASSIGN_OR_RETURN(const PassList passes, ChoosePasses(flags.passes, flags.weights));
  RunnerOptions options = RunOn(backends_, flags.threads, passes);
  options.profile = profile_;
  runner_.emplace(&model_, std::move(options));
  SEQ_ASSIGN_OR_RETURN(predict_, runner_->Compile(function.name(), kBatch));
  if (profile_ != nullptr) profile_number_ = profile_->AddFunction(*predict_);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<TextAnswer>> TextClassifier::Classify(
    absl::Span<const std::string> texts, absl::Span<const float> numbers) {
  SEQ_CHECK(texts.size() <= static_cast<size_t>(kBatch));
  const std::vector<std::string>& columns = NumericColumnsOf(model_);
  if (numbers.size() != texts.size() * columns.size()) {
    return InvalidArgument("the model takes numbers beside a text (", absl::StrJoin(columns, ", "),
                           "): give a table of both by --data");
  }
  if (!columns.empty()) {
    float* const row = static_cast<float*>(predict_->input(1));
    std::fill_n(std::copy(numbers.begin(), numbers.end(), row),
                static_cast<size_t>(kBatch) * columns.size() - numbers.size(), 0.0f);
  }
  const size_t maxlen = static_cast<size_t>(model_.preprocessing.maxlen);
  const auto rows = absl::MakeSpan(static_cast<int32_t*>(predict_->input(0)),
                                   static_cast<size_t>(kBatch) * maxlen);
  for (size_t i = 0; i < texts.size(); ++i) {
    vocabulary_.EncodeInto(texts[i], &scratch_, rows.subspan(i * maxlen, maxlen));
  }
  std::fill(rows.begin() + static_cast<ptrdiff_t>(texts.size() * maxlen), rows.end(),
            data::kPadCode);
  SEQ_RETURN_IF_ERROR(profile_ == nullptr ? predict_->Run()
                                          : profile_->Run(profile_number_, *predict_));
  const auto results = absl::MakeConstSpan(static_cast<const float*>(predict_->result(0)),
                                           texts.size() * static_cast<size_t>(width_));
  std::vector<TextAnswer> answers(texts.size());
  for (size_t i = 0; i < texts.size(); ++i) {
    const size_t width = static_cast<size_t>(width_);
    const absl::Span<const float> row = results.subspan(i * width, width);
    if (!std::all_of(row.begin(), row.end(), [](float p) { return std::isfinite(p); })) {
      return DataLoss("the model's answer is not a number: its weights are damaged");
    }
    answers[i].label = PredictedClass(row);
    answers[i].probabilities.assign(row.begin(), row.end());
    if (width_ == 1) answers[i].probabilities = {1 - row[0], row[0]};
  }
  return answers;
}

}  // namespace seqgraph::tools
