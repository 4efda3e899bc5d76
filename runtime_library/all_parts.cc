// All parts, for programs that name none. A member of its own in the static library.

#include "runtime_library/op_parts.h"
#include "runtime_library/parts.h"

SEQGRAPH_PARTS(SEQGRAPH_DECLARE_PART)

// Nothing refers to them but by the ends of their section, which some linkers do not count.
#define NAME_PART(name)                                    \
  __attribute__((section("seqgraph_parts"), used, retain)) \
  const seqgraph_part* const seqgraph_all_part_##name = &seqgraph_part_##name;
namespace {
SEQGRAPH_PARTS(NAME_PART)
}  // namespace

extern "C" {
__attribute__((visibility("hidden"))) char seqgraph_parts_chosen = 1;
}
