// Learns how a guitar amplifier sounds, and is one: an LSTM over single samples, trained on what
// goes into the amplifier and what comes out of it, then streamed in blocks of 64 samples. Both
// sounds are made up here; with records of one's own, all else stays the same.
//
//   bazel run //examples:guitar_amplifier -- [EPOCHS]
//
// It leaves guitar.wav, amplified.wav and the model, which the command takes too:
//
//   seqgraph stream amplifier.pb --input=guitar.wav --output=same.wav --block=64

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "examples/wav_file.h"
#include "seqgraph.h"

namespace seqgraph {
namespace {

constexpr int kRate = 16000, kBlock = 64;
constexpr int64_t kWindow = 128;               // steps of a training row
constexpr int64_t kLearnt = 4 * kRate;         // samples that are trained on
constexpr int64_t kSamples = kLearnt + kRate;  // and a second that is not

// Strings plucked twice a second: six harmonics that fade, the higher the faster.
std::vector<float> PlayGuitar() {
  const double notes[] = {82.4, 110, 146.8, 196, 246.9, 329.6};
  std::vector<float> sound;
  for (int64_t i = 0; i < kSamples; ++i) {
    const int64_t pluck = i / (kRate / 2);
    const double t = static_cast<double>(i % (kRate / 2)) / kRate, f = notes[pluck * 5 % 6];
    double x = 0;
    for (int k = 1; k <= 6; ++k) x += std::exp(-2.0 * k * t) * std::sin(2 * M_PI * k * f * t) / k;
    sound.push_back(static_cast<float>(0.4 * x));
  }
  return sound;
}

// A valve whose bias follows the sound slowly: tanh(4 (x - v)), v_t = v_(t-1) + (x - v_(t-1)) / 16.
std::vector<float> Amplify(const std::vector<float>& sound) {
  std::vector<float> louder;
  double bias = 0;
  for (const double x : sound) {
    bias += (x - bias) / 16;
    louder.push_back(static_cast<float>(0.7 * std::tanh(4 * (x - bias))));
  }
  return louder;
}

absl::StatusOr<Model> Learn(absl::Span<const float> sound, absl::Span<const float> louder,
                            int epochs) {
  Sequential stack({.name = "x", .time = kWindow, .features = 1}, "amplifier");
  stack.Add(LSTM(12, {.return_sequences = true})).Add(DenseLayer{.units = 1});
  SEQ_ASSIGN_OR_RETURN(Model model, stack.Build({.loss = MeanSquaredError(),
                                                 .optimizer = Adam{.learning_rate = 1e-2}}));
  const Examples examples{
      .rows = kLearnt / kWindow, .maxlen = kWindow, .values = louder, .features = sound};
  Trainer trainer(&model);
  SEQ_RETURN_IF_ERROR(
      trainer.Fit(examples, {}, {.epochs = epochs, .callbacks = {Progress(stderr)}}).status());
  return model;
}

absl::Status Run(int epochs) {
  const std::vector<float> guitar = PlayGuitar(), wanted = Amplify(guitar);
  WriteWav("guitar.wav", kRate, guitar);
  SEQ_ASSIGN_OR_RETURN(Model model, Learn(absl::MakeSpan(guitar).first(kLearnt),
                                          absl::MakeSpan(wanted).first(kLearnt), epochs));
  SEQ_RETURN_IF_ERROR(SaveModel(model, "amplifier.pb"));

  // In a program that makes sound this is all: a model, a stream, and a block at a time.
  SEQ_ASSIGN_OR_RETURN(const auto amplifier,
                       StreamModel::Create(std::move(model), {.block = kBlock}));
  SEQ_ASSIGN_OR_RETURN(const auto stream, amplifier->NewStream());
  std::vector<float> heard(guitar.size());
  const auto begin = std::chrono::steady_clock::now();
  for (int64_t i = 0; i < kSamples; i += kBlock) {
    SEQ_RETURN_IF_ERROR(stream->StepBlock(kBlock, {&guitar[i]}, {&heard[i]}));
  }
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
  WriteWav("amplified.wav", kRate, heard);

  double error = 0, signal = 0;
  for (int64_t i = kLearnt; i < kSamples; ++i) {
    error += std::pow(heard[i] - wanted[i], 2);
    signal += std::pow(wanted[i], 2);
  }
  std::printf("error to signal, of a second that was not trained on: %.4f\n", error / signal);
  std::printf("%lld bytes a stream; %.0f times as fast as real time\n",
              static_cast<long long>(amplifier->stream_bytes()),
              static_cast<double>(kSamples) / kRate / taken.count());
  return absl::OkStatus();
}

}  // namespace
}  // namespace seqgraph

int main(int argc, char** argv) {
  const absl::Status status = seqgraph::Run(argc > 1 ? std::atoi(argv[1]) : 60);
  if (status.ok()) return 0;
  std::fprintf(stderr, "guitar_amplifier: %s\n", status.ToString().c_str());
  return 1;
}
