#include "graph/shape.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"

namespace seqgraph {

std::string Dim::ToString() const { return is_batch() ? "batch" : absl::StrCat(size_); }

bool Shape::is_static() const {
  for (Dim dim : dims_) {
    if (dim.is_batch()) return false;
  }
  return true;
}

Shape Shape::Bind(int64_t batch) const {
  Shape bound = *this;
  for (Dim& dim : bound.dims_) {
    if (dim.is_batch()) dim = batch;
  }
  return bound;
}

int64_t Shape::num_elements() const {
  int64_t product = 1;
  for (Dim dim : dims_) product *= dim.size();
  return product;
}

absl::Status Shape::Validate() const {
  if (rank() > kMaxRank) {
    return InvalidArgument("shape ", ToString(), " has rank ", rank(), "; at most ", kMaxRank);
  }
  // Zero extents count as one here, so that [2^40, 0, 2^40] cannot overflow later on either.
  int64_t product = 1;
  for (Dim dim : dims_) {
    if (dim.is_batch()) continue;
    if (dim.size() < 0) {
      return InvalidArgument("shape ", ToString(), " has a negative extent");
    }
    const int64_t size = dim.size() == 0 ? 1 : dim.size();
    if (size > kMaxElements / product) {
      return InvalidArgument("shape ", ToString(), " has more than ", kMaxElements, " elements");
    }
    product *= size;
  }
  return absl::OkStatus();
}

std::string Shape::ToString() const {
  return absl::StrCat(
      "[", absl::StrJoin(dims_, ", ", [](std::string* out, Dim dim) { *out += dim.ToString(); }),
      "]");
}

std::string TensorType::ToString() const {
  return absl::StrCat(DTypeName(dtype), shape.ToString());
}

}  // namespace seqgraph
