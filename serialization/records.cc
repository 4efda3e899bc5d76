#include "serialization/records.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>

#include "base/atomic_file.h"
#include "base/byte_cursor.h"
#include "base/content_hash.h"
#include "base/crc32c.h"

namespace seqgraph {
namespace {

constexpr absl::string_view kRecordsMark = "SEQREC1\n";
constexpr size_t kGuard = 4;
constexpr size_t kWrittenTogether = 1 << 16;  // bytes

// Numbers in files; never reuse one.
enum class RecordKind : uint8_t {
  kInt = 1,
  kDouble = 2,
  kText = 3,
  kInts = 4,
  kDoubles = 5,
  kTexts = 6,
  kTensor = 7,
  kEnd = 255,
};

static_assert(std::endian::native == std::endian::little);
template <typename T>
absl::string_view ElementBytes(const T* elements, size_t count) {
  return {reinterpret_cast<const char*>(elements), count * sizeof(T)};
}

// The content of each kind, and back. Write gives the bytes in up to two parts, so that a large
// tensor is not copied.
struct RecordContent {
  RecordKind kind;
  std::string own;
  absl::string_view rest;
};

struct WriteValue {
  RecordContent operator()(int64_t value) const {
    return {RecordKind::kInt, NumberBytes(value, 8), {}};
  }
  RecordContent operator()(double value) const {
    return {RecordKind::kDouble, NumberBytes(std::bit_cast<uint64_t>(value), 8), {}};
  }
  RecordContent operator()(const std::string& value) const {
    return {RecordKind::kText, "", value};
  }
  RecordContent operator()(const std::vector<int64_t>& value) const {
    return {RecordKind::kInts, "", ElementBytes(value.data(), value.size())};
  }
  RecordContent operator()(const std::vector<double>& value) const {
    return {RecordKind::kDoubles, "", ElementBytes(value.data(), value.size())};
  }
  RecordContent operator()(const std::vector<std::string>& value) const {
    RecordContent content{RecordKind::kTexts, NumberBytes(value.size(), 8), {}};
    for (const std::string& text : value) {
      absl::StrAppend(&content.own, NumberBytes(text.size(), 8), text);
    }
    return content;
  }
  RecordContent operator()(const Tensor& value) const {
    RecordContent content{
        RecordKind::kTensor, NumberBytes(static_cast<uint64_t>(value.dtype()), 1), {}};
    absl::StrAppend(&content.own, NumberBytes(value.shape().rank(), 1));
    for (int i = 0; i < value.shape().rank(); ++i) {
      absl::StrAppend(&content.own, NumberBytes(value.shape()[i].size(), 8));
    }
    content.rest = ElementBytes(static_cast<const char*>(value.data()), value.num_bytes());
    return content;
  }
};

template <typename T>
std::vector<T> ElementsOf(absl::string_view bytes) {
  std::vector<T> elements(bytes.size() / sizeof(T));
  if (!elements.empty()) std::memcpy(elements.data(), bytes.data(), bytes.size());
  return elements;
}

std::optional<Records::Value> ReadTensorValue(absl::string_view bytes) {
  ByteCursor cursor(bytes);
  const auto dtype = static_cast<DType>(cursor.U8());
  if (dtype < DType::kFloat32 || dtype > DType::kInt64) return std::nullopt;
  const int rank = cursor.U8();
  if (rank > Shape::kMaxRank) return std::nullopt;
  std::vector<Dim> dims;
  int64_t elements = 1;
  for (int i = 0; i < rank; ++i) {
    const auto extent = static_cast<int64_t>(cursor.U64());
    if (extent < 0 || extent > Shape::kMaxElements / std::max<int64_t>(elements, 1)) {
      return std::nullopt;
    }
    elements *= extent;
    dims.push_back(extent);
  }
  if (!cursor.ok() || cursor.left() != static_cast<size_t>(elements * SizeOf(dtype))) {
    return std::nullopt;
  }
  return Tensor::CopyOf({dtype, Shape(dims)}, bytes.data() + cursor.position());
}

std::optional<Records::Value> ReadTextsValue(absl::string_view bytes) {
  ByteCursor cursor(bytes);
  std::vector<std::string> texts(cursor.Count(8));
  for (std::string& text : texts) text = std::string(cursor.Take(cursor.U64()));
  if (!cursor.ok() || cursor.left() != 0) return std::nullopt;
  return texts;
}

std::optional<Records::Value> ReadValue(RecordKind kind, absl::string_view bytes) {
  const bool whole_numbers = bytes.size() % 8 == 0, one = bytes.size() == 8;
  switch (kind) {
    case RecordKind::kInt:
      if (one) return static_cast<int64_t>(ByteCursor(bytes).U64());
      break;
    case RecordKind::kDouble:
      if (one) return std::bit_cast<double>(ByteCursor(bytes).U64());
      break;
    case RecordKind::kText:
      return std::string(bytes);
    case RecordKind::kInts:
      if (whole_numbers) return ElementsOf<int64_t>(bytes);
      break;
    case RecordKind::kDoubles:
      if (whole_numbers) return ElementsOf<double>(bytes);
      break;
    case RecordKind::kTexts:
      return ReadTextsValue(bytes);
    case RecordKind::kTensor:
      return ReadTensorValue(bytes);
    case RecordKind::kEnd:
      break;
  }
  return std::nullopt;
}

// What comes before and behind the content; the guard is that of all three.
struct RecordFrame {
  std::string head, guard;
};
RecordFrame FrameOf(RecordKind kind, absl::string_view name, absl::string_view own,
                    absl::string_view rest) {
  RecordFrame frame{
      absl::StrCat(NumberBytes(static_cast<uint8_t>(kind), 1), NumberBytes(name.size(), 4),
                   NumberBytes(own.size() + rest.size(), 8), name),
      ""};
  frame.guard = NumberBytes(Crc32c(rest, Crc32c(own, Crc32c(frame.head))), kGuard);
  return frame;
}

std::string EndRecord(size_t count, absl::string_view guards) {
  const ContentHash hash = HashBytes(guards);
  const std::string content =
      absl::StrCat(NumberBytes(count, 8), ElementBytes(hash.bytes.data(), hash.bytes.size()));
  const RecordFrame frame = FrameOf(RecordKind::kEnd, "", content, "");
  return absl::StrCat(frame.head, content, frame.guard);
}

}  // namespace

const Records::Value* Records::Find(absl::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? nullptr : &found->second;
}

void Records::Erase(absl::string_view name) {
  const auto found = values_.find(name);
  if (found != values_.end()) values_.erase(found);
}

bool SameBits(const Records::Value& a, const Records::Value& b) {
  const RecordContent x = std::visit(WriteValue(), a), y = std::visit(WriteValue(), b);
  return x.kind == y.kind && x.own == y.own && x.rest == y.rest;
}

absl::Status WriteRecords(const Records& records, const std::string& path) {
  SEQ_ASSIGN_OR_RETURN(const std::unique_ptr<AtomicFile> file, AtomicFile::Create(path));
  // Small records go together: a call of the system each would take longer than they do.
  std::string together(kRecordsMark), guards;
  const auto write = [&](absl::string_view part) {
    if (together.size() + part.size() <= kWrittenTogether) {
      together.append(part.data(), part.size());
      return absl::OkStatus();
    }
    SEQ_RETURN_IF_ERROR(file->Write(together));
    together.clear();
    return file->Write(part);
  };
  for (const auto& [name, value] : records.all()) {
    const RecordContent content = std::visit(WriteValue(), value);
    const RecordFrame frame = FrameOf(content.kind, name, content.own, content.rest);
    for (const absl::string_view part :
         {absl::string_view(frame.head), absl::string_view(content.own), content.rest,
          absl::string_view(frame.guard)}) {
      SEQ_RETURN_IF_ERROR(write(part));
    }
    guards += frame.guard;
  }
  SEQ_RETURN_IF_ERROR(write(EndRecord(records.all().size(), guards)));
  SEQ_RETURN_IF_ERROR(file->Write(together));
  return file->Commit();
}

RecordsRead DecodeRecords(absl::string_view bytes) {
  RecordsRead read;
  const auto damaged = [&](size_t at, const auto&... what) {
    read.status = DataLoss("damaged at byte ", at, ": ", what...);
    return std::move(read);
  };
  if (bytes.substr(0, kRecordsMark.size()) != kRecordsMark) {
    return damaged(0, "it does not begin as a file of records does");
  }
  std::string guards;
  size_t begin = kRecordsMark.size();
  while (true) {
    ByteCursor cursor(bytes.substr(begin));
    const auto kind = static_cast<RecordKind>(cursor.U8());
    const uint32_t name_size = cursor.U32();
    const uint64_t size = cursor.U64();
    const absl::string_view name = cursor.Take(name_size), content = cursor.Take(size);
    const size_t guarded = cursor.position();
    const absl::string_view guard = cursor.Take(kGuard);
    if (!cursor.ok()) return damaged(begin, "the file ends in the middle of a record");
    if (NumberBytes(Crc32c(bytes.substr(begin, guarded)), kGuard) != guard) {
      return damaged(begin, "a record is not as it was written");
    }
    if (kind == RecordKind::kEnd) {
      const size_t end = begin + cursor.position();
      if (bytes.substr(begin, end - begin) != EndRecord(read.records.all().size(), guards)) {
        return damaged(begin, "records are missing or out of their order");
      }
      if (end != bytes.size()) return damaged(end, "there is more behind the last record");
      return read;
    }
    std::optional<Records::Value> value = ReadValue(kind, content);
    if (!value.has_value()) return damaged(begin, "a record of no kind that is known");
    if (read.records.Find(name) != nullptr) return damaged(begin, "a record is there twice");
    read.records.Set(std::string(name), *std::move(value));
    guards.append(guard.data(), guard.size());
    begin += cursor.position();
  }
}

absl::StatusOr<Records> ReadRecords(const std::string& path) {
  SEQ_ASSIGN_OR_RETURN(const std::string bytes,
                       ReadFile(path, std::numeric_limits<int64_t>::max()));
  RecordsRead read = DecodeRecords(bytes);
  if (!read.status.ok()) return Annotate(read.status, path);
  return std::move(read.records);
}

}  // namespace seqgraph
