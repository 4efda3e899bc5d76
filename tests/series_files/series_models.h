#pragma once

// A small model of each task of series, with raw rows for it: in the units of a user, ragged, some
// steps missing.

#include <ostream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "graph/model.h"
#include "graph/tensor.h"
#include "training/examples.h"
#include "training/series/series_model.h"

namespace seqgraph {

struct SeriesFileCase {
  std::string name;
  SeriesModelOptions options;
  std::vector<std::string> labels;

  friend std::ostream& operator<<(std::ostream& out, const SeriesFileCase& c) {
    return out << c.name;
  }
};

std::vector<SeriesFileCase> SeriesFileCases();

/// The model with weights by lot, and with what it knows of its columns, windows and labels.
absl::StatusOr<Model> MakeSeriesFileModel(const SeriesFileCase& series);

/// Rows of pressure (about 1013) and temperature (about 15), the same each time.
class RawRows {
 public:
  explicit RawRows(const SeriesFileCase& series);
  RawRows(const RawRows&) = delete;
  RawRows& operator=(const RawRows&) = delete;

  const Examples& examples() const { return examples_; }
  /// As anybody else's program has to fill them in: [rows, steps, features], kMissingStep in what
  /// is missing.
  Tensor Filled() const;

 private:
  Examples examples_;
  std::vector<int64_t> begin_, steps_;
  std::vector<float> values_;
};

}  // namespace seqgraph
