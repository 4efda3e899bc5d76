/* Writes a page past the end of its output. */

#include "tests/plugins/hostile/honest.h"

static int32_t run(void* program, const sg_run_args* args, sg_status* status) {
  const sg_tensor* y = args->outputs[0];
  (void)program, (void)status;
  memset(y->data, 0, (size_t)y->bytes + 4096);
  return SG_OK;
}

HONEST_BUT("writes_far_past", backend->run = run)
