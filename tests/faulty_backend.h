#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "runtime/backend.h"

namespace seqgraph {

/// Which element that is none of its own a node writes.
enum class Overrun { kNone, kBehind, kBefore, kScratch };

/// One thing that a FaultyBackend does wrong, in every node of one op.
struct InjectedFault {
  static constexpr int64_t kLargest = -1;

  std::string op;    ///< empty, and `node` too: every op
  std::string node;  ///< if not empty: in the node of this name alone, whatever its op
  int output = 0;
  int64_t element = 0;  ///< modulo the output's size; kLargest: that of the largest magnitude
  /// Added to the element: so many times the bound of the node (graph/node_bounds.h), which only
  /// works where no operand is private; or this share of the element itself (1 if it is an
  /// integer); or this amount.
  double times_bound = 0;
  double share = 0;
  float amount = 0;
  /// One element right behind its first output that is wanted, before it, or behind its scratch.
  Overrun overrun = Overrun::kNone;
  /// Goes on reading the variables' contents of the first call.
  bool stale_variables = false;
  /// Other misbehaviour:
  ///   read_past_end        reads far behind its first input
  ///   writes_input         changes its first input
  ///   uses_undefined       adds what its output held before
  ///   ignores_nan          makes 0 of a NaN
  ///   flips_sign           of the element
  ///   crashes              a null pointer is written
  ///   exits                ends the process with status 0
  ///   throws               an exception
  ///   hangs                does not return
  ///   no_begin_end         fails for ever after the first failure
  ///   broken_promise       claims the op, but Prepare refuses it
  ///   second_prepare       Prepare fails from the second time on
  ///   changes_its_mind     every second claim is refused
  ///   leaks                each Prepare leaves 4 KiB behind
  ///   claims_nothing
  ///   claims_only          refuses every op but `op`; what else is set of the fault is done there
  std::string behavior;
};

/// A fault as text, for the command line of a worker: a behavior with the op that it is shown on
/// ("crashes:Tanh", "leaks"), or "none", "perturb:OP" (the largest element of the first output is
/// off by 10 times its bound), "off:OP" (by 1e-3 of itself), "behind:OP", "before:OP",
/// "stale_variables". NotFound for anything else.
absl::StatusOr<InjectedFault> ParseFault(const std::string& text);

/// Another backend with a fault; bears the name "faulty". `inner` must outlive it.
std::unique_ptr<Backend> MakeFaultyBackend(const Backend* inner, InjectedFault fault);

}  // namespace seqgraph
