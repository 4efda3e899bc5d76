/* Claims everything. */

#include "tests/plugins/hostile/honest.h"

static int32_t claim(void* instance, const sg_function* function, int32_t node, sg_claim* claim,
                     sg_status* status) {
  (void)instance, (void)function, (void)node, (void)claim, (void)status;
  return SG_OK;
}

HONEST_BUT("claims_everything", backend->claim = claim)
