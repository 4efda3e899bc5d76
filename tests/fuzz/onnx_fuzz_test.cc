// Damaged ONNX files: every prefix, and thousands of random changes, of models that PyTorch, Keras
// and we wrote. Each must give an error or a model that verifies; never a crash, never much memory.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/atomic_file.h"
#include "google/protobuf/stubs/logging.h"
#include "graph/function_builder.h"
#include "graph/verifier.h"
#include "ops/all_ops.h"
#include "serialization/onnx/onnx.pb.h"
#include "serialization/onnx/onnx_reader.h"
#include "serialization/onnx/onnx_writer.h"
#include "serialization/proto_guard.h"
#include "tests/fuzz/allocation_meter.h"
#include "tests/fuzz/mutator.h"
#include "tests/onnx/round_trip_models.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

// What reading N bytes may hold at one time: the parsed message within the guard's limit, as much
// again for the model, and what may be computed beforehand (onnx_reader.cc).
int64_t MemoryLimit(size_t bytes) {
  const int64_t size = static_cast<int64_t>(bytes);
  return 2 * (size * kForeignMemoryFactor + kParseMemoryBase) + 16 * size + (int64_t{64} << 20);
}

// PyTorch's and Keras's of tests/onnx/models, those of other domains, ours, and ONNX's own tests of
// operators where Debian's libonnx-testdata is; the smaller ones.
std::vector<std::string> Files() {
  constexpr int64_t kMost = 8000;
  std::vector<std::string> files;
  std::vector<std::string> paths;
  for (const char* folder :
       {"tests/onnx/models", "tests/onnx/domains", "/usr/share/libonnx-testdata/data/node"}) {
    std::error_code none;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, none)) {
      if (entry.path().extension() == ".onnx") paths.push_back(entry.path().string());
    }
  }
  std::sort(paths.begin(), paths.end());
  for (const std::string& path : paths) {
    const absl::StatusOr<std::string> bytes = ReadFile(path, kMost);
    if (bytes.ok()) files.push_back(*bytes);
  }
  for (const onnx::NamedModel& named : onnx::RoundTripModels()) {
    files.push_back(*SerializeOnnx(*named.make()));
  }
  return files;
}

class OnnxFuzzTest : public ::testing::Test {
 protected:
  void TearDown() override {
    std::printf("%d errors, %d valid models, at most %.1f MB of memory\n", errors_, valid_,
                static_cast<double>(largest_) * 1e-6);
  }

  void Check(const std::string& bytes) {
    google::protobuf::LogSilencer silencer;  // it says so when a text is not UTF-8
    AllocationMeter meter;
    const absl::StatusOr<Model> model = ParseOnnx(bytes, AllOps());
    largest_ = std::max(largest_, meter.peak());
    ASSERT_LE(meter.peak(), MemoryLimit(bytes.size())) << bytes.size() << " bytes";
    if (!model.ok()) {
      ++errors_;
      ASSERT_FALSE(model.status().message().empty());
      ASSERT_NE(model.status().code(), absl::StatusCode::kInternal) << model.status();
      return;
    }
    ++valid_;
    SEQ_ASSERT_OK(VerifyModel(*model));
    // What was read can be written, or is refused in good order.
    const absl::StatusOr<std::string> again = SerializeOnnx(*model);
    if (!again.ok()) {
      ASSERT_NE(again.status().code(), absl::StatusCode::kInternal) << again.status();
    }
  }

  const std::vector<std::string> files_ = Files();
  int errors_ = 0, valid_ = 0;
  int64_t largest_ = 0;
};

TEST_F(OnnxFuzzTest, EveryPrefixIsAnErrorOrAModel) {
  for (const std::string& file : {files_.front(), files_.back()}) {
    for (size_t length = 0; length < file.size(); ++length) {
      Check(file.substr(0, length));
      if (HasFatalFailure()) FAIL() << "prefix of " << length << " bytes";
    }
  }
  EXPECT_GT(errors_, 1000);
}

TEST_F(OnnxFuzzTest, RandomChangesAreErrorsOrModels) {
  Mutator mutator(FuzzSeed(20261125));
  ASSERT_GE(files_.size(), 20);
  std::vector<onnx_proto::ModelProto> messages(files_.size());
  for (size_t i = 0; i < files_.size(); ++i) {
    ASSERT_TRUE(messages[i].ParseFromString(files_[i]));
  }
  const int count = FuzzCount(10000);
  for (int i = 0; i < count; ++i) {
    const size_t file = mutator.Below(files_.size());
    if (i % 4 == 0) {
      Check(mutator.Bytes(files_[file]));
    } else {
      onnx_proto::ModelProto changed = messages[file];
      mutator.Message(changed);
      google::protobuf::LogSilencer silencer;
      Check(changed.SerializeAsString());
    }
    if (HasFatalFailure()) FAIL() << "mutation " << i;
  }
  // A mutator that breaks everything at the first check, or changes nothing, would test nothing.
  EXPECT_GT(errors_, count / 4);
  EXPECT_GT(valid_, count / 50);
}

// Few bytes that ask for much: a tower of expansions.
TEST_F(OnnxFuzzTest, WhatIsComputedBeforehandIsBounded) {
  onnx_proto::ModelProto message;
  message.set_ir_version(8);
  message.add_opset_import()->set_version(17);
  auto& graph = *message.mutable_graph();
  auto& shape = *graph.add_initializer();
  shape.set_name("shape");
  shape.set_data_type(onnx_proto::TensorProto::INT64);
  shape.add_dims(1);
  shape.add_int64_data(1 << 20);
  for (int i = 0; i < 1000; ++i) {
    auto& node = *graph.add_node();
    node.set_op_type("ConstantOfShape");
    node.add_input("shape");
    node.add_output(absl::StrCat("y", i));
  }
  graph.add_output()->set_name("y0");
  const std::string bytes = message.SerializeAsString();
  Check(bytes);
  EXPECT_THAT(ParseOnnx(bytes, AllOps()).status(),
              StatusIs(absl::StatusCode::kResourceExhausted, "node y"));
}

// Each operator becomes thousands of nodes.
TEST_F(OnnxFuzzTest, WhatTheGraphBecomesIsBounded) {
  onnx_proto::ModelProto message;
  message.set_ir_version(8);
  message.add_opset_import()->set_version(17);
  auto& graph = *message.mutable_graph();
  auto& x = *graph.add_input();
  x.set_name("x");
  auto& type = *x.mutable_type()->mutable_tensor_type();
  type.set_elem_type(onnx_proto::TensorProto::FLOAT);
  for (const int64_t extent : {1, 1, 4000, 4000}) {
    type.mutable_shape()->add_dim()->set_dim_value(extent);
  }
  for (int i = 0; i < 1000; ++i) {
    auto& node = *graph.add_node();
    node.set_op_type("MaxPool");
    node.add_input("x");
    node.add_output(absl::StrCat("y", i));
    auto& sizes = *node.add_attribute();
    sizes.set_name("kernel_shape");
    sizes.set_type(onnx_proto::AttributeProto::INTS);
    sizes.add_ints(50);
    sizes.add_ints(50);
    graph.add_output()->set_name(node.output(0));
  }
  const std::string bytes = message.SerializeAsString();
  Check(bytes);
  EXPECT_THAT(ParseOnnx(bytes, AllOps()).status(),
              StatusIs(absl::StatusCode::kResourceExhausted, "far more memory than the file"));
}

// A model of one node that gives "y", with inputs of these shapes and known integers behind them.
class OneNode {
 public:
  explicit OneNode(const char* op) {
    message_.set_ir_version(8);
    message_.add_opset_import()->set_version(17);
    node().set_op_type(op);
    node().add_output("y");
    graph().add_output()->set_name("y");
  }

  OneNode& Input(const std::string& name, const std::vector<int64_t>& shape,
                 onnx_proto::TensorProto::DataType type = onnx_proto::TensorProto::FLOAT) {
    auto& input = *graph().add_input();
    input.set_name(name);
    auto& tensor = *input.mutable_type()->mutable_tensor_type();
    tensor.set_elem_type(type);
    for (const int64_t extent : shape) tensor.mutable_shape()->add_dim()->set_dim_value(extent);
    node().add_input(name);
    return *this;
  }
  OneNode& Absent() { return node().add_input(""), *this; }
  OneNode& Ints(const std::string& name, const std::vector<int64_t>& values) {
    auto& known = *graph().add_initializer();
    known.set_name(name);
    known.set_data_type(onnx_proto::TensorProto::INT64);
    known.add_dims(static_cast<int64_t>(values.size()));
    for (const int64_t value : values) known.add_int64_data(value);
    node().add_input(name);
    return *this;
  }
  OneNode& Set(const char* name, const std::vector<int64_t>& values) {
    auto& attribute = *node().add_attribute();
    attribute.set_name(name);
    attribute.set_type(onnx_proto::AttributeProto::INTS);
    for (const int64_t value : values) attribute.add_ints(value);
    return *this;
  }
  OneNode& Set(const char* name, int64_t value) {
    auto& attribute = *node().add_attribute();
    attribute.set_name(name);
    attribute.set_type(onnx_proto::AttributeProto::INT);
    attribute.set_i(value);
    return *this;
  }
  OneNode& Set(const char* name, const char* value) {
    auto& attribute = *node().add_attribute();
    attribute.set_name(name);
    attribute.set_type(onnx_proto::AttributeProto::STRING);
    attribute.set_s(value);
    return *this;
  }
  std::string Bytes() const { return message_.SerializeAsString(); }

 private:
  onnx_proto::GraphProto& graph() { return *message_.mutable_graph(); }
  onnx_proto::NodeProto& node() {
    return graph().node_size() == 0 ? *graph().add_node() : *graph().mutable_node(0);
  }
  onnx_proto::ModelProto message_;
};

// Extents of inputs cost nothing, so that a file of 100 bytes may have them near 2^40: products of
// them are checked before they are made, and what takes an element of each is charged.
TEST_F(OnnxFuzzTest, ProductsOfExtentsAreChecked) {
  constexpr int64_t kMost = int64_t{1} << 40;
  const std::vector<std::string> files = {
      // 2^34 times 2^30 weights are 0 in 64 bits.
      OneNode("Resize")
          .Input("x", {1, 1, kMost >> 6})
          .Absent()
          .Absent()
          .Ints("sizes", {1, 1, 1 << 30})
          .Set("mode", "linear")
          .Bytes(),
      OneNode("ReverseSequence")
          .Input("x", {2, kMost >> 2})
          .Input("lengths", {2}, onnx_proto::TensorProto::INT64)
          .Set("time_axis", 1)
          .Set("batch_axis", int64_t{0})
          .Bytes(),
      OneNode("Reshape").Input("x", {2, 3}).Ints("shape", {kMost, kMost}).Bytes(),
      OneNode("Tile").Input("x", {1, kMost >> 2}).Ints("repeats", {1, 1 << 30}).Bytes(),
      OneNode("Conv")
          .Input("x", {1, kMost, 1})
          .Input("w", {1, kMost, 1})
          .Set("group", kMost >> 1)
          .Bytes(),
      OneNode("ConvTranspose")
          .Input("x", {1, 1, kMost})
          .Input("w", {1, 1, 1})
          .Set("strides", std::vector<int64_t>{1 << 30})
          .Bytes(),
  };
  for (const std::string& bytes : files) Check(bytes);
  EXPECT_EQ(errors_, static_cast<int>(files.size()));
}

// What is read can be refused by the writer: it would write out each of 2^30 steps.
TEST_F(OnnxFuzzTest, MasksOfManyStepsAreNotWritten) {
  FunctionBuilder g("predict", AllOps());
  const Value lengths = g.Input("lengths", {DType::kInt32, {Dim::Batch()}});
  g.Result("mask", g.AddNode("SequenceMask", {lengths}, {{"time", int64_t{1} << 30}})[0]);
  Model model;
  SEQ_ASSERT_OK_AND_ASSIGN(Function predict, std::move(g).Build());
  SEQ_ASSERT_OK(model.AddFunction(std::move(predict)));
  EXPECT_THAT(SerializeOnnx(model), StatusIs(absl::StatusCode::kUnimplemented, "1073741824 steps"));
}

// Graphs in graphs: as deep as the guard lets through, and deeper than is read.
TEST_F(OnnxFuzzTest, BranchesAreReadToALimitedDepth) {
  onnx_proto::ModelProto message;
  message.set_ir_version(8);
  message.add_opset_import()->set_version(17);
  auto& condition = *message.mutable_graph()->add_initializer();
  condition.set_name("c");
  condition.set_data_type(onnx_proto::TensorProto::BOOL);
  condition.add_int32_data(1);
  for (int depth : {1, 8, 40}) {
    onnx_proto::GraphProto* graph = message.mutable_graph();
    graph->clear_node();
    for (int i = 0; i < depth; ++i) {
      auto& node = *graph->add_node();
      node.set_op_type("If");
      node.add_input("c");
      auto& branch = *node.add_attribute();
      branch.set_name("then_branch");
      branch.set_type(onnx_proto::AttributeProto::GRAPH);
      graph = branch.mutable_g();
    }
    Check(message.SerializeAsString());
  }
  EXPECT_EQ(errors_, 3);
}

}  // namespace
}  // namespace seqgraph
