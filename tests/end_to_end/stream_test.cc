// `seqgraph stream` from outside: lines, sound, states, refusals, signals. The models add up what
// they get, so that each number is known by hand.

#include <fcntl.h>
#include <signal.h>
#include <sndfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "data/testing/test_util.h"
#include "seqgraph.h"
#include "tests/end_to_end/process.h"
#include "tests/end_to_end/review_files.h"
#include "tests/end_to_end/sound_files.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int64_t kTime = 8;

RecurrentLayer Sum() { return SimpleRNN(1, {.activation = "linear", .return_sequences = true}); }

class StreamTest : public ::testing::Test {
 protected:
  std::string Path(const std::string& name) const { return folder_ + "/" + name; }
  void Write(const std::string& name, const std::string& bytes) const {
    data::WriteFileOrDie(Path(name), bytes);
  }
  std::string ReadBack(const std::string& name) const { return data::ReadFileOrDie(Path(name)); }

  // With these weights instead of those it begins with; others are 1.
  void Save(const LayerCollection& layers, const std::string& name,
            const std::vector<std::pair<std::string, std::vector<float>>>& weights = {}) const {
    SEQ_ASSERT_OK_AND_ASSIGN(Model model, layers.Build({.trainable = false}));
    std::vector<std::pair<std::string, Tensor>> all;
    for (const Variable& variable : model.variables.all()) {
      if (absl::StrContains(variable.def.name, "bias")) continue;
      Tensor value = variable.value;
      absl::Span<float> elements = value.Elements<float>();
      std::fill(elements.begin(), elements.end(), 1.0f);
      for (const auto& [weight, numbers] : weights) {
        if (weight == variable.def.name)
          std::copy(numbers.begin(), numbers.end(), elements.begin());
      }
      all.emplace_back(variable.def.name, value);
    }
    for (auto& [weight, value] : all) SEQ_ASSERT_OK(model.variables.Assign(weight, value));
    SEQ_ASSERT_OK(SaveModel(model, Path(name)));
  }
  // y_t = x_0 + ... + x_t.
  void SaveSum() const {
    Sequential stack({.name = "x", .time = kTime, .features = 1}, "sum");
    stack.Add(Sum());
    Save(stack, "sum.pb");
  }
  ProcessResult Stream(std::vector<std::string> arguments, const std::string& input = "") const {
    arguments.insert(arguments.begin(), "stream");
    return RunSeqgraph(arguments, {.folder = folder_}, input);
  }
  std::string Succeeds(const std::vector<std::string>& arguments,
                       const std::string& input = "") const {
    const ProcessResult result = Stream(arguments, input);
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(result.err, "");
    return result.out;
  }
  // What it says; what came before the fault has been answered.
  std::string Refused(const std::vector<std::string>& arguments, const std::string& input = "",
                      const std::string& answered = "") const {
    const ProcessResult result = Stream(arguments, input);
    EXPECT_EQ(result.status, 1) << result.out << result.err;
    EXPECT_EQ(result.out, answered);
    return result.err;
  }

  const std::string folder_ = MakeTempDir();
};

TEST_F(StreamTest, AnswersALineAStep) {
  SaveSum();
  EXPECT_EQ(Succeeds({"sum.pb"}, "1\n2\n0.5\n"), "1\n3\n3.5\n");
  // Columns may have names, and files come from Windows.
  EXPECT_EQ(Succeeds({"sum.pb"}, "x\r\n1\r\n-2\r\n"), "1\n-1\n");
  // The input may end within a line, or at once.
  EXPECT_EQ(Succeeds({"sum.pb"}, "1\n2"), "1\n3\n");
  EXPECT_EQ(Succeeds({"sum.pb"}, ""), "");
  // Behind an empty line a new sequence begins.
  EXPECT_EQ(Succeeds({"sum.pb"}, "1\n2\n\n \n5\n\n"), "1\n3\n5\n");
  // More digits than a float32 has, and all that it has.
  EXPECT_EQ(Succeeds({"sum.pb"}, "0.1000000000000000000001\n"), "0.100000001\n");
  // Files in, files out.
  Write("steps.csv", "x\n1\n2\n");
  EXPECT_EQ(Succeeds({"sum.pb", "--input=steps.csv", "--output=sums.csv"}), "");
  EXPECT_EQ(ReadBack("sums.csv"), "1\n3\n");
}

TEST_F(StreamTest, AnswersAtOnce) {
  SaveSum();
  Process stream({"stream", "sum.pb"}, {.folder = folder_});
  for (const auto& [line, answer] : {std::pair("1\n", "1\n"), std::pair("2\n", "3\n")}) {
    const size_t from = stream.out().size();
    stream.Send(line);
    ASSERT_TRUE(stream.WaitForOutput(answer, from)) << stream.out() << stream.err();
  }
  stream.CloseInput();
  EXPECT_EQ(stream.Wait(), 0);
}

TEST_F(StreamTest, TakesSeveralInputsAndGivesSeveralResults) {
  Functional graph;
  const LayerValue a = graph.Input({.name = "a", .time = kTime, .features = 2});
  const LayerValue b = graph.Input({.name = "b", .time = kTime, .features = 1});
  const LayerValue both = graph.Add(ConcatenateLayer{}, {a, b});
  const LayerValue sum = graph.Add(Sum(), {both}, {.name = "sum"});
  graph.Outputs({sum, graph.Add(DenseLayer{.units = 2}, {sum}, {.name = "scaled"})});
  Save(graph, "two.pb", {{"sum/kernel", {1, 10, 100}}, {"scaled/kernel", {2, -1}}});
  // a b with each kind of separator: 1 + 20 + 300.
  EXPECT_EQ(Succeeds({"two.pb"}, "1,2,3\n0;0;1\n1\t0 0\n"),
            "321,642,-321\n421,842,-421\n422,844,-422\n");
  EXPECT_THAT(Refused({"two.pb"}, "1,2,3\n1,2\n", "321,642,-321\n"),
              AllOf(HasSubstr("standard input: line 2: a line is 3 numbers (a float32[1, 1, 2], "
                              "b float32[1, 1, 1]), got 2")));
}

TEST_F(StreamTest, TakesTokens) {
  Sequential stack({.name = "tokens", .time = kTime}, "token_sum");
  stack.Add(EmbeddingLayer{.input_dim = 3, .output_dim = 1}).Add(Sum());
  Save(stack, "tokens.pb", {{"embedding/embeddings", {1, 10, 100}}});
  EXPECT_EQ(Succeeds({"tokens.pb"}, "2\n0\n1\n"), "100\n101\n111\n");
  EXPECT_THAT(Refused({"tokens.pb"}, "0\n3\n", "1\n"),
              AllOf(HasSubstr("line 2"), HasSubstr("is 3")));
  EXPECT_THAT(Refused({"tokens.pb"}, "0\n-1\n", "1\n"), HasSubstr("line 2"));
  EXPECT_THAT(Refused({"tokens.pb"}, "0\n1.5\n", "1\n"), HasSubstr("line 2: '1.5' is no int32"));
  EXPECT_THAT(Refused({"tokens.pb"}, "0\n99999999999\n", "1\n"), HasSubstr("line 2"));
  Write("a.wav", WavBytes({0.5}));
  EXPECT_THAT(
      Refused({"tokens.pb", "--input=a.wav"}),
      AllOf(HasSubstr("tokens.pb: the model takes tokens int32[1, 1]"), HasSubstr("sound needs")));
}

TEST_F(StreamTest, NamesBadLines) {
  SaveSum();
  EXPECT_THAT(Refused({"sum.pb"}, "1\ntwo\n3\n", "1\n"),
              HasSubstr("standard input: line 2: 'two' is no float32"));
  EXPECT_THAT(Refused({"sum.pb"}, "1\n\n2 3\n", "1\n"),
              HasSubstr("line 3: a line is 1 number (x float32[1, 1, 1]), got 2"));
  Write("steps.csv", "x\n1\nx\n");
  Write("sums.csv", "before");
  EXPECT_THAT(Refused({"sum.pb", "--input=steps.csv", "--output=sums.csv"}),
              HasSubstr("steps.csv: line 3: 'x' is no float32"));
  EXPECT_EQ(ReadBack("sums.csv"), "before");
  EXPECT_THAT(Refused({"sum.pb", "--input=nowhere.csv"}), HasSubstr("nowhere.csv"));
  EXPECT_THAT(Refused({"sum.pb", "--output=sums.wav"}), HasSubstr("answers to lines are lines"));
  EXPECT_THAT(Refused({"sum.pb", "--realtime"}), HasSubstr("--realtime needs --rate"));
  EXPECT_EQ(Stream({"sum.pb", "--block=0"}).status, 2);
}

// What float64 says of h_t = tanh(0.5 x_t - 0.75 h_(t-1) + 0.25).
TEST_F(StreamTest, StaysCloseToFloat64) {
  Sequential stack({.name = "x", .time = kTime, .features = 1}, "tanh");
  stack.Add(SimpleRNN(1, {.return_sequences = true})).Add(DenseLayer{.units = 1});
  Save(stack, "tanh.pb",
       {{"simple_rnn/kernel", {0.5}},
        {"simple_rnn/recurrent_kernel", {-0.75}},
        {"dense/kernel", {4}}});
  std::string input;
  std::vector<double> expected;
  double h = 0;
  for (int t = 0; t < 500; ++t) {
    const double x = (t * 37 % 64) / 16.0 - 2;
    absl::StrAppend(&input, x, "\n");
    h = std::tanh(0.5 * x - 0.75 * h);
    expected.push_back(4 * h);
  }
  const std::vector<std::string> lines =
      absl::StrSplit(Succeeds({"tanh.pb"}, input), '\n', absl::SkipEmpty());
  ASSERT_EQ(lines.size(), expected.size());
  for (size_t t = 0; t < lines.size(); ++t) {
    double y = 0;
    ASSERT_TRUE(absl::SimpleAtod(lines[t], &y)) << lines[t];
    EXPECT_NEAR(y, expected[t], 2e-6) << t;
  }
}

constexpr double kSamples[] = {0.5, -0.25, 0.125, -1, 0.75, 0.0625, -0.5};
constexpr char kSums[] = "0.5\n0.25\n0.375\n-0.625\n0.125\n0.1875\n-0.3125\n";

TEST_F(StreamTest, HearsSoundOfAllKinds) {
  SaveSum();
  const std::vector<double> samples(std::begin(kSamples), std::end(kSamples));
  for (const WavFormat& format :
       {WavFormat{1, 16}, WavFormat{1, 24}, WavFormat{1, 32}, WavFormat{3, 32}}) {
    SCOPED_TRACE(absl::StrCat(format.format, "/", format.bits));
    Write("a.wav", WavBytes(samples, format));
    for (const char* block : {"1", "3", "64", "65536"}) {
      EXPECT_EQ(Succeeds({"sum.pb", "--input=a.wav", absl::StrCat("--block=", block)}), kSums);
    }
  }
  SF_INFO info{};
  info.samplerate = 8000;
  info.channels = 1;
  info.format = SF_FORMAT_FLAC | SF_FORMAT_PCM_16;
  SNDFILE* const flac = sf_open(Path("a.flac").c_str(), SFM_WRITE, &info);
  ASSERT_NE(flac, nullptr) << sf_strerror(nullptr);
  for (const double sample : samples) {
    const auto scaled = static_cast<int16_t>(sample * 32768);
    EXPECT_EQ(sf_write_short(flac, &scaled, 1), 1);
  }
  sf_close(flac);
  EXPECT_EQ(Succeeds({"sum.pb", "--input=a.flac"}), kSums);
}

TEST_F(StreamTest, MakesSoundOfSound) {
  SaveSum();
  // Each channel for itself.
  Write("two.wav", WavBytes({0.5, 1, -0.25, 0.5, 0.125, 0},
                            {.format = 3, .bits = 32, .channels = 2, .rate = 44100}));
  EXPECT_EQ(Succeeds({"sum.pb", "--input=two.wav"}), "0.5,1\n0.25,1.5\n0.375,1.5\n");
  EXPECT_EQ(Succeeds({"sum.pb", "--input=two.wav", "--output=sums.wav", "--block=2"}), "");
  const WavFloats sums = ReadWavFloats(ReadBack("sums.wav"));
  EXPECT_TRUE(sums.whole);
  EXPECT_EQ(sums.channels, 2);
  EXPECT_EQ(sums.rate, 44100u);
  EXPECT_THAT(sums.samples, ElementsAre(0.5, 1, 0.25, 1.5, 0.375, 1.5));
  // And so it can be heard again.
  EXPECT_EQ(Succeeds({"sum.pb", "--input=sums.wav"}), "0.5,1\n0.75,2.5\n1.125,4\n");
}

TEST_F(StreamTest, FillsUpTheLastStepOfSound) {
  // A step is a frame of 4 samples: 1 x + 10 x' + 100 x'' + 1000 x'''.
  Sequential stack({.name = "x", .time = kTime, .features = 4}, "frames");
  stack.Add(Sum());
  Save(stack, "frames.pb", {{"simple_rnn/kernel", {1, 10, 100, 1000}}});
  Write("a.wav", WavBytes({0.5, 0.5, 0.5, 0.5, 0.25, 0.25}));
  for (const char* block : {"1", "2", "9"}) {
    EXPECT_EQ(Succeeds({"frames.pb", "--input=a.wav", absl::StrCat("--block=", block)}),
              "555.5\n558.25\n");
  }
  EXPECT_THAT(Refused({"frames.pb", "--input=a.wav", "--output=b.wav"}),
              HasSubstr("--output=b.wav: 1 numbers for 4 frames are no sound"));
}

TEST_F(StreamTest, TakesWhatIsThereOfSoundThatWasCutOff) {
  SaveSum();
  const std::vector<double> samples(std::begin(kSamples), std::end(kSamples));
  const std::string wav = WavBytes(samples);
  Write("a.wav", wav.substr(0, wav.size() - 5));  // two samples and a half are missing
  const ProcessResult cut = Stream({"sum.pb", "--input=a.wav", "--output=b.wav"});
  EXPECT_EQ(cut.status, 0) << cut.err;
  const WavFloats sums = ReadWavFloats(ReadBack("b.wav"));
  EXPECT_TRUE(sums.whole);
  EXPECT_THAT(sums.samples, ElementsAre(0.5, 0.25, 0.375, -0.625));
  Write("a.wav", wav.substr(0, 20));
  EXPECT_THAT(Refused({"sum.pb", "--input=a.wav"}), HasSubstr("a.wav: "));
}

TEST_F(StreamTest, StatesGoOnInAnotherProcess) {
  Sequential stack({.name = "x", .time = kTime, .features = 1}, "lstm");
  stack.Add(LSTM(6, {.return_sequences = true}))
      .Add(Conv1DLayer{.filters = 2, .kernel_size = 3, .padding = "causal"})
      .Add(GRU(3));
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, stack.Build({.trainable = false, .seed = 7}));
  SEQ_ASSERT_OK(SaveModel(model, Path("m.pb")));
  std::string first, second;
  for (int t = 0; t < 20; ++t) absl::StrAppend(&(t < 9 ? first : second), t * 7 % 5 - 2, "\n");
  const std::string whole = Succeeds({"m.pb"}, first + second);
  const std::string begun = Succeeds({"m.pb", "--save_state=s"}, first + "\n");
  EXPECT_EQ(begun + Succeeds({"m.pb", "--load_state=s"}, second), whole);
  // In place, and not behind the end of a sequence but with its last step.
  EXPECT_EQ(Succeeds({"m.pb", "--load_state=s", "--save_state=s"}, ""), "");
  EXPECT_EQ(begun + Succeeds({"m.pb", "--load_state=s"}, second), whole);

  std::string damaged = ReadBack("s");
  damaged[damaged.size() / 2] ^= 1;
  Write("damaged", damaged);
  EXPECT_THAT(Refused({"m.pb", "--load_state=damaged"}),
              HasSubstr("damaged: the saved state is damaged"));
  Write("damaged", damaged.substr(0, 40));
  EXPECT_THAT(Refused({"m.pb", "--load_state=damaged"}), HasSubstr("damaged: "));
  Write("damaged", "");
  EXPECT_THAT(Refused({"m.pb", "--load_state=damaged"}), HasSubstr("no saved state"));
  SaveSum();
  EXPECT_THAT(Refused({"sum.pb", "--load_state=s"}),
              HasSubstr("s: the saved state is of another model"));
}

TEST_F(StreamTest, StatesOfAllChannelsGoOn) {
  SaveSum();
  const WavFormat format = {.format = 3, .bits = 32, .channels = 2};
  Write("a.wav", WavBytes({0.5, 1, -0.25, 0.5}, format));
  EXPECT_EQ(Succeeds({"sum.pb", "--input=a.wav", "--save_state=s"}), "0.5,1\n0.25,1.5\n");
  EXPECT_EQ(Succeeds({"sum.pb", "--input=a.wav", "--load_state=s"}), "0.75,2.5\n0.5,3\n");
  EXPECT_THAT(Refused({"sum.pb", "--load_state=s"}, "1\n"),
              HasSubstr("s: holds the states of 2 streams; there are 1"));
}

TEST_F(StreamTest, SaysByLayerWhatCannotGoStepByStep) {
  Sequential pooled({.name = "x", .time = kTime, .features = 1});
  pooled.Add(Sum()).Add(GlobalAveragePooling1DLayer{}, {.name = "over_all"});
  Save(pooled, "pooled.pb");
  EXPECT_THAT(Refused({"pooled.pb"}),
              AllOf(HasSubstr("pooled.pb: "), HasSubstr("over_all"), HasSubstr("all steps"),
                    HasSubstr("run whole sequences")));
  Sequential both({.name = "x", .time = kTime, .features = 1});
  both.Add(Bidirectional(Sum()), {.name = "both_ways"});
  Save(both, "both.pb");
  EXPECT_THAT(Refused({"both.pb"}), AllOf(HasSubstr("both_ways"), HasSubstr("goes backwards"),
                                          HasSubstr("--lookahead=N")));
  // The sum up to a step, and the sum from that step to two later.
  const ProcessResult ahead = Stream({"both.pb", "--lookahead=2"}, "1\n2\n4\n8\n16\n32\n");
  EXPECT_EQ(ahead.status, 0) << ahead.err;
  EXPECT_THAT(ahead.err, AllOf(HasSubstr("note: result "), HasSubstr(" comes 2 steps late")));
  const std::vector<std::string> lines = absl::StrSplit(ahead.out, '\n', absl::SkipEmpty());
  ASSERT_EQ(lines.size(), 6u);
  EXPECT_EQ(absl::StrJoin(lines.begin() + 2, lines.end(), " "), "1,7 3,14 7,28 15,56");
  SaveSum();
  EXPECT_THAT(Refused({"sum.pb", "--lookahead=2"}),
              HasSubstr("--lookahead: nothing in sum.pb goes backwards"));
}

TEST_F(StreamTest, SaysHowLateWindowsAre) {
  Sequential stack({.name = "x", .time = kTime, .features = 1});
  stack.Add(Conv1DLayer{.filters = 1, .kernel_size = 3});
  Save(stack, "window.pb");
  const ProcessResult late = Stream({"window.pb"}, "1\n2\n4\n8\n");
  EXPECT_EQ(late.status, 0) << late.err;
  EXPECT_THAT(late.err, HasSubstr(" comes 2 steps late"));
  EXPECT_THAT(late.out, ::testing::EndsWith("\n7\n14\n"));
}

TEST_F(StreamTest, CountsSteps) {
  SaveSum();
  const ProcessResult timed = Stream({"sum.pb", "--times"}, "1\n2\n3\n");
  EXPECT_EQ(timed.out, "1\n3\n6\n");
  EXPECT_THAT(timed.err,
              AllOf(HasSubstr("3 steps: median "), HasSubstr("longest"), Not(HasSubstr("late"))));
  EXPECT_EQ(Stream({"sum.pb", "--times"}).err, "0 steps\n");
  const ProcessResult paced = Stream({"sum.pb", "--realtime", "--rate=100000"}, "1\n2\n");
  EXPECT_EQ(paced.out, "1\n3\n");
  EXPECT_THAT(paced.err, HasSubstr(" of 2 steps came too late"));
  Write("a.wav", WavBytes({0.5, 0.25, 0.125}, {.rate = 96000}));
  const ProcessResult heard = Stream({"sum.pb", "--input=a.wav", "--realtime", "--block=2"});
  EXPECT_EQ(heard.out, "0.5\n0.75\n0.875\n");
  EXPECT_THAT(heard.err, HasSubstr(" of 2 steps came too late"));
}

TEST_F(StreamTest, EndsQuietlyWhenNobodyReads) {
  SaveSum();
  ASSERT_EQ(::mkfifo(Path("pipe").c_str(), 0600), 0);
  const int read_end = ::open(Path("pipe").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ASSERT_GE(read_end, 0);
  Process stream({"stream", "sum.pb"}, {.folder = folder_, .stdout_path = Path("pipe")});
  stream.Send("1\n");
  std::string answer(2, ' ');
  for (int i = 0; i < 6000 && ::read(read_end, answer.data(), 2) != 2; ++i) ::usleep(10000);
  EXPECT_EQ(answer, "1\n");
  ::close(read_end);
  stream.Send("2\n");
  EXPECT_EQ(stream.Wait(), 1000 + SIGPIPE);
  EXPECT_EQ(stream.err(), "");
}

// Waits until a file is being written in the folder that has more than `bytes`.
bool WaitForBytes(const std::string& folder, const std::string& except, uintmax_t bytes) {
  for (int i = 0; i < 6000; ++i, ::usleep(10000)) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      std::error_code gone;
      if (entry.path().filename() == except) continue;
      if (std::filesystem::file_size(entry.path(), gone) > bytes && !gone) return true;
    }
  }
  return false;
}

TEST_F(StreamTest, CtrlCEndsIt) {
  SaveSum();
  Process stream({"stream", "sum.pb", "--save_state=s"}, {.folder = folder_});
  stream.Send("1\n2\n");
  ASSERT_TRUE(stream.WaitForOutput("3\n")) << stream.err();
  stream.Signal(SIGINT);
  EXPECT_EQ(stream.Wait(), 130);
  EXPECT_EQ(stream.out(), "1\n3\n");
  EXPECT_EQ(stream.err(), "");
  EXPECT_EQ(Succeeds({"sum.pb", "--load_state=s"}, "4\n"), "7\n");
}

TEST_F(StreamTest, WhatWasWrittenUntilCtrlCIsWhole) {
  SaveSum();
  // Ten minutes of sound: each sample adds 2^-15.
  Write("long.wav", WavBytes(std::vector<double>(8000 * 600, 1.0 / 32768)));
  const std::string out = MakeTempDir();
  for (const int signal : {SIGINT, SIGTERM}) {
    Process stream({"stream", "sum.pb", "--input=long.wav", "--output=" + out + "/b.wav",
                    "--realtime", "--block=80"},
                   {.folder = folder_});
    ASSERT_TRUE(WaitForBytes(out, "b.wav", 400));
    stream.Signal(signal);
    EXPECT_EQ(stream.Wait(), 128 + signal) << stream.err();
    EXPECT_THAT(NamesIn(out), ElementsAre("b.wav"));
    const WavFloats sums = ReadWavFloats(data::ReadFileOrDie(out + "/b.wav"));
    EXPECT_TRUE(sums.whole);
    ASSERT_GE(sums.samples.size(), 80u);
    EXPECT_LT(sums.samples.size(), 8000u * 600);
    for (size_t t = 0; t < sums.samples.size(); ++t) {
      ASSERT_EQ(sums.samples[t], static_cast<float>(t + 1) / 32768) << t;
    }
  }
}

}  // namespace
}  // namespace seqgraph
