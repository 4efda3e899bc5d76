/* Ends the process when it is asked. */

#include "tests/plugins/hostile/honest.h"

static int32_t claim(void* instance, const sg_function* function, int32_t node, sg_claim* claim,
                     sg_status* status) {
  (void)instance, (void)function, (void)node, (void)claim, (void)status;
  exit(3);
}

HONEST_BUT("exits_in_claim", backend->claim = claim)
