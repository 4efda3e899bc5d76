// The cache of integers, as its users meet it.

#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "data/testing/test_util.h"
#include "tests/end_to_end/process.h"
#include "tests/end_to_end/review_files.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

struct Fixture {
  std::string folder = FolderWithTinyArchive();

  ProcessResult Run(std::vector<std::string> arguments, const std::string& cache = "cache") {
    arguments.push_back("--data_cache=" + cache);
    return RunSeqgraph(arguments, {.folder = folder});
  }
  ProcessResult Train(const std::string& output, const std::string& cache = "cache") {
    const ProcessResult result =
        Run(WithFlags(TinyTraining("reference"), {"--output=" + output}), cache);
    EXPECT_EQ(result.status, 0) << result.err;
    return result;
  }
  std::string Bytes(const std::string& name) { return data::ReadFileOrDie(folder + "/" + name); }
  // Of the cache's entries.
  std::vector<std::string> Entries() {
    std::vector<std::string> paths;
    for (const std::string& name : NamesIn(folder + "/cache")) {
      if (absl::EndsWith(name, ".data")) paths.push_back(absl::StrCat(folder, "/cache/", name));
    }
    return paths;
  }
};

TEST(DataCache, TrainingFromItGivesTheSameModel) {
  Fixture f;
  EXPECT_THAT(f.Train("off.pb", "off").out, Not(HasSubstr("Integers:")));
  EXPECT_FALSE(std::filesystem::exists(f.folder + "/cache"));
  EXPECT_THAT(f.Train("first.pb").out, HasSubstr("Integers: made from the reviews, now in"));
  const ProcessResult second = f.Train("second.pb");
  EXPECT_THAT(second.out, HasSubstr("Integers: from the cache (key "));
  EXPECT_THAT(second.err, IsEmpty());
  EXPECT_EQ(f.Bytes("first.pb"), f.Bytes("off.pb"));
  EXPECT_EQ(f.Bytes("second.pb"), f.Bytes("off.pb"));
}

TEST(DataCache, ByDefaultItIsTheUsers) {
  Fixture f;
  const std::vector<std::string> encode = {"encode", "--data=tiny.tar.gz", "--output=out"};
  const ProcessOptions options = {.folder = f.folder,
                                  .environment = {"XDG_CACHE_HOME=" + f.folder + "/mine"}};
  ASSERT_EQ(RunSeqgraph(encode, options).status, 0);
  EXPECT_THAT(RunSeqgraph(encode, options).out, HasSubstr("Integers: from the cache"));
  EXPECT_THAT(NamesIn(f.folder + "/mine"), ElementsAre("seqgraph"));
}

TEST(DataCache, EvaluateUsesItToo) {
  Fixture f;
  f.Train("m.pb");
  for (const char* part : {"--part=test", "--part=validation"}) {
    const std::vector<std::string> evaluate = {"evaluate", "m.pb", "--data=tiny.tar.gz", part,
                                               "--backend=reference"};
    const std::string first = f.Run(evaluate).out;
    EXPECT_THAT(first, HasSubstr("Integers: made"));
    const std::string second = f.Run(evaluate).out;
    EXPECT_THAT(second, HasSubstr("Integers: from the cache"));
    const auto measured = [](const std::string& out) { return out.substr(out.find("loss:")); };
    EXPECT_EQ(measured(first), measured(second));
    EXPECT_EQ(measured(first), measured(f.Run(evaluate, "off").out));
  }
}

TEST(DataCache, AnotherArchiveUnderTheSameNameIsSeen) {
  Fixture f;
  f.Train("a.pb");
  data::Entries entries = TinyReviews();
  for (auto& [path, text] : entries) text = absl::StrCat("altogether different ", text);
  data::WriteFileOrDie(f.folder + "/tiny.tar.gz",
                       data::MakeArchive(entries, data::Packing::kTarGz));
  EXPECT_THAT(f.Train("b.pb").out, HasSubstr("Integers: made"));
  f.Train("c.pb", "off");
  EXPECT_EQ(f.Bytes("b.pb"), f.Bytes("c.pb"));
  EXPECT_NE(f.Bytes("b.pb"), f.Bytes("a.pb"));
}

TEST(DataCache, ADamagedEntryIsToldAndReplaced) {
  Fixture f;
  f.Train("a.pb");
  ASSERT_EQ(f.Entries().size(), 1u);
  const std::string entry = f.Entries()[0];
  const std::string whole = data::ReadFileOrDie(entry);
  std::string flipped = whole;
  flipped[whole.size() / 2] ^= 4;
  for (const std::string& bytes : {std::string(), whole.substr(0, 100), flipped, whole + "x"}) {
    data::WriteFileOrDie(entry, bytes);
    const ProcessResult result = f.Train("b.pb");
    EXPECT_THAT(result.err, HasSubstr("seqgraph: note: cached integers are made anew: "));
    EXPECT_EQ(f.Bytes("b.pb"), f.Bytes("a.pb"));
    EXPECT_EQ(data::ReadFileOrDie(entry), whole);
  }
}

TEST(DataCache, WhereItCannotBeWrittenThatIsToldAndNothingElse) {
  Fixture f;
  f.Train("a.pb", "off");
  const ProcessResult result = f.Train("b.pb", "tiny.tar.gz/cache");
  EXPECT_THAT(result.err, HasSubstr("seqgraph: note: cannot cache integers, going on without: "));
  EXPECT_EQ(f.Bytes("b.pb"), f.Bytes("a.pb"));
  // A full disk: no file may be longer than the record of the archive's state.
  const ProcessResult full =
      RunSeqgraph({"encode", "--data=tiny.tar.gz", "--maxlen=4", "--output=out", "--data_cache=c"},
                  {.folder = f.folder, .max_file_bytes = 1000});
  EXPECT_EQ(full.status, 0) << full.err;
  EXPECT_THAT(full.err, HasSubstr("going on without"));
  for (const std::string& name : NamesIn(f.folder + "/c")) {
    EXPECT_FALSE(absl::EndsWith(name, ".data") || absl::EndsWith(name, ".tmp")) << name;
  }
}

TEST(DataCache, ManyProcessesAtOnceAndKilledOnesDoNoHarm) {
  Fixture f;
  const std::vector<std::string> encode = {"encode", "--data=tiny.tar.gz"};
  const auto with_output = [&](int i) {
    std::vector<std::string> arguments = encode;
    arguments.push_back(absl::StrCat("--output=out", i));
    arguments.push_back("--data_cache=cache");
    return arguments;
  };
  ASSERT_EQ(f.Run({"encode", "--data=tiny.tar.gz", "--output=expected"}, "off").status, 0);
  const unsigned seed = 20240625;
  std::mt19937 random(seed);
  for (int round = 0; round < 12; ++round) {
    std::filesystem::remove_all(f.folder + "/cache");
    std::vector<std::unique_ptr<Process>> processes;
    for (int i = 0; i < 6; ++i) {
      processes.push_back(
          std::make_unique<Process>(with_output(i), ProcessOptions{.folder = f.folder}));
    }
    ::usleep(random() % 40000);
    for (int i = 0; i < 3; ++i) processes[i]->Signal(SIGKILL);
    for (int i = 0; i < 6; ++i) {
      const int status = processes[i]->Wait();
      EXPECT_TRUE(i < 3 || status == 0) << processes[i]->err();
      EXPECT_THAT(processes[i]->err(), IsEmpty()) << "seed " << seed << ", round " << round;
    }
    const ProcessResult last = RunSeqgraph(with_output(7), {.folder = f.folder});
    EXPECT_THAT(last.out, HasSubstr("Integers: from the cache"));
    for (const std::string& name : NamesIn(f.folder + "/expected")) {
      for (int i : {3, 4, 5, 7}) {
        EXPECT_EQ(f.Bytes(absl::StrCat("out", i, "/", name)), f.Bytes("expected/" + name));
      }
    }
  }
}

}  // namespace
}  // namespace seqgraph
