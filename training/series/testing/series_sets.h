#pragma once

// Sets of series for tests.

#include <cstdint>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "absl/functional/function_ref.h"
#include "base/status_macros.h"
#include "data/series/series_set.h"
#include "training/examples.h"
#include "training/series/windows.h"

namespace seqgraph {

/// A set of series with these numbers of steps and `features` features, "f0", "f1", ..., whose
/// values the function gives by step of the set and feature; in the file "a.csv".
data::SeriesSet MakeSet(const std::vector<int64_t>& lengths, int64_t features,
                        absl::FunctionRef<float(int64_t step, int64_t feature)> value);
/// The values by themselves, step by step.
data::SeriesSet SetOf(const std::vector<int64_t>& lengths, int64_t features,
                      std::vector<float> values);

/// 1 to 12 series of 1 to 60 steps, with gaps; normal values.
data::SeriesSet RandomSet(std::mt19937& random, int64_t features);

/// Whether the row has the step, as input or as target.
bool Sees(const RowRange& row, const SeriesTask& task, int64_t step);

/// The first step to be told of each row.
std::vector<int64_t> TargetsOf(const std::vector<RowRange>& rows);
/// The series of each row.
std::vector<int64_t> SeriesOf(const std::vector<RowRange>& rows);

/// All rows as an input of that name and shape (behind the batch) gets them; T is float or int32_t.
template <typename T>
std::vector<T> Filled(const Examples& examples, const std::string& name, const Shape& shape) {
  std::vector<Dim> dims = {Dim(examples.rows)};
  dims.insert(dims.end(), shape.dims().begin(), shape.dims().end());
  ValueInfo input;
  input.name = name;
  input.type = {std::is_same_v<T, float> ? DType::kFloat32 : DType::kInt32, Shape(dims)};
  const absl::StatusOr<InputFiller> filler = InputFiller::Create(input);
  SEQ_CHECK(filler.ok());
  SEQ_CHECK(examples.Validate().ok());
  SEQ_CHECK(filler->CheckFits(examples).ok());
  std::vector<T> content(examples.rows * filler->width());
  filler->Fill(examples, {}, 0, examples.rows, content.data());
  return content;
}

}  // namespace seqgraph
