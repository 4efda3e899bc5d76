#include "serialization/records.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "base/atomic_file.h"
#include "base/byte_cursor.h"
#include "base/crc32c.h"

namespace seqgraph {
namespace {

using ::testing::HasSubstr;

Records Sample() {
  Records records;
  records.Set("step", int64_t{-7});
  records.Set("best", std::numeric_limits<double>::quiet_NaN());
  records.Set("zero", -0.0);
  records.Set("text", std::string("a\0\nb", 4));
  records.Set("empty", std::string());
  records.Set("epochs", std::vector<int64_t>{0, 1, std::numeric_limits<int64_t>::min()});
  records.Set("losses", std::vector<double>{0.5, std::numeric_limits<double>::denorm_min()});
  records.Set("messages", std::vector<std::string>{"", "one", "two"});
  records.Set("weights", Tensor::Of<float>({2, 3}, {1, 2, 3, 4, 5, -6}));
  records.Set("steps", Tensor::Scalar<int64_t>(12));
  return records;
}

std::string PathOf(const char* name) { return ::testing::TempDir() + "/" + name; }

std::string Written(const Records& records) {
  const std::string path = PathOf("written.rec");
  EXPECT_TRUE(WriteRecords(records, path).ok());
  return *ReadFile(path, 1 << 20);
}

TEST(Records, GivesBackEveryBit) {
  const Records records = Sample();
  const std::string path = PathOf("sample.rec");
  ASSERT_TRUE(WriteRecords(records, path).ok());
  const absl::StatusOr<Records> read = ReadRecords(path);
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->all().size(), 10u);
  for (const auto& [name, value] : records.all()) {
    ASSERT_NE(read->Find(name), nullptr) << name;
    EXPECT_TRUE(SameBits(*read->Find(name), value)) << name;
  }
  double zero = 1;
  ASSERT_TRUE(read->Get("zero", &zero).ok());
  EXPECT_TRUE(zero == 0 && std::signbit(zero));
}

// By hand, from the description of the format.
TEST(Records, HasTheBytesThatItsFormatSays) {
  Records records;
  records.Set("n", int64_t{258});
  const std::string bytes = Written(records);
  std::string expected("SEQREC1\n\x01\x01\0\0\0\x08\0\0\0\0\0\0\0n\x02\x01\0\0\0\0\0\0", 30);
  expected += NumberBytes(Crc32c(expected.substr(8)), 4);
  EXPECT_EQ(bytes.substr(0, expected.size()), expected);
  // Kind, no name, 40 bytes: how many records, and the hash.
  const std::string end("\xff\0\0\0\0\x28\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0", 21);
  EXPECT_EQ(bytes.substr(expected.size(), end.size()), end);
  EXPECT_EQ(bytes.size(), expected.size() + end.size() + 32 + 4);
}

TEST(Records, TellsTheTypeThatIsNotThere) {
  const Records records = Sample();
  int64_t number = 0;
  EXPECT_THAT(records.Get("none", &number).message(), HasSubstr("no 'none'"));
  EXPECT_THAT(records.Get("text", &number).message(), HasSubstr("'text' in it is of another type"));
  ASSERT_TRUE(records.Get("step", &number).ok());
  EXPECT_EQ(number, -7);
}

TEST(Records, DistinguishesBits) {
  EXPECT_TRUE(SameBits(std::nan(""), std::nan("")));
  EXPECT_FALSE(SameBits(0.0, -0.0));
  EXPECT_FALSE(SameBits(int64_t{0}, 0.0));
  EXPECT_FALSE(SameBits(Tensor::Of<float>({2}, {1, 2}), Tensor::Of<float>({1, 2}, {1, 2})));
}

TEST(Records, NoticesEveryFlippedBit) {
  const std::string bytes = Written(Sample());
  for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    std::string flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    ASSERT_EQ(DecodeRecords(flipped).status.code(), absl::StatusCode::kDataLoss) << "bit " << bit;
  }
}

TEST(Records, NoticesEveryCutAndWhatIsTooMuch) {
  const std::string bytes = Written(Sample());
  for (size_t size = 0; size < bytes.size(); ++size) {
    ASSERT_EQ(DecodeRecords(bytes.substr(0, size)).status.code(), absl::StatusCode::kDataLoss)
        << size;
  }
  EXPECT_THAT(DecodeRecords(bytes + "x").status.message(), HasSubstr("more behind"));
}

// Each record is whole, but they are not those that were written together.
TEST(Records, NoticesARecordOfAnotherFile) {
  Records records;
  records.Set("n", int64_t{258});
  const std::string one = Written(records);
  records.Set("n", int64_t{259});
  const std::string other = Written(records);
  const size_t end = one.size() - (13 + 40 + 4);
  EXPECT_THAT(DecodeRecords(other.substr(0, end) + one.substr(end)).status.message(),
              HasSubstr("missing or out of their order"));
}

TEST(Records, KeepsWhatIsWholeInFrontOfTheDamage) {
  const std::string bytes = Written(Sample());
  const RecordsRead read = DecodeRecords(bytes.substr(0, bytes.size() / 2));
  EXPECT_FALSE(read.status.ok());
  EXPECT_GE(read.records.all().size(), 2u);
  for (const auto& [name, value] : read.records.all()) {
    EXPECT_TRUE(SameBits(value, *Sample().Find(name))) << name;
  }
}

// With a sum that fits, so that what follows it has to be checked.
TEST(Records, RefusesHostileContentBehindAGoodSum) {
  const auto with = [](int kind, const std::string& content) {
    std::string record =
        NumberBytes(kind, 1) + NumberBytes(1, 4) + NumberBytes(content.size(), 8) + "n" + content;
    return "SEQREC1\n" + record + NumberBytes(Crc32c(record), 4);
  };
  const std::string huge = NumberBytes(uint64_t{1} << 39, 8);
  for (const auto& [kind, content] : std::vector<std::pair<int, std::string>>{
           {0, ""},                                      // no kind
           {1, "1234567"},                               // a whole number of seven bytes
           {4, "123456789"},                             // numbers that do not come out even
           {6, huge},                                    // so many texts
           {6, NumberBytes(1, 8) + huge + "x"},          // a text as long
           {7, std::string("\x01\x01", 2) + huge},       // a tensor without its elements
           {7, std::string("\x09\x00\x00\x00\x00", 5)},  // of no type
           {7, std::string("\x01\xff", 2)},              // of rank 255
           {7, std::string("\x01\x02", 2) + huge + huge}}) {
    const RecordsRead read = DecodeRecords(with(kind, content));
    EXPECT_THAT(read.status.message(), HasSubstr("a record of no kind that is known")) << kind;
  }
  const std::string twice = with(3, "x"), again = twice.substr(8);
  EXPECT_THAT(DecodeRecords(twice + again).status.message(), HasSubstr("twice"));
}

TEST(Records, SurvivesRandomBytes) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 20000; ++i) {
    std::string bytes = "SEQREC1\n";
    for (size_t size = random() % 80; size > 0; --size) bytes += static_cast<char>(random() % 8);
    EXPECT_FALSE(DecodeRecords(bytes).status.ok());
  }
}

TEST(Records, NamesTheFileThatIsDamagedOrMissing) {
  const std::string path = PathOf("damaged.rec");
  ASSERT_TRUE(AtomicWriteFile(path, "SEQREC1\nx").ok());
  EXPECT_THAT(ReadRecords(path).status().message(), HasSubstr("damaged.rec: damaged at byte 8"));
  EXPECT_EQ(ReadRecords(PathOf("none.rec")).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace seqgraph
