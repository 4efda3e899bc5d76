// The integers that `seqgraph encode` writes.

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "data/npy.h"
#include "data/testing/test_util.h"
#include "tests/end_to_end/process.h"
#include "tests/end_to_end/review_files.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::ElementsAre;

TEST(Encode, WritesSixArraysAndMakesTheFolder) {
  const std::string folder = FolderWithTinyArchive();
  const ProcessResult result =
      RunSeqgraph({"encode", "--data=tiny.tar.gz", "--num_words=9", "--maxlen=7", "--output=out"},
                  {.folder = folder});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(NamesIn(folder + "/out"),
              ElementsAre("checksums.txt", "test_targets.npy", "test_tokens.npy", "texts.json",
                          "train_targets.npy", "train_tokens.npy", "validation_targets.npy",
                          "validation_tokens.npy"));
  const std::vector<std::pair<std::string, int64_t>> parts = {
      {"train", 32}, {"validation", 8}, {"test", 20}};
  for (const auto& [part, rows] : parts) {
    SEQ_ASSERT_OK_AND_ASSIGN(const data::NpyArray tokens,
                             data::ReadNpy(absl::StrCat(folder, "/out/", part, "_tokens.npy")));
    EXPECT_EQ(tokens.type, data::NpyType::kInt32);
    EXPECT_THAT(tokens.shape, ElementsAre(rows, 7));
    SEQ_ASSERT_OK_AND_ASSIGN(const data::NpyArray targets,
                             data::ReadNpy(absl::StrCat(folder, "/out/", part, "_targets.npy")));
    EXPECT_THAT(targets.shape, ElementsAre(rows));
  }
  // The first of the test split, "This film was number 40, unseenword.<br />I thought it was good,
  // good!". "was" is the most frequent word of the training split, with two in each review; the
  // others that all reviews have come in byte order: br film i it (code 8 is the last; number, this
  // and thought are not known). So its last seven codes are those of
  // "br i thought it was good good".
  SEQ_ASSERT_OK_AND_ASSIGN(const data::NpyArray test,
                           data::ReadNpy(folder + "/out/test_tokens.npy"));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto codes, test.Values<int32_t>());
  EXPECT_THAT(std::vector<int32_t>(codes.begin(), codes.begin() + 7),
              ElementsAre(5, 7, 2, 8, 4, 2, 2));
}

TEST(Encode, LabelsOfAnotherSetGo) {
  const std::string folder = FolderWithTinyArchive();
  ASSERT_TRUE(std::filesystem::create_directory(folder + "/out"));
  data::WriteFileOrDie(folder + "/out/labels.txt", "cats\ndogs\nbirds\n");
  data::WriteFileOrDie(folder + "/out/notes.txt", "mine");
  const ProcessResult result =
      RunSeqgraph({"encode", "--data=tiny.tar.gz", "--output=out"}, {.folder = folder});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(NamesIn(folder + "/out"), ::testing::Not(::testing::Contains("labels.txt")));
  EXPECT_EQ(data::ReadFileOrDie(folder + "/out/notes.txt"), "mine");
}

TEST(Encode, SyntheticReviewsAreTheSameEveryTime) {
  const std::string folder = MakeTempDir();
  for (const char* output : {"--output=a", "--output=b"}) {
    const ProcessResult result = RunSeqgraph({"encode", output}, {.folder = folder});
    ASSERT_EQ(result.status, 0) << result.err;
  }
  for (const std::string& name : NamesIn(folder + "/a")) {
    EXPECT_EQ(data::ReadFileOrDie(folder + "/a/" + name),
              data::ReadFileOrDie(folder + "/b/" + name));
  }
}

TEST(Encode, ThePublishedArchiveGivesThePublishedIntegers) {
  SEQ_SHARED_OR_SKIP(archive, "imdb/aclImdb_v1.tar.gz");
  SEQ_SHARED_OR_SKIP(golden_path, "imdb/golden.json");
  const nlohmann::json golden = nlohmann::json::parse(data::ReadFileOrDie(golden_path));
  const std::string folder = MakeTempDir();
  const ProcessResult result = RunSeqgraph({"encode", "--data=" + archive, "--output=" + folder});
  ASSERT_EQ(result.status, 0) << result.err;
  const auto sum = [&folder](const std::string& name) {
    absl::StatusOr<data::NpyArray> array = data::ReadNpy(folder + "/" + name);
    EXPECT_THAT(array, IsOk());
    return data::Sha256Hex(absl::string_view(array->bytes.data(), array->bytes.size()));
  };
  const nlohmann::json& sums = golden.at("sha256_int32_little_endian");
  EXPECT_EQ(sum("train_tokens.npy"), sums.at("train_20000x100_published_ties").get<std::string>());
  EXPECT_EQ(sum("train_targets.npy"), sums.at("train_targets").get<std::string>());
  EXPECT_EQ(sum("validation_tokens.npy"),
            sums.at("validation_5000x100_published_ties").get<std::string>());
  EXPECT_EQ(sum("validation_targets.npy"), sums.at("validation_targets").get<std::string>());
  EXPECT_EQ(
      sum("test_tokens.npy"),
      sums.at("padded_shared_5000_test_reviews_in_file_order_published_ties").get<std::string>());
}

}  // namespace
}  // namespace seqgraph
