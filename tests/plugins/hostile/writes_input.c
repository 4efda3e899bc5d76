/* Writes to its input. */

#include "tests/plugins/hostile/honest.h"

static int32_t run(void* program, const sg_run_args* args, sg_status* status) {
  ((float*)args->inputs[0]->data)[0] = 1;
  return honest_run(program, args, status);
}

HONEST_BUT("writes_input", backend->run = run)
