#include "tools/convert/word_index.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/atomic_file.h"
#include "base/status_macros.h"
#include "nlohmann/json.hpp"
#include "training/model_builder.h"
#include "training/preprocessing.h"

namespace seqgraph::tools {
namespace {

constexpr int64_t kMaxFileBytes = int64_t{64} << 20;
// Codes below: padding, start, unknown, and one that is never used; rank 1 has code 4.
constexpr int64_t kFirstCode = 4;

// How many codes the model has.
absl::StatusOr<int64_t> CountCodes(const Function& predict, Value tokens) {
  const std::optional<int64_t> limit = IndexLimit(predict, tokens);
  if (limit.has_value()) return *limit;
  return absl::InvalidArgumentError(
      "the model takes no words: it begins neither with an embedding nor with one-hot words");
}

absl::Status ReadWords(const nlohmann::json& json, std::vector<std::string>* words) {
  if (!json.is_object()) return absl::InvalidArgumentError("expected {\"word\": rank, ...}");
  std::vector<bool> seen(words->size());
  for (const auto& [word, rank] : json.items()) {
    if (!rank.is_number_integer() || rank.get<int64_t>() < 1) {
      return absl::InvalidArgumentError(
          absl::StrCat("the rank of \"", word, "\" is no number from 1"));
    }
    const auto index = static_cast<size_t>(rank.get<int64_t>() - 1);
    if (index >= words->size()) continue;
    if (seen[index]) {
      return absl::InvalidArgumentError(absl::StrCat("two words have the rank ", index + 1));
    }
    seen[index] = true;
    (*words)[index] = word;
  }
  for (size_t i = 0; i < seen.size(); ++i) {
    if (!seen[i]) return absl::InvalidArgumentError(absl::StrCat("no word has the rank ", i + 1));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status SetWordIndex(const std::string& path, Model& model) {
  SEQ_ASSIGN_OR_RETURN(const Function* predict, model.GetFunction(kPredict));
  const Value tokens = predict->inputs().empty() ? Value{} : predict->inputs()[0];
  if (!tokens.present() || predict->type(tokens).dtype != DType::kInt32 ||
      predict->type(tokens).shape.rank() != 2) {
    return absl::InvalidArgumentError(
        "the model takes no tokens int32[batch, time]: one-hot words are given with --one_hot");
  }
  SEQ_ASSIGN_OR_RETURN(const int64_t codes, CountCodes(*predict, tokens));
  SEQ_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxFileBytes));
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return absl::InvalidArgumentError(absl::StrCat(path, ": is not JSON"));
  // More codes than words are there: all words.
  const int64_t most = static_cast<int64_t>(json.size());
  std::vector<std::string> words(std::max<int64_t>(0, std::min(codes - kFirstCode, most)));
  SEQ_RETURN_IF_ERROR(Annotate(ReadWords(json, &words), path));
  model.preprocessing = {.rule = kTextRule,
                         .num_words = codes,
                         .maxlen = predict->type(tokens).shape[1].size(),
                         .words = std::move(words)};
  if (model.labels.empty()) model.labels = {"negative", "positive"};
  return absl::OkStatus();
}

}  // namespace seqgraph::tools
