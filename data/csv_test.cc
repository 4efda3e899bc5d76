#include "data/csv.h"

#include <nlohmann/json.hpp>
#include <random>

#include "absl/strings/str_cat.h"
#include "data/testing/test_util.h"
#include "tests/testing.h"

namespace seqgraph::data {
namespace {

using namespace std::string_literals;

using Records = std::vector<std::vector<std::string>>;

absl::StatusOr<Records> ReadFile(const std::string& path, const CsvOptions& options = {}) {
  absl::StatusOr<std::unique_ptr<CsvReader>> reader = CsvReader::Open(path, options);
  if (!reader.ok()) return reader.status();
  Records records;
  while (true) {
    const auto fields = (*reader)->Next();
    if (!fields.ok()) return fields.status();
    if (fields->empty()) return records;
    records.emplace_back(fields->begin(), fields->end());
  }
}

absl::StatusOr<Records> Read(absl::string_view bytes, const CsvOptions& options = {}) {
  const std::string path = MakeTempDir() + "/a.csv";
  WriteFileOrDie(path, bytes);
  return ReadFile(path, options);
}

TEST(Csv, ReadsTheExamplesOfTheRfc) {
  const Records two = {{"aaa", "bbb", "ccc"}, {"zzz", "yyy", "xxx"}};
  for (const char* text :
       {"aaa,bbb,ccc\r\nzzz,yyy,xxx\r\n", "aaa,bbb,ccc\r\nzzz,yyy,xxx",
        "\"aaa\",\"bbb\",\"ccc\"\r\nzzz,yyy,xxx", "aaa,bbb,ccc\nzzz,yyy,xxx\n"}) {
    SEQ_ASSERT_OK_AND_ASSIGN(const Records records, Read(text));
    EXPECT_EQ(records, two) << text;
  }
  SEQ_ASSERT_OK_AND_ASSIGN(const Records broken,
                           Read("\"aaa\",\"b\r\nbb\",\"ccc\"\r\nzzz,yyy,xxx"));
  EXPECT_EQ(broken, (Records{{"aaa", "b\r\nbb", "ccc"}, {"zzz", "yyy", "xxx"}}));
  SEQ_ASSERT_OK_AND_ASSIGN(const Records doubled, Read("\"aaa\",\"b\"\"bb\",\"ccc\""));
  EXPECT_EQ(doubled, (Records{{"aaa", "b\"bb", "ccc"}}));
}

TEST(Csv, KeepsEveryByteAndPassesOverEmptyLines) {
  const auto expect = [](const std::string& bytes, const Records& expected,
                         const CsvOptions& options = {}) {
    SEQ_ASSERT_OK_AND_ASSIGN(const Records records, Read(bytes, options));
    EXPECT_EQ(records, expected) << bytes;
  };
  expect("", {});
  expect("\n\r\n\n", {});
  expect("\xEF\xBB\xBF", {});
  expect("\xEF\xBB\xBF\"a\"\n", {{"a"}});
  expect(" a , \tb\n", {{" a ", " \tb"}});
  expect("a,,b\n\n\r\n,,\nc,\"\",\n", {{"a", "", "b"}, {"", "", ""}, {"c", "", ""}});
  expect("\"\"\n\"\"", {{""}, {""}});  // In quotes an empty field is one.
  expect("a,b,", {{"a", "b", ""}});
  expect("\"\"\"\",\",\"\n\"\n\n\",\"\r\"\n", {{"\"", ","}, {"\n\n", "\r"}});
  expect("\xFF\0,\xEF\xBB\xBF"s, {{"\xFF\0"s, "\xEF\xBB\xBF"}});
  expect("a\tb,c\n\"x\ty\"\td\n", {{"a", "b,c"}, {"x\ty", "d"}}, {.separator = '\t'});
  expect("say \"so\"\t\"\n", {{"say \"so\"", "\""}}, {.separator = '\t', .quotes = false});
}

TEST(Csv, ErrorsNameLineAndColumn) {
  const auto refused = [](const std::string& bytes, const std::string& where,
                          const std::string& why) {
    EXPECT_THAT(Read(bytes), ::testing::AllOf(StatusIs(absl::StatusCode::kInvalidArgument, where),
                                              StatusIs(absl::StatusCode::kInvalidArgument, why)))
        << bytes;
  };
  refused("a,b\nc,d\"e\n", "a.csv', line 2, column 4: ", "a quote inside a field");
  refused("a,b\n\"x\ny\",\"c\" ,d", "line 3, column 7: ", "behind the closing quote");
  refused("a,b\n\nc,\"d\n\n\ne", "line 3, column 3: ", "nothing closes the quote");
  refused("\"", "line 1, column 1: ", "nothing closes the quote");
  refused("\"a\"\"", "line 1, column 1: ", "nothing closes the quote");
  refused("a\rb\n", "line 1, column 3: ", "carriage return without a line feed");
  refused("a\r", "line 1, column 3: ", "carriage return without a line feed");
  refused("\"a\"\r,b\n", "line 1, column 5: ", "carriage return without a line feed");
  refused("a,b\n\"1\n2\",3\n4\n",
          "line 4, column 1: ", "a record with 1 fields; the first one has 2");
  refused("a,b\n1,2,3\n", "line 2, column 1: ", "a record with 3 fields");
}

TEST(Csv, LimitsHold) {
  const CsvOptions record{.max_record_bytes = 5};
  SEQ_EXPECT_OK(Read("abc,de\n\"a\nb\",de\n", record));
  EXPECT_THAT(Read("a,b\nabc,def\n", record), StatusIs(absl::StatusCode::kResourceExhausted,
                                                       "line 2: a record of more than 5 bytes"));
  EXPECT_THAT(Read("\"abc\"\"de\"\n", record),
              StatusIs(absl::StatusCode::kResourceExhausted, "more than 5 bytes"));
  SEQ_EXPECT_OK(Read("a,b,c\n", {.max_fields = 3}));
  EXPECT_THAT(Read("a,b,c\n", {.max_fields = 2}),
              StatusIs(absl::StatusCode::kResourceExhausted, "line 1: more than 2 fields"));
  SEQ_EXPECT_OK(Read("a,b\n", {.max_bytes = 4}));
  EXPECT_THAT(Read("a,b\n", {.max_bytes = 3}),
              StatusIs(absl::StatusCode::kResourceExhausted, "holds more than 3 bytes"));
  for (char separator : {'"', '\n', '\r', '\0', '\xE9'}) {
    EXPECT_THAT(Read("a", {.separator = separator}),
                StatusIs(absl::StatusCode::kInvalidArgument, "one ASCII character"));
  }
  EXPECT_THAT(ReadFile("/no/such/a.csv"), StatusIs(absl::StatusCode::kNotFound, "/no/such/a.csv"));
}

// Fields with what may go wrong in them, long ones so that they lie across the reader's blocks.
Records RandomRecords(std::mt19937& random) {
  const char* const parts[] = {"a", "word ", "\"", ",", "\n", "\r\n", "\xC3\xBC", ";", "\t", " "};
  Records records(1 + random() % 40);
  const size_t columns = 2 + random() % 4;
  for (std::vector<std::string>& record : records) {
    record.resize(columns);
    for (std::string& field : record) {
      const unsigned most = random() % 50 == 0 ? 200000 : 6;
      for (unsigned n = random() % most; n > 0; --n) field += parts[random() % std::size(parts)];
    }
  }
  return records;
}

std::string Quoted(const std::string& field) {
  std::string quoted = "\"";
  for (char c : field) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

TEST(Csv, ReadsBackWhateverIsQuotedAlsoGzippedAndNeverCrashesWhenItIsCut) {
  std::mt19937 random(20261125);
  for (int round = 0; round < 60; ++round) {
    const Records records = RandomRecords(random);
    std::string bytes;
    for (const std::vector<std::string>& record : records) {
      for (size_t i = 0; i < record.size(); ++i) {
        const bool plain = record[i].find_first_of("\",\r\n") == std::string::npos;
        absl::StrAppend(&bytes, i == 0 ? "" : ",",
                        plain && random() % 2 == 0 ? record[i] : Quoted(record[i]));
      }
      absl::StrAppend(&bytes, random() % 2 == 0 ? "\n" : "\r\n");
    }
    SEQ_ASSERT_OK_AND_ASSIGN(const Records read, Read(bytes));
    EXPECT_EQ(read, records) << "seed 20261125, round " << round;
    const std::string gzipped = Gzip(bytes);
    SEQ_ASSERT_OK_AND_ASSIGN(const Records inflated, Read(gzipped));
    EXPECT_EQ(inflated, records) << "seed 20261125, round " << round;
    EXPECT_THAT(Read(gzipped.substr(0, gzipped.size() - 1 - random() % 30)),
                StatusIs(absl::StatusCode::kDataLoss, "a.csv"));
    // Cut or damaged text may be some other file, or none; it is never more than the bytes hold.
    std::string damaged = bytes.substr(0, random() % (bytes.size() + 1));
    if (!damaged.empty()) damaged[random() % damaged.size()] = "\",\r\n"[random() % 4];
    const absl::StatusOr<Records> some = Read(damaged);
    if (some.ok()) continue;
    EXPECT_THAT(std::string(some.status().message()), ::testing::HasSubstr("line "));
  }
}

TEST(Csv, ReadsWhatPythonsModuleWrites) {
  if (std::system("python3 -c 'import csv, json'") != 0) GTEST_SKIP() << "there is no python3";
  const std::string folder = MakeTempDir();
  std::mt19937 random(20261126);
  for (const auto& [separator, quoting] : {std::pair{',', "QUOTE_MINIMAL"},
                                           {',', "QUOTE_ALL"},
                                           {'\t', "QUOTE_MINIMAL"},
                                           {';', "QUOTE_NONNUMERIC"}}) {
    const Records records = RandomRecords(random);
    WriteFileOrDie(folder + "/records.json", nlohmann::json(records).dump());
    WriteFileOrDie(folder + "/write.py",
                   absl::StrCat("import csv, json, sys\n"
                                "rows = json.load(open(sys.argv[1], encoding='utf-8'))\n"
                                "out = open(sys.argv[2], 'w', newline='', encoding='utf-8')\n"
                                "csv.writer(out, delimiter=chr(",
                                static_cast<int>(separator), "), quoting=csv.", quoting,
                                ").writerows(rows)\n"));
    ASSERT_EQ(std::system(absl::StrCat("python3 ", folder, "/write.py ", folder, "/records.json ",
                                       folder, "/out.csv")
                              .c_str()),
              0);
    SEQ_ASSERT_OK_AND_ASSIGN(const Records read,
                             ReadFile(folder + "/out.csv", {.separator = separator}));
    EXPECT_EQ(read, records) << "seed 20261126, " << quoting;
  }
}

}  // namespace
}  // namespace seqgraph::data
