/* Its table bears another magic number. */

#include "tests/plugins/hostile/honest.h"

HONEST_BY_HAND("wrong_magic", backend->magic = 1)
