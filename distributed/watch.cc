#include "distributed/watch.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/printable.h"
#include "base/status_macros.h"
#include "distributed/same_facts.h"

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
constexpr size_t kTokenBytes = 32;

constexpr milliseconds kConnecting(5000);
// How long a process that SIGTERM should end lives on.
constexpr milliseconds kGrace(300);
// The root counts silence of all; it alone speaks if a link between both is cut.
constexpr double kLaterThanRoot = 1;

// A handler reaches only what is global.
std::atomic<bool> told_to_end{false};
std::atomic<int> told_fd{-1};

void OnTerminate(int) {
  told_to_end.store(true);
  const uint64_t one = 1;
  const ssize_t written = ::write(told_fd.load(), &one, sizeof(one));
  static_cast<void>(written);
}

milliseconds Milliseconds(double seconds) {
  return milliseconds(static_cast<int64_t>(seconds * 1000));
}

std::string Message(char kind, const std::string& text) {
  const uint32_t size = static_cast<uint32_t>(std::min(text.size(), kMostText));
  std::string message(1 + sizeof(size), kind);
  std::memcpy(&message[1], &size, sizeof(size));
  return message + text.substr(0, size);
}

std::string RandomToken() {
  std::string token(kTokenBytes, '\0');
  if (::getrandom(token.data(), token.size(), 0) < 0) return "";
  // Printable, as it travels between lines.
  for (char& c : token) c = static_cast<char>('a' + (static_cast<unsigned char>(c) & 15));
  return token;
}

void ReportToStandardError(const std::string& line) {
  // At once, and in one piece.
  const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
  static_cast<void>(written);
}

}  // namespace

Watch::Watch(Communicator& communicator, const WatchOptions& options)
    : rank_(communicator.rank()),
      size_(communicator.size()),
      options_(options),
      left_(static_cast<size_t>(communicator.size())),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (options_.report == nullptr) options_.report = ReportToStandardError;
  if (options_.end == nullptr) options_.end = [] { ::_exit(1); };
}

absl::StatusOr<std::unique_ptr<Watch>> Watch::Start(Communicator& communicator,
                                                    const WatchOptions& options) {
  std::unique_ptr<Watch> watch(new Watch(communicator, options));
  const absl::Status own = watch->Connect(communicator);
  SEQ_ASSIGN_OR_RETURN(const auto all, communicator.AllGather(absl::StrCat(
                                           HostName(), "\n", own.ok() ? "" : own.message())));
  for (const std::string& each : all) {
    watch->hosts_.push_back(each.substr(0, each.find('\n')));
  }
  // What hinders another rank is the cause of what the root misses.
  for (int rank = watch->size_ - 1; rank >= 0; --rank) {
    const std::string error = all[rank].substr(all[rank].find('\n') + 1);
    if (!error.empty()) return Unavailable("rank ", rank, " (", watch->HostOf(rank), "): ", error);
  }
  struct sigaction action = {};
  ::sigaction(SIGTERM, nullptr, &watch->earlier_);
  if (options.end == nullptr && watch->earlier_.sa_handler == SIG_DFL) {
    told_fd.store(watch->wake_.fd());
    action.sa_handler = OnTerminate;
    action.sa_flags = SA_RESTART;
    ::sigaction(SIGTERM, &action, nullptr);
    watch->handles_signal_ = true;
  }
  const Clock::time_point now = Clock::now();
  for (Peer& peer : watch->peers_) peer.heard = now;
  watch->thread_ = std::thread([raw = watch.get()] { raw->Run(); });
  return watch;
}

// The root listens until all others have said who they are.
absl::Status Watch::Connect(Communicator& communicator) {
  absl::Status status;
  std::string told;  // lines: token, timeout, host, port, addresses
  if (communicator.is_root()) {
    absl::StatusOr<Listener> listener = Listen();
    status = listener.status();
    token_ = RandomToken();
    if (listener.ok()) {
      listener_ = *std::move(listener);
      told = absl::StrCat(token_, "\n", options_.timeout_seconds, "\n", HostName(), "\n",
                          listener_.port, "\n", absl::StrJoin(listener_.addresses, "\n"));
    }
  }
  SEQ_RETURN_IF_ERROR(communicator.Broadcast(&told));
  if (communicator.is_root()) return status.ok() ? AwaitRanks() : status;
  std::vector<std::string> lines = absl::StrSplit(told, '\n');
  int port = 0;
  if (lines.size() < 5 || !absl::SimpleAtod(lines[1], &options_.timeout_seconds) ||
      !absl::SimpleAtoi(lines[3], &port)) {
    return absl::OkStatus();  // The root has an error of its own to tell.
  }
  std::vector<std::string> addresses(lines.begin() + 4, lines.end());
  if (lines[2] != HostName()) {
    addresses.erase(std::remove_if(addresses.begin(), addresses.end(),
                                   [](const std::string& address) {
                                     return absl::StartsWith(address, "127.") || address == "::1";
                                   }),
                    addresses.end());
  }
  SEQ_ASSIGN_OR_RETURN(Socket socket, seqgraph::Connect(addresses, port, kConnecting));
  const int32_t own = rank_;
  std::string hello = lines[0];
  hello.append(reinterpret_cast<const char*>(&own), sizeof(own));
  socket.Send(hello);
  peers_.push_back({.socket = std::move(socket), .rank = Communicator::kRoot});
  return absl::OkStatus();
}

absl::Status Watch::AwaitRanks() {
  const Clock::time_point end = Clock::now() + kConnecting + milliseconds(1000);
  std::vector<bool> here(static_cast<size_t>(size_), false);
  here[0] = true;
  while (true) {
    for (const Peer& peer : peers_) {
      if (peer.rank > 0) here[static_cast<size_t>(peer.rank)] = true;
    }
    const auto missing = std::find(here.begin(), here.end(), false);
    if (missing == here.end()) return absl::OkStatus();
    if (Clock::now() >= end) {
      return Unavailable("rank ", missing - here.begin(), " has not connected to port ",
                         listener_.port);
    }
    Poll(end);
  }
}

Watch::~Watch() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopped_ = true;
  }
  Wake();
  thread_.join();
  if (handles_signal_) ::sigaction(SIGTERM, &earlier_, nullptr);
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
  const bool is_root = rank_ == Communicator::kRoot;
  Clock::time_point next_beat = Clock::now();
  while (true) {
    // When something is due, no later than the next sign of life.
    Clock::time_point until = next_beat;
    if (loss_.rank >= 0) until = std::min(until, loss_.due);
    if (terminated_ != Clock::time_point()) until = std::min(until, terminated_ + kGrace);
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
    LookForSilence(now, options_.timeout_seconds + (is_root ? 0 : kLaterThanRoot));
    // A launcher that ends the job may have noticed first whom nobody hears.
    const bool told = terminated_ != Clock::time_point();
    if (told) LookForSilence(now, 4 * std::chrono::duration<double>(beat).count());
    if (loss_.rank >= 0 && now >= loss_.due) {
      EndAll();
      return;
    }
    if (told && now >= terminated_ + kGrace) {
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
  if (peer.received.size() < kTokenBytes + sizeof(rank)) return false;
  std::memcpy(&rank, peer.received.data() + kTokenBytes, sizeof(rank));
  if (peer.received.substr(0, kTokenBytes) != token_ || rank <= 0 || rank >= size_) {
    peer.socket.Close();
    return false;
  }
  peer.received.erase(0, kTokenBytes + sizeof(rank));
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
  if (handles_signal_ && told_to_end.load() && terminated_ == Clock::time_point()) {
    terminated_ = Clock::now();
    ToAll(kSignalled);
  }
}

void Watch::LookForSilence(Clock::time_point now, double limit) {
  for (Peer& peer : peers_) {
    if (!peer.socket.is_open() || now - peer.heard <= Milliseconds(limit)) continue;
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
