/* Its fill function fails, without a text. */

#include "tests/plugins/hostile/honest.h"

static int32_t fill(const sg_host* host, sg_backend* backend, sg_status* status) {
  (void)host, (void)backend, (void)status;
  return SG_UNAVAILABLE;
}
SEQGRAPH_BACKEND(fill)
