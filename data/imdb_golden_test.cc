// The published integers from the published archive: SHA-256 sums of the arrays that Keras, numpy
// and scikit-learn make of it.

#include <map>
#include <nlohmann/json.hpp>

#include "data/testing/test_util.h"
#include "data/text_dataset.h"
#include "tests/testing.h"

namespace seqgraph::data {
namespace {

std::string Sum(const std::vector<int32_t>& values) {
  return Sha256Hex(absl::string_view(reinterpret_cast<const char*>(values.data()),
                                     values.size() * sizeof(int32_t)));
}

std::vector<int32_t> FirstRow(const TokenSet& set, int64_t row) {
  return {set.Row(row).begin(), set.Row(row).end()};
}

TEST(ImdbGolden, PublishedTies) {
  SEQ_SHARED_OR_SKIP(folder, "imdb");
  const auto golden = nlohmann::json::parse(ReadFileOrDie(folder + "/golden.json"));
  const auto sums = golden["sha256_int32_little_endian"].get<std::map<std::string, std::string>>();
  const std::string archive = folder + "/aclImdb_v1.tar.gz";
  SEQ_ASSERT_OK_AND_ASSIGN(Dataset d, LoadDataset(archive, {}));
  EXPECT_EQ(d.training_words, golden["training_tokens"]);
  EXPECT_EQ(d.distinct_words, golden["distinct_words"]);
  EXPECT_EQ(Sum(d.train.tokens), sums.at("train_20000x100_published_ties"));
  EXPECT_EQ(Sum(d.validation.tokens), sums.at("validation_5000x100_published_ties"));
  EXPECT_EQ(Sum(d.train.targets), sums.at("train_targets"));
  EXPECT_EQ(Sum(d.validation.targets), sums.at("validation_targets"));
  EXPECT_EQ(Sum(d.test.tokens),
            sums.at("padded_shared_5000_test_reviews_in_file_order_published_ties"));
  EXPECT_EQ(FirstRow(d.train, 0), golden["train_row_0"].get<std::vector<int32_t>>());
  EXPECT_EQ(FirstRow(d.train, 5), golden["train_row_5"].get<std::vector<int32_t>>());
  for (size_t i = 0; i < golden["train_targets_first_20"].size(); ++i) {
    EXPECT_EQ(d.train.targets[i], golden["train_targets_first_20"][i]) << i;
  }
  for (size_t i = 0; i < golden["top_20"].size(); ++i) {
    EXPECT_EQ(d.vocabulary.words()[i], golden["top_20"][i][0].get<std::string>()) << i;
  }
  for (const auto& pair : golden["tied_pairs_published_order"]) {
    const int rank = pair[0];
    EXPECT_EQ(d.vocabulary.Word(rank + kIndexFrom), pair[1].get<std::string>());
    EXPECT_EQ(d.vocabulary.Word(rank + 1 + kIndexFrom), pair[2].get<std::string>());
  }
  SEQ_ASSERT_OK_AND_ASSIGN(TokenSet in_order,
                           EncodeTexts(archive, Split::kTrain, d.vocabulary, 100));
  EXPECT_EQ(Sum(in_order.tokens), sums.at("padded_25000x100_in_file_order_published_ties"));
}

TEST(ImdbGolden, ByteOrderTies) {
  SEQ_SHARED_OR_SKIP(folder, "imdb");
  const auto golden = nlohmann::json::parse(ReadFileOrDie(folder + "/golden.json"));
  const auto sums = golden["sha256_int32_little_endian"].get<std::map<std::string, std::string>>();
  DatasetOptions options;
  options.ties = TieOrder::kByteOrder;
  options.with_test = false;
  SEQ_ASSERT_OK_AND_ASSIGN(Dataset d, LoadDataset(folder + "/aclImdb_v1.tar.gz", options));
  EXPECT_EQ(Sum(d.train.tokens), sums.at("train_20000x100_byte_order_ties"));
  EXPECT_EQ(Sum(d.validation.tokens), sums.at("validation_5000x100_byte_order_ties"));
}

// Each word of the published index, at any rank, lies among the words of equal count.
TEST(ImdbGolden, WholeIndexAgreesUpToTies) {
  SEQ_SHARED_OR_SKIP(folder, "imdb");
  const auto index = nlohmann::json::parse(ReadFileOrDie(folder + "/imdb_word_index.json"));
  DatasetOptions options;
  options.num_words = 200000;
  options.with_test = false;
  SEQ_ASSERT_OK_AND_ASSIGN(Dataset d, LoadDataset(folder + "/aclImdb_v1.tar.gz", options));
  ASSERT_EQ(d.vocabulary.size(), static_cast<int>(index.size()));
  int64_t known = 0;
  int64_t same_rank = 0;
  for (const auto& [word, rank] : index.items()) {
    const int32_t code = d.vocabulary.Code(word);
    known += code > kIndexFrom;
    same_rank += rank <= 496 && code == rank.get<int>() + kIndexFrom;
  }
  EXPECT_EQ(known, 88584);
  EXPECT_EQ(same_rank, 496);
}

TEST(ImdbGolden, EveryCutOfTheArchiveIsRefused) {
  SEQ_SHARED_OR_SKIP(archive, "imdb/aclImdb_v1.tar.gz");
  const std::string whole = ReadFileOrDie(archive);
  const std::string path = MakeTempDir() + "/cut.tar.gz";
  for (size_t length : {size_t{0}, size_t{5}, size_t{1000}, size_t{1} << 20, whole.size() / 2,
                        whole.size() - 100, whole.size() - 8, whole.size() - 1}) {
    WriteFileOrDie(path, whole.substr(0, length));
    const auto result = LoadDataset(path, {});
    EXPECT_FALSE(result.ok()) << length;
    EXPECT_THAT(std::string(result.status().message()), ::testing::HasSubstr(path));
  }
}

}  // namespace
}  // namespace seqgraph::data
