// Models of series through each kind of file: scaling, names, windows and tasks come back, and raw
// rows get the same answers.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "base/status_macros.h"
#include "ops/all_ops.h"
#include "serialization/keras/keras_io.h"
#include "serialization/model_io.h"
#include "serialization/onnx/onnx_reader.h"
#include "serialization/onnx/onnx_writer.h"
#include "tests/series_files/series_models.h"
#include "tests/testing.h"
#include "training/keras/keras_export.h"
#include "training/keras/keras_import.h"
#include "training/model_runner.h"

namespace seqgraph {
namespace {

struct Format {
  const char* name;
  absl::StatusOr<Model> (*there_and_back)(const Model& model);
  /// Of the answers: other formats have the same nodes.
  float bar = 0;
};

template <ModelFormat kFormat>
absl::StatusOr<Model> Ours(const Model& model) {
  SEQ_ASSIGN_OR_RETURN(const std::string bytes, SerializeModel(model, kFormat));
  return ParseModel(bytes, kFormat, AllOps());
}

absl::StatusOr<Model> Onnx(const Model& model) {
  SEQ_ASSIGN_OR_RETURN(const std::string bytes, SerializeOnnx(model));
  return ParseOnnx(bytes, AllOps());
}

enum class KerasFile { kZip, kHdf5, kOldHdf5 };

template <KerasFile kFile>
absl::StatusOr<Model> Keras(const Model& model) {
  std::vector<std::string> notes;
  SEQ_ASSIGN_OR_RETURN(const keras::KerasModel keras, KerasFromModel(model, &notes));
  absl::StatusOr<std::string> bytes = keras::KerasZip(keras);
  if (kFile == KerasFile::kHdf5) bytes = keras::KerasHdf5(keras, keras::Layout::kKeras3);
  if (kFile == KerasFile::kOldHdf5) bytes = keras::KerasHdf5(keras, keras::Layout::kKeras2);
  SEQ_RETURN_IF_ERROR(bytes.status());
  SEQ_ASSIGN_OR_RETURN(const keras::KerasModel read, keras::ParseKerasModel(*bytes));
  return ModelFromKeras(read, &notes);
}

constexpr Format kFormats[] = {
    {"pb", Ours<ModelFormat::kBinary>},     {"textproto", Ours<ModelFormat::kText>},
    {"keras", Keras<KerasFile::kZip>},      {"h5", Keras<KerasFile::kHdf5>},
    {"old_h5", Keras<KerasFile::kOldHdf5>}, {"onnx", Onnx, 1e-5f}};

absl::StatusOr<std::vector<float>> Answers(Model& model, const Examples& rows) {
  return ModelRunner(&model, {.backend = "reference"}).Predict(rows);
}

class SeriesFormats : public ::testing::TestWithParam<SeriesFileCase> {};

TEST_P(SeriesFormats, HoldAllThatTheModelKnows) {
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, MakeSeriesFileModel(GetParam()));
  const RawRows rows(GetParam());
  SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<float> expected, Answers(model, rows.examples()));
  for (const Format& format : kFormats) {
    SCOPED_TRACE(format.name);
    absl::StatusOr<Model> there_and_back = format.there_and_back(model);
    if (GetParam().options.masking && std::string(format.name) == "old_h5") {
      // No mask passes Normalization there.
      EXPECT_THAT(there_and_back, StatusIs(absl::StatusCode::kUnimplemented, "--h5_layout"));
      continue;
    }
    SEQ_ASSERT_OK_AND_ASSIGN(Model back, std::move(there_and_back));
    EXPECT_EQ(back.series, model.series);
    EXPECT_EQ(back.labels, model.labels);
    SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<float> answers, Answers(back, rows.examples()));
    ASSERT_EQ(answers.size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_NEAR(answers[i], expected[i], format.bar * std::max(1.0f, std::abs(expected[i]))) << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Models, SeriesFormats, ::testing::ValuesIn(SeriesFileCases()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace seqgraph
