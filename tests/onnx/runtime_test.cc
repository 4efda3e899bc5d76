// What SaveOnnx writes, before other judges: ONNX's checker and ONNX Runtime, if the environment
// variable SEQGRAPH_ONNX_PYTHON names a Python that has them.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/atomic_file.h"
#include "base/status_macros.h"
#include "data/npy.h"
#include "ops/all_ops.h"
#include "serialization/onnx/onnx_writer.h"
#include "tests/onnx/round_trip_models.h"
#include "tests/testing.h"
#include "training/model_runner.h"

namespace seqgraph::onnx {
namespace {

absl::Status WriteArray(const std::string& path, const Tensor& tensor) {
  std::vector<int64_t> extents;
  for (Dim dim : tensor.shape().dims()) extents.push_back(dim.size());
  absl::StatusOr<std::string> file;
  if (tensor.dtype() == DType::kFloat32) {
    file = data::NpyFile(tensor.Elements<float>(), extents);
  } else {
    file = data::NpyFile(tensor.Elements<int32_t>(), extents);
  }
  SEQ_RETURN_IF_ERROR(file.status());
  return AtomicWriteFile(path, *file);
}

// The model, random inputs, and what `reference` gives for them.
absl::Status Write(const NamedModel& named, const std::string& folder) {
  SEQ_ASSIGN_OR_RETURN(Model model, named.make());
  SEQ_RETURN_IF_ERROR(SaveOnnx(model, absl::StrCat(folder, "/", named.name, ".onnx")));
  const std::string arrays = absl::StrCat(folder, "/", named.name);
  std::filesystem::create_directory(arrays);
  ModelRunner runner(&model, {.backend = "reference"});
  SEQ_ASSIGN_OR_RETURN(CompiledFunction* const predict, runner.Compile("predict", kBatch));
  SampleSource source(3);
  for (size_t i = 0; i < predict->function().inputs().size(); ++i) {
    const TensorType type = predict->function().type(predict->function().inputs()[i]);
    const Tensor input = RandomInput(source, type);
    SEQ_RETURN_IF_ERROR(predict->SetInput(static_cast<int>(i), input));
    SEQ_RETURN_IF_ERROR(WriteArray(absl::StrCat(arrays, "/in_", i, ".npy"), input));
  }
  SEQ_RETURN_IF_ERROR(predict->Run());
  for (size_t i = 0; i < predict->function().results().size(); ++i) {
    SEQ_RETURN_IF_ERROR(
        WriteArray(absl::StrCat(arrays, "/out_", i, ".npy"), predict->Result(static_cast<int>(i))));
  }
  return absl::OkStatus();
}

TEST(OnnxRuntime, GivesTheSameResults) {
  const char* python = std::getenv("SEQGRAPH_ONNX_PYTHON");
  if (python == nullptr) {
    GTEST_SKIP() << "needs SEQGRAPH_ONNX_PYTHON, a Python with onnx and onnxruntime";
  }
  const std::string folder = MakeTempDir();
  for (const NamedModel& named : RoundTripModels()) {
    SCOPED_TRACE(named.name);
    SEQ_ASSERT_OK(Write(named, folder));
  }
  EXPECT_EQ(
      std::system(absl::StrCat("'", python, "' tests/onnx/check_export.py '", folder, "'").c_str()),
      0);
}

}  // namespace
}  // namespace seqgraph::onnx
