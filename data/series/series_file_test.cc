#include "data/series/series_file.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "data/testing/test_util.h"
#include "tests/testing.h"

namespace seqgraph::data {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::NanSensitiveFloatEq;
using ::testing::Pointwise;
using Missing = SeriesSourceOptions::Missing;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

// Reads a file, writes it as series, and gives the path of that.
std::string Rewritten(const std::string& path, const SeriesSourceOptions& options) {
  const absl::StatusOr<SeriesSet> set = ReadSeries(path, options);
  SEQ_EXPECT_OK(set);
  const std::string written = MakeTempDir() + "/a.series";
  SEQ_EXPECT_OK(WriteSeries(*set, options, written));
  return written;
}

void ExpectSame(const SeriesSet& a, const SeriesSet& b) {
  EXPECT_EQ(a.features, b.features);
  EXPECT_THAT(a.values, Pointwise(NanSensitiveFloatEq(), b.values));
  EXPECT_EQ(a.begin, b.begin);
  EXPECT_EQ(a.names, b.names);
  EXPECT_EQ(a.groups, b.groups);
  EXPECT_EQ(a.times, b.times);
  EXPECT_EQ(a.times_are_dates, b.times_are_dates);
  EXPECT_EQ(a.gaps, b.gaps);
  EXPECT_EQ(a.classes, b.classes);
  EXPECT_EQ(a.targets, b.targets);
  EXPECT_EQ(a.per_step, b.per_step);
  EXPECT_EQ(a.class_names, b.class_names);
  EXPECT_EQ(a.target_names, b.target_names);
  EXPECT_EQ(a.weights, b.weights);
  EXPECT_EQ(a.weights_per_step, b.weights_per_step);
  for (int64_t i = 0; i < a.num_series(); ++i) {
    EXPECT_EQ(a.RowName(i), b.RowName(i));
    EXPECT_EQ(a.RowName(i, a.length(i) - 1), b.RowName(i, b.length(i) - 1));
  }
}

constexpr char kLong[] =
    "id,t,x,y,c,g,w\nb,2,4,1,p\xE9,u,1\na,1,1,0,q,v,2\nb,1,3,1,p\xE9,u,1\na,9,2,0,q,v,2\nb,3,,1,"
    "p\xE9,u,1\n";
const SeriesSourceOptions kLongOptions = {.series = "id",
                                          .time = "t",
                                          .label = "c",
                                          .group = "g",
                                          .weight = "w",
                                          .missing = Missing::kMask};

TEST(SeriesFile, IsReadAsTheFileItCameFrom) {
  const struct {
    const char* name;
    std::string bytes;
    SeriesSourceOptions options;
  } cases[] = {
      {"a.csv", "a,b\n1,2\n3.5,-4e1\n", {}},
      {"long.csv", kLong, kLongOptions},
      {"dates.csv", "t,x\n2024-01-01,1\n2024-01-02,2\n2024-01-09,3\n", {.time = "t"}},
      {"steps.csv", "x,c\n1,go\n2,stop\n", {.label = "c", .per_step = true}},
      {"targets.csv", "x,u,v\n1,2,3\n4,5,6\n", {.targets = {"v", "u"}, .per_step = true}},
      {"dropped.csv", "x\n1\n\n2\nNA\n4\n", {.missing = Missing::kDrop}},
      {"a.jsonl",
       "{\"x\": [[1, 2], [3, 4]], \"y\": \"go\"}\n{\"x\": [[5, 6]], \"y\": \"no\"}\n",
       {}},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.name);
    const std::string path = Saved(each.bytes, each.name);
    SEQ_ASSERT_OK_AND_ASSIGN(const SeriesSet read, ReadSeries(path, each.options));
    const std::string written = Rewritten(path, each.options);
    EXPECT_TRUE(LooksLikeSeries(written));
    SEQ_ASSERT_OK_AND_ASSIGN(const SeriesSet again, ReadSeries(written, each.options));
    ExpectSame(again, read);
    // What is not asked for is as it was.
    SEQ_ASSERT_OK_AND_ASSIGN(const SeriesSet plain,
                             ReadSeries(written, {.missing = each.options.missing}));
    ExpectSame(plain, read);
  }
}

// The bytes, as the published format has them.
TEST(SeriesFile, IsASafetensorsFile) {
  const std::string written = Rewritten(Saved("a,b\n1,2\n3,4\n", "a.csv"), {});
  const std::string bytes = ReadFileOrDie(written);
  uint64_t length;
  std::memcpy(&length, bytes.data(), 8);
  ASSERT_LT(length + 8, bytes.size());
  EXPECT_EQ((length + 8) % 64, 0u);
  const std::string header = bytes.substr(8, length);
  EXPECT_TRUE(absl::StartsWith(header, "{\"__metadata__\":{\"seqgraph.series\":\"{"));
  EXPECT_TRUE(
      absl::StrContains(header,
                        "\"values\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]},"
                        "\"begin\":{\"dtype\":\"I64\",\"shape\":[2],\"data_offsets\":[16,32]}"))
      << header;
  float values[4];
  std::memcpy(values, bytes.data() + 8 + length, sizeof(values));
  EXPECT_THAT(values, ElementsAre(1, 2, 3, 4));
}

TEST(SeriesFile, GivesTheColumnsThatAreAskedFor) {
  const std::string written = Rewritten(Saved("a,b,c\n1,2,3\n4,5,6\n", "a.csv"), {});
  SEQ_ASSERT_OK_AND_ASSIGN(const SeriesSet set, ReadSeries(written, {.columns = {"c", "a"}}));
  EXPECT_THAT(set.features, ElementsAre("c", "a"));
  EXPECT_THAT(set.values, ElementsAre(3, 1, 6, 4));
  EXPECT_THAT(ReadSeries(written, {.columns = {"d"}}),
              StatusIs(kInvalid, "has no feature 'd'; it has a, b, c"));
}

// As a model that knows other classes, in another order, needs them.
TEST(SeriesFile, NumbersClassesAsAModelDoes) {
  const std::string csv = Saved("s,x,c\n0,1,b\n1,2,a\n2,3,b\n", "a.csv");
  const std::string written = Rewritten(csv, {.series = "s", .label = "c"});
  SEQ_ASSERT_OK_AND_ASSIGN(SeriesSet set, ReadSeries(written, {.class_names = {"b", "z", "a"}}));
  EXPECT_THAT(set.classes, ElementsAre(0, 2, 0));
  EXPECT_THAT(ReadSeries(written, {.class_names = {"b", "z"}}),
              StatusIs(kInvalid, absl::StrCat("line 3 of '", csv,
                                              "': the label 'a' is none of the 2 classes of the "
                                              "model")));
  SEQ_ASSERT_OK_AND_ASSIGN(set,
                           ReadSeries(written, {.class_names = {"b", "z"}, .skip_bad_rows = true}));
  EXPECT_THAT(set.values, ElementsAre(1, 3));
  EXPECT_EQ(set.skipped_rows, 1);
  SEQ_ASSERT_OK_AND_ASSIGN(set, ReadSeries(written, {.label = "gone", .wants_targets = false}));
  EXPECT_THAT(set.classes, IsEmpty());
}

// The rule for missing values may be another than when it was written.
TEST(SeriesFile, TreatsWhatIsMissing) {
  const std::string csv = Saved("x,y\n1,2\n,3\n4,5\n", "a.csv");
  const std::string written = Rewritten(csv, {.missing = Missing::kMask});
  EXPECT_THAT(ReadSeries(written, {}),
              StatusIs(kInvalid, absl::StrCat("line 3 of '", csv, "', 'x': no value")));
  SEQ_ASSERT_OK_AND_ASSIGN(SeriesSet set, ReadSeries(written, {.missing = Missing::kForward}));
  EXPECT_THAT(set.values, ElementsAre(1, 2, 1, 3, 4, 5));
  SEQ_ASSERT_OK_AND_ASSIGN(set, ReadSeries(written, {.missing = Missing::kDrop}));
  EXPECT_THAT(set.values, ElementsAre(1, 2, 4, 5));
  EXPECT_THAT(set.gaps, ElementsAre(1));
  SEQ_ASSERT_OK_AND_ASSIGN(set, ReadSeries(written, {.missing = Missing::kMask}));
  EXPECT_THAT(set.values, Pointwise(NanSensitiveFloatEq(), {1.0f, 2.0f, NAN, 3.0f, 4.0f, 5.0f}));
}

TEST(SeriesFile, RefusesOtherPartsByName) {
  const std::string csv = Saved(kLong, "a.csv");
  const std::string written = Rewritten(csv, kLongOptions);
  const auto refused = [&](const SeriesSourceOptions& options, const std::string& why) {
    EXPECT_THAT(ReadSeries(written, options), StatusIs(kInvalid, why));
  };
  refused({.series = "name"}, "was written with --series=id, not with --series=name");
  refused({.order = "n"}, "was written without --order, not with --order=n");
  refused({.targets = {"y"}}, "has no targets, not y");
  refused({.per_step = true}, "was written without --per_step");
  SeriesSourceOptions options;
  SEQ_ASSERT_OK(CompleteFromSeriesFile(written, &options));
  EXPECT_EQ(options.series, "id");
  EXPECT_EQ(options.time, "t");
  EXPECT_EQ(options.label, "c");
  EXPECT_EQ(options.missing, Missing::kMask);
  const std::string folder = MakeTempDir();
  WriteFileOrDie(absl::StrCat(folder, "/", kSeriesFile), ReadFileOrDie(written));
  EXPECT_TRUE(LooksLikeSeries(folder));
  SeriesSourceOptions from_folder;
  SEQ_ASSERT_OK(CompleteFromSeriesFile(folder, &from_folder));
  EXPECT_EQ(from_folder.series, "id");
  SEQ_ASSERT_OK_AND_ASSIGN(const SeriesSet set, ReadSeries(folder, from_folder));
  EXPECT_EQ(set.num_series(), 2);
  SeriesSourceOptions others = {.series = "mine"};
  SEQ_ASSERT_OK(CompleteFromSeriesFile(csv, &others));
  EXPECT_EQ(others.series, "mine");
  EXPECT_EQ(others.label, "");
}

TEST(SeriesFile, RefusesOtherFiles) {
  const auto refused = [](std::string header, absl::StatusCode code, const std::string& why) {
    const uint64_t length = header.size();
    header.insert(0, std::string(reinterpret_cast<const char*>(&length), 8));
    EXPECT_THAT(ReadSeries(Saved(header, "a.safetensors"), {}), StatusIs(code, why));
  };
  constexpr auto kLoss = absl::StatusCode::kDataLoss;
  refused("{\"w\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}", kInvalid,
          "is a safetensors file, but holds no series");
  refused("{\"w\":{\"dtype\":\"F32\",\"shape\":[9],\"data_offsets\":[0,36]}}", kLoss,
          "its array \"w\" cannot be there");
  refused("{\"w\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,0]}}",
          kLoss, "its array \"w\" cannot be there");
  refused("{\"w\":" + std::string(5000, '['), kLoss, "its header is no JSON of arrays");
  refused("{\"__metadata__\":{\"seqgraph.series\":\"{}\"}}", kLoss, "no array \"checks\"");
  std::string huge = std::string("\xFF\xFF\xFF\x7F\0\0\0\0{\"", 10);
  EXPECT_THAT(ReadSeries(Saved(huge, "a.safetensors"), {}),
              StatusIs(kLoss, "a header of 2147483647 bytes in a file of 10"));
}

// Each byte behind the header, one after the other: none is read as another number.
TEST(SeriesFile, FindsDamage) {
  const std::string bytes = ReadFileOrDie(Rewritten(Saved(kLong, "a.csv"), kLongOptions));
  const SeriesSourceOptions options = {.missing = Missing::kMask};
  uint64_t length;
  std::memcpy(&length, bytes.data(), 8);
  for (size_t i = 8 + length; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 1 << i % 8);
    ASSERT_THAT(ReadSeries(Saved(damaged, "a.series"), options),
                StatusIs(absl::StatusCode::kDataLoss))
        << i;
  }
  for (size_t size = 0; size < bytes.size(); ++size) {
    ASSERT_FALSE(ReadSeries(Saved(bytes.substr(0, size), "a.series"), options).ok()) << size;
  }
}

// Many megabytes, of which each has a check sum of its own, in memory that has no room for them.
TEST(SeriesFile, IsMappedWhereItLies) {
  const unsigned seed = std::random_device()();
  std::cout << "seed " << seed << "\n";
  std::mt19937 random(seed);
  auto storage = std::make_shared<std::vector<float>>(3 * 400'000);
  for (float& value : *storage) value = static_cast<float>(random()) / 1e9f;
  SeriesSet set;
  set.features = {"a", "b", "c"};
  set.values = *storage;
  set.storage = storage;
  set.begin = {0, 150'000, 400'000};
  set.files = {"a.csv"};
  const std::string path = MakeTempDir() + "/large";
  SEQ_ASSERT_OK(WriteSeries(set, {}, path));
  const SeriesSourceOptions small = {.max_memory = 100'000};
  SEQ_ASSERT_OK_AND_ASSIGN(const SeriesSet again, ReadSeries(path, small));
  EXPECT_TRUE(std::equal(again.values.begin(), again.values.end(), storage->begin()));
  SEQ_ASSERT_OK_AND_ASSIGN(const SeriesSet column,
                           ReadSeries(path, {.columns = {"b"}, .max_memory = 100'000}));
  EXPECT_EQ(column.values[399'999], (*storage)[3 * 399'999 + 1]);
  EXPECT_THAT(ReadSeries(path, {.max_memory = 20}),
              StatusIs(absl::StatusCode::kResourceExhausted, "--max_memory"));
  std::string bytes = ReadFileOrDie(path);
  bytes[bytes.size() / 2] ^= 4;
  EXPECT_THAT(ReadSeries(Saved(bytes, "large"), small),
              StatusIs(absl::StatusCode::kDataLoss, "the check sum of \"values\" at byte"));
}

}  // namespace
}  // namespace seqgraph::data
