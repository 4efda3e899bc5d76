#include "tools/step_times.h"

#include <time.h>

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"

namespace seqgraph::tools {
namespace {

std::string Time(int64_t nanoseconds) {
  const double ns = static_cast<double>(nanoseconds);
  if (ns < 1e3) return absl::StrFormat("%d ns", nanoseconds);
  if (ns < 1e6) return absl::StrFormat("%.3g us", ns / 1e3);
  if (ns < 1e9) return absl::StrFormat("%.3g ms", ns / 1e6);
  return absl::StrFormat("%.3g s", ns / 1e9);
}

int64_t Now() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

// Or until a signal comes.
void SleepUntil(int64_t nanoseconds) {
  const timespec until{static_cast<time_t>(nanoseconds / 1'000'000'000),
                       static_cast<long>(nanoseconds % 1'000'000'000)};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
}

}  // namespace

void StepTimes::Add(int64_t nanoseconds) {
  const double octave = std::log2(static_cast<double>(std::max<int64_t>(nanoseconds, 1)));
  const auto bucket = static_cast<size_t>(octave * kPerOctave);
  ++counts_[std::min(bucket, counts_.size() - 1)];
  ++count_;
  longest_ = std::max(longest_, nanoseconds);
}

int64_t StepTimes::Quantile(double share) const {
  const auto wanted = static_cast<int64_t>(std::ceil(share * static_cast<double>(count_)));
  int64_t seen = 0;
  for (size_t bucket = 0; bucket < counts_.size(); ++bucket) {
    seen += counts_[bucket];
    if (seen < wanted || seen == 0) continue;
    const double end = std::exp2(static_cast<double>(bucket + 1) / kPerOctave);
    return std::min(static_cast<int64_t>(end), longest_);
  }
  return 0;
}

std::string StepTimes::Text() const {
  if (count_ == 0) return "0 steps\n";
  std::string text = absl::StrFormat("%d steps: median %s, 99 %% %s, 99.9 %% %s, longest %s\n",
                                     count_, Time(Quantile(0.5)), Time(Quantile(0.99)),
                                     Time(Quantile(0.999)), Time(longest_));
  for (int octave = 0; octave < kOctaves; ++octave) {
    int64_t count = 0;
    for (int i = 0; i < kPerOctave; ++i) count += counts_[octave * kPerOctave + i];
    if (count == 0) continue;
    // A bar for each factor of ten: what is rare is what one looks for.
    const int bars = 1 + static_cast<int>(4 * std::log10(static_cast<double>(count)));
    absl::StrAppendFormat(&text, "  below %8s %12d %s\n", Time(int64_t{2} << octave), count,
                          std::string(static_cast<size_t>(bars), '#'));
  }
  return text;
}

absl::Status StepPace::Take(double calls_per_second, absl::FunctionRef<absl::Status()> call) {
  const auto due = [&](int64_t k) {
    return start_ + static_cast<int64_t>(static_cast<double>(k) * 1e9 / calls_per_second);
  };
  if (realtime_ && start_ == 0) start_ = Now();
  const int64_t k = times_.count();
  if (realtime_) SleepUntil(due(k + 1));
  const int64_t begin = Now();
  SEQ_RETURN_IF_ERROR(call());
  const int64_t end = Now();
  times_.Add(end - begin);
  late_ += realtime_ && end > due(k + 2);
  return absl::OkStatus();
}

std::string StepPace::Text() const {
  if (!realtime_) return times_.Text();
  return absl::StrCat(times_.Text(), late_, " of ", times_.count(), " steps came too late\n");
}

}  // namespace seqgraph::tools
