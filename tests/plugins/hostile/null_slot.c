/* Lacks a function that is required. */

#include "tests/plugins/hostile/honest.h"

HONEST_BUT("null_slot", backend->prepare = NULL)
