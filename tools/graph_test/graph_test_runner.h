#pragma once

// Runs graph test cases (serialization/graph_test.proto) on chosen backends.

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "graph/compare.h"
#include "graph/evaluate.h"
#include "graph/op_registry.h"
#include "graph/pass.h"
#include "runtime/backend.h"
#include "serialization/graph_test_case.h"

namespace seqgraph {

struct GraphTestOptions {
  /// In order of preference, as CompileOptions::backends. The first is the one under test.
  std::vector<const Backend*> backends;
  PassList passes;
  int threads = 1;
  /// kFloat64 evaluates the same case in double, for backends that can.
  DType real = DType::kFloat32;
  /// False: a node that another than the first backend ran is a failure, because then the case says
  /// nothing about the backend under test.
  bool allow_fallback = false;
  /// CompileOptions::guard_bytes, where the case does not ask for more.
  int64_t guard_bytes = 0;
};

/// How one tensor compares.
struct TensorComparison {
  std::string name;  ///< "results/y", "updates/w", "gradients/x"
  int64_t elements = 0;
  Comparison worst;        ///< the element that is furthest beyond its bound, or closest to it
  std::string worst_text;  ///< "[1, 0, 2] is 0.5, expected 0.25 (off by 0.25, allowed 1e-7)"

  bool passed() const { return worst.within(); }
};

struct GraphTestResult {
  std::string name;
  std::vector<std::string> failures;  ///< other than tensors: a node elsewhere, a failed call
  bool stray_write = false;           ///< a node wrote outside of its outputs
  std::vector<TensorComparison> tensors;
  double seconds = 0;

  bool passed() const;
};

struct GraphTestReport {
  std::string file;
  std::vector<GraphTestResult> cases;

  int num_failed() const;
};

/// GraphErrorBound (graph/node_bounds.h) with the scale that the case shows: the largest
/// magnitude among inputs, variables and expected tensors, at least 1. A case whose intermediate
/// values are much larger states its own tolerance.
double GraphErrorBound(const Function& function, const GraphTestCase& test, DType real);

/// All that flows into one call of the case: inputs and variables.
TensorMap ContentsOf(const GraphTestCase& test, const GraphTestCase::Call& call);

/// Runs one case: the function, then, if the case has a gradient, the function with its gradients.
GraphTestResult RunGraphTest(const GraphTestCase& test, const OpRegistry& registry,
                             const GraphTestOptions& options);

/// Runs all cases of a file. An error, which names the path, is about the file; what goes wrong in
/// a case is in the report.
absl::StatusOr<GraphTestReport> RunGraphTestFile(const std::string& path,
                                                 const OpRegistry& registry,
                                                 const GraphTestOptions& options);

/// One line a case and one a tensor, for people.
void PrintGraphTestReport(const GraphTestReport& report, std::ostream& out);

/// JUnit's XML, as GoogleTest writes it: one <testcase> a case.
std::string GraphTestReportsToXml(absl::Span<const GraphTestReport> reports);

/// What `seqgraph test` does: runs the files, prints the reports and a last line "3 passed, 0
/// failed" to `out`, faulty files to `err`; writes the XML to $XML_OUTPUT_FILE if that is set. The
/// exit status: 0 if all passed, 1 otherwise.
int GraphTestCommand(absl::Span<const std::string> paths, const OpRegistry& registry,
                     const GraphTestOptions& options, std::ostream& out, std::ostream& err);

}  // namespace seqgraph
