// Says when somebody speaks: a convolution over samples, pooled to one step for each 512 of them
// (32 ms), and a GRU over these. The strides make a call of the stream take a block of 512 samples
// and give one probability. The talk is made up: a voice is harmonics under two formants, and
// there is noise and hum all the time.
//
//   bazel run //examples:voice_activity -- [EPOCHS]
//
// It leaves talk.wav and the model, which the command takes too, with a line for each block:
//
//   seqgraph stream voice_activity.pb --input=talk.wav

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#include "examples/wav_file.h"
#include "seqgraph.h"

namespace seqgraph {
namespace {

constexpr int kRate = 16000;
constexpr int64_t kBlock = 512, kWindow = 16;  // samples of a block, blocks of a training row

struct Talk {
  std::vector<float> sound;
  std::vector<float> speaks;  // of each block, 0 or 1
};

Talk MakeTalk(int64_t blocks, unsigned seed) {
  std::mt19937 rng(seed);
  std::normal_distribution<double> noise;
  const auto uniform = [&rng](double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(rng);
  };
  Talk talk;
  bool voice = false;
  double phase = 0, pitch = 0, first = 0, second = 0, hiss = 0;
  for (int64_t block = 0, left = 0; block < blocks; ++block, --left) {
    if (left == 0) {
      voice = !voice;
      left = static_cast<int64_t>(uniform(6, 30));
      pitch = uniform(90, 240), first = uniform(300, 800), second = uniform(900, 2300);
      hiss = uniform(0.005, 0.05);
    }
    for (int64_t i = 0; i < kBlock; ++i) {
      const double t = static_cast<double>(block * kBlock + i) / kRate;
      double x = hiss * noise(rng) + 0.05 * std::sin(2 * M_PI * 50 * t);
      phase += 2 * M_PI * pitch / kRate;
      for (int k = 1; voice && k * pitch < 4000; ++k) {
        const double f = k * pitch, a = (f - first) / 100, b = (f - second) / 150;
        x += 0.2 * std::sin(k * phase) * (1 / (1 + a * a) + 0.5 / (1 + b * b));
      }
      talk.sound.push_back(static_cast<float>(x));
    }
    talk.speaks.push_back(voice ? 1 : 0);
  }
  return talk;
}

absl::StatusOr<Model> Learn(const Talk& talk, int epochs) {
  Sequential stack({.name = "sound", .time = kWindow * kBlock, .features = 1}, "voice_activity");
  stack
      .Add(Conv1DLayer{.filters = 12,
                       .kernel_size = 64,
                       .strides = 16,
                       .padding = "causal",
                       .activation = "relu"})
      .Add(MaxPooling1DLayer{{.pool_size = kBlock / 16}})
      .Add(GRU(8, {.return_sequences = true}))
      .Add(DenseLayer{.units = 1, .activation = "sigmoid"});
  SEQ_ASSIGN_OR_RETURN(Model model, stack.Build({.loss = BinaryCrossEntropy(),
                                                 .optimizer = Adam{.learning_rate = 1e-2}}));
  const Examples examples{.rows = static_cast<int64_t>(talk.speaks.size()) / kWindow,
                          .maxlen = kWindow * kBlock,
                          .values = talk.speaks,
                          .features = talk.sound};
  Trainer trainer(&model);
  SEQ_RETURN_IF_ERROR(
      trainer.Fit(examples, {}, {.epochs = epochs, .callbacks = {Progress(stderr)}}).status());
  return model;
}

absl::Status Run(int epochs) {
  SEQ_ASSIGN_OR_RETURN(Model model, Learn(MakeTalk(160 * kWindow, /*seed=*/1), epochs));
  SEQ_RETURN_IF_ERROR(SaveModel(model, "voice_activity.pb"));
  const Talk talk = MakeTalk(30 * kWindow, /*seed=*/2);
  WriteWav("talk.wav", kRate, talk.sound);

  // In a program that listens this is all: a model, a stream a client, and a block at a time.
  SEQ_ASSIGN_OR_RETURN(const auto listener, StreamModel::Create(std::move(model)));
  SEQ_ASSIGN_OR_RETURN(const auto stream, listener->NewStream());
  if (listener->steps() != kBlock) return absl::InternalError("a call takes another block");
  int64_t right = 0;
  bool spoke = false;
  for (size_t block = 0; block < talk.speaks.size(); ++block) {
    std::copy_n(&talk.sound[block * kBlock], kBlock, stream->input<float>(0));
    SEQ_RETURN_IF_ERROR(stream->Step());
    const bool speaks = stream->result<float>(0)[0] > 0.5f;
    right += speaks == (talk.speaks[block] > 0.5f);
    if (speaks != spoke) {
      std::printf("%6.2f s: %s\n", static_cast<double>(block) * kBlock / kRate,
                  speaks ? "somebody speaks" : "silence");
    }
    spoke = speaks;
  }
  std::printf("%lld of %zu blocks are judged right\n", static_cast<long long>(right),
              talk.speaks.size());
  return absl::OkStatus();
}

}  // namespace
}  // namespace seqgraph

int main(int argc, char** argv) {
  const absl::Status status = seqgraph::Run(argc > 1 ? std::atoi(argv[1]) : 12);
  if (status.ok()) return 0;
  std::fprintf(stderr, "voice_activity: %s\n", status.ToString().c_str());
  return 1;
}
