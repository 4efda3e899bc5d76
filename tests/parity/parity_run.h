#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/parity/parity_case.h"

namespace seqgraph::parity {

/// The largest absolute difference from Keras of one kind of number, and where it stands.
struct Difference {
  std::string what;
  double largest = 0;
  double bar = 0;
  std::string where;
  int64_t compared = 0;

  /// Also false if nothing was compared, or something was NaN.
  bool within() const { return compared > 0 && largest <= bar; }
};

/// Builds the case's model, starts from Keras's initial weights, repeats its training on the
/// backends (names in order of preference) as Fit() does it, and compares the loss of each step,
/// all trained weights, the predictions, and what Evaluate() says.
absl::StatusOr<std::vector<Difference>> RunParity(const ParityCase& parity_case,
                                                  const std::string& backends);

}  // namespace seqgraph::parity
