/* Answers with a reason that does not exist, and names nodes that do not. */

#include "tests/plugins/hostile/honest.h"

static int32_t claim(void* instance, const sg_function* function, int32_t node, sg_claim* claim,
                     sg_status* status) {
  (void)instance, (void)function, (void)status;
  if (node == 0) {
    claim->reason = -7;
  } else {
    claim->num_together = 1000000;
  }
  return SG_OK;
}

HONEST_BUT("garbage_claim", backend->claim = claim)
