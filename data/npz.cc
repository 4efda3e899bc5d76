#include <archive.h>
#include <archive_entry.h>

#include <cerrno>
#include <cstdio>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "data/npy.h"

namespace seqgraph::data {
namespace {

struct ArchiveFree {
  void operator()(archive* a) const { archive_read_free(a); }
};

absl::Status Malformed(const std::string& path, archive* a, absl::string_view doing) {
  const char* why = archive_error_string(a);
  return absl::InvalidArgumentError(
      absl::StrCat("'", path, "': expected a .npz file (a zip of .npy ", "files): ", doing, ": ",
                   why != nullptr ? why : "unknown error"));
}

// Appends an entry's data to `bytes`, which grows with what is really there, not with what the
// entry says of itself; libarchive verifies the check sum.
absl::Status ReadEntry(const std::string& path, archive* a, int64_t limit, std::string* bytes) {
  std::vector<char> block(size_t{1} << 16);
  while (true) {
    const la_ssize_t got = archive_read_data(a, block.data(), block.size());
    if (got < 0) return Malformed(path, a, "reading an entry");
    if (got == 0) return absl::OkStatus();
    bytes->append(block.data(), static_cast<size_t>(got));
    if (static_cast<int64_t>(bytes->size()) > limit) {
      return absl::ResourceExhaustedError(
          absl::StrCat("'", path, "' holds more than ", kMaxNpyBytes, " bytes of arrays"));
    }
  }
}

}  // namespace

absl::StatusOr<std::map<std::string, NpyArray>> ReadNpz(const std::string& path) {
  if (FILE* file = std::fopen(path.c_str(), "rbe"); file != nullptr) {
    std::fclose(file);
  } else {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot open '", path, "'"));
  }
  const std::unique_ptr<archive, ArchiveFree> reader(archive_read_new());
  archive* a = reader.get();
  if (a == nullptr || archive_read_support_format_zip_seekable(a) != ARCHIVE_OK) {
    return absl::ResourceExhaustedError("libarchive cannot be set up");
  }
  if (archive_read_open_filename(a, path.c_str(), size_t{1} << 16) != ARCHIVE_OK) {
    return Malformed(path, a, "opening it");
  }
  std::map<std::string, NpyArray> arrays;
  int64_t left = kMaxNpyBytes;
  archive_entry* entry = nullptr;
  while (true) {
    const int result = archive_read_next_header(a, &entry);
    if (result == ARCHIVE_EOF) return arrays;
    if (result != ARCHIVE_OK) return Malformed(path, a, "reading its table");
    const char* raw_name = archive_entry_pathname(entry);
    absl::string_view name = raw_name != nullptr ? raw_name : "";
    if (!absl::ConsumeSuffix(&name, ".npy")) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", path, "': expected .npy files only, found '", name, "'"));
    }
    std::string bytes;
    absl::Status status = ReadEntry(path, a, left, &bytes);
    if (!status.ok()) return status;
    left -= static_cast<int64_t>(bytes.size());
    absl::StatusOr<NpyArray> array = ParseNpy(bytes, absl::StrCat("'", path, "', array ", name));
    if (!array.ok()) return array.status();
    if (!arrays.emplace(name, *std::move(array)).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", path, "': expected one array of each name, found two '", name, "'"));
    }
  }
}

}  // namespace seqgraph::data
