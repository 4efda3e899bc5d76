/* Answers for a whole function at once, with things that make no sense: a reason that does not
 * exist, others than there are, and no end of a text. */

#include "tests/plugins/hostile/honest.h"

static int32_t claim_function(void* instance, const sg_function* function, sg_function_claim* claim,
                              sg_status* status) {
  (void)instance, (void)status, (void)function;
  claim->nodes[0]->reason = -7;
  memset(claim->nodes[0]->text, '?', sizeof(claim->nodes[0]->text));
  claim->nodes[1]->num_together = 1;
  claim->nodes[1]->together[0] = 1000000;
  return SG_OK;
}

HONEST_BUT("garbage_claims", backend->claim_function = claim_function)
