#include "training/live_progress.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"

namespace seqgraph {
namespace {

constexpr double kSecondsBetweenLiveDraws = 0.1;
constexpr int kLiveBar = 24, kShortestBar = 6, kSparks = 24, kLevels = 8;
constexpr const char* kSpark[kLevels] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

ProgressOptions WithoutTerminal(ProgressOptions options) {
  options.terminal = options.color = false;
  return options;
}

// Characters of UTF-8, each of which takes one column here.
int ColumnsOf(absl::string_view text) {
  return static_cast<int>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace

std::string SparkLine(const std::vector<double>& values, int width) {
  const size_t count = std::min(values.size(), static_cast<size_t>(std::max(width, 0)));
  const auto begin = values.end() - static_cast<ptrdiff_t>(count);
  double low = INFINITY, high = -INFINITY;
  for (auto it = begin; it != values.end(); ++it) {
    if (!std::isfinite(*it)) continue;
    low = std::min(low, *it);
    high = std::max(high, *it);
  }
  std::string line;
  for (auto it = begin; it != values.end(); ++it) {
    if (!std::isfinite(*it)) {
      line += ' ';
      continue;
    }
    // Halves, for the whole distance may be beyond all numbers.
    const double share = high > low ? (*it / 2 - low / 2) / (high / 2 - low / 2) : 0;
    line += kSpark[std::clamp(static_cast<int>(share * kLevels), 0, kLevels - 1)];
  }
  return line;
}

// What does not fit is left out as a whole: half a number would be another one.
void LiveProgress::Line::Append(absl::string_view part, int most) {
  const int more = ColumnsOf(part);
  if (columns + more > most) return;
  absl::StrAppend(&text, part);
  columns += more;
}

LiveProgress::LiveProgress(LiveProgressOptions options)
    : options_(std::move(options)), lines_([this] {
        ProgressOptions plain = WithoutTerminal(options_.on);
        plain.write = [this](absl::string_view text) {
          Erase();
          options_.on.write(text);
        };
        return plain;
      }()) {}

absl::Status LiveProgress::OnTrainBegin(FitContext& context) {
  losses_.clear();
  monitored_.clear();
  drawn_.clear();
  best_epoch_ = -1;
  return lines_.OnTrainBegin(context);
}

absl::Status LiveProgress::OnEpochBegin(FitContext& context, int epoch) {
  epoch_ = epoch;
  done_ = first_done_ = 0;
  epoch_start_ = options_.on.clock();
  return lines_.OnEpochBegin(context, epoch);
}

absl::Status LiveProgress::OnBatchEnd(FitContext& context, int64_t batch, const Logs& logs) {
  if (done_ == 0) first_done_ = batch;
  done_ = batch + 1;
  SEQ_RETURN_IF_ERROR(lines_.OnBatchEnd(context, batch, logs));
  const double now = options_.on.clock();
  if (last_draw_ >= 0 && now - last_draw_ < kSecondsBetweenLiveDraws) return absl::OkStatus();
  last_draw_ = now;
  Draw(context, logs);
  return absl::OkStatus();
}

void LiveProgress::TakeEpoch(int epoch, const Logs& logs) {
  const auto loss = logs.find("loss"), monitored = logs.find(options_.monitor);
  if (loss != logs.end()) losses_.push_back(loss->second);
  if (monitored == logs.end()) return;
  const double value = monitored->second;
  monitored_.push_back(value);
  const bool better = options_.higher_is_better ? value > best_ : value < best_;
  if (!std::isnan(value) && (best_epoch_ < 0 || better)) {
    best_epoch_ = epoch;
    best_ = value;
  }
}

absl::Status LiveProgress::OnEpochEnd(FitContext& context, int epoch, Logs& logs) {
  TakeEpoch(epoch, logs);
  epoch_seconds_ = options_.on.clock() - epoch_start_;
  SEQ_RETURN_IF_ERROR(lines_.OnEpochEnd(context, epoch, logs));
  if (epoch + 1 < context.epochs && !context.stop_training) Draw(context, logs);
  return absl::OkStatus();
}

absl::Status LiveProgress::OnTrainEnd(FitContext& context) {
  Erase();
  return lines_.OnTrainEnd(context);
}

absl::Status LiveProgress::OnTrainFailure(FitContext& context) {
  Erase();
  return lines_.OnTrainFailure(context);
}

void LiveProgress::SaveState(StateWriter& state) const { lines_.SaveState(state); }

absl::Status LiveProgress::LoadState(FitContext& context, const StateReader& state) {
  SEQ_RETURN_IF_ERROR(lines_.LoadState(context, state));
  epoch_start_ = options_.on.clock();
  return absl::OkStatus();
}

// The rows above the cursor follow from the width of the moment, by which the terminal has wrapped
// what stands there.
void LiveProgress::Erase() {
  if (drawn_.empty()) return;
  const int width = std::max(options_.on.columns ? options_.on.columns() : 80, 1);
  int rows = 0;
  for (const int columns : drawn_) rows += std::max(1, (columns + width - 1) / width);
  drawn_.clear();
  options_.on.write(
      absl::StrCat("\r", rows > 1 ? absl::StrCat("\033[", rows - 1, "A") : "", "\033[J"));
}

void LiveProgress::Draw(const FitContext& context, const Logs& logs) {
  const int width = std::max(options_.on.columns ? options_.on.columns() : 80, 2);
  const Line first = FirstLine(context, width - 1), second = SecondLine(logs, width - 1);
  Erase();
  options_.on.write(absl::StrCat(first.text, "\n", second.text));
  drawn_ = {first.columns, second.columns};
}

LiveProgress::Line LiveProgress::FirstLine(const FitContext& context, int most) const {
  const std::string head = absl::StrCat("Epoch ", epoch_ + 1, "/", context.epochs, " ");
  std::vector<std::string> parts = {absl::StrCat(" ", done_, "/", context.steps)};
  const double seconds = options_.on.clock() - epoch_start_;
  const int64_t steps = done_ - first_done_;
  if (steps > 0 && seconds > 0) {
    const double a_second = static_cast<double>(steps) / seconds;
    const double rows =
        options_.rows > 0 && context.steps > 0
            ? a_second * static_cast<double>(options_.rows) / static_cast<double>(context.steps)
            : a_second;
    parts.push_back(absl::StrFormat("  %.0f %s/s", rows, options_.rows > 0 ? "rows" : "steps"));
    const double left = static_cast<double>(context.steps - done_) / a_second;
    parts.push_back(absl::StrCat("  ", FormatTimeLeft(left), " left"));
    const double each = std::max(epoch_seconds_, left + seconds);
    const int more = context.epochs - epoch_ - 1;
    if (more > 0) {
      parts.push_back(absl::StrCat(", at most ", FormatTimeLeft(left + each * more), " of all"));
    }
  }
  int room = most - ColumnsOf(head);
  for (const std::string& part : parts) room -= ColumnsOf(part);
  const int columns = std::clamp(room, kShortestBar, kLiveBar);
  const int filled = static_cast<int>(columns * done_ / std::max<int64_t>(context.steps, 1));
  std::string bar;
  for (int i = 0; i < columns; ++i) bar += i < filled ? "━" : "─";
  Line line;
  line.Append(head, most);
  line.Append(bar, most);
  for (const std::string& part : parts) line.Append(part, most);
  return line;
}

// Numbers come before pictures: spark-lines have what room these leave.
LiveProgress::Line LiveProgress::SecondLine(const Logs& logs, int most) const {
  struct Part {
    std::string text;
    const std::vector<double>* sparks = nullptr;  // behind it
  };
  std::vector<Part> parts;
  if (const auto loss = logs.find("loss"); loss != logs.end()) {
    parts.push_back({absl::StrCat("loss ", FormatMetric(loss->second), " "), &losses_});
  }
  if (!monitored_.empty()) {
    parts.push_back(
        {absl::StrCat("  ", options_.monitor, " ", FormatMetric(monitored_.back()), " "),
         &monitored_});
  }
  if (best_epoch_ >= 0) {
    parts.push_back({absl::StrCat("  best ", FormatMetric(best_), " in epoch ", best_epoch_ + 1)});
    if (options_.patience_left) {
      parts.push_back({absl::StrCat("  patience left ", options_.patience_left())});
    }
  }
  int room = most, pictures = 0;
  for (const Part& part : parts) {
    room -= ColumnsOf(part.text);
    pictures += part.sparks != nullptr ? 1 : 0;
  }
  const int each = std::clamp(room / std::max(pictures, 1), 0, kSparks);
  Line line;
  for (const Part& part : parts) {
    line.Append(part.text, most);
    if (part.sparks != nullptr) line.Append(SparkLine(*part.sparks, each), most);
  }
  return line;
}

}  // namespace seqgraph
