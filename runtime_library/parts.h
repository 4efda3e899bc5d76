#pragma once

#include <cstddef>
#include <vector>

#include "backends/simd/simd_rows.h"
#include "graph/op_def.h"

/// What a static program may leave out of the library: an op, or a family of ops that are defined
/// together, with the kernels for it. A program that includes the header of an embedded model with
/// SEQGRAPH_LEAN defined names those that its model needs, and the linker drops the others; any
/// other program gets all (all_parts.cc).
struct seqgraph_part {
  const char* op;  ///< null: a family
  seqgraph::OpDef (*define)();
  std::vector<seqgraph::OpDef> (*define_family)();
  const seqgraph::simd::Row* rows;
  size_t num_rows;
};

/// The names of all parts: those of ops/all_ops.cc, and the families.
#define SEQGRAPH_PARTS(PART) SEQGRAPH_OP_PARTS(PART) PART(UnaryOps) PART(BinaryOps)

/// Hidden: a shared library that contains this one does not pass them on.
#define SEQGRAPH_DECLARE_PART(name) \
  extern "C" __attribute__((visibility("hidden"))) const seqgraph_part seqgraph_part_##name;
