#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

/// Returns the status of `expr` from the enclosing function unless it is OK.
#define SEQ_RETURN_IF_ERROR(expr)                                                \
  do {                                                                           \
    if (::absl::Status seq_status = (expr); !seq_status.ok()) return seq_status; \
  } while (false)

/// `SEQ_ASSIGN_OR_RETURN(auto x, F());` assigns the value of a StatusOr, or returns its status.
#define SEQ_ASSIGN_OR_RETURN(lhs, expr) \
  SEQ_ASSIGN_OR_RETURN_IMPL_(SEQ_CONCAT_(seq_statusor_, __LINE__), lhs, expr)
#define SEQ_ASSIGN_OR_RETURN_IMPL_(statusor, lhs, expr) \
  auto statusor = (expr);                               \
  if (!statusor.ok()) return statusor.status();         \
  lhs = std::move(statusor).value()
#define SEQ_CONCAT_(a, b) SEQ_CONCAT_IMPL_(a, b)
#define SEQ_CONCAT_IMPL_(a, b) a##b

/// Ends the process on a broken invariant of our own; never used for what a caller can cause.
#define SEQ_CHECK(condition)                                                               \
  do {                                                                                     \
    if (!(condition)) {                                                                    \
      std::fprintf(stderr, "%s:%d: internal error: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                        \
    }                                                                                      \
  } while (false)

namespace seqgraph {

/// `InvalidArgument(a, b, ...)` and so on: an error whose message is its parts, one after the
/// other, as absl::StrCat writes them.
#define SEQ_DEFINE_ERROR_(Name)                           \
  template <typename... Parts>                            \
  absl::Status Name(const Parts&... parts) {              \
    return ::absl::Name##Error(::absl::StrCat(parts...)); \
  }
SEQ_DEFINE_ERROR_(Cancelled)
SEQ_DEFINE_ERROR_(DataLoss)
SEQ_DEFINE_ERROR_(DeadlineExceeded)
SEQ_DEFINE_ERROR_(FailedPrecondition)
SEQ_DEFINE_ERROR_(Internal)
SEQ_DEFINE_ERROR_(InvalidArgument)
SEQ_DEFINE_ERROR_(NotFound)
SEQ_DEFINE_ERROR_(OutOfRange)
SEQ_DEFINE_ERROR_(ResourceExhausted)
SEQ_DEFINE_ERROR_(Unavailable)
SEQ_DEFINE_ERROR_(Unimplemented)
#undef SEQ_DEFINE_ERROR_

/// The same status with `context` and ": " in front of its message; OK, or a value, stays as it is.
inline absl::Status Annotate(const absl::Status& status, absl::string_view context) {
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat(context, ": ", status.message()));
}
template <typename T>
absl::StatusOr<T> Annotate(absl::StatusOr<T> value, absl::string_view context) {
  if (value.ok()) return value;
  return Annotate(value.status(), context);
}

}  // namespace seqgraph
