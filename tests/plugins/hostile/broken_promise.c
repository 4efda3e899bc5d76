/* Claims what it then refuses. */

#include "tests/plugins/hostile/honest.h"

static int32_t prepare(void* instance, const sg_prepare_args* args, sg_program* program,
                       sg_status* status) {
  (void)instance, (void)args, (void)program;
  return sg_fail(status, SG_UNIMPLEMENTED, "on second thoughts, no");
}

HONEST_BUT("broken_promise", backend->prepare = prepare)
