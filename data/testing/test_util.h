#pragma once

// Files for the tests of this folder. Each helper fails the test it is called from if it cannot do
// its work.

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace seqgraph::data {

/// SHA-256 in hexadecimal digits, by the system's sha256sum.
std::string Sha256Hex(absl::string_view bytes);

std::string ReadFileOrDie(const std::string& path);
void WriteFileOrDie(const std::string& path, absl::string_view bytes);
/// The path of a file of that name with these bytes, in a new folder.
std::string Saved(absl::string_view bytes, const std::string& name = "a.tar.gz");

/// (path in the archive, content); a path that ends with '/' is a folder.
using Entries = std::vector<std::pair<std::string, std::string>>;

enum class Packing { kTar, kTarGz, kPaxTarGz, kZip, kDeflatedZip };

/// The bytes of an archive of `entries` in that order.
std::string MakeArchive(const Entries& entries, Packing packing);

/// One gzip member that holds `bytes`.
std::string Gzip(absl::string_view bytes);

/// Writes `entries` as files below `folder`, making the folders they need.
void WriteTree(const std::string& folder, const Entries& entries);

}  // namespace seqgraph::data
