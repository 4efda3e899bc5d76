#pragma once

// Files of series with what becomes of them, word for word.

#include <string>

#include "data/series/series_set.h"

namespace seqgraph::data {

/// "a,b: 1,2 3,4 | 5,6": features, and of each series its steps; then what there is besides:
/// "; names x y; classes ...".
std::string SeriesText(const SeriesSet& set);

struct SeriesCase {
  const char* name;
  std::string bytes;
  SeriesSourceOptions options;
  std::string expected;  ///< SeriesText() of the set, or the error with FILE for the path.
  const char* file = "a.csv";
};

/// Expects it of the case's file, read by one thread and by two.
void CheckCase(const SeriesCase& each);

}  // namespace seqgraph::data
