/* Returns a code that does not exist, with a text that does not end. */

#include "tests/plugins/hostile/honest.h"

static int32_t prepare(void* instance, const sg_prepare_args* args, sg_program* program,
                       sg_status* status) {
  (void)instance, (void)args;
  memset(program, 0xEE, sizeof(*program));
  memset(status->text, 0xEE, sizeof(status->text));
  return 12345;
}

HONEST_BUT("garbage_status", backend->prepare = prepare)
