// Every command takes models that other frameworks wrote as they are; what they leave open is what
// the arrays have.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "data/testing/test_util.h"
#include "serialization/model_io.h"
#include "tests/end_to_end/process.h"
#include "tests/end_to_end/run_fixture.h"
#include "tests/onnx/model_maker.h"
#include "tests/testing.h"
#include "training/sequential.h"

namespace seqgraph {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class ForeignModelTest : public RunFixture {};

// Sums over the time and the units of x [N, T, 2].
std::string SumsOverTime() {
  onnx::Maker maker;
  maker.Input("x", {"N", "T", "2"}).Initializer("axes", onnx::Ints({1, 2}));
  onnx::SetInt(maker.Node("ReduceSum", {"x", "axes"}, {"y"}), "keepdims", 0);
  return maker.Output("y").model().SerializeAsString();
}

TEST_F(ForeignModelTest, OpenExtentsOfOnnxAreThoseOfTheArrays) {
  data::WriteFileOrDie(Path("open.onnx"), SumsOverTime());
  for (const int64_t time : {1, 3, 50}) {
    const std::vector<float> ones(static_cast<size_t>(2 * time * 2), 1);
    WriteNpz("x.npz", {{"x", Npy<float>(ones, {2, time, 2})}});
    Succeeds({"open.onnx", "--inputs=x.npz", "--outputs=y.npz"});
    const auto sum = static_cast<float>(2 * time);
    EXPECT_THAT(Output("y.npz", "y", {2}), ElementsAre(sum, sum));
    data::WriteFileOrDie(Path("x.npy"), Npy<float>(ones, {2, time, 2}));
    Succeeds({"open.onnx", "--input=x=x.npy", "--outputs=y.npz"});
    EXPECT_THAT(Output("y.npz", "y", {2}), ElementsAre(sum, sum));
  }
  ExpectRefused({"open.onnx", "--inputs=x.npz", "--dim=T=49"}, "float32[batch, 49, 2]");
}

// The only open extent is what a window goes over, so it cannot be the batch; `rate` says what is
// computed.
TEST_F(ForeignModelTest, WhatIsForNoBatchIsReadForTheArrays) {
  onnx::Maker maker;
  maker.Input("x", {"1", "1", "samples"});
  maker.Input("rate", {}, onnx_proto::TensorProto::INT64).Initializer("one", onnx::Ints({1}));
  onnx::SetInts(maker.Node("MaxPool", {"x"}, {"pooled"}), "kernel_shape", {2});
  maker.Node("Reshape", {"rate", "one"}, {"count"});
  maker.Node("Expand", {"pooled", "count"}, {"wide"});
  maker.Node("Add", {"wide", "wide"}, {"y"});
  data::WriteFileOrDie(Path("pool.onnx"), maker.Output("y").model().SerializeAsString());
  WriteNpz("x.npz", {{"x", Npy<float>({3, 1, 2, 5}, {1, 1, 4})}, {"rate", Npy<int64_t>({1}, {})}});
  const ProcessResult result = Run({"pool.onnx", "--inputs=x.npz", "--outputs=y.npz"});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("it cannot be read for any batch"),
                    HasSubstr("the extents of the arrays"), Not(HasSubstr("not used"))));
  EXPECT_THAT(Output("y.npz", "y", {1, 1, 3}), ElementsAre(6, 4, 10));
}

// A number says which branch is taken; the batch stays open.
TEST_F(ForeignModelTest, SmallIntegersOfTheArraysMayBeConstants) {
  onnx::Maker maker;
  maker.Input("x", {"N", "2"}).Input("rate", {}, onnx_proto::TensorProto::INT64);
  maker.Initializer("one", onnx::Ints({1}));
  maker.Node("Reshape", {"rate", "one"}, {"axes"});
  onnx::SetInt(maker.Node("ReduceSum", {"x", "axes"}, {"y"}), "keepdims", 0);
  data::WriteFileOrDie(Path("axis.onnx"), maker.Output("y").model().SerializeAsString());
  WriteNpz("x.npz", {{"x", Npy<float>({3, 1, 2, 5}, {2, 2})}, {"rate", Npy<int64_t>({1}, {})}});
  const ProcessResult result = Run({"axis.onnx", "--inputs=x.npz", "--outputs=y.npz", "--batch=1"});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("the small integers of the arrays"));
  EXPECT_THAT(Output("y.npz", "y", {2}), ElementsAre(4, 7));
}

TEST_F(ForeignModelTest, EveryCommandTakesModelsOfOthers) {
  data::WriteFileOrDie(Path("open.onnx"), SumsOverTime());
  const Model model = Sequential({.time = 3, .features = 2})
                          .Add(GlobalAveragePooling1DLayer{})
                          .Add(DenseLayer{.units = 1})
                          .Build({.loss = MeanSquaredError()})
                          .value();
  ASSERT_TRUE(SaveModel(model, Path("m.pb")).ok());
  for (const char* other : {"m.keras", "m.h5"}) {
    const ProcessResult convert = RunSeqgraph({"convert", "m.pb", other}, {.folder = folder_});
    ASSERT_EQ(convert.status, 0) << convert.err;
  }
  std::filesystem::copy(Path("m.keras"), Path("named_otherwise.zip"));
  for (const std::string file : {"open.onnx", "m.keras", "m.h5", "named_otherwise.zip"}) {
    for (const std::vector<std::string>& line : std::vector<std::vector<std::string>>{
             {"summary", file},
             {"inspect", file},
             {"explain", file, "--function=predict", "--backend=simd,reference"},
             {"bench", file, "--function=predict", "--min_time=0.001", "--backend=reference"}}) {
      const ProcessResult result = RunSeqgraph(line, {.folder = folder_});
      EXPECT_EQ(result.status, 0) << line[0] << " " << file << ": " << result.err;
      if (file == "open.onnx") {
        EXPECT_THAT(result.err, HasSubstr("taken are T=32")) << line[0];
      }
    }
  }
  // What is open is said to all of them by the same flags.
  for (const std::vector<std::string>& line : std::vector<std::vector<std::string>>{
           {"summary", "open.onnx"},
           {"inspect", "open.onnx"},
           {"explain", "open.onnx", "--function=predict", "--backend=reference"},
           {"bench", "open.onnx", "--function=predict", "--min_time=0.001"}}) {
    std::vector<std::string> given = line;
    given.push_back("--dim=T=7");
    const ProcessResult result = RunSeqgraph(given, {.folder = folder_});
    EXPECT_EQ(result.status, 0) << line[0] << ": " << result.err;
    EXPECT_THAT(result.err, Not(HasSubstr("taken are"))) << line[0];
  }
  WriteNpz("x.npz", {{"x", Npy<float>(std::vector<float>(2 * 32 * 2, 1), {2, 32, 2})}});
  const ProcessResult diff = RunSeqgraph(
      {"diff", "open.onnx", "--inputs=x.npz", "--backends=reference,simd"}, {.folder = folder_});
  EXPECT_EQ(diff.status, 0) << diff.out << diff.err;
}

// What encoder and decoder take is of two lengths: y = mean a - mean b, through every format.
TEST_F(ForeignModelTest, EachInputHasAnOpenLengthOfItsOwn) {
  Functional graph;
  const auto pooled = [&](const char* name) {
    const LayerValue x = graph.Input({.name = name, .time = 4, .features = 1, .open_time = true});
    return graph.Add(GlobalAveragePooling1DLayer{}, {x});
  };
  const LayerValue a = pooled("a"), b = pooled("b");
  graph.Outputs({graph.Add(MergeLayer{.kind = "Subtract"}, {a, b})});
  const absl::StatusOr<Model> model = graph.Build({.trainable = false});
  ASSERT_TRUE(model.ok()) << model.status();
  ASSERT_TRUE(SaveModel(*model, Path("m.pb")).ok());
  for (const char* other : {"m.keras", "m.h5", "m.onnx"}) {
    const ProcessResult convert = RunSeqgraph({"convert", "m.pb", other}, {.folder = folder_});
    ASSERT_EQ(convert.status, 0) << convert.err;
    EXPECT_THAT(convert.err, Not(HasSubstr("is for sequences of"))) << other;
  }
  WriteNpz("x.npz", {{"x0", Npy<float>({1, 2, 6, 4, 4, 4}, {2, 3, 1})},
                     {"x1", Npy<float>({1, 1, 1, 1, 6, 0, 0, 0, 0, 5}, {2, 5, 1})}});
  for (const std::string file : {"m.pb", "m.keras", "m.h5", "m.onnx"}) {
    SCOPED_TRACE(file);
    Succeeds({file, "--inputs=x.npz", "--outputs=y.npz"});
    EXPECT_THAT(Output("y.npz", "output", {2, 1}), ElementsAre(1, 3));
  }
}

// The recurrence under a mask puts steps in order by a table of their numbers.
TEST_F(ForeignModelTest, ALengthThatIsPartOfAnOnnxGraphIsNoted) {
  const Model model = Sequential({.time = 3, .open_time = true})
                          .Add(EmbeddingLayer{.input_dim = 3, .output_dim = 1, .mask_zero = true})
                          .Add(RecurrentLayer{.units = 1})
                          .Build({.loss = MeanSquaredError()})
                          .value();
  ASSERT_TRUE(SaveModel(model, Path("m.pb")).ok());
  const ProcessResult convert = RunSeqgraph({"convert", "m.pb", "m.onnx"}, {.folder = folder_});
  ASSERT_EQ(convert.status, 0) << convert.err;
  EXPECT_THAT(convert.err, HasSubstr("is for sequences of 3 steps"));
}

TEST_F(ForeignModelTest, AnOpenLengthOfKerasIsSaidByTime) {
  const Model model = Sequential({.time = 3, .features = 2, .open_time = true})
                          .Add(RecurrentLayer{.units = 1})
                          .Build({.loss = MeanSquaredError()})
                          .value();
  ASSERT_TRUE(SaveModel(model, Path("m.pb")).ok());
  const ProcessResult convert = RunSeqgraph({"convert", "m.pb", "open.keras"}, {.folder = folder_});
  ASSERT_EQ(convert.status, 0) << convert.err;
  for (const std::string file : {"m.pb", "open.keras"}) {
    const ProcessResult inspect = RunSeqgraph({"inspect", file, "--time=9"}, {.folder = folder_});
    ASSERT_EQ(inspect.status, 0) << inspect.err;
    EXPECT_THAT(inspect.out, HasSubstr("float32[batch, 9, 2]")) << file;
    const ProcessResult bench =
        RunSeqgraph({"bench", file, "--time=9", "--function=evaluate", "--min_time=0.001"},
                    {.folder = folder_});
    EXPECT_EQ(bench.status, 0) << bench.err;
  }
}

}  // namespace
}  // namespace seqgraph
