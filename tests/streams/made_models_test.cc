// Stacks of all that can be stepped, at sizes that fill no vector, one, and several; and what a
// stream can do besides steps.

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "seqgraph.h"
#include "tests/streams/whole_and_steps.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

constexpr int64_t kTime = 24;

std::vector<std::pair<std::string, Sequential>> Stacks() {
  std::vector<std::pair<std::string, Sequential>> all;
  const auto numbers = [&](const std::string& name, int64_t features) -> Sequential& {
    all.emplace_back(name, Sequential({.time = kTime, .features = features}));
    return all.back().second;
  };
  const auto tokens = [&](const std::string& name) -> Sequential& {
    all.emplace_back(name, Sequential({.time = kTime}));
    return all.back().second;
  };
  all.reserve(64);
  for (const int64_t units : {1, 8, 16, 40, 64, 100}) {
    const std::string n = std::to_string(units);
    numbers("rnn" + n, 3).Add(SimpleRNN(units)).Add(DenseLayer{.units = 2});
    numbers("lstm" + n, 5).Add(LSTM(units)).Add(DenseLayer{.units = 1, .activation = "sigmoid"});
    numbers("gru" + n, 4).Add(GRU(units)).Add(DenseLayer{.units = 3, .activation = "softmax"});
    tokens("embedded_lstm" + n)
        .Add(EmbeddingLayer{.input_dim = 50, .output_dim = 7})
        .Add(LSTM(units, {.return_sequences = true}))
        .Add(DenseLayer{.units = 4, .activation = "softmax"});
    tokens("masked_gru" + n)
        .Add(EmbeddingLayer{.input_dim = 9, .output_dim = 6, .mask_zero = true})
        .Add(GRU(units, {.return_sequences = true}))
        .Add(LSTM(3))
        .Add(DenseLayer{.units = 2});
    tokens("embedded_rnn" + n)
        .Add(EmbeddingLayer{.input_dim = 50, .output_dim = 16})
        .Add(SimpleRNN(units))
        .Add(DenseLayer{.units = 1, .activation = "sigmoid"});
  }
  for (const int64_t dilation : {1, 2, 5}) {
    numbers("convolved" + std::to_string(dilation), 3)
        .Add(Conv1DLayer{.filters = 6,
                         .kernel_size = 3,
                         .padding = "causal",
                         .dilation_rate = dilation,
                         .activation = "relu"})
        .Add(LSTM(10, {.return_sequences = true}))
        .Add(Conv1DLayer{.filters = 2, .kernel_size = 2, .padding = "causal"});
  }
  numbers("strided", 2)
      .Add(Conv1DLayer{.filters = 5, .kernel_size = 4, .strides = 2, .padding = "causal"})
      .Add(MaxPooling1DLayer{{.pool_size = 3}})
      .Add(GRU(9))
      .Add(DenseLayer{.units = 1});
  for (const int64_t stride : {1, 2, 3}) {
    for (const int64_t width : {1, 2, 3, 6}) {
      numbers("valid" + std::to_string(width) + "/" + std::to_string(stride), 2)
          .Add(Conv1DLayer{.filters = 4, .kernel_size = width, .strides = stride})
          .Add(Conv1DLayer{.filters = 3, .kernel_size = 2, .activation = "tanh"})
          .Add(GRU(5, {.return_sequences = true}))
          .Add(MaxPooling1DLayer{{.pool_size = 2, .strides = 1}})
          .Add(LSTM(4))
          .Add(DenseLayer{.units = 1});
    }
  }
  numbers("cropped", 3)
      .Add(Cropping1DLayer{.before = 2, .after = 3})
      .Add(SimpleRNN(6, {.return_sequences = true}));
  numbers("two_lstm", 8)
      .Add(LSTM(32, {.return_sequences = true}))
      .Add(LayerNormalizationLayer{})
      .Add(LSTM(32))
      .Add(DenseLayer{.units = 1});
  return all;
}

TEST(MadeModels, GoStepByStepAsOnWholeSequences) {
  for (const auto& [name, stack] : Stacks()) {
    SCOPED_TRACE(name);
    SEQ_ASSERT_OK_AND_ASSIGN(Model model, stack.Build({.loss = MeanSquaredError()}));
    SEQ_ASSERT_OK_AND_ASSIGN(Model copy, CopyOf(model));
    SEQ_ASSERT_OK_AND_ASSIGN(const auto stream, StreamModel::Create(std::move(copy)));
    EXPECT_TRUE(stream->nodes_by_definition().empty())
        << absl::StrJoin(stream->nodes_by_definition(), ", ");
    for (uint64_t seed = 1; seed <= 3; ++seed) {
      const TensorMap row = RandomRow(model, seed);
      SEQ_ASSERT_OK_AND_ASSIGN(const TensorMap whole, RunWhole(model, row));
      SEQ_EXPECT_OK(CompareSteps(*stream, row, whole)) << "seed " << seed;
    }
  }
}

absl::StatusOr<std::shared_ptr<const StreamModel>> LstmStream(StreamOptions options,
                                                              int64_t units = 12) {
  Sequential stack({.time = kTime, .features = 2});
  stack.Add(LSTM(units, {.return_sequences = true})).Add(DenseLayer{.units = 3});
  SEQ_ASSIGN_OR_RETURN(Model model, stack.Build({.loss = MeanSquaredError()}));
  return StreamModel::Create(std::move(model), options);
}

std::vector<float> StepWith(Stream& stream, float a, float b) {
  stream.input<float>(0)[0] = a;
  stream.input<float>(0)[1] = b;
  EXPECT_TRUE(stream.Step().ok());
  return {stream.result<float>(0), stream.result<float>(0) + 3};
}

// For each step the whole function of the sequence that ends `ahead` steps later.
TEST(MadeModels, LookAheadWhereTheyGoBackwards) {
  constexpr int64_t kAhead = 3;
  Sequential stack({.time = kAhead + 1, .features = 2});
  stack.Add(Bidirectional(LSTM(5, {.return_sequences = true})));
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, stack.Build({.loss = MeanSquaredError()}));
  SEQ_ASSERT_OK_AND_ASSIGN(Model copy, CopyOf(model));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto streams,
                           StreamModel::Create(std::move(copy), {.lookahead = kAhead}));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto stream, streams->NewStream());
  EXPECT_EQ(streams->results()[0].delay, kAhead);
  const std::string input = streams->inputs()[0].name, result = streams->results()[0].name;
  std::vector<float> x;
  for (int t = 0; t < 20; ++t) {
    for (int i = 0; i < 2; ++i) {
      x.push_back(static_cast<float>((t * 5 + i * 3) % 11) / 4 - 1);
      stream->input<float>(0)[i] = x.back();
    }
    SEQ_ASSERT_OK(stream->Step());
    if (t < kAhead) continue;
    // The last kAhead + 1 steps: of the backward cell's outputs for the first of them.
    Tensor window = *Tensor::Zeros({DType::kFloat32, {1, kAhead + 1, 2}});
    std::copy(x.end() - 2 * (kAhead + 1), x.end(), window.Elements<float>().begin());
    SEQ_ASSERT_OK_AND_ASSIGN(const TensorMap whole, RunWhole(model, {{input, window}}));
    const absl::Span<const float> expected = whole.at(result).Elements<float>();
    for (int unit = 5; unit < 10; ++unit) {
      EXPECT_EQ(stream->result<float>(0)[unit], expected[unit]) << t << ", " << unit;
    }
    // The forward cell has seen all steps up to that one.
    if (t != kAhead) continue;
    for (int unit = 0; unit < 5; ++unit) {
      EXPECT_EQ(stream->result<float>(0)[unit], expected[unit]) << unit;
    }
  }
}

TEST(Stream, GoesOnFromSavedAndCopiedStates) {
  SEQ_ASSERT_OK_AND_ASSIGN(const auto model, LstmStream({}));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto a, model->NewStream());
  SEQ_ASSERT_OK_AND_ASSIGN(const auto b, model->NewStream());
  SEQ_ASSERT_OK_AND_ASSIGN(const auto c, model->NewStream());
  const std::vector<float> first = StepWith(*a, 1, -1);
  StepWith(*a, 0.5, 0.25);
  const std::string saved = a->Save();
  SEQ_ASSERT_OK(b->Restore(saved));
  SEQ_ASSERT_OK(c->CopyFrom(*a));
  const std::vector<float> next = StepWith(*a, 2, 0);
  EXPECT_EQ(StepWith(*b, 2, 0), next);
  EXPECT_EQ(StepWith(*c, 2, 0), next);
  EXPECT_NE(next, first);
  a->Reset();
  EXPECT_EQ(StepWith(*a, 1, -1), first);
}

TEST(Stream, RefusesStatesThatAreNotItsOwn) {
  SEQ_ASSERT_OK_AND_ASSIGN(const auto model, LstmStream({}));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto other, LstmStream({}, /*units=*/13));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto stream, model->NewStream());
  SEQ_ASSERT_OK_AND_ASSIGN(const auto of_other, other->NewStream());
  StepWith(*stream, 1, 2);
  const std::string saved = stream->Save();
  EXPECT_THAT(stream->Restore(of_other->Save()),
              StatusIs(absl::StatusCode::kInvalidArgument, "of another model"));
  EXPECT_THAT(stream->Restore(""), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(stream->CopyFrom(*of_other), StatusIs(absl::StatusCode::kInvalidArgument));
  // Every flipped bit and every cut is noticed, and changes nothing.
  for (size_t i = 0; i < saved.size(); ++i) {
    std::string bytes = saved;
    bytes[i] = static_cast<char>(bytes[i] ^ (1 << (i % 8)));
    EXPECT_FALSE(stream->Restore(bytes).ok()) << i;
    EXPECT_FALSE(stream->Restore(saved.substr(0, i)).ok()) << i;
  }
  EXPECT_EQ(stream->Save(), saved);
}

TEST(Stream, TakesBlocksAsSingleSteps) {
  for (const int64_t block : {1, 4, 7, 24}) {
    SCOPED_TRACE(block);
    SEQ_ASSERT_OK_AND_ASSIGN(const auto model, LstmStream({.block = block}));
    EXPECT_EQ(model->block(), block);
    SEQ_ASSERT_OK_AND_ASSIGN(const auto one, model->NewStream());
    SEQ_ASSERT_OK_AND_ASSIGN(const auto many, model->NewStream());
    constexpr int kSteps = 61;
    std::vector<float> x(2 * kSteps), y(3 * kSteps), expected;
    for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 13) / 7 - 1;
    for (int t = 0; t < kSteps; ++t) {
      for (const float value : StepWith(*one, x[2 * t], x[2 * t + 1])) expected.push_back(value);
    }
    int64_t done = 0;
    SEQ_ASSERT_OK(many->StepBlock(kSteps, {x.data()}, {y.data()}, &done));
    EXPECT_EQ(done, kSteps);
    EXPECT_EQ(y, expected);
    EXPECT_EQ(one->Save(), many->Save());
  }
}

TEST(StreamBatch, StepsEachStreamAsAlone) {
  constexpr int kStreams = 23;
  SEQ_ASSERT_OK_AND_ASSIGN(const auto model, LstmStream({.max_batch = 16}));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto batch, model->NewBatch());
  std::vector<std::unique_ptr<Stream>> alone, together;
  for (int s = 0; s < kStreams; ++s) {
    alone.push_back(*model->NewStream());
    together.push_back(*model->NewStream());
  }
  for (int t = 0; t < 40; ++t) {
    // Some of them, others each time.
    std::vector<Stream*> some;
    std::vector<std::vector<float>> expected;
    for (int s = 0; s < kStreams; ++s) {
      if ((s * 7 + t * 5) % (t % 4 + 1) != 0) continue;
      const float a = static_cast<float>(s - t) / 8, b = static_cast<float>(t % 5);
      expected.push_back(StepWith(*alone[s], a, b));
      together[s]->input<float>(0)[0] = a;
      together[s]->input<float>(0)[1] = b;
      some.push_back(together[s].get());
    }
    SEQ_ASSERT_OK(batch->Step(some));
    for (size_t i = 0; i < some.size(); ++i) {
      const float* y = some[i]->result<float>(0);
      EXPECT_EQ(std::vector<float>(y, y + 3), expected[i]) << "step " << t << ", stream " << i;
    }
  }
  for (int s = 0; s < kStreams; ++s) EXPECT_EQ(alone[s]->Save(), together[s]->Save()) << s;
}

TEST(Stream, LeavesStatesWhereATokenIsUnknown) {
  Sequential stack({.time = kTime});
  stack.Add(EmbeddingLayer{.input_dim = 5, .output_dim = 3})
      .Add(GRU(4))
      .Add(DenseLayer{.units = 1});
  SEQ_ASSERT_OK_AND_ASSIGN(Model made, stack.Build({.loss = MeanSquaredError()}));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto model,
                           StreamModel::Create(std::move(made), {.max_batch = 2}));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto stream, model->NewStream());
  SEQ_ASSERT_OK_AND_ASSIGN(const auto other, model->NewStream());
  stream->input<int32_t>(0)[0] = 4;
  SEQ_ASSERT_OK(stream->Step());
  const std::string before = stream->Save();
  stream->input<int32_t>(0)[0] = 5;
  EXPECT_THAT(stream->Step(), StatusIs(absl::StatusCode::kInvalidArgument, "5"));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto batch, model->NewBatch());
  EXPECT_THAT(batch->Step({stream.get(), other.get()}),
              StatusIs(absl::StatusCode::kInvalidArgument, "streams 0 to 1"));
  EXPECT_EQ(stream->Save(), before);
  stream->input<int32_t>(0)[0] = 1;
  SEQ_EXPECT_OK(batch->Step({stream.get(), other.get()}));
}

TEST(Stream, RunsOnAsManyThreadsAsOneLikes) {
  SEQ_ASSERT_OK_AND_ASSIGN(const auto model, LstmStream({.max_batch = 4}));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto alone, model->NewStream());
  std::vector<std::vector<float>> expected;
  for (int t = 0; t < 200; ++t) expected.push_back(StepWith(*alone, static_cast<float>(t % 9), 1));
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&] {
      const auto stream = *model->NewStream();
      for (int t = 0; t < 200; ++t) {
        EXPECT_EQ(StepWith(*stream, static_cast<float>(t % 9), 1), expected[t]);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// A function of one step, as exporters write it: a running sum, and a line of delays in which each
// state is the one before it, told in an order that a copy one after the other would spoil.
TEST(Stream, RunsFunctionsThatWereMadeForOneStep) {
  FunctionBuilder g("predict", AllOps());
  const TensorType one{DType::kFloat32, {Dim::Batch(), 1}};
  const Value x = g.Input("x", one), sum = g.Input("sum", one);
  const Value a = g.Input("a", one), b = g.Input("b", one);
  g.Result("y", ops::Add(g, x, b));
  g.Result("next_sum", ops::Add(g, sum, x));
  g.Result("next_a", x);
  g.Result("next_b", a);
  g.Result("told", sum);
  Model made;
  SEQ_ASSERT_OK_AND_ASSIGN(Function predict, std::move(g).Build());
  SEQ_ASSERT_OK(made.AddFunction(std::move(predict)));
  SEQ_ASSERT_OK_AND_ASSIGN(
      const auto model,
      StreamModel::Create(
          std::move(made),
          {.max_batch = 2, .states = {{"sum", "next_sum"}, {"a", "next_a"}, {"b", "next_b"}}}));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto stream, model->NewStream());
  SEQ_ASSERT_OK_AND_ASSIGN(const auto other, model->NewStream());
  SEQ_ASSERT_OK_AND_ASSIGN(const auto batch, model->NewBatch());
  const int y = model->FindResult("y"), told = model->FindResult("told");
  ASSERT_GE(y, 0);
  ASSERT_GE(told, 0);
  const float inputs[] = {1, 10, 100, 1000, 10000};
  // x_t + x_{t-2}, and the sum of those before.
  const float expected_y[] = {1, 10, 101, 1010, 10100}, expected_sum[] = {0, 1, 11, 111, 1111};
  for (int t = 0; t < 5; ++t) {
    stream->input<float>(0)[0] = other->input<float>(0)[0] = inputs[t];
    if (t % 2 == 0) {
      SEQ_ASSERT_OK(batch->Step({stream.get(), other.get()}));
    } else {
      SEQ_ASSERT_OK(stream->Step());
      SEQ_ASSERT_OK(other->Step());
    }
    for (const Stream* each : {stream.get(), other.get()}) {
      EXPECT_EQ(each->result<float>(y)[0], expected_y[t]) << t;
      EXPECT_EQ(each->result<float>(told)[0], expected_sum[t]) << t;
    }
  }
}

TEST(StreamModel, NamesWhatCannotGoStepByStep) {
  Sequential both({.time = kTime, .features = 2});
  both.Add(Bidirectional(LSTM(4))).Add(DenseLayer{.units = 1});
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, both.Build({.loss = MeanSquaredError()}));
  EXPECT_THAT(StreamModel::Create(std::move(model)),
              StatusIs(absl::StatusCode::kUnimplemented, "backward_lstm"));
  Sequential pooled({.time = kTime, .features = 2});
  pooled.Add(LSTM(4, {.return_sequences = true})).Add(GlobalMaxPooling1DLayer{});
  pooled.Add(DenseLayer{.units = 1});
  SEQ_ASSERT_OK_AND_ASSIGN(model, pooled.Build({.loss = MeanSquaredError()}));
  EXPECT_THAT(StreamModel::Create(std::move(model)),
              StatusIs(absl::StatusCode::kUnimplemented, "GlobalMaxPooling1D"));
  SEQ_ASSERT_OK_AND_ASSIGN(model, pooled.Build({.loss = MeanSquaredError()}));
  EXPECT_THAT(StreamModel::Create(std::move(model), {.function = "prophesy"}),
              StatusIs(absl::StatusCode::kNotFound, "predict"));
  SEQ_ASSERT_OK_AND_ASSIGN(model, pooled.Build({.loss = MeanSquaredError()}));
  EXPECT_THAT(StreamModel::Create(std::move(model), {.function = "train_step"}),
              StatusIs(absl::StatusCode::kUnimplemented));
  for (const StreamOptions& wrong :
       {StreamOptions{.max_batch = 0}, StreamOptions{.max_batch = 65}, StreamOptions{.block = 0},
        StreamOptions{.time_axes = {{"x", 7}}}, StreamOptions{.time_axes = {{"none", 1}}}}) {
    EXPECT_THAT(LstmStream(wrong), StatusIs(absl::StatusCode::kInvalidArgument));
  }
  EXPECT_THAT(LstmStream({.states = {{"none", "x"}}}), StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace seqgraph
