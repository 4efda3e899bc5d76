#include "data/dataset_bytes.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/status_macros.h"

namespace seqgraph {
namespace {

using data::Dataset;
using data::Split;
using data::TextId;
using data::TokenSet;

constexpr int32_t kNarrowCodes = std::numeric_limits<uint16_t>::max();

template <typename T>
void Append(T value, std::string& bytes) {
  static_assert(std::is_trivially_copyable_v<T>);
  bytes.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

void AppendText(absl::string_view text, std::string& bytes) {
  Append<uint32_t>(static_cast<uint32_t>(text.size()), bytes);
  bytes.append(text.data(), text.size());
}

// Takes numbers off the front, never more than there are.
class Reader {
 public:
  explicit Reader(absl::string_view bytes) : left_(bytes) {}

  template <typename T>
  absl::StatusOr<T> Take() {
    SEQ_ASSIGN_OR_RETURN(const absl::string_view bytes, TakeBytes(1, sizeof(T)));
    T value;
    std::memcpy(&value, bytes.data(), sizeof(value));
    return value;
  }

  absl::StatusOr<absl::string_view> TakeBytes(uint64_t count, uint64_t size) {
    if (count > left_.size() / size) {
      return DataLoss("expected ", count, " values of ", size, " bytes, found ", left_.size(),
                      " bytes");
    }
    const absl::string_view taken = left_.substr(0, static_cast<size_t>(count * size));
    left_.remove_prefix(taken.size());
    return taken;
  }

  absl::StatusOr<absl::string_view> TakeText() {
    SEQ_ASSIGN_OR_RETURN(const uint32_t size, Take<uint32_t>());
    return TakeBytes(size, 1);
  }

  absl::Status ExpectEnd() const {
    if (left_.empty()) return absl::OkStatus();
    return DataLoss(left_.size(), " bytes too many");
  }

 private:
  absl::string_view left_;
};

// Most vocabularies need no more than two bytes a code.
template <typename Narrow>
void AppendCodes(const std::vector<int32_t>& codes, std::string& bytes) {
  const size_t begin = bytes.size();
  bytes.resize(begin + codes.size() * sizeof(Narrow));
  char* out = bytes.data() + begin;
  for (int32_t code : codes) {
    const Narrow narrow = static_cast<Narrow>(code);
    std::memcpy(out, &narrow, sizeof(narrow));
    out += sizeof(narrow);
  }
}

template <typename Narrow>
std::vector<int32_t> WideCodes(absl::string_view bytes) {
  std::vector<int32_t> codes(bytes.size() / sizeof(Narrow));
  const char* in = bytes.data();
  for (int32_t& code : codes) {
    Narrow narrow;
    std::memcpy(&narrow, in, sizeof(narrow));
    in += sizeof(narrow);
    code = static_cast<int32_t>(narrow);
  }
  return codes;
}

void AppendTokenSet(const TokenSet& set, std::string& bytes) {
  Append<uint64_t>(static_cast<uint64_t>(set.rows), bytes);
  Append<uint32_t>(static_cast<uint32_t>(set.maxlen), bytes);
  const bool narrow = std::all_of(set.tokens.begin(), set.tokens.end(),
                                  [](int32_t code) { return code >= 0 && code <= kNarrowCodes; });
  Append<uint32_t>(narrow ? sizeof(uint16_t) : sizeof(int32_t), bytes);
  narrow ? AppendCodes<uint16_t>(set.tokens, bytes) : AppendCodes<int32_t>(set.tokens, bytes);
  AppendCodes<uint16_t>(set.targets, bytes);  // Of at most kMaxClasses.
  for (const TextId& id : set.ids) Append<uint8_t>(id.split == Split::kTest, bytes);
  for (const TextId& id : set.ids) AppendText(id.name, bytes);
}

absl::StatusOr<TokenSet> TakeTokenSet(Reader& reader, int num_words, int maxlen, size_t classes) {
  TokenSet set;
  SEQ_ASSIGN_OR_RETURN(const uint64_t rows, reader.Take<uint64_t>());
  SEQ_ASSIGN_OR_RETURN(const uint32_t length, reader.Take<uint32_t>());
  if (maxlen < 1 || length != static_cast<uint32_t>(maxlen)) {
    return DataLoss("rows of ", length, " codes, expected ", maxlen);
  }
  SEQ_ASSIGN_OR_RETURN(const uint32_t width, reader.Take<uint32_t>());
  if (width != sizeof(uint16_t) && width != sizeof(int32_t)) {
    return DataLoss("codes of ", width, " bytes");
  }
  set.maxlen = maxlen;
  set.rows = static_cast<int64_t>(rows);
  SEQ_ASSIGN_OR_RETURN(const absl::string_view tokens,
                       reader.TakeBytes(rows, uint64_t{width} * length));
  set.tokens = width == sizeof(uint16_t) ? WideCodes<uint16_t>(tokens) : WideCodes<int32_t>(tokens);
  // As unsigned numbers negative ones are large; a maximum of all is faster than a search.
  uint32_t most = 0;
  for (int32_t code : set.tokens) most = std::max(most, static_cast<uint32_t>(code));
  if (!set.tokens.empty() && most >= static_cast<uint32_t>(std::max(num_words, 0))) {
    return DataLoss("a code of ", most, ", expected less than ", num_words);
  }
  SEQ_ASSIGN_OR_RETURN(const absl::string_view targets, reader.TakeBytes(rows, sizeof(uint16_t)));
  set.targets = WideCodes<uint16_t>(targets);
  SEQ_ASSIGN_OR_RETURN(const absl::string_view splits, reader.TakeBytes(rows, 1));
  set.ids.reserve(static_cast<size_t>(rows));
  for (size_t row = 0; row < rows; ++row) {
    if (static_cast<size_t>(set.targets[row]) >= classes) {
      return DataLoss("a target of ", set.targets[row], " of ", classes, " classes");
    }
    if (splits[row] != 0 && splits[row] != 1) return DataLoss("a split that is none");
    SEQ_ASSIGN_OR_RETURN(const absl::string_view name, reader.TakeText());
    set.ids.push_back(
        {splits[row] == 1 ? Split::kTest : Split::kTrain, set.targets[row], std::string(name)});
  }
  return set;
}

absl::StatusOr<std::vector<std::string>> TakeTexts(Reader& reader) {
  SEQ_ASSIGN_OR_RETURN(const uint32_t count, reader.Take<uint32_t>());
  std::vector<std::string> texts;
  for (uint32_t i = 0; i < count; ++i) {
    SEQ_ASSIGN_OR_RETURN(const absl::string_view text, reader.TakeText());
    texts.emplace_back(text);
  }
  return texts;
}

}  // namespace

std::string TokenSetBytes(const TokenSet& set) {
  std::string bytes;
  bytes.reserve(set.tokens.size() * 4 + set.ids.size() * 32 + 64);
  AppendTokenSet(set, bytes);
  return bytes;
}

absl::StatusOr<TokenSet> ParseTokenSet(absl::string_view bytes, int num_words, int maxlen,
                                       int classes) {
  Reader reader(bytes);
  SEQ_ASSIGN_OR_RETURN(TokenSet set,
                       TakeTokenSet(reader, num_words, maxlen, static_cast<size_t>(classes)));
  SEQ_RETURN_IF_ERROR(reader.ExpectEnd());
  return set;
}

std::string DatasetBytes(const Dataset& dataset) {
  std::string bytes;
  size_t codes = 0;
  for (const TokenSet* set : {&dataset.train, &dataset.validation, &dataset.test}) {
    codes += set->tokens.size() + 8 * set->ids.size();
  }
  bytes.reserve(4 * codes + (1 << 16));
  Append<int64_t>(dataset.training_words, bytes);
  Append<int64_t>(dataset.distinct_words, bytes);
  const std::vector<std::string> words = dataset.vocabulary.words();
  Append<uint32_t>(static_cast<uint32_t>(words.size()), bytes);
  for (const std::string& word : words) AppendText(word, bytes);
  Append<uint32_t>(static_cast<uint32_t>(dataset.labels.size()), bytes);
  for (const std::string& label : dataset.labels) AppendText(label, bytes);
  AppendTokenSet(dataset.train, bytes);
  AppendTokenSet(dataset.validation, bytes);
  AppendTokenSet(dataset.test, bytes);
  return bytes;
}

absl::StatusOr<Dataset> ParseDataset(absl::string_view bytes, int num_words, int maxlen,
                                     data::TokenRule rule) {
  Reader reader(bytes);
  Dataset dataset;
  SEQ_ASSIGN_OR_RETURN(dataset.training_words, reader.Take<int64_t>());
  SEQ_ASSIGN_OR_RETURN(dataset.distinct_words, reader.Take<int64_t>());
  SEQ_ASSIGN_OR_RETURN(const std::vector<std::string> words, TakeTexts(reader));
  absl::StatusOr<data::Vocabulary> vocabulary = data::Vocabulary::FromWords(words, num_words, rule);
  if (!vocabulary.ok()) return DataLoss(vocabulary.status().message());
  dataset.vocabulary = *std::move(vocabulary);
  SEQ_ASSIGN_OR_RETURN(dataset.labels, TakeTexts(reader));
  for (TokenSet* set : {&dataset.train, &dataset.validation, &dataset.test}) {
    SEQ_ASSIGN_OR_RETURN(*set, TakeTokenSet(reader, num_words, maxlen, dataset.labels.size()));
  }
  SEQ_RETURN_IF_ERROR(reader.ExpectEnd());
  return dataset;
}

}  // namespace seqgraph
