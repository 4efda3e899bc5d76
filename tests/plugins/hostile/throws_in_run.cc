/* Throws something that is no std::exception when it runs. */

#include "tests/plugins/hostile/honest.h"

static int32_t run(void*, const sg_run_args*, sg_status*) { throw 7; }

HONEST_BUT("throws_in_run", backend->run = run)
