#include "tools/training_text.h"

#include <errno.h>  // program_invocation_name

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "training/summary.h"

namespace seqgraph::tools {

std::string Quoted(const std::string& text) {
  constexpr absl::string_view kPlain = "-_./+=,:@%";
  if (!text.empty() && std::all_of(text.begin(), text.end(), [kPlain](char c) {
        return absl::ascii_isalnum(static_cast<unsigned char>(c)) || absl::StrContains(kPlain, c);
      })) {
    return text;
  }

  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "'\\''"}}), "'");
}

namespace {

bool IsTutorial(const std::vector<std::string>& labels) {
  return labels ==
         std::vector<std::string>{std::string(data::kNegative), std::string(data::kPositive)};
}

}  // namespace

std::string DataLine(const data::Dataset& dataset) {
  const bool synthetic = dataset.description == data::kSyntheticName;
  constexpr size_t kListed = 8;
  const std::vector<std::string>& labels = dataset.labels;
  return absl::StrCat(
      "Data: ", dataset.description,
      synthetic ? " (made-up reviews, not the IMDB data set; --data=PATH takes the real ones)" : "",
      ": ", WithThousands(dataset.train.rows), " reviews to train on, ",
      WithThousands(dataset.validation.rows), " to validate on; ",
      WithThousands(dataset.vocabulary.size()),
      // What is encoded already does not tell how many there were.
      dataset.distinct_words > 0 ? absl::StrCat(" of ", WithThousands(dataset.distinct_words)) : "",
      " words known",
      IsTutorial(labels) ? ""
      : labels.size() <= kListed
          ? absl::StrCat("; ", labels.size(), " classes: ", absl::StrJoin(labels, ", "))
          : absl::StrCat("; ", labels.size(), " classes"),
      "\n");
}

std::string StemOf(const std::string& data, bool archives) {
  if (data == data::kSyntheticName) return data;
  if (archives && data::LayoutOf(data).name == "archive") return "imdb";
  absl::string_view stem = absl::StripSuffix(data, "/");
  stem = stem.substr(stem.rfind('/') + 1);
  stem = stem.substr(0, stem.find('.'));
  if (stem.empty()) return "texts";
  return stem == "aclImdb" ? "imdb" : std::string(stem);
}

std::string TextExampleUse(const std::string& model, const std::vector<std::string>& labels) {
  return absl::StrCat("predict ", Quoted(model), " \"",
                      IsTutorial(labels) ? "What a wonderful film" : "A text of your own", "\"");
}

std::string SavedText(const std::string& path, const std::string& example_use) {
  return absl::StrCat("Saved that model: ", path, ". To use it:\n  ", program_invocation_name, " ",
                      example_use, "\n");
}

}  // namespace seqgraph::tools
