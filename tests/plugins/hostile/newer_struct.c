/* Built with a later header, whose table has more slots; speaks version 1. Nothing wrong. */

#include "tests/plugins/hostile/honest.h"

HONEST_BY_HAND("newer_struct", backend->struct_size = sizeof(sg_backend) + 64)
