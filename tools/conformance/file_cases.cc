#include "tools/conformance/file_cases.h"

#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "runtime/buffer_guards.h"
#include "serialization/graph_test_case.h"
#include "tools/conformance/function_check.h"
#include "tools/graph_test/graph_test_runner.h"

namespace seqgraph::conformance {
namespace {

// What the backend writes where it must not; the numbers are looked at elsewhere.
void RunGuarded(const GraphTestCase& test, const CaseContext& context, Guard guard,
                Verdict& verdict) {
  std::vector<GraphTestCase::Call> calls = test.earlier;
  calls.emplace_back();
  const Problem problem{test.function, ContentsOf(test, calls.front())};
  const auto run = Start(problem, context, {.guard = guard}, verdict);
  for (size_t i = 0; i < calls.size() && verdict.ok(); ++i) {
    if (!verdict.Check(run->SetAll(ContentsOf(test, calls[i])), "setting inputs")) return;
    verdict.Check(run->Run(verdict), "running");
  }
}

void RunFileCase(const GraphTestCase& test, const CaseContext& context, Verdict& verdict) {
  // A call that must fail may fail anywhere: the runner looks whether it does so for its reason.
  if (test.error.empty()) {
    for (const Guard guard : {Guard::kCanary, Guard::kPage}) {
      RunGuarded(test, context, guard, verdict);
      if (!verdict.ok()) return;
    }
  }
  const GraphTestResult result = RunGraphTest(
      test, context.registry, {.backends = {&context.backend}, .guard_bytes = kDefaultGuardBytes});
  verdict.CountRun();
  for (const TensorComparison& tensor : result.tensors) {
    verdict.Measure(tensor.worst.measured, tensor.worst.allowed,
                    absl::StrCat(tensor.name, tensor.worst_text), "the case's");
  }
  for (const std::string& failure : result.failures) {
    if (result.stray_write) {
      verdict.Damage(failure);
    } else {
      verdict.Fail(failure);
    }
  }
}

}  // namespace

absl::StatusOr<Cases> FileCases(const std::string& path, const OpRegistry& registry) {
  SEQ_ASSIGN_OR_RETURN(std::vector<GraphTestCase> tests, LoadGraphTests(path, registry));
  Cases cases;
  for (GraphTestCase& test : tests) {
    const std::string name = absl::StrCat("files/", path, "/", test.name);
    const auto shared = std::make_shared<const GraphTestCase>(std::move(test));
    cases.push_back({name, [shared](const CaseContext& context, Verdict& verdict) {
                       RunFileCase(*shared, context, verdict);
                     }});
  }
  return cases;
}

}  // namespace seqgraph::conformance
