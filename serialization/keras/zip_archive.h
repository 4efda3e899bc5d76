#ifndef SEQGRAPH_SERIALIZATION_KERAS_ZIP_ARCHIVE_H_
#define SEQGRAPH_SERIALIZATION_KERAS_ZIP_ARCHIVE_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace seqgraph::keras {

/// The first bytes of a zip file.
bool LooksLikeZip(absl::string_view bytes);

/// The files in a zip, by name; folders are left out. For untrusted bytes: the content may be at
/// most `max_bytes` altogether, whatever the zip says of itself, in at most 1,000 files.
/// InvalidArgument (malformed, wrong check sum, a name twice) or ResourceExhausted.
absl::StatusOr<std::map<std::string, std::string>> ReadZip(absl::string_view bytes,
                                                           int64_t max_bytes);

/// A zip with these files in this order, not compressed, which is how Keras and numpy write theirs.
/// The same files give the same bytes: all have the date 1980-01-01.
absl::StatusOr<std::string> WriteZip(const std::vector<std::pair<std::string, std::string>>& files);

}  // namespace seqgraph::keras

#endif  // SEQGRAPH_SERIALIZATION_KERAS_ZIP_ARCHIVE_H_
