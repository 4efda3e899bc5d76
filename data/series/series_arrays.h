#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "data/npy.h"
#include "data/series/series_set.h"

namespace seqgraph::data {

/// Which of a file's arrays play which part; null: none does.
struct SeriesArrays {
  std::map<std::string, NpyArray> arrays;
  std::string x_name;
  NpyArray* x = nullptr;
  const NpyArray *y = nullptr, *lengths = nullptr, *mask = nullptr;
  const NpyArray *weights = nullptr, *groups = nullptr, *times = nullptr;
  std::vector<std::string> notes;
};

/// "[40, 100, 6]".
std::string ShapeText(const NpyArray& array);

/// Element i.
double NumberAt(const NpyArray& array, int64_t i);

/// By the usual names (read_arrays.h) or those of the options. InvalidArgument, saying which arrays
/// there are, without an x, or a y that the options name.
absl::StatusOr<SeriesArrays> ChooseArrays(const std::string& path,
                                          std::map<std::string, NpyArray> arrays,
                                          const SeriesSourceOptions& options);

}  // namespace seqgraph::data
