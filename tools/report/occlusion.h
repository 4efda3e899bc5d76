#pragma once

// What of a row moves the model: p(class | row) - p(class | row without a part of it). Positive:
// the part speaks for the class. Source: occlusion sensitivity, Zeiler & Fergus 2014 (arXiv
// 1311.2901).

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "training/model_runner.h"

namespace seqgraph::tools {

/// At most so many parts are left out, one at a time; of longer rows parts have several steps.
inline constexpr int64_t kMostParts = 256;

/// What a row is made of, for people.
struct RowParts {
  /// Of texts: each token from the first that is no padding on; "" is one that the model does not
  /// know.
  std::vector<std::string> tokens;
  bool spaces = true;  ///< between tokens
  /// Of series: [steps, features], without what is missing behind its end.
  std::vector<float> values;
  std::vector<std::string> features;
  int64_t first = 0;  ///< the token or step of the row that is the first part
  int64_t steps_per_part = 1;

  int64_t size() const;  ///< parts
};

/// Those of a row of the examples, as the model takes it.
absl::StatusOr<RowParts> PartsOfRow(const Model& model, const Examples& examples, int64_t row);

/// For each part how far the probability of `label` falls without it: a token becomes one that is
/// not in the vocabulary, a step the mean of the row's steps.
absl::StatusOr<std::vector<double>> Occlude(ModelRunner& runner, const Examples& examples,
                                            int64_t row, const RowParts& parts, int64_t label);

}  // namespace seqgraph::tools
