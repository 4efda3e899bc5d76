/* Writes one element past the end of its output. */

#include "tests/plugins/hostile/honest.h"

static int32_t run(void* program, const sg_run_args* args, sg_status* status) {
  const sg_tensor* y = args->outputs[0];
  honest_run(program, args, status);
  ((float*)y->data)[y->bytes / (int64_t)sizeof(float)] = 1;
  return SG_OK;
}

HONEST_BUT("writes_past", backend->run = run)
