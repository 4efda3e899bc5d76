#include "data/compressed_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>

#include "absl/memory/memory.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace seqgraph::data {
namespace {

constexpr size_t kInBytes = 256 << 10;
constexpr size_t kOutBytes = 256 << 10;  // Small enough to stay in the second-level cache.
constexpr int kGzipOnly = 16;            // Added to windowBits: expect a gzip header.
constexpr absl::string_view kGzipMagic("\x1f\x8b", 2);

}  // namespace

CompressedFile::CompressedFile(std::string path, int fd)
    : path_(std::move(path)), fd_(fd), in_(new char[kInBytes]), out_(new char[kOutBytes]) {}

CompressedFile::~CompressedFile() {
  if (inflater_ != nullptr) inflateEnd(inflater_.get());
  ::close(fd_);
}

absl::StatusOr<std::unique_ptr<CompressedFile>> CompressedFile::Open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot open '", path, "'"));
  auto file = absl::WrapUnique(new CompressedFile(path, fd));
  absl::Status status = file->Fill();
  if (!status.ok()) return status;
  file->magic_ = std::string(file->pending_.substr(0, 4));
  if (absl::StartsWith(file->magic_, kGzipMagic)) {
    file->inflater_ = std::make_unique<z_stream>();
    if (inflateInit2(file->inflater_.get(), kGzipOnly + MAX_WBITS) != Z_OK) {
      file->inflater_.reset();
      return absl::ResourceExhaustedError("zlib: no memory to inflate with");
    }
  }
  return file;
}

absl::Status CompressedFile::Damaged(absl::string_view what) const {
  return absl::DataLossError(absl::StrCat(
      "'", path_, "': ", what, " near byte ", file_offset_ - static_cast<int64_t>(pending_.size()),
      " of the file; is the copy complete? Compare its size or check sum with the original's"));
}

absl::Status CompressedFile::Fill() {
  if (!pending_.empty() || at_file_end_) return absl::OkStatus();
  ssize_t got;
  do {
    got = ::read(fd_, in_.get(), kInBytes);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return absl::ErrnoToStatus(errno, absl::StrCat("reading '", path_, "'"));
  at_file_end_ = got == 0;
  pending_ = absl::string_view(in_.get(), static_cast<size_t>(got));
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
    absl::Status status = Fill();
    if (!status.ok()) return status;
    if (pending_.empty()) return absl::OkStatus();
    if (pending_[0] == kGzipMagic[0]) {
      between_members_ = false;
      inflateReset(inflater_.get());
      return absl::OkStatus();
    }
    if (pending_[0] != '\0') return Damaged("something that is not gzip behind the gzip data");
    pending_.remove_prefix(1);
  }
}

absl::StatusOr<absl::string_view> CompressedFile::NextInflated() {
  z_stream* z = inflater_.get();
  z->next_out = reinterpret_cast<Bytef*>(out_.get());
  z->avail_out = kOutBytes;
  while (z->avail_out > 0) {
    if (between_members_) {
      absl::Status status = SkipPadding();
      if (!status.ok()) return status;
      if (between_members_) break;  // The end of the file.
    }
    absl::Status status = Fill();
    if (!status.ok()) return status;
    if (pending_.empty()) return Damaged("the gzip data are cut off");
    z->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(pending_.data()));
    z->avail_in = static_cast<uInt>(pending_.size());
    const int result = inflate(z, Z_NO_FLUSH);
    pending_.remove_prefix(pending_.size() - z->avail_in);
    if (result == Z_STREAM_END) {
      between_members_ = true;
    } else if (result == Z_MEM_ERROR) {
      return absl::ResourceExhaustedError(absl::StrCat("'", path_, "': zlib is out of memory"));
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      return Damaged(absl::StrCat("the gzip data are damaged (",
                                  z->msg != nullptr ? z->msg : "unknown error", ")"));
    }
  }
  return absl::string_view(out_.get(), kOutBytes - z->avail_out);
}

}  // namespace seqgraph::data
