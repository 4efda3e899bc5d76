// `seqgraph bench`: what it prints, and how it is misused. Speeds are not judged.

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "data/testing/test_util.h"
#include "tests/end_to_end/process.h"
#include "tests/end_to_end/review_files.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

std::vector<std::string> SmallBench(const std::vector<std::string>& flags) {
  return WithFlags({"bench", "--model=embedding", "--num_words=30", "--maxlen=6", "--units=4",
                    "--embedding_dim=3", "--batch=5", "--backend=reference", "--min_time=0.01"},
                   flags);
}

class BenchTest : public ::testing::Test {
 protected:
  ProcessResult Run(const std::vector<std::string>& arguments) {
    return RunSeqgraph(arguments, {.folder = folder_});
  }
  const std::string folder_ = FolderWithTinyArchive();
};

TEST_F(BenchTest, TheTextHasNodesAndTheCall) {
  const ProcessResult bench = Run(SmallBench({}));
  ASSERT_EQ(bench.status, 0) << bench.err;
  for (const char* part : {"function train_step, batch 5, threads 1; measured peak, GFLOP/s: ",
                           "RNNCellGrad", "EmbeddingGrad", "RMSPropUpdate", "\n(call)"}) {
    EXPECT_THAT(bench.out, HasSubstr(part));
  }
}

TEST_F(BenchTest, BackendsAreComparedSideBySide) {
  const ProcessResult bench =
      Run(SmallBench({"--backends=reference;onednn", "--function=predict", "--format=json"}));
  ASSERT_EQ(bench.status, 0) << bench.err;
  const Json json = Json::parse(bench.out);
  ASSERT_EQ(json["results"].size(), 2u);
  EXPECT_EQ(json["results"][0]["backends"], "reference");
  EXPECT_EQ(json["results"][1]["backends"], "onednn");
  EXPECT_EQ(json["function"], "predict");
  for (const Json& result : json["results"]) {
    std::set<std::string> backends;
    for (const Json& node : result["nodes"]) backends.insert(node["backend"]);
    EXPECT_EQ(backends, std::set<std::string>{result["backends"]});
  }
}

TEST_F(BenchTest, ASavedModelRunsAndIsLeftAsItWas) {
  ASSERT_EQ(Run(WithFlags(TinyTraining("reference"), {"--output=m.pb", "--epochs=1"})).status, 0);
  const std::string before = data::ReadFileOrDie(folder_ + "/m.pb");
  const ProcessResult bench = Run({"bench", "m.pb", "--backend=reference", "--min_time=0.01",
                                   "--profile=p.json", "--profile_steps=3"});
  ASSERT_EQ(bench.status, 0) << bench.err;
  EXPECT_EQ(data::ReadFileOrDie(folder_ + "/m.pb"), before);
  int calls = 0;
  const Json trace = Json::parse(data::ReadFileOrDie(folder_ + "/p.json"));
  for (const Json& event : trace["traceEvents"]) {
    if (event.contains("cat")) calls += event["cat"] == "call";
  }
  EXPECT_EQ(calls, 3);
}

TEST_F(BenchTest, MisuseIsRefused) {
  EXPECT_EQ(Run(SmallBench({"--min_time=0"})).status, 2);
  EXPECT_EQ(Run(SmallBench({"--batch=0"})).status, 2);
  EXPECT_EQ(Run(SmallBench({"--format=xml"})).status, 2);
  EXPECT_EQ(Run({"bench", "m.pb", "--units=3"}).status, 2);
  const ProcessResult function = Run(SmallBench({"--function=no_such"}));
  EXPECT_EQ(function.status, 1);
  EXPECT_THAT(function.err, HasSubstr("train_step"));
  const ProcessResult backend = Run(SmallBench({"--backends=reference;no_such"}));
  EXPECT_EQ(backend.status, 1);
  EXPECT_THAT(backend.err, HasSubstr("no_such"));
  EXPECT_EQ(Run({"bench", "missing.pb"}).status, 1);
}

}  // namespace
}  // namespace seqgraph
