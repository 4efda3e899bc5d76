#ifndef SEQGRAPH_TESTS_RUNTIME_LIBRARY_C_TEST_H_
#define SEQGRAPH_TESTS_RUNTIME_LIBRARY_C_TEST_H_

/* What the tests in C have in common. */

#include <stdio.h>
#include <string.h>

#include "runtime_library/runtime.h"

static int failures = 0;

#define EXPECT(condition)                                                                          \
  do {                                                                                             \
    if (!(condition)) {                                                                            \
      fprintf(stderr, "%s:%d: %s does not hold; status: %d, %s\n", __FILE__, __LINE__, #condition, \
              (int)status.code, status.text);                                                      \
      ++failures;                                                                                  \
    }                                                                                              \
  } while (0)

/* The call fails with this code and a text that holds this one. */
#define EXPECT_ERROR(call, expected, part)                                                    \
  do {                                                                                        \
    memset(status.text, 'x', sizeof(status.text));                                            \
    EXPECT((call) == (expected) && status.code == (expected) &&                               \
           memchr(status.text, 0, sizeof(status.text)) && strstr(status.text, part) != NULL); \
  } while (0)

static seqgraph_status status = SEQGRAPH_STATUS_INIT;

#endif /* SEQGRAPH_TESTS_RUNTIME_LIBRARY_C_TEST_H_ */
