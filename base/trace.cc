#include "base/trace.h"

namespace seqgraph {

void Trace::Add(absl::string_view name, absl::string_view category, int64_t begin_ns,
                int64_t end_ns) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (spans_.size() >= kMaxSpans) {
    ++dropped_;
    return;
  }
  const int next = static_cast<int>(threads_.size());
  const int thread = threads_.try_emplace(std::this_thread::get_id(), next).first->second;
  spans_.push_back({std::string(name), std::string(category), thread, begin_ns, end_ns});
}

std::vector<Trace::Span> Trace::spans() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return spans_;
}

int64_t Trace::dropped() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return dropped_;
}

TraceSpan::TraceSpan(Trace* trace, absl::string_view name, absl::string_view category)
    : trace_(trace) {
  if (trace == nullptr) return;
  name_ = std::string(name);
  category_ = std::string(category);
  begin_ns_ = trace->Now();
}

void TraceSpan::End() {
  if (trace_ == nullptr) return;
  trace_->Add(name_, category_, begin_ns_, trace_->Now());
  trace_ = nullptr;
}

}  // namespace seqgraph
