#pragma once

// What a file of series (series_file.h) says of them besides their numbers, as JSON.

#include <string>

#include "absl/types/span.h"
#include "data/series/series_set.h"

namespace seqgraph::data {

/// A part that a column plays, by the name of its flag.
struct SeriesPart {
  const char* name;
  std::string SeriesSourceOptions::*column;
  bool is_answer;  ///< Passed over where no answers are wanted.
};
absl::Span<const SeriesPart> SeriesParts();

struct SeriesFacts {
  SeriesSet set;               ///< Its texts and switches.
  SeriesSourceOptions source;  ///< Its parts, targets, per_step and the rule for missing values.
};

std::string FactsToJson(const SeriesSet& set, const SeriesSourceOptions& source);
/// False for what the other does not write.
bool FactsFromJson(const std::string& json, SeriesFacts* facts);

/// The name of what cannot be so in a set, apart from its values; empty if nothing is wrong.
std::string WrongPart(const SeriesSet& set);

}  // namespace seqgraph::data
