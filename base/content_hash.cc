#include "base/content_hash.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <unistd.h>

#include <memory>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/file_descriptor.h"

namespace seqgraph {
namespace {

constexpr size_t kBlockBytes = 256 << 10;

class Sha256 {
 public:
  Sha256() { sha256_init(&state_); }
  void Add(const char* bytes, size_t size) {
    sha256_update(&state_, size, reinterpret_cast<const uint8_t*>(bytes));
  }
  ContentHash Finish() {
    ContentHash hash;
    sha256_digest(&state_, hash.bytes.size(), hash.bytes.data());
    return hash;
  }

 private:
  sha256_ctx state_;
};

}  // namespace

std::string ContentHash::Hex() const {
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

ContentHash HashBytes(absl::string_view bytes) {
  Sha256 sha;
  sha.Add(bytes.data(), bytes.size());
  return sha.Finish();
}

absl::StatusOr<ContentHash> HashFile(const std::string& path) {
  constexpr int kHow = O_RDONLY | O_CLOEXEC | O_NONBLOCK;  // Not to hang on a pipe.
  const int fd = Uninterrupted([&] { return ::open(path.c_str(), kHow); });
  if (fd < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot open '", path, "'"));
  const auto block = std::make_unique<char[]>(kBlockBytes);
  Sha256 sha;
  ssize_t got;
  while ((got = ::read(fd, block.get(), kBlockBytes)) != 0) {
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) break;
    sha.Add(block.get(), static_cast<size_t>(got));
  }
  const int error = errno;
  ::close(fd);
  if (got < 0) return absl::ErrnoToStatus(error, absl::StrCat("reading '", path, "'"));
  return sha.Finish();
}

}  // namespace seqgraph
