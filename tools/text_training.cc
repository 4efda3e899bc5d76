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

namespace {

// Of numbers [rows, names]: as a series of so many steps.
absl::StatusOr<FeatureScale> ScaleOf(const std::vector<std::string>& names,
                                     absl::Span<const float> numbers, ScaleKind kind) {
  data::SeriesSet set;
  set.features = names;
  set.values = numbers;
  const auto rows = static_cast<int64_t>(numbers.size() / names.size());
  set.begin = {0, rows};
  return FitScale(set, {{.steps = rows}}, SeriesTask(), kind);
}

std::string NumbersText(const std::vector<std::string>& names) {
  return names.empty() ? "" : absl::StrCat("numbers ", absl::StrJoin(names, ", "));
}

}  // namespace

absl::Status TextTraining::Load(const Model* resumed, const std::string& path) {
  SEQ_RETURN_IF_ERROR(Read(resumed, path));
  train_ = data_.ExamplesOf(dataset_.train);
  validation_ = data_.ExamplesOf(dataset_.validation);
  SEQ_ASSIGN_OR_RETURN(const ScaleKind kind, ScaleKindByName(scale_));
  if (numbers_.empty() || kind == ScaleKind::kNone) return absl::OkStatus();
  SEQ_ASSIGN_OR_RETURN(number_scale_, ScaleOf(numbers_, dataset_.train.numbers, kind));
  return absl::OkStatus();
}

absl::Status TextTraining::Read(const Model* resumed, const std::string& path) {
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
    SEQ_ASSIGN_OR_RETURN(options.csv, data_.ColumnsFor(*resumed));
  }
  numbers_ = resumed != nullptr ? NumericColumnsOf(*resumed) : options.csv.number_columns;
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
      resumed->labels == dataset_.labels && NumericColumnsOf(*resumed).empty()) {
    return absl::OkStatus();
  }
  return InvalidArgument(path, ": it knows other words, lengths or classes than ", data_.data,
                         " has: it was trained on others");
}

std::string TextTraining::Lines() const {
  const std::string numbers = NumbersText(numbers_);
  return absl::StrCat(DataLine(dataset_), numbers.empty() ? "" : "Beside each: ", numbers,
                      numbers.empty() ? "" : "\n", OriginLine(origin_));
}

absl::StatusOr<Model> TextTraining::MakeModel(TrainableOptions trainable) const {
  TextModelOptions options = model_.Options();
  options.num_words = dataset_.vocabulary.num_words();
  options.maxlen = dataset_.train.maxlen;
  options.classes = static_cast<int64_t>(dataset_.labels.size());
  options.numbers = static_cast<int64_t>(numbers_.size());
  options.number_offset = number_scale_.offset;
  options.number_scale = number_scale_.scale;
  SEQ_ASSIGN_OR_RETURN(Model model, MakeTextModel(options, std::move(trainable)));
  SetPreprocessing(dataset_, model);
  model.series.features = numbers_;
  if (!numbers_.empty()) model.series.scale = scale_;
  model.preprocessing.text_column = columns_.text_column;
  model.preprocessing.label_column = columns_.label_column;
  return model;
}

std::string TextTraining::ModelDescription() const {
  return absl::StrCat("Review classifier (", model_.Description(), numbers_.empty() ? "" : ", ",
                      NumbersText(numbers_), ")");
}

// Guessing all C classes alike has a loss of ln C.
std::optional<double> TextTraining::guessing() const {
  return std::log(static_cast<double>(dataset_.labels.size()));
}

absl::Status TextTraining::CheckComparable(const Model& earlier, const Model&) const {
  SEQ_RETURN_IF_ERROR(VocabularyOf(earlier).status());
  if (NumericColumnsOf(earlier) != numbers_) {
    return InvalidArgument(
        "it takes other numbers beside a text: ", absl::StrJoin(NumericColumnsOf(earlier), ", "),
        "; --numeric_columns says which");
  }
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
  examples_of_earlier_ = data_.ExamplesOf(of_earlier_);
  return examples_of_earlier_.examples();
}

std::string TextTraining::ExampleUse(const std::string& model) const {
  if (!numbers_.empty()) {
    return absl::StrCat("predict ", Quoted(model), " --data=", Quoted(data_.data));
  }
  return TextExampleUse(model, dataset_.labels);
}

}  // namespace seqgraph::tools
