#include <cstdlib>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "base/atomic_file.h"
#include "tools/graph_test/graph_test_runner.h"

namespace seqgraph {
namespace {

std::string BaseName(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

std::string TensorLine(const TensorComparison& tensor) {
  const std::string line =
      absl::StrFormat("%s: %d elements, largest difference %.3g, allowed %.3g", tensor.name,
                      tensor.elements, tensor.worst.measured, tensor.worst.allowed);
  return tensor.passed() ? line : absl::StrCat(line, "; ", tensor.worst_text);
}

std::string XmlEscaped(std::string text) {
  // XML 1.0 has no control characters; in an attribute a line break is a space.
  for (char& c : text) c = static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  return absl::StrReplaceAll(text,
                             {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}});
}

std::vector<std::string> Failures(const GraphTestResult& result) {
  std::vector<std::string> failures = result.failures;
  for (const TensorComparison& tensor : result.tensors) {
    if (!tensor.passed()) failures.push_back(TensorLine(tensor));
  }
  return failures;
}

}  // namespace

void PrintGraphTestReport(const GraphTestReport& report, std::ostream& out) {
  out << report.file << "\n";
  for (const GraphTestResult& result : report.cases) {
    out << (result.passed() ? "  passed  " : "  FAILED  ") << result.name << "\n";
    for (const std::string& failure : result.failures) out << "          " << failure << "\n";
    for (const TensorComparison& tensor : result.tensors) {
      out << "          " << TensorLine(tensor) << "\n";
    }
  }
}

std::string GraphTestReportsToXml(absl::Span<const GraphTestReport> reports) {
  int tests = 0, failures = 0;
  std::string suites;
  for (const GraphTestReport& report : reports) {
    const std::string suite = XmlEscaped(BaseName(report.file));
    tests += static_cast<int>(report.cases.size());
    failures += report.num_failed();
    absl::StrAppend(&suites, "  <testsuite name=\"", suite, "\" tests=\"", report.cases.size(),
                    "\" failures=\"", report.num_failed(), "\">\n");
    for (const GraphTestResult& result : report.cases) {
      absl::StrAppend(&suites, "    <testcase name=\"", XmlEscaped(result.name), "\" classname=\"",
                      suite, "\" status=\"run\" result=\"completed\" time=\"",
                      absl::StrFormat("%.3f", result.seconds), "\"");
      if (result.passed()) {
        absl::StrAppend(&suites, " />\n");
        continue;
      }
      absl::StrAppend(&suites, ">\n");
      for (const std::string& failure : Failures(result)) {
        absl::StrAppend(&suites, "      <failure message=\"", XmlEscaped(failure), "\" />\n");
      }
      absl::StrAppend(&suites, "    </testcase>\n");
    }
    absl::StrAppend(&suites, "  </testsuite>\n");
  }
  return absl::StrCat("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites tests=\"", tests,
                      "\" failures=\"", failures, "\" name=\"AllTests\">\n", suites,
                      "</testsuites>\n");
}

int GraphTestCommand(absl::Span<const std::string> paths, const OpRegistry& registry,
                     const GraphTestOptions& options, std::ostream& out, std::ostream& err) {
  std::vector<GraphTestReport> reports;
  for (const std::string& path : paths) {
    absl::StatusOr<GraphTestReport> report = RunGraphTestFile(path, registry, options);
    if (!report.ok()) {
      // A file that cannot be run is a failed case of its own: it must not vanish from the count.
      const std::string message = report.status().ToString();
      err << "error: " << message << "\n";
      report = GraphTestReport{.file = path};
      report->cases.push_back({.name = "file", .failures = {message}});
    }
    PrintGraphTestReport(*report, out);
    reports.push_back(*std::move(report));
  }
  int total = 0, failed = 0;
  for (const GraphTestReport& report : reports) {
    total += static_cast<int>(report.cases.size());
    failed += report.num_failed();
  }
  out << total - failed << " passed, " << failed << " failed\n";
  if (const char* xml = ::secure_getenv("XML_OUTPUT_FILE"); xml != nullptr && *xml != '\0') {
    const absl::Status written = AtomicWriteFile(xml, GraphTestReportsToXml(reports));
    if (!written.ok()) {
      err << "error: " << written.message() << "\n";
      return 1;
    }
  }
  return failed == 0 && total > 0 ? 0 : 1;
}

}  // namespace seqgraph
