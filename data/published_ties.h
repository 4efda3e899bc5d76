#pragma once

#include "absl/strings/string_view.h"

namespace seqgraph::data {

/// Whether the published IMDB word index ranks `a` right before `b` although both occur equally
/// often in the training reviews. The index was written in the order of a Python 2 dictionary,
/// which nothing derives; known are the 30 pairs among the 496 most frequent words (all that
/// num_words = 500 needs; no three words tie there). False for all other pairs.
bool IsPublishedBefore(absl::string_view a, absl::string_view b);

}  // namespace seqgraph::data
