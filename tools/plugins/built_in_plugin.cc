// A built-in backend as a plugin. The BUILD file says which: MAKE_BACKEND, and the header that
// declares it.

#include "backends/plugin/export_backend.h"
#include "backends/plugin/seqgraph_backend.h"
#include "ops/all_ops.h"

namespace {

int32_t Fill(const sg_host*, sg_backend* table, sg_status* status) {
  static const seqgraph::Backend* const backend = seqgraph::MAKE_BACKEND().release();
  return seqgraph::ExportBackend(*backend, seqgraph::AllOps(), table, status);
}

}  // namespace

SEQGRAPH_BACKEND(Fill)
