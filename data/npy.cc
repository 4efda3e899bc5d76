#include "data/npy.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "base/memory_limit.h"
#include "base/status_macros.h"

namespace seqgraph::data {
namespace {

static_assert(std::endian::native == std::endian::little, "elements are copied as they lie");

constexpr absl::string_view kMagic("\x93NUMPY", 6);
constexpr size_t kAlignment = 64;
constexpr size_t kStart = size_t{128} << 10;  // Of a file; it holds any header that is read.
constexpr size_t kMaxRank = 32;               // numpy's own limit.

// The value of an IEEE half.
float FromHalf(uint16_t half) {
  const int exponent = half >> 10 & 31, fraction = half & 1023;
  const float magnitude =
      exponent == 0    ? std::ldexp(static_cast<float>(fraction), -24)
      : exponent == 31 ? (fraction == 0 ? std::numeric_limits<float>::infinity() : std::nanf(""))
                       : std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
  return (half & 0x8000) != 0 ? -magnitude : magnitude;
}

template <typename T>
T Load(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

// Elements as a file has them: numpy's kind and size, and what they become.
struct Element {
  absl::string_view descr;  // without the byte order
  NpyType type;
  // Writes the one element at `from` to `to`; null: as it is. False: no value of `type`.
  bool (*widen)(const char* from, char* to) = nullptr;

  int64_t size() const { return descr[1] - '0'; }
};

template <typename From, typename To>
bool Widen(const char* from, char* to) {
  const From value = Load<From>(from);
  const To wide = static_cast<To>(value);
  std::memcpy(to, &wide, sizeof wide);
  return wide >= 0 || value < static_cast<From>(1);  // Only uint64 can turn negative.
}

bool WidenHalf(const char* from, char* to) {
  const float wide = FromHalf(Load<uint16_t>(from));
  std::memcpy(to, &wide, sizeof wide);
  return true;
}

constexpr Element kElements[] = {
    {"i4", NpyType::kInt32},
    {"i8", NpyType::kInt64},
    {"f4", NpyType::kFloat32},
    {"f8", NpyType::kFloat64},
    {"b1", NpyType::kInt32, Widen<uint8_t, int32_t>},
    {"i1", NpyType::kInt32, Widen<int8_t, int32_t>},
    {"u1", NpyType::kInt32, Widen<uint8_t, int32_t>},
    {"i2", NpyType::kInt32, Widen<int16_t, int32_t>},
    {"u2", NpyType::kInt32, Widen<uint16_t, int32_t>},
    {"u4", NpyType::kInt64, Widen<uint32_t, int64_t>},
    {"u8", NpyType::kInt64, Widen<uint64_t, int64_t>},
    {"f2", NpyType::kFloat32, WidenHalf},
};

// Null for one that is not read.
const Element* FindElement(absl::string_view descr) {
  if (descr.size() != 3 || !absl::StrContains("<>|", descr[0])) return nullptr;
  for (const Element& element : kElements) {
    if (element.descr != descr.substr(1)) continue;
    return descr[0] == '|' && element.size() > 1 ? nullptr : &element;
  }
  return nullptr;
}

struct Header {
  size_t bytes = 0;  // of the file, in front of the elements
  const Element* element = nullptr;
  bool big_endian = false;
  std::optional<std::vector<int64_t>> shape;
  std::optional<bool> fortran_order;
};

// Reads the Python dictionary literal {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }.
class HeaderParser {
 public:
  HeaderParser(absl::string_view text, absl::string_view name) : rest_(text), name_(name) {}

  absl::StatusOr<Header> Parse() {
    Header header;
    if (!Take('{')) return Expected("'{'");
    while (!Take('}')) {
      const std::optional<absl::string_view> key = TakeString();
      if (!key.has_value() || !Take(':')) return Expected("a key in quotes and ':'");
      SEQ_RETURN_IF_ERROR(ParseValue(*key, &header));
      if (!Take(',')) {
        if (!Take('}')) return Expected("',' or '}'");
        break;
      }
    }
    SkipSpace();
    if (!rest_.empty()) return Expected("the end of the header");
    if (header.element == nullptr || !header.shape || !header.fortran_order) {
      return Expected("each of 'descr', 'fortran_order' and 'shape'");
    }
    return header;
  }

 private:
  absl::Status ParseValue(absl::string_view key, Header* header) {
    if (key == "descr" && header->element == nullptr) {
      const std::optional<absl::string_view> descr = TakeString();
      if (!descr.has_value()) return Expected("an element type in quotes (not a record type)");
      header->element = FindElement(*descr);
      header->big_endian = absl::StartsWith(*descr, ">");
      if (header->element != nullptr) return absl::OkStatus();
      return InvalidArgument(name_, ": expected elements that are numbers of at most 8 bytes (not ",
                             "complex) or truth values, found '",
                             absl::CHexEscape(descr->substr(0, 20)), "'; convert it with astype()");
    }
    if (key == "fortran_order" && !header->fortran_order) {
      if (TakeWord("False")) {
        header->fortran_order = false;
        return absl::OkStatus();
      }
      if (!TakeWord("True")) return Expected("True or False");
      header->fortran_order = true;
      return absl::OkStatus();
    }
    if (key == "shape" && !header->shape) return ParseShape(header);
    return Expected("one each of the keys 'descr', 'fortran_order' and 'shape'");
  }

  absl::Status ParseShape(Header* header) {
    std::vector<int64_t> shape;
    if (!Take('(')) return Expected("'('");
    while (!Take(')')) {
      int64_t dim = 0;
      size_t digits = 0;
      SkipSpace();
      while (digits < rest_.size() && absl::ascii_isdigit(rest_[digits])) ++digits;
      if (digits == 0 || !absl::SimpleAtoi(rest_.substr(0, digits), &dim)) {
        return Expected("a dimension that fits 63 bits");
      }
      rest_.remove_prefix(digits);
      shape.push_back(dim);
      if (shape.size() > kMaxRank) return Expected("at most 32 dimensions");
      if (!Take(',')) {
        if (!Take(')')) return Expected("',' or ')'");
        break;
      }
    }
    header->shape = std::move(shape);
    return absl::OkStatus();
  }

  void SkipSpace() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\n')) rest_.remove_prefix(1);
  }
  bool Take(char c) {
    SkipSpace();
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool TakeWord(absl::string_view word) {
    SkipSpace();
    return absl::ConsumePrefix(&rest_, word);
  }
  std::optional<absl::string_view> TakeString() {
    SkipSpace();
    if (rest_.empty() || (rest_[0] != '\'' && rest_[0] != '"')) return std::nullopt;
    const size_t end = rest_.find(rest_[0], 1);
    if (end == absl::string_view::npos) return std::nullopt;
    const absl::string_view content = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return content;
  }
  absl::Status Expected(absl::string_view what) const {
    return InvalidArgument(name_, ": malformed .npy header: expected ", what, " at \"",
                           absl::CHexEscape(rest_.substr(0, 20)), "\"");
  }

  absl::string_view rest_;
  const absl::string_view name_;
};

// The bytes that the elements need, or nothing if that does not fit 63 bits.
std::optional<int64_t> ByteCount(int64_t element, absl::Span<const int64_t> shape) {
  int64_t bytes = element;
  bool empty = false;
  for (int64_t dim : shape) {
    if (dim < 0) return std::nullopt;
    empty |= dim == 0;
  }
  if (empty) return 0;
  for (int64_t dim : shape) {
    if (bytes > std::numeric_limits<int64_t>::max() / dim) return std::nullopt;
    bytes *= dim;
  }
  return bytes;
}

// The elements of `data`, as many as the shape says, where the first index runs fastest, so that
// the last one does.
std::vector<char> FromFortranOrder(absl::string_view data, size_t item,
                                   absl::Span<const int64_t> shape) {
  std::vector<char> elements(data.size());
  std::vector<int64_t> stride(shape.size(), 1);
  for (size_t d = 1; d < shape.size(); ++d) stride[d] = stride[d - 1] * shape[d - 1];
  std::vector<int64_t> index(shape.size(), 0);
  int64_t source = 0;
  for (size_t at = 0; at < data.size(); at += item) {
    std::memcpy(elements.data() + at, data.data() + static_cast<size_t>(source) * item, item);
    for (size_t d = shape.size(); d-- > 0;) {  // Count on, the last index first.
      source += stride[d];
      if (++index[d] < shape[d]) break;
      source -= stride[d] * shape[d];
      index[d] = 0;
    }
  }
  return elements;
}

// Makes elements, which lie in our byte order, those of the type that they become.
absl::Status WidenElements(const Element& element, std::vector<char>& bytes) {
  if (element.widen == nullptr) return absl::OkStatus();
  const size_t from = static_cast<size_t>(element.size());
  const size_t to = static_cast<size_t>(NpyItemSize(element.type));
  std::vector<char> wide(bytes.size() / from * to);
  for (size_t i = 0; i < bytes.size() / from; ++i) {
    if (element.widen(bytes.data() + i * from, wide.data() + i * to)) continue;
    return InvalidArgument("element ", i, " is ", Load<uint64_t>(bytes.data() + i * from),
                           ", and there are no numbers beyond 2^63 - 1 here");
  }
  bytes = std::move(wide);
  return absl::OkStatus();
}

std::string ShapeText(absl::Span<const int64_t> shape) {
  return absl::StrCat("(", absl::StrJoin(shape, ", "), shape.size() == 1 ? ",)" : ")");
}

// The header of a whole file, or of its first bytes.
absl::StatusOr<Header> ReadHeader(absl::string_view bytes, absl::string_view name) {
  const auto malformed = [name](auto... what) {
    return InvalidArgument(name, ": not a .npy file: ", what...);
  };
  const auto byte = [&bytes](size_t i) { return static_cast<unsigned char>(bytes[i]); };
  if (!absl::StartsWith(bytes, kMagic)) return malformed("expected it to start with \\x93NUMPY");
  if (bytes.size() < 10) return malformed("cut off in its first 10 bytes");
  const int major = byte(6);
  if (major < 1 || major > 3 || byte(7) != 0) {
    return malformed("expected version 1.0, 2.0 or 3.0, found ", major, ".", byte(7));
  }
  size_t start = 10;
  size_t length = byte(8) | byte(9) << 8;
  if (major >= 2) {
    if (bytes.size() < 12) return malformed("cut off in its first 12 bytes");
    length |= static_cast<size_t>(byte(10)) << 16 | static_cast<size_t>(byte(11)) << 24;
    start = 12;
  }
  if (length > bytes.size() - start) {
    return malformed("its header of ", length, " bytes is cut off after ", bytes.size() - start);
  }
  SEQ_ASSIGN_OR_RETURN(Header header, HeaderParser(bytes.substr(start, length), name).Parse());
  header.bytes = start + length;
  return header;
}

absl::StatusOr<NpySize> SizeOf(const Header& header, absl::string_view name) {
  const Element& element = *header.element;
  const std::optional<int64_t> bytes = ByteCount(element.size(), *header.shape);
  if (!bytes.has_value()) {
    return InvalidArgument(name, ": expected more than 2^63 bytes for shape ",
                           ShapeText(*header.shape), " of ", element.descr);
  }
  const int64_t elements = *bytes / element.size(), item = NpyItemSize(element.type);
  if (*bytes > kMaxNpyBytes || elements > kMaxNpyBytes / item) {
    return ResourceExhausted(name, ": its elements, as ", NpyDescr(element.type),
                             ", are more than ", kMaxNpyBytes, " bytes");
  }
  return NpySize{.file = static_cast<int64_t>(header.bytes) + *bytes, .array = elements * item};
}

}  // namespace

absl::string_view NpyDescr(NpyType type) {
  switch (type) {
    case NpyType::kInt32:
      return "<i4";
    case NpyType::kInt64:
      return "<i8";
    case NpyType::kFloat32:
      return "<f4";
    case NpyType::kFloat64:
      return "<f8";
  }
  return "";
}

int64_t NpyItemSize(NpyType type) { return NpyDescr(type)[2] - '0'; }

absl::Status NpyArray::CheckType(NpyType wanted) const {
  if (type == wanted) return absl::OkStatus();
  return InvalidArgument("expected an array of type ", NpyDescr(wanted), ", found ",
                         NpyDescr(type));
}

std::string NpyHeader(NpyType type, absl::Span<const int64_t> shape) {
  std::string dictionary =
      absl::StrCat("{'descr': '", NpyDescr(type),
                   "', 'fortran_order': False, 'shape': ", ShapeText(shape), ", }");
  const size_t prefix = kMagic.size() + 4;  // Version and length.
  const size_t total = (prefix + dictionary.size() + 1 + kAlignment - 1) / kAlignment * kAlignment;
  dictionary.append(total - prefix - dictionary.size() - 1, ' ');
  dictionary.push_back('\n');
  std::string header(kMagic);
  header.append({'\x01', '\x00', static_cast<char>(dictionary.size() & 0xff),
                 static_cast<char>(dictionary.size() >> 8)});
  return header + dictionary;
}

absl::StatusOr<std::string> NpyFile(NpyType type, absl::Span<const int64_t> shape,
                                    absl::string_view elements) {
  const std::optional<int64_t> expected = ByteCount(NpyItemSize(type), shape);
  if (shape.size() > kMaxRank || expected != static_cast<int64_t>(elements.size())) {
    return InvalidArgument("an array of shape ", ShapeText(shape), " and type ", NpyDescr(type),
                           " does not have ", elements.size(), " bytes");
  }
  return absl::StrCat(NpyHeader(type, shape), elements);
}

absl::StatusOr<NpyArray> ParseNpy(absl::string_view bytes, absl::string_view name) {
  SEQ_ASSIGN_OR_RETURN(const Header header, ReadHeader(bytes, name));
  const absl::string_view data = bytes.substr(header.bytes);
  const Element& element = *header.element;
  SEQ_ASSIGN_OR_RETURN(const NpySize size, SizeOf(header, name));
  if (size.file != static_cast<int64_t>(bytes.size())) {
    return InvalidArgument(name, ": expected ", size.file - static_cast<int64_t>(header.bytes),
                           " bytes for shape ", ShapeText(*header.shape), " of ", element.descr,
                           ", found ", data.size());
  }
  NpyArray array{.type = element.type, .shape = *header.shape, .bytes = {}};
  const size_t item = static_cast<size_t>(element.size());
  array.bytes = *header.fortran_order ? FromFortranOrder(data, item, array.shape)
                                      : std::vector<char>(data.begin(), data.end());
  if (header.big_endian) {
    for (auto at = array.bytes.begin(); at != array.bytes.end(); at += element.size()) {
      std::reverse(at, at + element.size());
    }
  }
  SEQ_RETURN_IF_ERROR(Annotate(WidenElements(element, array.bytes), name));
  return array;
}

absl::StatusOr<NpySize> MeasureNpy(absl::string_view start, absl::string_view name) {
  SEQ_ASSIGN_OR_RETURN(const Header header, ReadHeader(start, name));
  return SizeOf(header, name);
}

absl::StatusOr<NpyArray> ReadNpy(const std::string& path) {
  std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "rbe"), std::fclose);
  if (file == nullptr) return absl::ErrnoToStatus(errno, absl::StrCat("cannot open '", path, "'"));
  const std::string name = absl::StrCat("'", path, "'");
  std::string bytes;
  std::vector<char> block(kStart);
  size_t got;
  while ((got = std::fread(block.data(), 1, block.size(), file.get())) > 0) {
    if (bytes.empty()) {
      SEQ_ASSIGN_OR_RETURN(const NpySize size, MeasureNpy({block.data(), got}, name));
      SEQ_RETURN_IF_ERROR(CheckMemory(size.file + size.array, name));
    }
    bytes.append(block.data(), got);
    if (static_cast<int64_t>(bytes.size()) > kMaxNpyBytes) {
      return ResourceExhausted("'", path, "' is longer than ", kMaxNpyBytes, " bytes");
    }
  }
  if (std::ferror(file.get()) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("reading '", path, "'"));
  }
  return ParseNpy(bytes, name);
}

}  // namespace seqgraph::data
