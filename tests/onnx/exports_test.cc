// What PyTorch's two exporters and Keras write, and the smallest models that once were refused or
// gave wrong numbers: each converts and gives what its framework computed, or is refused for the
// reason that export_refusals.txt states.

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "graph/compare.h"
#include "tests/onnx/foreign_models.h"
#include "tests/testing.h"

namespace seqgraph::onnx {
namespace {

constexpr double kBar = 1e-5;
// Converted, of those that are there.
constexpr int kExports = 75, kGaps = 15;

std::set<std::string> Stated() {
  std::set<std::string> lines;
  std::ifstream file("tests/onnx/export_refusals.txt");
  EXPECT_TRUE(file);
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line[0] != '#') lines.insert(line);
  }
  return lines;
}

// "NAME: REASON", without the path.
std::string Refusal(const ForeignModel& foreign, const absl::Status& status) {
  absl::string_view reason = status.message();
  absl::ConsumePrefix(&reason, absl::StrCat("cannot load ", foreign.path, ": "));
  return absl::StrCat(foreign.name, ": ", reason);
}

void Check(const std::string& folder, const std::string& backends, int at_least) {
  const std::set<std::string> stated = Stated();
  int converted = 0;
  for (const ForeignModel& foreign : ForeignModels(folder)) {
    SCOPED_TRACE(foreign.name);
    absl::StatusOr<ForeignCase> read = ReadForeignCase(foreign);
    if (!read.ok()) {
      EXPECT_TRUE(stated.count(Refusal(foreign, read.status())) == 1)
          << Refusal(foreign, read.status());
      continue;
    }
    ++converted;
    SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> actual, RunForeignCase(*read, backends));
    ASSERT_GE(actual.size(), read->expected.size());
    for (size_t i = 0; i < read->expected.size(); ++i) {
      const Tensor exact = actual[i].Cast(DType::kFloat64);
      const Tensor expected = read->expected[i].Cast(DType::kFloat64);
      ASSERT_EQ(exact.shape(), expected.shape());
      for (int64_t k = 0; k < exact.num_elements(); ++k) {
        ASSERT_NEAR(exact.Elements<double>()[k], expected.Elements<double>()[k], kBar)
            << "output " << i << ", element " << k;
      }
    }
  }
  EXPECT_GE(converted, at_least);
}

class Exports : public testing::TestWithParam<const char*> {};

TEST_P(Exports, GiveWhatTheirFrameworkComputed) {
  SEQ_SHARED_OR_SKIP(folder, "onnx_exports");
  Check(folder, GetParam(), kExports);
}

// What they must give only ONNX Runtime says: runtime_test.
TEST_P(Exports, SmallestCasesConvertOrAreRefused) {
  SEQ_SHARED_OR_SKIP(folder, "onnx_gaps");
  Check(folder, GetParam(), kGaps);
}

INSTANTIATE_TEST_SUITE_P(Backends, Exports,
                         testing::Values("reference", "onednn,reference", "simd,reference"),
                         [](const auto& info) {
                           const std::string backend = info.param;
                           return backend.substr(0, backend.find(','));
                         });

}  // namespace
}  // namespace seqgraph::onnx
