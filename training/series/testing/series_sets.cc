#include "training/series/testing/series_sets.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"

namespace seqgraph {

using data::SeriesSet;

SeriesSet SetOf(const std::vector<int64_t>& lengths, int64_t features, std::vector<float> values) {
  SeriesSet set;
  for (int64_t f = 0; f < features; ++f) set.features.push_back(absl::StrCat("f", f));
  for (const int64_t length : lengths) set.begin.push_back(set.begin.back() + length);
  auto storage = std::make_shared<std::vector<float>>(std::move(values));
  set.values = *storage;
  set.storage = std::move(storage);
  set.description = "a.csv";
  set.files = {"a.csv"};
  return set;
}

SeriesSet MakeSet(const std::vector<int64_t>& lengths, int64_t features,
                  absl::FunctionRef<float(int64_t step, int64_t feature)> value) {
  std::vector<float> values;
  int64_t step = 0;
  for (const int64_t length : lengths) {
    for (const int64_t end = step + length; step < end; ++step) {
      for (int64_t f = 0; f < features; ++f) values.push_back(value(step, f));
    }
  }
  return SetOf(lengths, features, std::move(values));
}

SeriesSet RandomSet(std::mt19937& random, int64_t features) {
  std::vector<int64_t> lengths(1 + random() % 12);
  for (int64_t& length : lengths) length = 1 + random() % 60;
  std::normal_distribution<float> normal;
  SeriesSet set = MakeSet(lengths, features, [&](int64_t, int64_t) { return normal(random); });
  const unsigned rarity = 2 + random() % 40;
  for (int64_t series = 0; series < set.num_series(); ++series) {
    for (int64_t step = set.begin[series] + 1; step < set.begin[series + 1]; ++step) {
      if (random() % rarity == 0) set.gaps.push_back(step);
    }
  }
  return set;
}

bool Sees(const RowRange& row, const SeriesTask& task, int64_t step) {
  return (step >= row.begin && step < row.begin + row.steps) ||
         (step >= row.target_begin && step < row.target_begin + task.horizon);
}

std::vector<int64_t> TargetsOf(const std::vector<RowRange>& rows) {
  std::vector<int64_t> targets;
  for (const RowRange& row : rows) targets.push_back(row.target_begin);
  return targets;
}

std::vector<int64_t> SeriesOf(const std::vector<RowRange>& rows) {
  std::vector<int64_t> series;
  for (const RowRange& row : rows) series.push_back(row.series);
  return series;
}

}  // namespace seqgraph
