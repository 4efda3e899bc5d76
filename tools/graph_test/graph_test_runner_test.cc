#include "tools/graph_test/graph_test_runner.h"

#include <cstdlib>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "backends/all_backends.h"
#include "base/atomic_file.h"
#include "ops/all_ops.h"
#include "tests/faulty_backend.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// y = a b: results 8, -3; gradients of 2 y0 + 4 y1: by a 2 b0, 4 b1.
constexpr char kProduct[] = R"(
cases {
  name: "product"
  node { op: "Multiply" inputs: ["a", "b"] }
  inputs { name: "a" tensor { type { dtype: FLOAT32 dims: [2] } float32_values: [4, 1.5] } }
  inputs { name: "b" tensor { type { dtype: FLOAT32 dims: [2] } float32_values: [2, -2] } }
  results { name: "y" tensor { type { dtype: FLOAT64 dims: [2] } float64_values: [8, -3] } }
  gradient {
    weights { name: "y" tensor { type { dtype: FLOAT32 dims: [2] } float32_values: [2, 4] } }
    expected { name: "a" tensor { type { dtype: FLOAT64 dims: [2] } float64_values: [4, -8] } }
  }
}
)";

GraphTestOptions Options(const std::string& backends = "reference") {
  return {.backends = *AllBackends().ParseList(backends)};
}

GraphTestResult RunText(const std::string& text, const GraphTestOptions& options = Options()) {
  const auto cases = ParseGraphTests(text, ".", AllOps());
  SEQ_EXPECT_OK(cases);
  return cases.ok() ? RunGraphTest(cases->front(), AllOps(), options) : GraphTestResult{};
}

std::string Changed(const std::string& from, const std::string& to) {
  EXPECT_THAT(kProduct, HasSubstr(from));
  return absl::StrReplaceAll(kProduct, {{from, to}});
}

TEST(RunGraphTestTest, PassesWhatIsRight) {
  const GraphTestResult result = RunText(kProduct);
  EXPECT_TRUE(result.passed());
  ASSERT_EQ(result.tensors.size(), 2u);
  EXPECT_EQ(result.tensors[0].name, "results/y");
  EXPECT_EQ(result.tensors[0].elements, 2);
  EXPECT_EQ(result.tensors[1].name, "gradients/a");
}

TEST(RunGraphTestTest, ReportsTheWorstElementOfAResult) {
  const GraphTestResult result = RunText(Changed("[8, -3]", "[8, -3.001]"));
  EXPECT_FALSE(result.passed());
  const TensorComparison& y = result.tensors[0];
  EXPECT_EQ(y.worst.element, 1);
  EXPECT_EQ(y.worst_text.substr(0, 31), "[1] is -3, expected -3.001 (off");
  EXPECT_EQ(y.worst.actual, -3);
  EXPECT_EQ(y.worst.exact, -3.001);
  EXPECT_NEAR(y.worst.measured, 0.001, 1e-9);
  EXPECT_LT(y.worst.allowed, 1e-4);
  EXPECT_TRUE(result.tensors[1].passed());
}

TEST(RunGraphTestTest, ReportsAWrongGradient) {
  const GraphTestResult result = RunText(Changed("[4, -8]", "[4.01, -8]"));
  EXPECT_TRUE(result.tensors[0].passed());
  EXPECT_EQ(result.tensors[1].worst.element, 0);
  EXPECT_EQ(result.tensors[1].worst.actual, 4);
}

TEST(RunGraphTestTest, NaNAndInfinityAgreeOnlyWithThemselves) {
  EXPECT_FALSE(RunText(Changed("[8, -3]", "[8, nan]")).passed());
  EXPECT_FALSE(RunText(Changed("[8, -3]", "[inf, -3]")).passed());
  // An infinite difference is beyond any tolerance.
  const std::string infinite = absl::StrReplaceAll(
      kProduct,
      {{"[8, -3]", "[-inf, -3]"},
       {"name: \"product\"",
        "name: \"product\" tolerances { name: \"results/y\" absolute: 1e30 relative: 1 }"}});
  EXPECT_FALSE(RunText(infinite).passed());
  const std::string nan =
      absl::StrReplaceAll(kProduct, {{"[4, 1.5]", "[nan, 1.5]"}, {"[8, -3]", "[nan, -3]"}});
  EXPECT_TRUE(RunText(nan).passed());
}

TEST(RunGraphTestTest, AToleranceOfTheCaseReplacesTheDerivedBound) {
  const std::string off = absl::StrReplaceAll(
      kProduct, {{"[8, -3]", "[8.25, -3]"},
                 {"name: \"product\"",
                  "name: \"product\" tolerances { name: \"results/y\" absolute: 0.25 }"}});
  EXPECT_TRUE(RunText(off).passed());
  EXPECT_FALSE(RunText(absl::StrReplaceAll(off, {{"0.25 }", "0.125 }"}})).passed());
}

TEST(RunGraphTestTest, IntegersAreComparedExactlyBeyond53Bits) {
  const std::string text = R"(
    cases {
      name: "count" node { op: "Increment" inputs: "t" }
      inputs { name: "t" tensor { type { dtype: INT64 } int64_values: [9007199254740992] } }
      results { name: "new_t" tensor { type { dtype: INT64 } int64_values: [9007199254740993] } }
    })";
  EXPECT_TRUE(RunText(text).passed());
  EXPECT_FALSE(
      RunText(absl::StrReplaceAll(text, {{"9007199254740993", "9007199254740992"}})).passed());
}

constexpr char kLookup[] = R"(
    cases {
      name: "lookup" node { op: "Embedding" inputs: ["ids", "table"] }
      inputs { name: "ids" tensor { type { dtype: INT32 dims: [1] } int32_values: [3] } }
      inputs { name: "table" tensor { type { dtype: FLOAT32 dims: [2, 1] } float32_values: [1, 2] } }
      error: "is 3"
    })";

TEST(RunGraphTestTest, ACallThatMustFailPassesOnlyIfItFailsForThatReason) {
  EXPECT_TRUE(RunText(kLookup).passed());
  const GraphTestResult other = RunText(absl::StrReplaceAll(kLookup, {{"\"is 3\"", "\"disk\""}}));
  EXPECT_FALSE(other.passed());
  EXPECT_THAT(other.failures.at(0), HasSubstr("but must with \"disk\""));
  const GraphTestResult none =
      RunText(absl::StrReplaceAll(kLookup, {{"int32_values: [3]", "int32_values: [1]"}}));
  EXPECT_THAT(none.failures.at(0), HasSubstr("succeeded, but must fail"));
}

TEST(RunGraphTestTest, ACallThatFailsUnexpectedlyIsAFailureWithItsStatus) {
  const GraphTestResult result = RunText(absl::StrReplaceAll(
      kLookup, {{"error: \"is 3\"",
                 "results { name: \"y\" tensor { type { dtype: FLOAT32 dims: [1, 1] } "
                 "float32_values: [1] } }"}}));
  EXPECT_THAT(result.failures.at(0), HasSubstr("INVALID_ARGUMENT"));
}

// w <- w - lr g, twice: the second call starts from the case's own w again, not from the first's.
TEST(RunGraphTestTest, EarlierCallsRunFirstAndVariablesAreSetAnewForEach) {
  const std::string text = R"(
    cases {
      name: "twice"
      function {
        name: "f"
        inputs { name: "g" type { dtype: FLOAT32 dims: [1] } }
        inputs { name: "lr" type { dtype: FLOAT32 } }
        variables { name: "w" type { dtype: FLOAT32 dims: [1] } }
        nodes { name: "n" op: "SGDUpdate" inputs: ["w", "g", "lr"] outputs: ["new", "m"] }
        results { name: "new_w" value: "new" }
        updates { variable: "w" value: "new" }
      }
      inputs { name: "g" tensor { type { dtype: FLOAT32 dims: [1] } float32_values: [4] } }
      inputs { name: "lr" tensor { type { dtype: FLOAT32 } float32_values: [0.5] } }
      variables { name: "w" tensor { type { dtype: FLOAT32 dims: [1] } float32_values: [10] } }
      updates { name: "w" tensor { type { dtype: FLOAT32 dims: [1] } float32_values: [8] } }
      earlier {
        variables { name: "w" tensor { type { dtype: FLOAT32 dims: [1] } float32_values: [99] } }
      }
    })";
  const GraphTestResult result = RunText(text);
  EXPECT_TRUE(result.passed()) << (result.failures.empty() ? "" : result.failures[0]);
  // An earlier call that fails is a failure of the case.
  const GraphTestResult wrong = RunText(absl::StrReplaceAll(
      kLookup, {{"error: \"is 3\"",
                 "results { name: \"y\" tensor { type { dtype: FLOAT32 dims: [1, 1] } "
                 "float32_values: [2] } } earlier { inputs { name: \"ids\" tensor { type { dtype: "
                 "INT32 dims: [1] } int32_values: [3] } } }"},
                {"dims: [1] } int32_values: [3] } }\n      inputs",
                 "dims: [1] } int32_values: [1] } }\n      inputs"}}));
  ASSERT_FALSE(wrong.failures.empty());
  EXPECT_THAT(wrong.failures[0], HasSubstr("is 3"));
}

// Claims nothing: every node falls to the next backend of the list.
class IdleBackend : public Backend {
 public:
  const BackendInfo& info() const override { return info_; }
  FunctionClaim ClaimFunction(const Function& function) const override {
    return ClaimEach(function,
                     [](int) { return Claim::No(ClaimReason::kUnknownOp, "takes nothing"); });
  }
  absl::StatusOr<std::unique_ptr<Program>> Prepare(const ProgramRequest&) const override {
    return absl::InternalError("nothing was claimed");
  }

 private:
  BackendInfo info_{"idle", "1", "takes nothing"};
};

TEST(RunGraphTestTest, ANodeThatAnotherBackendRanIsAFailure) {
  const IdleBackend idle;
  GraphTestOptions options = Options();
  options.backends.insert(options.backends.begin(), &idle);
  const GraphTestResult result = RunText(kProduct, options);
  EXPECT_FALSE(result.passed());
  ASSERT_FALSE(result.failures.empty());
  EXPECT_THAT(result.failures[0], HasSubstr("(Multiply) ran on reference, not on idle"));
  for (const TensorComparison& tensor : result.tensors) EXPECT_TRUE(tensor.passed());
  options.allow_fallback = true;
  EXPECT_TRUE(RunText(kProduct, options).passed());
}

// The byte behind 2 floats: only known bytes there tell.
TEST(RunGraphTestTest, WithGuardsAWritePastABufferIsAFailure) {
  const std::unique_ptr<Backend> faulty = MakeFaultyBackend(
      *AllBackends().Get("reference"), {.op = "Multiply", .overrun = Overrun::kBehind});
  GraphTestOptions options{.backends = {faulty.get()}};
  EXPECT_TRUE(RunText(kProduct, options).passed());
  options.guard_bytes = 64;
  const std::string guarded =
      absl::StrReplaceAll(kProduct, {{"name: \"product\"", "name: \"product\" guard_bytes: 1"}});
  for (const GraphTestResult& result :
       {RunText(kProduct, options), RunText(guarded, {.backends = {faulty.get()}})}) {
    EXPECT_TRUE(result.stray_write);
    ASSERT_FALSE(result.failures.empty());
    EXPECT_THAT(result.failures[0],
                HasSubstr("(Multiply): wrote outside of output y (node), 8 bytes: byte 8"));
  }
  EXPECT_TRUE(RunText(guarded).passed());
}

TEST(RunGraphTestTest, InDoubleTheBoundIsThatOfDouble) {
  GraphTestOptions options = Options();
  options.real = DType::kFloat64;
  const GraphTestResult result = RunText(kProduct, options);
  EXPECT_TRUE(result.passed());
  EXPECT_LT(result.tensors[0].worst.allowed, 1e-13);
  EXPECT_FALSE(RunText(Changed("[8, -3]", "[8, -3.000000001]"), options).passed());
}

// One Multiply: operands of 2 elements each and 8 for the node are 14 roundings; the largest
// magnitude is 8; half of float's epsilon is 2^-24.
TEST(GraphErrorBoundTest, IsRoundingsTimesUnitRoundoffTimesMagnitude) {
  SEQ_ASSERT_OK_AND_ASSIGN(const auto cases, ParseGraphTests(kProduct, ".", AllOps()));
  EXPECT_EQ(GraphErrorBound(cases[0].function, cases[0], DType::kFloat32), 14 * 8 * 0x1p-24);
  EXPECT_EQ(GraphErrorBound(cases[0].function, cases[0], DType::kFloat64), 14 * 8 * 0x1p-53);
}

class GraphTestCommandTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* before = std::getenv("XML_OUTPUT_FILE");
    xml_before_ = before == nullptr ? "" : before;
    setenv("XML_OUTPUT_FILE", (folder_ + "/out.xml").c_str(), 1);
  }
  void TearDown() override { setenv("XML_OUTPUT_FILE", xml_before_.c_str(), 1); }

  int Run(const std::vector<std::string>& paths) {
    return GraphTestCommand(paths, AllOps(), Options(), out_, err_);
  }
  std::string Write(const std::string& name, const std::string& text) {
    SEQ_EXPECT_OK(AtomicWriteFile(folder_ + "/" + name, text));
    return folder_ + "/" + name;
  }

  const std::string folder_ = MakeTempDir();
  std::string xml_before_;
  std::ostringstream out_, err_;
};

TEST_F(GraphTestCommandTest, CountsCasesAndWritesThemAsXml) {
  const std::string good = Write("good.textproto", absl::StrCat(kProduct, kLookup));
  const std::string bad = Write("bad.textproto", Changed("[8, -3]", "[9, -3]"));
  EXPECT_EQ(Run({good}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("2 passed, 0 failed\n"));
  EXPECT_EQ(Run({good, bad}), 1);
  EXPECT_THAT(out_.str(), HasSubstr("2 passed, 1 failed\n"));
  EXPECT_THAT(out_.str(), HasSubstr("[0] is 8, expected 9 (off by 1, allowed "));
  EXPECT_EQ(err_.str(), "");
  SEQ_ASSERT_OK_AND_ASSIGN(const std::string xml, ReadFile(folder_ + "/out.xml", 1 << 20));
  EXPECT_THAT(xml, HasSubstr("<testsuites tests=\"3\" failures=\"1\""));
  EXPECT_THAT(xml, HasSubstr("<testcase name=\"lookup\" classname=\"good.textproto\""));
  EXPECT_THAT(xml, HasSubstr("<failure message=\"results/y: 2 elements"));
}

TEST_F(GraphTestCommandTest, AFileThatCannotBeReadIsAFailedCase) {
  EXPECT_EQ(Run({folder_ + "/none.textproto"}), 1);
  EXPECT_THAT(err_.str(), HasSubstr("none.textproto"));
  EXPECT_THAT(out_.str(), HasSubstr("0 passed, 1 failed\n"));
  EXPECT_EQ(Run({Write("a&<b>.textproto", "nonsense")}), 1);
  SEQ_ASSERT_OK_AND_ASSIGN(const std::string xml, ReadFile(folder_ + "/out.xml", 1 << 20));
  EXPECT_THAT(xml, HasSubstr("a&amp;&lt;b&gt;.textproto"));
  EXPECT_THAT(xml, Not(HasSubstr("<b>")));
}

TEST_F(GraphTestCommandTest, NoFilesAreNoSuccess) { EXPECT_EQ(Run({}), 1); }

}  // namespace
}  // namespace seqgraph
