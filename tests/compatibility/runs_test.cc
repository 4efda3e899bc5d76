// A run that a program of each version has begun goes on, and ends as it did with that program.

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>

#include "seqgraph.h"
#include "tests/end_to_end/process.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

namespace fs = std::filesystem;

// The same steps on another processor.
constexpr double kAllowed = 1e-5;

TEST(CompatibilityTest, ARunOfEachVersionGoesOn) {
  const fs::path here = fs::absolute("tests/compatibility");
  int runs = 0;
  for (const auto& entry : fs::directory_iterator(here / "runs")) {
    if (!entry.is_directory()) continue;
    ++runs;
    const std::string name = entry.path().filename();
    SCOPED_TRACE(name);
    const std::string folder = MakeTempDir();
    fs::create_directory(folder + "/run");
    for (const auto& file : fs::directory_iterator(entry.path())) {
      fs::copy_file(fs::canonical(file.path()), fs::path(folder) / "run" / file.path().filename());
      fs::permissions(fs::path(folder) / "run" / file.path().filename(), fs::perms::owner_all);
    }
    const ProcessResult train =
        RunSeqgraph({"train", "--resume=run", "--epochs=8", "--output=m.pb", "--allow_changes",
                     "--data=" + (here / "data/reviews.csv").string()},
                    {.folder = folder});
    ASSERT_EQ(train.status, 0) << train.err;
    SEQ_ASSERT_OK_AND_ASSIGN(const Model now, LoadModel(folder + "/m.pb", AllOps()));
    SEQ_ASSERT_OK_AND_ASSIGN(const Model then,
                             LoadModel((here / "runs" / (name + "_ended.pb")).string(), AllOps()));
    for (const Variable& variable : then.variables.all()) {
      const Variable* found = now.variables.Find(variable.def.name);
      ASSERT_NE(found, nullptr) << variable.def.name;
      if (variable.value.dtype() != DType::kFloat32) {
        EXPECT_TRUE(found->value.BitwiseEquals(variable.value)) << variable.def.name;
        continue;
      }
      const auto a = found->value.Elements<float>(), b = variable.value.Elements<float>();
      const double scale = std::max(LargestFiniteMagnitude(variable.value), 1e-3);
      for (size_t i = 0; i < b.size(); ++i) {
        EXPECT_NEAR(a[i], b[i], kAllowed * scale) << variable.def.name;
      }
    }
  }
  EXPECT_EQ(runs, 1);
}

}  // namespace
}  // namespace seqgraph
