// What nearly every test includes: graph_prelude.h and GoogleTest.

#ifndef SEQGRAPH_BAZEL_TEST_PRELUDE_H_
#define SEQGRAPH_BAZEL_TEST_PRELUDE_H_

#include "bazel/graph_prelude.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#endif  // SEQGRAPH_BAZEL_TEST_PRELUDE_H_
