#include "data/series/tensor_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "base/atomic_file.h"
#include "base/byte_cursor.h"
#include "base/crc32c.h"

namespace seqgraph::data {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kMetadata[] = "__metadata__";
constexpr char kChecks[] = "checks";
constexpr int64_t kCheckedBytes = int64_t{1} << 20;
constexpr size_t kAlignment = 64;   // Of the first array.
constexpr int kMaxHeaderDepth = 3;  // {"values": {"shape": [1]}}
// What a header takes once it is parsed, beside its bytes.
constexpr int64_t kParsedBytes = 16;

int64_t ElementBytes(absl::string_view type) {
  if (type == "F32" || type == "I32") return 4;
  return type == "F64" || type == "I64" ? 8 : 0;
}

int64_t NumChecks(int64_t bytes) { return (bytes + kCheckedBytes - 1) / kCheckedBytes; }

// A whole number that is not negative; false for anything else.
bool TakeSize(const Json& value, int64_t* size) {
  if (!value.is_number_unsigned() || value.get<uint64_t>() > (uint64_t{1} << 62)) return false;
  *size = static_cast<int64_t>(value.get<uint64_t>());
  return true;
}

// An array as the header describes it, of a file whose arrays begin at `data` and end at `end`.
bool TakeTensor(const Json& value, int64_t data, int64_t end, TensorFile::Tensor* tensor) {
  if (!value.is_object()) return false;
  const auto type = value.find("dtype"), shape = value.find("shape"),
             offsets = value.find("data_offsets");
  if (type == value.end() || shape == value.end() || offsets == value.end() || !type->is_string() ||
      !shape->is_array() || !offsets->is_array() || offsets->size() != 2) {
    return false;
  }
  tensor->type = type->get_ref<const std::string&>();
  int64_t elements = 1, from = 0, to = 0;
  for (const Json& extent : *shape) {
    tensor->shape.push_back(0);
    if (!TakeSize(extent, &tensor->shape.back())) return false;
    if (__builtin_mul_overflow(elements, tensor->shape.back(), &elements)) return false;
  }
  int64_t bytes = 0;
  if (!TakeSize((*offsets)[0], &from) || !TakeSize((*offsets)[1], &to) || from > to ||
      to > end - data || __builtin_mul_overflow(elements, ElementBytes(tensor->type), &bytes)) {
    return false;
  }
  tensor->begin = data + from;
  tensor->bytes = to - from;
  return bytes == tensor->bytes;
}

}  // namespace

std::vector<int64_t> ChecksOf(absl::string_view bytes) {
  std::vector<int64_t> checks;
  for (; !bytes.empty(); bytes.remove_prefix(std::min<size_t>(bytes.size(), kCheckedBytes))) {
    checks.push_back(Crc32c(bytes.substr(0, kCheckedBytes)));
  }
  return checks;
}

void TensorFileWriter::AddBytes(const std::string& name, absl::string_view type,
                                const std::vector<int64_t>& shape, absl::string_view bytes) {
  if (!bytes.empty()) tensors_.push_back({name, type, shape, bytes});
}

absl::Status TensorFileWriter::Write(const std::string& metadata_name, const std::string& metadata,
                                     const std::string& path) {
  std::vector<int64_t> checks;  // Until this returns.
  for (const Tensor& tensor : tensors_) {
    const std::vector<int64_t> more = ChecksOf(tensor.bytes);
    checks.insert(checks.end(), more.begin(), more.end());
  }
  checks.push_back(0);  // the header's, which is not known yet
  Add(kChecks, {static_cast<int64_t>(checks.size())}, absl::MakeConstSpan(checks));
  Json json;
  json[kMetadata] = {{metadata_name, metadata}};
  size_t at = 0;
  for (const Tensor& tensor : tensors_) {
    json[tensor.name] = {{"dtype", tensor.type},
                         {"shape", tensor.shape},
                         {"data_offsets", {at, at + tensor.bytes.size()}}};
    at += tensor.bytes.size();
  }
  std::string header = json.dump();
  header.resize((header.size() + 8 + kAlignment - 1) / kAlignment * kAlignment - 8, ' ');
  header.insert(0, NumberBytes(header.size(), 8));
  checks.back() = Crc32c(header);
  SEQ_ASSIGN_OR_RETURN(const std::unique_ptr<AtomicFile> file, AtomicFile::Create(path));
  SEQ_RETURN_IF_ERROR(file->Write(header));
  for (const Tensor& tensor : tensors_) SEQ_RETURN_IF_ERROR(file->Write(tensor.bytes));
  return file->Commit();
}

absl::StatusOr<TensorFile> TensorFile::Open(const std::string& path,
                                            const std::string& metadata_name, int64_t max_memory) {
  constexpr int kHow = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
  TensorFile file(path, FileDescriptor(Uninterrupted([&] { return ::open(path.c_str(), kHow); })));
  if (file.file_.get() < 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot open '", path, "'"));
  }
  SEQ_RETURN_IF_ERROR(file.ReadHeader(metadata_name, max_memory));
  return file;
}

absl::Status TensorFile::Damaged(absl::string_view what) const {
  return DataLoss("'", path_, "' is damaged or cut off: ", what);
}

absl::Status TensorFile::ReadAt(int64_t offset, char* to, size_t bytes) const {
  while (bytes > 0) {
    const ssize_t got = ::pread(file_.get(), to, bytes, offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return absl::ErrnoToStatus(errno, absl::StrCat("reading '", path_, "'"));
    if (got == 0) return Damaged(absl::StrCat("it ends at byte ", offset));
    to += got;
    offset += got;
    bytes -= static_cast<size_t>(got);
  }
  return absl::OkStatus();
}

absl::Status TensorFile::ReadHeader(const std::string& metadata_name, int64_t max_memory) {
  struct stat info;
  if (::fstat(file_.get(), &info) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("reading '", path_, "'"));
  }
  std::string bytes(8, '\0');
  SEQ_RETURN_IF_ERROR(ReadAt(0, bytes.data(), bytes.size()));
  const uint64_t length = ByteCursor(bytes).U64();
  if (length > static_cast<uint64_t>(info.st_size) - 8) {
    return Damaged(absl::StrCat("a header of ", length, " bytes in a file of ", info.st_size));
  }
  if (static_cast<int64_t>(length) > max_memory / kParsedBytes) {
    return ResourceExhausted("'", path_, "': names and the like, ", length,
                             " bytes, take too much of ", max_memory, " (--max_memory)");
  }
  bytes.resize(8 + length);
  SEQ_RETURN_IF_ERROR(ReadAt(8, bytes.data() + 8, length));
  bool too_deep = false;
  const Json json = Json::parse(
      bytes.begin() + 8, bytes.end(),
      [&too_deep](int depth, Json::parse_event_t, Json&) {
        too_deep |= depth > kMaxHeaderDepth;
        return depth <= kMaxHeaderDepth;
      },
      /*allow_exceptions=*/false);
  if (too_deep || !json.is_object()) return Damaged("its header is no JSON of arrays");
  std::map<int64_t, std::string> by_begin;
  for (const auto& [name, value] : json.items()) {
    if (name == kMetadata) {
      const auto found = value.is_object() ? value.find(metadata_name) : value.end();
      if (found != value.end() && found->is_string()) metadata_ = found->get<std::string>();
      continue;
    }
    Tensor tensor;
    if (!TakeTensor(value, static_cast<int64_t>(8 + length), info.st_size, &tensor)) {
      return Damaged(absl::StrCat("its array \"", name, "\" cannot be there"));
    }
    if (tensor.bytes > 0 && name != kChecks) by_begin[tensor.begin] = name;
    tensors_[name] = std::move(tensor);
  }
  if (metadata_.empty()) {
    return InvalidArgument("'", path_, "' is a safetensors file, but holds no series");
  }
  SEQ_ASSIGN_OR_RETURN(const Tensor checks, Find(kChecks, TensorTypeOf<int64_t>::kName, 1));
  if (checks.bytes > max_memory) {
    return ResourceExhausted("'", path_, "': check sums take more than ", max_memory,
                             " bytes (--max_memory)");
  }
  std::vector<int64_t> all(static_cast<size_t>(checks.shape[0]));
  SEQ_RETURN_IF_ERROR(
      ReadAt(checks.begin, reinterpret_cast<char*>(all.data()), static_cast<size_t>(checks.bytes)));
  auto next = all.begin();
  for (const auto& [begin, name] : by_begin) {
    const int64_t count = NumChecks(tensors_[name].bytes);
    if (count > all.end() - next) return Damaged("check sums are missing");
    checks_[name].assign(next, next + count);
    next += count;
  }
  // The header's own comes last; files of the first version have none.
  if (next != all.end() && (all.end() - next > 1 || *next != Crc32c(bytes))) {
    return Damaged("the check sum of its header is another");
  }
  return absl::OkStatus();
}

absl::StatusOr<TensorFile::Tensor> TensorFile::Find(const std::string& name, absl::string_view type,
                                                    size_t rank) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end() || found->second.type != type || found->second.shape.size() != rank) {
    return Damaged(
        absl::StrCat("there is no array \"", name, "\" of type ", type, " and rank ", rank));
  }
  return found->second;
}

absl::Status TensorFile::ForEachBlock(
    const std::string& name, const Tensor& tensor,
    absl::FunctionRef<absl::Status(absl::string_view)> take) const {
  std::string block;
  for (int64_t at = 0; at < tensor.bytes; at += kCheckedBytes) {
    block.resize(static_cast<size_t>(std::min(kCheckedBytes, tensor.bytes - at)));
    SEQ_RETURN_IF_ERROR(ReadAt(tensor.begin + at, block.data(), block.size()));
    const auto checks = checks_.find(name);
    const auto number = static_cast<size_t>(at / kCheckedBytes);
    if (checks == checks_.end() || number >= checks->second.size() ||
        checks->second[number] != Crc32c(block)) {
      return Damaged(absl::StrCat("the check sum of \"", name, "\" at byte ", tensor.begin + at,
                                  " is another"));
    }
    SEQ_RETURN_IF_ERROR(take(block));
  }
  return absl::OkStatus();
}

absl::Status TensorFile::CheckAll() const {
  for (const auto& [name, tensor] : tensors_) {
    if (name == kChecks) continue;
    SEQ_RETURN_IF_ERROR(
        ForEachBlock(name, tensor, [](absl::string_view) { return absl::OkStatus(); }));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::pair<char*, std::shared_ptr<const void>>> TensorFile::Map(
    const Tensor& tensor) const {
  const int64_t page = ::sysconf(_SC_PAGESIZE);
  const int64_t before = tensor.begin % page;
  const auto bytes = static_cast<size_t>(before + tensor.bytes);
  void* const mapped = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, file_.get(),
                              tensor.begin - before);
  if (mapped == MAP_FAILED) {
    return absl::ErrnoToStatus(errno, absl::StrCat("mapping ", bytes, " bytes of '", path_, "'"));
  }
  return std::pair(static_cast<char*>(mapped) + before,
                   std::shared_ptr<const void>(mapped, [bytes](void* at) { ::munmap(at, bytes); }));
}

}  // namespace seqgraph::data
