/* Loses a kilobyte with each preparation. */

#include "tests/plugins/hostile/honest.h"

static void* volatile lost;

static int32_t prepare(void* instance, const sg_prepare_args* args, sg_program* program,
                       sg_status* status) {
  lost = malloc(1024);
  return honest_prepare(instance, args, program, status);
}

HONEST_BUT("leaks", backend->prepare = prepare)
