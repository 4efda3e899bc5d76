#ifndef SEQGRAPH_TESTS_CONFORMANCE_FAULTY_BACKEND_H_
#define SEQGRAPH_TESTS_CONFORMANCE_FAULTY_BACKEND_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "runtime/backend.h"

namespace seqgraph {

/// The faults that a FaultyBackend can have: what users' backends do wrong.
///
///   none                 the wrapped backend as it is
///   perturb:OP           the largest element of the first output is off by 10 times its bound
///   wrong_gate_gradient  one element of du of RNNCellGrad has the wrong sign
///   stale_weight         variables are packed once and never again
///   write_past_end       one float behind each output of Tanh is written
///   write_before_begin   one float before each output of Tanh is written
///   read_past_end        reads far behind its input of Tanh
///   writes_input         Tanh changes its input
///   uses_undefined       Tanh adds what its output held before
///   ignores_nan          Sigmoid makes 0 of a NaN
///   broken_promise       claims Dense, but Prepare refuses it
///   second_prepare       Prepare fails from the second time on
///   changes_its_mind     every second claim is refused
///   crashes              a null pointer is written in Tanh
///   exits                ends the process with status 0 in Tanh
///   throws               Tanh throws
///   hangs                Tanh does not return
///   leaks                each Prepare leaves 4 KiB behind
///   no_begin_end         fails for ever after the first failure
///   nothing              claims nothing
std::vector<std::string> FaultNames();

/// `inner` must outlive it. NotFound for an unknown fault.
absl::StatusOr<std::unique_ptr<Backend>> MakeFaultyBackend(const std::string& fault,
                                                           const Backend& inner);

}  // namespace seqgraph

#endif  // SEQGRAPH_TESTS_CONFORMANCE_FAULTY_BACKEND_H_
