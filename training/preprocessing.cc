#include "training/preprocessing.h"

#include <limits>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"

namespace seqgraph {

void SetPreprocessing(const data::Dataset& dataset, Model& model) {
  model.preprocessing = {.rule = std::string(data::TokenRuleName(dataset.vocabulary.rule())),
                         .num_words = dataset.vocabulary.num_words(),
                         .maxlen = dataset.train.maxlen,
                         .words = dataset.vocabulary.words()};
  model.labels = dataset.labels;
}

const std::vector<std::string>& NumericColumnsOf(const Model& model) {
  static const auto& none = *new std::vector<std::string>();
  return model.series.task.empty() ? model.series.features : none;
}

absl::StatusOr<data::Vocabulary> VocabularyOf(const Model& model) {
  const TextPreprocessing& text = model.preprocessing;
  const std::optional<data::TokenRule> rule = data::TokenRuleOfName(text.rule);
  if (!rule.has_value()) {
    return InvalidArgument(
        "expected a model that takes text by one of the rules '",
        absl::StrJoin(data::TokenRuleNames(), "', '"), "', found ",
        text.rule.empty() ? "one without a rule" : absl::StrCat("the rule '", text.rule, "'"));
  }
  constexpr int64_t kMax = std::numeric_limits<int>::max();
  if (text.num_words < 0 || text.num_words > kMax || text.maxlen < 1 || text.maxlen > kMax) {
    return InvalidArgument("num_words ", text.num_words, " or maxlen ", text.maxlen,
                           " is out of range");
  }
  absl::StatusOr<data::Vocabulary> vocabulary =
      data::Vocabulary::FromWords(text.words, static_cast<int>(text.num_words), *rule);
  if (!vocabulary.ok()) return Annotate(vocabulary.status(), "vocabulary");
  return vocabulary;
}

}  // namespace seqgraph
