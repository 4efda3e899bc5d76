#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace seqgraph {

/// What a path may name in braces: counts and measured numbers.
using PathFields = std::map<std::string, std::variant<int64_t, double>, std::less<>>;

/// Fills in a path such as "{epoch:02d}-{val_loss:.2f}.pb". In braces stands a name, and after a
/// colon a format of Python's form [0][width][.precision][d|f|e|g]; counts are plain decimals
/// without one, other numbers the shortest text that reads back the same. "{{" and "}}" are braces.
/// InvalidArgument, naming the path and the part, for an unknown name or a format that does not
/// fit.
absl::StatusOr<std::string> FormatCheckpointPath(absl::string_view path, const PathFields& fields);

/// The same errors as far as they can be told before anything is measured: for braces and formats,
/// not for names.
absl::Status CheckCheckpointPath(absl::string_view path);

/// The part of the path up to its last slash, empty if there is none.
absl::string_view FolderOf(absl::string_view path);

}  // namespace seqgraph
