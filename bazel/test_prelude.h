// What nearly every test includes: prelude.h and GoogleTest.

#ifndef SEQGRAPH_BAZEL_TEST_PRELUDE_H_
#define SEQGRAPH_BAZEL_TEST_PRELUDE_H_

#include "bazel/prelude.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#endif  // SEQGRAPH_BAZEL_TEST_PRELUDE_H_
