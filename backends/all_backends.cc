#include "backends/all_backends.h"

#include "backends/onednn/onednn_backend.h"
#include "backends/reference/reference_backend.h"
#include "backends/simd/simd_backend.h"
#include "base/status_macros.h"
#include "graph/op_def.h"

namespace seqgraph {

const BackendRegistry& AllBackends() {
  static const BackendRegistry* const registry = [] {
    auto* all = new BackendRegistry;
    SEQ_CHECK(all->Register(MakeReferenceBackend()).ok());
    SEQ_CHECK(all->Register(MakeOnednnBackend()).ok());
    SEQ_CHECK(all->Register(MakeSimdBackend()).ok());
    return all;
  }();
  return *registry;
}

}  // namespace seqgraph
