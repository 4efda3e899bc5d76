#include "backends/kernels/ids.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "backends/kernels/lookup_loops.h"
#include "backends/kernels/loop_kernel.h"
#include "base/status_macros.h"

namespace seqgraph::kernels {

absl::Status BadIdError(const int32_t* ids, int64_t bad, const Shape& shape, int64_t rows) {
  std::string position;
  int64_t rest = bad;
  for (int d = shape.rank() - 1; d >= 0; --d) {
    position = absl::StrCat(rest % shape[d].size(), position.empty() ? "" : ", ", position);
    rest /= shape[d].size();
  }
  return InvalidArgument("ids[", position, "] is ", ids[bad], ", must be in [0, ", rows, ")");
}

std::unique_ptr<Kernel> MakeLookup(const NodeContext& context, int64_t rows,
                                   std::function<void(const int32_t*, const KernelArgs&)> loop,
                                   int64_t scratch_bytes) {
  return MakeLoop(
      [shape = context.input_shape(0), rows, loop = std::move(loop)](const KernelArgs& args) {
        const int32_t* ids = In<int32_t>(args, 0);
        const int64_t bad = FindBadId(ids, shape.num_elements(), rows);
        if (bad >= 0) return BadIdError(ids, bad, shape, rows);
        if (args.outputs[0] != nullptr) loop(ids, args);
        return absl::OkStatus();
      },
      scratch_bytes);
}

}  // namespace seqgraph::kernels
