#pragma once

// A handful of tiny ops for the tests of graph/ and backends/, which know nothing of ops/:
//
//   Add(x, y) = x + y              in place in either input
//   Multiply(x, y) = x * y         in place in either input
//   Scale(x; factor=2) = factor x  in place
//   AddRow(x, row) = x + row       row is added to each row of x; in place in either, by its word
//   Sum(x) = sum of x              a scalar
//   Spread(s, like) = s            the scalar s in the shape of `like`
//   FillLike(like; value) = value  in the shape of `like`
//   SumDiff(x, y?) = x + y, x - y  two outputs; y is zero where it is absent
//   Pick(ids, table) = table[ids]  fails for an id that is out of range
//   Ramp(ids; dtype) = ids / 10    as real numbers: the only float type is that of the output
//   Round(x) = round(x)            has no gradient
//   Count(t) = t + 1               int64, in place

#include "graph/op_def.h"
#include "graph/op_registry.h"

namespace seqgraph {

/// The ops above. A new registry each time, so that a test may add to it.
OpRegistry MakeTestOps();

/// The same, made once.
const OpRegistry& TestOps();

/// A definition that a registry takes: one input x, one output y = x, doc, example. Tests change
/// it.
OpDef CopyOp(std::string name);

}  // namespace seqgraph
