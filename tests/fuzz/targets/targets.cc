#include "tests/fuzz/targets/targets.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "base/byte_cursor.h"
#include "base/content_hash.h"
#include "base/crc32c.h"
#include "base/file_descriptor.h"
#include "base/temporary_file.h"

namespace seqgraph {

void FuzzCheck(bool holds, absl::string_view why) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %.*s\n", static_cast<int>(why.size()), why.data());
  std::abort();
}

bool FuzzOk(const absl::Status& status) {
  FuzzCheck(status.ok() || !status.message().empty(), "an error says why");
  FuzzCheck(status.code() != absl::StatusCode::kInternal, status.ToString());
  return status.ok();
}

std::string FuzzFolder() {
  struct Folder {
    Folder() {
      path = std::string(::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp") +
             "/seqgraph-fuzz-XXXXXX";
      FuzzCheck(::mkdtemp(path.data()) != nullptr, "a temporary folder");
    }
    ~Folder() {
      std::error_code none;
      std::filesystem::remove_all(path, none);
    }
    std::string path;
  };
  static const Folder folder;
  return folder.path;
}

std::string FuzzFile(const std::string& name, absl::string_view bytes) {
  std::string path = absl::StrCat(FuzzFolder(), "/", name);
  constexpr int kHow = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC;
  const FileDescriptor file(Uninterrupted([&] { return ::open(path.c_str(), kHow, 0600); }));
  FuzzCheck(file.get() >= 0 && WriteAll(file.get(), bytes) == 0, path);
  return path;
}

std::string SealedRecords(absl::string_view bytes) {
  std::string sealed(bytes.substr(0, 8)), guards;
  ByteCursor cursor(bytes);
  cursor.Take(8);
  uint64_t count = 0;
  const auto add = [&](absl::string_view record) {
    const std::string guard = NumberBytes(Crc32c(record), 4);
    absl::StrAppend(&sealed, record, guard);
    guards += guard;
    ++count;
  };
  while (cursor.ok() && cursor.left() >= 13) {
    const size_t begin = cursor.position();
    if (cursor.U8() == 0xFF) break;  // the end, which is made anew
    const uint64_t name = cursor.U32(), content = cursor.U64();
    if (name > cursor.left() || content > cursor.left() - name) break;
    cursor.Take(name + content);
    add(bytes.substr(begin, cursor.position() - begin));
    if (cursor.left() < 4) break;
    cursor.Take(4);
  }
  const ContentHash hash = HashBytes(guards);
  const std::string end = absl::StrCat(
      NumberBytes(count, 8),
      absl::string_view(reinterpret_cast<const char*>(hash.bytes.data()), hash.bytes.size()));
  add(absl::StrCat("\xFF", NumberBytes(0, 4), NumberBytes(end.size(), 8), end));
  return sealed;
}

std::string PackFiles(const std::vector<std::string>& files) {
  std::string packed;
  for (size_t i = 0; i < files.size(); ++i) {
    absl::StrAppend(&packed, NumberBytes(i, 1), NumberBytes(files[i].size(), 2), files[i]);
  }
  return packed;
}

std::vector<std::string> UnpackFiles(absl::string_view bytes, size_t count) {
  std::vector<std::string> files(count);
  for (ByteCursor cursor(bytes); cursor.ok() && cursor.left() > 3;) {
    const size_t number = cursor.U8() % count;
    const size_t size = cursor.U16();
    files[number] = std::string(cursor.Take(std::min(size, cursor.left())));
  }
  return files;
}

}  // namespace seqgraph
