/* Does not know how much scratch memory it takes. Nothing wrong. */

#include "tests/plugins/hostile/honest.h"

static int32_t node_info(void* program, int32_t node, sg_node_info* info, sg_status* status) {
  (void)program, (void)node, (void)status;
  info->scratch_bytes = -1;
  return SG_OK;
}

HONEST_BUT("unknown_scratch", backend->node_info = node_info)
