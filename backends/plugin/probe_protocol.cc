#include "backends/plugin/probe_protocol.h"

#include <cstring>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
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

// A line of numbers, then texts of the lengths that it names.
constexpr size_t kFixedNumbers = 5;

}  // namespace

std::string Request::Pack() const {
  std::string head = absl::StrCat(run, " ", leak_repeats, " ", leak_limit, " ", functions.size(),
                                  " ", path.size());
  std::string body = path;
  for (const auto& function : functions) {
    const std::string packed = function->Pack();
    absl::StrAppend(&head, " ", packed.size());
    absl::StrAppend(&body, packed);
  }
  return absl::StrCat(head, "\n", body);
}

absl::StatusOr<Request> Request::Unpack(absl::string_view packed) {
  const absl::Status damaged = absl::InvalidArgumentError("a probe's request is damaged");
  const size_t line = packed.find('\n');
  if (line == absl::string_view::npos) return damaged;
  std::vector<int64_t> numbers;
  for (absl::string_view text : absl::StrSplit(packed.substr(0, line), ' ')) {
    int64_t number;
    if (!absl::SimpleAtoi(text, &number) || number < 0) return damaged;
    numbers.push_back(number);
  }
  absl::string_view rest = packed.substr(line + 1);
  if (numbers.size() < kFixedNumbers ||
      numbers.size() != kFixedNumbers + static_cast<size_t>(numbers[3])) {
    return damaged;
  }
  Request request;
  request.run = numbers[0] != 0;
  request.leak_repeats = static_cast<int>(numbers[1]);
  request.leak_limit = numbers[2];
  for (size_t i = kFixedNumbers - 1; i < numbers.size(); ++i) {
    if (static_cast<uint64_t>(numbers[i]) > rest.size()) return damaged;
    const absl::string_view text = rest.substr(0, numbers[i]);
    rest.remove_prefix(numbers[i]);
    if (i == kFixedNumbers - 1) {
      request.path = std::string(text);
      continue;
    }
    SEQ_ASSIGN_OR_RETURN(request.functions.emplace_back(), EncodedFunction::Unpack(text));
  }
  return request;
}

std::string PackFrame(FrameType type, absl::string_view text) {
  text = text.substr(0, kMaxFrameText);
  const uint32_t size = static_cast<uint32_t>(text.size());
  std::string frame(1, static_cast<char>(type));
  frame.append(reinterpret_cast<const char*>(&size), sizeof(size));
  return frame.append(text.data(), text.size());
}

bool TakeFrame(std::string& stream, Frame& frame, bool& damaged) {
  if (stream.size() < kFrameHead) return false;
  uint32_t size;
  std::memcpy(&size, stream.data() + 1, sizeof(size));
  damaged = !IsFrameType(stream[0]) || size > kMaxFrameText;
  if (damaged || stream.size() < kFrameHead + size) return false;
  frame = {static_cast<FrameType>(stream[0]), stream.substr(kFrameHead, size)};
  stream.erase(0, kFrameHead + size);
  return true;
}

}  // namespace seqgraph::probe
