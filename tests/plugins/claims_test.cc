// How often a backend is asked while a function is compiled, and what of its answer comes back:
// counts, on functions of many nodes.

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "backends/all_backends.h"
#include "backends/plugin/export_backend.h"
#include "backends/plugin/plugin_backend.h"
#include "backends/plugin/plugin_table.h"
#include "graph/function_builder.h"
#include "graph/model.h"
#include "gtest/gtest.h"
#include "ops/all_ops.h"
#include "ops/rewrites/all_rewrites.h"
#include "runtime/compiled_function.h"
#include "tests/plugins/plugin_testing.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

// y = tanh(sigmoid(tanh(... x))), n nodes.
Function Chain(int n) {
  FunctionBuilder g("chain", AllOps());
  Value y = g.Input("x", {DType::kFloat32, {2, 3}});
  for (int i = 0; i < n; ++i) y = g.AddNode(i % 2 == 0 ? "Tanh" : "Sigmoid", {y})[0];
  g.Result("y", y);
  return std::move(g).Build().value();
}

// What happens behind the C interface of a built-in backend.
struct Counts {
  int serialized = 0, claimed = 0, claimed_one = 0, prepared = 0, choices = 0, released = 0;
  int64_t nodes_claimed = 0;
};
Counts counts;
sg_backend inner;  // the table that the counting one calls
bool refuse_fused = false;

int32_t CountClaim(void* instance, const sg_function* function, int32_t node, sg_claim* claim,
                   sg_status* status) {
  ++counts.claimed_one;
  return inner.claim(instance, function, node, claim, status);
}
int32_t CountClaimFunction(void* instance, const sg_function* function, sg_function_claim* claim,
                           sg_status* status) {
  ++counts.claimed;
  counts.nodes_claimed += claim->num_nodes;
  const int32_t code = inner.claim_function(instance, function, claim, status);
  counts.choices += claim->choice != nullptr;
  for (int32_t n = 0; refuse_fused && n < claim->num_nodes; ++n) {
    sg_node node;
    if (sg_get_node(function, n, &node) != 0 && sg_equal(node.op, "FusedElementwise") != 0) {
      sg_refuse(claim->nodes[n], SG_UNKNOWN_OP, "not implemented");
    }
  }
  return code;
}
int32_t CountPrepare(void* instance, const sg_prepare_args* args, sg_program* program,
                     sg_status* status) {
  ++counts.prepared;
  return inner.prepare(instance, args, program, status);
}
void CountRelease(void* choice) {
  ++counts.released;
  inner.release_choice(choice);
}

// A plugin of version 2, or what is left of it for one of version 1.
PluginTable CountingPlugin(const char* backend, uint32_t version) {
  PluginTable plugin;
  plugin.label = "plugin counting";
  plugin.info.name = "counting";
  plugin.table.struct_size = sizeof(sg_backend);
  plugin.table.abi_version = version;
  SEQ_CHECK(ExportBackend(**AllBackends().Get(backend), AllOps(), &plugin.table, nullptr) == SG_OK);
  inner = plugin.table;
  plugin.table.claim = CountClaim;
  plugin.table.claim_function = version >= 2 ? CountClaimFunction : nullptr;
  plugin.table.release_choice = version >= 2 ? CountRelease : nullptr;
  plugin.table.prepare = CountPrepare;
  counts = {};
  return plugin;
}

FunctionSerializer CountingSerializer() {
  return [serialize = SerializeForPlugins()](const Function& function) {
    ++counts.serialized;
    return serialize(function);
  };
}

Counts CompileChain(int n, const char* backend, uint32_t version, const PassList& passes) {
  const PluginBackend plugin(CountingPlugin(backend, version), CountingSerializer());
  VariableStore variables;
  CompileOptions options;
  options.backends = {&plugin, *AllBackends().Get("reference")};
  options.passes = passes;
  EXPECT_THAT(CompiledFunction::Compile(Chain(n), AllOps(), &variables, options), IsOk());
  return counts;
}

TEST(ClaimsOfAPlugin, AFunctionIsSerializedOnceHoweverManyNodesItHas) {
  for (const int n : {1, 10, 1000}) {
    const Counts c = CompileChain(n, "reference", 2, {});
    EXPECT_EQ(c.serialized, 1) << n;
    EXPECT_EQ(c.claimed, 1) << n;
    EXPECT_EQ(c.claimed_one, 0) << n;
    EXPECT_EQ(c.nodes_claimed, n);
    EXPECT_EQ(c.prepared, 2) << n;  // the trial that holds it to its promise, and the program
  }
}

TEST(ClaimsOfAPlugin, OfVersion1AreAskedOnceANodeAndSerializedOnce) {
  // Each claim of an exported backend decodes the function, so not too many.
  for (const int n : {1, 10, 60}) {
    const Counts c = CompileChain(n, "reference", 1, {});
    EXPECT_EQ(c.serialized, 1) << n;
    EXPECT_EQ(c.claimed_one, n);
  }
}

// Each trial of a pass is another function, so it is asked for anew: how many there are must not
// grow with the function, nor must one function be asked for twice.
TEST(ClaimsOfAPlugin, WithAllPassesTheFunctionsThatAreAskedForDoNotGrowWithTheNodes) {
  for (const char* backend : {"reference", "onednn"}) {
    const Counts few = CompileChain(20, backend, 2, StandardPasses());
    const Counts many = CompileChain(200, backend, 2, StandardPasses());
    EXPECT_LE(few.serialized, 16) << backend;
    EXPECT_LE(many.serialized, few.serialized + 2) << backend;
    EXPECT_EQ(many.claimed, many.serialized) << backend;
    EXPECT_EQ(many.claimed_one, 0) << backend;
  }
}

// Each of many matches makes a node that the plugin refuses. That is seen in a trial of all of
// them and of some alone, and not in one of each.
TEST(ClaimsOfAPlugin, APassWhoseNodesAreRefusedIsNotTriedForEachMatch) {
  refuse_fused = true;
  const Counts few = CompileChain(20, "reference", 2, StandardPasses());
  const Counts many = CompileChain(200, "reference", 2, StandardPasses());
  refuse_fused = false;
  EXPECT_LE(few.serialized, 12);
  EXPECT_LE(many.serialized, few.serialized + 1);
}

TEST(ClaimsOfAPlugin, EveryChoiceIsGivenBack) {
  const Counts c = CompileChain(30, "reference", 2, StandardPasses());
  EXPECT_GT(c.choices, 0);
  EXPECT_EQ(c.released, c.choices);
}

// The built-in backends answer once too: AssignNodes asks none twice.
class CountingBackend : public Backend {
 public:
  explicit CountingBackend(const Backend& backend) : backend_(backend) {}
  const BackendInfo& info() const override { return backend_.info(); }
  FunctionClaim ClaimFunction(const Function& function) const override {
    ++claims;
    FunctionClaim claim = backend_.ClaimFunction(function);
    last_choice = claim.choice;
    return claim;
  }
  absl::StatusOr<std::unique_ptr<Program>> Prepare(const ProgramRequest& request) const override {
    EXPECT_NE(request.claim, nullptr);
    EXPECT_EQ(request.claim->choice, last_choice);
    return backend_.Prepare(request);
  }
  mutable int claims = 0;
  mutable std::shared_ptr<const void> last_choice;

 private:
  const Backend& backend_;
};

TEST(ClaimsOfABackend, AreAskedOnceAndComeBackInPrepare) {
  const CountingBackend simd(**AllBackends().Get("simd"));
  const CountingBackend onednn(**AllBackends().Get("onednn"));
  VariableStore variables;
  CompileOptions options;
  options.backends = {&simd, &onednn};
  // A node that is preferred elsewhere takes a second round, but no second question.
  options.preferences = {{"tanh", "onednn"}};
  SEQ_ASSERT_OK_AND_ASSIGN(const auto compiled,
                           CompiledFunction::Compile(Chain(12), AllOps(), &variables, options));
  EXPECT_EQ(simd.claims, 1);
  EXPECT_EQ(onednn.claims, 1);
  EXPECT_EQ(compiled->assignments()[0].backend, "onednn");
  EXPECT_EQ(compiled->assignments()[1].backend, "simd");
}

}  // namespace
}  // namespace seqgraph
