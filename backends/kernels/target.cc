#include "backends/kernels/target.h"

#include <cstdint>
#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "hwy/targets.h"

namespace seqgraph::kernels {
namespace {

// The targets that are compiled; a better one has a smaller value.
static_assert(HWY_TARGETS == (HWY_AVX3 | HWY_AVX2 | HWY_SSE4) && HWY_STATIC_TARGET == HWY_SSE4,
              "//bazel:hwy chooses the targets");
constexpr int64_t kTargets[] = {HWY_AVX3, HWY_AVX2, HWY_SSE4};

// What the CPU has, before any target is forced.
int64_t CpuTargets() {
  static const int64_t targets = [] {
    hwy::SetSupportedTargetsForTest(0);
    return hwy::SupportedTargets() & HWY_TARGETS;
  }();
  return targets;
}

// Highway remembers its choice; both have to be told.
void Use(int64_t targets) {
  hwy::SetSupportedTargetsForTest(targets);
  hwy::GetChosenTarget().Update(targets);
}

// ForceTarget, without a look at the environment.
absl::Status Force(absl::string_view name) {
  if (name.empty()) {
    Use(CpuTargets());
    return absl::OkStatus();
  }
  const std::string wanted = absl::AsciiStrToUpper(name);
  for (const int64_t target : kTargets) {
    if (wanted != hwy::TargetName(target) || (CpuTargets() & target) == 0) continue;
    Use(target);
    return absl::OkStatus();
  }
  return InvalidArgument("no SIMD target '", name, "': this CPU has ",
                         absl::StrJoin(SupportedTargets(), ", "));
}

absl::Status FromEnvironment() {
  if (CpuTargets() == 0) {
    return Unimplemented("this CPU has no SSE4, the least that the vector code needs");
  }
  const char* name = std::getenv(kTargetVariable);
  if (name == nullptr) return absl::OkStatus();
  const absl::Status forced = Force(name);
  if (forced.ok()) return forced;
  return InvalidArgument(kTargetVariable, ": ", forced.message());
}

}  // namespace

std::vector<std::string> SupportedTargets() {
  std::vector<std::string> names;
  for (const int64_t target : kTargets) {
    if ((CpuTargets() & target) != 0) names.push_back(hwy::TargetName(target));
  }
  return names;
}

absl::Status ForceTarget(absl::string_view name) {
  // What the environment says comes first, so that it cannot undo this later.
  (void)TargetStatus();
  return Force(name);
}

absl::Status TargetStatus() {
  static const absl::Status* const status = new absl::Status(FromEnvironment());
  return *status;
}

std::string TargetName() {
  const int64_t targets = hwy::SupportedTargets() & HWY_TARGETS;
  for (const int64_t target : kTargets) {
    if ((targets & target) != 0) return hwy::TargetName(target);
  }
  return "none";
}

}  // namespace seqgraph::kernels
