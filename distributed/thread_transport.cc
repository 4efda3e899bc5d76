#include "distributed/thread_transport.h"

#include <condition_variable>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <tuple>
#include <utility>

#include "base/status_macros.h"

namespace seqgraph {
namespace {

// Messages that were sent and not received, by receiver, sender and tag.
struct Exchange {
  std::mutex mutex;
  std::condition_variable arrived;
  std::map<std::tuple<int, int, int>, std::deque<std::string>> sent;
  std::vector<bool> gone;
};

class ThreadTransport : public Transport {
 public:
  ThreadTransport(std::shared_ptr<Exchange> exchange, int rank, int size)
      : exchange_(std::move(exchange)), rank_(rank), size_(size) {}
  ~ThreadTransport() override {
    const std::lock_guard<std::mutex> lock(exchange_->mutex);
    exchange_->gone[static_cast<size_t>(rank_)] = true;
    exchange_->arrived.notify_all();
  }

  int rank() const override { return rank_; }
  int size() const override { return size_; }

  absl::StatusOr<Request> Send(int to, int tag, absl::Span<const char> bytes) override {
    const std::lock_guard<std::mutex> lock(exchange_->mutex);
    exchange_->sent[{to, rank_, tag}].emplace_back(bytes.data(), bytes.size());
    exchange_->arrived.notify_all();
    return kSent;
  }

  absl::StatusOr<Request> Receive(int from, int tag, absl::Span<char> bytes) override {
    receives_[++last_] = {from, tag, bytes};
    return last_;
  }

  absl::Status Wait(Request request) override {
    if (request == kSent) return absl::OkStatus();
    std::unique_lock<std::mutex> lock(exchange_->mutex);
    while (true) {
      SEQ_ASSIGN_OR_RETURN(const bool done, Take(request));
      if (done) return absl::OkStatus();
      const int from = receives_[request].from;
      if (exchange_->gone[static_cast<size_t>(from)]) return Gone(from);
      exchange_->arrived.wait(lock);
    }
  }

  absl::StatusOr<bool> Test(Request request) override {
    if (request == kSent) return true;
    const std::lock_guard<std::mutex> lock(exchange_->mutex);
    const auto pending = receives_.find(request);
    const int from = pending == receives_.end() ? rank_ : pending->second.from;
    SEQ_ASSIGN_OR_RETURN(const bool done, Take(request));
    if (!done && exchange_->gone[static_cast<size_t>(from)]) return Gone(from);
    return done;
  }

  absl::StatusOr<Waiting> Probe(int from, int tag) override {
    const std::lock_guard<std::mutex> lock(exchange_->mutex);
    for (int rank = 0; rank < size_; ++rank) {
      if (from != kAnyone && from != rank) continue;
      const auto found = exchange_->sent.find({rank_, rank, tag});
      if (found == exchange_->sent.end() || found->second.empty()) continue;
      return Waiting{rank, static_cast<int64_t>(found->second.front().size())};
    }
    if (from != kAnyone && exchange_->gone[static_cast<size_t>(from)]) return Gone(from);
    return Waiting{};
  }

 private:
  static constexpr Request kSent = 0;
  struct Pending {
    int from, tag;
    absl::Span<char> bytes;
  };

  absl::Status Gone(int from) const {
    return Unavailable("rank ", from, " is gone, and rank ", rank_, " waits for it");
  }

  // With the lock. Receives of one sender and tag are done in the order in which they began.
  absl::StatusOr<bool> Take(Request request) {
    const auto own = receives_.find(request);
    if (own == receives_.end()) {
      return done_.erase(request) > 0 ? absl::StatusOr<bool>(true)
                                      : Internal("no message under way has number ", request);
    }
    const auto found = exchange_->sent.find({rank_, own->second.from, own->second.tag});
    if (found == exchange_->sent.end()) return false;
    for (auto it = receives_.begin(); !found->second.empty() && it != receives_.end();) {
      const Pending& pending = it->second;
      if (pending.from != own->second.from || pending.tag != own->second.tag) {
        ++it;
        continue;
      }
      const std::string message = std::move(found->second.front());
      found->second.pop_front();
      if (message.size() != pending.bytes.size()) {
        return Internal("rank ", pending.from, " sent ", message.size(), " bytes with tag ",
                        pending.tag, ", rank ", rank_, " expected ", pending.bytes.size());
      }
      if (!message.empty()) std::memcpy(pending.bytes.data(), message.data(), message.size());
      const Request number = it->first;
      it = receives_.erase(it);
      if (number == request) return true;
      done_[number] = true;
    }
    return false;
  }

  const std::shared_ptr<Exchange> exchange_;
  const int rank_, size_;
  Request last_ = kSent;
  std::map<Request, Pending> receives_;  // under way
  std::map<Request, bool> done_;         // and not yet waited for
};

}  // namespace

std::vector<std::unique_ptr<Transport>> ThreadTransports(int size) {
  auto exchange = std::make_shared<Exchange>();
  exchange->gone.resize(static_cast<size_t>(size));
  std::vector<std::unique_ptr<Transport>> all;
  for (int rank = 0; rank < size; ++rank) {
    all.push_back(std::make_unique<ThreadTransport>(exchange, rank, size));
  }
  return all;
}

}  // namespace seqgraph
