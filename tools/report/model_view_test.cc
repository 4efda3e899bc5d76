#include "tools/report/model_view.h"

#include <memory>

#include "backends/all_backends.h"
#include "graph/function_builder.h"
#include "ops/all_ops.h"
#include "tests/testing.h"

namespace seqgraph::tools {
namespace {

using ::testing::HasSubstr;

struct TwoNodes {
  TwoNodes() {
    FunctionBuilder g("f", AllOps());
    const Value x = g.Input("x", {DType::kFloat32, {Dim::Batch(), 16}});
    const Value a = g.AddNode("Tanh", {x}, {}, "layer/squash")[0];
    g.Result("y", g.AddNode("Exp", {a}, {}, "layer/grow")[0]);
    const Function function = std::move(g).Build().value();
    compiled = CompiledFunction::Compile(
                   function, AllOps(), &store,
                   {.backends = AllBackends().ParseList("reference").value(), .batch = 2})
                   .value();
  }
  VariableStore store;
  std::unique_ptr<CompiledFunction> compiled;
};

TEST(StepProfileTest, SpansLieWithinTheirParents) {
  TwoNodes f;
  Profile profile({.warm_up = 1, .calls = 3});
  const int number = profile.AddFunction(*f.compiled);
  for (int i = 0; i < 6; ++i) SEQ_ASSERT_OK(profile.Run(number, *f.compiled));
  const StepProfile times = StepProfileOf(profile, "f");
  EXPECT_EQ(times.calls, 3);
  EXPECT_EQ(times.batch, 2);
  ASSERT_EQ(times.spans.size(), 4u);
  EXPECT_EQ(times.spans[0].share, 1);
  EXPECT_EQ(times.spans[1].name, "layer");
  EXPECT_EQ(times.spans[2].name, "squash");
  EXPECT_THAT(times.spans[2].detail, HasSubstr("layer/squash (Tanh, reference: "));
  EXPECT_EQ(times.spans[3].depth, 2);
  EXPECT_LE(times.spans[1].share, 1);
  EXPECT_NEAR(times.spans[2].share + times.spans[3].share, times.spans[1].share, 1e-9);
  EXPECT_NEAR(times.spans[3].begin, times.spans[2].share, 1e-9);
  double shares = 0;
  for (const OpTime& op : times.ops) shares += op.share;
  EXPECT_NEAR(shares, 1, 1e-9);
  EXPECT_TRUE(StepProfileOf(profile, "g").spans.empty());
}

// x, tanh x and exp tanh x, 2 x 16 floats each; an output may lie in the memory of an input that
// nobody needs any more, but for those of the function.
TEST(MemoryPictureTest, HasTheBuffersOfTheArena) {
  TwoNodes f;
  const MemoryPicture picture = MemoryPictureOf(*f.compiled);
  EXPECT_EQ(picture.function, "f");
  EXPECT_EQ(picture.batch, 2);
  EXPECT_EQ(picture.nodes, 2);
  EXPECT_TRUE(picture.exact);
  EXPECT_EQ(picture.arena, f.compiled->memory().values);
  ASSERT_FALSE(picture.buffers.empty());
  EXPECT_EQ(picture.buffers[0].name, "x");
  int64_t end = 0;
  for (const MemoryPicture::Buffer& buffer : picture.buffers) {
    EXPECT_EQ(buffer.bytes, 128);
    EXPECT_GE(buffer.first, -1);
    EXPECT_LE(buffer.last, 2);
    end = std::max(end, buffer.offset + buffer.bytes);
  }
  EXPECT_EQ(end, picture.arena);
}

}  // namespace
}  // namespace seqgraph::tools
