#ifndef SEQGRAPH_DATA_ATOMIC_FILE_H_
#define SEQGRAPH_DATA_ATOMIC_FILE_H_

// Whole-file writes that leave either the old file or the complete new one, never a part of one.

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace seqgraph::data {

/// Writes `pieces`, one after the other, to `path`: into a temporary file in the same folder,
/// synced, then renamed over `path`. On any error the temporary file is removed and an existing
/// `path` is untouched. Errors name `path` and the step that failed (a full disk shows up as
/// "write" or "sync").
absl::Status WriteFileAtomically(const std::string& path,
                                 absl::Span<const absl::string_view> pieces);

}  // namespace seqgraph::data

#endif  // SEQGRAPH_DATA_ATOMIC_FILE_H_
