/* Follows a null pointer when it is unloaded. */

#include "tests/plugins/hostile/honest.h"

static int* volatile nowhere = NULL;

__attribute__((destructor)) static void crash(void) { *nowhere = 1; }

HONEST_BUT("crashes_at_unload", (void)0)
