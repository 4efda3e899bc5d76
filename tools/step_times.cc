#include "tools/step_times.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_format.h"

namespace seqgraph::tools {
namespace {

std::string Time(int64_t nanoseconds) {
  const double ns = static_cast<double>(nanoseconds);
  if (ns < 1e3) return absl::StrFormat("%d ns", nanoseconds);
  if (ns < 1e6) return absl::StrFormat("%.3g us", ns / 1e3);
  if (ns < 1e9) return absl::StrFormat("%.3g ms", ns / 1e6);
  return absl::StrFormat("%.3g s", ns / 1e9);
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

}  // namespace seqgraph::tools
