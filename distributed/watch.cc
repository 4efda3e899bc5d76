#include "distributed/watch.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/printable.h"

namespace seqgraph {
namespace {

using std::chrono::milliseconds;

// Messages: a letter, the length of what follows in four bytes, and that.
constexpr char kAlive = 'h';
constexpr char kGoodbye = 'g';    // from the root: the rank that the text names has left
constexpr char kAllLeft = 'a';    // from the root: nobody needs anybody any more
constexpr char kFailed = 'f';     // to the root: for this reason
constexpr char kEnd = 'e';        // from the root: without a word
constexpr char kSignalled = 't';  // by SIGTERM: soon ends
constexpr size_t kMostText = 4000;

// How long a process that SIGTERM should end lives on.
constexpr milliseconds kGrace(300);
// The root counts silence of all; it alone speaks if a link between both is cut.
constexpr double kLaterThanRoot = 1;

milliseconds Milliseconds(double seconds) {
  return milliseconds(static_cast<int64_t>(seconds * 1000));
}

std::string Message(char kind, const std::string& text) {
  const uint32_t size = static_cast<uint32_t>(std::min(text.size(), kMostText));
  std::string message(1 + sizeof(size), kind);
  std::memcpy(&message[1], &size, sizeof(size));
  return message + text.substr(0, size);
}

}  // namespace

Watch::~Watch() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopped_ = true;
  }
  Wake();
  thread_.join();
}

void Watch::Wake() {
  const uint64_t one = 1;
  const ssize_t written = ::write(wake_.fd(), &one, sizeof(one));
  static_cast<void>(written);
}

void Watch::Leave() {
  std::unique_lock<std::mutex> lock(mutex_);
  leaving_ = true;
  Wake();
  changed_.wait(lock, [this] { return all_left_ || ended_; });
}

void Watch::Fail(const std::string& cause) {
  std::unique_lock<std::mutex> lock(mutex_);
  failure_ = cause.empty() ? "it failed" : cause;
  Wake();
  changed_.wait_for(lock, std::chrono::seconds(5), [this] { return ended_; });
}

void Watch::Run() {
  const milliseconds beat =
      Milliseconds(options_.heartbeat_seconds > 0 ? options_.heartbeat_seconds
                                                  : std::min(0.5, options_.timeout_seconds / 4));
  const milliseconds silence =
      Milliseconds(options_.timeout_seconds + (rank_ == Communicator::kRoot ? 0 : kLaterThanRoot));
  Clock::time_point next_beat = Clock::now();
  while (true) {
    // When something is due, no later than the next sign of life.
    Clock::time_point until = next_beat;
    for (const Peer& peer : peers_) {
      if (peer.socket.is_open()) until = std::min(until, peer.heard + silence);
    }
    if (loss_.rank >= 0) until = std::min(until, loss_.due);
    if (terminated_ != Clock::time_point() && notice_->ends_process()) {
      until = std::min(until, terminated_ + kGrace);
    }
    Poll(until);
    DoAsRequested();
    const Clock::time_point now = Clock::now();
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (stopped_ || ended_) return;
    }
    if (now >= next_beat) {
      ToAll(kAlive);
      next_beat = now + beat;
    }
    LookForSilence(now, silence);
    // A launcher that ends the job may have noticed first whom nobody hears.
    const bool told = terminated_ != Clock::time_point();
    if (told && now < terminated_ + milliseconds(2000)) LookForSilence(now, 4 * beat);
    if (loss_.rank >= 0 && now >= loss_.due) {
      EndAll();
      return;
    }
    if (told && notice_->ends_process() && now >= terminated_ + kGrace) {
      ::signal(SIGTERM, SIG_DFL);
      ::kill(::getpid(), SIGTERM);
      return;
    }
  }
}

void Watch::Poll(Clock::time_point until) {
  const auto timeout =
      std::max(std::chrono::ceil<milliseconds>(until - Clock::now()), milliseconds(0));
  std::vector<struct pollfd> polled = {{wake_.fd(), POLLIN, 0}, {listener_.socket.fd(), POLLIN, 0}};
  for (const Peer& peer : peers_) polled.push_back({peer.socket.fd(), POLLIN, 0});
  const int ready = ::poll(polled.data(), polled.size(), static_cast<int>(timeout.count()));
  NoticePause(Clock::now() - until);
  if (ready <= 0) return;
  for (size_t i = 2; i < polled.size(); ++i) {
    if (polled[i].revents != 0) Take(peers_[i - 2]);
  }
  if (polled[1].revents != 0) TakeConnections();
  uint64_t times = 0;
  if (polled[0].revents != 0 && ::read(wake_.fd(), &times, sizeof(times)) < 0) return;
}

// Whoever was stopped has heard nobody meanwhile, and accuses nobody. After too long the others
// have ended the job, and said so.
void Watch::NoticePause(Clock::duration late) {
  if (late < milliseconds(1000)) return;
  const Clock::time_point now = Clock::now();
  for (Peer& peer : peers_) peer.heard = now;
  if (late > Milliseconds(options_.timeout_seconds / 2)) mute_until_ = now + milliseconds(5000);
}

void Watch::TakeConnections() {
  // Places of strangers and of those that are gone serve again.
  peers_.erase(std::remove_if(peers_.begin(), peers_.end(),
                              [](const Peer& peer) { return !peer.socket.is_open(); }),
               peers_.end());
  while (peers_.size() < static_cast<size_t>(size_) + 64) {
    Socket socket = Accept(listener_);
    if (!socket.is_open()) return;
    peers_.push_back({.socket = std::move(socket), .heard = Clock::now()});
  }
}

void Watch::Take(Peer& peer) {
  const bool open = peer.socket.Receive(&peer.received);
  if (peer.rank < 0 && !TakeHello(peer)) {
    if (!open) peer.socket.Close();
    return;
  }
  size_t at = 0;
  uint32_t size = 0;
  while (peer.received.size() - at >= 1 + sizeof(size)) {
    std::memcpy(&size, peer.received.data() + at + 1, sizeof(size));
    if (size > kMostText || peer.received.size() - at - 1 - sizeof(size) < size) break;
    const char kind = peer.received[at];
    const std::string text = peer.received.substr(at + 1 + sizeof(size), size);
    at += 1 + sizeof(size) + size;
    TakeMessage(peer, kind, text);
  }
  peer.received.erase(0, at);
  if (open) return;
  peer.socket.Close();
  if (HasLeft(peer.rank)) return;
  // Where all are told to end at once, by their launcher, nobody is to blame.
  Lose(peer.rank, peer.told_to_end ? "SIGTERM ended its process" : "its process ended",
       peer.told_to_end ? 1 : 0);
}

// True once the peer has said who it is; a stranger is gone afterwards.
bool Watch::TakeHello(Peer& peer) {
  int32_t rank = -1;
  if (peer.received.size() < token_.size() + sizeof(rank)) return false;
  std::memcpy(&rank, peer.received.data() + token_.size(), sizeof(rank));
  if (peer.received.substr(0, token_.size()) != token_ || rank <= 0 || rank >= size_) {
    peer.socket.Close();
    return false;
  }
  peer.received.erase(0, token_.size() + sizeof(rank));
  peer.rank = rank;
  return true;
}

void Watch::TakeMessage(Peer& peer, char kind, const std::string& text) {
  peer.heard = Clock::now();
  int rank = peer.rank;
  switch (kind) {
    case kGoodbye:
      if (!text.empty() && (!absl::SimpleAtoi(text, &rank) || rank < 0 || rank >= size_)) return;
      return Goodbye(rank);
    case kAllLeft: {
      for (std::atomic<bool>& left : left_) left.store(true);
      const std::lock_guard<std::mutex> lock(mutex_);
      all_left_ = true;
      return changed_.notify_all();
    }
    case kFailed:
      return Lose(peer.rank, text);
    case kSignalled:
      peer.told_to_end = true;
      return;
    case kEnd: {
      options_.end();
      const std::lock_guard<std::mutex> lock(mutex_);
      ended_ = true;
      return changed_.notify_all();
    }
    default:
      return;
  }
}

void Watch::Goodbye(int rank) {
  left_[static_cast<size_t>(rank)].store(true);
  if (rank_ != Communicator::kRoot) return;
  ToAll(kGoodbye, absl::StrCat(rank));
  if (!std::all_of(left_.begin(), left_.end(), [](const auto& left) { return left.load(); })) {
    return;
  }
  ToAll(kAllLeft);
  const std::lock_guard<std::mutex> lock(mutex_);
  all_left_ = true;
  changed_.notify_all();
}

// What the process's own thread wants, or a signal.
void Watch::DoAsRequested() {
  bool says_goodbye = false;
  std::string failure;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    says_goodbye = leaving_ && !said_goodbye_;
    said_goodbye_ = leaving_;
    failure.swap(failure_);
  }
  if (says_goodbye) {
    if (rank_ != Communicator::kRoot) ToAll(kGoodbye);
    Goodbye(rank_);
  }
  if (!failure.empty()) {
    if (rank_ == Communicator::kRoot) {
      Lose(rank_, failure);
    } else {
      ToAll(kFailed, failure);
    }
  }
  if (notice_ != nullptr && notice_->told() && terminated_ == Clock::time_point()) {
    terminated_ = Clock::now();
    ToAll(kSignalled);
  }
}

void Watch::LookForSilence(Clock::time_point now, milliseconds limit) {
  for (Peer& peer : peers_) {
    if (!peer.socket.is_open() || now - peer.heard < limit) continue;
    if (peer.rank < 0) {
      peer.socket.Close();
    } else if (!HasLeft(peer.rank)) {
      const std::chrono::duration<double> silent = now - peer.heard;
      Lose(peer.rank,
           absl::StrFormat("silent for %.0f s: it is stopped, or its link is cut", silent.count()));
    }
  }
}

void Watch::ToAll(char kind, const std::string& text) {
  const std::string message = Message(kind, text);
  for (Peer& peer : peers_) {
    if (peer.rank >= 0) peer.socket.Send(message);
  }
}

void Watch::Lose(int rank, const std::string& cause, double delay_seconds) {
  // Of the root, rank 1 speaks, and ends the others' waiting by its own end.
  if (rank_ > 1) delay_seconds += 1;
  if (loss_.rank < 0) loss_ = {rank, cause, Clock::now() + Milliseconds(delay_seconds)};
}

void Watch::EndAll() {
  if (rank_ <= 1 && Clock::now() >= mute_until_) {
    // Some causes name the rank by themselves.
    const std::string cause =
        absl::StartsWith(loss_.cause, "rank ")
            ? loss_.cause
            : absl::StrCat("rank ", loss_.rank, " (", HostOf(loss_.rank), "): ", loss_.cause);
    options_.report(absl::StrCat("seqgraph: error: ", Printable(cause),
                                 "; the job ends, the last state that was kept is whole\n"));
  }
  if (rank_ == Communicator::kRoot) {
    ToAll(kEnd);
    std::this_thread::sleep_for(milliseconds(200));
  }
  options_.end();
  const std::lock_guard<std::mutex> lock(mutex_);
  ended_ = true;
  changed_.notify_all();
}

}  // namespace seqgraph
