/* Needs a function that nobody has. */

#include "tests/plugins/hostile/honest.h"

int32_t function_that_nobody_has(void* instance, const sg_function* function, int32_t node,
                                 sg_claim* claim, sg_status* status);

HONEST_BUT("unresolved", backend->claim = function_that_nobody_has)
