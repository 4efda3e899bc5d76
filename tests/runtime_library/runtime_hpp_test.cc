// The C++ face over the C interface.

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "runtime_library/runtime.hpp"
#include "runtime_library/stream.hpp"
#include "tests/testing.h"

namespace seqgraph::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kDense[] = "tests/runtime_library/models/dense.pb";

TEST(RuntimeHpp, PredictsAndTrains) {
  Model model = Model::Load(kDense);
  EXPECT_THAT(model.functions(), ElementsAre("predict", "evaluate", "train_step"));
  EXPECT_THAT(model.labels(), ElementsAre("cold", "warm"));
  Function train = model.Compile("train_step", {.batch = 2});
  Function predict = model.Compile("predict");
  EXPECT_EQ(predict.inputs()[0].name, "x");
  EXPECT_THAT(predict.inputs()[0].dims, ElementsAre(1, 2));
  const std::vector<float> x = {1, 2, 3, 4};
  std::copy(x.begin(), x.end(), train.input<float>("x").begin());
  train.Run();
  EXPECT_EQ(train.output<float>("loss")[0], 221);
  std::vector<float> kernel(2);
  model.GetVariable("dense/kernel", std::span(kernel));
  EXPECT_THAT(kernel, ElementsAre(-31, -44));
  kernel = {100, 0};
  model.SetVariable("dense/kernel", std::span<const float>(kernel));
  std::copy(x.begin(), x.begin() + 2, predict.input<float>(0).begin());
  Function moved = std::move(predict);
  moved.Run();
  EXPECT_EQ(moved.output<float>(0)[0], 87);
}

TEST(RuntimeHpp, Streams) {
  const StreamModel model =
      StreamModel::Load("tests/runtime_library/models/sum.pb", {.max_batch = 2});
  Stream a = model.NewStream(), b = model.NewStream();
  const std::span<float> x = a.input<float>(0);
  const std::span<const float> y = a.output<float>(0);
  x[0] = 1;
  a.Step();
  x[0] = 2;
  a.Step();
  EXPECT_EQ(y[0], 3);
  b.CopyFrom(a);
  const std::vector<std::byte> saved = a.Save();
  StreamBatch batch = model.NewBatch();
  seqgraph_stream* const both[] = {a.get(), b.get()};
  b.input<float>(0)[0] = 10;
  batch.Step(both);
  EXPECT_EQ(y[0], 5);
  EXPECT_EQ(b.output<float>(0)[0], 13);
  a.Restore(saved);
  a.Step();
  EXPECT_EQ(y[0], 5);
  a.Reset();
  a.Step();
  EXPECT_EQ(y[0], 2);
  EXPECT_THROW(a.Restore(std::span(saved).first(3)), Error);
  EXPECT_THROW(StreamModel::Load("/nowhere.pb"), Error);
}

TEST(RuntimeHpp, ThrowsWhatFails) {
  try {
    Model::Load("/nowhere.pb");
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), SEQGRAPH_NOT_FOUND);
    EXPECT_THAT(error.what(), HasSubstr("/nowhere.pb"));
  }
  Model model = Model::Load(kDense);
  EXPECT_THROW(model.Compile("predikt"), Error);
  Function predict = model.Compile("predict");
  EXPECT_THROW(predict.input<std::int32_t>(0), Error);
  EXPECT_THROW(predict.input<float>("z"), Error);
  EXPECT_THROW(predict.input<float>(1), std::out_of_range);
  std::vector<float> one(1);
  EXPECT_THROW(model.GetVariable("dense/kernel", std::span(one)), Error);
}

}  // namespace
}  // namespace seqgraph::runtime
