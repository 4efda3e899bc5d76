/* Today's header may have grown behind what version 1 had, and nothing else. */

#include "backends/plugin/seqgraph_backend.h"

#define SG_STRUCT(type, size) _Static_assert(sizeof(type) >= (size), "size of " #type);
#define SG_MEMBER(type, member, offset, size)                                         \
  _Static_assert(offsetof(type, member) == (offset), "offset of " #type "." #member); \
  _Static_assert(sizeof(((type*)0)->member) == (size), "size of " #type "." #member);
#include "tests/compatibility/plugin_abi_1/layout.inc"

_Static_assert(SG_MAGIC == UINT64_C(0x7365716772617068), "the magic number never changes");
_Static_assert(SG_ABI_VERSION_MIN == 1, "version 1 is still spoken");
