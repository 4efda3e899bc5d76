#pragma once

// What stands between the C interface and C++: statuses as numbers and texts, structs that begin
// with their size, no exception.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <initializer_list>
#include <new>
#include <stdexcept>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/status_macros.h"
#include "runtime_library/runtime.h"

namespace seqgraph {

/// Gives the code, and writes it and the text into `to`, unless it is null, as far as its size
/// says that there is room.
int32_t Report(absl::StatusCode code, absl::string_view text, seqgraph_status* to) noexcept;

/// The same for what ended well, as steps of streams do, and have no time for more.
inline int32_t ReportOk(seqgraph_status* to) noexcept {
  if (to != nullptr && to->struct_size > offsetof(seqgraph_status, text)) {
    to->code = SEQGRAPH_OK;
    to->text[0] = '\0';
  }
  return SEQGRAPH_OK;
}

/// Runs what a function of the interface does, and reports how it ended.
template <typename Body>
int32_t Guarded(seqgraph_status* status, const Body& body) noexcept {
  try {
    const absl::Status ended = body();
    if (ended.ok()) return ReportOk(status);
    return Report(ended.code(), ended.message(), status);
  } catch (const std::bad_alloc&) {
    return Report(absl::StatusCode::kResourceExhausted, "there is not enough memory", status);
  } catch (const std::length_error&) {
    return Report(absl::StatusCode::kResourceExhausted, "there is not enough memory", status);
  } catch (const std::exception& exception) {
    return Report(absl::StatusCode::kInternal, exception.what(), status);
  } catch (...) {
    return Report(absl::StatusCode::kInternal, "an exception of unknown type", status);
  }
}

struct Argument {
  const char* name;
  const void* pointer;
};
/// InvalidArgument naming the first argument that is null.
absl::Status Missing(std::initializer_list<Argument> arguments);

/// InvalidArgument unless a struct of the interface begins with a size that it can have.
absl::Status CheckStructSize(absl::string_view what, size_t struct_size);

/// Gives the caller's struct the content of ours, as far as both know it; the rest of it becomes 0.
template <typename Struct>
absl::Status Fill(const Struct& from, Struct* to) {
  if (to == nullptr) return InvalidArgument("info is NULL");
  const size_t size = to->struct_size;
  SEQ_RETURN_IF_ERROR(CheckStructSize("info", size));
  std::memset(static_cast<void*>(to), 0, size);
  std::memcpy(static_cast<void*>(to), &from, std::min(size, sizeof(Struct)));
  std::memcpy(static_cast<void*>(to), &size, sizeof(size));
  return absl::OkStatus();
}

/// The caller's struct as one of ours; what it does not know, and all of it if it is null, is 0.
/// InvalidArgument if it sets what we do not know.
template <typename Struct>
absl::StatusOr<Struct> ReadStruct(absl::string_view what, const Struct* from) {
  Struct read = {};
  if (from == nullptr) return read;
  const size_t size = from->struct_size;
  SEQ_RETURN_IF_ERROR(CheckStructSize(what, size));
  std::memcpy(static_cast<void*>(&read), from, std::min(size, sizeof(Struct)));
  const char* bytes = reinterpret_cast<const char*>(from);
  for (size_t i = sizeof(Struct); i < size; ++i) {
    if (bytes[i] == 0) continue;
    return Unimplemented(what, " asks for something that this version of the library (",
                         seqgraph_version(), ") does not know");
  }
  return read;
}

}  // namespace seqgraph
