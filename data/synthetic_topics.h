#pragma once

// Made-up notes on several topics: texts of more than two classes, the same on every machine.

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace seqgraph::data {

inline constexpr int kSyntheticTopics = 4;

/// "cooking", "music", "sport", "travel". `topic` must lie in [0, kSyntheticTopics).
absl::string_view SyntheticTopicName(int topic);

/// The text of one note: a pure function of its arguments. 3 to 8 sentences, each with words of its
/// topic; those before the last may be of another one, so the end of a text tells for certain and a
/// count of words most of the time.
std::string SyntheticTopicText(uint64_t seed, int topic, int64_t index);

}  // namespace seqgraph::data
