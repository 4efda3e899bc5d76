#include "runtime_library/guarded.h"

#include <cstddef>

namespace seqgraph {
namespace {

static_assert(static_cast<int>(absl::StatusCode::kUnknown) == SEQGRAPH_UNKNOWN);
static_assert(static_cast<int>(absl::StatusCode::kInvalidArgument) == SEQGRAPH_INVALID_ARGUMENT);
static_assert(static_cast<int>(absl::StatusCode::kNotFound) == SEQGRAPH_NOT_FOUND);
static_assert(static_cast<int>(absl::StatusCode::kPermissionDenied) == SEQGRAPH_PERMISSION_DENIED);
static_assert(static_cast<int>(absl::StatusCode::kResourceExhausted) ==
              SEQGRAPH_RESOURCE_EXHAUSTED);
static_assert(static_cast<int>(absl::StatusCode::kFailedPrecondition) ==
              SEQGRAPH_FAILED_PRECONDITION);
static_assert(static_cast<int>(absl::StatusCode::kOutOfRange) == SEQGRAPH_OUT_OF_RANGE);
static_assert(static_cast<int>(absl::StatusCode::kUnimplemented) == SEQGRAPH_UNIMPLEMENTED);
static_assert(static_cast<int>(absl::StatusCode::kInternal) == SEQGRAPH_INTERNAL);
static_assert(static_cast<int>(absl::StatusCode::kDataLoss) == SEQGRAPH_DATA_LOSS);

// No struct of any version is larger: a size beyond it is memory that nobody has set.
constexpr size_t kMaxStructBytes = 4096;

}  // namespace

int32_t Report(absl::StatusCode code, absl::string_view text, seqgraph_status* to) noexcept {
  constexpr size_t kText = offsetof(seqgraph_status, text);
  // A struct without room for a text is left alone.
  if (to != nullptr && to->struct_size > kText) {
    to->code = static_cast<int32_t>(code);
    const size_t room = std::min(to->struct_size, sizeof(*to)) - kText - 1;
    const size_t size = std::min(text.size(), room);
    if (size > 0) std::memcpy(to->text, text.data(), size);
    to->text[size] = '\0';
  }
  return static_cast<int32_t>(code);
}

absl::Status Missing(std::initializer_list<Argument> arguments) {
  for (const Argument& argument : arguments) {
    if (argument.pointer == nullptr) return InvalidArgument(argument.name, " is NULL");
  }
  return absl::OkStatus();
}

absl::Status CheckStructSize(absl::string_view what, size_t struct_size) {
  if (struct_size >= sizeof(size_t) && struct_size <= kMaxStructBytes) return absl::OkStatus();
  return InvalidArgument(what, ".struct_size is ", struct_size,
                         ": define the struct with SEQGRAPH_INIT");
}

}  // namespace seqgraph
