// What SaveOnnx writes, before other judges: ONNX's checker and ONNX Runtime, if the environment
// variable SEQGRAPH_ONNX_PYTHON names a Python that has them.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/atomic_file.h"
#include "base/status_macros.h"
#include "data/npy.h"
#include "graph/op_def.h"
#include "serialization/onnx/onnx_writer.h"
#include "tests/onnx/foreign_models.h"
#include "tests/onnx/round_trip_models.h"
#include "tests/testing.h"

namespace seqgraph::onnx {
namespace {

absl::Status WriteArray(const std::string& path, const Tensor& tensor) {
  std::vector<int64_t> extents;
  for (Dim dim : tensor.shape().dims()) extents.push_back(dim.size());
  const absl::StatusOr<std::string> file = VisitElementType(tensor.dtype(), [&](auto zero) {
    return data::NpyFile(tensor.Elements<decltype(zero)>(), extents);
  });
  SEQ_RETURN_IF_ERROR(file.status());
  return AtomicWriteFile(path, *file);
}

// The model as NAME.onnx, and its inputs with what `reference` gives for them in a folder NAME.
absl::Status Write(ForeignCase& model, const std::string& name, const std::string& folder) {
  const std::string path = absl::StrCat(folder, "/", name);
  SEQ_RETURN_IF_ERROR(SaveOnnx(model.model, path + ".onnx"));
  std::filesystem::create_directory(path);
  SEQ_ASSIGN_OR_RETURN(const std::vector<Tensor> results, RunForeignCase(model, "reference"));
  for (size_t i = 0; i < model.inputs.size(); ++i) {
    SEQ_RETURN_IF_ERROR(WriteArray(absl::StrCat(path, "/in_", i, ".npy"), model.inputs[i]));
  }
  for (size_t i = 0; i < results.size(); ++i) {
    SEQ_RETURN_IF_ERROR(WriteArray(absl::StrCat(path, "/out_", i, ".npy"), results[i]));
  }
  return absl::OkStatus();
}

// A model of ours with random inputs.
absl::StatusOr<ForeignCase> OwnCase(const NamedModel& named) {
  ForeignCase own;
  SEQ_ASSIGN_OR_RETURN(own.model, named.make());
  own.batch = kBatch;
  SampleSource source(3);
  const Function& predict = own.model.functions[0];
  for (Value input : predict.inputs()) {
    TensorType type = predict.type(input);
    type.shape = type.shape.Bind(kBatch);
    own.inputs.push_back(RandomInput(source, type));
  }
  return own;
}

// Null, or a Python with onnx and onnxruntime.
const char* Python() { return std::getenv("SEQGRAPH_ONNX_PYTHON"); }

int CheckFolder(const std::string& folder) {
  return std::system(
      absl::StrCat("'", Python(), "' tests/onnx/check_export.py '", folder, "'").c_str());
}

TEST(OnnxRuntime, GivesTheSameResults) {
  if (Python() == nullptr) GTEST_SKIP() << "needs SEQGRAPH_ONNX_PYTHON";
  const std::string folder = MakeTempDir();
  for (const NamedModel& named : RoundTripModels()) {
    SCOPED_TRACE(named.name);
    SEQ_ASSERT_OK_AND_ASSIGN(ForeignCase own, OwnCase(named));
    SEQ_ASSERT_OK(Write(own, named.name, folder));
  }
  EXPECT_EQ(CheckFolder(folder), 0);
}

// Imported and written back: ONNX Runtime gives for the file that was read and for that which was
// written what we give.
void CheckThereAndBack(const std::string& models) {
  const std::string folder = MakeTempDir();
  for (const ForeignModel& foreign : ForeignModels(models)) {
    SCOPED_TRACE(foreign.name);
    absl::StatusOr<ForeignCase> read = ReadForeignCase(foreign);
    if (!read.ok()) continue;  // exports_test knows which
    SEQ_ASSERT_OK(Write(*read, foreign.name, folder));
    std::filesystem::create_symlink(std::filesystem::absolute(foreign.path),
                                    absl::StrCat(folder, "/", foreign.name, ".source"));
  }
  EXPECT_EQ(CheckFolder(folder), 0);
}

TEST(OnnxRuntime, AgreesOnOurFixtures) {
  if (Python() == nullptr) GTEST_SKIP() << "needs SEQGRAPH_ONNX_PYTHON";
  CheckThereAndBack("tests/onnx/models");
}

TEST(OnnxRuntime, AgreesOnExports) {
  if (Python() == nullptr) GTEST_SKIP() << "needs SEQGRAPH_ONNX_PYTHON";
  SEQ_SHARED_OR_SKIP(folder, "onnx_exports");
  CheckThereAndBack(folder);
}

TEST(OnnxRuntime, AgreesOnTheSmallestCases) {
  if (Python() == nullptr) GTEST_SKIP() << "needs SEQGRAPH_ONNX_PYTHON";
  SEQ_SHARED_OR_SKIP(folder, "onnx_gaps");
  CheckThereAndBack(folder);
}

}  // namespace
}  // namespace seqgraph::onnx
