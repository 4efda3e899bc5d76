// What nearly every source file includes, compiled once (bazel/prelude.bzl) and put before each of
// them: reading these headers took a third of all compilation. It is for speed alone: every file
// still includes what it uses, and compiles without this one.

#ifndef SEQGRAPH_BAZEL_PRELUDE_H_
#define SEQGRAPH_BAZEL_PRELUDE_H_

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

#endif  // SEQGRAPH_BAZEL_PRELUDE_H_
