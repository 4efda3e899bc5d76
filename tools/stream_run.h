#pragma once

// Streams of one model on sound or lines, as the command `stream` runs them.

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "stream/stream.h"
#include "tools/audio_file.h"
#include "tools/output.h"
#include "tools/step_times.h"

namespace seqgraph::tools {

struct StreamRun {
  std::string input, output;  ///< paths; empty: standard input and output
  int64_t block = 1;          ///< steps of sound at once
  double rate = 0;            ///< steps a second; 0: not told
  bool realtime = false;
  const std::atomic<bool>* interrupt = nullptr;
  StepPace pace{realtime};
  std::vector<std::unique_ptr<Stream>> streams;  ///< one, or one a channel

  const StreamModel& model() const { return streams[0]->model(); }
};

/// "a float32[1, 1, 2], b int32[1, 1]".
std::string PortText(const std::vector<StreamPort>& ports);

/// A step a line, until the input ends or an interrupt comes: what has been answered by then stays.
/// Errors name the line.
absl::Status StreamLines(StreamRun& run, Output& out);

/// Each channel on a stream of its own, by blocks; the last one filled up with silence.
/// InvalidArgument for a model that takes or gives something else than one tensor of float32.
absl::Status StreamSound(StreamRun& run, AudioReader& sound, Output& out);

}  // namespace seqgraph::tools
