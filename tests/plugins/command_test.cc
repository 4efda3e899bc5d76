// Plugins through the seqgraph command: named by path or found by name, they train, are listed,
// proven and, if they are hostile, refused with one error.

#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "data/testing/test_util.h"
#include "tests/end_to_end/process.h"
#include "tests/end_to_end/review_files.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::seqgraph::data::ReadFileOrDie;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Sigmoid of 0: 1/2.
constexpr char kSigmoidCase[] = R"(cases {
  name: "half"
  node { op: "Sigmoid" inputs: ["x"] }
  inputs { name: "x" tensor { type { dtype: FLOAT32 dims: [2] } float32_values: [0, 0] } }
  results { name: "y" tensor { type { dtype: FLOAT64 dims: [2] } float64_values: [0.5, 0.5] } }
}
)";

// The absolute path of a plugin that this test was given.
std::string Plugin(const std::string& path) {
  return std::filesystem::absolute(path).lexically_normal().string();
}

class PluginCommandTest : public ::testing::Test {
 protected:
  ProcessResult Train(const std::string& backend, const std::string& output) const {
    return RunSeqgraph(WithFlags(TinyTraining(backend), {"--output=" + output}),
                       {.folder = folder_});
  }

  const std::string folder_ = FolderWithTinyArchive();
};

TEST_F(PluginCommandTest, AnExportedBuiltInTrainsToTheSameBytesAndTheRunSaysSo) {
  ASSERT_EQ(Train("onednn", "built_in.pb").status, 0);
  const ProcessResult loaded = Train(Plugin("tools/plugins/libonednn.so"), "loaded.pb");
  ASSERT_EQ(loaded.status, 0) << loaded.err;
  EXPECT_THAT(loaded.err, AllOf(HasSubstr("backend onednn is the plugin "),
                                HasSubstr("in place of the built-in one")));
  EXPECT_EQ(ReadFileOrDie(folder_ + "/built_in.pb"), ReadFileOrDie(folder_ + "/loaded.pb"));
  const ProcessResult answer = RunSeqgraph(
      {"predict", "loaded.pb", "--backend=" + Plugin("tools/plugins/libreference.so"), "great"},
      {.folder = folder_});
  EXPECT_EQ(answer.status, 0) << answer.err;
}

TEST_F(PluginCommandTest, AHostilePluginIsOneErrorAndThePreviousFileStays) {
  ASSERT_EQ(Train("reference", "m.pb").status, 0);
  const std::string before = ReadFileOrDie(folder_ + "/m.pb");
  for (const char* kind : {"crashes", "exiting_constructor", "wrong_magic"}) {
    const std::string path = Plugin(absl::StrCat("tests/plugins/libhostile_", kind, ".so"));
    const ProcessResult result = Train(path, "m.pb");
    EXPECT_EQ(result.status, 1) << kind;
    const std::vector<std::string> lines = absl::StrSplit(result.err, '\n', absl::SkipEmpty());
    EXPECT_THAT(lines, SizeIs(1)) << result.err;
    EXPECT_THAT(result.err, HasSubstr(path));
    EXPECT_EQ(ReadFileOrDie(folder_ + "/m.pb"), before);
  }
}

#if !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)  // They have handlers of theirs.

struct Way {
  const char* name;
  int signal;
  const char* signal_name;
};

// However it crashes, also in a thread of its own and where the stack is full.
constexpr Way kWays[] = {{"", SIGSEGV, "SIGSEGV"},       {"divides", SIGFPE, "SIGFPE"},
                         {"aborts", SIGABRT, "SIGABRT"}, {"bus", SIGBUS, "SIGBUS"},
                         {"illegal", SIGILL, "SIGILL"},  {"overflows", SIGSEGV, "SIGSEGV"},
                         {"thread", SIGSEGV, "SIGSEGV"}};

TEST_F(PluginCommandTest, ACrashInRunNamesPluginFunctionAndNode) {
  ASSERT_EQ(Train("reference", "m.pb").status, 0);
  const std::string path = Plugin("tests/plugins/libhostile_crashes_in_run.so");
  const std::string plugin =
      "plugin crashes_in_run (" + path + ") crashed in run, node dense (Dense)";
  for (const Way& way : kWays) {
    const ProcessResult result = RunSeqgraph(
        {"predict", "m.pb", "--self_test=false", "--passes=none",
         "--backend=" + path + ",reference", "good"},
        {.folder = folder_, .environment = {absl::StrCat("SEQGRAPH_TEST_CRASH=", way.name)}});
    EXPECT_EQ(result.status, 1000 + way.signal) << way.name << result.err;
    EXPECT_EQ(result.err, absl::StrCat("seqgraph: ", plugin, " of function predict: signal ",
                                       way.signal, " (", way.signal_name, ")\n"));
  }
}

TEST_F(PluginCommandTest, ACrashIsNamedByEveryCommandThatRunsFunctions) {
  ASSERT_EQ(Train("reference", "m.pb").status, 0);
  const std::string before = ReadFileOrDie(folder_ + "/m.pb");
  std::ofstream(folder_ + "/sigmoid.textproto") << kSigmoidCase;
  const std::string path = Plugin("tests/plugins/libhostile_crashes_in_run.so");
  const std::string backend = "--backend=" + path + ",reference";
  std::vector<std::string> train = WithFlags(TinyTraining(""), {backend, "--output=m.pb"});
  std::vector<std::string> later = train;
  later.push_back("--self_test=none");
  for (const std::vector<std::string>& line : std::vector<std::vector<std::string>>{
           train,
           later,
           {"evaluate", "m.pb", "--data=tiny.tar.gz", "--self_test=false", backend},
           {"predict", "m.pb", backend, "good"},
           {"bench", "m.pb", backend},
           {"test", "sigmoid.textproto", backend}}) {
    const ProcessResult result = RunSeqgraph(line, {.folder = folder_});
    EXPECT_EQ(result.status, 1000 + SIGSEGV) << line[0] << result.err;
    EXPECT_THAT(result.err, AllOf(HasSubstr("plugin crashes_in_run (" + path + ") crashed in run"),
                                  HasSubstr(" of function "), HasSubstr("(SIGSEGV)")))
        << line[0];
    EXPECT_EQ(ReadFileOrDie(folder_ + "/m.pb"), before);
  }
}

struct Call {
  const char* name;
  const char* place;
};

// What the probe cannot find: every command that claims says who did it.
TEST_F(PluginCommandTest, ACrashThatNoProbeSawIsNamedByEveryCommandThatClaims) {
  ASSERT_EQ(Train("reference", "m.pb").status, 0);
  const std::string path = Plugin("tests/plugins/libhostile_crashes_in_host.so");
  const std::string plugin = "plugin crashes_in_host (" + path + ")";
  const std::string backend = "--backend=" + path + ",reference";
  for (const std::vector<std::string>& line : std::vector<std::vector<std::string>>{
           {"explain", "m.pb", "--function=predict", backend},
           {"predict", "m.pb", "--self_test=false", backend, "good"},
           {"inspect", "m.pb", "--passes", "--function=predict", backend}}) {
    const auto run = [&](const std::string& call) {
      return RunSeqgraph(line, {.folder = folder_, .environment = {"SEQGRAPH_TEST_CRASH=" + call}});
    };
    EXPECT_EQ(run("").status, 0) << line[0] << run("").err;
    for (const Call& call : {Call{"claim", ", node dense (Dense) of function predict"},
                             Call{"prepare", ", function predict"},
                             Call{"node_info", ", node dense (Dense) of function predict"}}) {
      const ProcessResult result = run(call.name);
      EXPECT_EQ(result.status, 1000 + SIGSEGV) << line[0] << call.name << result.err;
      EXPECT_THAT(result.err, HasSubstr(absl::StrCat(plugin, " crashed in ", call.name, call.place,
                                                     ": signal 11 (SIGSEGV)\n")))
          << line[0];
    }
    const ProcessResult at_end = run("end");
    EXPECT_EQ(at_end.status, 1000 + SIGSEGV) << line[0] << at_end.err;
    EXPECT_THAT(at_end.err, HasSubstr("crashed outside of any call of " + plugin +
                                      ", which may have damaged its memory: signal 11"))
        << line[0];
  }
}

#endif

TEST_F(PluginCommandTest, BackendsListsTheSearchPathWithWhatIsRefusedAndWhy) {
  const std::string plugins = MakeTempDir();
  std::filesystem::copy(Plugin("tests/plugins/libhostile_honest.so"), plugins + "/libhonest.so");
  std::filesystem::copy(Plugin("tests/plugins/libhostile_no_entry.so"), plugins + "/libempty.so");
  const ProcessOptions options{.folder = folder_,
                               .environment = {"SEQGRAPH_BACKEND_PATH=" + plugins}};
  const ProcessResult list = RunSeqgraph({"backends"}, options);
  ASSERT_EQ(list.status, 0) << list.err;
  EXPECT_THAT(list.out, AllOf(HasSubstr("reference "), HasSubstr("onednn "),
                              HasSubstr("plugin " + plugins + "/libhonest.so"),
                              HasSubstr("empty refused: "), HasSubstr("no Seqgraph backend")));
  const ProcessResult unknown = RunSeqgraph({"test", "--backend=nowhere", "x.textproto"}, options);
  EXPECT_EQ(unknown.status, 1);
  EXPECT_THAT(unknown.err, HasSubstr("there are reference, onednn, simd, empty, honest"));
}

TEST_F(PluginCommandTest, TheKitProvesALoadedBackendAndSurvivesOneThatCrashes) {
  const auto prove = [&](const std::string& path) {
    return RunSeqgraph({"conformance", "--backend=" + Plugin(path), "--mode=state"},
                       {.folder = folder_});
  };
  const ProcessResult good = prove("tools/plugins/libreference.so");
  EXPECT_EQ(good.status, 0) << good.out << good.err;
  EXPECT_THAT(good.out, HasSubstr("PASSED: all that reference claims"));
  EXPECT_THAT(good.err, IsEmpty());
  const ProcessResult bad = prove("tests/plugins/libhostile_crashes.so");
  EXPECT_EQ(bad.status, 1) << bad.out;
  EXPECT_THAT(bad.out, HasSubstr("crashed  state/backward_twice"));
}

TEST_F(PluginCommandTest, AGraphTestFileRunsWithGuardsInTheTestCommandAndInTheKit) {
  const std::string right = folder_ + "/right.textproto", wrong = folder_ + "/wrong.textproto";
  std::ofstream(right) << kSigmoidCase;
  std::ofstream(wrong) << absl::StrReplaceAll(kSigmoidCase, {{"[0.5, 0.5]", "[0.5, 0.25]"}});
  const auto kit = [&](const std::string& backend, const std::string& file) {
    return RunSeqgraph({"conformance", "--backend=" + backend, "--graph_test=" + file},
                       {.folder = folder_});
  };
  EXPECT_EQ(RunSeqgraph({"test", right, "--backend=onednn", "--guards"}).status, 0);
  EXPECT_EQ(kit("onednn", right).status, 0);
  EXPECT_EQ(kit(Plugin("tests/plugins/libhostile_honest.so"), right).status, 0);
  const ProcessResult numbers = kit("onednn", wrong);
  EXPECT_EQ(numbers.status, 1);
  EXPECT_THAT(numbers.out, AllOf(HasSubstr("/half"), HasSubstr("results/y")));
  const ProcessResult past = kit(Plugin("tests/plugins/libhostile_writes_past.so"), right);
  EXPECT_EQ(past.status, 1);
  EXPECT_THAT(past.out, HasSubstr("output"));
  EXPECT_EQ(kit("onednn", folder_ + "/none.textproto").status, 1);
}

// Every hostile plugin runs through the kit: this process stays, and what is wrong is not proven.
TEST_F(PluginCommandTest, TheKitOutlivesEveryHostilePlugin) {
  const std::vector<std::string> kWellBehaved = {
      "claims_at_once",
      "crashes_at_unload",  // which never happens: plugins are not unloaded
      "group",
      "honest",
      "newer_struct",
      "null_optional",
      "unknown_scratch"};
  int proven = 0, refused = 0;
  for (const auto& entry : std::filesystem::directory_iterator(Plugin("tests/plugins"))) {
    const std::string file = entry.path().filename().string();
    if (!absl::StartsWith(file, "libhostile_") || !absl::EndsWith(file, ".so")) continue;
    const std::string kind = file.substr(11, file.size() - 14);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    if (kind == "leaks") continue;  // the kit does not look for leaks there
#endif
    const ProcessResult kit = RunSeqgraph({"conformance", "--backend=" + entry.path().string(),
                                           "--mode=state,robustness", "--timeout=5"},
                                          {.folder = folder_});
    const bool good = std::count(kWellBehaved.begin(), kWellBehaved.end(), kind) > 0;
    EXPECT_EQ(kit.status, good ? 0 : 1) << kind << "\n" << kit.out << kit.err;
    if (kind == "broken_promise") {
      EXPECT_THAT(kit.out, HasSubstr("broken promise: claimed, but cannot be prepared"));
    }
    ++(good ? proven : refused);
  }
  EXPECT_EQ(proven, 7);
  EXPECT_GE(refused, 16);
}

}  // namespace
}  // namespace seqgraph
