/* Ends the process, and says that all is well. */

#include <unistd.h>

#include "tests/plugins/hostile/honest.h"

__attribute__((constructor)) static void leave(void) { _exit(0); }

HONEST_BUT("exiting_constructor", (void)0)
