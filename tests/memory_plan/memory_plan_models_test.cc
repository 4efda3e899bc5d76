// The memory that the tutorial's models take is within 5 % of what must live at one time.

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "backends/all_backends.h"
#include "graph/op_def.h"
#include "ops/all_ops.h"
#include "ops/rewrites/all_rewrites.h"
#include "runtime/compiled_function.h"
#include "runtime/memory_plan.h"
#include "tests/testing.h"
#include "training/text_models.h"

namespace seqgraph {
namespace {

// A bound that owes nothing to the storage plan: while a node runs there are the function's inputs
// (until the call ends), what the node reads and what it writes, and what is still to be read. Only
// a declared pair of equal type whose input nobody else needs counts once, and what is written into
// the memory of a variable does not count. What others read of nodes that do not run in every call
// is there all the time. Private layouts are not known here: no private values.
int64_t LiveAtOneTime(const CompiledFunction& compiled) {
  const Function& function = compiled.function();
  const std::vector<bool>& kept = compiled.constant_nodes();
  const auto& nodes = function.nodes();
  const int end = static_cast<int>(nodes.size());
  std::vector<int> first(function.values().size(), end + 1), last(function.values().size(), -1);
  std::vector<bool> read_anew(function.values().size(), false);  // in every call
  for (int n = 0; n < end; ++n) {
    for (Value output : nodes[n].outputs) first[output.index] = n;
    for (Value input : nodes[n].inputs) {
      if (!input.present()) continue;
      last[input.index] = n;
      if (!kept[n]) read_anew[input.index] = true;
    }
  }
  for (const NamedValue& result : function.results()) last[result.value.index] = end;
  for (const NamedValue& update : function.updates()) last[update.value.index] = end;
  for (Value input : function.inputs()) first[input.index] = -1, last[input.index] = end;
  for (int n = 0; n < end; ++n) {
    for (Value output : nodes[n].outputs) {
      if (kept[n] && read_anew[output.index]) first[output.index] = -1, last[output.index] = end;
    }
  }
  int64_t bound = 0;
  for (int n = 0; n < end; ++n) {
    int64_t live = 0;
    for (size_t v = 0; v < function.values().size(); ++v) {
      if (function.values()[v].origin == Origin::kVariable) continue;
      if (first[v] <= n && n <= last[v]) live += function.values()[v].type.num_bytes();
    }
    for (const InPlacePair& pair : nodes[n].op->in_place()) {
      const Value input = nodes[n].inputs[pair.input], output = nodes[n].outputs[pair.output];
      if (input.present() && last[output.index] >= n && last[input.index] == n &&
          function.type(input) == function.type(output)) {
        live -= function.type(output).num_bytes();
      }
    }
    bound = std::max(bound, live);
  }
  return bound;
}

// Values that some node, result or update needs.
int64_t UsedValues(const CompiledFunction& compiled) {
  const std::vector<bool> used = compiled.function().UsedValues();
  return std::count(used.begin(), used.end(), true);
}

struct Plan {
  const char* backend;
  bool one_hot;
};

class TutorialPlans : public ::testing::TestWithParam<Plan> {};

TEST_P(TutorialPlans, TakeAtMost5PercentMoreThanWhatLivesAtOneTime) {
  const auto& [backend, one_hot] = GetParam();
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, MakeTextModel({.one_hot = one_hot}));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto backends, AllBackends().ParseList(backend));
  for (const char* name : {kPredict, kEvaluate, kTrainStep}) {
    for (const int64_t batch : {1, 32, 64}) {
      SCOPED_TRACE(absl::StrFormat("%s, batch %d", name, batch));
      SEQ_ASSERT_OK_AND_ASSIGN(
          const auto compiled,
          CompiledFunction::Compile(
              *model.FindFunction(name), AllOps(), &model.variables,
              {.backends = backends, .batch = batch, .passes = StandardPasses()}));
      const MemoryUse& memory = compiled->memory();
      std::cout << absl::StrFormat("%-10s batch %2d: %8d bytes, %8d live at one time: %.4f\n", name,
                                   batch, memory.values, memory.live_bound,
                                   static_cast<double>(memory.values) / memory.live_bound);
      EXPECT_GE(memory.values, memory.live_bound);
      // Fused, a single review lives in a few hundred bytes: there the lines on which buffers begin
      // take more than 5 %, but no more than one for each value.
      const int64_t lines = kBufferAlignment * static_cast<int64_t>(UsedValues(*compiled));
      EXPECT_LE(memory.values,
                std::max<double>(1.05 * memory.live_bound,
                                 memory.live_bound < 4096 ? memory.live_bound + lines : 0.0));
      const auto& is_opaque = compiled->opaque_values();
      if (std::count(is_opaque.begin(), is_opaque.end(), true) > 0) continue;
      // The plan's own idea of what lives is no more than what must.
      EXPECT_LE(memory.live_bound, LiveAtOneTime(*compiled));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Models, TutorialPlans,
                         ::testing::Values(Plan{"reference", false}, Plan{"reference", true},
                                           Plan{"onednn", false}, Plan{"onednn", true}),
                         [](const auto& info) {
                           return std::string(info.param.backend) +
                                  (info.param.one_hot ? "OneHot" : "Embedding");
                         });

}  // namespace
}  // namespace seqgraph
