/* Does not come back from being loaded. */

#include <unistd.h>

#include "tests/plugins/hostile/honest.h"

__attribute__((constructor)) static void endless(void) {
  for (;;) sleep(1);
}

HONEST_BUT("endless_constructor", (void)0)
