// Calls of functions that a model defines: what is not given, and what asks for too much.
// (tests/onnx/domains has one that ONNX Runtime ran.)

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/onnx/model_maker.h"

namespace seqgraph::onnx {
namespace {

using onnx_proto::AttributeProto;
using onnx_proto::FunctionProto;
using onnx_proto::NodeProto;
using onnx_proto::TensorProto;

FunctionProto* AddFunction(Maker& maker, const std::string& name,
                           const std::vector<std::string>& inputs) {
  FunctionProto* function = maker.model().add_functions();
  function->set_domain("ours");
  function->set_name(name);
  for (const std::string& input : inputs) function->add_input(input);
  function->add_output("result");
  function->add_opset_import()->set_version(17);
  return function;
}

NodeProto* AddNode(FunctionProto* function, const std::string& op,
                   const std::vector<std::string>& inputs, const std::string& output) {
  NodeProto* node = function->add_node();
  node->set_op_type(op);
  for (const std::string& input : inputs) node->add_input(input);
  node->add_output(output);
  return node;
}

// y = F(x)
Maker Calling(const std::string& name) {
  Maker maker;
  maker.Input("x", {"N", "2"}).Node(name, {"x"}, {"y"})->set_domain("ours");
  return maker.Output("y");
}

TEST(OnnxFunctions, HaveInputsThatNeedNotBeGiven) {
  Maker maker = Calling("UpTo");
  FunctionProto* function = AddFunction(maker, "UpTo", {"a", "least", "most"});
  AddNode(function, "Constant", {}, "zero");
  function->mutable_node(0)->add_attribute()->set_name("value_float");
  function->mutable_node(0)->mutable_attribute(0)->set_type(AttributeProto::FLOAT);
  function->mutable_node(0)->mutable_attribute(0)->set_f(0.5f);
  AddNode(function, "Clip", {"a", "zero", "most"}, "result");
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, maker.Read());
  SEQ_ASSERT_OK_AND_ASSIGN(const auto results, Predict(model, {Floats({1, 2}, {-1, 7})}, 1));
  EXPECT_THAT(results[0], Holds(Values{0.5, 7}));
}

TEST(OnnxFunctions, SeeNothingOfWhatIsAround) {
  Maker maker = Calling("Stray");
  AddNode(AddFunction(maker, "Stray", {"a"}), "Relu", {"x"}, "result");
  EXPECT_THAT(maker.Read().status(),
              StatusIs(absl::StatusCode::kInvalidArgument, "it reads x, which nothing computes"));
}

TEST(OnnxFunctions, ThatCallThemselvesOrAreTwoAreRefused) {
  Maker round = Calling("Round");
  AddNode(AddFunction(round, "Round", {"a"}), "Round", {"a"}, "result")->set_domain("ours");
  EXPECT_THAT(round.Read().status(),
              StatusIs(absl::StatusCode::kResourceExhausted, "functions one in the other"));
  Maker twice = Calling("Twice");
  for (const char* op : {"Relu", "Abs"}) {
    AddNode(AddFunction(twice, "Twice", {"a"}), op, {"a"}, "result");
  }
  EXPECT_THAT(twice.Read().status(), StatusIs(absl::StatusCode::kUnimplemented, "overloads"));
}

// An attribute of the call that many nodes name is copied for each.
TEST(OnnxFunctions, CannotCopyAnAttributeWithoutLimit) {
  Maker maker = Calling("Many");
  AttributeProto* large = maker.model().mutable_graph()->mutable_node(0)->add_attribute();
  large->set_name("numbers");
  large->set_type(AttributeProto::TENSOR);
  large->mutable_t()->set_data_type(TensorProto::FLOAT);
  large->mutable_t()->add_dims(1 << 18);
  large->mutable_t()->set_raw_data(std::string(1 << 20, '\0'));
  FunctionProto* function = AddFunction(maker, "Many", {"a"});
  function->add_attribute("numbers");
  for (int i = 0; i < 4000; ++i) {
    AttributeProto* value =
        AddNode(function, "Constant", {}, "c" + std::to_string(i))->add_attribute();
    value->set_name("value");
    value->set_ref_attr_name("numbers");
    value->set_type(AttributeProto::TENSOR);
  }
  AddNode(function, "Relu", {"a"}, "result");
  EXPECT_THAT(maker.Read().status(),
              StatusIs(absl::StatusCode::kResourceExhausted, "far more memory than the file"));
}

}  // namespace
}  // namespace seqgraph::onnx
