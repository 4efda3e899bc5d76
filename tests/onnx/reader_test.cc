// The reader of ONNX models on small ones made by hand: meanings, refusals, other files.

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "ops/all_ops.h"
#include "serialization/onnx/onnx_reader.h"
#include "tests/onnx/model_maker.h"
#include "tests/testing.h"

namespace seqgraph::onnx {
namespace {

using onnx_proto::AttributeProto;
using onnx_proto::NodeProto;
using onnx_proto::TensorProto;

// h_t = max(x_t + h_{t-1}, 0) of one unit, time-major: sums so far, of each row within its length.
TEST(OnnxReader, LengthsEndRowsAndReverseBeginsAtTheirEnd) {
  for (const bool reverse : {false, true}) {
    Maker maker;
    maker.Input("x", {"3", "batch", "1"}).Input("n", {"batch"}, TensorProto::INT32);
    maker.Initializer("w", Floats({1, 1, 1}, {1})).Initializer("r", Floats({1, 1, 1}, {1}));
    NodeProto* node = maker.Node("RNN", {"x", "w", "r", "", "n"}, {"y", "last"});
    SetInt(node, "hidden_size", 1);
    AttributeProto* activations = node->add_attribute();
    activations->set_name("activations");
    activations->set_type(AttributeProto::STRINGS);
    activations->add_strings("Relu");
    SetString(node, "direction", reverse ? "reverse" : "forward");
    maker.Output("y").Output("last");
    SEQ_ASSERT_OK_AND_ASSIGN(Model model, maker.Read());
    // Steps of row 0: 1, 2, 4; of row 1, which has two: 10, 20, 40.
    SEQ_ASSERT_OK_AND_ASSIGN(
        const auto results,
        Predict(model, {Floats({3, 2, 1}, {1, 10, 2, 20, 4, 40}), Tensor::Of<int32_t>({2}, {3, 2})},
                2));
    EXPECT_EQ(results[0].shape(), (Shape{3, 1, 2, 1}));
    EXPECT_THAT(results[0],
                Holds(reverse ? Values{7, 30, 6, 20, 4, 0} : Values{1, 10, 3, 30, 7, 0}));
    EXPECT_EQ(results[1].shape(), (Shape{1, 2, 1}));
    EXPECT_THAT(results[1], Holds(Values{7, 30}));
  }
}

// Numbers of our own, the same in each call: their moments, of 20,000 of them, and their limits.
TEST(OnnxReader, DrawsRandomNumbersBySeed) {
  Maker maker;
  maker.Input("x", {"N", "2000"});
  const auto draw = [&](const char* op, const char* y, float a, float b, float seed) {
    NodeProto* node = maker.Node(op, {"x"}, {y});
    const bool normal = op == absl::string_view("RandomNormalLike");
    SetFloat(node, normal ? "mean" : "low", a);
    SetFloat(node, normal ? "scale" : "high", b);
    SetFloat(node, "seed", seed);
    maker.Output(y);
  };
  draw("RandomNormalLike", "n", 1, 2, 3);
  draw("RandomUniformLike", "u", -1, 3, 3);
  draw("RandomNormalLike", "other", 1, 2, 4);
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, maker.Read());
  const Tensor x = *Tensor::Zeros({DType::kFloat32, {10, 2000}});
  SEQ_ASSERT_OK_AND_ASSIGN(const auto first, Predict(model, {x}, 10));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto again, Predict(model, {x}, 10));
  for (size_t i = 0; i < 3; ++i) EXPECT_TRUE(first[i].BitwiseEquals(again[i]));
  EXPECT_FALSE(first[0].BitwiseEquals(first[2]));
  for (const auto& [i, mean, deviation] : {std::tuple{0, 1.0, 2.0}, {1, 1.0, 4 / std::sqrt(12)}}) {
    double sum = 0, squares = 0;
    for (const float y : first[i].Elements<float>()) {
      sum += y;
      squares += (y - mean) * (y - mean);
      EXPECT_TRUE(i != 1 || (y >= -1 && y <= 3)) << y;
    }
    EXPECT_NEAR(sum / 20000, mean, 5 * deviation / std::sqrt(20000));
    EXPECT_NEAR(std::sqrt(squares / 20000), deviation, 0.03 * deviation);
  }
}

TEST(OnnxReader, TheBatchIsTheFirstSymbolOrTheOnlyOne) {
  const auto shape_of = [](const std::vector<std::string>& extents,
                           OnnxReadOptions options = {}) -> absl::StatusOr<Shape> {
    Maker maker;
    maker.Input("x", extents).Node("Relu", {"x"}, {"y"});
    maker.Output("y");
    SEQ_ASSIGN_OR_RETURN(const Model model, maker.Read(options));
    const Function& f = model.functions[0];
    return f.type(f.inputs()[0]).shape;
  };
  EXPECT_EQ(*shape_of({"N", "3"}), (Shape{Dim::Batch(), 3}));
  EXPECT_EQ(*shape_of({"3", "N", "4"}), (Shape{3, Dim::Batch(), 4}));
  EXPECT_EQ(*shape_of({"N", "T"}, {.dims = {{"T", 5}}}), (Shape{Dim::Batch(), 5}));
  EXPECT_EQ(*shape_of({"N", "T"}, {.dims = {{"N", 2}, {"T", 5}}}), (Shape{2, 5}));
  EXPECT_EQ(*shape_of({"T", "N"}, {.dims = {{"T", 5}}}), (Shape{5, Dim::Batch()}));
  EXPECT_THAT(shape_of({"N", "T"}).status(),
              StatusIs(absl::StatusCode::kUnimplemented, "input x: extent 1 is \"T\""));
  EXPECT_THAT(shape_of({"3", "N", "T"}).status(), StatusIs(absl::StatusCode::kUnimplemented));
}

// Shape, Gather, Concat, Reshape: what exporters write for x.reshape(x.shape[0], -1).
TEST(OnnxReader, ShapeArithmeticVanishes) {
  Maker maker;
  maker.Input("x", {"N", "2", "3"}).Initializer("zero", Tensor::Scalar<int64_t>(0));
  maker.Initializer("axes", Ints({0})).Initializer("rest", Ints({-1}));
  maker.Node("Shape", {"x"}, {"shape"});
  maker.Node("Gather", {"shape", "zero"}, {"n"});
  maker.Node("Unsqueeze", {"n", "axes"}, {"n1"});
  SetInt(maker.Node("Concat", {"n1", "rest"}, {"to"}), "axis", 0);
  maker.Node("Reshape", {"x", "to"}, {"y"});
  maker.Output("y");
  SEQ_ASSERT_OK_AND_ASSIGN(const Model model, maker.Read());
  ASSERT_EQ(model.functions[0].nodes().size(), 1u);
  EXPECT_EQ(model.functions[0].type(model.functions[0].FindResult("y")).shape,
            (Shape{Dim::Batch(), 6}));
  EXPECT_TRUE(model.variables.all().empty());
  // The batch as a number: 2 N rows.
  SetInts(maker.Node("Constant", {}, {"two"}), "value_ints", {2});
  maker.Node("Mul", {"n1", "two"}, {"rows"});
  maker.Output("rows");
  EXPECT_THAT(maker.Read().status(), StatusIs(absl::StatusCode::kUnimplemented,
                                              "output rows: it computes with the batch"));
}

// Nodes and values have names of their own in ONNX; what is shown of a long one may be that of
// another.
TEST(OnnxReader, WeightsMayBeCalledAsNodesAndInputsAre) {
  const std::string longest(300, 'n');
  Maker maker;
  maker.Input("x", {"N", "1"}).Initializer("/x", Floats({1}, {2}));
  maker.Initializer("my_Relu", Floats({1}, {3})).Initializer(longest + "w", Floats({1}, {5}));
  maker.Node("Relu", {"x"}, {"a"});
  maker.Node("Neg", {"a"}, {"b"})->set_name(longest);
  maker.Node("Mul", {"b", "/x"}, {"c"});
  maker.Node("Mul", {"c", "my_Relu"}, {"d"});
  maker.Node("Mul", {"d", longest + "w"}, {"y"});
  maker.Output("y");
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, maker.Read());
  EXPECT_EQ(model.variables.all().size(), 3u);
  SEQ_ASSERT_OK_AND_ASSIGN(const auto y, Predict(model, {Floats({1, 1}, {7})}, 1));
  EXPECT_THAT(y[0], Holds(Values{-210}));
}

// If each node, input or weight asked all others this would take hours.
TEST(OnnxReader, TensOfThousandsOfNodesInputsAndWeightsAreRead) {
  constexpr int kNodes = 40000, kOthers = 9000;
  Maker maker;
  maker.Input("x", {"N", "1"}).Output("y");
  const auto value = [](int i) { return i == 0 ? std::string("x") : absl::StrCat("v", i); };
  for (int i = 0; i < kNodes; ++i) {
    const std::string to = i + 1 == kNodes ? "y" : value(i + 1);
    if (i >= kOthers) {
      maker.Node("Relu", {value(i)}, {to});  // all of one name
      continue;
    }
    const std::string number = absl::StrCat(i);
    maker.Input("i" + number, {"N"}, TensorProto::INT64);
    maker.Initializer("w" + number, Floats({1}, {1}));
    maker.Node("Add", {value(i), "w" + number}, {to});
    maker.Node("Identity", {"i" + number}, {"j" + number});
  }
  SEQ_ASSERT_OK_AND_ASSIGN(const Model model, maker.Read());
  EXPECT_EQ(model.functions[0].inputs().size(), size_t{kOthers} + 1);
  EXPECT_EQ(model.variables.all().size(), size_t{kOthers});
  EXPECT_GE(model.functions[0].nodes().size(), size_t{kNodes});
}

TEST(OnnxReader, OlderOpsetsHaveOtherMeanings) {
  {  // before 13 softmax took all axes from `axis` on together: 4 equal elements
    Maker maker(11);
    maker.Input("x", {"N", "2", "2"}).Node("Softmax", {"x"}, {"y"});
    maker.Output("y");
    SEQ_ASSERT_OK_AND_ASSIGN(Model model, maker.Read());
    SEQ_ASSERT_OK_AND_ASSIGN(const auto y, Predict(model, {Floats({1, 2, 2}, {3, 3, 3, 3})}, 1));
    EXPECT_THAT(y[0], Holds(Values{0.25, 0.25, 0.25, 0.25}));
  }
  {  // and the attributes of Unsqueeze, Slice, Clip and ReduceSum became inputs
    Maker maker(9);
    maker.Input("x", {"3"});
    SetInts(maker.Node("Unsqueeze", {"x"}, {"column"}), "axes", {1});
    NodeProto* slice = maker.Node("Slice", {"column"}, {"two"});
    SetInts(slice, "starts", {1});
    SetInts(slice, "ends", {9});
    AttributeProto* max = maker.Node("Clip", {"two"}, {"low"})->add_attribute();
    max->set_name("max");
    max->set_type(AttributeProto::FLOAT);
    max->set_f(2.5);
    SetInts(maker.Node("ReduceSum", {"low"}, {"y"}), "axes", {0});
    maker.Output("low").Output("y");
    SEQ_ASSERT_OK_AND_ASSIGN(Model model, maker.Read());
    SEQ_ASSERT_OK_AND_ASSIGN(const auto y, Predict(model, {Floats({3}, {1, 2, 3})}, 1));
    EXPECT_THAT(y[0], Holds(Values{2, 2.5}));
    EXPECT_THAT(y[1], Holds(Values{4.5}));
    EXPECT_EQ(y[1].shape(), (Shape{1, 1}));
  }
}

TEST(OnnxReader, WeightsTrainAndConstantsDoNot) {
  Maker maker;
  maker.Input("x", {"N", "2"}).Initializer("w", Floats({2, 1}, {3, 4}));
  maker.Initializer("half", Tensor::Scalar(0.5f));
  maker.Node("MatMul", {"x", "w"}, {"z"});
  maker.Node("Mul", {"z", "half"}, {"y"});
  maker.Output("y");
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, maker.Read());
  ASSERT_EQ(model.variables.all().size(), 1u);
  EXPECT_EQ(model.variables.all()[0].def.name, "w");
  EXPECT_TRUE(model.variables.all()[0].def.trainable);
  SEQ_ASSERT_OK_AND_ASSIGN(const auto y, Predict(model, {Floats({1, 2}, {10, 100})}, 1));
  EXPECT_THAT(y[0], Holds(Values{215}));
}

TEST(OnnxReader, TakesTheBranchThatIsKnown) {
  Maker maker;
  maker.Input("x", {"2"}).Initializer("c", Tensor::Scalar<int32_t>(1));
  maker.model().mutable_graph()->mutable_initializer(0)->set_data_type(TensorProto::BOOL);
  maker.model().mutable_graph()->mutable_initializer(0)->set_raw_data("\1");
  NodeProto* node = maker.Node("If", {"c"}, {"y"});
  for (const char* name : {"then_branch", "else_branch"}) {
    AttributeProto* branch = node->add_attribute();
    branch->set_name(name);
    branch->set_type(AttributeProto::GRAPH);
    NodeProto* inner = branch->mutable_g()->add_node();
    inner->set_op_type(name == std::string("then_branch") ? "Neg" : "Abs");
    inner->add_input("x");
    inner->add_output("z");
    branch->mutable_g()->add_output()->set_name("z");
  }
  maker.Output("y");
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, maker.Read());
  SEQ_ASSERT_OK_AND_ASSIGN(const auto y, Predict(model, {Floats({2}, {1, -2})}, 1));
  EXPECT_THAT(y[0], Holds(Values{-1, 2}));
}

void SetActivation(NodeProto* node, const char* name) {
  AttributeProto* attribute = node->add_attribute();
  attribute->set_name("activations");
  attribute->set_type(AttributeProto::STRINGS);
  attribute->add_strings(name);
}

TEST(OnnxReader, RefusesByNodeOperatorAndReason) {
  const auto refusal = [](const char* op, int inputs, void (*change)(NodeProto*)) {
    Maker maker;
    maker.Input("x", {"4", "N", "3"}).Initializer("w", Floats({1, 2, 3}, {1, 2, 3, 4, 5, 6}));
    maker.Initializer("r", Floats({1, 2, 2}, {1, 2, 3, 4}));
    std::vector<std::string> names = {"x", "w", "r"};
    names.resize(inputs);
    NodeProto* node = maker.Node(op, names, {"y"});
    change(node);
    maker.Output("y");
    return maker.Read().status();
  };
  EXPECT_THAT(
      refusal("GridSample", 2, [](NodeProto*) {}),
      StatusIs(absl::StatusCode::kUnimplemented,
               "node my_GridSample (GridSample): the operator is not supported (opset 17)"));
  EXPECT_THAT(refusal("Relu", 1, [](NodeProto* n) { n->set_domain("com.microsoft"); }),
              StatusIs(absl::StatusCode::kUnimplemented, "domain com.microsoft"));
  EXPECT_THAT(refusal("Pow", 1, [](NodeProto*) {}),
              StatusIs(absl::StatusCode::kInvalidArgument, "node my_Pow (Pow)"));
  EXPECT_THAT(refusal("Relu", 1, [](NodeProto* n) { SetInt(n, "strange", 1); }),
              StatusIs(absl::StatusCode::kUnimplemented, "attribute strange is not supported"));
  EXPECT_THAT(refusal("RNN", 3, [](NodeProto* n) { SetInt(n, "clip", 1); }),
              StatusIs(absl::StatusCode::kInvalidArgument, "attribute clip"));
  EXPECT_THAT(refusal("RNN", 3, [](NodeProto* n) { SetActivation(n, "Swish"); }),
              StatusIs(absl::StatusCode::kUnimplemented, "activation Swish"));
  EXPECT_THAT(refusal("RNN", 3, [](NodeProto* n) { SetActivation(n, "Affine"); }),
              StatusIs(absl::StatusCode::kUnimplemented, "activation Affine without its number"));
  EXPECT_THAT(refusal("RNN", 3, [](NodeProto* n) { SetString(n, "direction", "up"); }),
              StatusIs(absl::StatusCode::kInvalidArgument, "direction \"up\""));
  EXPECT_THAT(refusal("LSTM", 3, [](NodeProto*) {}),
              StatusIs(absl::StatusCode::kInvalidArgument, "do not fit together"));
  EXPECT_THAT(refusal("Transpose", 1,
                      [](NodeProto* n) {
                        SetInts(n, "perm", {0, 0, 1});
                      }),
              StatusIs(absl::StatusCode::kInvalidArgument, "attribute perm"));
  EXPECT_THAT(refusal("Relu", 1, [](NodeProto* n) { n->set_input(0, "nobody"); }),
              StatusIs(absl::StatusCode::kInvalidArgument, "it reads nobody, which nothing"));
  EXPECT_THAT(refusal("Relu", 1, [](NodeProto* n) { n->set_output(0, "x"); }),
              StatusIs(absl::StatusCode::kInvalidArgument, "x is there twice"));
  EXPECT_THAT(Maker(29).Read().status(), StatusIs(absl::StatusCode::kUnimplemented, "opset 29"));
  EXPECT_THAT(ParseOnnx("\x08\x07no model", AllOps()).status(),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

// Fields that came to ONNX later are skipped.
TEST(OnnxReader, SkipsFieldsThatItDoesNotKnow) {
  Maker maker;
  maker.Input("x", {"2"}).Node("Relu", {"x"}, {"y"});
  maker.Output("y");
  const std::string later = "\xC2\x3E\x03new";  // field 1000
  SEQ_EXPECT_OK(ParseOnnx(maker.model().SerializeAsString() + later, AllOps()).status());
}

// A tensor of two floats in another file.
class ExternalDataTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = MakeTempDir();
    std::filesystem::create_directory(folder_ + "/model");
    std::filesystem::create_directory(folder_ + "/model/deep");
    const float values[] = {0, 1.5, -2};
    for (const char* name : {"/outside", "/model/data", "/model/deep/data"}) {
      std::ofstream(folder_ + name, std::ios::binary)
          .write(reinterpret_cast<const char*>(values), sizeof(values));
    }
  }

  absl::StatusOr<Model> Load(const std::string& location, const std::string& offset = "4",
                             const std::string& length = "8") {
    Maker maker;
    maker.Input("x", {"2"}).Initializer("w", Floats({2}, {0, 0}));
    TensorProto* tensor = maker.model().mutable_graph()->mutable_initializer(0);
    tensor->clear_raw_data();
    tensor->set_data_location(TensorProto::EXTERNAL);
    for (const auto& [key, value] :
         {std::pair{"location", location}, {"offset", offset}, {"length", length}}) {
      auto* entry = tensor->add_external_data();
      entry->set_key(key);
      entry->set_value(value);
    }
    maker.Node("Add", {"x", "w"}, {"y"});
    maker.Output("y");
    const std::string path = folder_ + "/model/model.onnx";
    std::ofstream(path, std::ios::binary) << maker.model().SerializeAsString();
    return LoadOnnx(path, AllOps());
  }

  std::string folder_;
};

TEST_F(ExternalDataTest, IsReadFromTheModelsFolderAndBelow) {
  for (const char* location : {"data", "deep/data"}) {
    SEQ_ASSERT_OK_AND_ASSIGN(const Model model, Load(location));
    EXPECT_THAT(model.variables.all()[0].value, Holds(Values{1.5, -2}));
  }
}

TEST_F(ExternalDataTest, IsRefusedElsewhere) {
  const auto invalid = [](const char* text) {
    return StatusIs(absl::StatusCode::kInvalidArgument, text);
  };
  EXPECT_THAT(Load("../outside").status(), invalid("no \"..\""));
  EXPECT_THAT(Load("deep/../../outside").status(), invalid("no \"..\""));
  EXPECT_THAT(Load(folder_ + "/outside").status(), invalid("relative"));
  EXPECT_THAT(Load("").status(), invalid("relative"));
  EXPECT_THAT(Load("nothing").status(), invalid("No such file"));
  EXPECT_THAT(Load("deep").status(), invalid("no regular file"));
  ASSERT_EQ(symlink("../outside", (folder_ + "/model/link").c_str()), 0);
  EXPECT_THAT(Load("link").status(), invalid("links are not followed"));
  ASSERT_EQ(symlink("..", (folder_ + "/model/up").c_str()), 0);
  EXPECT_THAT(Load("up/outside").status(), invalid("up/outside"));
  ASSERT_EQ(mkfifo((folder_ + "/model/fifo").c_str(), 0600), 0);
  EXPECT_THAT(Load("fifo").status(), invalid("no regular file"));
}

TEST_F(ExternalDataTest, MustHaveWhatTheTensorSays) {
  const auto invalid = [](const char* text) {
    return StatusIs(absl::StatusCode::kInvalidArgument, text);
  };
  EXPECT_THAT(Load("data", "8").status(), invalid("goes beyond the 12 bytes"));
  EXPECT_THAT(Load("data", "9223372036854775807").status(), invalid("goes beyond"));
  EXPECT_THAT(Load("data", "-4").status(), invalid("offset \"-4\""));
  EXPECT_THAT(Load("data", "4", "4").status(), invalid("4 bytes, but its extents make 8"));
}

}  // namespace
}  // namespace seqgraph::onnx
