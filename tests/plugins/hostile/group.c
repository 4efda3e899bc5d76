/* Runs all nodes of a function as one group or none: each claim names all the others. Nothing
 * wrong. */

#include "tests/plugins/hostile/honest.h"

static int32_t claim(void* instance, const sg_function* function, int32_t node, sg_claim* claim,
                     sg_status* status) {
  int32_t other;
  const int32_t code = honest_claim(instance, function, node, claim, status);
  if (code != SG_OK || claim->reason != SG_CLAIMED) return code;
  for (other = 0; other < function->num_nodes; ++other) {
    if (other != node) claim->together[claim->num_together++] = other;
  }
  return SG_OK;
}

HONEST_BUT("group", backend->claim = claim)
