#include "tools/audio_file.h"

#include <sndfile.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace seqgraph::tools {
namespace {

// The head of a WAV file of floats: Microsoft's and IBM's Multimedia Programming Interface, 1991,
// with the format tag 3 and the chunk "fact" that this asks for.
struct WavHead {
  char riff[4] = {'R', 'I', 'F', 'F'};
  uint32_t riff_bytes = 0;
  char wave[4] = {'W', 'A', 'V', 'E'};
  char fmt[4] = {'f', 'm', 't', ' '};
  uint32_t fmt_bytes = 16;
  uint16_t format = 3;
  uint16_t channels = 0;
  uint32_t rate = 0;
  uint32_t bytes_per_second = 0;
  uint16_t frame_bytes = 0;
  uint16_t bits = 32;
  char fact[4] = {'f', 'a', 'c', 't'};
  uint32_t fact_bytes = 4;
  uint32_t frames = 0;
  char data[4] = {'d', 'a', 't', 'a'};
  uint32_t data_bytes = 0;
};
static_assert(sizeof(WavHead) == 56);

constexpr int64_t kMostBytes = 0xFFFFFFFF - int64_t{sizeof(WavHead)};  // of samples

WavHead HeadOf(int channels, int rate, int64_t bytes) {
  WavHead head;
  head.riff_bytes = static_cast<uint32_t>(bytes + static_cast<int64_t>(sizeof(head)) - 8);
  head.channels = static_cast<uint16_t>(channels);
  head.rate = static_cast<uint32_t>(rate);
  head.frame_bytes = static_cast<uint16_t>(channels * 4);
  head.bytes_per_second = head.rate * head.frame_bytes;
  head.frames = static_cast<uint32_t>(bytes / head.frame_bytes);
  head.data_bytes = static_cast<uint32_t>(bytes);
  return head;
}

absl::string_view BytesOf(const WavHead& head) {
  return {reinterpret_cast<const char*>(&head), sizeof(head)};
}

}  // namespace

bool IsAudio(absl::string_view start) {
  for (const char* magic : {"RIFF", "RIFX", "RF64", "fLaC", "FORM", "OggS", ".snd", "caff"}) {
    if (absl::StartsWith(start, magic)) return true;
  }
  return false;
}

absl::StatusOr<std::unique_ptr<AudioReader>> AudioReader::Open(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return NotFound(path, ": no such file");
  if (!std::filesystem::is_regular_file(path, error)) {
    return InvalidArgument(path, ": expected a file of sound, found a folder or device");
  }
  SF_INFO info{};
  SNDFILE* file = sf_open(path.c_str(), SFM_READ, &info);
  if (file == nullptr) return InvalidArgument(path, ": ", sf_strerror(nullptr));
  std::unique_ptr<AudioReader> reader(new AudioReader);
  reader->file_ = file;
  reader->channels_ = info.channels;
  reader->rate_ = info.samplerate;
  reader->frames_ = info.frames;
  if (info.channels < 1 || info.samplerate < 1 || info.frames < 0) {
    return InvalidArgument(path, ": ", info.channels, " channels and ", info.samplerate,
                           " frames a second");
  }
  return reader;
}

AudioReader::~AudioReader() {
  if (file_ != nullptr) sf_close(static_cast<SNDFILE*>(file_));
}

int64_t AudioReader::Read(absl::Span<float> samples) {
  return sf_readf_float(static_cast<SNDFILE*>(file_), samples.data(),
                        static_cast<sf_count_t>(samples.size()) / channels_);
}

absl::StatusOr<std::unique_ptr<WavWriter>> WavWriter::Create(const std::string& path, int channels,
                                                             int rate, int64_t frames) {
  // What libsndfile does not know the length of may be anything.
  const bool is_known = frames < std::numeric_limits<int64_t>::max();
  const int64_t most = kMostBytes / (channels * static_cast<int64_t>(sizeof(float)));
  if (channels > 0xFFFF / 4 || (is_known && frames > most)) {
    return InvalidArgument(path, ": ", frames, " frames of ", channels,
                           " channels do not fit into a WAV file, which holds 4 GB");
  }
  std::unique_ptr<WavWriter> writer(new WavWriter);
  writer->path_ = path;
  writer->channels_ = channels;
  writer->rate_ = rate;
  if (is_known) writer->expected_bytes_ = frames * channels * static_cast<int64_t>(sizeof(float));
  SEQ_ASSIGN_OR_RETURN(writer->file_, AtomicFile::Create(path));
  SEQ_RETURN_IF_ERROR(
      writer->file_->Write(BytesOf(HeadOf(channels, rate, writer->expected_bytes_))));
  return writer;
}

absl::Status WavWriter::Write(absl::Span<const float> samples) {
  bytes_ += static_cast<int64_t>(samples.size() * sizeof(float));
  if (bytes_ > kMostBytes) {
    return ResourceExhausted(path_, ": more than a WAV file holds, which is 4 GB");
  }
  return file_->Write(
      {reinterpret_cast<const char*>(samples.data()), samples.size() * sizeof(float)});
}

absl::Status WavWriter::Commit() {
  SEQ_RETURN_IF_ERROR(file_->Commit());
  if (bytes_ == expected_bytes_) return absl::OkStatus();
  const WavHead head = HeadOf(channels_, rate_, bytes_);
  std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
  file.write(BytesOf(head).data(), sizeof(head)).flush();
  return file ? absl::OkStatus() : absl::UnavailableError(absl::StrCat("cannot write ", path_));
}

}  // namespace seqgraph::tools
