#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "serialization/hdf5/global_heap.h"
#include "serialization/hdf5/messages.h"

namespace seqgraph::hdf5 {

/// What was done to a chunk before it was written, the first first.
struct Filter {
  enum Id : uint16_t { kDeflate = 1, kShuffle = 2, kFletcher32 = 3 };
  uint16_t id = 0;
};

/// The filters of a dataset. Unimplemented for one that is not known here.
absl::StatusOr<std::vector<Filter>> ParseFilters(absl::string_view message);

/// The elements of a dataset that lies in chunks, each `element` bytes, in the order of C; where no
/// chunk was written they are zero. InvalidArgument for chunks that lie elsewhere than they should.
absl::StatusOr<std::string> ReadChunks(absl::string_view file, const Layout& layout,
                                       const std::vector<uint64_t>& extents, uint32_t element,
                                       const std::vector<Filter>& filters, Budget* budget);

}  // namespace seqgraph::hdf5
