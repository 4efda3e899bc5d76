/* Fails the second preparation. */

#include "tests/plugins/hostile/honest.h"

static int32_t prepare(void* instance, const sg_prepare_args* args, sg_program* program,
                       sg_status* status) {
  static int preparations = 0;
  if (++preparations > 1) return sg_fail(status, SG_INTERNAL, "once was enough");
  return honest_prepare(instance, args, program, status);
}

HONEST_BUT("second_preparation", backend->prepare = prepare)
