#pragma once

// What passes between ProbePlugin and its child, which are the same program: the request lies in a
// file, the answer is a stream of frames {type, size, text}.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "backends/plugin/encoded_function.h"
#include "backends/plugin/plugin_probe.h"

namespace seqgraph::probe {

/// The argument that makes main a child, and the numbers of its open files.
inline constexpr char kChildFlag[] = "--seqgraph_plugin_probe_child";
inline constexpr int kRequestFile = 3, kAnswerFile = 4;

struct Request {
  std::string path;
  bool run = false;
  int leak_repeats = 0;
  int64_t leak_limit = 0;
  std::vector<std::shared_ptr<const EncodedFunction>> functions;

  std::string Pack() const;
  static absl::StatusOr<Request> Unpack(absl::string_view packed);
};

enum class FrameType : char {
  kStage = 'S',  ///< what comes next, for people
  kInfo = 'I',   ///< name, version and description, each ending with a zero
  kClaimed = 'C',
  kError = 'E',  ///< one character 'A' + code, then the text
  kDone = 'D',   ///< the last one
};

struct Frame {
  FrameType type;
  std::string text;
};

/// Texts are cut at this size.
inline constexpr size_t kMaxFrameText = 8192;

std::string PackFrame(FrameType type, absl::string_view text);
/// Takes the first whole frame off `stream`; false if there is none yet. Sets `damaged` for what
/// can be no frame.
bool TakeFrame(std::string& stream, Frame& frame, bool& damaged);

/// What the child does with one request; `send` gets its frames. Returns after kDone or kError.
void Serve(const Request& request, const std::function<void(FrameType, absl::string_view)>& send);

}  // namespace seqgraph::probe
