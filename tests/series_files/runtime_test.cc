// What SaveOnnx writes of models of series, before ONNX Runtime: on raw rows it gives what
// `predict` does. What it gave is recorded in models/ (record.py says how); if the environment
// variable SEQGRAPH_ONNX_PYTHON names a Python that has it, it is asked anew.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/atomic_file.h"
#include "base/status_macros.h"
#include "data/npy.h"
#include "ops/all_ops.h"
#include "serialization/onnx/onnx_reader.h"
#include "serialization/onnx/onnx_writer.h"
#include "tests/series_files/series_models.h"
#include "tests/testing.h"
#include "training/model_runner.h"

namespace seqgraph {
namespace {

// Of the larger of a number and 1.
constexpr double kBar = 2e-6;

std::string Recorded(const SeriesFileCase& series, const char* ending) {
  return absl::StrCat("tests/series_files/models/", series.name, ending);
}

void ExpectNear(absl::Span<const float> found, absl::Span<const float> expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    EXPECT_NEAR(found[i], expected[i], kBar * std::max(1.0f, std::abs(expected[i]))) << i;
  }
}

class SeriesRuntime : public ::testing::TestWithParam<std::tuple<SeriesFileCase, std::string>> {
 protected:
  const SeriesFileCase& series() const { return std::get<0>(GetParam()); }
  absl::StatusOr<std::vector<float>> Predict(Model& model) const {
    const RawRows rows(series());
    return ModelRunner(&model, {.backend = std::get<1>(GetParam())}).Predict(rows.examples());
  }
};

TEST_P(SeriesRuntime, GaveWhatPredictGives) {
  SEQ_ASSERT_OK_AND_ASSIGN(const auto arrays, data::ReadNpz(Recorded(series(), ".npz")));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto rows, arrays.at("in_0").Values<float>());
  const Tensor filled = RawRows(series()).Filled();
  EXPECT_THAT(rows, ::testing::ElementsAreArray(filled.Elements<float>()));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto expected, arrays.at("out_0").Values<float>());
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, MakeSeriesFileModel(series()));
  SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<float> answers, Predict(model));
  ExpectNear(answers, expected);
  // The file that it was given.
  SEQ_ASSERT_OK_AND_ASSIGN(Model read, LoadOnnx(Recorded(series(), ".onnx"), AllOps()));
  EXPECT_EQ(read.series, model.series);
  EXPECT_EQ(read.labels, model.labels);
  SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<float> of_file, Predict(read));
  ExpectNear(of_file, expected);
}

INSTANTIATE_TEST_SUITE_P(Models, SeriesRuntime,
                         ::testing::Combine(::testing::ValuesIn(SeriesFileCases()),
                                            ::testing::Values("reference", "onednn,reference",
                                                              "simd,reference")),
                         [](const auto& info) {
                           const std::string& backend = std::get<1>(info.param);
                           return absl::StrCat(std::get<0>(info.param).name, "_",
                                               backend.substr(0, backend.find(',')));
                         });

absl::Status WriteArray(const std::string& path, absl::Span<const float> values,
                        const std::vector<int64_t>& extents) {
  SEQ_ASSIGN_OR_RETURN(const std::string file, data::NpyFile(values, extents));
  return AtomicWriteFile(path, file);
}

// NAME.onnx, and what goes in and comes out in a folder NAME.
absl::Status Write(const SeriesFileCase& series, const std::string& folder) {
  const std::string path = absl::StrCat(folder, "/", series.name);
  SEQ_ASSIGN_OR_RETURN(Model model, MakeSeriesFileModel(series));
  SEQ_RETURN_IF_ERROR(SaveOnnx(model, path + ".onnx"));
  std::filesystem::create_directory(path);
  const RawRows rows(series);
  SEQ_ASSIGN_OR_RETURN(const std::vector<float> answers,
                       ModelRunner(&model, {.backend = "reference"}).Predict(rows.examples()));
  std::vector<int64_t> extents = {rows.examples().rows};
  const Function& predict = **model.GetFunction("predict");
  for (const Dim dim : predict.type(predict.results()[0].value).shape.dims().subspan(1)) {
    extents.push_back(dim.size());
  }
  SEQ_RETURN_IF_ERROR(WriteArray(path + "/out_0.npy", answers, extents));
  const Tensor filled = rows.Filled();
  return WriteArray(path + "/in_0.npy", filled.Elements<float>(),
                    {filled.shape()[0].size(), filled.shape()[1].size(), filled.shape()[2].size()});
}

TEST(SeriesRuntimeNow, GivesWhatPredictGives) {
  const char* const python = std::getenv("SEQGRAPH_ONNX_PYTHON");
  if (python == nullptr) GTEST_SKIP() << "needs SEQGRAPH_ONNX_PYTHON";
  const char* const outputs = std::getenv("TEST_UNDECLARED_OUTPUTS_DIR");
  const std::string folder = outputs != nullptr ? outputs : MakeTempDir();
  for (const SeriesFileCase& series : SeriesFileCases()) SEQ_ASSERT_OK(Write(series, folder));
  EXPECT_EQ(
      std::system(absl::StrCat("'", python, "' tests/onnx/check_export.py '", folder, "'").c_str()),
      0);
}

}  // namespace
}  // namespace seqgraph
