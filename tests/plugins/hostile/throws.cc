/* Throws when asked. */

#include <stdexcept>

#include "tests/plugins/hostile/honest.h"

static int32_t claim(void*, const sg_function*, int32_t, sg_claim*, sg_status*) {
  throw std::runtime_error("what a surprise");
}

HONEST_BUT("throws", backend->claim = claim)
