#pragma once

// Made-up film reviews, the same bytes on every machine, to train on where the real ones are not at
// hand.

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "data/text_source.h"

namespace seqgraph::data {

struct SyntheticOptions {
  uint64_t seed = 1;
  int64_t train_reviews = 8000;  ///< As many pos as neg (one pos more if odd).
  int64_t test_reviews = 2000;
};

/// The text of one review: a pure function of its arguments. 20 to 250 words, most of them drawn
/// with a Zipf-like frequency curve from some thousand words, a part of them invented.
///
/// The opinion of the review is `label` (1 for pos), except that about 1 in 25 has the wrong label.
/// It shows in words ("superb", "dull"), in negated words ("not dull", "never superb") and in
/// order: a review may grant the other side something, and what stands behind "but" or "in the end"
/// counts. The last opinion is always that of the review, so the end of a text tells most.
std::string SyntheticReviewText(uint64_t seed, Split split, int label, int64_t index);

/// Delivers options.train_reviews and then options.test_reviews (or one split `only`) in file
/// order; names are zero-padded indices, "000017.txt". InvalidArgument for a negative size,
/// otherwise only what `sink` returns.
absl::Status ForEachSyntheticReview(const SyntheticOptions& options, std::optional<Split> only,
                                    TextSink sink);

}  // namespace seqgraph::data
