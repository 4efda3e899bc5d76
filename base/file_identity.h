#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace seqgraph {

/// Which file a path means, however it is written: what exists by device and inode (so that links,
/// hard or symbolic, "./a" and "b/../a" are the same as "a"), what does not exist yet by its name
/// in the folder where it would be made, a symbolic link to nothing by where it leads.
class FileIdentity {
 public:
  static FileIdentity OfPath(const std::string& path);
  /// The regular file that is open there, as behind `> file`; nothing for terminals, pipes and
  /// devices.
  static std::optional<FileIdentity> OfDescriptor(int descriptor);

  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;

 private:
  // Of the file, or of the last folder on its way that exists.
  uint64_t device_ = 0;
  uint64_t inode_ = 0;
  std::string rest_;  // the way from there; empty: the file exists
};

/// The way from a folder to a file or folder below it, by the canonical paths of both: "b/c.txt".
/// Nothing if it does not lie there.
std::optional<std::string> PathBelow(const std::string& folder, const std::string& path);

}  // namespace seqgraph
