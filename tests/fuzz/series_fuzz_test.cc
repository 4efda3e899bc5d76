// Damaged files of series (tables, lines of JSON, arrays, files of ours): every prefix, and
// thousands of random changes. Each must give an error or a whole set; never a crash, never much
// memory. SEQGRAPH_FUZZ_MUTATIONS sets how many.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/atomic_file.h"
#include "base/byte_cursor.h"
#include "base/crc32c.h"
#include "base/zip.h"
#include "data/npy.h"
#include "data/series/series_file.h"
#include "data/series/series_set.h"
#include "tests/fuzz/allocation_meter.h"
#include "tests/fuzz/mutator.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using data::SeriesSet;
using Missing = data::SeriesSourceOptions::Missing;

// Of two bytes ("1,") a float, and what belongs to it; of a line of JSON an object and its fields
// as texts. Buffers of streams, whatever is read.
int64_t MemoryLimit(size_t bytes) { return 256 * static_cast<int64_t>(bytes) + (int64_t{6} << 20); }

struct File {
  std::string name, bytes;
  data::SeriesSourceOptions options;
};

std::string Archive() {
  const std::vector<float> x = {1, 2, 3, NAN, 5, 6, 7, 8, 9, 10, 11, 12};
  const std::vector<int32_t> y = {1, 0}, lengths = {3, 2};
  const std::vector<double> weights = {1, 0.5};
  return *WriteZip({{"x.npy", *data::NpyFile(absl::MakeConstSpan(x), {2, 3, 2})},
                    {"y.npy", *data::NpyFile(absl::MakeConstSpan(y), {2})},
                    {"lengths.npy", *data::NpyFile(absl::MakeConstSpan(lengths), {2})},
                    {"weights.npy", *data::NpyFile(absl::MakeConstSpan(weights), {2})}});
}

std::vector<File> Files() {
  const std::vector<float> plain = {1, 2, 3, 4, 5, 6};
  return {
      {"wide.csv",
       "a,b,c\n1,2.5,-3e2\n4,,6\n7,NaN,9e-3\n0.1,0.25,1e5\n",
       {.missing = Missing::kForward}},
      {"long.csv",
       "id,when,x,y,label,group,w\n\"a\",2024-01-01,1,2,go,p,1\na,2024-01-03,3,4,go,p,1\n"
       "b,2024-01-02T03:04:05Z,5,6,\"st\"\"op\",q,0.5\nb,2024-01-01,7,NA,\"st\"\"op\",q,0.5\n",
       {.series = "id",
        .time = "when",
        .label = "label",
        .group = "group",
        .weight = "w",
        .missing = Missing::kMask}},
      {"steps.tsv",
       "t\tx\tc\ty\n1\t2\tu\t3\n2\t4\tv\t5\n4\t6\tu\t7\n\n5\t\tv\t9\n",
       {.order = "t", .targets = {"y"}, .per_step = true, .missing = Missing::kDrop}},
      {"crlf.csv",
       "\xEF\xBB\xBF"
       "x;\"y\nz\"\r\n1;2\r\n\"3\";4\r\n",
       {.skip_bad_rows = true}},
      {"series.jsonl",
       "{\"x\": [[1, 2], [3, 4]], \"y\": \"go\", \"t\": [1, 2]}\n"
       "{\"x\": [[5, null]], \"y\": \"stop\", \"t\": [7]}\n",
       {.time = "t", .missing = Missing::kZero}},
      {"rows.jsonl",
       "{\"id\": 7, \"n\": 1, \"b\": 2, \"c\": true}\n{\"id\": \"s\", \"n\": 0, \"b\": -4e3, "
       "\"c\": "
       "null}\n",
       {.series = "id", .order = "n", .missing = Missing::kMask}},
      {"a.npz", Archive(), {.missing = Missing::kZero}},
      {"a.npy", *data::NpyFile(absl::MakeConstSpan(plain), {3, 2}), {}},
  };
}

// All that SeriesSet promises.
void ExpectWhole(const SeriesSet& set, const data::SeriesSourceOptions& options) {
  const auto size = [](const auto& list) { return static_cast<int64_t>(list.size()); };
  ASSERT_GT(set.num_series(), 0);
  ASSERT_EQ(set.begin[0], 0);
  for (int64_t i = 0; i < set.num_series(); ++i) ASSERT_GT(set.length(i), 0);
  ASSERT_GT(set.num_features(), 0);
  ASSERT_EQ(size(set.values), set.num_steps() * set.num_features());
  for (const float value : set.values) {
    ASSERT_TRUE(std::isfinite(value) || (std::isnan(value) && options.missing == Missing::kMask));
  }
  const int64_t labels = set.per_step ? set.num_steps() : set.num_series();
  if (!set.classes.empty()) {
    ASSERT_EQ(size(set.classes), labels);
    ASSERT_TRUE(set.targets.empty());
  }
  for (const int32_t number : set.classes) {
    ASSERT_TRUE(number >= 0 && number < size(set.class_names));
  }
  if (!set.targets.empty()) {
    ASSERT_EQ(size(set.targets), labels * size(set.target_names));
  }
  for (const float target : set.targets) ASSERT_TRUE(std::isfinite(target));
  if (!set.weights.empty()) {
    ASSERT_EQ(size(set.weights), set.weights_per_step ? set.num_steps() : set.num_series());
  }
  for (const float weight : set.weights) ASSERT_TRUE(weight >= 0 && std::isfinite(weight));
  if (!set.names.empty()) {
    ASSERT_EQ(size(set.names), set.num_series());
  }
  if (!set.groups.empty()) {
    ASSERT_EQ(size(set.groups), set.num_series());
  }
  if (!set.times.empty()) {
    ASSERT_EQ(size(set.times), set.num_steps());
  }
  for (const double time : set.times) ASSERT_TRUE(std::isfinite(time));
  int64_t before = 0;
  for (const int64_t gap : set.gaps) {
    ASSERT_GT(gap, before);
    ASSERT_LT(gap, set.num_steps());
    ASSERT_FALSE(std::binary_search(set.begin.begin(), set.begin.end(), gap));
    before = gap;
  }
  for (int64_t i = 0; i < set.num_series(); ++i) {
    ASSERT_FALSE(set.RowName(i, set.length(i) - 1).empty());
  }
}

class SeriesFuzzTest : public ::testing::Test {
 protected:
  void TearDown() override {
    std::printf("%d errors, %d valid files, at most %.1f bytes of memory a byte of file\n", errors_,
                valid_, largest_ratio_);
  }

  void Check(const File& file) {
    std::ofstream(path_, std::ios::binary) << file.bytes;
    data::SeriesSourceOptions options = file.options;
    options.threads = 1;
    options.skip_bad_rows |= (errors_ + valid_) % 2 == 1;
    data::LooksLikeSeries(path_);
    AllocationMeter meter;
    const absl::StatusOr<SeriesSet> set = data::ReadSeries(path_, options);
    const int64_t peak = meter.peak();
    EXPECT_LE(peak, MemoryLimit(file.bytes.size())) << file.bytes.size() << " bytes";
    if (file.bytes.size() >= 1024) {
      largest_ratio_ = std::max(largest_ratio_, static_cast<double>(peak) / file.bytes.size());
    }
    ++(set.ok() ? valid_ : errors_);
    if (set.ok()) {
      ExpectWhole(*set, options);
    } else {
      EXPECT_TRUE(absl::StrContains(set.status().message(), "damaged") ||
                  absl::StrContains(set.status().message(), "separator"))
          << "names no file: " << set.status();
    }
  }

  // Bytes at random, or what tables are made of, in the place of others.
  std::string Mutated(const std::string& bytes) {
    if (mutator_.Below(2) == 0) return mutator_.Bytes(bytes);
    static const std::vector<std::string> kPieces = {",",
                                                     "\"",
                                                     "\n",
                                                     "\r\n",
                                                     "\t",
                                                     ";",
                                                     "\"\"",
                                                     "NaN",
                                                     "-",
                                                     "1e999",
                                                     "1e-999",
                                                     "inf",
                                                     "[",
                                                     "]",
                                                     "{",
                                                     "}",
                                                     ":",
                                                     ".",
                                                     "0x1",
                                                     "",
                                                     "a,b\n",
                                                     "+1",
                                                     "1e39",
                                                     "null",
                                                     "\\",
                                                     "99999999999999999999",
                                                     "2024-02-30",
                                                     "9999-12-31",
                                                     "0001-01-01",
                                                     "\xEF\xBB\xBF",
                                                     std::string(1, '\0'),
                                                     std::string(300, '7'),
                                                     std::string(70, '['),
                                                     "1.00000017881393432617"};
    std::string changed = bytes;
    for (uint64_t n = 1 + mutator_.Below(4); n > 0; --n) {
      const std::string& piece = kPieces[mutator_.Below(kPieces.size())];
      const size_t at = mutator_.Below(changed.size() + 1);
      changed.replace(at, std::min<size_t>(mutator_.Below(6), changed.size() - at), piece);
    }
    return changed;
  }

  Mutator mutator_{FuzzSeed(20261128)};
  const int mutations_ = FuzzCount(16000);
  const std::vector<File> files_ = Files();
  const std::string path_ = absl::StrCat(MakeTempDir(), "/damaged");
  int errors_ = 0;
  int valid_ = 0;
  double largest_ratio_ = 0;
};

TEST_F(SeriesFuzzTest, TheUndamagedFilesAreValid) {
  for (const File& file : files_) Check(file);
  EXPECT_EQ(valid_, static_cast<int>(files_.size()));
}

TEST_F(SeriesFuzzTest, EveryPrefixIsAnErrorOrASet) {
  for (const File& file : files_) {
    for (size_t n = 0; n < file.bytes.size(); ++n) {
      Check({file.name, file.bytes.substr(0, n), file.options});
      if (HasFailure()) FAIL() << "the first " << n << " bytes of " << file.name;
    }
  }
  EXPECT_GT(errors_, 500);
}

TEST_F(SeriesFuzzTest, MutationsGiveErrorsOrSets) {
  for (int i = 0; i < mutations_; ++i) {
    const File& file = files_[i % files_.size()];
    Check({file.name, Mutated(file.bytes), file.options});
    if (HasFailure()) FAIL() << "mutation " << i << " of " << file.name;
  }
  EXPECT_GT(errors_, mutations_ / 8);
  EXPECT_GT(valid_, mutations_ / 16);
}

// The header of our own files, with its check sum, which ends them, made right again.
TEST_F(SeriesFuzzTest, MutatedHeadersOfSeriesFilesGiveErrorsOrSets) {
  std::vector<File> written;
  for (const File& file : files_) {
    std::ofstream(path_, std::ios::binary) << file.bytes;
    SEQ_ASSERT_OK_AND_ASSIGN(const SeriesSet set, data::ReadSeries(path_, file.options));
    const std::string path = path_ + ".series";
    SEQ_ASSERT_OK(data::WriteSeries(set, file.options, path));
    SEQ_ASSERT_OK_AND_ASSIGN(const std::string bytes, ReadFile(path, 1 << 20));
    written.push_back({file.name, bytes, {.missing = file.options.missing}});
    Check(written.back());
  }
  EXPECT_EQ(valid_, static_cast<int>(written.size()));
  for (int i = 0; i < mutations_ / 4; ++i) {
    const File& file = written[i % written.size()];
    const uint64_t length = ByteCursor(file.bytes).U64();
    std::string header = Mutated(file.bytes.substr(8, length));
    header.insert(0, NumberBytes(header.size(), 8));
    const std::string arrays = file.bytes.substr(8 + length, file.bytes.size() - 8 - (8 + length));
    Check({file.name, absl::StrCat(header, arrays, NumberBytes(Crc32c(header), 8)), file.options});
    if (HasFailure()) FAIL() << "mutation " << i << " of " << file.name;
  }
  EXPECT_GT(errors_, mutations_ / 8);
}

}  // namespace
}  // namespace seqgraph
