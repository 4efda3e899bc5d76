#include "tests/parity/parity_expectations.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/parity/parity_case.h"
#include "tests/parity/parity_run.h"
#include "tests/testing.h"

namespace seqgraph::parity {

std::vector<std::string> BackendLists() { return {"reference", "onednn", "simd,onednn"}; }

void ExpectParity(const std::string& folder, const std::string& backends) {
  SEQ_ASSERT_OK_AND_ASSIGN(const ParityCase parity_case, ReadParityCase(folder));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto differences, RunParity(parity_case, backends));
  // Predictions and the evaluation's loss; losses, weights and predictions of the training.
  EXPECT_GE(differences.size(), parity_case.epochs == 0 ? 2u : 5u);
  for (const Difference& difference : differences) {
    EXPECT_TRUE(difference.within()) << difference.what << ": " << difference.largest << " beyond "
                                     << difference.bar << " at " << difference.where;
  }
}

std::string ParityTestName(const std::string& name, const std::string& backends) {
  return absl::StrCat(name, "_", absl::StrReplaceAll(backends, {{",", "_"}}));
}

}  // namespace seqgraph::parity
