#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "tests/fuzz/targets/targets.h"
#include "tests/testing.h"

namespace seqgraph {

/// Runs each target under libFuzzer, in a process of its own that begins with the kept corpus:
/// SEQGRAPH_SOAK executions, or some seconds' worth of them. What fails is left as TARGET-crash-*
/// where Bazel keeps what tests put out.
class FuzzTest : public ::testing::TestWithParam<FuzzTarget> {};

void Fuzz(const FuzzTarget& target);

inline void PrintTo(const FuzzTarget& target, std::ostream* out) { *out << target.name; }

inline std::string FuzzName(const ::testing::TestParamInfo<FuzzTarget>& info) {
  return info.param.name;
}

}  // namespace seqgraph
