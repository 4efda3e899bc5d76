#include "serialization/keras/python_object.h"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "base/status_macros.h"

namespace seqgraph::keras {
namespace {

constexpr int kMaxObjectDepth = 16;
constexpr size_t kMaxCodeBytes = 1 << 16;

// Numbers of instructions.
constexpr uint8_t kCache = 0, kResume311 = 151, kResume313 = 149, kLoadAttr = 106,
                  kCopyFree311 = 149, kCopyFree313 = 62;
// Words behind an attribute's instruction in 3.12, which are for the interpreter; 3.11 has 4.
constexpr int kCachesOfAttribute312 = 9;

class ObjectReader {
 public:
  explicit ObjectReader(absl::string_view bytes) : bytes_(bytes) {}

  absl::StatusOr<PythonCode> Code() {
    SEQ_ASSIGN_OR_RETURN(const uint8_t type, Byte());
    const bool shared = (type & kShared) != 0;
    if ((type & ~kShared) != 'c') return Unimplemented("it holds no function");
    if (shared) objects_.push_back(Json());
    PythonCode code;
    // Arguments, perhaps arguments by place alone, arguments by name alone, locals before 3.11, the
    // depth of the stack, flags: 5 or 6 numbers in front of the instructions.
    std::vector<int32_t> numbers;
    while (numbers.size() < 5 || !IsBytes()) {
      if (numbers.size() == 6) return InvalidArgument("its code has no instructions");
      SEQ_ASSIGN_OR_RETURN(numbers.emplace_back(), Int());
    }
    code.arguments = numbers[0];
    SEQ_ASSIGN_OR_RETURN(const Json instructions, Object(0));
    if (!instructions.is_string()) return InvalidArgument("its code has no instructions");
    code.instructions = instructions.get<std::string>();
    code.version = Version(code.instructions, numbers.size());
    SEQ_ASSIGN_OR_RETURN(code.constants, Object(0));
    SEQ_ASSIGN_OR_RETURN(code.names, Object(0));
    SEQ_ASSIGN_OR_RETURN(code.variables, Object(0));
    SEQ_RETURN_IF_ERROR(FreeVariables(code));
    for (const Json* list :
         {&code.constants, &code.names, &code.variables, &code.free, &code.cells}) {
      if (!list->is_array()) return InvalidArgument("its code has no lists of names");
    }
    if (code.arguments < 0 || code.arguments > static_cast<int>(code.variables.size())) {
      return InvalidArgument("its code has ", code.arguments, " arguments");
    }
    return code;
  }

 private:
  static constexpr uint8_t kShared = 0x80;

  // To 3.10 two lists, of which the second comes first in numbers; from 3.11 on the variables with
  // a mark are free, and are counted with all others.
  absl::Status FreeVariables(PythonCode& code) {
    if (code.version == 310) {
      SEQ_ASSIGN_OR_RETURN(code.free, Object(0));
      SEQ_ASSIGN_OR_RETURN(code.cells, Object(0));
      if (!code.free.is_array() || !code.cells.is_array()) return absl::OkStatus();
      for (const Json& name : code.free) code.cells.push_back(name);
      return absl::OkStatus();
    }
    constexpr uint8_t kFree = 0x80;
    SEQ_ASSIGN_OR_RETURN(const Json kinds, Object(0));
    if (!kinds.is_string()) return InvalidArgument("its code does not say its variables");
    const std::string marks = kinds.get<std::string>();
    for (size_t i = 0; i < marks.size() && i < code.variables.size(); ++i) {
      if ((static_cast<uint8_t>(marks[i]) & kFree) != 0) code.free.push_back(code.variables[i]);
    }
    code.cells = code.variables;
    return absl::OkStatus();
  }

  // From 3.11 on a function begins with RESUME, perhaps behind what takes over free variables. 3.11
  // and 3.12 differ in what is behind attributes.
  static int Version(absl::string_view code, size_t numbers) {
    const auto at = [&](size_t i) { return static_cast<uint8_t>(i < code.size() ? code[i] : 0); };
    const bool is313 = at(0) == kResume313 || (at(0) == kCopyFree313 && at(2) == kResume313);
    const bool is311 = at(0) == kResume311 || (at(0) == kCopyFree311 && at(2) == kResume311);
    if (numbers == 6 || (!is311 && !is313)) return 310;
    if (!is311) return 313;
    bool any = false;
    for (size_t i = 2; i + 1 < code.size(); i += 2) {
      if (at(i) != kLoadAttr) continue;
      any = true;
      int caches = 0;
      while (i + 3 < code.size() && at(i + 2) == kCache) i += 2, ++caches;
      if (caches < kCachesOfAttribute312) return 311;
    }
    return any ? 312 : 311;
  }

  bool IsBytes() const {
    return at_ < bytes_.size() && (static_cast<uint8_t>(bytes_[at_]) & ~kShared) == 's';
  }

  absl::StatusOr<absl::string_view> Take(size_t size) {
    if (size > bytes_.size() - at_) return InvalidArgument("its code is cut off");
    at_ += size;
    return bytes_.substr(at_ - size, size);
  }

  absl::StatusOr<uint8_t> Byte() {
    SEQ_ASSIGN_OR_RETURN(const absl::string_view byte, Take(1));
    return static_cast<uint8_t>(byte[0]);
  }

  // Little-endian.
  absl::StatusOr<int32_t> Int() {
    SEQ_ASSIGN_OR_RETURN(const absl::string_view bytes, Take(4));
    uint32_t value = 0;
    for (size_t i = 0; i < 4; ++i) value |= uint32_t{static_cast<uint8_t>(bytes[i])} << (8 * i);
    return static_cast<int32_t>(value);
  }

  // Of a text or a list.
  absl::StatusOr<size_t> Size(bool is_short) {
    int32_t size = 0;
    if (is_short) {
      SEQ_ASSIGN_OR_RETURN(size, Byte());
    } else {
      SEQ_ASSIGN_OR_RETURN(size, Int());
    }
    if (size < 0) return InvalidArgument("its code is damaged");
    return static_cast<size_t>(size);
  }

  absl::StatusOr<Json> Text(bool is_short) {
    SEQ_ASSIGN_OR_RETURN(const size_t size, Size(is_short));
    SEQ_ASSIGN_OR_RETURN(const absl::string_view text, Take(size));
    return Json(std::string(text));
  }

  absl::StatusOr<Json> Tuple(bool is_short, int depth) {
    SEQ_ASSIGN_OR_RETURN(const size_t size, Size(is_short));
    // Each has a byte at least.
    if (size > bytes_.size() - at_) return InvalidArgument("its code is damaged");
    Json tuple = Json::array();
    for (size_t i = 0; i < size; ++i) {
      SEQ_ASSIGN_OR_RETURN(Json each, Object(depth + 1));
      tuple.push_back(std::move(each));
    }
    return tuple;
  }

  absl::StatusOr<Json> Object(int depth) {
    if (depth > kMaxObjectDepth) return InvalidArgument("its constants lie in each other too deep");
    SEQ_ASSIGN_OR_RETURN(const uint8_t flagged, Byte());
    const uint8_t type = flagged & ~kShared;
    if (type == 'r') {
      SEQ_ASSIGN_OR_RETURN(const int32_t index, Int());
      if (index < 0 || static_cast<size_t>(index) >= objects_.size()) {
        return InvalidArgument("its code refers to what it does not have");
      }
      copied_ += objects_[index].dump(-1, ' ', true, Json::error_handler_t::replace).size();
      if (copied_ > kMaxCodeBytes) return InvalidArgument("its code refers to too much");
      return objects_[index];
    }
    const size_t place = objects_.size();
    if ((flagged & kShared) != 0) objects_.push_back(Json());
    SEQ_ASSIGN_OR_RETURN(Json object, Plain(type, depth));
    if ((flagged & kShared) != 0) objects_[place] = object;
    return object;
  }

  absl::StatusOr<Json> Plain(uint8_t type, int depth) {
    switch (type) {
      case 'N':
        return Json();
      case 'T':
        return Json(true);
      case 'F':
        return Json(false);
      case '.':
        return Json{{"class_name", "__ellipsis__"}, {"config", Json::object()}};
      case 'i': {
        SEQ_ASSIGN_OR_RETURN(const int32_t number, Int());
        return Json(number);
      }
      case 'g': {
        SEQ_ASSIGN_OR_RETURN(const absl::string_view bytes, Take(8));
        double number = 0;
        std::memcpy(&number, bytes.data(), 8);
        if (!std::isfinite(number)) return Unimplemented("it has a number that is not finite");
        return Json(number);
      }
      case 'z':
      case 'Z':
        return Text(/*is_short=*/true);
      case 's':
      case 'a':
      case 'A':
      case 'u':
      case 't':
        return Text(/*is_short=*/false);
      case ')':
        return Tuple(/*is_short=*/true, depth);
      case '(':
        return Tuple(/*is_short=*/false, depth);
      case 'c':
        return Unimplemented("it has a function in it");
      default:
        return Unimplemented("it has a constant that is not known here");
    }
  }

  absl::string_view bytes_;
  size_t at_ = 0;
  std::vector<Json> objects_;  // that later ones may refer to
  size_t copied_ = 0;          // bytes of them
};

}  // namespace

absl::StatusOr<PythonCode> ParsePythonCode(absl::string_view bytes) {
  if (bytes.size() > kMaxCodeBytes) return Unimplemented("its code has ", bytes.size(), " bytes");
  return ObjectReader(bytes).Code();
}

}  // namespace seqgraph::keras
