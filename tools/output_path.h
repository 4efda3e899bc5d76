#pragma once

#include <string>

#include "absl/status/status.h"

namespace seqgraph::tools {

/// Whether a file can be made (or replaced) at `path`: found out now, by making and removing a
/// temporary one beside it, instead of after hours of work. `flag` is for messages: "--output".
/// NotFound for a missing folder, InvalidArgument for a folder or device at `path`,
/// PermissionDenied and others as the system says.
absl::Status CheckOutputFile(const std::string& flag, const std::string& path);

/// The same for a folder of files that is there or can be made; it is not made yet.
absl::Status CheckOutputFolder(const std::string& flag, const std::string& path);

/// Makes the folder if it is missing; not its parents.
absl::Status MakeOutputFolder(const std::string& flag, const std::string& path);

/// `path` from the root on, without "." and ".."; links stay as they are.
std::string WholePath(const std::string& path);

/// A name beside `path` that nothing has: "m.WORD.pb" for "m.pb", or else "m.WORD-2.pb", ...
std::string FreeNameBeside(const std::string& path, const std::string& word);

}  // namespace seqgraph::tools
