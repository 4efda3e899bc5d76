#include "base/file_identity.h"

#include <sys/stat.h>

#include <filesystem>
#include <system_error>

namespace seqgraph {
namespace {

namespace fs = std::filesystem;

// Follows the last part of a path where it is a symbolic link, also one to nothing: what is written
// there is made at its end.
fs::path FollowLink(fs::path path) {
  constexpr int kMostLinks = 40;  // as Linux
  for (int i = 0; i < kMostLinks; ++i) {
    std::error_code none;
    const fs::path target = fs::read_symlink(path, none);
    if (none) break;
    path = target.is_absolute() ? target : path.parent_path() / target;
  }
  return path;
}

// The folder that a path which does not exist would be made in, and its name there. Not by
// parent_path alone: of "a/" that is "a".
fs::path WithoutSlash(const fs::path& path) {
  return path.has_filename() || !path.has_parent_path() || path == path.root_path()
             ? path
             : path.parent_path();
}

// With no link on the way, as far as it exists; the rest without "." and "..".
fs::path Canonical(const std::string& path) {
  std::error_code none;
  const fs::path followed = FollowLink(WithoutSlash(path));
  fs::path canonical = fs::weakly_canonical(fs::absolute(followed, none), none);
  return none ? followed.lexically_normal() : WithoutSlash(canonical);
}

}  // namespace

FileIdentity FileIdentity::OfPath(const std::string& path) {
  FileIdentity identity;
  fs::path existing = Canonical(path);
  fs::path rest;
  struct stat info;
  while (::stat(existing.c_str(), &info) != 0) {
    rest = rest.empty() ? existing.filename() : existing.filename() / rest;
    if (!existing.has_parent_path() || existing == existing.parent_path()) {
      identity.rest_ = rest.string();
      return identity;
    }
    existing = existing.parent_path();
  }
  identity.device_ = info.st_dev;
  identity.inode_ = info.st_ino;
  identity.rest_ = rest.string();
  return identity;
}

std::optional<FileIdentity> FileIdentity::OfDescriptor(int descriptor) {
  struct stat info;
  if (::fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
  FileIdentity identity;
  identity.device_ = info.st_dev;
  identity.inode_ = info.st_ino;
  return identity;
}

std::optional<std::string> PathBelow(const std::string& folder, const std::string& path) {
  const fs::path below = Canonical(path).lexically_relative(Canonical(folder));
  if (below.empty() || below == "." || *below.begin() == "..") return std::nullopt;
  return below.string();
}

}  // namespace seqgraph
