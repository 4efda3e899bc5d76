#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace seqgraph {
namespace testing_internal {

inline const absl::Status& ToStatus(const absl::Status& status) { return status; }

template <typename T>
const absl::Status& ToStatus(const absl::StatusOr<T>& result) {
  return result.status();
}

}  // namespace testing_internal

/// Matches an OK absl::Status or absl::StatusOr.
MATCHER(IsOk, negation ? "is not OK" : "is OK") {
  const absl::Status& status = testing_internal::ToStatus(arg);
  *result_listener << "which is " << status;
  return status.ok();
}

/// Matches an absl::Status or absl::StatusOr with this code.
MATCHER_P(StatusIs, code,
          std::string(negation ? "does not have" : "has") + " code " +
              absl::StatusCodeToString(code)) {
  const absl::Status& status = testing_internal::ToStatus(arg);
  *result_listener << "which is " << status;
  return status.code() == code;
}

/// Matches an absl::Status or absl::StatusOr with this code and a message that contains
/// `substring`.
MATCHER_P2(StatusIs, code, substring,
           std::string(negation ? "does not have" : "has") + " code " +
               absl::StatusCodeToString(code) + " and a message with \"" + std::string(substring) +
               "\"") {
  const absl::Status& status = testing_internal::ToStatus(arg);
  *result_listener << "which is " << status;
  return status.code() == code &&
         status.message().find(absl::string_view(substring)) != absl::string_view::npos;
}

/// Absolute path of `relative` in the folder of shared reference data (environment variable
/// SEQGRAPH_SHARED); empty when the variable is unset or there is no such file or folder.
std::string SharedPath(absl::string_view relative);

/// Absolute path of a new empty folder, which the test may fill; each call gives another.
std::string MakeTempDir();

}  // namespace seqgraph

#define SEQ_EXPECT_OK(expr) EXPECT_THAT((expr), ::seqgraph::IsOk())
#define SEQ_ASSERT_OK(expr) ASSERT_THAT((expr), ::seqgraph::IsOk())

/// SEQ_ASSERT_OK_AND_ASSIGN(auto x, F()): a fatal failure with the status, or its value in `x`.
/// Only in functions that return void.
#define SEQ_ASSERT_OK_AND_ASSIGN(lhs, expr) \
  SEQ_ASSERT_OK_AND_ASSIGN_IMPL_(SEQ_TESTING_CONCAT_(seq_result_, __LINE__), lhs, expr)
#define SEQ_ASSERT_OK_AND_ASSIGN_IMPL_(result, lhs, expr)               \
  auto result = (expr);                                                 \
  ASSERT_TRUE(result.ok()) << #expr << " returned " << result.status(); \
  lhs = *std::move(result)
#define SEQ_TESTING_CONCAT_(a, b) SEQ_TESTING_CONCAT_IMPL_(a, b)
#define SEQ_TESTING_CONCAT_IMPL_(a, b) a##b

/// SEQ_SHARED_OR_SKIP(path, "keras/case.json"): declares std::string `path`, or skips the test
/// where the shared data is absent. Such a test has the tag "external" in its BUILD file.
#define SEQ_SHARED_OR_SKIP(path, relative)                   \
  const std::string path = ::seqgraph::SharedPath(relative); \
  if (path.empty())                                          \
  GTEST_SKIP() << "needs the shared data: no " << (relative) << " under SEQGRAPH_SHARED"
