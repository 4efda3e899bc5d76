#include "data/text_rows.h"

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "data/testing/test_util.h"
#include "data/text_dataset.h"
#include "tests/testing.h"

namespace seqgraph::data {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// "line 2: 3=text" of each review.
absl::StatusOr<std::vector<std::string>> Read(const std::string& path,
                                              const TextSourceOptions& options = {}) {
  std::vector<std::string> reviews;
  const absl::Status status = ForEachText(path, options, [&reviews](const LabelledText& review) {
    reviews.push_back(
        absl::StrCat(review.folder, review.name, ": ", review.label, "=", review.text));
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return reviews;
}

// "2: text a|b|c" of each row, with the problems behind them.
std::vector<std::string> Rows(const std::string& path, const CsvLayout& layout = {}) {
  std::vector<std::string> rows;
  Problems problems;
  const auto take = [&rows](const TextRow& row) {
    rows.push_back(absl::StrCat(row.line, row.is_header ? " names " : ": ", row.text, " ",
                                absl::StrJoin(row.fields, "|"), row.object));
    return absl::OkStatus();
  };
  SEQ_EXPECT_OK(ForEachTextRow(path, {.csv = layout}, /*labelled=*/false, take, problems));
  if (problems.count() > 0) rows.push_back(problems.Lines());
  return rows;
}

TEST(TextRows, KeepAllColumnsAndNeedNoLabel) {
  EXPECT_THAT(Rows(Saved("id,text\n7,\"a, b\"\n8,c\n", "a.csv")),
              ElementsAre("1 names  id|text", "2: a, b 7|a, b", "3: c 8|c"));
  EXPECT_THAT(Rows(Saved("7;a\n8;c\n", "a.csv"), {.text_column = "2", .separator = ';'}),
              ElementsAre("1: a 7|a", "2: c 8|c"));
  EXPECT_THAT(Rows(Saved("{\"n\":123456789012345678901234567890,\"text\":\"a\"}\n", "a.jsonl")),
              ElementsAre("1: a {\"n\":123456789012345678901234567890,\"text\":\"a\"}"));
}

// "2: text [30 -2.5]" of each row, with the problems behind them.
std::vector<std::string> Numbers(const std::string& path, bool labelled = false) {
  std::vector<std::string> rows;
  Problems problems;
  const auto take = [&rows](const TextRow& row) {
    rows.push_back(
        absl::StrCat(row.line, ": ", row.text, " [", absl::StrJoin(row.numbers, " "), "]"));
    return absl::OkStatus();
  };
  const absl::Status status =
      ForEachTextRow(path, {.csv = {.number_columns = {"age", "stars"}}}, labelled, take, problems);
  if (!status.ok()) rows.emplace_back(status.message());
  if (problems.count() > 0) rows.push_back(problems.Lines());
  return rows;
}

TEST(TextRows, NumbersStandBesideATextInTheOrderOfTheirNames) {
  EXPECT_THAT(Numbers(Saved("stars,text,age\n-2.5,a, 30 \n1e3,b,\"7\"\n", "a.csv")),
              ElementsAre("1:  []", "2: a [30 -2.5]", "3: b [7 1000]"));
  EXPECT_THAT(Numbers(Saved("stars\ttext\tage\n4\ta\t30\n", "a.tsv")),
              ElementsAre("1:  []", "2: a [30 4]"));
  EXPECT_THAT(Numbers(Saved("{\"text\":\"a\",\"age\":30,\"stars\":-0.5,\"x\":null}\n", "a.jsonl")),
              ElementsAre("1: a [30 -0.5]"));
  std::vector<float> second;
  Problems problems;
  const auto take = [&second](const TextRow& row) {
    second.assign(row.numbers.begin(), row.numbers.end());
    return absl::OkStatus();
  };
  SEQ_EXPECT_OK(ForEachTextRow(Saved("a,5\nb,6\n", "a.csv"),
                               {.csv = {.text_column = "1", .number_columns = {"2"}}},
                               /*labelled=*/false, take, problems));
  EXPECT_THAT(second, ElementsAre(6));
}

TEST(TextRows, WhatIsNoFiniteNumberIsAProblemOfItsRow) {
  EXPECT_THAT(Numbers(Saved("text,age,stars\na,,1\nb,2,NA\nc,inf,3\nd,1e39,3\ne,1,2\n", "a.csv")),
              ElementsAre("1:  []", "6: e [1 2]",
                          ::testing::AllOf(HasSubstr("line 2: expected a number as 'age', found"),
                                           HasSubstr("line 3: expected a number as 'stars', "
                                                     "found 'NA'"),
                                           HasSubstr("line 4: "), HasSubstr("line 5: "))));
  EXPECT_THAT(
      Numbers(Saved("{\"text\":\"a\",\"age\":\"30\",\"stars\":1}\n{\"text\":\"b\",\"age\":3}\n",
                    "a.jsonl")),
      ElementsAre(::testing::AllOf(HasSubstr("line 1: expected a number as 'age', found"),
                                   HasSubstr("line 2: no member 'stars'"),
                                   HasSubstr("--numeric_columns names it"))));
  EXPECT_THAT(Numbers(Saved("text,age\na,1\n", "a.csv")),
              ElementsAre(HasSubstr("names no column 'stars'")));
  EXPECT_THAT(ForEachTextRow(
                  Saved("text,age\na,1\n", "a.csv"),
                  {.csv = {.label_column = "age", .number_columns = {"age"}}},
                  /*labelled=*/true, [](const TextRow&) { return absl::OkStatus(); },
                  *std::make_unique<Problems>()),
              StatusIs(absl::StatusCode::kInvalidArgument, "the label is among the numbers"));
}

// Numbers go with their texts through threads, shuffles and splits.
TEST(TextRows, NumbersOfADataSetAreThoseOfItsRows) {
  std::string csv = "age,text,label\n";
  for (int i = 0; i < 3000; ++i) {
    absl::StrAppend(&csv, i, ",word", i, std::string(200, ' '), "x,", i % 2 ? "a" : "b", "\n");
  }
  const std::string path = Saved(csv, "a.csv");
  DatasetOptions options = {.num_words = 4000,
                            .maxlen = 1,
                            .tokens = TokenRule::kWords,
                            .with_test = false,
                            .csv = {.number_columns = {"age"}},
                            .threads = 3};
  SEQ_ASSERT_OK_AND_ASSIGN(const Dataset dataset, LoadDataset(path, options));
  SEQ_ASSERT_OK_AND_ASSIGN(const TokenSet all,
                           EncodeTexts(path, Split::kTrain, dataset.vocabulary, 1, options));
  for (const TokenSet* set : {&dataset.train, &dataset.validation, &all}) {
    ASSERT_EQ(static_cast<int64_t>(set->numbers.size()), set->rows);
    for (int64_t row = 0; row < set->rows; ++row) {
      const auto i = static_cast<size_t>(row);
      // Behind the first record.
      ASSERT_EQ(absl::StrCat(set->numbers[i] + 2), set->ids[i].name);
    }
  }
  EXPECT_EQ(dataset.train.rows, 2400);
  EXPECT_THAT(LoadDataset("synthetic", options),
              StatusIs(absl::StatusCode::kInvalidArgument, "--numeric_columns: 'synthetic' is no"));
}

TEST(TextRows, OfAProblemAreSkippedAndTheReaderGoesOn) {
  const std::string csv =
      "text,id\n"
      "one,1\n"
      "two\n"             // one field
      "\"three\" x,3\n"   // behind the quote
      "f\"our,4\n"        // inside a field
      "\xFF,5\n"          // no UTF-8
      "...,6\n"           // no word
      "\"se\nven\",7\n";  // two lines
  const std::vector<std::string> rows = Rows(Saved(csv, "a.csv"));
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_THAT(rows,
              ElementsAre("1 names  text|id", "2: one one|1", "8: se\nven se\nven|7", testing::_));
  EXPECT_THAT(rows.back(), testing::ContainsRegex("line 3, column 1: a record with 1 fields"));
  EXPECT_THAT(rows.back(), HasSubstr("line 4, column 8: expected a separator"));
  EXPECT_THAT(rows.back(), HasSubstr("line 5, column 2: a quote inside"));
  EXPECT_THAT(rows.back(), HasSubstr("line 6: expected UTF-8"));
  EXPECT_THAT(rows.back(), HasSubstr("line 7: expected at least one word"));
}

TEST(TextRows, BehindAQuoteThatNothingClosesAreNotSkipped) {
  Problems problems;
  EXPECT_THAT(Read(Saved("text,label\na,x\n\"b,y\nc,z\n", "a.csv"), {.skipped = &problems}),
              StatusIs(absl::StatusCode::kInvalidArgument, "line 3, column 1: nothing closes"));
}

TEST(TextRows, OfJsonHaveTheirTextAndLabelByName) {
  const std::string lines =
      "{\"text\": \"one \\u00e9\", \"label\": \"b\", \"more\": {\"deep\": [1]}}\n"
      "\n"
      " {\"label\": 7, \"text\": \"two\"} \r\n"
      "{\"label\": true, \"text\": \"three\"}";
  const std::vector<std::string> expected = {"line 1: 2=one \xC3\xA9", "line 3: 3=two",
                                             "line 4: 4=three"};
  for (const char* name : {"a.jsonl", "a.NDJSON"}) {
    SEQ_ASSERT_OK_AND_ASSIGN(const auto reviews, Read(Saved(lines, name)));
    EXPECT_EQ(reviews, expected);
  }
  SEQ_ASSERT_OK_AND_ASSIGN(const auto zipped, Read(Saved(Gzip(lines), "a.jsonl.gz")));
  EXPECT_EQ(zipped, expected);
  SEQ_ASSERT_OK_AND_ASSIGN(const auto named,
                           Read(Saved("{\"2\": \"a\", \"1\": \"positive\"}\n", "a.jsonl"),
                                {.csv = {.text_column = "2", .label_column = "1"}}));
  EXPECT_THAT(named, ElementsAre("line 1: 1=a"));
}

TEST(TextRows, AllThatIsWrongWithJsonIsToldAtOnce) {
  const std::string lines =
      "{\"text\": \"fine\", \"label\": \"a\"}\n"
      "{\"text\": \"fine\"}\n"
      "{\"text\": 3, \"label\": \"a\"}\n"
      "[1]\n"
      "{\"text\": \"fine\", \"label\": \"\"}\n"
      "{\"text\": \"fine\", \"label\": null}\n"
      "{\"text\": \"fine\", \"label\": 1.5}\n"
      "{\"text\": \"\\u0000\", \"label\": \"a\"}\n"
      "{\"text\": \"fine\n";
  const std::string path = Saved(lines, "a.jsonl");
  const absl::Status status = Read(path).status();
  for (const char* why :
       {"8 problems (rows", "line 2: no member 'label', but: 'text'; --label_column names it",
        "line 3: expected a text as 'text', found '3'", "line 4: expected an object, found '[1]'",
        "line 5: the label is empty", "line 6: expected a text as 'label', found 'null'",
        "line 7: expected a text as 'label', found '1.5'",
        "line 8: expected UTF-8 text, found a NUL", "line 9: no JSON"}) {
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, why));
  }
  Problems skipped;
  SEQ_ASSERT_OK_AND_ASSIGN(const auto taken, Read(path, {.skipped = &skipped}));
  EXPECT_THAT(taken, ElementsAre("line 1: 2=fine"));
  EXPECT_EQ(skipped.count(), 8);
}

TEST(TextRows, ObjectsMayNotBeNestedWithoutLimit) {
  const std::string deep =
      absl::StrCat("{\"text\": \"a\", \"label\": \"b\", \"x\": ", std::string(100000, '['));
  EXPECT_THAT(Read(Saved(deep, "a.jsonl")),
              StatusIs(absl::StatusCode::kInvalidArgument, "line 1: nested too deeply"));
}

TEST(TextRows, TwentyProblemsAreListedAndTheOthersCounted) {
  std::string csv = "text,label\nfine,x\n";
  for (int i = 0; i < 30; ++i) csv += "only one\n";
  const std::string path = Saved(csv, "a.csv");
  const std::string message(Read(path).status().message());
  EXPECT_THAT(message, StartsWith("30 problems"));
  EXPECT_THAT(message, HasSubstr("line 22, "));
  EXPECT_THAT(message, ::testing::Not(HasSubstr("line 23, ")));
  EXPECT_THAT(message, EndsWith("and 10 more"));
  Problems skipped;
  EXPECT_THAT(
      Read(Saved("text,label\na\n", "a.csv"), {.skipped = &skipped}),
      StatusIs(absl::StatusCode::kInvalidArgument, "no records of texts but with problems: '"));
}

TEST(TextRows, AreSkippedInTrainingTooOnAnyThreads) {
  std::string csv = "text,label\n";
  for (int i = 0; i < 50; ++i) absl::StrAppend(&csv, "word", i, ",", i % 2, "\n...,1\n");
  const std::string path = Saved(csv, "a.csv");
  EXPECT_THAT(LoadDataset(path, {}), StatusIs(absl::StatusCode::kInvalidArgument, "50 problems"));
  for (int threads : {1, 3}) {
    Problems skipped;
    SEQ_ASSERT_OK_AND_ASSIGN(const Dataset dataset,
                             LoadDataset(path, {.skipped = &skipped, .threads = threads}));
    EXPECT_EQ(dataset.train.rows + dataset.validation.rows, 50);
    EXPECT_EQ(skipped.count(), 50);
    EXPECT_THAT(skipped.first(), HasSubstr("line 3: expected at least one word"));
  }
}

// Whatever the bytes are: rows, or an error that names the file.
TEST(TextRows, OfAnyBytesAreReadOrRefused) {
  constexpr unsigned kSeed = 11;
  std::mt19937 random(kSeed);
  const std::string folder = MakeTempDir();
  const std::string seeds[] = {
      "text,label\na,x\n\"b, \"\"c\"\"\",y\r\n\nd,z\n",
      "{\"text\": \"a\", \"label\": 1}\n{\"text\": \"\\u00e9\", \"label\": true, \"x\": [{}]}\n"};
  for (int trial = 0; trial < 1000; ++trial) {
    std::string bytes = seeds[trial % 2];
    for (int changes = 1 + random() % 4; changes > 0; --changes) {
      const size_t at = random() % bytes.size();
      const char special[] = {'"', ',', '\n', '\r', '\0', '{', '}', '[', '\\', '\xFF', 'a'};
      const char c = special[random() % sizeof(special)];
      switch (random() % 3) {
        case 0:
          bytes[at] = c;
          break;
        case 1:
          bytes.insert(at, 1, c);
          break;
        default:
          bytes.erase(at, 1 + random() % 3);
          if (bytes.empty()) bytes = "x";
      }
    }
    const std::string path = folder + (trial % 2 == 0 ? "/a.csv" : "/a.jsonl");
    WriteFileOrDie(path, bytes);
    Problems skipped;
    const auto strict = Read(path);
    const auto lenient = Read(path, {.skipped = &skipped});
    const std::string what = absl::StrCat("seed ", kSeed, ", trial ", trial);
    if (strict.ok()) {
      ASSERT_THAT(lenient, IsOk()) << what;
      ASSERT_EQ(*strict, *lenient) << what;
      ASSERT_EQ(skipped.count(), 0) << what;
    } else {
      ASSERT_THAT(std::string(strict.status().message()), HasSubstr("a.")) << what;
      ASSERT_TRUE(!lenient.ok() || skipped.count() > 0) << what;
    }
  }
}

}  // namespace
}  // namespace seqgraph::data
