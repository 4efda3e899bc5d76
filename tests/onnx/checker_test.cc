// What SaveOnnx writes, before ONNX's own checker (libonnx), with shape inference. Its generated
// code and ours, of one .proto, live in this one process.

#include <gtest/gtest.h>
#include <onnx/checker.h>
#include <onnx/shape_inference/implementation.h>

#include <exception>
#include <string>

#include "serialization/onnx/onnx_writer.h"
#include "tests/onnx/round_trip_models.h"
#include "tests/testing.h"

namespace seqgraph::onnx {
namespace {

// What the checker has against the model; empty: nothing.
std::string Complaint(const std::string& bytes) {
  try {
    ::onnx::ModelProto model;
    if (!model.ParseFromString(bytes)) return "no protobuf";
    ::onnx::checker::check_model(model);
    const ::onnx::ShapeInferenceOptions strict(/*check_type_val=*/true, /*strict_mode_val=*/1,
                                               /*data_prop_val=*/true);
    ::onnx::shape_inference::InferShapes(model, ::onnx::OpSchemaRegistry::Instance(), strict);
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}

TEST(OnnxChecker, AcceptsEveryModelOfOurs) {
  for (const NamedModel& named : RoundTripModels()) {
    SCOPED_TRACE(named.name);
    SEQ_ASSERT_OK_AND_ASSIGN(const Model model, named.make());
    SEQ_ASSERT_OK_AND_ASSIGN(const std::string bytes, SerializeOnnx(model));
    EXPECT_EQ(Complaint(bytes), "");
    ::onnx::ModelProto broken;
    ASSERT_TRUE(broken.ParseFromString(bytes));
    broken.mutable_graph()->mutable_node(0)->set_op_type("NoSuchOperator");
    EXPECT_NE(Complaint(broken.SerializeAsString()), "");
  }
}

}  // namespace
}  // namespace seqgraph::onnx
