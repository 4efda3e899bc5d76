#include "training/tensorboard/graph_def.h"

#include <map>
#include <string>
#include <vector>

#include "graph/function_builder.h"
#include "ops/all_ops.h"
#include "tests/testing.h"
#include "training/tensorboard/event.pb.h"

namespace seqgraph {
namespace {

using ::testing::ElementsAre;

struct NodeOf {
  std::string op;
  std::vector<std::string> inputs;
  std::map<std::string, tensorboard::AttributeValue> attributes;
};

std::map<std::string, NodeOf> Parsed(const Function& function) {
  tensorboard::GraphDef graph;
  EXPECT_TRUE(graph.ParseFromString(FunctionToGraphDef(function)));
  std::map<std::string, NodeOf> nodes;
  for (const tensorboard::NodeDef& node : graph.node()) {
    NodeOf& made = nodes[node.name()];
    EXPECT_EQ(made.op, "") << "twice " << node.name();
    made = {node.op(), {node.input().begin(), node.input().end()}, {}};
    for (const auto& attribute : node.attr()) made.attributes[attribute.key()] = attribute.value();
  }
  return nodes;
}

TEST(GraphDefTest, NodesInputsShapesAndEnds) {
  FunctionBuilder g("f", AllOps());
  const Value x = g.Input("x", {DType::kFloat32, {Dim::Batch(), 3}});
  const Value w = g.Variable("dense/kernel", {3, 4}, {});
  const Value z = g.AddNode("Dense", {x, w, Value()}, {}, "dense/product")[0];
  const Value y = g.AddNode("Softmax", {z}, {}, "softmax")[0];
  g.Result("y", y);
  SEQ_ASSERT_OK_AND_ASSIGN(const Function function, std::move(g).Build());
  std::map<std::string, NodeOf> nodes = Parsed(function);
  ASSERT_EQ(nodes.size(), 5u);
  EXPECT_EQ(nodes["x"].op, "Placeholder");
  EXPECT_EQ(nodes["dense/kernel"].op, "VariableV2");
  EXPECT_EQ(nodes["dense/product"].op, "Dense");
  EXPECT_THAT(nodes["dense/product"].inputs, ElementsAre("x", "dense/kernel"));
  EXPECT_THAT(nodes["softmax"].inputs, ElementsAre("dense/product"));
  EXPECT_THAT(nodes["result/y"].inputs, ElementsAre("softmax"));
  const auto& shapes = nodes["softmax"].attributes["_output_shapes"].list().shape();
  ASSERT_EQ(shapes.size(), 1);
  EXPECT_EQ(shapes[0].dim(0).size(), -1);
  EXPECT_EQ(shapes[0].dim(1).size(), 4);
}

TEST(GraphDefTest, NamesAreThoseThatTensorFlowAllows) {
  FunctionBuilder g("f", AllOps());
  const Value x = g.Input("/a b:^\xFF", {DType::kFloat32, {2}});
  const Value y = g.AddNode("Tanh", {x}, {}, "na_b___")[0];
  g.Result("y", y);
  SEQ_ASSERT_OK_AND_ASSIGN(const Function function, std::move(g).Build());
  std::map<std::string, NodeOf> nodes = Parsed(function);
  EXPECT_EQ(nodes.count("n_a_b___"), 1u);
  EXPECT_EQ(nodes.count("na_b___"), 1u);
  EXPECT_THAT(nodes["na_b___"].inputs, ElementsAre("n_a_b___"));
}

}  // namespace
}  // namespace seqgraph
