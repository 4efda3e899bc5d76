#include "tools/conformance/function_check.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/function_builder.h"

namespace seqgraph::conformance {

OpSample InFloat(const OpSample& sample) {
  return {CastReals(sample.attributes, DType::kFloat32), CastReals(sample.inputs, DType::kFloat32)};
}

absl::StatusOr<Problem> OneNode(const OpDef& op, const OpRegistry& registry, const OpSample& sample,
                                const OneNodeOptions& options) {
  const OpSample in_float = InFloat(sample);
  Problem problem;
  FunctionBuilder g(options.variables ? "on_variables" : "one_node", registry);
  std::vector<Value> inputs;
  for (size_t i = 0; i < in_float.inputs.size(); ++i) {
    inputs.emplace_back();
    if (!in_float.inputs[i].has_value()) continue;
    const std::string& name = op.inputs()[i].name;
    const TensorType& type = in_float.inputs[i]->type();
    inputs.back() = options.variables && IsReal(type.dtype)
                        ? g.Variable({.name = name, .type = type})
                        : g.Input(name, type);
    problem.contents[name] = *in_float.inputs[i];
  }
  const std::vector<Value> outputs = g.AddNode(op.name(), inputs, in_float.attributes);
  for (size_t o = 0; o < outputs.size(); ++o) {
    if (options.only >= 0 && options.only != static_cast<int>(o)) continue;
    g.Result(op.outputs()[o].name, outputs[o]);
  }
  SEQ_ASSIGN_OR_RETURN(problem.function, std::move(g).Build());
  return problem;
}

std::unique_ptr<GuardedRun> Start(const Problem& problem, const CaseContext& context,
                                  const GuardedRunOptions& options, Verdict& verdict) {
  absl::StatusOr<std::unique_ptr<GuardedRun>> run =
      GuardedRun::Create(problem.function, context.backend, options);
  if (absl::IsUnimplemented(run.status())) {
    verdict.Refuse(std::string(run.status().message()));
    return nullptr;
  }
  if (!verdict.Check(run.status(), "preparing")) return nullptr;
  if (!verdict.Check((*run)->SetAll(problem.contents), "setting inputs")) return nullptr;
  return *std::move(run);
}

void RunAndCheckNodes(GuardedRun& run, const ExactRun& exact, Verdict& verdict) {
  if (!verdict.Check(run.Run(verdict), "running") || !verdict.ok()) return;
  const std::vector<const Tensor*> values = run.Values();
  for (size_t n = 0; n < run.function().nodes().size() && verdict.ok(); ++n) {
    verdict.Check(exact.CheckNode(static_cast<int>(n), values, verdict), "the definition");
  }
}

void CheckProblem(const absl::StatusOr<Problem>& problem, const CaseContext& context, uint64_t seed,
                  Verdict& verdict) {
  if (!verdict.Check(problem.status(), "building")) return;
  CheckEachNode(*problem, context, verdict);
  if (verdict.ok()) CheckChain(*problem, context, seed, verdict);
}

void CheckEachNode(const Problem& problem, const CaseContext& context, Verdict& verdict) {
  absl::StatusOr<ExactRun> exact = ExactRun::Create(problem.function, context.registry);
  if (!verdict.Check(exact.status(), "the function in float64")) return;
  TensorMap first;
  {
    const auto run = Start(problem, context, {}, verdict);
    if (run == nullptr) return;
    RunAndCheckNodes(*run, *exact, verdict);
    if (!verdict.ok()) return;
    first = run->Results();
    verdict.Note(run->implementation(static_cast<int>(problem.function.nodes().size()) - 1));
  }
  const struct {
    const char* name;
    GuardedRunOptions options;
  } kPasses[] = {
      {"other bytes in the outputs beforehand", {.fill = 0}},
      {"unmapped pages behind the buffers", {.guard = Guard::kPage, .fill = 0xA5}},
      {"outputs in the memory of inputs", {.in_place = true}},
  };
  for (const auto& pass : kPasses) {
    const auto run = Start(problem, context, pass.options, verdict);
    if (run == nullptr) return;
    if (pass.options.in_place && !run->shares_memory()) continue;
    RunAndCheckNodes(*run, *exact, verdict);
    if (!verdict.ok()) return;
    for (const auto& [name, tensor] : run->Results()) {
      if (pass.options.in_place || tensor.BitwiseEquals(first.at(name))) continue;
      verdict.Fail(absl::StrCat("result ", name, " has other bits with ", pass.name));
    }
  }
}

void CheckChain(const Problem& problem, const CaseContext& context, uint64_t seed,
                Verdict& verdict) {
  absl::StatusOr<ExactRun> exact = ExactRun::Create(problem.function, context.registry);
  if (!verdict.Check(exact.status(), "the function in float64")) return;
  ChainBound bound;
  const auto expected = RunWithBound(*exact, problem.contents, seed, bound);
  if (!verdict.Check(expected.status(), "the function in float64")) return;
  for (const Guard guard : {Guard::kCanary, Guard::kPage}) {
    const auto run = Start(problem, context, {.guard = guard, .allow_opaque = true}, verdict);
    if (run == nullptr) return;
    if (!verdict.Check(run->Run(verdict), "running") || !verdict.ok()) return;
    for (const auto& [name, tensor] : run->Results()) {
      verdict.Compare(tensor, expected->at(name), bound.Of(name), absl::StrCat("result ", name));
    }
  }
}

}  // namespace seqgraph::conformance
