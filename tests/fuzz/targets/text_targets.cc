#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "base/byte_cursor.h"
#include "data/dataset_bytes.h"
#include "data/npy.h"
#include "data/text_dataset.h"
#include "data/vocabulary.h"
#include "tests/fuzz/targets/targets.h"
#include "tools/encoded_texts.h"

namespace seqgraph {
namespace {

// A set without checksums, as the first version had it.
const std::vector<std::string>& EncodedNames() {
  static const auto* const names = new std::vector<std::string>{"texts.json",
                                                                "train_tokens.npy",
                                                                "train_targets.npy",
                                                                "validation_tokens.npy",
                                                                "validation_targets.npy",
                                                                "test_tokens.npy",
                                                                "test_targets.npy"};
  return *names;
}

bool EncodedTexts(absl::string_view bytes) {
  const std::vector<std::string> files = UnpackFiles(bytes, EncodedNames().size());
  for (size_t i = 0; i < files.size(); ++i) FuzzFile(EncodedNames()[i], files[i]);
  const auto texts = tools::ReadEncodedTexts(FuzzFolder());
  if (!FuzzOk(texts.status())) return false;
  FuzzCheck(texts->dataset.train.rows > 0, "there are rows to train on");
  return true;
}

std::vector<std::string> EncodedSeeds() {
  const std::vector<int32_t> tokens = {1, 2, 0, 3}, targets = {0, 1};
  const std::string t = *data::NpyFile(absl::MakeConstSpan(tokens), {2, 2}),
                    y = *data::NpyFile(absl::MakeConstSpan(targets), {2});
  const std::string json =
      "{\"rule\": \"imdb\", \"num_words\": 7, \"maxlen\": 2, \"words\": [\"good\", \"bad\"], "
      "\"labels\": [\"negative\", \"positive\"]}";
  return {PackFiles({json, t, y, t, y, t, y})};
}

void CheckRows(const data::TokenSet& set, int num_words, size_t classes) {
  FuzzCheck(set.tokens.size() == static_cast<size_t>(set.rows * set.maxlen) &&
                set.targets.size() == static_cast<size_t>(set.rows) &&
                set.ids.size() == static_cast<size_t>(set.rows),
            "each row has all of it");
  for (const int32_t code : set.tokens) FuzzCheck(code >= 0 && code < num_words, "codes fit");
  for (const int32_t target : set.targets) {
    FuzzCheck(target >= 0 && static_cast<size_t>(target) < classes, "classes fit");
  }
}

bool CheckDataset(const absl::StatusOr<data::Dataset>& dataset, int num_words) {
  if (!FuzzOk(dataset.status())) return false;
  for (const data::TokenSet* set : {&dataset->train, &dataset->validation, &dataset->test}) {
    CheckRows(*set, num_words, dataset->labels.size());
  }
  FuzzCheck(dataset->vocabulary.size() <= num_words - data::kMinNumWords, "words have codes");
  return true;
}

// The first two bytes choose the kind of file and how it is read.
bool LabelledTexts(absl::string_view bytes) {
  if (bytes.size() < 2) return false;
  const auto choice = static_cast<unsigned char>(bytes[0]),
             more = static_cast<unsigned char>(bytes[1]);
  bytes.remove_prefix(2);
  constexpr const char* kEndings[] = {"csv", "tsv", "jsonl", "tar"};
  data::Problems problems;
  data::DatasetOptions options{.num_words = 12, .maxlen = 4, .threads = 1};
  options.validation = (choice & 4) != 0 ? 0.25 : 0;
  options.stratify = (choice & 8) != 0;
  options.csv.header = (choice & 16) != 0;
  options.csv.quotes = (choice & 32) == 0;
  if ((choice & 64) != 0) options.csv.number_columns = {"n"};
  if ((choice & 128) != 0) options.skipped = &problems;
  if ((more & 1) != 0) options.csv.text_column = "1";
  if ((more & 2) != 0) options.csv.label_column = "2";
  if ((more & 4) != 0) options.text_policy = data::TextPolicy::kAnyBytes;
  if ((more & 8) != 0) options.labels = {"a", "b"};
  options.tokens = (more & 16) != 0 ? data::TokenRule::kWords : data::TokenRule::kImdb;
  const std::string path = FuzzFile(absl::StrCat("texts.", kEndings[choice & 3]), bytes);
  return CheckDataset(data::LoadDataset(path, options), options.num_words);
}

// A file of a tar archive, as POSIX.1-1988 has it.
std::string TarFile(absl::string_view name, absl::string_view content) {
  std::string head(512, '\0');
  const auto put = [&head](size_t at, absl::string_view text) {
    head.replace(at, text.size(), text.data(), text.size());
  };
  put(0, name.substr(0, 100));
  put(100, "0000644");
  put(124, absl::StrFormat("%011o", content.size()));
  put(136, "00000000000");
  put(148, "        ");
  put(156, "0");
  put(257, absl::string_view("ustar\00000", 8));
  unsigned sum = 0;
  for (const char c : head) sum += static_cast<unsigned char>(c);
  put(148, absl::StrFormat("%06o", sum));
  head[154] = '\0';
  return absl::StrCat(head, content, std::string((512 - content.size() % 512) % 512, '\0'));
}

// Behind the sums of its heads: names and texts, a line and the rest each.
bool TextArchive(absl::string_view bytes) {
  std::string tar;
  for (const std::string& file : UnpackFiles(bytes, 8)) {
    const size_t end = file.find('\n');
    if (end == std::string::npos) continue;
    tar += TarFile(file.substr(0, end), file.substr(end + 1));
  }
  tar.append(1024, '\0');
  data::DatasetOptions options{.num_words = 12, .maxlen = 4, .validation = 0, .threads = 1};
  return CheckDataset(data::LoadDataset(FuzzFile("texts.tar", tar), options), options.num_words);
}

// What the data cache keeps, behind its check sums.
bool CachedDataset(absl::string_view bytes) {
  constexpr int kNumWords = 12, kMaxlen = 4;
  const absl::StatusOr<data::TokenSet> rows = ParseTokenSet(bytes, kNumWords, kMaxlen);
  if (FuzzOk(rows.status())) CheckRows(*rows, kNumWords, 2);
  const absl::StatusOr<data::Dataset> dataset = ParseDataset(bytes, kNumWords, kMaxlen);
  if (!CheckDataset(dataset, kNumWords)) return rows.ok();
  const auto again = ParseDataset(DatasetBytes(*dataset), kNumWords, kMaxlen);
  FuzzCheck(again.ok(), again.status().ToString());
  return true;
}

// Words as a model or a file has them, one a line behind a byte that chooses the rule; then a text.
bool Vocabulary(absl::string_view bytes) {
  if (bytes.empty()) return false;
  const auto rule = (bytes[0] & 1) != 0 ? data::TokenRule::kWords : data::TokenRule::kImdb;
  const std::vector<std::string> words = absl::StrSplit(bytes.substr(1), '\n');
  const auto vocabulary =
      data::Vocabulary::FromWords(words, static_cast<int>(words.size()) + data::kMinNumWords, rule);
  if (!FuzzOk(vocabulary.status())) return false;
  FuzzCheck(vocabulary->words() == words, "words are those that were given");
  for (const int32_t code : vocabulary->Encode(bytes, 64)) {
    FuzzCheck(code >= 0 && code < vocabulary->num_words(), "codes fit");
  }
  return true;
}

// Seeds.

std::vector<std::string> LabelledTextsSeeds() {
  const std::string archive = absl::StrCat(TarFile("aclImdb/train/pos/0_9.txt", "A good film."),
                                           TarFile("aclImdb/train/neg/0_1.txt", "<br />A bad one."),
                                           std::string(1024, '\0'));
  return {absl::StrCat(std::string{0x10, 0x10},
                       "text,label\n\"A good, good film\",pos\nbad,neg\n\"x \"\"y\"\"\",pos\n"),
          absl::StrCat(std::string{0x41 | 0x10, 0},
                       "label\ttext\tn\nb\tone two\t1\na\tthree\t-2.5e3\nb\tone\t7\n"),
          absl::StrCat(std::string{static_cast<char>(0x82), 8},
                       "{\"text\": \"caf\\u00e9 au lait\", \"label\": \"a\"}\n"
                       "{\"text\": \"tea\", \"label\": \"b\", \"more\": [1, {}]}\n"),
          absl::StrCat(std::string{0x0C, 7}, "1,x\n2,y\n3,x\n4,y\n5,x\n6,y\n7,x\n8,y\n"),
          absl::StrCat(std::string{3, 0}, archive)};
}

std::vector<std::string> TextArchiveSeeds() {
  return {PackFiles({"aclImdb/train/pos/0_9.txt\nA good film.",
                     "aclImdb/train/neg/1_2.txt\nA bad film.", "aclImdb/test/pos/0_7.txt\nGood.",
                     "aclImdb/test/neg/0_3.txt\nBad.", "aclImdb/train/unsup/0_0.txt\nNone."}),
          PackFiles({"train/c/one.txt\nA tree.", "train/d/two.txt\nA house.",
                     "train/d/3.md\nNot read."})};
}

std::vector<std::string> CachedDatasetSeeds() {
  data::DatasetOptions options{.num_words = 12, .maxlen = 4, .validation = 0.5, .threads = 1};
  options.csv.header = true;
  const auto dataset = data::LoadDataset(
      FuzzFile("seed.csv", "text,label\none two,pos\ntwo,neg\nthree one,pos\nfour,neg\n"), options);
  FuzzCheck(dataset.ok(), dataset.status().ToString());
  return {DatasetBytes(*dataset), TokenSetBytes(dataset->train)};
}

std::vector<std::string> VocabularySeeds() { return {"0the\nfilm\nwas\ncaf\xC3\xA9", "1a\nb"}; }

}  // namespace

const std::vector<FuzzTarget>& TextTargets() {
  static const auto* const targets = new std::vector<FuzzTarget>{
      {"texts", LabelledTexts, LabelledTextsSeeds, 60},
      {"text_archive", TextArchive, TextArchiveSeeds, 60},
      {"encoded_texts", EncodedTexts, EncodedSeeds},
      {"cached_dataset", CachedDataset, CachedDatasetSeeds},
      {"vocabulary", Vocabulary, VocabularySeeds},
  };
  return *targets;
}

}  // namespace seqgraph
