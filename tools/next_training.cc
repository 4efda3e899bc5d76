#include "tools/next_training.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "data/plain_text.h"
#include "tools/tested_model.h"
#include "tools/training_text.h"
#include "training/summary.h"
#include "training/text_generator.h"
#include "training/text_models.h"

namespace seqgraph::tools {

Examples NextTokenRows::Part(const std::string& part) const {
  const int64_t begin = part == "validation" ? train : 0;
  return NextTokenExamples(codes, maxlen, begin, part == "train" ? train : all);
}

absl::StatusOr<NextTokenRows> NextTokenRowsOf(const std::string& path, std::vector<int32_t> codes,
                                              int64_t maxlen, double share) {
  NextTokenRows rows{.codes = std::move(codes), .maxlen = maxlen};
  rows.all = NumTokenWindows(rows.codes, maxlen);
  const auto validation =
      static_cast<int64_t>(std::ceil(share * static_cast<double>(rows.all) - 1e-9));
  rows.train = rows.all - validation;
  if (rows.train > 0) return rows;
  return InvalidArgument("'", path, "' has ", rows.codes.size(), " tokens, ", rows.all,
                         " windows of ", maxlen, " with one behind each, ", rows.train,
                         " to train on: give a longer text, or a smaller --maxlen");
}

std::string FrequencyBaseline(const Examples& counted, const Examples& judged, int64_t num_words) {
  std::vector<int64_t> counts(static_cast<size_t>(num_words), 1);
  for (const int32_t code : counted.targets) ++counts[static_cast<size_t>(code)];
  const auto most = std::max_element(counts.begin(), counts.end()) - counts.begin();
  const auto all = static_cast<double>(counted.targets.size()) + static_cast<double>(num_words);
  double loss = 0, right = 0;
  for (const int32_t code : judged.targets) {
    loss -= std::log(static_cast<double>(counts[static_cast<size_t>(code)]) / all);
    right += code == most;
  }
  const auto targets = static_cast<double>(judged.targets.size());
  return absl::StrFormat("Without a model (how often tokens are): loss %.4f - accuracy %.4f\n",
                         loss / targets, right / targets);
}

absl::Status NextTraining::Load(const Model* resumed, const std::string& path) {
  const data::DatasetOptions options = data_.Options();
  int64_t maxlen = options.maxlen;
  if (resumed != nullptr) {
    if (!TellsNextToken(*resumed)) {
      return InvalidArgument(path, ": it does not tell the next token of a text");
    }
    SEQ_ASSIGN_OR_RETURN(vocabulary_, VocabularyToRun(*resumed, path));
    maxlen = resumed->preprocessing.maxlen;
  }
  const data::TokenRule rule = resumed != nullptr ? vocabulary_.rule() : options.tokens;
  SEQ_ASSIGN_OR_RETURN(const std::string text,
                       data::ReadPlainText(data_.data, options.text_policy, rule));
  if (resumed == nullptr) {
    SEQ_ASSIGN_OR_RETURN(vocabulary_, data::VocabularyOfText(text, options.num_words, rule));
  }
  SEQ_ASSIGN_OR_RETURN(rows_, NextTokenRowsOf(data_.data, data::CodesOfText(text, vocabulary_),
                                              maxlen, options.validation));
  return absl::OkStatus();
}

std::string NextTraining::Lines() const {
  return absl::StrCat("Data: ", data_.data, ": ",
                      WithThousands(static_cast<int64_t>(rows_.codes.size())), " tokens (",
                      std::string(data::TokenRuleName(vocabulary_.rule())), "), ",
                      WithThousands(vocabulary_.size()), " different ones known; windows of ",
                      rows_.maxlen, ": ", WithThousands(rows_.train), " to train on, ",
                      WithThousands(rows_.all - rows_.train), " to validate on\n");
}

absl::StatusOr<Model> NextTraining::MakeModel(TrainableOptions trainable) const {
  TextModelOptions options = model_.Options();
  options.num_words = vocabulary_.num_words();
  options.maxlen = rows_.maxlen;
  options.classes = vocabulary_.num_words();
  options.each_step = true;
  SEQ_ASSIGN_OR_RETURN(Model model, MakeTextModel(options, std::move(trainable)));
  model.preprocessing = {.rule = std::string(data::TokenRuleName(vocabulary_.rule())),
                         .num_words = vocabulary_.num_words(),
                         .maxlen = rows_.maxlen,
                         .words = vocabulary_.words()};
  return model;
}

std::string NextTraining::ModelDescription() const {
  return absl::StrCat("Model of the next token (", model_.Description(), ")");
}

std::optional<double> NextTraining::guessing() const {
  return std::log(static_cast<double>(vocabulary_.num_words()));
}

absl::Status NextTraining::CheckComparable(const Model& earlier, const Model& ours) const {
  const TextPreprocessing &a = earlier.preprocessing, &b = ours.preprocessing;
  if (TellsNextToken(earlier) && a.rule == b.rule && a.words == b.words && a.maxlen == b.maxlen &&
      a.num_words == b.num_words) {
    return absl::OkStatus();
  }
  return InvalidArgument("it does not tell the next of the same tokens, in windows as long");
}

absl::StatusOr<std::string> NextTraining::BaselineLines(const Logs&) const {
  return FrequencyBaseline(train(), validation(), vocabulary_.num_words());
}

// With the beginning of the text.
std::string NextTraining::ExampleUse(const std::string& model) const {
  constexpr size_t kShown = 8;
  const bool apart = TokensStandApart(vocabulary_.rule());
  std::string prompt;
  for (size_t i = 0; i < std::min(kShown, rows_.codes.size()); ++i) {
    const bool known = rows_.codes[i] > data::kIndexFrom;
    if (!known || vocabulary_.rule() == data::TokenRule::kBytes) continue;
    absl::StrAppend(&prompt, apart && !prompt.empty() ? " " : "", vocabulary_.Word(rows_.codes[i]));
  }
  if (prompt.empty()) prompt = "A text";
  return absl::StrCat("predict ", Quoted(model), " --roll=200 -- ", Quoted(prompt));
}

}  // namespace seqgraph::tools
