// The runtime library in a process with the whole one, on Debian's Abseil and protobuf: neither
// sees the other, and both give the same bits, in training too.

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "backends/all_backends.h"
#include "ops/all_ops.h"
#include "ops/rewrites/all_rewrites.h"
#include "runtime/compiled_function.h"
#include "runtime_library/runtime.h"
#include "serialization/model_io.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

constexpr int kBatch = 4, kTokens = 7, kSteps = 5;

std::string Path(const std::string& name) {
  return absl::StrCat("tests/runtime_library/models/", name);
}

// The function of a model in the one library and in the other.
class Both {
 public:
  Both(const std::string& file, const char* name)
      : model_(LoadModel(Path(file), AllOps()).value()) {
    CompileOptions options{.backends = {AllBackends().Get("simd").value()},
                           .batch = kBatch,
                           .passes = StandardPasses()};
    ours_ =
        CompiledFunction::Compile(*model_.FindFunction(name), AllOps(), &model_.variables, options)
            .value();
    EXPECT_EQ(seqgraph_model_load(Path(file).c_str(), &other_model_, &status_), 0) << status_.text;
    seqgraph_options other_options = SEQGRAPH_INIT(seqgraph_options);
    other_options.batch = kBatch;
    EXPECT_EQ(seqgraph_function_compile(other_model_, name, &other_options, &other_, &status_), 0)
        << status_.text;
  }
  ~Both() {
    seqgraph_function_free(other_);
    seqgraph_model_free(other_model_);
  }

  void SetInput(const char* name, const void* data, size_t bytes) {
    std::memcpy(ours_->input(ours_->FindInput(name)), data, bytes);
    ASSERT_EQ(seqgraph_function_set_input(other_, seqgraph_function_find_input(other_, name), data,
                                          bytes, &status_),
              0)
        << status_.text;
  }

  void RunAndCompare() {
    ASSERT_THAT(ours_->Run(), IsOk());
    ASSERT_EQ(seqgraph_function_run(other_, &status_), 0) << status_.text;
    const Function& function = ours_->function();
    for (size_t r = 0; r < function.results().size(); ++r) {
      const int64_t bytes = function.type(function.results()[r].value).num_bytes();
      std::vector<char> found(bytes);
      ASSERT_EQ(seqgraph_function_get_output(other_, static_cast<int32_t>(r), found.data(), bytes,
                                             &status_),
                0)
          << status_.text;
      EXPECT_EQ(std::memcmp(found.data(), ours_->result(static_cast<int>(r)), bytes), 0)
          << function.results()[r].name;
    }
    for (const Variable& variable : model_.variables.all()) {
      std::vector<char> found(variable.value.num_bytes());
      ASSERT_EQ(seqgraph_variable_get(other_model_, variable.def.name.c_str(), found.data(),
                                      found.size(), &status_),
                0)
          << status_.text;
      EXPECT_EQ(std::memcmp(found.data(), variable.value.data(), found.size()), 0)
          << variable.def.name;
    }
  }

 private:
  Model model_;
  std::unique_ptr<CompiledFunction> ours_;
  seqgraph_model* other_model_ = nullptr;
  seqgraph_function* other_ = nullptr;
  seqgraph_status status_ = SEQGRAPH_STATUS_INIT;
};

class Beside : public ::testing::TestWithParam<const char*> {};

TEST_P(Beside, BothGiveTheSameBitsAndTrainAlike) {
  Both train(absl::StrCat(GetParam(), ".pb"), "train_step");
  for (int step = 0; step < kSteps; ++step) {
    std::vector<int32_t> tokens(kBatch * kTokens);
    for (size_t i = 0; i < tokens.size(); ++i) tokens[i] = (i * 7 + step * 3 + i / 5) % 20;
    const std::vector<float> labels = {1, 0, static_cast<float>(step % 2), 1};
    train.SetInput("tokens", tokens.data(), tokens.size() * sizeof(int32_t));
    train.SetInput("labels", labels.data(), labels.size() * sizeof(float));
    train.RunAndCompare();
    if (HasFatalFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Cells, Beside, ::testing::Values("SimpleRNN", "LSTM", "GRU"));

}  // namespace
}  // namespace seqgraph
