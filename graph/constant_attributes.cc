#include "graph/constant_attributes.h"

#include <cstddef>
#include <cstring>
#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "graph/dtype.h"

namespace seqgraph {

Attributes ConstantAttributes(Tensor content) {
  const size_t size = SizeOf(content.dtype());
  const auto* bytes = static_cast<const char*>(content.data());
  bool equal = content.shape().rank() > 0 && content.num_elements() > 0;
  for (int64_t i = 1; equal && i < content.num_elements(); ++i) {
    equal = std::memcmp(bytes, bytes + i * size, size) == 0;
  }
  if (!equal) return {{"value", std::move(content)}};
  absl::StatusOr<Tensor> scalar = Tensor::Zeros({content.dtype(), {}});
  SEQ_CHECK(scalar.ok());
  std::memcpy(scalar->data(), bytes, size);
  std::vector<int64_t> extents;
  for (Dim dim : content.shape().dims()) extents.push_back(dim.size());
  return {{"value", *std::move(scalar)}, {"shape", std::move(extents)}};
}

}  // namespace seqgraph
