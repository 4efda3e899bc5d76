#include "data/plain_text.h"

#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "data/compressed_file.h"
#include "data/text_check.h"
#include "data/word_table.h"

namespace seqgraph::data {
namespace {

constexpr size_t kMaxBytes = size_t{256} << 20;

}  // namespace

absl::StatusOr<std::string> ReadPlainText(const std::string& path, TextPolicy policy,
                                          TokenRule rule) {
  SEQ_ASSIGN_OR_RETURN(const std::unique_ptr<CompressedFile> file, CompressedFile::Open(path));
  std::string text;
  while (true) {
    SEQ_ASSIGN_OR_RETURN(const absl::string_view block, file->Next());
    if (block.empty()) break;
    if (block.size() > kMaxBytes - text.size()) {
      return ResourceExhausted("'", path, "': a text of more than ", kMaxBytes, " bytes");
    }
    text.append(block.data(), block.size());
  }
  if (policy == TextPolicy::kRefuse) {
    SEQ_RETURN_IF_ERROR(Annotate(CheckText(text, rule), absl::StrCat("'", path, "'")));
  }
  return text;
}

absl::StatusOr<Vocabulary> VocabularyOfText(absl::string_view text, int num_words, TokenRule rule) {
  WordTable table;
  std::vector<int64_t> counts;
  std::string scratch;
  bool full = false;
  ForEachToken(rule, text, &scratch, [&](absl::string_view token, uint64_t key) {
    const int32_t id = table.FindOrAdd(token, key);
    full |= id < 0;
    if (id < 0) return;
    if (static_cast<size_t>(id) >= counts.size()) counts.push_back(0);
    ++counts[static_cast<size_t>(id)];
  });
  if (full) {
    return ResourceExhausted(
        "more different tokens than can be numbered; --tokens=characters or bytes has fewer");
  }
  std::vector<WordCount> words;
  for (size_t id = 0; id < counts.size(); ++id) {
    words.push_back({table.Word(static_cast<int32_t>(id)), counts[id]});
  }
  const auto needed = static_cast<int64_t>(words.size()) + kMinNumWords;
  return Vocabulary::FromCounts(words, static_cast<int>(std::min<int64_t>(num_words, needed)),
                                TieOrder::kByteOrder, rule);
}

std::vector<int32_t> CodesOfText(absl::string_view text, const Vocabulary& vocabulary) {
  std::vector<int32_t> codes;
  std::string scratch;
  ForEachToken(vocabulary.rule(), text, &scratch,
               [&](absl::string_view token, uint64_t) { codes.push_back(vocabulary.Code(token)); });
  return codes;
}

}  // namespace seqgraph::data
