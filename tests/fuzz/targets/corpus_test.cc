// The kept corpus, in the plain build too: each file goes through its target without a crash, and
// the targets are those of the corpus. Its seeds, files 0, 1, ... of each target, are written anew
// by
//
//   SEQGRAPH_CORPUS=$PWD/tests/fuzz/corpus bazel-bin/tests/fuzz/targets/corpus_test
//
// What fuzzing has found lies beside them under other names.

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/atomic_file.h"
#include "data/testing/test_util.h"
#include "tests/fuzz/targets/targets.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

namespace fs = std::filesystem;

constexpr char kCorpus[] = "tests/fuzz/corpus";

TEST(CorpusTest, EachSeedGoesThroughItsTarget) {
  const char* const corpus = std::getenv("SEQGRAPH_CORPUS");
  for (const FuzzTarget& target : AllTargets()) {
    const std::vector<std::string> seeds = target.seeds();
    EXPECT_FALSE(seeds.empty()) << target.name;
    for (size_t i = 0; i < seeds.size(); ++i) {
      SCOPED_TRACE(absl::StrCat(target.name, ", seed ", i));
      EXPECT_TRUE(target.run(seeds[i])) << "no whole file";
      if (corpus == nullptr) continue;
      const std::string folder = absl::StrCat(corpus, "/", target.name);
      fs::create_directories(folder);
      SEQ_EXPECT_OK(AtomicWriteFile(absl::StrCat(folder, "/", i), seeds[i]));
    }
  }
}

TEST(CorpusTest, EachFileGoesThroughItsTarget) {
  int files = 0;
  for (const FuzzTarget& target : AllTargets()) {
    int own = 0;
    for (const auto& entry : fs::directory_iterator(absl::StrCat(kCorpus, "/", target.name))) {
      SCOPED_TRACE(entry.path());
      std::printf("%s\n", entry.path().c_str());  // the last one is what crashed
      std::fflush(stdout);
      target.run(data::ReadFileOrDie(entry.path()));
      ++own;
    }
    EXPECT_GT(own, 0) << target.name << " has no files";
    files += own;
  }
  std::printf("%d files\n", files);
}

TEST(CorpusTest, IsThatOfTheTargetsAndSmall) {
  std::set<std::string> names, folders;
  for (const FuzzTarget& target : AllTargets()) names.insert(target.name);
  uintmax_t bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(kCorpus)) {
    if (entry.is_directory()) {
      folders.insert(entry.path().filename());
    } else {
      bytes += fs::file_size(entry.path());
    }
  }
  EXPECT_EQ(folders, names);
  EXPECT_LT(bytes, 300'000u);
}

}  // namespace
}  // namespace seqgraph
