#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"
#include "distributed/same_facts.h"
#include "distributed/watch.h"

namespace seqgraph {
namespace {

constexpr std::chrono::milliseconds kConnecting(5000);
constexpr size_t kTokenBytes = 32;

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
  if (options.end == nullptr) {
    watch->notice_ = std::make_unique<TerminationNotice>(watch->wake_.fd());
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
    if (token_.empty()) {
      status.Update(Unavailable(
          "the system gives no random numbers (getrandom), by which ranks know each other"));
    }
    if (status.ok()) {
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
  const Clock::time_point end = Clock::now() + kConnecting + std::chrono::milliseconds(1000);
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
                         listener_.port, ": has it ended, or does a firewall stand between?");
    }
    Poll(end);
  }
}

}  // namespace seqgraph
