// Damaged model files through the C interface: bytes in memory are loaded, looked at, compiled, run
// and stepped. Each call gives a code with a text or numbers; never a crash, never much memory.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "google/protobuf/stubs/logging.h"
#include "runtime_library/runtime.h"
#include "serialization/model.pb.h"
#include "tests/fuzz/allocation_meter.h"
#include "tests/fuzz/mutator.h"
#include "tests/fuzz/seed_models.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

// What a compiled function and each call of a stream model may hold.
constexpr int64_t kMaxCallBytes = int64_t{1} << 22;

// The model, and what is made of it: a few calls at a time.
int64_t MemoryLimit(size_t bytes) { return 256 * static_cast<int64_t>(bytes) + 16 * kMaxCallBytes; }

// Bytes in memory of just their size, so that a sanitizer sees each read outside.
class ExactBytes {
 public:
  explicit ExactBytes(const std::string& bytes)
      : bytes_(new char[bytes.size()]), size_(bytes.size()) {
    std::copy(bytes.begin(), bytes.end(), bytes_.get());
  }
  const char* data() const { return bytes_.get(); }
  size_t size() const { return size_; }

 private:
  std::unique_ptr<char[]> bytes_;
  size_t size_;
};

class RuntimeModelFuzzTest : public ::testing::Test {
 protected:
  void TearDown() override {
    std::printf("%d errors, %d models; %d runs of functions, %d steps, of %d calls refused\n",
                errors_, models_, runs_, steps_, refused_);
  }

  // True if it is OK. An error has a text, and is not a mistake of ours.
  bool Succeeds(int32_t code) {
    EXPECT_EQ(code, status_.code);
    if (code == SEQGRAPH_OK) return true;
    EXPECT_NE(status_.text[0], '\0') << "code " << code;
    EXPECT_NE(code, SEQGRAPH_INTERNAL) << status_.text;
    EXPECT_NE(code, SEQGRAPH_UNKNOWN) << status_.text;
    return false;
  }
  bool Works(int32_t code) {
    if (Succeeds(code)) return true;
    ++refused_;
    return false;
  }

  // Small numbers, now and then an index that may be out of range.
  void Fill(const seqgraph_tensor_info& input) {
    const size_t size = static_cast<size_t>(input.num_bytes);
    std::vector<char> elements(size);
    for (size_t i = 0; i + 8 <= size || i + 4 <= size; i += 4) {
      const auto index = static_cast<int32_t>(mutator_.Below(64) == 0 ? mutator_.Below(100) - 50
                                                                      : mutator_.Below(3));
      const float real = 0.25f * static_cast<float>(index);
      const bool is_integer = input.dtype == SEQGRAPH_INT32 || input.dtype == SEQGRAPH_INT64;
      std::memcpy(&elements[i], is_integer ? static_cast<const void*>(&index) : &real, 4);
    }
    if (size > 0) std::memcpy(input.data, elements.data(), size);
  }

  void LookAt(const seqgraph_tensor_info& info) {
    seen_ += std::strlen(info.name);
    ASSERT_GE(info.rank, 0);
    for (int32_t i = 0; i < info.rank; ++i) ASSERT_GE(info.dims[i], -1);
  }

  void RunFunction(seqgraph_model* model, const char* name) {
    seqgraph_options options = SEQGRAPH_INIT(seqgraph_options);
    options.batch = 1 + static_cast<int64_t>(mutator_.Below(3));
    options.max_num_bytes = kMaxCallBytes;
    seqgraph_function* function = nullptr;
    if (!Works(seqgraph_function_compile(model, name, &options, &function, &status_))) return;
    seqgraph_function_info info = SEQGRAPH_INIT(seqgraph_function_info);
    seqgraph_tensor_info port = SEQGRAPH_INIT(seqgraph_tensor_info);
    ASSERT_TRUE(Succeeds(seqgraph_function_get_info(function, &info, &status_)));
    for (int32_t i = 0; i < info.num_inputs; ++i) {
      ASSERT_TRUE(Succeeds(seqgraph_function_get_input_info(function, i, &port, &status_)));
      Fill(port);
    }
    if (Works(seqgraph_function_run(function, &status_))) ++runs_;
    for (int32_t i = 0; i < info.num_outputs; ++i) {
      ASSERT_TRUE(Succeeds(seqgraph_function_get_output_info(function, i, &port, &status_)));
      std::vector<char> output(static_cast<size_t>(port.num_bytes));
      ASSERT_TRUE(Succeeds(
          seqgraph_function_get_output(function, i, output.data(), output.size(), &status_)));
    }
    seqgraph_function_free(function);
  }

  void LookAtModel(seqgraph_model* model) {
    seqgraph_model_info info = SEQGRAPH_INIT(seqgraph_model_info);
    seqgraph_tensor_info port = SEQGRAPH_INIT(seqgraph_tensor_info);
    ASSERT_TRUE(Succeeds(seqgraph_model_get_info(model, &info, &status_)));
    seen_ += std::strlen(info.name) + std::strlen(info.description);
    for (int32_t i = 0; i < info.num_labels; ++i) {
      seen_ += std::strlen(seqgraph_model_label(model, i));
    }
    for (int32_t v = 0; v < info.num_variables; ++v) {
      ASSERT_TRUE(Succeeds(seqgraph_model_get_variable(model, v, &port, &status_)));
      LookAt(port);
      std::vector<char> content(static_cast<size_t>(port.num_bytes));
      ASSERT_TRUE(Succeeds(
          seqgraph_variable_get(model, port.name, content.data(), content.size(), &status_)));
    }
    for (int32_t f = 0; f < info.num_functions; ++f) {
      seqgraph_function_info function = SEQGRAPH_INIT(seqgraph_function_info);
      // A function is read when it is asked for.
      if (!Works(seqgraph_model_get_function(model, f, &function, &status_))) continue;
      for (int32_t i = 0; i < function.num_inputs; ++i) {
        ASSERT_TRUE(Succeeds(seqgraph_model_get_input(model, function.name, i, &port, &status_)));
        LookAt(port);
      }
      for (int32_t i = 0; i < function.num_outputs; ++i) {
        ASSERT_TRUE(Succeeds(seqgraph_model_get_output(model, function.name, i, &port, &status_)));
        LookAt(port);
      }
      RunFunction(model, function.name);
    }
  }

  void StepStream(seqgraph_stream* stream, const seqgraph_stream_info& info) {
    seqgraph_tensor_info port = SEQGRAPH_INIT(seqgraph_tensor_info);
    for (int step = 0; step < 3; ++step) {
      for (int32_t i = 0; i < info.num_inputs; ++i) {
        ASSERT_TRUE(Succeeds(seqgraph_stream_get_input(stream, i, &port, &status_)));
        Fill(port);
      }
      if (Works(seqgraph_stream_step(stream, &status_))) ++steps_;
    }
    for (int32_t i = 0; i < info.num_outputs; ++i) {
      ASSERT_TRUE(Succeeds(seqgraph_stream_get_output(stream, i, &port, &status_)));
      LookAt(port);
    }
  }

  void RunStream(const ExactBytes& bytes) {
    seqgraph_stream_options options = SEQGRAPH_INIT(seqgraph_stream_options);
    options.max_batch = 1 + static_cast<int64_t>(mutator_.Below(2));
    options.block = 1 + static_cast<int64_t>(mutator_.Below(3));
    options.max_num_bytes = kMaxCallBytes;
    seqgraph_stream_model* model = nullptr;
    if (!Works(
            seqgraph_stream_model_parse(bytes.data(), bytes.size(), &options, &model, &status_))) {
      return;
    }
    seqgraph_stream_info info = SEQGRAPH_INIT(seqgraph_stream_info);
    ASSERT_TRUE(Succeeds(seqgraph_stream_model_get_info(model, &info, &status_)));
    seqgraph_stream *a = nullptr, *b = nullptr;
    ASSERT_TRUE(Succeeds(seqgraph_stream_create(model, &a, &status_)));
    ASSERT_TRUE(Succeeds(seqgraph_stream_create(model, &b, &status_)));
    StepStream(a, info);
    std::vector<char> saved(4096 + static_cast<size_t>(info.state_bytes));
    size_t size = saved.size();
    ASSERT_TRUE(Succeeds(seqgraph_stream_save(a, saved.data(), &size, &status_)));
    ASSERT_TRUE(Succeeds(seqgraph_stream_restore(b, saved.data(), size, &status_)));
    seqgraph_stream_batch* batch = nullptr;
    ASSERT_TRUE(Succeeds(seqgraph_stream_batch_create(model, &batch, &status_)));
    seqgraph_stream* const both[] = {a, b};
    Works(seqgraph_stream_batch_step(batch, both, 2, &status_));
    seqgraph_stream_batch_free(batch);
    seqgraph_stream_free(a);
    seqgraph_stream_free(b);
    seqgraph_stream_model_free(model);
  }

  void Check(const std::string& content) {
    const ExactBytes bytes(content);
    AllocationMeter meter;
    seqgraph_model* model = nullptr;
    if (Succeeds(seqgraph_model_parse(bytes.data(), bytes.size(), &model, &status_))) {
      ++models_;
      LookAtModel(model);
      RunStream(bytes);
    } else {
      ++errors_;
      EXPECT_EQ(model, nullptr);
    }
    seqgraph_model_free(model);
    EXPECT_LE(meter.peak(), MemoryLimit(bytes.size())) << bytes.size() << " bytes";
  }

  Mutator mutator_{FuzzSeed(20261129)};
  seqgraph_status status_ = SEQGRAPH_STATUS_INIT;
  size_t seen_ = 0;
  int errors_ = 0, models_ = 0, runs_ = 0, steps_ = 0, refused_ = 0;
};

// Each op, each class of layers, and what streams are made of; without seals.
std::vector<std::string> Files() {
  std::vector<std::string> files;
  for (const Model& model : OpModels()) files.push_back(UnsealedFile(model));
  for (const std::vector<LayerStack>& stacks : {LayerStacks(), StreamStacks()}) {
    for (const LayerStack& stack : stacks) {
      const absl::StatusOr<Model> model = StackModel(stack, 7);
      if (model.ok()) files.push_back(UnsealedFile(*model));
    }
  }
  return files;
}

TEST_F(RuntimeModelFuzzTest, TheUndamagedModelsRunAndStep) {
  const std::vector<std::string> files = Files();
  for (const std::string& file : files) {
    ASSERT_FALSE(file.empty());
    Check(SealedFile(file));
    if (HasFailure()) FAIL() << "of " << file.substr(0, 200);
  }
  EXPECT_GT(files.size(), 150u);
  EXPECT_EQ(errors_, 0);
  EXPECT_GT(runs_, static_cast<int>(files.size()) * 9 / 10);
  EXPECT_GT(steps_, 3 * static_cast<int>(StreamStacks().size()));
}

TEST_F(RuntimeModelFuzzTest, DamagedModelsGiveErrorsOrRun) {
  const std::vector<std::string> files = Files();
  std::vector<proto::Model> messages(files.size());
  for (size_t i = 0; i < files.size(); ++i) ASSERT_TRUE(messages[i].ParseFromString(files[i]));
  const int count = FuzzCount(10000);
  for (int i = 0; i < count; ++i) {
    const size_t file = mutator_.Below(files.size());
    if (i % 16 == 0) {
      Check(mutator_.Bytes(SealedFile(files[file])));
    } else if (i % 4 == 0) {
      Check(SealedFile(mutator_.Bytes(files[file])));
    } else if (i % 64 == 1) {
      Check(SealedFile(files[file].substr(0, mutator_.Below(files[file].size()))));
    } else {
      proto::Model changed = messages[file];
      mutator_.Message(changed);
      google::protobuf::LogSilencer silencer;  // it says so when a text is not UTF-8
      Check(SealedFile(changed.SerializeAsString()));
    }
    if (HasFailure()) FAIL() << "mutation " << i;
  }
  // A mutator that breaks everything at the first check, or changes nothing, would test nothing.
  EXPECT_GT(errors_, count / 4);
  EXPECT_GT(runs_, count / 50);
}

}  // namespace
}  // namespace seqgraph
