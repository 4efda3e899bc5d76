#pragma once

// Encoded reviews as bytes, and back. What is read is checked as if a stranger had written it; only
// the meaning of the numbers is the writer's word. Numbers are in the byte order of the machine:
// data_cache.h, which keeps these bytes, refuses those of another.

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/text_dataset.h"

namespace seqgraph {

std::string TokenSetBytes(const data::TokenSet& set);

/// DataLoss, saying what is wrong, for bytes that are none of these, codes outside [0, num_words),
/// targets outside [0, classes), and rows of a length other than `maxlen`.
absl::StatusOr<data::TokenSet> ParseTokenSet(absl::string_view bytes, int num_words, int maxlen,
                                             int classes = 2);

/// All but the description.
std::string DatasetBytes(const data::Dataset& dataset);

/// As ParseTokenSet().
absl::StatusOr<data::Dataset> ParseDataset(absl::string_view bytes, int num_words, int maxlen,
                                           data::TokenRule rule = data::TokenRule::kImdb);

}  // namespace seqgraph
