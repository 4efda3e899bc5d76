// Independent work on the ranks of a job, by real mpirun: predict, evaluate, sweep.

#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "data/testing/test_util.h"
#include "tests/distributed/launcher.h"
#include "tests/end_to_end/process.h"
#include "tests/end_to_end/review_files.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::seqgraph::data::ReadFileOrDie;
using ::seqgraph::data::WriteFileOrDie;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

namespace fs = std::filesystem;

// About eight megabytes of made-up reviews: a row a line, some of them with quotes and line ends.
std::string ManyRows() {
  static const char* const words[] = {"a",     "film", "great", "awful", "the",
                                      "story", "was",  "plot",  "good",  "bad"};
  std::string csv = "id,text\n";
  uint64_t state = 1;
  for (int row = 0; csv.size() < 8'000'000; ++row) {
    absl::StrAppend(&csv, row, ",\"");
    for (int i = 0; i < 150; ++i) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      absl::StrAppend(&csv, words[(state >> 33) % 10], (state >> 40) % 97 == 0 ? "\n" : " ");
    }
    csv += "\"\n";
  }
  return csv;
}

class ShardedTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!NoJobHere().empty()) return;
    folder_ = new std::string(FolderWithTinyArchive());
    const ProcessResult train = RunSeqgraph(
        {"train", "--data=tiny.tar.gz", "--num_words=30", "--cell=lstm", "--units=64",
         "--maxlen=120", "--epochs=1", "--run=off", "--data_cache=off", "--output=m.pb"},
        {.folder = *folder_});
    ASSERT_EQ(train.status, 0) << train.err;
    csv_ = new std::string(ManyRows());
    WriteFileOrDie(*folder_ + "/huge.csv.gz", data::Gzip(*csv_));
    const ProcessResult one = RunSeqgraph(
        {"predict", "m.pb", "--data=huge.csv.gz", "--output=expected.csv"}, {.folder = *folder_});
    ASSERT_EQ(one.status, 0) << one.err;
    expected_ = new std::string(ReadFileOrDie(*folder_ + "/expected.csv"));
  }
  void SetUp() override {
    if (!NoJobHere().empty()) GTEST_SKIP() << NoJobHere();
    ASSERT_NE(expected_, nullptr);
    fs::remove(Path("out.csv"));
    fs::remove_all(Path("out.csv.parts"));
  }

  static std::string Path(const std::string& name) { return *folder_ + "/" + name; }
  static std::vector<std::string> Predict(const std::vector<std::string>& more = {}) {
    std::vector<std::string> all = {"predict", "m.pb", "--data=huge.csv.gz", "--output=out.csv",
                                    "--distributed"};
    return WithFlags(std::move(all), more);
  }
  static ProcessResult Ranks(int ranks, const std::vector<std::string>& arguments) {
    return RunRanks(ranks, arguments, {.folder = *folder_, .environment = {"SEQGRAPH_RUNS=off"}});
  }

  static std::string *folder_, *csv_, *expected_;
};

std::string* ShardedTest::folder_ = nullptr;
std::string* ShardedTest::csv_ = nullptr;
std::string* ShardedTest::expected_ = nullptr;

// Whether the content is the same, without a page of it where it is not.
void ExpectSameFile(const std::string& path, const std::string& expected) {
  const std::string content = ReadFileOrDie(path);
  EXPECT_EQ(content.size(), expected.size());
  EXPECT_TRUE(content == expected) << path;
}

int64_t LinesIn(const std::string& path) {
  std::ifstream file(path);
  int64_t lines = 0;
  for (std::string line; std::getline(file, line);) ++lines;
  return lines;
}

// To every process that has this word on its command line, at about one moment.
void SignalAllWith(const std::string& word, int signal) {
  for (const auto& entry : fs::directory_iterator("/proc")) {
    int pid = 0;
    if (!absl::SimpleAtoi(entry.path().filename().string(), &pid) || pid == ::getpid()) continue;
    std::ifstream file(entry.path() / "cmdline");
    const std::string line((std::istreambuf_iterator<char>(file)), {});
    if (line.find(word) != std::string::npos) ::kill(pid, signal);
  }
}

TEST_F(ShardedTest, PredictGivesTheBytesOfOneProcess) {
  for (const int ranks : {1, 2, 3}) {
    const ProcessResult result = Ranks(ranks, Predict());
    ASSERT_EQ(result.status, 0) << result.err;
    EXPECT_THAT(result.out, AllOf(HasSubstr("out.csv: "), HasSubstr(" rows\n")));
    ExpectSameFile(Path("out.csv"), *expected_);
    EXPECT_FALSE(fs::exists(Path("out.csv.parts")));
    fs::remove(Path("out.csv"));
  }
  // A table may be named by --file as well.
  ASSERT_EQ(Ranks(2, {"predict", "m.pb", "--file=huge.csv.gz", "--output=out.csv", "--distributed"})
                .status,
            0);
  ExpectSameFile(Path("out.csv"), *expected_);
}

TEST_F(ShardedTest, KilledItGoesOnOnOtherRanks) {
  const std::string unique = absl::StrCat("--output=", Path("out.csv"));
  {
    RankedProcess job(2, "tools/seqgraph_main", Predict({unique}), {.folder = *folder_});
    const std::string journal = Path("out.csv.parts/journal");
    while (!fs::exists(journal) || LinesIn(journal) < 4) ::usleep(1000);
    SignalAllWith(unique, SIGKILL);
    EXPECT_NE(job.Wait().status, 0);
  }
  EXPECT_FALSE(fs::exists(Path("out.csv")));
  ASSERT_TRUE(fs::exists(Path("out.csv.parts/answers")));
  EXPECT_GT(fs::file_size(Path("out.csv.parts/answers")), 0);
  // To anything else they are refused, and stay.
  const ProcessResult other = Ranks(2, Predict({unique, "--weights=bf16"}));
  EXPECT_EQ(other.status, 1);
  EXPECT_THAT(other.err, HasSubstr("holds answers that were begun with another --weights"));
  const ProcessResult result = Ranks(3, Predict({unique}));
  ASSERT_EQ(result.status, 0) << result.err;
  ExpectSameFile(Path("out.csv"), *expected_);
  EXPECT_FALSE(fs::exists(Path("out.csv.parts")));
}

TEST_F(ShardedTest, InterruptedItSaysHowItGoesOn) {
  const std::string unique = absl::StrCat("--output=", Path("out.csv"));
  RankedProcess job(2, "tools/seqgraph_main", Predict({unique}), {.folder = *folder_});
  const std::string journal = Path("out.csv.parts/journal");
  while (!fs::exists(journal) || LinesIn(journal) < 3) ::usleep(1000);
  SignalAllWith(unique, SIGTERM);
  const ProcessResult result = job.Wait();
  EXPECT_NE(result.status, 0);
  EXPECT_THAT(result.err, HasSubstr("the same command goes on with what is in " + Path("out.csv")));
  EXPECT_FALSE(fs::exists(Path("out.csv")));
  ASSERT_EQ(Ranks(2, Predict({unique})).status, 0);
  ExpectSameFile(Path("out.csv"), *expected_);
}

TEST_F(ShardedTest, ABadRowIsNamedOrSkipped) {
  std::string csv = *csv_;
  const size_t at = csv.find('\n', csv.size() / 2) + 1;
  const size_t row = csv.find("\"\n", at) + 2;
  csv.insert(row, "7,good,one too many\n");
  csv += "8,\xFF\n";
  WriteFileOrDie(Path("bad.csv"), csv);
  const ProcessResult alone =
      RunSeqgraph({"predict", "m.pb", "--data=bad.csv", "--output=out.csv"}, {.folder = *folder_});
  EXPECT_EQ(alone.status, 1);
  const ProcessResult shared = Ranks(2, Predict({"--data=bad.csv"}));
  EXPECT_NE(shared.status, 0);
  EXPECT_THAT(shared.err, AllOf(HasSubstr("2 problems"), HasSubstr("'bad.csv', line "),
                                HasSubstr("a record with 3 fields; the first one has 2")));
  EXPECT_FALSE(fs::exists(Path("out.csv")));
  const ProcessResult skipped = Ranks(3, Predict({"--data=bad.csv", "--skip_bad_rows"}));
  ASSERT_EQ(skipped.status, 0) << skipped.err;
  EXPECT_THAT(skipped.err, HasSubstr("skipped 2 rows with problems"));
  ExpectSameFile(Path("out.csv"), *expected_);
}

TEST_F(ShardedTest, WhatCannotBeWrittenIsOneError) {
  WriteFileOrDie(Path("out.csv.parts"), "in the way");
  const ProcessResult result = Ranks(2, Predict());
  EXPECT_NE(result.status, 0);
  const size_t first = result.err.find("cannot make the folder out.csv.parts");
  ASSERT_NE(first, std::string::npos) << result.err;
  EXPECT_EQ(result.err.find("cannot make", first + 1), std::string::npos) << result.err;
  const ProcessResult nowhere =
      Ranks(2, {"predict", "m.pb", "--data=huge.csv.gz", "--distributed"});
  EXPECT_NE(nowhere.status, 0);
  EXPECT_THAT(nowhere.err, HasSubstr("give --data and --output"));
}

TEST_F(ShardedTest, EvaluateTellsWhatOneProcessTells) {
  const std::vector<std::string> evaluate = {"evaluate",  "m.pb",        "--data=tiny.tar.gz",
                                             "--batch=3", "--confusion", "--data_cache=off"};
  const ProcessResult one = RunSeqgraph(evaluate, {.folder = *folder_});
  ASSERT_EQ(one.status, 0) << one.err;
  EXPECT_THAT(one.out, HasSubstr("accuracy: "));
  for (const int ranks : {1, 2, 3}) {
    const ProcessResult result = Ranks(ranks, WithFlags(evaluate, {"--distributed"}));
    ASSERT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(result.out, one.out);
  }
}

TEST_F(ShardedTest, SeriesAreSharedAtWholeBatches) {
  std::string csv = "value\n";
  for (int i = 0; i < 3000; ++i) absl::StrAppend(&csv, i % 17 + 0.25 * (i % 5), "\n");
  WriteFileOrDie(Path("series.csv"), csv);
  const ProcessResult train = RunSeqgraph(
      {"train", "--data=series.csv", "--task=reconstruct", "--column=value", "--window=8",
       "--stride=1", "--units=4", "--epochs=1", "--run=off", "--output=s.pb"},
      {.folder = *folder_});
  ASSERT_EQ(train.status, 0) << train.err;
  ASSERT_EQ(RunSeqgraph({"predict", "s.pb", "--data=series.csv", "--output=one.csv"},
                        {.folder = *folder_})
                .status,
            0);
  const std::string one = ReadFileOrDie(Path("one.csv"));
  EXPECT_GT(LinesIn(Path("one.csv")), 1500);  // several shards
  for (const int ranks : {1, 2}) {
    const ProcessResult result =
        Ranks(ranks, {"predict", "s.pb", "--data=series.csv", "--output=out.csv", "--distributed"});
    ASSERT_EQ(result.status, 0) << result.err;
    ExpectSameFile(Path("out.csv"), one);
  }
  const ProcessResult judged =
      RunSeqgraph({"evaluate", "s.pb", "--data=series.csv", "--part=all"}, {.folder = *folder_});
  ASSERT_EQ(judged.status, 0) << judged.err;
  EXPECT_EQ(Ranks(2, {"evaluate", "s.pb", "--data=series.csv", "--part=all", "--distributed"}).out,
            judged.out);
}

TEST_F(ShardedTest, SweepHasTheTableOfOneProcess) {
  const auto sweep = [](const std::string& folder, bool distributed) {
    std::vector<std::string> all = {
        "sweep",    "--units=2,3,4", "--seeds=2",         "--search=halving", "--first_epochs=1",
        "--jobs=1", "--format=json", "--output=" + folder};
    if (distributed) all.emplace_back("--distributed");
    all.insert(all.end(), {"--", "train", "--data=tiny.tar.gz", "--num_words=30", "--maxlen=6",
                           "--batch=8", "--epochs=3", "--data_cache=off"});
    return all;
  };
  const ProcessResult one = RunSeqgraph(sweep("alone", false), {.folder = *folder_});
  ASSERT_EQ(one.status, 0) << one.err;
  for (const int ranks : {2, 3}) {
    const std::string folder = absl::StrCat("of", ranks);
    const ProcessResult result = Ranks(ranks, sweep(folder, true));
    ASSERT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(absl::StrReplaceAll(result.out, {{folder + "/", "alone/"}}), one.out);
    EXPECT_THAT(result.err, HasSubstr(absl::StrCat("1 at once on each of ", ranks, " ranks")));
    // Run by nobody twice.
    EXPECT_THAT(result.err, AllOf(HasSubstr("[6/6]"), Not(HasSubstr("[7/"))));
  }
}

TEST_F(ShardedTest, ASweepThatIsKilledGoesOn) {
  std::vector<std::string> sweep = {"sweep",    "--units=2,3,4,5", "--seeds=2",
                                    "--jobs=1", "--format=json",   "--distributed"};
  const std::string unique = "--output=" + Path("cut");
  sweep.push_back(unique);
  sweep.insert(sweep.end(), {"--", "train", "--data=tiny.tar.gz", "--num_words=30", "--maxlen=6",
                             "--batch=8", "--epochs=40", "--data_cache=off"});
  {
    RankedProcess job(2, "tools/seqgraph_main", sweep, {.folder = *folder_});
    while (!fs::exists(Path("cut/units=3_seed=1/history.csv"))) ::usleep(1000);
    SignalAllWith(unique, SIGKILL);
    EXPECT_NE(job.Wait().status, 0);
  }
  const ProcessResult result = Ranks(3, sweep);
  ASSERT_EQ(result.status, 0) << result.err;
  const nlohmann::json rows = nlohmann::json::parse(result.out);
  ASSERT_EQ(rows.size(), 4u);
  for (const auto& row : rows) EXPECT_EQ(row["runs"].size(), 2u);
}

}  // namespace
}  // namespace seqgraph
