#include "tools/bench/bench.h"

#include <algorithm>
#include <atomic>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "graph/function_builder.h"
#include "graph/op_def.h"
#include "ops/all_ops.h"
#include "tests/testing.h"
#include "tools/bench/machine_peak.h"
#include "tools/bench/report.h"
#include "training/model_runner.h"
#include "training/text_models.h"

namespace seqgraph::bench {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;

constexpr double kShort = 0.001;  // seconds: what is measured does not matter here

class BenchTest : public ::testing::Test {
 protected:
  void SetUp() override {
    SEQ_ASSERT_OK_AND_ASSIGN(
        model_, MakeTextModel({.num_words = 20, .maxlen = 5, .embedding_dim = 3, .units = 2}));
    runner_.emplace(&model_, RunnerOptions{.backend = "reference"});
    SEQ_ASSERT_OK_AND_ASSIGN(compiled_, runner_->Compile("train_step", 4));
    SEQ_ASSERT_OK_AND_ASSIGN(const Function* function, model_.GetFunction("train_step"));
    SEQ_ASSERT_OK(FillInputs(*function, *compiled_));
  }

  Model model_;
  std::optional<ModelRunner> runner_;
  CompiledFunction* compiled_ = nullptr;
  MachinePeak peak_{1, kShort};
};

TEST(MachinePeakTest, EveryTargetAndSizeHasARate) {
  MachinePeak peak(2, kShort);
  ASSERT_FALSE(peak.targets().empty());
  EXPECT_EQ(peak.targets()[0].target, "baseline");
  for (const TargetPeak& target : peak.targets()) {
    EXPECT_GT(target.gflops, 0.01) << target.target;
    EXPECT_LE(target.gflops, peak.gflops());
  }
  for (int64_t bytes : {int64_t{0}, int64_t{1}, int64_t{1} << 14, int64_t{1} << 22}) {
    EXPECT_GT(peak.GigabytesPerSecond(bytes), 0.001) << bytes;
  }
}

TEST(MachinePeakTest, TheLeastTimeIsThatOfTheTighterLimit) {
  MachinePeak peak(1, kShort);
  const double arithmetic = 1e9 / (peak.gflops() * 1e9);
  EXPECT_DOUBLE_EQ(peak.LeastSeconds({.flops = 1e9}), arithmetic);
  EXPECT_DOUBLE_EQ(peak.LeastSeconds({.flops = 1e9, .bytes_read = 1}), arithmetic);
  const double traffic = 4096 / (peak.GigabytesPerSecond(4096) * 1e9);
  EXPECT_DOUBLE_EQ(peak.LeastSeconds({.bytes_read = 4000, .bytes_written = 96}), traffic);
}

TEST_F(BenchTest, IdsAreWithinTheTableAndLabelsAreClasses) {
  SEQ_ASSERT_OK_AND_ASSIGN(const Function* function, model_.GetFunction("train_step"));
  const Value tokens = function->inputs()[0];
  EXPECT_EQ(IndexLimit(*function, tokens), 20);
  const auto* ids = static_cast<const int32_t*>(compiled_->input(0));
  EXPECT_THAT(std::vector<int32_t>(ids, ids + 20),
              Each(testing::AllOf(testing::Ge(0), testing::Lt(20))));
  EXPECT_GT(*std::max_element(ids, ids + 20), *std::min_element(ids, ids + 20));
  const auto* labels = static_cast<const float*>(compiled_->input(compiled_->FindInput("labels")));
  EXPECT_THAT(std::vector<float>(labels, labels + 4), Each(testing::AnyOf(0, 1)));
}

TEST_F(BenchTest, EveryNodeHasATime) {
  const std::vector<Contestant> contestants = {{"first", compiled_}, {"second", compiled_}};
  SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<BenchResult> results,
                           RunBench(contestants, {.min_seconds = 0.02}, peak_));
  ASSERT_EQ(results.size(), 2u);
  for (const BenchResult& result : results) {
    EXPECT_GT(result.calls, 0);
    EXPECT_EQ(result.nodes.size(), compiled_->function().nodes().size());
    for (const NodeResult& node : result.nodes) {
      EXPECT_GT(node.seconds, 0) << node.node.node;
      EXPECT_GT(node.roofline_percent, 0) << node.node.node;
    }
    EXPECT_GE(result.dispatch, 0);
    EXPECT_LT(result.dispatch, result.seconds);
    EXPECT_DOUBLE_EQ(result.samples_per_second() * result.seconds, 4);
  }
}

TEST_F(BenchTest, AnInterruptLeavesWhatHasBeenMeasuredOrIsAnError) {
  const std::atomic<bool> interrupt{true};
  EXPECT_THAT(RunBench({{"only", compiled_}}, {.min_seconds = 1e9, .interrupt = &interrupt}, peak_)
                  .status(),
              StatusIs(absl::StatusCode::kCancelled, "interrupted"));
}

// 2 ms a call of 4 rows: 2,000 samples/s; 1 ms of it and 2e6 FLOPs in a node: 2 GFLOP/s.
TEST_F(BenchTest, APageHasTheNumbersAndTextsAreTexts) {
  BenchResult result{.backends = "<script>", .batch = 4, .calls = 10, .seconds = 0.002};
  NodeResult node{.seconds = 0.001, .roofline_percent = 12.5};
  node.node.node = "<b>";
  node.node.cost.flops = 2e6;
  result.nodes = {node};
  const std::string page = BenchHtml({"f", 4, 1}, {result}, peak_);
  EXPECT_EQ(page.find("<script"), std::string::npos);
  EXPECT_EQ(page.find("<b></th>"), std::string::npos);
  for (const char* text : {"<b>2000</b>", "50.0 %", ">2.00<", ">12.5 %<", "&lt;script&gt;"}) {
    EXPECT_THAT(page, HasSubstr(text));
  }
}

TEST_F(BenchTest, ReportsHaveEveryNode) {
  SEQ_ASSERT_OK_AND_ASSIGN(
      const std::vector<BenchResult> results,
      RunBench({{"reference", compiled_}, {"again", compiled_}}, {.min_seconds = 0.001}, peak_));
  const BenchSubject subject{"train_step", 4, 1};
  const std::string text = BenchText(subject, results, peak_);
  const auto json = nlohmann::json::parse(BenchJson(subject, results, peak_));
  EXPECT_EQ(json["function"], "train_step");
  EXPECT_EQ(json["batch"], 4);
  EXPECT_GT(json["peak_gflops"]["baseline"], 0);
  ASSERT_EQ(json["results"].size(), 2u);
  EXPECT_EQ(json["results"][1]["backends"], "again");
  const std::vector<Node>& nodes = compiled_->function().nodes();
  ASSERT_EQ(json["results"][0]["nodes"].size(), nodes.size());
  for (size_t n = 0; n < nodes.size(); ++n) {
    EXPECT_THAT(text, HasSubstr("\n" + nodes[n].name + " "));
    const auto& node = json["results"][0]["nodes"][n];
    EXPECT_EQ(node["node"], nodes[n].name);
    EXPECT_EQ(node["op"], nodes[n].op->name());
    EXPECT_NEAR(node["gflops_per_second"].get<double>(),
                node["flops"].get<double>() / node["seconds"].get<double>() * 1e-9, 1e-9);
  }
  EXPECT_THAT(text, HasSubstr("times the first's speed"));
}

}  // namespace
}  // namespace seqgraph::bench
