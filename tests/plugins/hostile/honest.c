/* Nothing wrong: what the others are measured against. */

#include "tests/plugins/hostile/honest.h"

HONEST_BUT("honest", (void)0)
