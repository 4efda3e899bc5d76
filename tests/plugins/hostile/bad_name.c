/* Has a name that is none. */

#include "tests/plugins/hostile/honest.h"

HONEST_BUT("two words\n", (void)0)
