#include "graph/pass.h"

#include <string>
#include <utility>
#include <vector>

#include "graph/function_builder.h"
#include "graph/printer.h"
#include "graph/testing/test_ops.h"
#include "graph/verifier.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
const TensorType kRows{DType::kFloat32, {4, 3}};

// Every node on the one backend there is.
absl::StatusOr<std::vector<int>> OneOwner(const Function& function) {
  return std::vector<int>(function.nodes().size(), 0);
}

// Each node on the backend that its op has; an error for ops that are not in the list.
NodeOwners OwnersByOp(std::vector<std::pair<std::string, int>> owners) {
  return [owners](const Function& function) -> absl::StatusOr<std::vector<int>> {
    std::vector<int> result;
    for (const Node& node : function.nodes()) {
      for (const auto& [op, owner] : owners) {
        if (op == node.op->name()) result.push_back(owner);
      }
    }
    if (result.size() != function.nodes().size()) return absl::InvalidArgumentError("unclaimed");
    return result;
  };
}

// from(x) = to(x, ...)
Rewrite Rename(std::string from, std::string to) {
  return {from + "_to_" + to, "", [from, to](RewriteContext& c) -> absl::StatusOr<bool> {
            if (c.node().op->name() != from) return false;
            std::vector<Value> inputs;
            for (Value input : c.node().inputs) inputs.push_back(c.Mapped(input));
            if (to == "Add") inputs.push_back(inputs[0]);
            c.ReplaceOutput(0, c.builder().AddNode(to, inputs, {}, c.node().name + "/new")[0]);
            return true;
          }};
}

absl::StatusOr<Function> RunOne(const Function& function, const FunctionPass& pass,
                                const NodeOwners& owners, int* count) {
  const FunctionPass dead_code = DeadCode();
  std::vector<RewriteCount> counts;
  absl::StatusOr<Function> result =
      RunPasses(function, TestOps(), {&pass, &dead_code}, owners, &counts);
  *count = counts.empty() ? -1 : counts[0].count;
  return result;
}

Function Unary(const std::vector<std::string>& ops) {
  FunctionBuilder g("f", TestOps());
  Value x = g.Input("x", kRows);
  for (const std::string& op : ops) x = g.AddNode(op, {x})[0];
  g.Result("y", x);
  return std::move(g).Build().value();
}

TEST(CommonSubexpressions, MergeNodesOfEqualOpAttributesAndInputs) {
  FunctionBuilder g("f", TestOps());
  const Value x = g.Input("x", kRows), y = g.Input("y", kRows);
  const auto scale = [&](Value of, double factor) {
    return g.AddNode("Scale", {of}, {{"factor", factor}})[0];
  };
  const auto sum = [&](Value a, Value b) { return g.AddNode("Add", {a, b})[0]; };
  // The second generation is equal once the first is merged.
  g.Result("a", sum(scale(x, 2), scale(y, 2)));
  g.Result("b", sum(scale(x, 2), scale(y, 2)));
  // Neither these: other operands, another order, another factor; -0 is not 0.
  g.Result("c", sum(scale(y, 2), scale(x, 2)));
  g.Result("d", scale(x, 3));
  g.Result("plus", scale(x, 0.0));
  g.Result("minus", scale(x, -0.0));
  SEQ_ASSERT_OK_AND_ASSIGN(const Function f, std::move(g).Build());
  const FunctionPass pass = CommonSubexpressions();
  std::vector<RewriteCount> counts;
  SEQ_ASSERT_OK_AND_ASSIGN(const Function merged, RunPasses(f, TestOps(), {&pass}, {}, &counts));
  SEQ_EXPECT_OK(VerifyFunction(merged));
  EXPECT_EQ(merged.FindResult("a"), merged.FindResult("b"));
  EXPECT_NE(merged.FindResult("a"), merged.FindResult("c"));
  EXPECT_NE(merged.FindResult("plus"), merged.FindResult("minus"));
  EXPECT_EQ(merged.nodes().size(), 7u);
  EXPECT_EQ(counts[0].count, 5);
}

TEST(CommonSubexpressions, LeaveImpureOpsAlone) {
  OpRegistry registry = MakeTestOps();
  SEQ_ASSERT_OK(registry.Register(CopyOp("Noise").Impure()));
  FunctionBuilder g("f", registry);
  const Value x = g.Input("x", {DType::kFloat32, {3}});
  g.Result("a", g.AddNode("Noise", {x})[0]);
  g.Result("b", g.AddNode("Noise", {x})[0]);
  SEQ_ASSERT_OK_AND_ASSIGN(const Function f, std::move(g).Build());
  const FunctionPass pass = CommonSubexpressions();
  SEQ_ASSERT_OK_AND_ASSIGN(const Function same, RunPasses(f, registry, {&pass}));
  EXPECT_EQ(FunctionToText(same), FunctionToText(f));
}

TEST(DeadCode, StaysWithoutThePass) {
  FunctionBuilder g("f", TestOps());
  const Value x = g.Input("x", kRows);
  g.AddNode("Round", {g.AddNode("Scale", {x})[0]});
  g.Result("y", g.AddNode("Add", {x, x})[0]);
  SEQ_ASSERT_OK_AND_ASSIGN(const Function f, std::move(g).Build());
  SEQ_ASSERT_OK_AND_ASSIGN(const Function same, RunPasses(f, TestOps(), {}));
  EXPECT_EQ(FunctionToText(same), FunctionToText(f));
  const FunctionPass pass = DeadCode();
  std::vector<RewriteCount> counts;
  SEQ_ASSERT_OK_AND_ASSIGN(const Function live, RunPasses(f, TestOps(), {&pass}, {}, &counts));
  EXPECT_EQ(live.nodes().size(), 1u);
  EXPECT_EQ(counts[0].count, 2);
}

TEST(Passes, ThatAskForAClaimFireWhereTheOwnerOfTheMatchTakesTheReplacement) {
  const FunctionPass pass{
      .name = "p", .only_if_claimed = true, .rewrites = {Rename("Round", "Scale")}};
  const Function f = Unary({"Round"});
  int count = 0;
  const struct {
    NodeOwners owners;
    int fired;
    const char* why;
  } cases[] = {
      {OwnersByOp({{"Round", 0}, {"Scale", 0}}), 1, "same backend"},
      {OwnersByOp({{"Round", 1}, {"Scale", 0}}), 1, "an earlier backend"},
      {OwnersByOp({{"Round", 0}, {"Scale", 1}}), 0, "a later backend"},
      {OwnersByOp({{"Round", 0}}), 0, "no backend"},
      {OwnersByOp({{"Scale", 0}}), 0, "the function runs nowhere as it is"},
      {NodeOwners(), 0, "no backends are known"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.why);
    SEQ_ASSERT_OK_AND_ASSIGN(const Function result, RunOne(f, pass, c.owners, &count));
    EXPECT_EQ(count, c.fired);
    EXPECT_EQ(result.nodes()[0].op->name(), c.fired > 0 ? "Scale" : "Round");
  }
}

TEST(Passes, DoNotTakeWorkFromAnEarlierBackendThroughWhatDies) {
  // Scale and Round become one Add: it must be with the earlier of their two owners.
  const Rewrite rewrite{"fuse", "", [](RewriteContext& c) -> absl::StatusOr<bool> {
                          const Node* inner = c.source().producer(c.node().inputs[0]);
                          if (c.node().op->name() != "Round" || inner == nullptr) return false;
                          const Value x = c.Mapped(inner->inputs[0]);
                          c.ReplaceOutput(0, c.builder().AddNode("Add", {x, x})[0]);
                          return true;
                        }};
  const FunctionPass pass{.name = "p", .only_if_claimed = true, .rewrites = {rewrite}};
  const Function f = Unary({"Scale", "Round"});
  int count = 0;
  SEQ_ASSERT_OK(
      RunOne(f, pass, OwnersByOp({{"Scale", 0}, {"Round", 1}, {"Add", 1}}), &count).status());
  EXPECT_EQ(count, 0);
  SEQ_ASSERT_OK(
      RunOne(f, pass, OwnersByOp({{"Scale", 0}, {"Round", 1}, {"Add", 0}}), &count).status());
  EXPECT_EQ(count, 1);
}

TEST(Passes, FireAtThoseMatchesThatAreAllowed) {
  // The first Round may become Scale, the second not: Round -> Scale costs Sum its backend.
  const FunctionPass pass{
      .name = "p", .only_if_claimed = true, .rewrites = {Rename("Round", "Scale")}};
  FunctionBuilder g("f", TestOps());
  const Value x = g.Input("x", kRows);
  g.Result("free", g.AddNode("Round", {x}, {}, "free")[0]);
  g.Result("sum", g.AddNode("Sum", {g.AddNode("Round", {x}, {}, "bound")[0]})[0]);
  SEQ_ASSERT_OK_AND_ASSIGN(const Function f, std::move(g).Build());
  const NodeOwners owners = [](const Function& function) -> absl::StatusOr<std::vector<int>> {
    std::vector<int> result;
    for (const Node& node : function.nodes()) {
      if (node.op->name() == "Sum") {
        const Node* from = function.producer(node.inputs[0]);
        if (from->op->name() != "Round") return absl::InvalidArgumentError("only with Round");
      }
      result.push_back(0);
    }
    return result;
  };
  int count = 0;
  SEQ_ASSERT_OK_AND_ASSIGN(const Function result, RunOne(f, pass, owners, &count));
  EXPECT_EQ(count, 1);
  EXPECT_EQ(result.producer(result.FindResult("free"))->op->name(), "Scale");
  const Node* sum = result.producer(result.FindResult("sum"));
  EXPECT_EQ(result.producer(sum->inputs[0])->op->name(), "Round");
}

TEST(Passes, TryTwoMatchesTogetherWhereEachAloneIsRefused) {
  // NewLeft runs only beside NewRight, and Third's replacement nowhere.
  OpRegistry registry = MakeTestOps();
  SEQ_ASSERT_OK(registry.Register(CopyOp("Left")));
  SEQ_ASSERT_OK(registry.Register(CopyOp("Right")));
  SEQ_ASSERT_OK(registry.Register(CopyOp("NewLeft")));
  SEQ_ASSERT_OK(registry.Register(CopyOp("NewRight")));
  SEQ_ASSERT_OK(registry.Register(CopyOp("Third")));
  SEQ_ASSERT_OK(registry.Register(CopyOp("Nowhere")));
  const FunctionPass pair{.name = "pair",
                          .only_if_claimed = true,
                          .rewrites = {Rename("Left", "NewLeft"), Rename("Right", "NewRight"),
                                       Rename("Third", "Nowhere")}};
  FunctionBuilder g("f", registry);
  const Value x = g.Input("x", {DType::kFloat32, {3}});
  for (const char* op : {"Left", "Right", "Third"}) g.Result(op, g.AddNode(op, {x})[0]);
  SEQ_ASSERT_OK_AND_ASSIGN(const Function f, std::move(g).Build());
  const NodeOwners owners = [](const Function& function) -> absl::StatusOr<std::vector<int>> {
    int pairs = 0;
    for (const Node& node : function.nodes()) {
      if (node.op->name() == "Nowhere") return absl::InvalidArgumentError("no kernel");
      pairs += node.op->name() == "NewLeft" || node.op->name() == "Right";
    }
    if (pairs == 0 || pairs == 2) return absl::InvalidArgumentError("half a pair");
    return std::vector<int>(function.nodes().size(), 0);
  };
  std::vector<RewriteCount> counts;
  SEQ_ASSERT_OK_AND_ASSIGN(const Function result, RunPasses(f, registry, {&pair}, owners, &counts));
  EXPECT_EQ(counts[0].count, 2);
  EXPECT_EQ(result.producer(result.FindResult("Left"))->op->name(), "NewLeft");
  EXPECT_EQ(result.producer(result.FindResult("Right"))->op->name(), "NewRight");
  EXPECT_EQ(result.producer(result.FindResult("Third"))->op->name(), "Third");
}

TEST(Passes, ThatMustSaveTimeDoNotFireElsewhere) {
  // Add reads twice what Round reads.
  const FunctionPass dearer{
      .name = "p", .only_if_cheaper = true, .rewrites = {Rename("Round", "Add")}};
  const FunctionPass same{
      .name = "p", .only_if_cheaper = true, .rewrites = {Rename("Round", "Scale")}};
  int count = 0;
  for (const FunctionPass& pass : {dearer, same}) {
    SEQ_ASSERT_OK(RunOne(Unary({"Round"}), pass, {}, &count).status());
    EXPECT_EQ(count, 0);
  }
  const Rewrite drop{"drop", "", [](RewriteContext& c) -> absl::StatusOr<bool> {
                       c.ReplaceOutput(0, c.Mapped(c.node().inputs[0]));
                       return true;
                     }};
  const FunctionPass cheaper{.name = "p", .only_if_cheaper = true, .rewrites = {drop}};
  SEQ_ASSERT_OK_AND_ASSIGN(const Function result,
                           RunOne(Unary({"Round", "Scale"}), cheaper, {}, &count));
  EXPECT_EQ(count, 2);
  EXPECT_EQ(result.nodes().size(), 0u);
}

TEST(Passes, ThatMustSaveTimeWaitForTheBatch) {
  FunctionBuilder g("f", TestOps());
  g.Result("y", g.AddNode("Round", {g.Input("x", {DType::kFloat32, {Dim::Batch()}})})[0]);
  SEQ_ASSERT_OK_AND_ASSIGN(const Function f, std::move(g).Build());
  const Rewrite drop{"drop", "", [](RewriteContext& c) -> absl::StatusOr<bool> {
                       c.ReplaceOutput(0, c.Mapped(c.node().inputs[0]));
                       return true;
                     }};
  const FunctionPass pass{.name = "p", .only_if_cheaper = true, .rewrites = {drop}};
  int count = 0;
  SEQ_ASSERT_OK(RunOne(f, pass, {}, &count).status());
  EXPECT_EQ(count, 0);
}

TEST(Passes, ThatUndoEachOtherAreAnError) {
  const FunctionPass there{.name = "there", .rewrites = {Rename("Round", "Scale")}};
  const FunctionPass back{.name = "back", .rewrites = {Rename("Scale", "Round")}};
  EXPECT_THAT(RunPasses(Unary({"Round"}), TestOps(), {&there, &back}),
              StatusIs(absl::StatusCode::kInternal, "did not come to rest"));
}

TEST(Passes, OfALaterStageWaitUntilTheFirstIsDone) {
  // Round -> Scale in the first stage; in the second Scale -> Round stays.
  const FunctionPass late{
      .name = "late", .stage = PassStage::kFuse, .rewrites = {Rename("Scale", "Round")}};
  const FunctionPass early{.name = "early", .rewrites = {Rename("Round", "Scale")}};
  std::vector<RewriteCount> counts;
  SEQ_ASSERT_OK_AND_ASSIGN(const Function result, RunPasses(Unary({"Round", "Scale"}), TestOps(),
                                                            {&late, &early}, OneOwner, &counts));
  EXPECT_EQ(counts[0].count, 2);
  EXPECT_EQ(counts[1].count, 1);
  EXPECT_EQ(result.nodes()[0].op->name(), "Round");
}

TEST(SelectPasses, TakesAllNoneNamesAndAllBut) {
  const FunctionPass a{.name = "a"}, b{.name = "b"}, c{.name = "c"};
  const PassList all = {&a, &b, &c};
  const auto names = [&](absl::string_view text) {
    const absl::StatusOr<PassList> list = SelectPasses(all, text);
    if (!list.ok()) return std::string(list.status().message());
    std::string joined;
    for (const FunctionPass* pass : *list) joined += pass->name;
    return joined;
  };
  EXPECT_EQ(names("all"), "abc");
  EXPECT_EQ(names("none"), "");
  EXPECT_EQ(names("c,a"), "ac");
  EXPECT_EQ(names("-b"), "ac");
  EXPECT_EQ(names("-b, -a"), "c");
  EXPECT_EQ(names("all,-c"), "ab");
  EXPECT_EQ(names("none,b"), "b");
  EXPECT_EQ(names("a,b,-a"), "b");
  for (const char* bad : {"", "d", "-d", "a,,b", "-all", "-none", "A"}) {
    EXPECT_THAT(SelectPasses(all, bad), StatusIs(kInvalid, "there are a, b, c")) << bad;
  }
}

}  // namespace
}  // namespace seqgraph
