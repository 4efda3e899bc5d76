/* Claims every node at once without looking at what the host says of it. Asked for one node, it is
 * honest. */

#include "tests/plugins/hostile/honest.h"

static int32_t claim_function(void* instance, const sg_function* function, sg_function_claim* claim,
                              sg_status* status) {
  (void)instance, (void)status, (void)function, (void)claim;
  return SG_OK;
}

HONEST_BUT("overlooks", backend->claim_function = claim_function)
