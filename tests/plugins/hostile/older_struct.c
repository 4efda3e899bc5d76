/* Its table is smaller than that of version 1. */

#include "tests/plugins/hostile/honest.h"

HONEST_BY_HAND("older_struct", backend->struct_size = offsetof(sg_backend, run))
