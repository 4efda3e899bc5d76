#include "backends/plugin/probe_protocol.h"

#include "absl/strings/str_cat.h"
#include "base/byte_cursor.h"
#include "base/status_macros.h"

namespace seqgraph::probe {
namespace {

constexpr size_t kFrameHead = 1 + sizeof(uint32_t);

bool IsFrameType(char c) {
  for (FrameType type : {FrameType::kStage, FrameType::kInfo, FrameType::kClaimed,
                         FrameType::kError, FrameType::kDone}) {
    if (c == static_cast<char>(type)) return true;
  }
  return false;
}

}  // namespace

std::string Request::Pack() const {
  std::string packed =
      absl::StrCat(NumberBytes(run, 1), NumberBytes(leak_repeats, 4), NumberBytes(leak_limit, 8),
                   NumberBytes(path.size(), 8), path, NumberBytes(functions.size(), 8));
  for (const auto& function : functions) {
    const std::string bytes = function->Pack();
    absl::StrAppend(&packed, NumberBytes(bytes.size(), 8), bytes);
  }
  return packed;
}

absl::StatusOr<Request> Request::Unpack(absl::string_view packed) {
  ByteCursor in(packed);
  Request request;
  request.run = in.U8() != 0;
  request.leak_repeats = static_cast<int>(in.U32());
  request.leak_limit = static_cast<int64_t>(in.U64());
  request.path = std::string(in.Take(in.U64()));
  for (uint64_t count = in.Count(8); count > 0; --count) {
    SEQ_ASSIGN_OR_RETURN(request.functions.emplace_back(),
                         EncodedFunction::Unpack(in.Take(in.U64())));
  }
  if (in.ok() && in.left() == 0) return request;
  return InvalidArgument("a probe's request is damaged");
}

std::string PackFrame(FrameType type, absl::string_view text) {
  text = text.substr(0, kMaxFrameText);
  return absl::StrCat(NumberBytes(static_cast<uint8_t>(type), 1), NumberBytes(text.size(), 4),
                      text);
}

bool TakeFrame(std::string& stream, Frame& frame, bool& damaged) {
  if (stream.size() < kFrameHead) return false;
  ByteCursor in(stream);
  const char type = static_cast<char>(in.U8());
  const uint32_t size = in.U32();
  damaged = !IsFrameType(type) || size > kMaxFrameText;
  if (damaged || in.left() < size) return false;
  frame = {static_cast<FrameType>(type), std::string(in.Take(size))};
  stream.erase(0, kFrameHead + size);
  return true;
}

}  // namespace seqgraph::probe
