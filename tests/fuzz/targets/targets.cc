#include "tests/fuzz/targets/targets.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "base/byte_cursor.h"
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
