// What the reader makes of shapes, extents and the batch, of loops, and of states and lengths that
// do not fit: on models made by hand.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "base/status_macros.h"
#include "graph/op_def.h"
#include "ops/all_ops.h"
#include "serialization/onnx/batch_number.h"
#include "serialization/onnx/node_reader.h"
#include "tests/onnx/model_maker.h"

namespace seqgraph::onnx {
namespace {

using onnx_proto::GraphProto;
using onnx_proto::NodeProto;
using onnx_proto::TensorProto;

constexpr int64_t kLowest = std::numeric_limits<int64_t>::min();

absl::StatusOr<std::vector<Shape>> InputShapes(const std::vector<std::vector<std::string>>& inputs,
                                               const OnnxReadOptions& options = {}) {
  Maker maker;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const std::string name(1, static_cast<char>('x' + i));
    maker.Input(name, inputs[i]).Node("Relu", {name}, {name + "y"});
    maker.Output(name + "y");
  }
  SEQ_ASSIGN_OR_RETURN(const Model model, maker.Read(options));
  std::vector<Shape> shapes;
  for (Value input : model.functions[0].inputs()) {
    shapes.push_back(model.functions[0].type(input).shape);
  }
  return shapes;
}

TEST(OnnxExtents, AnonymousRepeatedAndNegativeOnes) {
  const Dim n = Dim::Batch();
  using Shapes = std::vector<Shape>;
  EXPECT_EQ(*InputShapes({{"", "3"}}), (Shapes{{n, 3}}));
  EXPECT_EQ(*InputShapes({{"5", "-1", "4"}}), (Shapes{{5, n, 4}}));
  EXPECT_EQ(*InputShapes({{"5", "-1", "4"}, {"1", "", "2"}}), (Shapes{{5, n, 4}, {1, n, 2}}));
  EXPECT_EQ(*InputShapes({{"a", "3"}, {"b", "2"}}), (Shapes{{n, 3}, {n, 2}}));
  EXPECT_EQ(*InputShapes({{"", ""}}, {.dims = {{"x:1", 4}}}), (Shapes{{n, 4}}));
  EXPECT_EQ(*InputShapes({{"N", "N"}}, {.dims = {{"x:1", 4}}}), (Shapes{{n, 4}}));
  EXPECT_EQ(*InputShapes({{"N", "T"}, {"T", "N"}}, {.dims = {{"T", 4}}}), (Shapes{{n, 4}, {4, n}}));
}

TEST(OnnxExtents, RefusalsNameTheFlag) {
  const auto unimplemented = [](const char* text) {
    return StatusIs(absl::StatusCode::kUnimplemented, text);
  };
  EXPECT_THAT(InputShapes({{"", ""}}).status(), unimplemented("--dim=x:1=NUMBER"));
  EXPECT_THAT(InputShapes({{"N", "N"}}).status(), unimplemented("--dim=x:1=NUMBER"));
  EXPECT_THAT(InputShapes({{"N", "T"}}).status(),
              unimplemented("--dim=T=NUMBER or --dim=x:1=NUMBER"));
  EXPECT_THAT(InputShapes({{"N", "3"}}, {.dims = {{"T", 4}}}).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, "--dim: no input has an extent T"));
  EXPECT_THAT(InputShapes({{"N", "T"}}, {.dims = {{"T", -4}}}).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, "--dim: T is -4"));
}

TEST(BatchNumbers, AreToldApartInEveryType) {
  for (int64_t factor : {int64_t{1}, int64_t{2}, int64_t{7}, kMaxBatchFactor}) {
    const Tensor x = Tensor::Of<int64_t>({1}, {BatchNumber<int64_t>(factor)});
    for (DType dtype : {DType::kInt32, DType::kFloat32, DType::kFloat64, DType::kInt64}) {
      const Tensor y = CastWithBatch(CastWithBatch(x, dtype), DType::kInt64);
      EXPECT_EQ(BatchFactor(y.Elements<int64_t>()[0]), factor) << DTypeName(dtype);
    }
  }
  for (int64_t plain : {int64_t{0}, int64_t{-1}, kLowest, kLowest + 1, kBatchElement + 1}) {
    EXPECT_EQ(BatchFactor(plain), 0);
  }
}

// 0 < n, 3 n / n and the like do not depend on n, n < 2 does.
TEST(BatchNumbers, Compute) {
  const auto number = [](int64_t factor) {
    return Tensor::Of<int64_t>({1}, {BatchNumber<int64_t>(factor)});
  };
  const auto plain = [](int64_t x) { return Tensor::Of<int64_t>({1}, {x}); };
  const auto compute = [](const char* op, const Tensor& a, const Tensor& b) {
    const absl::StatusOr<Tensor> y = ComputeWithBatch(op, a, b);
    return y.ok() ? y->Cast(DType::kInt64).Elements<int64_t>()[0] : int64_t{-77};
  };
  EXPECT_EQ(BatchFactor(compute("Multiply", number(1), plain(7))), 7);
  EXPECT_EQ(BatchFactor(compute("Multiply", plain(7), number(2))), 14);
  EXPECT_EQ(compute("Multiply", number(1), plain(0)), 0);
  EXPECT_EQ(BatchFactor(compute("Divide", number(14), plain(7))), 2);
  EXPECT_EQ(compute("Divide", number(14), number(7)), 2);
  EXPECT_EQ(compute("Divide", number(3), plain(2)), -77);
  EXPECT_EQ(BatchFactor(compute("Add", number(1), plain(0))), 1);
  EXPECT_EQ(BatchFactor(compute("Add", number(1), number(2))), 3);
  EXPECT_EQ(compute("Add", number(1), plain(1)), -77);
  EXPECT_EQ(compute("Subtract", number(2), number(2)), 0);
  EXPECT_EQ(compute("Less", plain(0), number(1)), 1);
  EXPECT_EQ(compute("Less", number(1), plain(1)), 0);
  EXPECT_EQ(compute("Less", number(1), plain(2)), -77);
  EXPECT_EQ(compute("Less", number(1), number(2)), 1);
  EXPECT_EQ(compute("Equal", number(1), plain(-1)), 0);
  EXPECT_EQ(compute("Equal", number(2), number(2)), 1);
  EXPECT_EQ(compute("Equal", number(1), plain(1)), -77);
  EXPECT_EQ(BatchFactor(compute("Maximum", number(3), plain(3))), 3);
  EXPECT_EQ(compute("Minimum", plain(1), number(1)), 1);
  EXPECT_EQ(compute("Maximum", number(1), plain(2)), -77);
}

// Shape in int32, as Keras on TensorFlow counts, and back.
TEST(OnnxShapes, IntegerCastsKeepTheBatch) {
  Maker maker;
  maker.Input("x", {"N", "2", "3"}).Initializer("rest", Ints({6}));
  maker.Node("Shape", {"x"}, {"shape"});
  SetInt(maker.Node("Cast", {"shape"}, {"shape32"}), "to", TensorProto::INT32);
  maker.Initializer("zero", Ints({0})).Initializer("one", Ints({1}));
  maker.Node("Slice", {"shape32", "zero", "one", "zero"}, {"n"});
  SetInt(maker.Node("Cast", {"rest"}, {"rest32"}), "to", TensorProto::INT32);
  SetInt(maker.Node("Concat", {"n", "rest32"}, {"to32"}), "axis", 0);
  SetInt(maker.Node("Cast", {"to32"}, {"to"}), "to", TensorProto::INT64);
  maker.Node("Reshape", {"x", "to"}, {"y"});
  maker.Output("y");
  SEQ_ASSERT_OK_AND_ASSIGN(const Model model, maker.Read());
  EXPECT_EQ(model.functions[0].type(model.functions[0].FindResult("y")).shape,
            (Shape{Dim::Batch(), 6}));
}

// [n, 2, 3] -> [2 n, 3], a product for each row, a softmax, and back to [n, 2, 2].
TEST(OnnxShapes, TheBatchAndTimeTakenTogether) {
  Maker maker;
  maker.Input("x", {"N", "2", "3"}).Initializer("rows", Ints({-1, 3}));
  maker.Initializer("w", Floats({3, 2}, {1, 0, 0, 1, 1, 1})).Initializer("b", Floats({2}, {1, 2}));
  maker.Initializer("back", Ints({-1, 2, 2}));
  maker.Node("Reshape", {"x", "rows"}, {"flat"});
  maker.Node("MatMul", {"flat", "w"}, {"product"});
  maker.Node("Add", {"product", "b"}, {"sum"});
  maker.Node("Shape", {"sum"}, {"shape"});
  maker.Node("Reshape", {"sum", "back"}, {"y"});
  SetInt(maker.Node("Softmax", {"sum"}, {"p"}), "axis", 1);
  maker.Node("Reshape", {"p", "back"}, {"q"});
  maker.Output("y").Output("q");
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, maker.Read());
  SEQ_ASSERT_OK_AND_ASSIGN(
      const auto y, Predict(model, {Floats({2, 2, 3}, {1, 2, 3, 4, 5, 6, 0, 0, 0, -1, 0, 1})}, 2));
  EXPECT_EQ(y[0].shape(), (Shape{2, 2, 2}));
  EXPECT_THAT(y[0], Holds(Values{5, 7, 11, 13, 1, 2, 1, 3}));
  EXPECT_NEAR(y[1].Elements<float>()[0], 1 / (1 + std::exp(2.0)), 1e-6);
  // As a result it has no shape that a function can have.
  maker.Output("sum");
  EXPECT_THAT(maker.Read().status(), StatusIs(absl::StatusCode::kUnimplemented, "output sum"));
}

// x[arange(n), i], as one index a row and by flat indices.
TEST(OnnxShapes, OneElementOfEachRow) {
  Maker maker;
  maker.Input("x", {"N", "3", "2"}).Input("i", {"N"}, TensorProto::INT64);
  maker.Initializer("zero", Tensor::Scalar<int64_t>(0))
      .Initializer("one", Tensor::Scalar<int64_t>(1));
  maker.Initializer("axes", Ints({1})).Initializer("three", Tensor::Scalar<int64_t>(3));
  maker.Initializer("rows", Ints({-1, 2}));
  maker.Node("Shape", {"x"}, {"shape"});
  maker.Node("Gather", {"shape", "zero"}, {"n"});
  maker.Node("Range", {"zero", "n", "one"}, {"row"});
  maker.Node("Unsqueeze", {"row", "axes"}, {"row1"});
  maker.Node("Unsqueeze", {"i", "axes"}, {"i1"});
  SetInt(maker.Node("Concat", {"row1", "i1"}, {"pairs"}), "axis", -1);
  maker.Node("GatherND", {"x", "pairs"}, {"y"});
  maker.Node("Reshape", {"x", "rows"}, {"flat"});
  maker.Node("Mul", {"row", "three"}, {"begin"});
  maker.Node("Add", {"begin", "i"}, {"place"});
  maker.Node("Gather", {"flat", "place"}, {"z"});
  maker.Output("y").Output("z");
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, maker.Read());
  SEQ_ASSERT_OK_AND_ASSIGN(
      const auto y,
      Predict(model, {Floats({2, 3, 2}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}), Ints({2, -3})},
              2));
  EXPECT_THAT(y[0], Holds(Values{5, 6, 7, 8}));
  EXPECT_EQ(y[0].shape(), (Shape{2, 2}));
}

TEST(OnnxShapes, TheLowestIntegerIsAnOpenEnd) {
  Maker maker;
  maker.Input("x", {"N", "3"}).Initializer("start", Ints({-1})).Initializer("end", Ints({kLowest}));
  maker.Initializer("axis", Ints({1})).Initializer("step", Ints({-1}));
  maker.Node("Slice", {"x", "start", "end", "axis", "step"}, {"y"});
  maker.Output("y");
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, maker.Read());
  SEQ_ASSERT_OK_AND_ASSIGN(const auto y, Predict(model, {Floats({1, 3}, {1, 2, 3})}, 1));
  EXPECT_THAT(y[0], Holds(Values{3, 2, 1}));
}

// 0.5, -2 and 65504 in float16; 1 and -3 in bfloat16; 200 in uint8.
TEST(OnnxTypes, NarrowOnesAreWidened) {
  Maker maker;
  maker.Input("x", {"N", "3"}).Input("ids", {"N"}, TensorProto::UINT8);
  const auto add = [&](const char* name, int32_t type, const std::string& raw, int64_t extent) {
    TensorProto* tensor = maker.model().mutable_graph()->add_initializer();
    tensor->set_name(name);
    tensor->set_data_type(type);
    tensor->add_dims(extent);
    tensor->set_raw_data(raw);
  };
  add("half", TensorProto::FLOAT16, {"\x00\x38\x00\xC0\xFF\x7B", 6}, 3);
  add("brain", TensorProto::BFLOAT16, {"\x80\x3F\x40\xC0", 4}, 2);
  add("bytes", TensorProto::UINT8, "\xC8", 1);
  SetInt(maker.Node("Cast", {"half"}, {"wide"}), "to", TensorProto::FLOAT);
  maker.Node("Mul", {"x", "wide"}, {"y"});
  SetInt(maker.Node("Cast", {"brain"}, {"b"}), "to", TensorProto::FLOAT);
  maker.Node("Gather", {"b", "ids"}, {"z"});
  SetInt(maker.Node("Cast", {"bytes"}, {"c"}), "to", TensorProto::INT32);
  maker.Output("y").Output("z").Output("c");
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, maker.Read());
  SEQ_ASSERT_OK_AND_ASSIGN(
      const auto y, Predict(model, {Floats({1, 3}, {2, 2, 1}), Tensor::Of<int32_t>({1}, {1})}, 1));
  EXPECT_THAT(y[0], Holds(Values{1, -4, 65504}));
  EXPECT_THAT(y[1], Holds(Values{-3}));
  EXPECT_THAT(y[2], Holds(Values{200}));
  maker.Node("Add", {"bytes", "bytes"}, {"sum"});  // 144 there
  maker.Output("sum");
  EXPECT_THAT(maker.Read().status(),
              StatusIs(absl::StatusCode::kUnimplemented, "it computes on uint8"));
}

// Of a body y = 2 y + x[i], what goes round and what is collected.
TEST(OnnxLoops, RunAsOftenAsIsKnown) {
  Maker maker;
  maker.Input("x", {"3", "N"}).Initializer("rounds", Tensor::Scalar<int64_t>(3));
  maker.Input("y0", {"N"});
  NodeProto* loop = maker.Node("Loop", {"rounds", "", "y0"}, {"y", "all"});
  GraphProto* body = AddGraph(loop, "body");
  for (const char* name : {"i", "goes_on", "before"}) body->add_input()->set_name(name);
  const auto node = [body](const char* op, std::vector<std::string> inputs, const char* output) {
    NodeProto* added = body->add_node();
    added->set_op_type(op);
    for (const std::string& input : inputs) added->add_input(input);
    added->add_output(output);
  };
  node("Gather", {"x", "i"}, "step");
  node("Add", {"before", "before"}, "twice");
  node("Add", {"twice", "step"}, "after");
  node("Identity", {"after"}, "kept");
  for (const char* name : {"goes_on", "after", "kept"}) body->add_output()->set_name(name);
  maker.Output("y").Output("all");
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, maker.Read());
  SEQ_ASSERT_OK_AND_ASSIGN(const auto y,
                           Predict(model, {Floats({3, 1}, {1, 2, 3}), Floats({1}, {1})}, 1));
  EXPECT_THAT(y[0], Holds(Values{19}));  // 1 -> 3 -> 8 -> 19
  EXPECT_THAT(y[1], Holds(Values{3, 8, 19}));
  EXPECT_EQ(y[1].shape(), (Shape{3, 1}));
  // As often as an input says.
  loop->set_input(0, "rounds_given");
  maker.Input("rounds_given", {}, TensorProto::INT64);
  EXPECT_THAT(maker.Read().status(), StatusIs(absl::StatusCode::kUnimplemented,
                                              "how many rounds there are depends on the inputs"));
}

// h_t = max(x_t + h_{t-1}, 0) of one unit over three steps, time-major.
Maker Recurrence(const Tensor& state, int64_t hidden_size) {
  Maker maker;
  maker.Input("x", {"3", "2", "1"}).Input("n", {"2"}, TensorProto::INT32);
  maker.Initializer("w", Floats({1, 1, 1}, {1})).Initializer("r", Floats({1, 1, 1}, {1}));
  maker.Initializer("h0", state);
  NodeProto* node = maker.Node("RNN", {"x", "w", "r", "", "n", "h0"}, {"", "last"});
  SetInt(node, "hidden_size", hidden_size);
  maker.Output("last");
  return maker;
}

TEST(OnnxStates, OfZerosMustFitToo) {
  SEQ_EXPECT_OK(Recurrence(Floats({1, 2, 1}, {0, 0}), 1).Read().status());
  for (const Tensor& wrong : {Floats({1, 1, 1}, {0}), Floats({2, 2, 1}, {0, 0, 0, 0}),
                              Floats({1, 2, 2}, {0, 0, 0, 0}), Floats({2}, {0, 0})}) {
    EXPECT_THAT(Recurrence(wrong, 1).Read().status(),
                StatusIs(absl::StatusCode::kInvalidArgument, "an initial state must be [1, 2, 1]"));
  }
  EXPECT_THAT(Recurrence(Floats({1, 2, 1}, {0, 0}), 7).Read().status(),
              StatusIs(absl::StatusCode::kInvalidArgument, "hidden_size is 7"));
}

// As in ONNX Runtime: tanh(1 + 0.5) where there is a step, 0 where there is none.
TEST(OnnxStates, OfARowWithoutStepsEndAsZero) {
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, Recurrence(Floats({1, 2, 1}, {0.5, 0.5}), 1).Read());
  SEQ_ASSERT_OK_AND_ASSIGN(
      const auto y,
      Predict(model, {Floats({3, 2, 1}, {1, 1, 1, 1, 1, 1}), Tensor::Of<int32_t>({2}, {1, 0})}, 1));
  EXPECT_NEAR(y[0].Elements<float>()[0], std::tanh(1.5), 1e-6);
  EXPECT_EQ(y[0].Elements<float>()[1], 0);
}

}  // namespace
}  // namespace seqgraph::onnx
