/* Asks for more memory than there is. */

#include "tests/plugins/hostile/honest.h"

static int32_t node_info(void* program, int32_t node, sg_node_info* info, sg_status* status) {
  (void)program, (void)node, (void)status;
  info->scratch_bytes = INT64_MAX;
  return SG_OK;
}

HONEST_BUT("absurd_sizes", backend->node_info = node_info)
