#include "data/series/read_arrays.h"

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/zip.h"
#include "data/npy.h"
#include "data/testing/test_util.h"
#include "tests/testing.h"

namespace seqgraph::data {
namespace {

using ::testing::ElementsAre;
using Missing = SeriesSourceOptions::Missing;
using Files = std::vector<std::pair<std::string, std::string>>;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

template <typename T>
std::string Npy(std::vector<int64_t> shape, const std::vector<T>& values) {
  return *NpyFile(absl::MakeConstSpan(values), shape);
}

absl::StatusOr<SeriesSet> Read(const Files& arrays, const SeriesSourceOptions& options = {}) {
  Files files;
  for (const auto& [name, bytes] : arrays) files.emplace_back(name + ".npy", bytes);
  return ReadSeries(Saved(*WriteZip(files), "a.npz"), options);
}

std::vector<float> ValuesOf(const SeriesSet& set) {
  return std::vector<float>(set.values.begin(), set.values.end());
}

const std::string kX = Npy<float>({2, 3, 2}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});

TEST(ReadArrays, XAndY) {
  SEQ_ASSERT_OK_AND_ASSIGN(const SeriesSet set,
                           Read({{"x", kX}, {"y", Npy<int32_t>({2}, {7, 5})}}));
  EXPECT_THAT(ValuesOf(set), ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12));
  EXPECT_THAT(set.features, ElementsAre("x1", "x2"));
  EXPECT_THAT(set.begin, ElementsAre(0, 3, 6));
  EXPECT_THAT(set.class_names, ElementsAre("5", "7"));
  EXPECT_THAT(set.classes, ElementsAre(1, 0));
  EXPECT_EQ(set.RowName(1, 2), "series 1, step 2 of '" + set.files[0] + "'");
}

TEST(ReadArrays, OtherNamesAndTypes) {
  for (const auto& [x, y] : std::vector<std::pair<std::string, std::string>>{{"X", "y"},
                                                                             {"X_train", "y_train"},
                                                                             {"x_test", "y_test"},
                                                                             {"arr_0", "arr_1"},
                                                                             {"data", "labels"},
                                                                             {"x", "label"},
                                                                             {"anything", ""}}) {
    Files files = {{x, Npy<int64_t>({2, 2}, {1, 2, 3, 4})}};
    if (!y.empty()) files.emplace_back(y, Npy<double>({2}, {0.5, -1}));
    SEQ_ASSERT_OK_AND_ASSIGN(const SeriesSet set, Read(files));
    EXPECT_THAT(ValuesOf(set), ElementsAre(1, 2, 3, 4)) << x;
    EXPECT_THAT(set.features, ElementsAre("x"));
    if (!y.empty()) {
      EXPECT_THAT(set.targets, ElementsAre(0.5f, -1.0f)) << y;
    }
  }
  SEQ_ASSERT_OK_AND_ASSIGN(const SeriesSet alone,
                           ReadSeries(Saved(Npy<float>({1, 2}, {1, 2}), "a.npy"), {}));
  EXPECT_EQ(alone.num_series(), 1);
  EXPECT_THAT(Read({{"a", kX}, {"b", kX}}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "no array x (X, x_train, X_train, arr_0, ...) of series; it has 'a' [2, 3, "
                       "2], 'b' [2, 3, 2]"));
  EXPECT_THAT(Read({{"x", kX}}, {.label = "kind"}),
              StatusIs(absl::StatusCode::kInvalidArgument, "has no array 'kind' (y)"));
}

TEST(ReadArrays, WhatYIs) {
  const std::string whole = Npy<int32_t>({2}, {1, 0}), real = Npy<float>({2}, {1, 0});
  SEQ_ASSERT_OK_AND_ASSIGN(SeriesSet set, Read({{"x", kX}, {"y", whole}}, {.targets = {"y"}}));
  EXPECT_THAT(set.targets, ElementsAre(1, 0));
  EXPECT_THAT(set.classes, ElementsAre());
  SEQ_ASSERT_OK_AND_ASSIGN(set, Read({{"x", kX}, {"y", real}}, {.label = "y"}));
  EXPECT_THAT(set.classes, ElementsAre(1, 0));
  SEQ_ASSERT_OK_AND_ASSIGN(set, Read({{"x", kX}, {"y", Npy<float>({2, 2}, {1, 2, 3, 4})}}));
  EXPECT_THAT(set.targets, ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(set.target_names, ElementsAre("y1", "y2"));
  SEQ_ASSERT_OK_AND_ASSIGN(
      set, Read({{"x", kX}, {"y", Npy<int32_t>({2, 3}, {0, 1, 1, 2, 0, 0})}}, {.per_step = true}));
  EXPECT_THAT(set.classes, ElementsAre(0, 1, 1, 2, 0, 0));
  SEQ_ASSERT_OK_AND_ASSIGN(set, Read({{"x", kX}, {"y", whole}}, {.class_names = {"1", "0"}}));
  EXPECT_THAT(set.classes, ElementsAre(0, 1));
  SEQ_ASSERT_OK_AND_ASSIGN(set, Read({{"x", kX}, {"y", whole}}, {.wants_targets = false}));
  EXPECT_THAT(set.classes, ElementsAre());
  EXPECT_THAT(Read({{"x", kX}, {"y", whole}}, {.class_names = {"1", "2"}}),
              StatusIs(absl::StatusCode::kInvalidArgument, "series 1 of '"));
  EXPECT_THAT(Read({{"x", kX}, {"y", Npy<int32_t>({3}, {1, 2, 3})}}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "expected y of shape [2] or [2, 1], as 'x' [2, 3, 2] has it, found [3]"));
  EXPECT_THAT(Read({{"x", kX}, {"y", Npy<float>({2}, {1, kNan})}}),
              StatusIs(absl::StatusCode::kInvalidArgument, "its target is not finite"));
  EXPECT_THAT(Read({{"x", kX}, {"y", Npy<float>({2}, {1, 0.5})}}, {.label = "y"}),
              StatusIs(absl::StatusCode::kInvalidArgument, "the label 0.5 is no whole number"));
}

TEST(ReadArrays, LengthsMasksAndPadding) {
  const std::string x = Npy<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  SEQ_ASSERT_OK_AND_ASSIGN(SeriesSet set, Read({{"x", x}, {"lengths", Npy<int64_t>({2}, {3, 1})}}));
  EXPECT_THAT(set.begin, ElementsAre(0, 3, 4));
  EXPECT_THAT(ValuesOf(set), ElementsAre(1, 2, 3, 4));
  SEQ_ASSERT_OK_AND_ASSIGN(set, Read({{"x", x},
                                      {"mask", Npy<int32_t>({2, 3}, {1, 1, 0, 1, 0, 1})},
                                      {"y", Npy<int32_t>({2, 3}, {0, 1, 9, 2, 3, 4})}},
                                     {.per_step = true}));
  EXPECT_THAT(set.begin, ElementsAre(0, 2, 5));
  EXPECT_THAT(ValuesOf(set), ElementsAre(1, 2, 4, ::testing::IsNan(), 6));
  EXPECT_THAT(set.class_names, ElementsAre("0", "1", "2", "3", "4"));
  SEQ_ASSERT_OK_AND_ASSIGN(set, Read({{"x", Npy<float>({2, 3}, {1, kNan, kNan, kNan, 5, 6})}},
                                     {.missing = Missing::kZero}));
  EXPECT_THAT(set.begin, ElementsAre(0, 1, 4));
  EXPECT_THAT(ValuesOf(set), ElementsAre(1, 0, 5, 6));
  EXPECT_THAT(Read({{"x", Npy<float>({1, 3}, {1, kNan, 2})}}),
              StatusIs(absl::StatusCode::kInvalidArgument, "series 0, step 1 of '"));
  EXPECT_THAT(Read({{"x", Npy<float>({2, 2}, {1, 2, kNan, kNan})}}),
              StatusIs(absl::StatusCode::kInvalidArgument, "no step is there (all are NaN)"));
  EXPECT_THAT(Read({{"x", Npy<float>({1, 2}, {1, HUGE_VALF})}}),
              StatusIs(absl::StatusCode::kInvalidArgument, "'x': not finite"));
  EXPECT_THAT(Read({{"x", x}, {"lengths", Npy<int64_t>({2}, {3, 4})}}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "its length is 4; expected a whole number from 1 to 3"));
  SEQ_ASSERT_OK_AND_ASSIGN(
      set, Read({{"x", Npy<float>({2, 2}, {1, 2, kNan, kNan})}, {"y", Npy<int32_t>({2}, {3, 4})}},
                {.skip_bad_rows = true}));
  EXPECT_THAT(set.begin, ElementsAre(0, 2));
  EXPECT_THAT(set.classes, ElementsAre(0));
  EXPECT_EQ(set.skipped_rows, 1);
}

TEST(ReadArrays, WeightsTimesAndFeatures) {
  SEQ_ASSERT_OK_AND_ASSIGN(SeriesSet set, Read({{"x", kX},
                                                {"sample_weight", Npy<float>({2}, {1, 0.5})},
                                                {"when", Npy<double>({3}, {0, 1, 5})}},
                                               {.time = "when", .columns = {"x2"}}));
  EXPECT_THAT(ValuesOf(set), ElementsAre(2, 4, 6, 8, 10, 12));
  EXPECT_THAT(set.weights, ElementsAre(1, 0.5));
  EXPECT_THAT(set.times, ElementsAre(0, 1, 5, 0, 1, 5));
  EXPECT_THAT(
      Read({{"x", kX}}, {.columns = {"x3"}}),
      StatusIs(absl::StatusCode::kInvalidArgument, "has no feature 'x3'; they are x1 to x2"));
  EXPECT_THAT(Read({{"x", kX}, {"sample_weight", Npy<float>({2}, {1, -1})}}),
              StatusIs(absl::StatusCode::kInvalidArgument, "its weight is -1"));
  EXPECT_THAT(Read({{"x", Npy<float>({2, 0, 1}, {})}}),
              StatusIs(absl::StatusCode::kInvalidArgument, "'x' is empty, [2, 0, 1]"));
  EXPECT_THAT(Read({{"x", Npy<float>({2}, {1, 2})}}),
              StatusIs(absl::StatusCode::kInvalidArgument, "found [2]"));
  EXPECT_THAT(Read({{"x", kX}}, {.max_memory = 40}),
              StatusIs(absl::StatusCode::kResourceExhausted, "more than 40 bytes"));
}

TEST(ReadArrays, FoldersOfArrays) {
  const std::string folder = MakeTempDir();
  WriteTree(folder, {{"p/1.npy", Npy<float>({2, 2}, {1, 2, 3, 4})},
                     {"q/2.npy", Npy<float>({1, 2}, {5, 6})}});
  SEQ_ASSERT_OK_AND_ASSIGN(const SeriesSet set, ReadSeries(folder, {}));
  EXPECT_THAT(set.begin, ElementsAre(0, 2, 3));
  EXPECT_THAT(ValuesOf(set), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(set.class_names, ElementsAre("p", "q"));
  WriteTree(folder, {{"q/3.npy", Npy<float>({1, 3}, {5, 6, 7})}});
  EXPECT_THAT(ReadSeries(folder, {}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "q/3.npy' has 3 features; the files before it have 2"));
}

}  // namespace
}  // namespace seqgraph::data
