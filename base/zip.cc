#include "base/zip.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/memory_limit.h"
#include "base/status_macros.h"

namespace seqgraph {
namespace {

constexpr int kMaxFiles = 1000;

struct Free {
  void operator()(archive* a) const { archive_free(a); }
  void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};

absl::Status Malformed(archive* a, absl::string_view doing) {
  if (archive_errno(a) == ENOMEM) return ResourceExhausted("no memory for ", doing);
  const char* why = archive_error_string(a);
  return InvalidArgument("not a good zip file: ", doing, ": ",
                         why != nullptr ? why : "unknown error");
}

// Grows with what is really there; libarchive verifies the check sum.
absl::Status ReadEntry(archive* a, const std::string& name, ZipMeasure measure, int64_t* left,
                       std::string* content) {
  std::vector<char> block(size_t{1} << 14);
  int64_t allowed = kNoMemoryLimit;
  bool is_measured = false;
  while (true) {
    const la_ssize_t got = archive_read_data(a, block.data(), block.size());
    if (got < 0) return Malformed(a, "reading an entry");
    content->append(block.data(), static_cast<size_t>(got));
    if (!is_measured && (got == 0 || content->size() >= kZipStart)) {
      SEQ_ASSIGN_OR_RETURN(allowed, measure(name, *content));
      is_measured = true;
    }
    if (static_cast<int64_t>(content->size()) > allowed) {
      return ResourceExhausted("it holds more than the ", allowed, " bytes that it says");
    }
    if (got == 0) return absl::OkStatus();
    *left -= got;
    if (*left < 0) return ResourceExhausted("its files hold too many bytes");
  }
}

using Reader = std::unique_ptr<archive, Free>;

absl::StatusOr<Reader> NewReader() {
  Reader reader(archive_read_new());
  if (reader == nullptr || archive_read_support_format_zip_seekable(reader.get()) != ARCHIVE_OK) {
    return ResourceExhausted("libarchive cannot be set up");
  }
  return reader;
}

absl::Status ForEachEntry(archive* a, int64_t max_bytes, ZipMeasure measure, ZipVisitor visit) {
  archive_entry* entry = nullptr;
  for (int count = 0;; ++count) {
    const int result = archive_read_next_header(a, &entry);
    if (result == ARCHIVE_EOF) return absl::OkStatus();
    if (result != ARCHIVE_OK) return Malformed(a, "reading its table");
    if (count == kMaxFiles) {
      return ResourceExhausted("more than ", kMaxFiles, " files");
    }
    const char* raw_name = archive_entry_pathname(entry);
    const std::string name = raw_name != nullptr ? raw_name : "";
    if (archive_entry_filetype(entry) == AE_IFDIR) continue;
    std::string content;
    SEQ_RETURN_IF_ERROR(Annotate(ReadEntry(a, name, measure, &max_bytes, &content), name));
    SEQ_RETURN_IF_ERROR(visit(name, std::move(content)));
  }
}

absl::StatusOr<int64_t> AllowAny(const std::string&, absl::string_view) { return kNoMemoryLimit; }

la_ssize_t AppendTo(archive*, void* bytes, const void* data, size_t size) {
  static_cast<std::string*>(bytes)->append(static_cast<const char*>(data), size);
  return static_cast<la_ssize_t>(size);
}

absl::Status Broken(archive* a) {
  if (a == nullptr || archive_errno(a) == ENOMEM) {
    return ResourceExhausted("no memory to make a zip file");
  }
  const char* why = archive_error_string(a);
  return Internal("cannot make a zip file: ", why != nullptr ? why : "unknown error");
}

}  // namespace

bool LooksLikeZip(absl::string_view bytes) { return bytes.substr(0, 4) == "PK\x03\x04"; }

absl::Status ForEachInZipFile(const std::string& path, int64_t max_bytes, ZipVisitor visit) {
  return ForEachInZipFile(path, max_bytes, AllowAny, visit);
}

absl::Status ForEachInZipFile(const std::string& path, int64_t max_bytes, ZipMeasure measure,
                              ZipVisitor visit) {
  const std::string quoted = absl::StrCat("'", path, "'");
  // libarchive says less of why it cannot open a file.
  if (FILE* file = std::fopen(path.c_str(), "rbe"); file != nullptr) {
    std::fclose(file);
  } else {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot open ", quoted));
  }
  SEQ_ASSIGN_OR_RETURN(const Reader reader, NewReader());
  constexpr size_t kBlock = size_t{1} << 16;
  if (archive_read_open_filename(reader.get(), path.c_str(), kBlock) != ARCHIVE_OK) {
    return Annotate(Malformed(reader.get(), "opening it"), quoted);
  }
  return Annotate(ForEachEntry(reader.get(), std::min(max_bytes, MemoryLimit()), measure, visit),
                  quoted);
}

absl::StatusOr<std::map<std::string, std::string>> ReadZip(absl::string_view bytes,
                                                           int64_t max_bytes) {
  SEQ_ASSIGN_OR_RETURN(const Reader reader, NewReader());
  if (archive_read_open_memory(reader.get(), bytes.data(), bytes.size()) != ARCHIVE_OK) {
    return Malformed(reader.get(), "opening it");
  }
  std::map<std::string, std::string> files;
  SEQ_RETURN_IF_ERROR(
      ForEachEntry(reader.get(), std::min(max_bytes, MemoryLimit()), AllowAny,
                   [&](const std::string& name, std::string content) -> absl::Status {
                     if (files.emplace(name, std::move(content)).second) return absl::OkStatus();
                     return InvalidArgument("it has two files named ", name);
                   }));
  return files;
}

absl::StatusOr<std::string> WriteZip(
    const std::vector<std::pair<std::string, std::string>>& files) {
  const std::unique_ptr<archive, Free> writer(archive_write_new());
  archive* a = writer.get();
  std::string bytes;
  if (a == nullptr || archive_write_set_format_zip(a) != ARCHIVE_OK ||
      archive_write_zip_set_compression_store(a) != ARCHIVE_OK ||
      archive_write_set_bytes_in_last_block(a, 1) != ARCHIVE_OK ||
      archive_write_open(a, &bytes, nullptr, AppendTo, nullptr) != ARCHIVE_OK) {
    return Broken(a);
  }
  for (const auto& [name, content] : files) {
    const std::unique_ptr<archive_entry, Free> entry(archive_entry_new());
    if (entry == nullptr) return ResourceExhausted("no memory for an entry of a zip file");
    archive_entry_set_pathname(entry.get(), name.c_str());
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), 0644);
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(content.size()));
    archive_entry_set_mtime(entry.get(), 0, 0);  // before 1980: the first date that a zip has
    if (archive_write_header(a, entry.get()) != ARCHIVE_OK ||
        archive_write_data(a, content.data(), content.size()) !=
            static_cast<la_ssize_t>(content.size())) {
      return Broken(a);
    }
  }
  if (archive_write_close(a) != ARCHIVE_OK) return Broken(a);
  return bytes;
}

}  // namespace seqgraph
