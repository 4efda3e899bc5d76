#ifndef SEQGRAPH_TESTS_DIFF_FAULTY_BACKEND_H_
#define SEQGRAPH_TESTS_DIFF_FAULTY_BACKEND_H_

#include <memory>
#include <string>

#include "runtime/backend.h"

namespace seqgraph {

/// Which element that is none of its own a node writes.
enum class Overrun { kNone, kBehind, kBefore, kScratch };

/// One thing that a FaultyBackend does wrong, in every node of one op.
struct InjectedFault {
  std::string op;
  std::string node;  ///< if not empty: in the node of this name alone, whatever its op
  int output = 0;
  int64_t element = 0;  ///< modulo the output's size
  /// Added to the element: so many times the bound of the node (runtime/numeric_bounds.h), which
  /// only works where no operand is private; or this amount.
  double times_bound = 0;
  float amount = 0;
  /// One element right behind its first output that is wanted, before it, or behind its scratch.
  Overrun overrun = Overrun::kNone;
  /// Goes on reading the variables' contents of the first call.
  bool stale_variables = false;
};

/// Another backend with a fault; bears the name "faulty". `inner` must outlive it.
std::unique_ptr<Backend> MakeFaultyBackend(const Backend* inner, InjectedFault fault);

}  // namespace seqgraph

#endif  // SEQGRAPH_TESTS_DIFF_FAULTY_BACKEND_H_
