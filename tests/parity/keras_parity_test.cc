// Training runs recorded by Keras that are too large for the repository, repeated on every backend
// within the bars of parity_run.cc.

#include <gtest/gtest.h>

#include <string>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "tests/parity/parity_expectations.h"
#include "tests/testing.h"

namespace seqgraph::parity {
namespace {

class KerasParity : public testing::TestWithParam<std::tuple<std::string, std::string>> {};

TEST_P(KerasParity, LossesWeightsAndPredictionsAreWithinTheBars) {
  const auto& [name, backends] = GetParam();
  SEQ_SHARED_OR_SKIP(keras, "keras");
  ExpectParity(absl::StrCat(keras, "/", name), backends);
}

INSTANTIATE_TEST_SUITE_P(Cases, KerasParity,
                         testing::Combine(testing::Values("seed_onehot", "seed_embedding",
                                                          "embedding_partial_batch",
                                                          "simplernn_relu_sequences", "mask_zero",
                                                          "lstm", "gru", "bidirectional"),
                                          testing::ValuesIn(BackendLists())),
                         [](const auto& info) {
                           return ParityTestName(std::get<0>(info.param), std::get<1>(info.param));
                         });

}  // namespace
}  // namespace seqgraph::parity
