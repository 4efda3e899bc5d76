#include "data/text_source.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <random>

#include "data/testing/test_util.h"
#include "tests/testing.h"

namespace seqgraph::data {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace std::string_literals;

// In an order that is not file order, with much that is no review.
Entries SmallSet() {
  return {
      {"aclImdb/", ""},
      {"aclImdb/README", "about"},
      {"aclImdb/imdb.vocab", "the\nand\n"},
      {"aclImdb/test/neg/1_2.txt", "test neg one"},
      {"aclImdb/train/neg/10_1.txt", "neg ten"},
      {"aclImdb/train/neg/1_1.txt", "neg one"},
      {"aclImdb/train/unsup/0_0.txt", "unlabelled"},
      {"aclImdb/train/urls_pos.txt", "urls"},
      {"aclImdb/train/pos/", ""},
      {"aclImdb/train/pos/._0_9.txt", "left by another system"},
      {"aclImdb/train/pos/0_9.txt", "pos zero"},
      {"aclImdb/train/pos/0_10.txt", "pos zero ten"},
      {"aclImdb/train/pos/0_9.feat", "0:9"},
      {"aclImdb/test/pos/1_8.txt", "test pos one"},
  };
}

// "train/pos/0_9.txt=pos zero" of each review, in the order of delivery.
absl::StatusOr<std::vector<std::string>> Read(const std::string& path,
                                              const TextSourceOptions& options = {}) {
  std::vector<std::string> reviews;
  absl::Status status = ForEachText(path, options, [&reviews](const LabelledText& review) {
    const TextId id{review.split, review.label, std::string(review.name)};
    reviews.push_back(id.Path() + "=" + std::string(review.text));
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return reviews;
}

TEST(ReviewSource, ArchiveGivesReviewsInItsOrderAndNothingElse) {
  for (Packing packing : {Packing::kTar, Packing::kTarGz, Packing::kPaxTarGz}) {
    SEQ_ASSERT_OK_AND_ASSIGN(auto reviews, Read(Saved(MakeArchive(SmallSet(), packing))));
    EXPECT_THAT(reviews,
                ElementsAre("test/neg/1_2.txt=test neg one", "train/neg/10_1.txt=neg ten",
                            "train/neg/1_1.txt=neg one", "train/pos/0_9.txt=pos zero",
                            "train/pos/0_10.txt=pos zero ten", "test/pos/1_8.txt=test pos one"));
  }
}

TEST(ReviewSource, FolderOrItsParentGivesTheSameReviewsInFileOrder) {
  const std::string folder = MakeTempDir();
  WriteTree(folder, SmallSet());
  for (const std::string& path : {folder, folder + "/aclImdb", folder + "/aclImdb/"}) {
    SEQ_ASSERT_OK_AND_ASSIGN(auto reviews, Read(path));
    EXPECT_THAT(reviews,
                ElementsAre("train/pos/0_10.txt=pos zero ten", "train/pos/0_9.txt=pos zero",
                            "train/neg/10_1.txt=neg ten", "train/neg/1_1.txt=neg one",
                            "test/pos/1_8.txt=test pos one", "test/neg/1_2.txt=test neg one"));
  }
}

TEST(ReviewSource, OneHalfAlone) {
  const std::string archive = Saved(MakeArchive(SmallSet(), Packing::kTarGz));
  const std::string folder = MakeTempDir();
  WriteTree(folder, SmallSet());
  for (const std::string& path : {archive, folder}) {
    SEQ_ASSERT_OK_AND_ASSIGN(auto test, Read(path, {.only = Split::kTest}));
    std::sort(test.begin(), test.end());
    EXPECT_THAT(test,
                ElementsAre("test/neg/1_2.txt=test neg one", "test/pos/1_8.txt=test pos one"));
  }
}

TEST(ReviewSource, OtherRootsAreTaken) {
  for (const std::string& root : {""s, "./"s, "./aclImdb/"s, "my/reviews/"s}) {
    SEQ_ASSERT_OK_AND_ASSIGN(
        auto reviews, Read(Saved(MakeArchive({{root + "train/pos/a.txt", "x"}}, Packing::kTarGz))));
    EXPECT_THAT(reviews, ElementsAre("train/pos/a.txt=x"));
  }
}

TEST(ReviewSource, NamesAreBytes) {
  SEQ_ASSERT_OK_AND_ASSIGN(
      auto reviews, Read(Saved(MakeArchive(
                        {{"aclImdb/\xC3\x9C.md", "x"}, {"aclImdb/train/pos/\xC3\x9C.txt", "y"}},
                        Packing::kPaxTarGz))));
  EXPECT_THAT(reviews, ElementsAre("train/pos/\xC3\x9C.txt=y"));
}

TEST(ReviewSource, TwoDataSetsInOneArchiveAreRefused) {
  EXPECT_THAT(Read(Saved(MakeArchive({{"a/train/pos/a.txt", "x"}, {"b/train/pos/b.txt", "x"}},
                                     Packing::kTarGz))),
              StatusIs(absl::StatusCode::kInvalidArgument, "two folders, 'a/' and 'b/'"));
}

TEST(ReviewSource, ANameTwiceIsRefused) {
  EXPECT_THAT(Read(Saved(MakeArchive(
                  {{"train/pos/a.txt", "x"}, {"train/neg/a.txt", "x"}, {"./train/pos/a.txt", "y"}},
                  Packing::kTarGz))),
              StatusIs(absl::StatusCode::kInvalidArgument, "train/pos/a.txt occurs twice"));
}

TEST(ReviewSource, WrongPathsSayWhatWasExpected) {
  EXPECT_THAT(Read("/no/such/file"),
              StatusIs(absl::StatusCode::kNotFound, "'/no/such/file': expected the archive"));
  EXPECT_THAT(Read(MakeTempDir()),
              StatusIs(absl::StatusCode::kNotFound, "expected the folders train/pos"));
}

TEST(ReviewSource, ForeignFilesSayWhatWasExpected) {
  const auto refused = [](const std::string& bytes, const std::string& why) {
    const std::string path = Saved(bytes);
    EXPECT_THAT(Read(path), AllOf(StatusIs(absl::StatusCode::kInvalidArgument, why),
                                  StatusIs(absl::StatusCode::kInvalidArgument, "'" + path + "'")));
  };
  refused("", "found an empty file");
  refused("Just some text.\n", "expected a tar archive of reviews");
  refused(std::string(100000, 'x'), "expected a tar archive of reviews");
  refused(MakeArchive(SmallSet(), Packing::kZip), "found a zip file");
  refused(MakeArchive({{"docs/readme.txt", "x"}}, Packing::kTarGz),
          "holds no reviews: expected files such as aclImdb/train/pos/0_9.txt");
  refused(MakeArchive({}, Packing::kTarGz), "expected");
}

TEST(ReviewSource, MissingHalfIsAnErrorIfItIsAskedFor) {
  const std::string path =
      Saved(MakeArchive({{"aclImdb/train/pos/0_9.txt", "x"}}, Packing::kTarGz));
  EXPECT_THAT(Read(path, {.only = Split::kTest}),
              StatusIs(absl::StatusCode::kInvalidArgument, "no reviews of its test split"));
}

// Reviews that do not compress well, so that cuts fall everywhere.
Entries RandomSet() {
  std::mt19937 random(20240607);
  Entries entries;
  for (int i = 0; i < 60; ++i) {
    std::string text;
    for (unsigned n = 200 + random() % 2000; n > 0; --n) {
      text += static_cast<char>('a' + random() % 26);
    }
    entries.push_back({"aclImdb/train/pos/" + std::to_string(i) + "_9.txt", text});
  }
  return entries;
}

TEST(ReviewSource, AnArchiveCutAnywhereIsRefused) {
  for (Packing packing : {Packing::kTarGz, Packing::kTar}) {
    const std::string whole = MakeArchive(RandomSet(), packing);
    SEQ_ASSERT_OK(Read(Saved(whole)));
    const std::string path = MakeTempDir() + "/cut";
    // A plain tar file ends with zeros, and nothing is lost with some of those.
    const size_t end =
        packing == Packing::kTar ? whole.find_last_not_of('\0') + 512 : whole.size() - 1;
    std::vector<size_t> lengths = {0, 1, 2, 9, 10, 11, 18, 511, 512, 513, 1023, 1024, end};
    for (size_t back = 0; back < 9; ++back) lengths.push_back(end - back);
    for (size_t length = 0; length < end; length += 512) lengths.push_back(length);
    for (size_t length = 77; length < end; length += 1237) lengths.push_back(length);
    for (size_t length : lengths) {
      if (packing == Packing::kTar && length >= end) continue;
      WriteFileOrDie(path, whole.substr(0, length));
      const auto reviews = Read(path);
      EXPECT_FALSE(reviews.ok()) << "cut to " << length << " of " << whole.size();
      EXPECT_THAT(std::string(reviews.status().message()), HasSubstr(path));
    }
  }
}

TEST(ReviewSource, AFlippedBitInCompressedDataIsFound) {
  const std::string whole = MakeArchive(RandomSet(), Packing::kTarGz);
  const std::string path = MakeTempDir() + "/flipped";
  // Behind the gzip header (10 bytes), whose flags and time may be anything.
  for (size_t at = 10; at < whole.size(); at += 331) {
    std::string bytes = whole;
    bytes[at] ^= 0x10;
    WriteFileOrDie(path, bytes);
    EXPECT_FALSE(Read(path).ok()) << "bit at " << at;
  }
  std::string sum = whole;
  sum[sum.size() - 8] ^= 1;
  WriteFileOrDie(path, sum);
  EXPECT_THAT(Read(path), StatusIs(absl::StatusCode::kDataLoss, "incorrect data check"));
  WriteFileOrDie(path, whole + "more");
  EXPECT_THAT(Read(path), StatusIs(absl::StatusCode::kDataLoss, "behind the gzip data"));
  WriteFileOrDie(path, whole + std::string(512, '\0'));  // Tapes pad so.
  SEQ_EXPECT_OK(Read(path));
}

// gzip data of any number of members, cut at `cuts`; some compressors write such files.
std::string InMembers(const std::string& bytes, const std::vector<size_t>& cuts) {
  std::string members;
  size_t begin = 0;
  for (size_t end : cuts) {
    members += Gzip(bytes.substr(begin, end - begin));
    begin = end;
  }
  return members + Gzip(bytes.substr(begin));
}

TEST(ReviewSource, GzipDataInAnyNumberOfMembersAreOne) {
  const std::string tar = MakeArchive(RandomSet(), Packing::kTar);
  SEQ_ASSERT_OK_AND_ASSIGN(const auto expected, Read(Saved(tar)));
  std::mt19937 random(20240613);
  for (int i = 0; i < 40; ++i) {
    // Tiny and empty ones among them: what is read ahead spans several.
    std::vector<size_t> cuts;
    for (unsigned n = random() % 300; n > 0; --n) cuts.push_back(random() % tar.size());
    for (int n = 0; n < 20; ++n) cuts.push_back(random() % 40);
    std::sort(cuts.begin(), cuts.end());
    const std::string members = InMembers(tar, cuts);
    SEQ_ASSERT_OK_AND_ASSIGN(const auto reviews, Read(Saved(members)));
    EXPECT_EQ(reviews, expected) << "seed 20240613, round " << i;
    const size_t cut = random() % members.size();
    EXPECT_FALSE(Read(Saved(members.substr(0, cut))).ok()) << "cut to " << cut;
  }
}

TEST(ReviewSource, MembersEndAnywhereInTheReadersBuffer) {
  // Data that do not compress, so that members end all around the 256 KiB that are read at once.
  std::mt19937 random(20240617);
  Entries entries;
  std::string text;
  for (int i = 0; i < 600000; ++i) text += static_cast<char>(1 + random() % 127);
  entries.push_back({"train/pos/a.txt", "a" + text});
  const std::string tar = MakeArchive(entries, Packing::kTar);
  for (size_t first = (256 << 10) - 120; first < (256 << 10) + 40; first += 3) {
    SEQ_ASSERT_OK_AND_ASSIGN(const auto reviews,
                             Read(Saved(InMembers(tar, {first * 8 / 7, first * 8 / 7 + 5}))));
    EXPECT_EQ(reviews[0], "train/pos/a.txt=a" + text) << first;
  }
}

TEST(ReviewSource, ADamagedTarHeaderIsFound) {
  std::string bytes = MakeArchive(RandomSet(), Packing::kTar);
  const size_t name = bytes.find("aclImdb/train/pos/7_9.txt");
  ASSERT_NE(name, std::string::npos);
  bytes[name + 3] ^= 1;
  EXPECT_THAT(Read(Saved(bytes)), StatusIs(absl::StatusCode::kDataLoss, "behind entry 7"));
}

TEST(ReviewSource, RefusesReviewsThatAreNoText) {
  for (const auto& [text, why] : {std::pair{"a\0b"s, "NUL byte at offset 1"},
                                  {"ab\xFF"s, "byte 0xff) at offset 2"},
                                  {""s, "at least one word"},
                                  {" .\n"s, "at least one word"}}) {
    const Entries entries = {{"aclImdb/train/pos/a.txt", "fine"},
                             {"aclImdb/train/pos/b.txt", text}};
    const std::string archive = Saved(MakeArchive(entries, Packing::kTarGz));
    const std::string folder = MakeTempDir();
    WriteTree(folder, entries);
    for (const std::string& path : {archive, folder}) {
      EXPECT_THAT(Read(path), AllOf(StatusIs(absl::StatusCode::kInvalidArgument, why),
                                    StatusIs(absl::StatusCode::kInvalidArgument,
                                             "'" + path + "': review train/pos/b.txt: ")));
      SEQ_ASSERT_OK_AND_ASSIGN(auto reviews, Read(path, {.text_policy = TextPolicy::kAnyBytes}));
      EXPECT_THAT(reviews, ElementsAre("train/pos/a.txt=fine", "train/pos/b.txt=" + text));
    }
  }
}

TEST(ReviewSource, LimitsHold) {
  const Entries entries = {{"train/pos/a.txt", "12345"}, {"train/pos/b.txt", "123456"}};
  const std::string archive = Saved(MakeArchive(entries, Packing::kTarGz));
  const std::string folder = MakeTempDir();
  WriteTree(folder, entries);
  for (const std::string& path : {archive, folder}) {
    SEQ_EXPECT_OK(Read(path, {.max_text_bytes = 6, .max_texts = 2}));
    EXPECT_THAT(Read(path, {.max_text_bytes = 5}),
                AllOf(StatusIs(absl::StatusCode::kResourceExhausted, "b.txt"),
                      StatusIs(absl::StatusCode::kResourceExhausted, "6 bytes")));
    EXPECT_THAT(Read(path, {.max_texts = 1}),
                StatusIs(absl::StatusCode::kResourceExhausted, "more than 1 reviews"));
  }
}

TEST(ReviewSource, ASpecialFileAmongTheReviewsIsRefused) {
  const std::string folder = MakeTempDir();
  WriteTree(folder, {{"train/pos/a.txt", "x"}});
  ASSERT_EQ(::mkfifo((folder + "/train/pos/b.txt").c_str(), 0600), 0);
  EXPECT_THAT(Read(folder), StatusIs(absl::StatusCode::kInvalidArgument, "not a regular file"));
}

TEST(ReviewSource, TheSinksErrorEndsTheReading) {
  const std::string path = Saved(MakeArchive(SmallSet(), Packing::kTarGz));
  int calls = 0;
  EXPECT_THAT(ForEachText(path, {},
                          [&calls](const LabelledText&) {
                            ++calls;
                            return absl::CancelledError("enough");
                          }),
              StatusIs(absl::StatusCode::kCancelled, "enough"));
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace seqgraph::data
