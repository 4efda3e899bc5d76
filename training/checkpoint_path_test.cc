#include "training/checkpoint_path.h"

#include "gtest/gtest.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

const PathFields& Fields() {
  static const auto& fields =
      *new PathFields{{"epoch", int64_t{7}}, {"val_loss", 0.456}, {"drift", -0.25}};
  return fields;
}

// Expected texts are what Python's str.format gives for epoch=7, val_loss=0.456, drift=-0.25.
TEST(CheckpointPath, FormatsAsPythonDoes) {
  const std::pair<const char*, const char*> cases[] = {
      {"best.pb", "best.pb"},
      {"{epoch:02d}-{val_loss:.2f}.pb", "07-0.46.pb"},
      {"{epoch}.pb", "7.pb"},
      {"{epoch:4d}.pb", "   7.pb"},
      {"{epoch:012d}.pb", "000000000007.pb"},
      {"{epoch:.1f}.pb", "7.0.pb"},
      {"{val_loss}.pb", "0.456.pb"},
      {"{val_loss:f}.pb", "0.456000.pb"},
      {"{val_loss:08.3f}.pb", "0000.456.pb"},
      {"{val_loss:.1e}.pb", "4.6e-01.pb"},
      {"{val_loss:.2g}.pb", "0.46.pb"},
      {"{val_loss:.2}.pb", "0.46.pb"},
      {"{drift:06.2f}.pb", "-00.25.pb"},
      {"{{x}}{epoch}.pb", "{x}7.pb"},
  };
  for (const auto& [path, expected] : cases) {
    SEQ_ASSERT_OK_AND_ASSIGN(const std::string result, FormatCheckpointPath(path, Fields()));
    EXPECT_EQ(result, expected) << path;
  }
}

TEST(CheckpointPath, RefusesWhatItCannotFillIn) {
  const std::pair<const char*, const char*> cases[] = {
      {"{val_acc:.2f}.pb", "'val_acc'"}, {"{epoch:x}.pb", "'x'"},
      {"{val_loss:d}.pb", "'d'"},        {"{val_loss:.f}.pb", "'.f'"},
      {"{epoch", "'{' without its '}'"}, {"epoch}.pb", "'}' without its '{'"},
      {"{epoch:100d}.pb", "'100d'"},     {"{}.pb", "there is no ''"},
      {"{epoch:.2d}.pb", "'.2d'"},
  };
  for (const auto& [path, what] : cases) {
    EXPECT_THAT(FormatCheckpointPath(path, Fields()),
                StatusIs(absl::StatusCode::kInvalidArgument, what))
        << path;
  }
}

TEST(CheckpointPath, FolderIsWhatStandsBeforeTheLastSlash) {
  EXPECT_EQ(FolderOf("a/b/c.pb"), "a/b");
  EXPECT_EQ(FolderOf("c.pb"), "");
  EXPECT_EQ(FolderOf("/c.pb"), "");
}

}  // namespace
}  // namespace seqgraph
