// What a call costs through the C interface: a node with 20 operands that computes nothing.

#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "backends/plugin/export_backend.h"
#include "backends/plugin/plugin_backend.h"
#include "base/status_macros.h"
#include "graph/function_builder.h"
#include "graph/op_def.h"
#include "graph/op_registry.h"
#include "tests/plugins/plugin_testing.h"

namespace seqgraph {
namespace {

constexpr int kInputs = 19;

// An op that nobody computes, on tensors without elements.
OpRegistry WideOps() {
  OpDef wide("Wide", 1);
  wide.Doc("Nothing, of many operands.").Output({.name = "y"});
  OpExample example{.name = "empty"};
  for (int i = 0; i < kInputs; ++i) {
    wide.Input({.name = "x" + std::to_string(i)});
    example.inputs.push_back(Tensor::Of<float>({0}, {}));
  }
  example.outputs = {Tensor::Of<float>({0}, {})};
  const auto nothing = [](const ReferenceContext&) { return absl::OkStatus(); };
  wide.Example(example).Reference(nothing, nothing).Shapes([](const ShapeContext& c) {
    return absl::StatusOr<std::vector<TensorType>>({c.type(0)});
  });
  OpRegistry ops;
  SEQ_CHECK(ops.Register(std::move(wide)).ok());
  return ops;
}

struct Operands {
  alignas(64) char memory[64];
  std::vector<const void*> inputs = std::vector<const void*>(kInputs, memory);
  std::vector<void*> outputs = {memory};
  std::vector<uint64_t> versions = std::vector<uint64_t>(kInputs, 1);
};

class NothingProgram : public Program {
 public:
  std::string implementation(int) const override { return "nothing"; }
  absl::Status Run(int, const KernelArgs& args) override {
    void* output = args.outputs[0];
    benchmark::DoNotOptimize(output);
    return absl::OkStatus();
  }
};

void BuiltIn(benchmark::State& state) {
  Operands operands;
  std::unique_ptr<Program> program = std::make_unique<NothingProgram>();
  benchmark::DoNotOptimize(program);
  for (auto _ : state) {
    SEQ_CHECK(program->Run(0, {operands.inputs, operands.outputs, operands.versions}).ok());
  }
}
BENCHMARK(BuiltIn);

class NothingBackend : public Backend {
 public:
  const BackendInfo& info() const override { return info_; }
  FunctionClaim ClaimFunction(const Function& function) const override {
    return ClaimEach(function, [](int) { return Claim::Yes(); });
  }
  absl::StatusOr<std::unique_ptr<Program>> Prepare(const ProgramRequest&) const override {
    return std::make_unique<NothingProgram>();
  }

 private:
  BackendInfo info_ = {"nothing", "1", "computes nothing"};
};

void RunWide(benchmark::State& state, const OpRegistry& ops, const Backend& backend) {
  FunctionBuilder g("wide", ops);
  std::vector<Value> inputs;
  for (int i = 0; i < kInputs; ++i) {
    inputs.push_back(g.Input("x" + std::to_string(i), {DType::kFloat32, {0}}));
  }
  g.Result("y", g.AddNode("Wide", inputs)[0]);
  const Function function = *std::move(g).Build();
  const int nodes[] = {0};
  const FunctionClaim claim = backend.ClaimFunction(function);
  auto program =
      backend.Prepare({&function, nodes, std::vector<bool>(function.values().size()), 1, &claim});
  SEQ_CHECK(program.ok());
  Operands operands;
  for (auto _ : state) {
    SEQ_CHECK((*program)->Run(0, {operands.inputs, operands.outputs, operands.versions}).ok());
  }
}

// A plugin in C.
void PluginInC(benchmark::State& state) {
  const auto backend = LoadTestPlugin("tests/plugins/libhostile_claims_everything.so");
  SEQ_CHECK(backend.ok());
  RunWide(state, WideOps(), **backend);
}
BENCHMARK(PluginInC);

// A backend of ours behind the interface: to C structs and back.
void ExportedBackend(benchmark::State& state) {
  const OpRegistry ops = WideOps();
  const NothingBackend nothing;
  PluginTable plugin;
  plugin.table.struct_size = sizeof(sg_backend);
  SEQ_CHECK(ExportBackend(nothing, ops, &plugin.table, nullptr) == SG_OK);
  RunWide(state, ops, PluginBackend(plugin, SerializeForPlugins()));
}
BENCHMARK(ExportedBackend);

}  // namespace
}  // namespace seqgraph
