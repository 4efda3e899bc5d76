#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace seqgraph {

/// The first bytes of a zip file.
bool LooksLikeZip(absl::string_view bytes);

/// Takes one file of a zip: its name and its content. What it returns other than OK ends the
/// reading.
using ZipVisitor = absl::FunctionRef<absl::Status(const std::string& name, std::string content)>;

/// Says, before a file of a zip is unpacked, how many bytes it may hold: from its name and its
/// first bytes, kZipStart of them or all. An error ends the reading.
using ZipMeasure =
    absl::FunctionRef<absl::StatusOr<int64_t>(const std::string& name, absl::string_view start)>;
inline constexpr size_t kZipStart = size_t{128} << 10;

/// Hands over each file in a zip file, stored or compressed, in the order in which they lie;
/// folders are left out. The zip is never in memory as a whole. For untrusted bytes: the content
/// may be at most `max_bytes` and MemoryLimit() altogether, whatever the zip says of itself, in at
/// most 1,000 files. InvalidArgument (malformed, wrong check sum) or ResourceExhausted; NotFound
/// and the like where it cannot be opened. Errors name the path.
absl::Status ForEachInZipFile(const std::string& path, int64_t max_bytes, ZipVisitor visit);
/// The same; ResourceExhausted for a file that holds more than `measure` allows it.
absl::Status ForEachInZipFile(const std::string& path, int64_t max_bytes, ZipMeasure measure,
                              ZipVisitor visit);

/// All files in a zip in memory, by name: as ForEachInZipFile, and InvalidArgument for a name that
/// is there twice.
absl::StatusOr<std::map<std::string, std::string>> ReadZip(absl::string_view bytes,
                                                           int64_t max_bytes);

/// A zip with these files in this order, not compressed, which is how Keras and numpy write theirs.
/// The same files give the same bytes: all have the date 1980-01-01.
absl::StatusOr<std::string> WriteZip(const std::vector<std::pair<std::string, std::string>>& files);

}  // namespace seqgraph
