#include "training/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "base/temporary_file.h"

namespace seqgraph {
namespace {

constexpr double kSecondsBetweenDraws = 0.05;
constexpr int kBarWidth = 20;
constexpr int kDefaultColumns = 80;

constexpr char kBold[] = "\033[1m";
constexpr char kGreen[] = "\033[32m";
constexpr char kWhite[] = "\033[37m";
constexpr char kPlain[] = "\033[0m";
constexpr char kEraseToEnd[] = "\033[K";  // of the row,
constexpr char kEraseBelow[] = "\033[J";  // and of the screen
constexpr char kHeavy[] = "━";
constexpr char kLight[] = "─";

// A short formatted text on the stack: what is drawn for each step must not allocate.
struct ShortText {
  char data[32];
  template <typename... Args>
  explicit ShortText(const char* format, Args... args) {
    std::snprintf(data, sizeof(data), format, args...);
  }
  operator absl::string_view() const { return data; }  // NOLINT(google-explicit-constructor)
};

// No epoch takes longer than this many seconds; keeps conversions to integers defined.
constexpr double kLongest = 1e9;

ShortText TimeLeft(double seconds) {
  const int64_t s = static_cast<int64_t>(std::clamp(seconds, 0.0, kLongest));
  if (s > 3600) return ShortText("%d:%02d:%02d", int(s / 3600), int(s / 60 % 60), int(s % 60));
  if (s > 60) return ShortText("%d:%02d", int(s / 60), int(s % 60));
  return ShortText("%ds", int(s));
}

ShortText StepTime(double seconds) {
  if (seconds >= 1 || seconds == 0) return ShortText("%.0fs/step", std::min(seconds, kLongest));
  if (seconds >= 1e-3) return ShortText("%.0fms/step", seconds * 1e3);
  return ShortText("%.0fus/step", seconds * 1e6);
}

ShortText Elapsed(double seconds) { return ShortText("%.0fs", std::min(seconds, kLongest)); }

ShortText MetricText(double value) {
  // Wide numbers go to the short form too: the text has room for 31 characters.
  const double magnitude = std::abs(value);
  const bool decimals = !(magnitude <= 1e-3) && !(magnitude >= 1e15);
  return ShortText(decimals ? "%.4f" : "%.4e", value);
}

int DigitsOf(int64_t number) {
  int digits = 1;
  while (number >= 10) number /= 10, ++digits;
  return digits;
}

}  // namespace

std::string FormatTimeLeft(double seconds) { return TimeLeft(seconds).data; }
std::string FormatStepTime(double seconds) { return StepTime(seconds).data; }
std::string FormatMetric(double value) { return MetricText(value).data; }

ProgressOptions ProgressOptions::ForFile(std::FILE* file) {
  ProgressOptions options;
  options.write = [file](absl::string_view text) {
    std::fflush(file);  // What others wrote there comes first.
    WriteAll(fileno(file), text);
  };
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return absl::string_view(value == nullptr ? "" : value);
  };
  options.terminal = isatty(fileno(file)) && variable("TERM") != "dumb";
  options.color = options.terminal && variable("NO_COLOR").empty();
  options.columns = [file]() -> int {
    winsize size{};
    const bool known = ioctl(fileno(file), TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size.ws_col : kDefaultColumns;
  };
  options.clock = [] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
  };
  return options;
}

Progress::Progress(ProgressOptions options) : options_(std::move(options)) { line_.reserve(1024); }

absl::Status Progress::OnTrainBegin(FitContext& context) {
  messages_shown_ = notes_shown_ = 0;
  line_is_open_ = false;
  in_epoch_ = false;
  if (!context.resumed) ShowMessages(context);
  return absl::OkStatus();
}

void Progress::SaveState(StateWriter& state) const {
  state.Set("messages_shown", messages_shown_);
  state.Set("in_epoch", in_epoch_);
  state.Set("epoch", epoch_);
}

absl::Status Progress::LoadState(FitContext& context, const StateReader& state) {
  SEQ_RETURN_IF_ERROR(state.Get("messages_shown", &messages_shown_));
  SEQ_RETURN_IF_ERROR(state.Get("in_epoch", &in_epoch_));
  SEQ_RETURN_IF_ERROR(state.Get("epoch", &epoch_));
  ShowMessages(context);
  return in_epoch_ ? OnEpochBegin(context, epoch_) : absl::OkStatus();
}

absl::Status Progress::OnEpochBegin(FitContext& context, int epoch) {
  done_ = 0;
  epoch_ = epoch;
  in_epoch_ = true;
  first_done_ = 0;
  drawn_ = false;
  epoch_start_ = options_.clock();
  if (options_.terminal && context.epochs > 1) {
    options_.write(absl::StrCat("Epoch ", epoch + 1, "/", context.epochs, "\n"));
  }
  return absl::OkStatus();
}

absl::Status Progress::OnBatchEnd(FitContext& context, int64_t batch, const Logs& logs) {
  const double now = options_.clock();
  done_ = batch + 1;
  if (first_done_ == 0) {
    first_done_ = done_;
    after_first_step_ = now;
  }
  if (!options_.terminal) return absl::OkStatus();
  if (drawn_ && now - last_draw_ < kSecondsBetweenDraws) return absl::OkStatus();
  drawn_ = true;
  last_draw_ = now;
  Draw(done_, context.steps, logs, now, /*at_end=*/false);
  return absl::OkStatus();
}

absl::Status Progress::OnEpochEnd(FitContext& context, int epoch, Logs& logs) {
  const double now = options_.clock();
  in_epoch_ = false;
  if (options_.terminal) {
    Draw(done_, context.steps, logs, now, /*at_end=*/true);
  } else {
    line_.clear();
    const double seconds = now - epoch_start_;
    if (context.epochs > 1)
      absl::StrAppend(&line_, "Epoch ", epoch + 1, "/", context.epochs, " - ");
    absl::StrAppend(&line_, done_, "/", context.steps, " - ", Elapsed(seconds).data, " - ",
                    StepTime(SecondsPerStep(done_, now)).data);
    for (const auto& [name, value] : logs) {
      absl::StrAppend(&line_, " - ", name, ": ", MetricText(value).data);
    }
    line_ += '\n';
    options_.write(line_);
  }
  ShowMessages(context);
  return absl::OkStatus();
}

absl::Status Progress::OnTrainEnd(FitContext& context) {
  if (line_is_open_) options_.write("\n");
  line_is_open_ = false;
  ShowMessages(context);
  return absl::OkStatus();
}

// The mean since the end of the first step, which also warms up caches and pages.
double Progress::SecondsPerStep(int64_t done, double now) const {
  if (done > first_done_)
    return (now - after_first_step_) / static_cast<double>(done - first_done_);
  return (now - epoch_start_) / std::max<int64_t>(done, 1);
}

void Progress::Draw(int64_t done, int64_t steps, const Logs& logs, double now, bool at_end) {
  const int columns = options_.columns ? std::max(options_.columns(), 1) : kDefaultColumns;
  // What was drawn wraps where it has no room any more, as terminals do when they become narrower.
  const int rows_above = line_is_open_ ? std::max(visible_ - 1, 0) / columns : 0;
  line_.clear();
  visible_ = 0;
  if (rows_above > 0) absl::StrAppend(&line_, "\033[", rows_above, "A");
  line_ += '\r';
  AppendCount(done, steps);
  const double per_step = SecondsPerStep(done, now);
  const ShortText time = at_end ? Elapsed(now - epoch_start_) : TimeLeft(per_step * (steps - done));
  const ShortText step_time = StepTime(per_step);
  const absl::string_view time_view = time, step_view = step_time;
  const int room = columns - 1 - visible_ - 3 - static_cast<int>(time_view.size()) -
                   static_cast<int>(step_view.size());
  Append(" ");
  AppendBar(done, steps, std::clamp(room, 0, kBarWidth));
  Append(" ");
  Append(time_view, kBold);
  Append(" ");
  Append(step_view);
  for (const auto& [name, value] : logs) {
    const ShortText text = MetricText(value);
    const absl::string_view number = text;
    const int width = static_cast<int>(3 + name.size() + 2 + number.size());
    if (!at_end && visible_ + width >= columns) break;
    Append(" - ");
    Append(name);
    Append(": ");
    Append(number);
  }
  line_ += rows_above > 0 ? kEraseBelow : kEraseToEnd;
  if (at_end) line_ += '\n';
  line_is_open_ = !at_end;
  options_.write(line_);
}

void Progress::AppendCount(int64_t done, int64_t steps) {
  Append(ShortText("%*lld/%lld", DigitsOf(steps), static_cast<long long>(done),
                   static_cast<long long>(steps)),
         kBold);
}

void Progress::AppendBar(int64_t done, int64_t steps, int width) {
  const int filled = static_cast<int>(width * done / std::max<int64_t>(steps, 1));
  if (options_.color) line_ += kGreen;
  for (int i = 0; i < filled; ++i) line_ += kHeavy;
  if (options_.color) absl::StrAppend(&line_, kPlain, kWhite);
  // Without colours the weight of the line tells what is done.
  for (int i = filled; i < width; ++i) line_ += options_.color ? kHeavy : kLight;
  if (options_.color) line_ += kPlain;
  visible_ += width;
}

void Progress::Append(absl::string_view text, absl::string_view style) {
  const bool styled = options_.color && !style.empty();
  if (styled) absl::StrAppend(&line_, style);
  absl::StrAppend(&line_, text);
  if (styled) absl::StrAppend(&line_, kPlain);
  visible_ += static_cast<int>(text.size());
}

void Progress::ShowMessages(const FitContext& context) {
  for (; messages_shown_ < context.messages.size(); ++messages_shown_) {
    options_.write(absl::StrCat(context.messages[messages_shown_], "\n"));
  }
  for (; notes_shown_ < context.notes.size(); ++notes_shown_) {
    options_.write(absl::StrCat(context.notes[notes_shown_], "\n"));
  }
}

}  // namespace seqgraph
