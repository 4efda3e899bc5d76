/* Does not come back from prepare. */

#include <unistd.h>

#include "tests/plugins/hostile/honest.h"

static int32_t prepare(void* instance, const sg_prepare_args* args, sg_program* program,
                       sg_status* status) {
  (void)instance, (void)args, (void)program, (void)status;
  while (SG_ABI_VERSION) {
    sleep(1);
  }
  return SG_OK;
}

HONEST_BUT("never_returns", backend->prepare = prepare)
