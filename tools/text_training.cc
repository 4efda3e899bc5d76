#include "tools/text_training.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "tools/encoded_texts.h"
#include "tools/tested_model.h"
#include "tools/training_text.h"
#include "training/preprocessing.h"
#include "training/text_models.h"

namespace seqgraph::tools {

absl::Status TextTraining::Load(const Model* resumed, const std::string& path) {
  if (IsEncodedTexts(data_.data)) return LoadEncoded(resumed, path);
  data_.KeepColumns(columns_);
  data::DatasetOptions options = data_.Options();
  options.with_test = false;
  if (resumed != nullptr) {
    SEQ_ASSIGN_OR_RETURN(const data::Vocabulary vocabulary, VocabularyToRun(*resumed, path));
    options.num_words = vocabulary.num_words();
    options.maxlen = static_cast<int>(resumed->preprocessing.maxlen);
    options.labels = resumed->labels;
    options.tokens = vocabulary.rule();
    options.csv = data_.ColumnsFor(resumed->preprocessing);
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

absl::Status TextTraining::LoadEncoded(const Model* resumed, const std::string& path) {
  const bool splits = data_.validation_flag.has_value() && data_.validation_flag->given();
  const std::string given = splits ? "--validation" : data_.GivenOfTexts();
  if (!given.empty()) {
    return InvalidArgument(given, " says how texts are read, and those of ", data_.data,
                           " are encoded already");
  }
  SEQ_ASSIGN_OR_RETURN(EncodedTexts texts, ReadEncodedTexts(data_.data));
  dataset_ = std::move(texts.dataset);
  columns_ = std::move(texts.preprocessing);
  if (resumed == nullptr) return absl::OkStatus();
  const TextPreprocessing& known = resumed->preprocessing;
  if (known.words == columns_.words && known.rule == columns_.rule &&
      known.num_words == columns_.num_words && known.maxlen == columns_.maxlen &&
      resumed->labels == dataset_.labels) {
    return absl::OkStatus();
  }
  return InvalidArgument(path, ": it knows other words, lengths or classes than ", data_.data,
                         " has: it was trained on others");
}

std::string TextTraining::Lines() const {
  return absl::StrCat(DataLine(dataset_), OriginLine(origin_));
}

absl::StatusOr<Model> TextTraining::MakeModel(TrainableOptions trainable) const {
  TextModelOptions options = model_.Options();
  options.num_words = dataset_.vocabulary.num_words();
  options.maxlen = dataset_.train.maxlen;
  options.classes = static_cast<int64_t>(dataset_.labels.size());
  SEQ_ASSIGN_OR_RETURN(Model model, MakeTextModel(options, std::move(trainable)));
  SetPreprocessing(dataset_, model);
  model.preprocessing.text_column = columns_.text_column;
  model.preprocessing.label_column = columns_.label_column;
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
  if (vocabulary.rule() == dataset_.vocabulary.rule() && own.maxlen == dataset_.validation.maxlen &&
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
