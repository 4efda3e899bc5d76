#include <algorithm>
#include <cstdio>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "data/testing/test_util.h"
#include "data/text_rows.h"
#include "tests/testing.h"

namespace seqgraph::data {
namespace {

// What reading tells: a line for each row, and one for each problem.
struct PartsTold {
  std::vector<std::string> rows, problems;
  absl::Status status;

  TextRowSink sink() { return take; }
  std::function<absl::Status(const TextRow&)> take = [this](const TextRow& row) {
    rows.push_back(absl::StrCat(row.line, row.is_header ? " names " : ": ", row.text, " ",
                                absl::StrJoin(row.fields, "|"), row.object));
    return absl::OkStatus();
  };
};

PartsTold Whole(const std::string& path, const TextSourceOptions& options) {
  PartsTold told;
  Problems problems;
  told.status = ForEachTextRow(path, options, /*labelled=*/false, told.sink(), problems);
  told.problems = problems.listed();
  return told;
}

// Each part on its own, as another process gets it.
PartsTold InParts(const std::string& path, const TextSourceOptions& options, int64_t part_bytes,
                  int* count) {
  PartsTold told;
  Problems problems;
  absl::StatusOr<TextRowParts> parts = TextRowParts::Open(path, options, part_bytes);
  told.status = parts.status();
  TextRowPart part;
  for (*count = 0; told.status.ok(); ++*count) {
    const absl::StatusOr<bool> more = parts->Next(&part);
    told.status = more.status();
    if (!more.ok() || !*more) break;
    absl::StatusOr<TextRowPart> sent = TextRowPart::FromText(part.Text());
    told.status = sent.status();
    if (!sent.ok()) break;
    told.status = ForEachTextRowOf(*std::move(sent), path, options, /*labelled=*/false, told.sink(),
                                   problems);
  }
  told.problems = problems.listed();
  return told;
}

void ExpectSame(const PartsTold& a, const PartsTold& b) {
  EXPECT_EQ(a.rows, b.rows);
  EXPECT_EQ(a.problems, b.problems);
  EXPECT_EQ(a.status, b.status);
}

std::string RandomField(std::mt19937& random) {
  static const char* const pieces[] = {"word", " ", "film", "\"\"", "\n", ",", "\r\n", "\xC3\xA9"};
  const bool quoted = random() % 2 == 0;
  std::string field = "w";
  for (unsigned i = random() % 6; i > 0; --i) field += pieces[random() % (quoted ? 8 : 3)];
  return quoted ? absl::StrCat("\"", field, "\"") : field;
}

TEST(TextRowParts, TellWhatTheWholeTells) {
  const unsigned seed = std::random_device{}();
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  const std::string path = Saved("", "parts.csv");
  int most = 0;
  size_t rows = 0;
  for (int round = 0; round < 40; ++round) {
    const bool names = random() % 2 == 0;
    std::string file = random() % 4 == 0 ? "\xEF\xBB\xBF" : "";
    if (random() % 4 == 0) file += "\n\r\n";
    if (names) file += "text,more\n";
    for (int row = 0; row < 60; ++row) {
      absl::StrAppend(&file, RandomField(random), ",", RandomField(random));
      if (random() % 20 == 0) file += ",one too many";
      if (random() % 30 == 0) file += "\n \x01\xFF,no UTF-8";
      if (random() % 10 == 0) file += "\n";
      file += random() % 3 == 0 ? "\r\n" : "\n";
    }
    if (random() % 2 == 0) file.pop_back();
    WriteFileOrDie(path, file);
    TextSourceOptions options;
    options.csv.text_column = names ? "text" : "1";
    const PartsTold whole = Whole(path, options);
    rows += whole.rows.size();
    for (const int64_t bytes : {1, 50, 300, 100'000}) {
      SCOPED_TRACE(absl::StrCat("round ", round, ", parts of ", bytes));
      int count = 0;
      ExpectSame(whole, InParts(path, options, bytes, &count));
      most = std::max(most, count);
    }
  }
  EXPECT_GT(most, 40);
  EXPECT_GT(rows, 400);
}

TEST(TextRowParts, OfObjectsToo) {
  const std::string path = Saved("", "parts.jsonl");
  WriteFileOrDie(path,
                 "{\"text\": \"a film\"}\n\n  {\"text\": \"two\", \"x\": 1}\nno object\n"
                 "{\"text\": \"the last\"}");
  const PartsTold whole = Whole(path, {});
  EXPECT_EQ(whole.rows.size(), 3);
  EXPECT_EQ(whole.problems.size(), 1);
  int count = 0;
  ExpectSame(whole, InParts(path, {}, 1, &count));
  EXPECT_GT(count, 2);
}

TEST(TextRowParts, AFileWithoutRowsHasNoneInParts) {
  const std::string path = Saved("", "none.csv");
  for (const char* file : {"", "\n\n\n", "text\n"}) {
    WriteFileOrDie(path, file);
    int count = 0;
    ExpectSame(Whole(path, {}), InParts(path, {}, 1, &count));
  }
}

TEST(TextRowParts, WhatIsNoPartIsRefused) {
  for (const std::string& text : {std::string(), std::string("short"), std::string(16, '\xFF')}) {
    EXPECT_THAT(TextRowPart::FromText(text), StatusIs(absl::StatusCode::kInvalidArgument));
  }
}

}  // namespace
}  // namespace seqgraph::data
