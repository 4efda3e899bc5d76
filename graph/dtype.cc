#include "graph/dtype.h"

#include "absl/status/status.h"
#include "base/status_macros.h"

namespace seqgraph {
namespace {

struct DTypeEntry {
  DType dtype;
  absl::string_view name;
  int64_t size;
};
constexpr DTypeEntry kDTypes[] = {
    {DType::kFloat32, "float32", 4},
    {DType::kFloat64, "float64", 8},
    {DType::kInt32, "int32", 4},
    {DType::kInt64, "int64", 8},
};

const DTypeEntry& Entry(DType dtype) {
  for (const DTypeEntry& entry : kDTypes) {
    if (entry.dtype == dtype) return entry;
  }
  SEQ_CHECK(false && "no such DType");
  std::abort();
}

}  // namespace

int64_t SizeOf(DType dtype) { return Entry(dtype).size; }

absl::string_view DTypeName(DType dtype) { return Entry(dtype).name; }

absl::StatusOr<DType> ParseDType(absl::string_view name) {
  for (const DTypeEntry& entry : kDTypes) {
    if (entry.name == name) return entry.dtype;
  }
  return InvalidArgument("unknown element type \"", name,
                         "\"; expected float32, float64, int32 or int64");
}

}  // namespace seqgraph
