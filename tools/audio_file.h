#pragma once

// Sound in files, by libsndfile: WAV in 8 to 32 bits and float, FLAC, AIFF, ...

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "base/atomic_file.h"

namespace seqgraph::tools {

/// Whether the first bytes of a file are those of sound: RIFF, fLaC, FORM, ...
bool IsAudio(absl::string_view start);

/// Frames (a sample of each channel) one after the other, integers scaled to [-1, 1).
class AudioReader {
 public:
  /// Errors name the path: NotFound, InvalidArgument for what libsndfile does not read.
  static absl::StatusOr<std::unique_ptr<AudioReader>> Open(const std::string& path);
  ~AudioReader();

  int channels() const { return channels_; }
  int rate() const { return rate_; }  ///< frames a second
  /// As the file says, which may have been cut off.
  int64_t frames() const { return frames_; }
  /// Fills [frames, channels] with what comes next; gives the number of frames, fewer at the end.
  int64_t Read(absl::Span<float> samples);

 private:
  AudioReader() = default;
  void* file_ = nullptr;
  int channels_ = 0, rate_ = 0;
  int64_t frames_ = 0;
};

/// A WAV file of 32-bit floats, which lose nothing of what a model tells; in place once it is
/// whole.
class WavWriter {
 public:
  /// `frames` are expected. InvalidArgument where they do not fit into a WAV file, which holds 4
  /// GB.
  static absl::StatusOr<std::unique_ptr<WavWriter>> Create(const std::string& path, int channels,
                                                           int rate, int64_t frames);
  /// ResourceExhausted where they do not fit into a WAV file, which holds 4 GB.
  absl::Status Write(absl::Span<const float> samples);
  /// The file gets its place, with a head that says how many frames it got.
  absl::Status Commit();

 private:
  WavWriter() = default;
  std::string path_;
  int channels_ = 0, rate_ = 0;
  int64_t expected_bytes_ = 0, bytes_ = 0;  ///< of samples
  std::unique_ptr<AtomicFile> file_;
};

}  // namespace seqgraph::tools
