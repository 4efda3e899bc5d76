// The simd backend as a plugin.

#include "backends/plugin/export_backend.h"
#include "backends/plugin/seqgraph_backend.h"
#include "backends/simd/simd_backend.h"
#include "ops/all_ops.h"

namespace {

int32_t Fill(const sg_host*, sg_backend* table, sg_status* status) {
  static const seqgraph::Backend* const backend = seqgraph::MakeSimdBackend().release();
  return seqgraph::ExportBackend(*backend, seqgraph::AllOps(), table, status);
}

}  // namespace

SEQGRAPH_BACKEND(Fill)
