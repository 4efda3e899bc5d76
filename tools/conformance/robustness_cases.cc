// Modes robustness, support and perf: what a backend does with faults and many repeats, what it
// claims, and how long it takes.

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <limits>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "graph/rewrite.h"
#include "tools/conformance/case.h"
#include "tools/conformance/function_check.h"
#include "tools/conformance/networks.h"

namespace seqgraph::conformance {
namespace {

// An index for which the definition fails must fail here too, by a status and without harm; the
// next call is as if nothing had been.
void CheckBadIndex(const OpDef& op, const OpSample& sample, size_t input, int32_t bad,
                   const CaseContext& context, Verdict& verdict) {
  const auto problem = OneNode(op, context.registry, sample);
  if (!verdict.Check(problem.status(), "building")) return;
  auto exact = ExactRun::Create(problem->function, context.registry);
  if (!verdict.Check(exact.status(), "the function in float64")) return;
  const std::string& name = op.inputs()[input].name;
  TensorMap spoiled = problem->contents;
  const auto ids = spoiled[name].Elements<int32_t>();
  if (ids.empty()) return;
  ids[ids.size() / 2] = bad;
  if (exact->Run(spoiled).ok()) return;  // the op defines it
  for (const Guard guard : {Guard::kCanary, Guard::kPage}) {
    const auto run = Start(*problem, context, {.guard = guard}, verdict);
    if (run == nullptr) return;
    RunAndCheckNodes(*run, *exact, verdict);
    if (!verdict.Check(run->Set(name, spoiled[name]), "setting")) return;
    if (run->Run(verdict).ok()) {
      verdict.Fail(absl::StrCat(name, " holds ", bad,
                                ", for which the definition fails, but the run succeeds"));
    }
    if (!verdict.Check(run->SetAll(problem->contents), "setting")) return;
    RunAndCheckNodes(*run, *exact, verdict);
    if (!verdict.ok()) return verdict.Explain(absl::StrCat("after ", name, " held ", bad));
  }
}

Case BadIndexCase(const OpDef* op) {
  const std::string name = absl::StrCat("robustness/bad_index/", op->name());
  return {name, [op, name](const CaseContext& context, Verdict& verdict) {
            SampleSource source(SeedOf(context.seed, name), /*max_dim=*/17);
            const OpSample sample = op->sampler()(source);
            for (size_t i = 0; i < sample.inputs.size(); ++i) {
              if (op->inputs()[i].type != TypeRule::kIndex || !sample.inputs[i].has_value()) {
                continue;
              }
              for (int32_t bad : {-1, 1 << 20, std::numeric_limits<int32_t>::min(),
                                  std::numeric_limits<int32_t>::max()}) {
                if (verdict.ok()) CheckBadIndex(*op, sample, i, bad, context, verdict);
              }
            }
            if (verdict.ok() && verdict.row().runs == 0) verdict.Skip("no index is invalid");
          }};
}

// A function of float64 values is claimed and computed, or refused.
Case Float64Case(const OpDef* op) {
  const std::string name = absl::StrCat("robustness/float64/", op->name());
  return {name, [op, name](const CaseContext& context, Verdict& verdict) {
            SampleSource source(SeedOf(context.seed, name), /*max_dim=*/9);
            const auto problem = OneNode(*op, context.registry, op->sampler()(source));
            if (!verdict.Check(problem.status(), "building")) return;
            auto exact = ExactRun::Create(problem->function, context.registry);
            if (!verdict.Check(exact.status(), "the function in float64")) return;
            Problem real{exact->function(), {}};
            for (const auto& [input, tensor] : problem->contents) {
              real.contents[input] = CastReals(tensor, DType::kFloat64);
            }
            const auto run = Start(real, context, {}, verdict);
            if (run != nullptr) RunAndCheckNodes(*run, *exact, verdict);
          }};
}

struct ProcessMemory {
  int64_t heap = 0, resident = 0;
};

ProcessMemory MemoryNow() {
  ProcessMemory memory;
  memory.heap = static_cast<int64_t>(mallinfo2().uordblks);
  if (std::FILE* file = std::fopen("/proc/self/statm", "r")) {
    long long size = 0, resident = 0;
    if (std::fscanf(file, "%lld %lld", &size, &resident) == 2) {
      memory.resident = resident * sysconf(_SC_PAGESIZE);
    }
    std::fclose(file);
  }
  return memory;
}

// A sanitizer keeps freed memory, so that what is left behind says nothing of the backend.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kKeepsFreedMemory = true;
#else
constexpr bool kKeepsFreedMemory = false;
#endif

constexpr int kWarmUp = 100, kRepeats = 1000;
// What a repeat may leave behind: less than the smallest object that anybody would keep (a pointer
// and its malloc header), and less than a page in fifty.
constexpr double kHeapBytesPerRepeat = 32;
constexpr double kResidentBytesPerRepeat = 1024;

using ProblemMaker = std::function<absl::StatusOr<Problem>(const CaseContext&)>;

absl::StatusOr<Problem> SmallNetwork(const CaseContext& context) {
  return MakeNetwork({.batch = 3, .time = 4, .units = 8}, context.registry, context.seed);
}

// What is left behind by preparing and running, or by running what was prepared once.
Case LeakCase(const std::string& name, bool prepares, const ProblemMaker& make) {
  return {"robustness/leak/" + name,
          [prepares, make](const CaseContext& context, Verdict& verdict) {
            if (kKeepsFreedMemory) return verdict.Skip("a sanitizer keeps freed memory");
            const auto problem = make(context);
            if (!verdict.Check(problem.status(), "building")) return;
            std::unique_ptr<GuardedRun> run;
            ProcessMemory before;
            for (int k = 0; k < kWarmUp + kRepeats && verdict.ok(); ++k) {
              if (k == kWarmUp) before = MemoryNow();
              if (prepares || run == nullptr) {
                run = Start(*problem, context, {.allow_opaque = true}, verdict);
              }
              if (run == nullptr) return;
              verdict.Check(run->Run(verdict), "running");
            }
            const ProcessMemory after = MemoryNow();
            verdict.Measure(static_cast<double>(after.heap - before.heap) / kRepeats,
                            kHeapBytesPerRepeat, "heap", "bytes that each repeat leaves behind");
            verdict.Measure(static_cast<double>(after.resident - before.resident) / kRepeats,
                            kResidentBytesPerRepeat, "resident memory",
                            "bytes that each repeat leaves behind");
          }};
}

Case SupportCase(const OpDef* op) {
  const std::string name = absl::StrCat("support/", op->name());
  return {name, [op, name](const CaseContext& context, Verdict& verdict) {
            SampleSource source(SeedOf(context.seed, name), /*max_dim=*/17);
            constexpr int kUses = 32;
            int claimed = 0, by_definition = 0;
            std::set<std::string> reasons;
            for (int use = 0; use < kUses; ++use) {
              const auto problem = OneNode(*op, context.registry, op->sampler()(source));
              if (!verdict.Check(problem.status(), "building")) return;
              const Claim claim = context.backend.ClaimFunction(problem->function).nodes[0];
              const Claim again = context.backend.ClaimFunction(problem->function).nodes[0];
              if (claim.reason != again.reason) {
                return verdict.Fail("the same claim, asked twice, is answered differently");
              }
              by_definition += claim.reason == ClaimReason::kByDefinition;
              if (claim.claimed()) {
                ++claimed;
              } else {
                reasons.insert(absl::StrCat(ClaimReasonName(claim.reason), ": ", claim.text));
              }
            }
            verdict.CountRun();
            const std::string text = absl::StrCat("claims ", claimed, " of ", kUses, " uses, ",
                                                  by_definition, " of them by definition");
            if (claimed == kUses) return verdict.Note(text);
            verdict.Refuse(absl::StrCat(text, "; ", absl::StrJoin(reasons, "; ")));
          }};
}

// Seconds a run, from as many runs as fit into a fixed time.
double SecondsPerRun(GuardedRun& run, Verdict& verdict) {
  using Clock = std::chrono::steady_clock;
  constexpr double kSeconds = 0.03;
  double best = std::numeric_limits<double>::infinity(), total = 0;
  while (total < kSeconds && verdict.ok()) {
    const auto start = Clock::now();
    verdict.Check(run.RunNodes(verdict), "running");
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    best = std::min(best, seconds);
    total += seconds;
  }
  return best;
}

void Time(const Problem& problem, const CaseContext& context, Verdict& verdict) {
  const auto run = Start(problem, context, {.allow_opaque = true}, verdict);
  if (run == nullptr || !verdict.Check(run->Run(verdict), "running")) return;
  const double seconds = SecondsPerRun(*run, verdict);
  verdict.Note(absl::StrFormat("%.2f us a run; %s", seconds * 1e6, run->implementation(0)));
}

Case PerfCase(const OpDef* op) {
  const std::string name = absl::StrCat("perf/", op->name());
  return {name, [op, name](const CaseContext& context, Verdict& verdict) {
            SampleSource source(SeedOf(context.seed, name), /*max_dim=*/33);
            const auto problem = OneNode(*op, context.registry, op->sampler()(source));
            if (!verdict.Check(problem.status(), "building")) return;
            Time(*problem, context, verdict);
          }};
}

Case PerfNetworkCase() {
  return {"perf/network", [](const CaseContext& context, Verdict& verdict) {
            const auto problem =
                MakeNetwork({.batch = 64, .time = 100, .vocabulary = 500, .width = 16, .units = 8},
                            context.registry, context.seed);
            if (!verdict.Check(problem.status(), "building")) return;
            Time(*problem, context, verdict);
          }};
}

}  // namespace

Cases RobustnessCases(const OpRegistry& registry) {
  Cases cases;
  for (const OpDef* op : registry.All()) {
    if (!op->sampler()) continue;
    const bool has_index =
        std::any_of(op->inputs().begin(), op->inputs().end(),
                    [](const InputDef& def) { return def.type == TypeRule::kIndex; });
    if (has_index) cases.push_back(BadIndexCase(op));
    cases.push_back(Float64Case(op));
    // Each op alone too, for a backend that does not run all of the network.
    cases.push_back(LeakCase(op->name(), /*prepares=*/true, [op](const CaseContext& context) {
      SampleSource source(SeedOf(context.seed, op->name()), /*max_dim=*/5);
      return OneNode(*op, context.registry, op->sampler()(source));
    }));
  }
  cases.push_back(LeakCase("prepare_and_run", /*prepares=*/true, SmallNetwork));
  cases.push_back(LeakCase("run", /*prepares=*/false, SmallNetwork));
  return cases;
}

Cases SupportCases(const OpRegistry& registry) {
  Cases cases;
  for (const OpDef* op : registry.All()) {
    if (op->sampler()) cases.push_back(SupportCase(op));
  }
  return cases;
}

Cases PerfCases(const OpRegistry& registry) {
  Cases cases;
  for (const OpDef* op : registry.All()) {
    if (op->sampler()) cases.push_back(PerfCase(op));
  }
  cases.push_back(PerfNetworkCase());
  return cases;
}

}  // namespace seqgraph::conformance
