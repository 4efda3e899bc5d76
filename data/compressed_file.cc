#include "data/compressed_file.h"

#include <fcntl.h>
#include <isa-l/igzip_lib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/file_descriptor.h"
#include "base/status_macros.h"

namespace seqgraph::data {
namespace {

constexpr size_t kInBytes = 256 << 10;
constexpr size_t kOutBytes = 256 << 10;  // Small enough to stay in the second-level cache.
// ISA-L reads up to so many bytes ahead of what it has decoded; behind a member they are put back
// in front of the rest, for which in_ has room.
constexpr size_t kReadAhead = 8;
constexpr absl::string_view kGzipMagic("\x1f\x8b", 2);

absl::string_view ErrorText(int error) {
  switch (error) {
    case ISAL_INVALID_BLOCK:
      return "invalid block type or lengths";
    case ISAL_INVALID_SYMBOL:
      return "invalid code";
    case ISAL_INVALID_LOOKBACK:
      return "invalid distance too far back";
    case ISAL_INVALID_WRAPPER:
      return "invalid header";
    case ISAL_UNSUPPORTED_METHOD:
      return "unknown compression method";
    case ISAL_INCORRECT_CHECKSUM:
      return "incorrect data check";
    default:
      return "unknown error";
  }
}

}  // namespace

CompressedFile::CompressedFile(std::string path, int fd)
    : path_(std::move(path)),
      fd_(fd),
      in_(new char[kReadAhead + kInBytes]),
      out_(new char[kOutBytes]) {}

CompressedFile::~CompressedFile() { ::close(fd_); }

absl::StatusOr<std::unique_ptr<CompressedFile>> CompressedFile::Open(const std::string& path) {
  // Data is read more than once; and a pipe that nobody writes, or a device without an end, would
  // be waited for, or read, for ever.
  constexpr int kHow = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
  const int fd = Uninterrupted([&] { return ::open(path.c_str(), kHow); });
  if (fd < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot open '", path, "'"));
  auto file = absl::WrapUnique(new CompressedFile(path, fd));
  struct stat info;
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    return InvalidArgument("cannot read '", path, "': not a regular file; save it first");
  }
  SEQ_RETURN_IF_ERROR(file->Fill());
  file->magic_ = std::string(file->pending_.substr(0, 4));
  if (absl::StartsWith(file->magic_, kGzipMagic)) {
    file->inflater_ = std::make_unique<inflate_state>();
    isal_inflate_init(file->inflater_.get());
    file->inflater_->crc_flag = ISAL_GZIP;  // Read header and trailer, check the latter.
  }
  return file;
}

absl::Status CompressedFile::Damaged(absl::string_view what) const {
  return DataLoss(
      "'", path_, "': ", what, " near byte ", file_offset_ - static_cast<int64_t>(pending_.size()),
      " of the file; is the copy complete? Compare its size or check sum with the original's");
}

absl::Status CompressedFile::Fill() {
  if (!pending_.empty() || at_file_end_) return absl::OkStatus();
  ssize_t got;
  do {
    got = ::read(fd_, in_.get() + kReadAhead, kInBytes);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return absl::ErrnoToStatus(errno, absl::StrCat("reading '", path_, "'"));
  at_file_end_ = got == 0;
  pending_ = absl::string_view(in_.get() + kReadAhead, static_cast<size_t>(got));
  file_offset_ += got;
  return absl::OkStatus();
}

absl::StatusOr<absl::string_view> CompressedFile::Next() {
  if (!status_.ok()) return status_;
  absl::StatusOr<absl::string_view> block;
  if (inflater_ != nullptr) {
    block = NextInflated();
  } else {
    status_ = Fill();
    if (!status_.ok()) return status_;
    block = pending_;
    pending_ = absl::string_view();
  }
  if (!block.ok()) status_ = block.status();
  return block;
}

absl::Status CompressedFile::SkipPadding() {
  while (true) {
    SEQ_RETURN_IF_ERROR(Fill());
    if (pending_.empty()) return absl::OkStatus();
    if (pending_[0] == kGzipMagic[0]) {
      between_members_ = false;
      isal_inflate_reset(inflater_.get());
      return absl::OkStatus();
    }
    if (pending_[0] != '\0') return Damaged("something that is not gzip behind the gzip data");
    pending_.remove_prefix(1);
  }
}

void CompressedFile::ReturnUnusedInput() {
  const size_t unused = static_cast<size_t>(inflater_->read_in_length / 8);
  // The bits that are left of the last byte that was used, if any, are the low ones.
  uint64_t bytes = inflater_->read_in >> (inflater_->read_in_length % 8);
  char* const begin = const_cast<char*>(pending_.data()) - unused;
  for (size_t i = 0; i < unused; ++i, bytes >>= 8) begin[i] = static_cast<char>(bytes & 0xff);
  pending_ = absl::string_view(begin, pending_.size() + unused);
}

// One call of ISA-L. At the end of the file too: it may hold back output, and input that it has
// read ahead.
absl::Status CompressedFile::InflateSome() {
  inflate_state* const state = inflater_.get();
  const uint32_t room = state->avail_out;
  const bool no_input = pending_.empty();
  state->next_in = reinterpret_cast<uint8_t*>(const_cast<char*>(pending_.data()));
  state->avail_in = static_cast<uint32_t>(pending_.size());
  const int result = isal_inflate(state);
  // Behind damage it may say that more is left than there was.
  const size_t left = state->avail_in <= pending_.size() ? state->avail_in : 0;
  pending_.remove_prefix(pending_.size() - left);
  if (result < 0)
    return Damaged(absl::StrCat("the gzip data are damaged (", ErrorText(result), ")"));
  if (state->block_state == ISAL_BLOCK_FINISH) {
    between_members_ = true;
    ReturnUnusedInput();
  } else if (no_input && state->avail_out == room) {
    return Damaged("the gzip data are cut off");
  }
  return absl::OkStatus();
}

absl::StatusOr<absl::string_view> CompressedFile::NextInflated() {
  inflater_->next_out = reinterpret_cast<uint8_t*>(out_.get());
  inflater_->avail_out = kOutBytes;
  while (inflater_->avail_out > 0) {
    if (between_members_) {
      SEQ_RETURN_IF_ERROR(SkipPadding());
      if (between_members_) break;  // The end of the file.
    }
    SEQ_RETURN_IF_ERROR(Fill());
    SEQ_RETURN_IF_ERROR(InflateSome());
  }
  return absl::string_view(out_.get(), kOutBytes - inflater_->avail_out);
}

}  // namespace seqgraph::data
