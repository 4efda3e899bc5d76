// `seqgraph run`: any function of any model on arrays, what goes where, and what does not fit.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "data/npy.h"
#include "data/testing/test_util.h"
#include "ops/all_ops.h"
#include "ops/elementwise.h"
#include "ops/reductions.h"
#include "serialization/model_io.h"
#include "tests/end_to_end/process.h"
#include "tests/end_to_end/run_fixture.h"
#include "tests/testing.h"
#include "training/sequential.h"

namespace seqgraph {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// A forecaster that can be worked out by hand: y = mean over time of (x0 - x1) + 0.5.
Model Forecaster() {
  Model model = Sequential({.time = 3, .features = 2}, "forecaster")
                    .Add(GlobalAveragePooling1DLayer{})
                    .Add(DenseLayer{.units = 1})
                    .Build({.loss = MeanSquaredError()})
                    .value();
  EXPECT_TRUE(model.variables.Assign("dense/kernel", Tensor::Of<float>({2, 1}, {1, -1})).ok());
  EXPECT_TRUE(model.variables.Assign("dense/bias", Tensor::Of<float>({1}, {0.5})).ok());
  return model;
}

// Two inputs, of which one has its batch in second place, and two results, one for a whole batch.
Model Sums() {
  Model model;
  model.name = "sums";
  FunctionBuilder g("sums", AllOps());
  const Value a = g.Input("a", {DType::kFloat32, {Dim::Batch(), 2}});
  const Value b = g.Input("b", {DType::kInt32, {3, Dim::Batch()}});
  g.Result("twice_b", ops::Add(g, b, b));
  g.Result("row", ops::ReduceSum(g, a, {.axes = {1}}));
  EXPECT_TRUE(model.AddFunction(std::move(g).Build().value()).ok());
  FunctionBuilder whole("whole", AllOps());
  const Value x = whole.Input("x", {DType::kFloat32, {Dim::Batch()}});
  whole.Result("sum", ops::ReduceSum(whole, x, {.axes = {0}}));
  EXPECT_TRUE(model.AddFunction(std::move(whole).Build().value()).ok());
  return model;
}

class RunTest : public RunFixture {
 protected:
  RunTest() {
    EXPECT_TRUE(SaveModel(Forecaster(), Path("m.pb")).ok());
    EXPECT_TRUE(SaveModel(Sums(), Path("sums.pb")).ok());
  }
};

// x0 float64[3, 3, 2] in Fortran order, y0 big-endian float32[3, 1], other uint8[3]: as numpy's
// savez_compressed writes it (with zip64 headers).
constexpr char kNumpyFile[] =
    "UEsDBBQAAAAIAAAAIQC57/AbZwAAABABAAAGABQAeDAubnB5AQAQABABAAAAAAAAZwAAAAAAAACb7BfqGxDJyFDGUK2e"
    "klqcXKRupaBuk2ahrqOgnpZfVFKUmBefX5SSChIPKSpNBQoXZyQWpAK5GsY6CkBkpKmjUKtAJuBiAIMP9gwo4MN+CM3h"
    "gF1cBIc4A7o41FwBB1TzYOISGOoBUEsDBBQAAAAIAAAAIQDTtGCkTwAAAIwAAAAGABQAeTAubnB5AQAQAIwAAAAAAAAA"
    "TwAAAAAAAACb7BfqGxDJyFDGUK2eklqcXKRupaBul2airqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RrGOgqG"
    "mjoKtQpkA679DAwMYHyAgQEAUEsDBBQAAAAIAAAAIQBI6mbsRwAAAIMAAAAJABQAb3RoZXIubnB5AQAQAIMAAAAAAAAA"
    "RwAAAAAAAACb7BfqGxDJyFDGUK2eklqcXKRupaBeU2qorqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RrGOpo6"
    "CrUKFAAuBkYmAFBLAQIUAxQAAAAIAAAAIQC57/AbZwAAABABAAAGAAAAAAAAAAAAAACAAQAAAAB4MC5ucHlQSwECFAMU"
    "AAAACAAAACEA07RgpE8AAACMAAAABgAAAAAAAAAAAAAAgAGfAAAAeTAubnB5UEsBAhQDFAAAAAgAAAAhAEjqZuxHAAAA"
    "gwAAAAkAAAAAAAAAAAAAAIABJgEAAG90aGVyLm5weVBLBQYAAAAAAwADAJ8AAACoAQAAAAA=";

// What Forecaster() makes of its x0.
constexpr float kAnswers[] = {-0.5f, -0.5f, -1.5f};

TEST_F(RunTest, AFileOfNumpyGivesTheSameThroughEveryFormat) {
  std::string bytes;
  ASSERT_TRUE(absl::Base64Unescape(kNumpyFile, &bytes));
  data::WriteFileOrDie(Path("a.npz"), bytes);
  for (const char* other : {"m.keras", "m.h5", "m.onnx", "m.textproto"}) {
    const ProcessResult convert = RunSeqgraph({"convert", "m.pb", other}, {.folder = folder_});
    ASSERT_EQ(convert.status, 0) << convert.err;
  }
  // By their content, whatever their names.
  std::filesystem::copy(Path("m.pb"), Path("m.seq"));
  std::filesystem::copy(Path("m.keras"), Path("m.h5.keras.zip"));
  std::filesystem::copy(Path("m.h5"), Path("m.hdf5"));
  std::filesystem::copy(Path("m.onnx"), Path("onnx"));
  for (const char* model : {"m.pb", "m.keras", "m.h5", "m.onnx", "m.textproto", "m.seq",
                            "m.h5.keras.zip", "m.hdf5", "onnx"}) {
    const ProcessResult result =
        Run({model, "--inputs=a.npz", "--outputs=out.npz", "--compare=a.npz", "--tolerance=0"});
    ASSERT_EQ(result.status, 0) << model << result.out << result.err;
    EXPECT_THAT(result.out,
                AllOf(HasSubstr("3 rows"), HasSubstr("float32[3, 1]"), HasSubstr("-1.5  "),
                      HasSubstr("-0.5 -0.5 -1.5"), HasSubstr("(off by 0, allowed 0)")))
        << model;
    EXPECT_THAT(result.err, AllOf(HasSubstr("a.npz: not used: other\n"), Not(HasSubstr("y0"))));
    const auto arrays = data::ReadNpz(Path("out.npz")).value();
    ASSERT_EQ(arrays.size(), 1u);
    EXPECT_EQ(Output("out.npz", arrays.begin()->first, {3, 1}),
              std::vector<float>(std::begin(kAnswers), std::end(kAnswers)))
        << model;
  }
}

TEST_F(RunTest, RowsAreRunInBatchesAndNotLost) {
  std::vector<float> x;
  std::vector<float> expected;
  for (int row = 0; row < 7; ++row) {
    for (int step = 0; step < 3; ++step) x.insert(x.end(), {static_cast<float>(row), 1});
    expected.push_back(static_cast<float>(row) - 0.5f);
  }
  WriteNpz("x.npz", {{"x", Npy<float>(x, {7, 3, 2})}});
  for (const char* batch : {"1", "3", "7", "100"}) {
    Succeeds({"m.pb", "--inputs=x.npz", "--outputs=out.npz", absl::StrCat("--batch=", batch)});
    const auto arrays = data::ReadNpz(Path("out.npz")).value();
    EXPECT_EQ(Output("out.npz", arrays.begin()->first, {7, 1}), expected) << batch;
  }
}

TEST_F(RunTest, TheBatchMayBeAnyAxis) {
  WriteNpz("in.npz", {{"a", Npy<float>({1, 2, 3, 4, 5, 6, 7, 8}, {4, 2})},
                      {"b", Npy<int64_t>({1, 2, 3, 4, 10, 20, 30, 40, 0, 0, 0, 7}, {3, 4})}});
  const std::string out =
      Succeeds({"sums.pb", "--inputs=in.npz", "--outputs=out.npz", "--batch=3"});
  EXPECT_THAT(out, HasSubstr("sums of sums.pb: 4 rows"));
  EXPECT_THAT(Output("out.npz", "row", {4}), ElementsAre(3, 7, 11, 15));
  const auto arrays = data::ReadNpz(Path("out.npz")).value();
  EXPECT_THAT(arrays.at("twice_b").Values<int32_t>().value(),
              ElementsAre(2, 4, 6, 8, 20, 40, 60, 80, 0, 0, 0, 14));
}

TEST_F(RunTest, WhatBelongsToAWholeBatchIsComputedInOne) {
  WriteNpz("x.npz", {{"arr_0", Npy<double>(std::vector<double>(100, 0.5), {100})}});
  EXPECT_THAT(Succeeds({"sums.pb", "--function=whole", "--inputs=x.npz"}), HasSubstr(" 50 "));
  ExpectRefused({"sums.pb", "--function=whole", "--inputs=x.npz", "--batch=99"},
                "result sum, float32[], belongs to a batch as a whole");
  // The loss of a batch: (0.5, 2.5)^2 / 2.
  WriteNpz("xy.npz", {{"x0", Npy<float>(std::vector<float>(12, 1), {2, 3, 2})},
                      {"x1", Npy<float>({1, 3}, {2, 1})}});
  EXPECT_THAT(Succeeds({"m.pb", "--function=evaluate", "--inputs=xy.npz"}), HasSubstr(" 3.25 "));
}

TEST_F(RunTest, ArraysOfTheirOwnFilesGoToTheInputsThatAreNamed) {
  data::WriteFileOrDie(Path("a.npy"), Npy<float>({1, 2, 3, 4}, {2, 2}));
  data::WriteFileOrDie(Path("b.npy"), Npy<int32_t>({1, 2, 3, 4, 5, 6}, {3, 2}));
  Succeeds({"sums.pb", "--input=b=b.npy", "--input=a=a.npy", "--outputs=out.npz"});
  EXPECT_THAT(Output("out.npz", "row", {2}), ElementsAre(3, 7));
  // Without a name, in order; beside a file of all.
  WriteNpz("in.npz", {{"b", Npy<int32_t>({0, 0, 0, 0, 0, 0}, {3, 2})}});
  Succeeds({"sums.pb", "--input=a.npy", "--inputs=in.npz", "--outputs=out.npz"});
  EXPECT_THAT(Output("out.npz", "row", {2}), ElementsAre(3, 7));
  ExpectRefused({"sums.pb", "--input=c=a.npy"}, "--input=c=a.npy: no such input; there are a, b");
}

// A line is a sample with all of its numbers, or a step.
TEST_F(RunTest, CsvHoldsSamplesOrSteps) {
  const std::vector<float> expected = {-0.5f, 3.5f};
  data::WriteFileOrDie(Path("samples.csv"), "1,2,3,4,5,6\n4,1,4,1,4,1\n");
  data::WriteFileOrDie(Path("steps.csv"), "high,low\n1,2\n3,4\n5,6\n4,1\n4,1\n4,1e0\n");
  data::WriteFileOrDie(Path("steps.tsv"), "1\t2\n3\t4\n5\t6\n4\t1\n4\t1\n4\t1\n");
  for (const char* file : {"samples.csv", "steps.csv", "steps.tsv"}) {
    Succeeds({"m.pb", absl::StrCat("--inputs=", file), "--outputs=out.npz"});
    const auto arrays = data::ReadNpz(Path("out.npz")).value();
    EXPECT_EQ(Output("out.npz", arrays.begin()->first, {2, 1}), expected) << file;
  }
  data::WriteFileOrDie(Path("cut.csv"), "1,2\n3,4\n5,6\n4,1\n");
  ExpectRefused({"m.pb", "--inputs=cut.csv"}, "given float64[4, 2] of cut.csv");
  data::WriteFileOrDie(Path("text.csv"), "1,2\n3,four\n");
  ExpectRefused({"m.pb", "--inputs=text.csv"}, "line 2, field 2: expected a number, found 'four'");
  data::WriteFileOrDie(Path("empty.csv"), "");
  ExpectRefused({"m.pb", "--inputs=empty.csv"}, "given float64[0, 0] of empty.csv");
  WriteNpz("empty.npz", {});
  ExpectRefused({"m.pb", "--inputs=empty.npz"}, "empty.npz: it has no arrays");
}

TEST_F(RunTest, WhatDoesNotFitIsShownInATable) {
  const auto x = [](std::vector<int64_t> shape) {
    int64_t elements = 1;
    for (const int64_t extent : shape) elements *= extent;
    return Npy<float>(std::vector<float>(static_cast<size_t>(elements)), shape);
  };
  WriteNpz("shape.npz", {{"x", x({2, 4, 2})}});
  const ProcessResult shape = Run({"m.pb", "--inputs=shape.npz"});
  EXPECT_EQ(shape.status, 1);
  EXPECT_THAT(shape.out, IsEmpty());
  EXPECT_THAT(shape.err,
              AllOf(HasSubstr("input "), HasSubstr("expected "), HasSubstr("given\n"),
                    HasSubstr("float32[batch, 3, 2]  float32[2, 4, 2] of shape.npz: x\n"),
                    HasSubstr("function predict: ")));
  WriteNpz("rows.npz", {{"a", x({2, 2})}, {"b", Npy<int32_t>({1, 2, 3}, {3, 1})}});
  ExpectRefused({"sums.pb", "--inputs=rows.npz"},
                "b: expected int32[3, batch] with 2 rows, as a has");
  WriteNpz("none.npz", {{"z", x({2, 2})}});
  ExpectRefused({"sums.pb", "--inputs=none.npz"}, "a: expected float32[batch, 2], given nothing");
  ExpectRefused({"m.pb"}, "given nothing");
  WriteNpz("zero.npz", {{"x", x({0, 3, 2})}});
  ExpectRefused({"m.pb", "--inputs=zero.npz"}, "with one row at least");
  ExpectRefused({"m.pb", "--inputs=shape.npz", "--function=forecast"}, "predict, evaluate");
  ExpectRefused({"m.pb", "--inputs=m.pb"}, "m.pb");
  ExpectRefused({"none.pb", "--inputs=shape.npz"}, "none.pb");
  ExpectRefused({"shape.npz", "--inputs=shape.npz"}, "shape.npz");
}

TEST_F(RunTest, NumbersAreConvertedWhereNoneIsLost) {
  const auto run = [&](const std::string& b) {
    WriteNpz("in.npz", {{"a", Npy<int32_t>({1, 2}, {1, 2})}, {"b", b}});
    return Run({"sums.pb", "--inputs=in.npz"});
  };
  EXPECT_EQ(run(Npy<double>({1, -2, 3}, {3, 1})).status, 0);
  EXPECT_EQ(run(Npy<int64_t>({1, 2, 2147483647}, {3, 1})).status, 0);
  EXPECT_THAT(run(Npy<int64_t>({1, 2, 2147483648}, {3, 1})).err,
              HasSubstr("[2, 0] is 2147483648, which is no int32"));
  EXPECT_THAT(run(Npy<float>({1, 2.5, 3}, {3, 1})).err,
              HasSubstr("[1, 0] is 2.5, which is no int32"));
  EXPECT_THAT(run(Npy<float>({1, 2, std::nanf("")}, {3, 1})).err, HasSubstr("[2, 0] is nan"));
  WriteNpz("x.npz", {{"x", Npy<double>({0.5, 1, 2, 3, 4, 5}, {1, 3, 2})}});
  EXPECT_THAT(Run({"m.pb", "--inputs=x.npz"}).err, Not(HasSubstr("rounded")));
  WriteNpz("x.npz", {{"x", Npy<double>({0.1, 1, 2, 3, 4, 5}, {1, 3, 2})}});
  EXPECT_THAT(Run({"m.pb", "--inputs=x.npz"}).err, HasSubstr("float64 is rounded to float32"));
}

TEST_F(RunTest, AComparisonSaysWhereAndEndsInItsStatus) {
  WriteNpz("in.npz", {{"in0", Npy<float>({1, 2, 3, 4}, {2, 2})},
                      {"in1", Npy<int32_t>({1, 2, 3, 4, 5, 6}, {3, 2})},
                      {"out1", Npy<double>({3, 7.25}, {2})}});
  const ProcessResult off =
      Run({"sums.pb", "--inputs=in.npz", "--compare=in.npz", "--outputs=out.npz"});
  EXPECT_EQ(off.status, 1);
  EXPECT_THAT(off.out, HasSubstr("row, compared with in.npz: furthest off: [1] is 7, expected "
                                 "7.25 (off by 0.25, allowed 1e-05)"));
  EXPECT_THAT(off.err, HasSubstr("in.npz has nothing for twice_b"));
  EXPECT_THAT(Output("out.npz", "row", {2}), ElementsAre(3, 7));  // Written all the same.
  EXPECT_EQ(Run({"sums.pb", "--inputs=in.npz", "--compare=in.npz", "--tolerance=0.25"}).status, 0);
  WriteNpz("y.npz", {{"row", Npy<float>({3, 7, 11}, {3})}});
  ExpectRefused({"sums.pb", "--inputs=in.npz", "--compare=y.npz"},
                "row: expected float32[2], given float32[3] of y.npz: row");
  WriteNpz("z.npz", {{"z", Npy<float>({3, 7}, {2})}});
  ExpectRefused({"sums.pb", "--inputs=in.npz", "--compare=z.npz"},
                "none of its arrays is a result");
  WriteNpz("nan.npz", {{"row", Npy<float>({3, std::nanf("")}, {2})}});
  EXPECT_EQ(Run({"sums.pb", "--inputs=in.npz", "--compare=nan.npz", "--tolerance=9"}).status, 1);
  ExpectRefused({"sums.pb", "--inputs=in.npz", "--outputs=y.npy"}, "must end in .npz");
}

TEST_F(RunTest, AModelWithoutTextSaysWhatRunsIt) {
  data::WriteFileOrDie(Path("texts.csv"), "text,label\na,b\nc,d\n");
  for (const std::vector<std::string>& line : std::vector<std::vector<std::string>>{
           {"predict", "m.pb", "words"},
           {"evaluate", "m.pb", "--data=texts.csv"},
           {"train", "--resume=m.pb", "--data=texts.csv", "--output=o.pb"}}) {
    const ProcessResult result = RunSeqgraph(line, {.folder = folder_});
    EXPECT_EQ(result.status, 1);
    EXPECT_THAT(result.err, HasSubstr("`seqgraph run m.pb --inputs=ARRAYS.npz`")) << line[0];
  }
}

TEST_F(RunTest, ProfileAndThreadsAreThoseOfOtherCommands) {
  WriteNpz("x.npz", {{"x", Npy<float>(std::vector<float>(60, 1), {10, 3, 2})}});
  const ProcessResult result =
      Run({"m.pb", "--inputs=x.npz", "--batch=1", "--threads=2", "--profile=trace.json"},
          "simd,onednn");
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("Backend simd"));
  EXPECT_THAT(data::ReadFileOrDie(Path("trace.json")), HasSubstr("GlobalAveragePooling1D"));
}

// What Keras and PyTorch computed for models that they wrote. Those that cannot be read yet count
// as such.
void ExpectSharedModelsAgree(const std::string& folder, const std::vector<std::string>& endings,
                             const std::string& tolerance, int least) {
  int ran = 0, refused = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string model = entry.path().string();
    const std::string ending = entry.path().extension().string();
    if (std::find(endings.begin(), endings.end(), ending) == endings.end()) continue;
    // torch_NAME__leg17.onnx has its arrays in torch_NAME.npz.
    std::string stem = model.substr(0, model.size() - ending.size());
    if (ending == ".onnx") stem = stem.substr(0, stem.find("__"));
    const std::string arrays = absl::StrCat(stem, ending == ".onnx" ? ".npz" : ".expected.npz");
    std::vector<std::string> line = {"run",
                                     model,
                                     "--inputs=" + arrays,
                                     "--compare=" + arrays,
                                     "--tolerance=" + tolerance,
                                     "--backend=simd,onednn,reference"};
    const ProcessResult result = RunSeqgraph(line);
    if (absl::StrContains(result.err, "cannot load")) {
      ++refused;
      continue;
    }
    ++ran;
    EXPECT_EQ(result.status, 0) << model << "\n" << result.out << result.err;
  }
  std::printf("%d ran, %d were refused\n", ran, refused);
  EXPECT_GE(ran, least);
}

TEST(RunOnSharedModels, OfKeras) {
  SEQ_SHARED_OR_SKIP(folder, "keras_gaps");
  ExpectSharedModelsAgree(folder, {".keras", ".h5"}, "2e-6", 3);
}

TEST(RunOnSharedModels, OfPyTorchAndKerasAsOnnx) {
  SEQ_SHARED_OR_SKIP(folder, "onnx_exports");
  ExpectSharedModelsAgree(folder, {".onnx"}, "1e-5", 40);
}

}  // namespace
}  // namespace seqgraph
