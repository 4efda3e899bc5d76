/* Follows a null pointer. */

#include "tests/plugins/hostile/honest.h"

static int* volatile nowhere = NULL;

static int32_t prepare(void* instance, const sg_prepare_args* args, sg_program* program,
                       sg_status* status) {
  (void)instance, (void)args, (void)program, (void)status;
  *nowhere = 1;
  return SG_OK;
}

HONEST_BUT("crashes", backend->prepare = prepare)
