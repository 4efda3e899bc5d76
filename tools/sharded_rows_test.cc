#include "tools/sharded_rows.h"

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/atomic_file.h"
#include "base/status_macros.h"
#include "distributed/testing/on_ranks.h"
#include "tests/testing.h"

namespace seqgraph::tools {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

std::string ContentOf(const std::string& path) {
  const absl::StatusOr<std::string> bytes = ReadFile(path, 1 << 20);
  return bytes.ok() ? *bytes : bytes.status().ToString();
}

// Shards "0" to "count - 1", of one row each, whose answers are "N is <N>\n".
class ShardedRowsTest : public ::testing::Test {
 protected:
  ShardedRowsTest() {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    options_.output = folder_ + "/out";
    options_.facts = {{"model", "m1"}, {"--weights", "float32"}};
  }

  // The root's outcome.
  absl::StatusOr<ShardedOutcome> Run(int ranks) {
    answered_ = 0;
    absl::StatusOr<ShardedOutcome> of_root = ShardedOutcome();
    OnRanks(ranks, [&](Communicator& communicator) {
      auto outcome = RunRank(communicator);
      if (communicator.is_root()) of_root = std::move(outcome);
    });
    return of_root;
  }

  absl::StatusOr<ShardedOutcome> RunRank(Communicator& communicator) {
    const MakeShard next = [this, at = 0](std::string* shard) mutable -> absl::StatusOr<bool> {
      if (at == count_) return false;
      *shard = at == changed_ ? "1000" : absl::StrCat(at);
      ++at;
      return true;
    };
    std::mt19937 random(seed_ + static_cast<unsigned>(communicator.rank()));
    const auto answer =
        [&](absl::string_view shard, bool only_check,
            absl::FunctionRef<absl::Status()> between) -> absl::StatusOr<ShardAnswer> {
      for (unsigned i = random() % 4; i > 0; --i) {
        SEQ_RETURN_IF_ERROR(between());
        std::this_thread::sleep_for(std::chrono::microseconds(random() % 200));
      }
      int number = -1;
      SEQ_CHECK(absl::SimpleAtoi(shard, &number));
      ++answered_;
      if (number == interrupted_at_) {
        interrupt_ = true;
        SEQ_RETURN_IF_ERROR(between());
      }
      if (number == failing_ || number == failing_later_) return DataLoss("shard ", shard);
      ShardAnswer given;
      if (number % 10 == bad_) {
        given.problems.Add(absl::StrCat("row ", shard, " is bad"));
      } else if (!only_check) {
        given.bytes = absl::StrCat(shard, " is <", shard, ">\n");
        given.rows = 1;
      }
      return given;
    };
    return AnswerInShards(communicator, options_, next, answer);
  }

  std::string Expected() const {
    std::string all;
    for (int i = 0; i < count_; ++i) {
      if (i % 10 != bad_) absl::StrAppend(&all, i, " is <", i, ">\n");
    }
    return all;
  }
  std::string parts() const { return options_.output + ".parts"; }

  const std::string folder_ = ::testing::TempDir() + "/sharded_rows";
  const unsigned seed_ = std::random_device{}();
  ShardedOptions options_;
  int count_ = 60;
  int changed_ = -1, failing_ = -1, failing_later_ = -1, interrupted_at_ = -1, bad_ = -1;
  std::atomic<bool> interrupt_{false};
  std::atomic<int> answered_{0};
};

TEST_F(ShardedRowsTest, TheOutputIsTheSameOnAnyNumberOfRanks) {
  std::printf("seed %u\n", seed_);
  for (int ranks = 1; ranks <= 4; ++ranks) {
    for (const int count : {0, 1, 60}) {
      count_ = count;
      SEQ_ASSERT_OK_AND_ASSIGN(const ShardedOutcome outcome, Run(ranks));
      EXPECT_EQ(outcome.rows, count);
      EXPECT_EQ(ContentOf(options_.output), Expected());
      EXPECT_FALSE(fs::exists(parts()));
    }
  }
}

TEST_F(ShardedRowsTest, GoesOnBehindWhatIsAnswered) {
  for (int ranks = 1; ranks <= 3; ++ranks) {
    fs::remove(options_.output);
    failing_ = 37;
    failing_later_ = 39;  // The first in the order of the rows is told, whichever came first.
    absl::Status status = Run(ranks).status();
    EXPECT_EQ(status, absl::DataLossError("shard 37"));
    EXPECT_FALSE(fs::exists(options_.output));
    EXPECT_TRUE(fs::exists(parts()));
    failing_ = failing_later_ = -1;
    SEQ_ASSERT_OK_AND_ASSIGN(const ShardedOutcome outcome, Run(ranks));
    EXPECT_EQ(answered_.load(), count_ - 37);
    EXPECT_EQ(outcome.rows, count_);
    EXPECT_EQ(ContentOf(options_.output), Expected());
    EXPECT_FALSE(fs::exists(parts()));
  }
}

TEST_F(ShardedRowsTest, AnInterruptKeepsWhatIsAnswered) {
  options_.interrupt = &interrupt_;
  interrupted_at_ = 30;
  EXPECT_THAT(Run(3), StatusIs(absl::StatusCode::kCancelled));
  interrupted_at_ = -1;
  interrupt_ = false;
  SEQ_EXPECT_OK(Run(2));
  EXPECT_LT(answered_.load(), count_);
  EXPECT_EQ(ContentOf(options_.output), Expected());
}

TEST_F(ShardedRowsTest, AnswersToAnythingElseAreRefused) {
  failing_ = 20;
  EXPECT_THAT(Run(2), StatusIs(absl::StatusCode::kDataLoss));
  failing_ = -1;
  options_.facts["model"] = "m2";
  absl::Status status = Run(2).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(status.message()), HasSubstr("begun with another model (m1; now m2)"));
  options_.facts["model"] = "m1";
  changed_ = 7;
  status = Run(2).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(status.message()), HasSubstr("part 8 of the input has changed"));
  changed_ = -1;
  count_ = 10;
  EXPECT_THAT(Run(2), StatusIs(absl::StatusCode::kFailedPrecondition));
  count_ = 60;
  SEQ_EXPECT_OK(Run(2));  // Nothing was lost by that.
  EXPECT_EQ(answered_.load(), 40);
  EXPECT_EQ(ContentOf(options_.output), Expected());
}

// As a power cut, or a kill in the midst of a write, leaves them.
TEST_F(ShardedRowsTest, DamageIsCutOff) {
  std::printf("seed %u\n", seed_);
  std::mt19937 random(seed_);
  for (int round = 0; round < 20; ++round) {
    fs::remove_all(parts());
    failing_ = 40;
    EXPECT_THAT(Run(2), StatusIs(absl::StatusCode::kDataLoss));
    failing_ = -1;
    const std::string file = parts() + (round % 2 == 0 ? "/answers" : "/journal");
    std::string bytes = ContentOf(file);
    const size_t first_line = bytes.find('\n') + 1;
    const size_t at = first_line + random() % (bytes.size() - first_line);
    if (random() % 2 == 0) {
      bytes.resize(at);
    } else {
      bytes[at] = static_cast<char>(bytes[at] ^ 1);
    }
    SEQ_ASSERT_OK(AtomicWriteFile(file, bytes));
    SEQ_EXPECT_OK(Run(2));
    EXPECT_GE(answered_.load(), 20);
    EXPECT_EQ(ContentOf(options_.output), Expected());
  }
}

TEST_F(ShardedRowsTest, RowsWithProblemsAreToldAtOnceOrSkipped) {
  bad_ = 7;
  for (int ranks = 1; ranks <= 3; ++ranks) {
    options_.skip_bad_rows = false;
    const absl::Status status = Run(ranks).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(status.message(),
              "6 problems (rows with problems can be skipped):\n  row 7 is bad\n  row 17 is bad\n"
              "  row 27 is bad\n  row 37 is bad\n  row 47 is bad\n  row 57 is bad");
    EXPECT_FALSE(fs::exists(options_.output));
    options_.skip_bad_rows = true;
    SEQ_ASSERT_OK_AND_ASSIGN(const ShardedOutcome outcome, Run(ranks));
    EXPECT_EQ(answered_.load(), count_ - 7);
    EXPECT_EQ(outcome.rows, count_ - 6);
    EXPECT_EQ(outcome.problems.count(), 6);
    EXPECT_EQ(outcome.problems.listed()[5], "row 57 is bad");
    EXPECT_EQ(ContentOf(options_.output), Expected());
    fs::remove(options_.output);
  }
}

TEST_F(ShardedRowsTest, AProblemAtOnceLeavesNoFolder) {
  failing_ = 0;
  EXPECT_THAT(Run(2), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_FALSE(fs::exists(parts()));
}

TEST_F(ShardedRowsTest, WhereNothingCanBeWrittenItSaysSo) {
  SEQ_ASSERT_OK(AtomicWriteFile(parts(), "in the way"));
  const absl::Status status = Run(2).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("cannot make the folder " + parts()));
  EXPECT_EQ(ContentOf(parts()), "in the way");
}

TEST_F(ShardedRowsTest, OneProcessAtATime) {
  SEQ_ASSERT_OK_AND_ASSIGN(const auto other, ShardJournal::Open(options_.output, options_.facts));
  const absl::Status status = Run(1).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(status.message()), HasSubstr("another process writes to"));
}

}  // namespace
}  // namespace seqgraph::tools
