// A model file is replaced 10,000 times while others read it: each finds one of the models, whole.

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ops/all_ops.h"
#include "serialization/model_io.h"
#include "tests/fuzz/seed_models.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

constexpr int kReaders = 3, kReplacements = 10'000;

// In memory where there is such a place: syncing takes no time there.
std::string Folder() {
  if (::access("/dev/shm", W_OK) != 0) return MakeTempDir();
  std::string pattern = "/dev/shm/seqgraph-XXXXXX";
  return ::mkdtemp(pattern.data()) == nullptr ? MakeTempDir() : pattern;
}

TEST(ReplacedFileTest, ReadersFindAWholeModel) {
  const std::string folder = Folder(), path = folder + "/model.pb";
  std::vector<Model> models;
  std::vector<std::string> bytes;
  for (const int which : {0, 1}) {
    SEQ_ASSERT_OK_AND_ASSIGN(Model model, StackModel(StreamStacks()[which], /*seed=*/1 + which));
    SEQ_ASSERT_OK_AND_ASSIGN(std::string serialized, SerializeModel(model, ModelFormat::kBinary));
    models.push_back(std::move(model));
    bytes.push_back(std::move(serialized));
  }
  ASSERT_NE(bytes[0].size(), bytes[1].size());
  SEQ_ASSERT_OK(SaveModel(models[0], path));
  std::atomic<bool> done{false};
  std::atomic<int64_t> found[2] = {0, 0};
  std::vector<std::jthread> readers;
  for (int i = 0; i < kReaders; ++i) {
    readers.emplace_back([&] {
      while (!done && !::testing::Test::HasFailure()) {
        const absl::StatusOr<Model> model = LoadModel(path, AllOps());
        ASSERT_TRUE(model.ok()) << model.status();
        const absl::StatusOr<std::string> again = SerializeModel(*model, ModelFormat::kBinary);
        ASSERT_TRUE(again.ok() && (*again == bytes[0] || *again == bytes[1]));
        ++found[*again == bytes[1]];
      }
    });
  }
  for (int i = 1; i <= kReplacements && !HasFailure(); ++i) {
    SEQ_EXPECT_OK(SaveModel(models[i % 2], path));
  }
  // On a busy machine a reader may not have had its turn.
  while ((found[0] == 0 || found[1] == 0) && !HasFailure()) {
    SEQ_EXPECT_OK(SaveModel(models[found[0] == 0 ? 0 : 1], path));
  }
  done = true;
  readers.clear();
  std::printf("read %lld times one and %lld times the other\n",
              static_cast<long long>(found[0].load()), static_cast<long long>(found[1].load()));
  std::filesystem::remove(path);
  EXPECT_TRUE(std::filesystem::is_empty(folder)) << "temporary files are left";
  std::filesystem::remove(folder);
}

}  // namespace
}  // namespace seqgraph
