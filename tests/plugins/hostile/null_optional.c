/* Has no optional function. Nothing wrong. */

#include "tests/plugins/hostile/honest.h"

static int32_t prepare(void* instance, const sg_prepare_args* args, sg_program* program,
                       sg_status* status) {
  (void)instance, (void)args, (void)program, (void)status;
  return SG_OK;
}

HONEST_BUT("null_optional", backend->prepare = prepare; backend->destroy = NULL)
