#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/string_view.h"

namespace seqgraph {

/// Collects what a program did and when: spans of time with a name and a category. Thread-safe.
class Trace {
 public:
  /// More are counted, but not kept: a trace of a long run stays small.
  static constexpr size_t kMaxSpans = 100'000;

  struct Span {
    std::string name;
    std::string category;
    int thread = 0;  ///< 0 is the thread that made the trace; others in the order they came
    int64_t begin_ns = 0;
    int64_t end_ns = 0;
  };

  Trace() : start_(Clock::now()), threads_{{std::this_thread::get_id(), 0}} {}
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;

  /// Nanoseconds since the trace was made; never goes back.
  int64_t Now() const {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start_).count();
  }
  /// A span of the calling thread.
  void Add(absl::string_view name, absl::string_view category, int64_t begin_ns, int64_t end_ns);

  std::vector<Span> spans() const;
  /// Spans beyond kMaxSpans.
  int64_t dropped() const;

 private:
  using Clock = std::chrono::steady_clock;

  const Clock::time_point start_;
  mutable std::mutex mutex_;
  std::map<std::thread::id, int> threads_;
  std::vector<Span> spans_;
  int64_t dropped_ = 0;
};

/// A span from here to the end of the scope, or to End(). With a null trace it does nothing, and
/// takes no time.
///
///   TraceSpan span(trace, "epoch 3", "epoch");
class TraceSpan {
 public:
  TraceSpan(Trace* trace, absl::string_view name, absl::string_view category);
  ~TraceSpan() { End(); }
  TraceSpan(const TraceSpan&) = delete;
  TraceSpan& operator=(const TraceSpan&) = delete;

  void End();

 private:
  Trace* trace_;
  std::string name_;
  std::string category_;
  int64_t begin_ns_ = 0;
};

}  // namespace seqgraph
