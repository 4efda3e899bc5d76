// `seqgraph explain --ranks`: what it prints, and how it is misused. Times are not judged.

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/end_to_end/process.h"
#include "tests/end_to_end/review_files.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

class ExplainRanksTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { folder_ = new std::string(FolderWithTinyModel()); }

  static ProcessResult Explain(const std::vector<std::string>& flags) {
    return RunSeqgraph(WithFlags({"explain", "m.pb", "--backend=reference"}, flags),
                       {.folder = *folder_});
  }

  static std::string* folder_;
};
std::string* ExplainRanksTest::folder_ = nullptr;

TEST_F(ExplainRanksTest, PrintsPowersOfTwoAndTheNumberAndWhetherItPays) {
  const ProcessResult explained = Explain({"--ranks=3", "--batch=200"});
  ASSERT_EQ(explained.status, 0) << explained.err;
  EXPECT_THAT(explained.out, HasSubstr("train_step, batch 200 in blocks of 32 rows"));
  EXPECT_THAT(explained.out, HasSubstr("a message takes 10.0 us and 3.125 GB/s"));
  for (const char* row : {"\n    1 ", "\n    2 ", "\n    3 ", "\nA step of "}) {
    EXPECT_THAT(explained.out, HasSubstr(row));
  }
}

TEST_F(ExplainRanksTest, JsonHasTheNetworkThatWasGiven) {
  const ProcessResult explained = Explain({"--ranks=4", "--batch=64", "--block=16", "--latency=1e6",
                                           "--bandwidth=0.5", "--format=json"});
  ASSERT_EQ(explained.status, 0) << explained.err;
  const Json json = Json::parse(explained.out);
  EXPECT_EQ(json["block_rows"], 16);
  EXPECT_DOUBLE_EQ(json["latency_seconds"], 1);
  EXPECT_DOUBLE_EQ(json["seconds_per_byte"], 2e-9);
  ASSERT_EQ(json["plans"].size(), 3u);
  const Json& four = json["plans"][2];
  EXPECT_EQ(four["ranks"], 4);
  // An exchange, 3 rounds of the ring, records, and 2 rounds to all, of a second each.
  EXPECT_NEAR(four["communication_seconds"], 1 + 3 + 1 + 2, 0.01);
  EXPECT_LT(four["efficiency"], 0.01);
  EXPECT_EQ(json["plans"][0]["efficiency"], 1);
  EXPECT_EQ(json["plans"][0]["sent_bytes"], 0);
  EXPECT_LT(four["optimizer_bytes"], json["plans"][0]["optimizer_bytes"]);
  EXPECT_THAT(std::string(json["advice"]), HasSubstr("no faster than one rank"));
}

TEST_F(ExplainRanksTest, MisuseIsSaid) {
  const std::pair<std::vector<std::string>, const char*> misused[] = {
      {{"--format=json"}, "--format: goes with --ranks"},
      {{"--measure"}, "--measure: goes with --distributed"},
      {{"--measure", "--distributed", "--latency=3"}, "excludes"},
      {{"--ranks=2", "--function=predict"}, "--function: does not go with --ranks"},
      {{"--ranks=2", "--html=a.html"}, "--html: does not go with --ranks"},
      {{"--ranks=10001"}, "--ranks"},
      {{"--ranks=2", "--latency=-1"}, "--latency"},
      {{"--ranks=2", "--bandwidth=0"}, "--bandwidth"},
  };
  for (const auto& [flags, said] : misused) {
    const ProcessResult explained = Explain(flags);
    EXPECT_EQ(explained.status, 2) << said;
    EXPECT_THAT(explained.err, HasSubstr(said));
    EXPECT_EQ(explained.out, "");
  }
}

}  // namespace
}  // namespace seqgraph
