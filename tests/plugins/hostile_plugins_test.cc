// Plugins that do wrong: each must end in one clear error that names it, with this process alive
// and the other backends usable.

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "backends/all_backends.h"
#include "backends/plugin/plugin_loader.h"
#include "backends/plugin/plugin_probe.h"
#include "backends/plugin/select_backends.h"
#include "graph/model.h"
#include "gtest/gtest.h"
#include "ops/all_ops.h"
#include "runtime/compiled_function.h"
#include "tests/plugins/plugin_testing.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using Code = absl::StatusCode;

std::string HostilePath(const std::string& kind) {
  return absl::StrCat(std::filesystem::current_path().string(), "/tests/plugins/libhostile_", kind,
                      ".so");
}

std::shared_ptr<const EncodedFunction> Encoded(const Function& function) {
  return *EncodedFunction::Encode(function, SerializeForPlugins());
}

// Everything that a probe can do.
ProbeOptions Thorough() {
  return {.time_limit = absl::Seconds(60), .run = true, .leak_repeats = 1000};
}

PluginOptions Options(ProbeOptions probe) {
  PluginOptions options;
  options.built_in = &AllBackends();
  options.serialize = SerializeForPlugins();
  options.search_path = "";
  options.probe_options = probe;
  options.functions = {Encoded(SigmoidFunction(5))};
  return options;
}

// Runs z = sigmoid(sigmoid(x)) for x = 0: sigmoid(0.5) = 0.622459...
void ExpectUsable(const BackendSelection& selection) {
  SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<const Backend*> backends,
                           selection.registry.ParseList(selection.names));
  VariableStore variables;
  CompileOptions options;
  options.backends = backends;
  SEQ_ASSERT_OK_AND_ASSIGN(
      const auto compiled,
      CompiledFunction::Compile(SigmoidFunction(5), AllOps(), &variables, options));
  SEQ_ASSERT_OK_AND_ASSIGN(const Tensor x, Tensor::Zeros({DType::kFloat32, {5, 3}}));
  SEQ_ASSERT_OK(compiled->SetInput(0, x));
  SEQ_ASSERT_OK(compiled->Run());
  const Tensor z = compiled->Result(0);
  for (const float element : z.Elements<float>()) EXPECT_NEAR(element, 0.62245933f, 1e-7);
}

// How a crash shows: a sanitizer ends the process with a status of its own.
std::string Crash(const std::string& stage) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return "ended the process while " + stage;
#else
  return "crashed while " + stage + ": signal 11";
#endif
}

struct Hostile {
  const char* kind;
  Code code;
  std::string text;
  ProbeOptions probe = Thorough();
};

// Time enough to reach what never ends, also on a busy machine.
const ProbeOptions kSoon = {.time_limit = absl::Seconds(5)};

const Hostile kHostile[] = {
    {"no_entry", Code::kFailedPrecondition, "has no function seqgraph_backend_entry"},
    {"unresolved", Code::kFailedPrecondition, "undefined symbol: function_that_nobody_has"},
    {"wrong_magic", Code::kFailedPrecondition, "magic number 0x1"},
    {"older_struct", Code::kFailedPrecondition, "bytes; version 1 has"},
    {"newer_version", Code::kFailedPrecondition, "speaks version 99"},
    {"null_slot", Code::kFailedPrecondition, "lacks \"prepare\""},
    {"bad_name", Code::kFailedPrecondition, "calls itself \"two words \""},
    {"refuses_to_start", Code::kUnavailable, "does not say why"},
    {"garbage_status", Code::kInternal, "returned code 12345, which does not exist"},
    {"absurd_sizes", Code::kInternal, "asks for 9223372036854775807 bytes of scratch"},
    {"writes_past", Code::kOutOfRange, "wrote outside the memory of output 0 of node sigmoid"},
    {"writes_far_past", Code::kInternal, Crash("running a node")},
    {"writes_input", Code::kInternal, "wrote to input 0 of node sigmoid"},
    {"throws_in_run", Code::kInternal, "run: threw an exception"},
    {"never_returns", Code::kDeadlineExceeded, "had not finished claiming", kSoon},
    {"endless_constructor", Code::kDeadlineExceeded, "had not finished being loaded", kSoon},
    {"exiting_constructor", Code::kInternal, "ended the process while being loaded, with status 0"},
    {"exits_in_claim", Code::kInternal, "ended the process while claiming"},
    {"crashes", Code::kInternal, Crash("claiming nodes and preparing them for a trial")},
    {"crashes_in_run", Code::kInternal, Crash("running a node")},
    {"broken_promise", Code::kInternal, "claimed, but cannot be prepared"},
    {"claims_everything", Code::kInternal, "claims a node of an op that does not exist"},
    {"overlooks", Code::kInternal, "claims a node of an op that does not exist"},
    {"second_preparation", Code::kInternal, "once was enough"},
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // They keep freed memory.
    {"leaks", Code::kResourceExhausted, "leaks: grew by 1"},
#endif
    {"crashes_at_unload", Code::kInternal, Crash("being unloaded")},
};

class HostilePlugin : public ::testing::TestWithParam<Hostile> {};

TEST_P(HostilePlugin, IsRefusedByNameAndHarmsNobody) {
  const Hostile& hostile = GetParam();
  const std::string path = HostilePath(hostile.kind);
  const absl::StatusOr<BackendSelection> selection = SelectBackends(path, Options(hostile.probe));
  EXPECT_THAT(selection, StatusIs(hostile.code, hostile.text));
  EXPECT_THAT(selection, StatusIs(hostile.code, absl::StrCat("libhostile_", hostile.kind, ".so")));
  EXPECT_EQ(selection.status().message().find('\n'), absl::string_view::npos);
  SEQ_ASSERT_OK_AND_ASSIGN(const BackendSelection other,
                           SelectBackends("reference", Options(hostile.probe)));
  ExpectUsable(other);
}

INSTANTIATE_TEST_SUITE_P(Kinds, HostilePlugin, ::testing::ValuesIn(kHostile),
                         [](const auto& info) { return std::string(info.param.kind); });

class HonestPlugin : public ::testing::TestWithParam<const char*> {};

TEST_P(HonestPlugin, PassesTheSameProbeAndRuns) {
  SEQ_ASSERT_OK_AND_ASSIGN(const BackendSelection selection,
                           SelectBackends(HostilePath(GetParam()), Options(Thorough())));
  EXPECT_EQ(selection.names, GetParam());
  ExpectUsable(selection);
}

TEST_P(HonestPlugin, TakesOnlyWhatItImplements) {
  SEQ_ASSERT_OK_AND_ASSIGN(
      const ProbeReport report,
      ProbePlugin(HostilePath(GetParam()),
                  {Encoded(SigmoidFunction(5)), Encoded(SigmoidFunction(5, /*with_tanh=*/true))},
                  Thorough()));
  EXPECT_EQ(report.info.name, GetParam());
  EXPECT_THAT(report.claimed, ::testing::ElementsAre(2, 2));
}

INSTANTIATE_TEST_SUITE_P(Kinds, HonestPlugin,
                         ::testing::Values("honest", "claims_at_once", "newer_struct",
                                           "null_optional"),
                         [](const auto& info) { return std::string(info.param); });

// What reaches the user when a plugin was not probed: a refusal with the reason.
TEST(UnprobedPlugin, WhatItReturnsOrThrowsIsAStatus) {
  for (const auto& [kind, text] : std::vector<std::pair<const char*, const char*>>{
           {"throws", "claim: threw an exception, which no plugin may: what a surprise"},
           {"garbage_claim", "gives the reason -7, which does not exist"},
           {"garbage_claim", "names 1000000 other nodes"},
           {"garbage_claims", "gives the reason -7, which does not exist: ????"},
           {"garbage_claims", "names node 1000000 of 2 as the one it needs"},
           {"garbage_status", "returned code 12345"},
           {"broken_promise",
            "broken promise: claimed, but cannot be prepared: plugin broken_promise"}}) {
    SEQ_ASSERT_OK_AND_ASSIGN(const auto backend, LoadTestPlugin(HostilePath(kind)));
    VariableStore variables;
    CompileOptions options;
    options.backends = {backend.get()};
    const auto compiled =
        CompiledFunction::Compile(SigmoidFunction(5), AllOps(), &variables, options);
    EXPECT_THAT(compiled, StatusIs(Code::kInvalidArgument, text)) << kind;
  }
}

TEST(UnprobedPlugin, WhatItThrowsWhileRunningIsAStatus) {
  SEQ_ASSERT_OK_AND_ASSIGN(const auto backend, LoadTestPlugin(HostilePath("throws_in_run")));
  VariableStore variables;
  CompileOptions options;
  options.backends = {backend.get()};
  SEQ_ASSERT_OK_AND_ASSIGN(
      const auto compiled,
      CompiledFunction::Compile(SigmoidFunction(5), AllOps(), &variables, options));
  EXPECT_THAT(compiled->Run(), StatusIs(Code::kInternal, "threw an exception"));
}

// A claim for a group holds for the whole of it or not at all.
TEST(GroupClaim, HoldsWhereTheWholeGroupIsClaimed) {
  SEQ_ASSERT_OK_AND_ASSIGN(const BackendSelection selection,
                           SelectBackends(HostilePath("group"), Options(Thorough())));
  ExpectUsable(selection);
}

TEST(GroupClaim, IsVoidWithoutTheRest) {
  SEQ_ASSERT_OK_AND_ASSIGN(const auto backend, LoadTestPlugin(HostilePath("group")));
  const Function function = SigmoidFunction(5, /*with_tanh=*/true);
  const std::vector<Claim> claims = backend->ClaimFunction(function).nodes;
  ASSERT_EQ(claims.size(), 3u);
  EXPECT_EQ(claims[0].reason, ClaimReason::kNeedsOtherNode);
  EXPECT_EQ(claims[0].text,
            "runs only together with node tanh (Tanh), which it does not get: op Tanh is not "
            "implemented");
  EXPECT_EQ(claims[1].reason, ClaimReason::kUnknownOp);
  EXPECT_EQ(claims[2].reason, ClaimReason::kNeedsOtherNode);
}

TEST(GroupClaim, IsNotPreparedInPart) {
  SEQ_ASSERT_OK_AND_ASSIGN(const auto backend, LoadTestPlugin(HostilePath("group")));
  const Function function = SigmoidFunction(5);
  const std::vector<bool> nothing_opaque(function.values().size(), false);
  const FunctionClaim claim = backend->ClaimFunction(function);
  const int part[] = {1};
  EXPECT_THAT(backend->Prepare({&function, part, nothing_opaque, 1, &claim}),
              StatusIs(Code::kFailedPrecondition,
                       "node sigmoid_1 (Sigmoid) only together with "
                       "node sigmoid (Sigmoid)"));
  const int whole[] = {0, 1};
  SEQ_EXPECT_OK(backend->Prepare({&function, whole, nothing_opaque, 1, &claim}));
}

TEST(UnknownScratch, IsPassedOnAsUnknown) {
  SEQ_ASSERT_OK_AND_ASSIGN(const auto backend, LoadTestPlugin(HostilePath("unknown_scratch")));
  const Function function = SigmoidFunction(5);
  const int nodes[] = {0, 1};
  const FunctionClaim claim = backend->ClaimFunction(function);
  SEQ_ASSERT_OK_AND_ASSIGN(
      const auto program,
      backend->Prepare({&function, nodes, std::vector<bool>(function.values().size()), 1, &claim}));
  EXPECT_EQ(program->scratch_bytes(0), -1);
  SEQ_ASSERT_OK_AND_ASSIGN(const BackendSelection selection,
                           SelectBackends(HostilePath("unknown_scratch"), Options(Thorough())));
  ExpectUsable(selection);
}

// Puts copies of plugins into folders.
class SearchPath : public ::testing::Test {
 protected:
  void Add(const std::string& folder, const std::string& kind, const std::string& file) {
    std::filesystem::create_directories(root_ + folder);
    std::filesystem::copy_file(HostilePath(kind), root_ + folder + "/" + file,
                               std::filesystem::copy_options::overwrite_existing);
  }
  PluginOptions InPath(const std::string& path) const {
    PluginOptions options = Options({});
    options.search_path = path;
    return options;
  }
  const std::string root_ = MakeTempDir();
};

TEST_F(SearchPath, FindsAPluginByItsName) {
  Add("/a", "honest", "libhonest.so");
  SEQ_ASSERT_OK_AND_ASSIGN(const BackendSelection selection,
                           SelectBackends("honest,reference", InPath(root_ + "/a")));
  EXPECT_EQ(selection.names, "honest,reference");
  ExpectUsable(selection);
}

TEST_F(SearchPath, RefusesTwoOfOneName) {
  Add("/a", "honest", "libhonest.so");
  Add("/b", "honest", "libhonest.so");
  const PluginOptions options = InPath(absl::StrCat(root_, "/a:", root_, "/b"));
  EXPECT_THAT(SelectBackends("honest", options),
              StatusIs(Code::kFailedPrecondition, "several plugins are named honest"));
  std::vector<std::string> refused;
  const std::vector<ListedBackend> listed = ListBackends(options, &refused);
  ASSERT_EQ(listed.size(), AllBackends().all().size() + 2);
  for (size_t i = listed.size() - 2; i < listed.size(); ++i) {
    EXPECT_THAT(listed[i].status, StatusIs(Code::kFailedPrecondition, "/b/libhonest.so"));
  }
}

TEST_F(SearchPath, RefusesAFileThatBearsAnotherName) {
  Add("/a", "honest", "libelse.so");
  EXPECT_THAT(SelectBackends("else", InPath(root_ + "/a")),
              StatusIs(Code::kFailedPrecondition, "calls itself honest, not else"));
}

TEST_F(SearchPath, NeverMeansTheCurrentFolder) {
  Add("/a", "honest", "libhonest.so");
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(root_ + "/a");
  for (const char* path : {"", ".", ":", "./", "a"}) {
    EXPECT_THAT(SelectBackends("honest", InPath(path)),
                StatusIs(Code::kNotFound, "unknown backend \"honest\""))
        << path;
  }
  EXPECT_THAT(SelectBackends("libhonest.so", InPath("")), StatusIs(Code::kNotFound));
  SEQ_EXPECT_OK(SelectBackends("./libhonest.so", InPath("")));
  std::filesystem::current_path(before);
}

TEST_F(SearchPath, ListSaysWhatWasRefusedAndWhy) {
  Add("/a", "honest", "libhonest.so");
  Add("/a", "wrong_magic", "libwrong.so");
  Add("/a", "exiting_constructor", "libexits.so");
  Add("/a", "honest", "libreference.so");
  std::ofstream(root_ + "/a/libtext.so") << "not a library";
  std::vector<std::string> refused;
  const std::vector<ListedBackend> listed =
      ListBackends(InPath(root_ + "/a:relative:/no/such/folder"), &refused);
  std::vector<std::string> lines;
  for (const ListedBackend& row : listed) {
    lines.push_back(absl::StrCat(row.name, ": ", row.status.message()));
  }
  using ::testing::HasSubstr;
  EXPECT_THAT(lines,
              ::testing::UnorderedElementsAre(
                  "reference: ", "onednn: ", "simd: ", "honest: ", HasSubstr("magic number"),
                  HasSubstr("ended the process"), HasSubstr("the name means the built-in backend"),
                  HasSubstr("libtext.so")));
  EXPECT_THAT(refused, ::testing::ElementsAre(HasSubstr("relative: not an absolute path"),
                                              HasSubstr("/no/such/folder")));
}

TEST(SelectBackends, APluginGivenByPathReplacesABuiltInOneAndSaysSo) {
  const std::string path =
      std::filesystem::current_path().string() + "/tools/plugins/libreference.so";
  SEQ_ASSERT_OK_AND_ASSIGN(const BackendSelection selection,
                           SelectBackends(path, Options(Thorough())));
  EXPECT_EQ(selection.names, "reference");
  EXPECT_THAT(selection.notes, ::testing::ElementsAre(::testing::HasSubstr("in place of")));
  ExpectUsable(selection);
  EXPECT_THAT(SelectBackends(absl::StrCat(path, ",reference"), Options(Thorough())),
              StatusIs(Code::kInvalidArgument, "are named reference"));
}

TEST(SelectBackends, NamesWhatThereIs) {
  EXPECT_THAT(SelectBackends("", Options({})), StatusIs(Code::kInvalidArgument, "empty list"));
  EXPECT_THAT(SelectBackends("nobody", Options({})),
              StatusIs(Code::kNotFound, "there are reference, onednn"));
  EXPECT_THAT(SelectBackends("/no/such/libfile.so", Options({})),
              StatusIs(Code::kNotFound, "there is no such file"));
}

}  // namespace
}  // namespace seqgraph

int main(int argc, char** argv) {
  seqgraph::RunProbeChild(argc, argv);
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
