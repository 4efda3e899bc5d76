#pragma once

// `seqgraph run` in a folder of its own, on arrays that tests write there.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/zip.h"
#include "data/npy.h"
#include "data/testing/test_util.h"
#include "tests/end_to_end/process.h"
#include "tests/testing.h"

namespace seqgraph {

template <typename T>
std::string Npy(std::vector<T> values, const std::vector<int64_t>& shape) {
  return data::NpyFile(absl::MakeConstSpan(values), shape).value();
}

class RunFixture : public ::testing::Test {
 protected:
  std::string Path(const std::string& name) const { return absl::StrCat(folder_, "/", name); }
  void WriteNpz(const std::string& name,
                const std::vector<std::pair<std::string, std::string>>& arrays) const {
    std::vector<std::pair<std::string, std::string>> files;
    for (const auto& [array, bytes] : arrays) files.emplace_back(array + ".npy", bytes);
    data::WriteFileOrDie(Path(name), WriteZip(files).value());
  }
  ProcessResult Run(std::vector<std::string> arguments,
                    const std::string& backend = "reference") const {
    arguments.insert(arguments.begin(), "run");
    arguments.push_back("--backend=" + backend);
    return RunSeqgraph(arguments, {.folder = folder_});
  }
  std::string Succeeds(const std::vector<std::string>& arguments) const {
    const ProcessResult result = Run(arguments);
    EXPECT_EQ(result.status, 0) << result.out << result.err;
    return result.out;
  }
  void ExpectRefused(const std::vector<std::string>& arguments, const std::string& why) const {
    const ProcessResult result = Run(arguments);
    EXPECT_EQ(result.status, 1) << result.out << result.err;
    EXPECT_THAT(result.err, ::testing::HasSubstr(why));
  }
  std::vector<float> Output(const std::string& file, const std::string& name,
                            const std::vector<int64_t>& shape) const {
    const auto arrays = data::ReadNpz(Path(file)).value();
    EXPECT_TRUE(arrays.contains(name)) << file;
    if (!arrays.contains(name)) return {};
    EXPECT_EQ(arrays.at(name).shape, shape);
    const auto values = arrays.at(name).Values<float>().value();
    return {values.begin(), values.end()};
  }

  const std::string folder_ = MakeTempDir();
};

}  // namespace seqgraph
