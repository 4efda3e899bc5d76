/* A plugin built with the header of version 1, as it was. */

#include "tests/compatibility/plugin_abi_1/seqgraph_backend.h"
/* That header's guard keeps today's out of the following. */
#include "tests/plugins/hostile/honest.h"

HONEST_BUT("old", (void)0)
