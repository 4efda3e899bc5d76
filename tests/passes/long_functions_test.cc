// Long functions take work that grows as they do: counted, not timed.

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "backends/all_backends.h"
#include "graph/function_builder.h"
#include "graph/op_def.h"
#include "graph/pass.h"
#include "ops/activations.h"
#include "ops/all_ops.h"
#include "ops/rewrites/all_rewrites.h"
#include "ops/softmax.h"
#include "runtime/compiled_function.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

// x, through `length` nodes by turns of two kinds, of which all standard passes leave the second as
// they are.
Function Chain(int length) {
  FunctionBuilder g("chain", AllOps());
  Value value = g.Input("x", {DType::kFloat32, {2, 4}});
  for (int i = 0; i < length; ++i) {
    value = i % 2 == 0 ? ops::Relu(g, value) : ops::Softmax(g, value);
  }
  g.Result("y", value);
  return std::move(g).Build().value();
}

// What passes ask for a chain of that length: rules about nodes, backends about nodes.
int64_t WorkOf(int length) {
  int64_t work = 0;
  const FunctionPass drops = {
      .name = "drops",
      .rule = "a Relu in front of a Softmax goes, with the Softmax",
      .only_if_claimed = true,
      .rewrites = {{"drops", "", [&work](RewriteContext& c) -> absl::StatusOr<bool> {
                      ++work;
                      const Value relu = c.node().outputs[0];
                      if (c.node().op->name() != "Relu" || !c.OnlyReader(relu)) return false;
                      const Node& reader = c.source().nodes()[c.Consumers(relu)[0]];
                      if (reader.op->name() != "Softmax") return false;
                      const Value x = c.Mapped(c.node().inputs[0]);
                      c.ReplaceLater(reader, 0, ops::Softmax(c.builder(), x));
                      return true;
                    }}}};
  PassList passes = StandardPasses();
  passes.push_back(&drops);
  const NodeOwners owners = [&work](const Function& function) -> absl::StatusOr<std::vector<int>> {
    work += static_cast<int64_t>(function.nodes().size());
    return std::vector<int>(function.nodes().size(), 0);
  };
  const absl::StatusOr<Function> after = RunPasses(Chain(length), AllOps(), passes, owners);
  EXPECT_THAT(after, IsOk());
  if (after.ok()) {
    EXPECT_EQ(after->nodes().size(), static_cast<size_t>(length / 2));
  }
  return work;
}

TEST(LongFunctions, TakeTwiceTheWorkWhereTheyAreTwiceAsLong) {
  const int64_t once = WorkOf(2'000), twice = WorkOf(4'000);
  EXPECT_GE(once, 2'000);
  EXPECT_LE(twice, 2 * once + 100);
}

// All of it: had one phase looked at all nodes for each node, it would not end.
TEST(LongFunctions, CompileOnEachBackend) {
  constexpr int kLength = 30'000;
  const Function chain = Chain(kLength);
  VariableStore variables;
  for (const auto& backend : AllBackends().all()) {
    SEQ_ASSERT_OK_AND_ASSIGN(
        const auto compiled,
        CompiledFunction::Compile(chain, AllOps(), &variables,
                                  {.backends = {backend.get()}, .passes = StandardPasses()}));
    EXPECT_EQ(compiled->assignments().size(), static_cast<size_t>(kLength));
    EXPECT_LE(compiled->memory().values, 4096) << "lives of values are not ended";
    SEQ_EXPECT_OK(compiled->Run());
  }
}

}  // namespace
}  // namespace seqgraph
