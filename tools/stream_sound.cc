#include <algorithm>
#include <cstdio>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "base/atomic_file.h"
#include "base/status_macros.h"
#include "tools/stream_run.h"

namespace seqgraph::tools {
namespace {

// What a model must be to take sound: a call is some frames of one channel.
absl::Status CheckSound(const StreamModel& model) {
  if (model.inputs().size() == 1 && model.results().size() == 1 &&
      model.inputs()[0].type.dtype == DType::kFloat32 &&
      model.results()[0].type.dtype == DType::kFloat32) {
    return absl::OkStatus();
  }
  return InvalidArgument("the model takes ", PortText(model.inputs()), " and gives ",
                         PortText(model.results()),
                         "; sound needs one input and one result of float32 (see --states)");
}

// Where what the streams tell goes: a WAV file, or a line a call with the numbers of all channels.
class SoundOutput {
 public:
  static absl::StatusOr<SoundOutput> Create(const StreamRun& run, const AudioReader& sound,
                                            Output& out) {
    SoundOutput to(out, run.realtime);
    if (absl::EndsWithIgnoreCase(run.output, ".wav")) {
      const int64_t in = run.model().inputs()[0].elements();
      const int64_t result = run.model().results()[0].elements();
      if (in != result) {
        return InvalidArgument("--output=", run.output, ": ", result, " numbers for ", in,
                               " frames are no sound; give a file that does not end in .wav");
      }
      SEQ_ASSIGN_OR_RETURN(
          to.wav_, WavWriter::Create(run.output, sound.channels(), sound.rate(), sound.frames()));
    } else if (!run.output.empty()) {
      SEQ_ASSIGN_OR_RETURN(to.lines_, AtomicFile::Create(run.output));
    }
    return to;
  }

  // `numbers`: of some calls, a row each; of which `frames` numbers belong to frames that were
  // there.
  absl::Status Write(absl::Span<const float> numbers, int64_t row, int64_t frames) {
    if (wav_ != nullptr) return wav_->Write(numbers.first(static_cast<size_t>(frames)));
    std::string text;
    for (size_t i = 0; i < numbers.size(); ++i) {
      const bool ends = static_cast<int64_t>(i + 1) % row == 0;
      absl::StrAppendFormat(&text, "%.9g%c", numbers[i], ends ? '\n' : ',');
    }
    if (lines_ != nullptr) return lines_->Write(text);
    out_->Write(std::move(text));
    return at_once_ ? out_->Flush() : absl::OkStatus();
  }

  absl::Status Commit() {
    if (wav_ != nullptr) return wav_->Commit();
    return lines_ != nullptr ? lines_->Commit() : absl::OkStatus();
  }

 private:
  SoundOutput(Output& out, bool at_once) : out_(&out), at_once_(at_once) {}

  Output* out_;
  bool at_once_;  // Somebody is waiting for it.
  std::unique_ptr<WavWriter> wav_;
  std::unique_ptr<AtomicFile> lines_;
};

// One channel among those that lie frame by frame.
void TakeChannel(absl::Span<const float> frames, int channel, int channels,
                 absl::Span<float> samples) {
  for (size_t i = 0; i < samples.size(); ++i) samples[i] = frames[i * channels + channel];
}

void PutChannel(absl::Span<const float> samples, int channel, int channels,
                absl::Span<float> frames) {
  for (size_t i = 0; i < samples.size(); ++i) frames[i * channels + channel] = samples[i];
}

}  // namespace

absl::Status StreamSound(StreamRun& run, AudioReader& sound, Output& out) {
  const StreamModel& model = run.model();
  SEQ_RETURN_IF_ERROR(CheckSound(model));
  SEQ_ASSIGN_OR_RETURN(SoundOutput to, SoundOutput::Create(run, sound, out));
  const int channels = sound.channels();
  const auto in = static_cast<size_t>(model.inputs()[0].elements());
  const auto result = static_cast<size_t>(model.results()[0].elements());
  // Calls at once, within some memory however large these are.
  constexpr size_t kMostNumbers = size_t{1} << 26;
  const size_t at_once = std::clamp<size_t>(static_cast<size_t>(run.block / model.steps()), 1,
                                            1 + kMostNumbers / (std::max(in, result) * channels));
  std::vector<float> frames(at_once * in * channels), x(at_once * in),
      y(at_once * result * channels), told(at_once * result);
  const double calls_a_second = run.rate > 0
                                    ? run.rate / static_cast<double>(model.steps())
                                    : static_cast<double>(sound.rate()) / static_cast<double>(in);
  int64_t heard = 0;
  while (!*run.interrupt) {
    std::fill(frames.begin(), frames.end(), 0.0f);
    const int64_t read = sound.Read(absl::MakeSpan(frames));
    if (read == 0) break;
    heard += read;
    const size_t calls = (static_cast<size_t>(read) + in - 1) / in;
    const auto taken = absl::MakeSpan(x).first(calls * in);
    const auto given = absl::MakeSpan(told).first(calls * result);
    SEQ_RETURN_IF_ERROR(
        run.pace.Take(calls_a_second / static_cast<double>(at_once), [&]() -> absl::Status {
          for (int c = 0; c < channels; ++c) {
            TakeChannel(frames, c, channels, taken);
            SEQ_RETURN_IF_ERROR(run.streams[c]->StepBlock(static_cast<int64_t>(calls),
                                                          {taken.data()}, {given.data()}));
            PutChannel(given, c, channels, absl::MakeSpan(y));
          }
          return absl::OkStatus();
        }));
    SEQ_RETURN_IF_ERROR(to.Write({y.data(), given.size() * channels},
                                 static_cast<int64_t>(result) * channels, read * channels));
  }
  constexpr int64_t kOpenEnd = std::numeric_limits<int64_t>::max();  // as libsndfile says it
  if (!*run.interrupt && heard < sound.frames() && sound.frames() < kOpenEnd) {
    std::fprintf(stderr, "seqgraph: note: %s ends after %lld frames, of %lld that it says\n",
                 run.input.c_str(), static_cast<long long>(heard),
                 static_cast<long long>(sound.frames()));
  }
  return to.Commit();
}

}  // namespace seqgraph::tools
