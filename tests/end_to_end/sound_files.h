#pragma once

// WAV files byte by byte, so that what reads and writes them is not its own judge.

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace seqgraph {

/// What a WAV file begins with: PCM (format 1) or IEEE floats (format 3).
struct WavFormat {
  uint16_t format = 1;
  uint16_t bits = 16;
  uint16_t channels = 1;
  uint32_t rate = 8000;
};

template <typename T>
void AppendNumber(std::string& bytes, T number) {
  bytes.append(reinterpret_cast<const char*>(&number), sizeof(number));
}

/// `samples` of all channels, frame by frame, must be representable in so many bits.
inline std::string WavBytes(const std::vector<double>& samples, const WavFormat& format = {}) {
  std::string data;
  for (const double sample : samples) {
    if (format.format == 3) {
      AppendNumber(data, static_cast<float>(sample));
      continue;
    }
    const auto scaled =
        static_cast<int64_t>(sample * static_cast<double>(int64_t{1} << (format.bits - 1)));
    data.append(reinterpret_cast<const char*>(&scaled), format.bits / 8);
  }
  const auto frame = static_cast<uint16_t>(format.channels * format.bits / 8);
  std::string bytes = "RIFF";
  AppendNumber(bytes, static_cast<uint32_t>(36 + data.size()));
  bytes += "WAVEfmt ";
  AppendNumber(bytes, uint32_t{16});
  AppendNumber(bytes, format.format);
  AppendNumber(bytes, format.channels);
  AppendNumber(bytes, format.rate);
  AppendNumber(bytes, format.rate * frame);
  AppendNumber(bytes, frame);
  AppendNumber(bytes, format.bits);
  bytes += "data";
  AppendNumber(bytes, static_cast<uint32_t>(data.size()));
  return bytes + data;
}

/// What a WAV file of floats holds.
struct WavFloats {
  uint16_t channels = 0;
  uint32_t rate = 0;
  std::vector<float> samples;
  bool whole = false;  ///< it is of that kind, and all its sizes are those of what is there
};

inline WavFloats ReadWavFloats(const std::string& bytes) {
  WavFloats wav;
  const auto number = [&bytes](size_t at, auto like) {
    if (at + sizeof(like) <= bytes.size()) std::memcpy(&like, bytes.data() + at, sizeof(like));
    return like;
  };
  if (bytes.size() < 56 || bytes.substr(0, 4) != "RIFF" || bytes.substr(8, 8) != "WAVEfmt ")
    return wav;
  wav.channels = number(22, uint16_t{0});
  wav.rate = number(24, uint32_t{0});
  // The chunk "fact" lies between the format and the samples.
  const size_t data_bytes = bytes.size() - 56;
  wav.samples.resize(data_bytes / sizeof(float));
  std::memcpy(wav.samples.data(), bytes.data() + 56, wav.samples.size() * sizeof(float));
  wav.whole = number(4, uint32_t{0}) == bytes.size() - 8 && number(20, uint16_t{0}) == 3 &&
              number(34, uint16_t{0}) == 32 && bytes.substr(36, 4) == "fact" &&
              number(44, uint32_t{0}) * 4 * wav.channels == data_bytes &&
              bytes.substr(48, 4) == "data" && number(52, uint32_t{0}) == data_bytes;
  return wav;
}

}  // namespace seqgraph
