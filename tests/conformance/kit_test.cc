// The kit on backends that are right, and on backends with one fault each: every fault is found, by
// the case that is meant to find it, and the process that runs the kit lives on.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "backends/all_backends.h"
#include "backends/kernels/target.h"
#include "graph/evaluate.h"
#include "ops/all_ops.h"
#include "tests/faulty_backend.h"
#include "tests/testing.h"
#include "tools/conformance/report.h"
#include "tools/conformance/supervisor.h"
#include "tools/conformance/worker.h"
#include "tools/op_claims.h"

namespace seqgraph::conformance {
namespace {

using testing::HasSubstr;

constexpr char kFlag[] = "--faulty_backend=";  // FAULT,INNER

struct KitRun {
  std::string fault;
  std::string inner = "reference";
  std::vector<std::string> modes;
  std::string pattern;
  double timeout_seconds = 60;
  bool isolate = false;
  uint64_t seed = 1;
};

Report RunKit(const KitRun& run) {
  SupervisorOptions options;
  options.worker = {"/proc/self/exe", absl::StrCat(kFlag, run.fault, ",", run.inner)};
  options.timeout_seconds = run.timeout_seconds;
  options.isolate = run.isolate;
  options.seed = run.seed;
  const auto report = Supervise(Select(AllCases(AllOps()), run.modes, run.pattern), options);
  EXPECT_TRUE(report.ok()) << report.status();
  return report.ok() ? *report : Report();
}

// The rows that are neither passed, refused nor skipped.
std::vector<Row> Faults(const Report& report) {
  std::vector<Row> faults;
  for (const Row& row : report.rows) {
    if (row.outcome == Outcome::kFailed || row.outcome == Outcome::kCrashed ||
        row.outcome == Outcome::kHung) {
      faults.push_back(row);
    }
  }
  return faults;
}

std::string FirstDetail(const Report& report) {
  const std::vector<Row> faults = Faults(report);
  return faults.empty() ? "no fault was found" : faults[0].detail;
}

TEST(Kit, ARightBackendPassesWithoutAnyFault) {
  const Report report = RunKit({.fault = "none", .modes = {"state", "support", "robustness"}});
  EXPECT_EQ(Faults(report).size(), 0u) << FirstDetail(report);
  EXPECT_TRUE(report.Proven());
  EXPECT_EQ(report.workers, 1);
}

TEST(Kit, BothBuiltInBackendsPassOpsGradientsGraphsAndTraining) {
  for (const char* inner : {"reference", "onednn"}) {
    const Report report = RunKit(
        {.fault = "none", .inner = inner, .modes = {"ops", "gradients", "graphs", "training"}});
    EXPECT_EQ(Faults(report).size(), 0u) << inner << ": " << FirstDetail(report);
    EXPECT_GT(report.Count(Outcome::kPassed), 1000);
  }
}

TEST(Kit, SimdPassesAllThatItClaimsOnEveryTargetOfThisCpu) {
  for (const std::string& target : kernels::SupportedTargets()) {
    setenv(kernels::kTargetVariable, target.c_str(), /*overwrite=*/1);
    const Report report = RunKit({.fault = "none", .inner = "simd"});
    EXPECT_EQ(Faults(report).size(), 0u) << target << ": " << FirstDetail(report);
    EXPECT_GT(report.Count(Outcome::kPassed), 900) << target;
  }
  unsetenv(kernels::kTargetVariable);
}

TEST(Kit, GradientsOfCellsPassWithNonFiniteElementsOfAnySeed) {
  for (const char* op : {"RNNCellGrad", "LookupRNNCellGrad", "LSTMCellGrad", "LookupLSTMCellGrad",
                         "GRUCellGrad", "LookupGRUCellGrad"}) {
    for (const char* inner : {"onednn", "simd"}) {
      for (uint64_t seed = 2; seed <= 9; ++seed) {
        const Report report = RunKit({.fault = "none",
                                      .inner = inner,
                                      .modes = {"ops"},
                                      .pattern = absl::StrCat("ops/", op, "/nonfinite"),
                                      .seed = seed});
        EXPECT_EQ(report.Count(Outcome::kPassed), 1)
            << op << " by " << inner << ", seed " << seed << ": " << FirstDetail(report);
      }
    }
  }
}

class PerturbedOp : public testing::TestWithParam<const OpDef*> {};

// Ten times the bound in one element; where the bound is zero any difference would do, and ten
// times the smallest float is below what flushed denormals allow.
TEST_P(PerturbedOp, IsFoundInTheCasesOfThatOp) {
  const std::string op = GetParam()->name();
  const Report report = RunKit(
      {.fault = "perturb:" + op, .modes = {"ops"}, .pattern = absl::StrCat("ops/", op, "/width*")});
  EXPECT_GT(report.Count(Outcome::kFailed), 0);
  EXPECT_THAT(FirstDetail(report), HasSubstr(absl::StrCat("(", op, ")")));
  EXPECT_THAT(FirstDetail(report), HasSubstr("allowed"));
  for (const Row& row : Faults(report)) EXPECT_GT(row.measured, 9 * row.allowed) << row.name;
}

// Those whose bound of the first output is above zero in their first example.
std::vector<const OpDef*> OpsWithRounding() {
  std::vector<const OpDef*> ops;
  for (const OpDef* op : AllOps().All()) {
    const OpExample& example = op->examples()[0];
    const auto bounds = op->BoundsOf(*op->CompleteAttributes(example.attributes),
                                     PointersTo(example.inputs), PointersTo(example.outputs));
    if (bounds.ok() && (*bounds)[0].epsilons > 0) ops.push_back(op);
  }
  return ops;
}

INSTANTIATE_TEST_SUITE_P(AllOps, PerturbedOp, testing::ValuesIn(OpsWithRounding()),
                         [](const auto& info) { return info.param->name(); });

// An op, and a backend that has a kernel for it.
using OpOfBackend = std::pair<std::string, std::string>;

std::vector<OpOfBackend> AllKernels() {
  std::vector<OpOfBackend> all;
  for (const char* backend : {"reference", "onednn", "simd"}) {
    const auto ops = tools::OpsWithKernels(**AllBackends().Get(backend), AllOps());
    for (const std::string& op : ops.value()) all.emplace_back(op, backend);
  }
  return all;
}

class OffByAThousandth : public testing::TestWithParam<OpOfBackend> {};

// One element, the largest, off by 1e-3 of itself (an integer by 1): of every op that the backend
// has a kernel for, and whatever its bound says.
TEST_P(OffByAThousandth, IsFoundInTheCasesOfThatOp) {
  const auto& [op, inner] = GetParam();
  int found = 0, missed = 0;
  // All cases where the backend takes neither of the two, but other uses.
  for (const char* cases : {"dim65/0", "large", "*"}) {
    if (cases[0] == '*' && found + missed > 0) break;
    const Report report = RunKit({.fault = "off:" + op,
                                  .inner = inner,
                                  .modes = {"ops"},
                                  .pattern = absl::StrCat("ops/", op, "/", cases)});
    found += report.Count(Outcome::kFailed);
    missed += report.Count(Outcome::kPassed);
  }
  EXPECT_GT(found, 0);
}

INSTANTIATE_TEST_SUITE_P(AllOps, OffByAThousandth, testing::ValuesIn(AllKernels()),
                         [](const auto& info) {
                           return info.param.first + "_" + info.param.second;
                         });

TEST(Kit, APerturbedOpIsFoundBeneathOnednnToo) {
  const Report report = RunKit({.fault = "perturb:RNNCell",
                                .inner = "onednn",
                                .modes = {"ops", "graphs", "training", "state"},
                                .pattern = "*"});
  std::set<std::string> modes;
  for (const Row& row : Faults(report)) modes.insert(row.mode());
  EXPECT_THAT(modes, testing::IsSupersetOf({"ops", "graphs", "state"}));
}

TEST(Kit, OneWrongGateGradientIsFoundByTheDefinition) {
  const Report report = RunKit({.fault = "flips_sign:RNNCellGrad", .modes = {"ops", "gradients"}});
  std::set<std::string> modes;
  for (const Row& row : Faults(report)) {
    modes.insert(row.mode());
    EXPECT_THAT(row.name, HasSubstr("/RNNCell")) << row.detail;
    EXPECT_THAT(row.detail, HasSubstr("output du")) << row.name;
  }
  EXPECT_EQ(modes, (std::set<std::string>{"gradients", "ops"}));
}

TEST(Kit, AStalePackedWeightIsFoundByTheStateCases) {
  const Report report = RunKit({.fault = "stale_variables", .modes = {"ops", "state"}});
  ASSERT_GT(Faults(report).size(), 0u);
  for (const Row& row : Faults(report)) EXPECT_EQ(row.mode(), "state") << row.name;
  EXPECT_THAT(FirstDetail(report), HasSubstr("after the contents have changed"));
  std::set<std::string> names;
  for (const Row& row : Faults(report)) names.insert(row.name);
  EXPECT_TRUE(names.count("state/predictions_follow_training"));
}

// A fault of Tanh: in which outcome it ends, and what the report says.
struct TanhFault {
  const char* fault;
  Outcome outcome;
  const char* text;
};

class TanhFaults : public testing::TestWithParam<TanhFault> {};

TEST_P(TanhFaults, AreNamedAndTheNextCasesGoOn) {
  const Report report = RunKit(
      {.fault = GetParam().fault, .modes = {"ops"}, .pattern = "ops/Tanh*", .timeout_seconds = 2});
  const std::vector<Row> faults = Faults(report);
  ASSERT_GT(faults.size(), 0u);
  EXPECT_EQ(faults[0].outcome, GetParam().outcome);
  EXPECT_THAT(faults[0].detail, HasSubstr(GetParam().text));
  for (const Row& row : faults) EXPECT_THAT(row.name, HasSubstr("ops/Tanh/"));
  // TanhGrad, which comes behind, is whole (but what hangs ends the run early).
  if (GetParam().outcome == Outcome::kHung) return;
  EXPECT_EQ(report.rows.back().outcome, Outcome::kPassed) << report.rows.back().detail;
  EXPECT_GT(report.workers, 1);
}

INSTANTIATE_TEST_SUITE_P(
    All, TanhFaults,
    testing::Values(TanhFault{"behind:Tanh", Outcome::kFailed, "past its end"},
                    TanhFault{"before:Tanh", Outcome::kFailed, "before its beginning"},
                    TanhFault{"read_past_end:Tanh", Outcome::kCrashed, "past the end of input x"},
                    TanhFault{"writes_input:Tanh", Outcome::kFailed, "changed its input x"},
                    TanhFault{"crashes:Tanh", Outcome::kCrashed, "signal 11"},
                    TanhFault{"exits:Tanh", Outcome::kCrashed, "exit status 0 and no result"},
                    TanhFault{"throws:Tanh", Outcome::kFailed, "throws: out of luck"},
                    TanhFault{"hangs:Tanh", Outcome::kHung, "no answer within 2 s"}),
    [](const auto& info) {
      return std::string(info.param.fault, std::strcspn(info.param.fault, ":"));
    });

// Other faults: the cases to run, and what the report says.
struct OtherFault {
  const char* fault;
  const char* pattern;
  const char* text;
};

class OtherFaults : public testing::TestWithParam<OtherFault> {};

TEST_P(OtherFaults, AreFound) {
  const Report report = RunKit({.fault = GetParam().fault, .pattern = GetParam().pattern});
  EXPECT_FALSE(report.Proven());
  EXPECT_THAT(FirstDetail(report), HasSubstr(GetParam().text));
}

INSTANTIATE_TEST_SUITE_P(
    All, OtherFaults,
    testing::Values(OtherFault{"uses_undefined:Tanh", "ops/Tanh/dim5/0", "output y"},
                    OtherFault{"ignores_nan:Sigmoid", "ops/Sigmoid/nonfinite", "expected nan"},
                    OtherFault{"broken_promise:Dense", "ops/Dense/dim5/0",
                               "all nodes are claimed, but Prepare"},
                    OtherFault{"second_prepare", "ops/Add/dim5/0", "prepared once, never again"},
                    OtherFault{"changes_its_mind", "support/Add", "answered differently"},
                    OtherFault{"leaks", "robustness/leak/prepare_and_run", "heap: off by 4"},
                    OtherFault{"no_begin_end", "robustness/bad_index/Embedding", "still failing"}),
    [](const auto& info) {
      return std::string(info.param.fault, std::strcspn(info.param.fault, ":"));
    });

TEST(Kit, ABackendThatClaimsNothingHasProvenNothing) {
  const Report report =
      RunKit({.fault = "claims_nothing", .modes = {"ops"}, .pattern = "ops/Add*"});
  EXPECT_EQ(Faults(report).size(), 0u);
  EXPECT_EQ(report.Count(Outcome::kPassed), 0);
  EXPECT_FALSE(report.Proven());
  EXPECT_THAT(report.rows[0].detail, HasSubstr("knows no op"));
}

TEST(Kit, ABackendThatIsNotThereIsAnErrorThatNamesWhatThereIs) {
  SupervisorOptions options;
  options.worker = {"/proc/self/exe", absl::StrCat(kFlag, "none,tpu")};
  EXPECT_THAT(Supervise(Select(AllCases(AllOps()), {}, "ops/Add*"), options),
              StatusIs(absl::StatusCode::kNotFound, "onednn"));
}

TEST(Kit, AWorkerThatCannotStartIsAnError) {
  SupervisorOptions options;
  options.worker = {"/no/such/program"};
  EXPECT_THAT(Supervise(Select(AllCases(AllOps()), {}, "ops/Add*"), options),
              StatusIs(absl::StatusCode::kInternal, "exit status 127"));
}

TEST(Kit, IsolatedCasesHaveAWorkerEach) {
  const Report report = RunKit({.fault = "none", .pattern = "ops/Add/dim5*", .isolate = true});
  EXPECT_EQ(report.workers, static_cast<int>(report.rows.size()));
  EXPECT_TRUE(report.Proven());
}

TEST(Kit, TheSameSeedGivesTheSameMeasurementsAndAnotherSeedOthers) {
  const KitRun run{.fault = "none", .modes = {"ops"}, .pattern = "ops/Dense/dim17*"};
  KitRun other = run;
  other.seed = 2;
  const Report first = RunKit(run), again = RunKit(run), different = RunKit(other);
  bool differs = false;
  for (size_t i = 0; i < first.rows.size(); ++i) {
    EXPECT_EQ(first.rows[i].measured, again.rows[i].measured) << first.rows[i].name;
    EXPECT_EQ(first.rows[i].allowed, again.rows[i].allowed) << first.rows[i].name;
    differs |= first.rows[i].measured != different.rows[i].measured;
  }
  EXPECT_TRUE(differs);
}

TEST(Kit, NamesOfCasesAreUnique) {
  std::set<std::string> names;
  for (const Case& each : AllCases(AllOps())) {
    EXPECT_TRUE(names.insert(each.name).second) << each.name;
  }
}

TEST(Report, RowsSurviveTheWayFromTheWorker) {
  const Row row{.name = "ops/Add/dim5/0",
                .outcome = Outcome::kFailed,
                .measured = 0.25,
                .allowed = 1e-7,
                .formula = "1 eps",
                .detail = "a \"quote\"\nand a line",
                .runs = 3,
                .seconds = 0.5,
                .damaged = true};
  SEQ_ASSERT_OK_AND_ASSIGN(const Row back, RowFromJson(RowToJson(row)));
  EXPECT_EQ(RowToJson(back), RowToJson(row));
  EXPECT_EQ(back.detail, row.detail);
  EXPECT_EQ(back.outcome, Outcome::kFailed);
}

TEST(Report, WhatIsNoResultIsRefused) {
  for (const char* text : {"", "{", "[]", "{}", "null", "{\"case\":1}",
                           "{\"case\":\"a\",\"outcome\":\"fine\",\"formula\":\"\",\"detail\":\"\","
                           "\"measured\":0,\"allowed\":0,\"seconds\":0,\"runs\":1,"
                           "\"damaged\":false}"}) {
    EXPECT_THAT(RowFromJson(text), StatusIs(absl::StatusCode::kInvalidArgument)) << text;
  }
}

TEST(Report, HtmlEscapesWhatBackendsSay) {
  Report report{.backend = "<script>", .version = "1", .description = "a & b"};
  report.rows.push_back({.name = "ops/Add/x", .detail = "<b>", .runs = 1});
  const std::string html = ReportToHtml(report);
  EXPECT_EQ(html.find("<script>"), std::string::npos);
  EXPECT_THAT(html, HasSubstr("&lt;script&gt;"));
  EXPECT_THAT(html, HasSubstr("&lt;b&gt;"));
}

// The backend of a worker: FAULT,INNER from the command line.
int Worker(const std::string& names) {
  const size_t comma = names.find(',');
  static std::unique_ptr<Backend> backend;
  return WorkerMain(AllOps(), [&]() -> absl::StatusOr<const Backend*> {
    auto inner = AllBackends().Get(names.substr(comma + 1));
    if (!inner.ok()) return inner.status();
    auto fault = ParseFault(names.substr(0, comma));
    if (!fault.ok()) return fault.status();
    backend = MakeFaultyBackend(*inner, *std::move(fault));
    return backend.get();
  });
}

}  // namespace
}  // namespace seqgraph::conformance

int main(int argc, char** argv) {
  const std::string flag = seqgraph::conformance::kFlag;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument.rfind(flag, 0) == 0 && seqgraph::conformance::IsWorker()) {
      return seqgraph::conformance::Worker(argument.substr(flag.size()));
    }
  }
  testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}
