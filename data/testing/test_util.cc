#include "data/testing/test_util.h"

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/testing.h"

namespace seqgraph::data {

std::string Sha256Hex(absl::string_view bytes) {
  char path[] = "/tmp/seqgraph_sha256_XXXXXX";
  const int fd = ::mkstemp(path);
  EXPECT_GE(fd, 0) << "no temporary file";
  ::close(fd);
  WriteFileOrDie(path, bytes);
  char digits[65] = "";
  FILE* pipe = ::popen(absl::StrCat("sha256sum <", path).c_str(), "r");
  EXPECT_NE(pipe, nullptr);
  if (pipe != nullptr) {
    EXPECT_EQ(std::fread(digits, 1, 64, pipe), 64u) << "sha256sum gave no sum";
    ::pclose(pipe);
  }
  ::unlink(path);
  return digits;
}

std::string ReadFileOrDie(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good()) << "cannot read " << path;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

void WriteFileOrDie(const std::string& path, absl::string_view bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  EXPECT_TRUE(file.good()) << "cannot write " << path;
}

std::string Saved(absl::string_view bytes, const std::string& name) {
  const std::string path = MakeTempDir() + "/" + name;
  WriteFileOrDie(path, bytes);
  return path;
}

std::string MakeArchive(const Entries& entries, Packing packing) {
  size_t room = 1 << 16;
  for (const auto& [path, content] : entries) room += path.size() + content.size() + 4096;
  std::string bytes(room, '\0');
  size_t used = 0;
  archive* a = archive_write_new();
  const bool zip = packing == Packing::kZip || packing == Packing::kDeflatedZip;
  if (zip) {
    archive_write_set_format_zip(a);
    if (packing == Packing::kZip) archive_write_zip_set_compression_store(a);
  } else {
    packing == Packing::kPaxTarGz ? archive_write_set_format_pax(a)
                                  : archive_write_set_format_ustar(a);
    if (packing != Packing::kTar) archive_write_add_filter_gzip(a);
  }
  EXPECT_EQ(archive_write_open_memory(a, bytes.data(), bytes.size(), &used), ARCHIVE_OK);
  for (const auto& [path, content] : entries) {
    const bool folder = absl::EndsWith(path, "/");
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, path.c_str());
    archive_entry_set_filetype(entry, folder ? AE_IFDIR : AE_IFREG);
    archive_entry_set_perm(entry, folder ? 0755 : 0644);
    archive_entry_set_size(entry, static_cast<la_int64_t>(content.size()));
    // A warning: a name that is not ASCII is written as it is.
    EXPECT_GE(archive_write_header(a, entry), ARCHIVE_WARN) << archive_error_string(a);
    if (!content.empty()) {
      EXPECT_EQ(archive_write_data(a, content.data(), content.size()),
                static_cast<la_ssize_t>(content.size()));
    }
    archive_entry_free(entry);
  }
  EXPECT_EQ(archive_write_close(a), ARCHIVE_OK);
  archive_write_free(a);
  bytes.resize(used);
  return bytes;
}

std::string Gzip(absl::string_view bytes) {
  std::string packed(bytes.size() + bytes.size() / 8 + 4096, '\0');
  size_t used = 0;
  archive* a = archive_write_new();
  archive_write_set_format_raw(a);
  archive_write_add_filter_gzip(a);
  archive_write_set_bytes_in_last_block(a, 1);
  EXPECT_EQ(archive_write_open_memory(a, packed.data(), packed.size(), &used), ARCHIVE_OK);
  archive_entry* entry = archive_entry_new();
  archive_entry_set_filetype(entry, AE_IFREG);
  EXPECT_EQ(archive_write_header(a, entry), ARCHIVE_OK) << archive_error_string(a);
  archive_entry_free(entry);
  EXPECT_EQ(archive_write_data(a, bytes.data(), bytes.size()),
            static_cast<la_ssize_t>(bytes.size()));
  EXPECT_EQ(archive_write_close(a), ARCHIVE_OK);
  archive_write_free(a);
  packed.resize(used);
  return packed;
}

void WriteTree(const std::string& folder, const Entries& entries) {
  for (const auto& [path, content] : entries) {
    const std::filesystem::path full = std::filesystem::path(folder) / path;
    std::error_code error;
    std::filesystem::create_directories(full.parent_path(), error);
    EXPECT_FALSE(error) << full << ": " << error.message();
    if (!absl::EndsWith(path, "/")) WriteFileOrDie(full.string(), content);
  }
}

}  // namespace seqgraph::data
