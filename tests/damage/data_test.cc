// Damage of what is kept of data and of streams is noticed when it is read, each single bit of it.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/content_hash.h"
#include "data/data_cache.h"
#include "data/dataset_bytes.h"
#include "data/series/series_file.h"
#include "data/testing/test_util.h"
#include "seqgraph.h"
#include "tests/damage/damage.h"
#include "tests/end_to_end/process.h"
#include "tests/end_to_end/review_files.h"
#include "tests/testing.h"
#include "tools/encoded_texts.h"
#include "training/run_state.h"

namespace seqgraph {
namespace {

class DataDamageTest : public ::testing::Test {
 protected:
  std::string Only(const std::string& ending) const {
    std::string found;
    for (const std::string& name : NamesIn(folder_)) {
      if (!absl::EndsWith(name, ending)) continue;
      EXPECT_TRUE(found.empty());
      found = absl::StrCat(folder_, "/", name);
    }
    EXPECT_FALSE(found.empty());
    return found;
  }

  const std::string folder_ = MakeTempDir();
};

TEST_F(DataDamageTest, OfAnEntryOfTheCache) {
  data::Dataset dataset;
  dataset.train = {.rows = 2, .maxlen = 3, .tokens = {1, 4, 5, 0, 1, 6}, .targets = {1, 0}};
  dataset.train.ids = {{data::Split::kTrain, 1, "a"}, {data::Split::kTrain, 0, "b"}};
  dataset.labels = {"negative", "positive"};
  const DataCache cache(folder_);
  const ContentHash key = HashBytes("key");
  const std::string kept = DatasetBytes(dataset);
  SEQ_ASSERT_OK(cache.Store(key, kept));
  const std::string path = Only(".data");
  ExpectDamageIsNoticed(data::ReadFileOrDie(path), path, /*may_pass=*/false,
                        [&](const std::string& bytes) {
                          Overwrite(path, bytes);
                          const absl::StatusOr<std::string> found = cache.Find(key);
                          EXPECT_EQ(found.value_or(kept), kept);
                          return found.status();
                        });
}

TEST_F(DataDamageTest, OfTheCachesRecordOfAFile) {
  const DataCache cache(folder_);
  const FileState state = {.device = 1, .inode = 2, .size = 3, .modified_ns = 4, .changed_ns = 5};
  const ContentHash content = HashBytes("content");
  SEQ_ASSERT_OK(cache.RememberHash(state, content));
  const std::string path = Only(".stat");
  ExpectDamageIsNoticed(data::ReadFileOrDie(path), path, /*may_pass=*/false,
                        [&](const std::string& bytes) {
                          Overwrite(path, bytes);
                          const absl::StatusOr<ContentHash> found = cache.FindHash(state);
                          EXPECT_EQ(found.value_or(content).Hex(), content.Hex());
                          return found.status();
                        });
}

// All that training takes of a set.
std::string ContentOf(const tools::EncodedTexts& texts) {
  return absl::StrCat(DatasetBytes(texts.dataset), texts.preprocessing.rule, "\n",
                      texts.preprocessing.text_column, "\n", texts.preprocessing.label_column);
}

TEST_F(DataDamageTest, OfEachFileOfEncodedTexts) {
  const std::string folder = FolderWithTinyArchive();
  const ProcessResult encoded =
      RunSeqgraph({"encode", "--data=tiny.tar.gz", "--num_words=9", "--maxlen=7", "--output=texts"},
                  {.folder = folder});
  ASSERT_EQ(encoded.status, 0) << encoded.err;
  const std::string set = folder + "/texts";
  SEQ_ASSERT_OK_AND_ASSIGN(const tools::EncodedTexts whole, tools::ReadEncodedTexts(set));
  const std::vector<std::string> names = NamesIn(set);
  ASSERT_EQ(names.size(), 8u);
  const int flips = NumFlips() / static_cast<int>(names.size());
  for (const std::string& name : names) {
    const std::string path = absl::StrCat(set, "/", name), bytes = data::ReadFileOrDie(path);
    // Another file may be named for the list of checksums: that whose line is damaged.
    const bool is_list = name == tools::kChecksumsFile;
    ExpectDamageIsNoticed(
        bytes, is_list ? "" : path, /*may_pass=*/is_list,
        [&](const std::string& damaged) {
          Overwrite(path, damaged);
          const absl::StatusOr<tools::EncodedTexts> read = tools::ReadEncodedTexts(set);
          if (!read.ok()) return read.status();
          EXPECT_TRUE(ContentOf(*read) == ContentOf(whole)) << "another set";
          return absl::OkStatus();
        },
        flips);
    Overwrite(path, bytes);
  }
}

TEST_F(DataDamageTest, OfAFileOfSeries) {
  std::string csv = "id,t,a,b,c\n";
  for (int i = 0; i < 30; ++i) {
    absl::StrAppend(&csv, i / 10, ",", 5 * i, ",", i % 7, ".25,", -i, ",", i / 10 % 2, "\n");
  }
  const std::string table = folder_ + "/a.csv", path = folder_ + "/series.safetensors";
  data::WriteFileOrDie(table, csv);
  const data::SeriesSourceOptions options = {.series = "id", .order = "t", .label = "c"};
  SEQ_ASSERT_OK_AND_ASSIGN(const data::SeriesSet set, data::ReadSeries(table, options));
  SEQ_ASSERT_OK(data::WriteSeries(set, options, path));
  ExpectDamageIsNoticed(data::ReadFileOrDie(path), path, /*may_pass=*/false,
                        [&](const std::string& bytes) {
                          Overwrite(path, bytes);
                          return data::ReadSeries(path, options).status();
                        });
}

TEST_F(DataDamageTest, OfAStreamsState) {
  Sequential stack({.name = "x", .time = 4, .features = 2}, "stream");
  stack.Add(GRU(3, {.return_sequences = true}));
  stack.Add(LSTM(2, {.return_sequences = true}));
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, stack.Build({.trainable = false}));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto made, StreamModel::Create(std::move(model)));
  SEQ_ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Stream> stream, made->NewStream());
  for (int t = 0; t < 3; ++t) {
    stream->input<float>(0)[0] = static_cast<float>(t);
    stream->input<float>(0)[1] = 1;
    SEQ_ASSERT_OK(stream->Step());
  }
  // Of two streams, one after the other, as the command keeps them.
  const std::string saved = stream->Save();
  ExpectDamageIsNoticed(saved, "", /*may_pass=*/false,
                        [&](const std::string& bytes) { return stream->Restore(bytes); });
  EXPECT_EQ(stream->Save(), saved) << "a state that was refused changed the stream";
  SEQ_ASSERT_OK_AND_ASSIGN(const int64_t both, Stream::CountSaved(saved + saved));
  EXPECT_EQ(both, 2);
  ExpectDamageIsNoticed(saved, "state 2", /*may_pass=*/false, [&](const std::string& bytes) {
    const absl::StatusOr<int64_t> count = Stream::CountSaved(saved + bytes);
    // Cut off whole, it was not there.
    return count.ok() && bytes.empty() ? absl::DataLossError("state 2") : count.status();
  });
}

// With all that a run of `train` keeps.
TEST_F(DataDamageTest, OfTheStateOfARun) {
  const std::string folder = FolderWithTinyArchive();
  const ProcessResult train = RunSeqgraph(
      WithFlags(TinyTraining("reference"), {"--epochs=3", "--run=run"}), {.folder = folder});
  ASSERT_EQ(train.status, 0) << train.err;
  const std::string path = folder + "/run/state-1.seqrun";
  ExpectDamageIsNoticed(data::ReadFileOrDie(path), path, /*may_pass=*/false,
                        [&](const std::string& bytes) {
                          data::WriteFileOrDie(path, bytes);
                          return RunState::Load(path).status();
                        });
}

}  // namespace
}  // namespace seqgraph
