#include "tools/text_training.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "tools/tested_model.h"
#include "tools/training_text.h"
#include "training/preprocessing.h"
#include "training/text_models.h"

namespace seqgraph::tools {

absl::Status TextTraining::Load(const Model* resumed, const std::string& path) {
  data::DatasetOptions options = data_.Options();
  options.with_test = false;
  if (resumed != nullptr) {
    SEQ_ASSIGN_OR_RETURN(const data::Vocabulary vocabulary, VocabularyToRun(*resumed, path));
    options.num_words = vocabulary.num_words();
    options.maxlen = static_cast<int>(resumed->preprocessing.maxlen);
    options.labels = resumed->labels;
  }
  const std::optional<DataCache> cache = data_.Cache();
  SEQ_ASSIGN_OR_RETURN(
      dataset_,
      LoadDatasetCached(data_.data, options, cache.has_value() ? &*cache : nullptr, &origin_));
  if (resumed != nullptr && dataset_.vocabulary.words() != resumed->preprocessing.words) {
    return InvalidArgument(path, ": it knows other words than the texts of ", data_.data,
                           " give: it was trained on others");
  }
  return absl::OkStatus();
}

std::string TextTraining::Lines() const {
  return absl::StrCat(DataLine(dataset_), OriginLine(origin_));
}

absl::StatusOr<Model> TextTraining::MakeModel(TrainableOptions trainable) const {
  TextModelOptions options = model_.Options();
  options.num_words = data_.num_words;
  options.maxlen = data_.maxlen;
  options.classes = static_cast<int64_t>(dataset_.labels.size());
  SEQ_ASSIGN_OR_RETURN(Model model, MakeTextModel(options, std::move(trainable)));
  SetPreprocessing(dataset_, model);
  return model;
}

std::string TextTraining::ModelDescription() const {
  return absl::StrCat("Review classifier (", model_.Description(), ")");
}

// Guessing all C classes alike has a loss of ln C.
std::optional<double> TextTraining::guessing() const {
  return std::log(static_cast<double>(dataset_.labels.size()));
}

absl::Status TextTraining::CheckComparable(const Model& earlier, const Model&) const {
  SEQ_RETURN_IF_ERROR(VocabularyOf(earlier).status());
  if (earlier.labels == dataset_.labels) return absl::OkStatus();
  return InvalidArgument("its classes are ", absl::StrJoin(earlier.labels, ", "),
                         ", those of the texts ", absl::StrJoin(dataset_.labels, ", "));
}

absl::StatusOr<Examples> TextTraining::ValidationFor(const Model& earlier) {
  const TextPreprocessing& own = earlier.preprocessing;
  SEQ_ASSIGN_OR_RETURN(const data::Vocabulary vocabulary, VocabularyOf(earlier));
  if (own.maxlen == dataset_.validation.maxlen &&
      own.num_words == dataset_.vocabulary.num_words() &&
      own.words == dataset_.vocabulary.words()) {
    return validation();
  }
  DataOrigin origin;
  SEQ_ASSIGN_OR_RETURN(
      of_earlier_, data_.EncodePart("validation", vocabulary, own.maxlen, earlier.labels, &origin));
  return data_.ExamplesOf(of_earlier_);
}

std::string TextTraining::ExampleUse(const std::string& model) const {
  return TextExampleUse(model, dataset_.labels);
}

}  // namespace seqgraph::tools
