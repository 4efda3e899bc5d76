#pragma once

// One channel of sound as a WAV file of 32-bit floats.

#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

namespace seqgraph {

inline void WriteWav(const std::string& path, int rate, const std::vector<float>& samples) {
  const auto bytes = static_cast<uint32_t>(samples.size() * sizeof(float));
  const auto frames_a_second = static_cast<uint32_t>(rate);
  // "fmt " of 16 bytes: format 3 (floats) of 1 channel, rate, bytes a second, bytes a frame, bits.
  const uint32_t words[] = {bytes + 36,          16,           3 | 1 << 16, frames_a_second,
                            frames_a_second * 4, 4 | 32 << 16, bytes};
  std::ofstream file(path, std::ios::binary);
  const auto put = [&file](const void* from, uint32_t size) {
    file.write(static_cast<const char*>(from), size);
  };
  put("RIFF", 4);
  put(&words[0], 4);
  put("WAVEfmt ", 8);
  put(&words[1], 20);
  put("data", 4);
  put(&words[6], 4);
  put(samples.data(), bytes);
}

}  // namespace seqgraph
