/* Speaks a version that the host did not offer. */

#include "tests/plugins/hostile/honest.h"

HONEST_BY_HAND("newer_version", backend->abi_version = 99)
