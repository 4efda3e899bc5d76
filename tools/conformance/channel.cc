#include "tools/conformance/channel.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>

namespace seqgraph::conformance {

bool SendMessage(int fd, absl::string_view message) {
  if (message.size() > kMaxMessage) message = message.substr(0, kMaxMessage);
  ssize_t sent;
  do {
    sent = send(fd, message.data(), message.size(), MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent == static_cast<ssize_t>(message.size());
}

Received ReceiveMessage(int fd, double seconds, std::string* message) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  for (;;) {
    int timeout = -1;
    if (seconds >= 0) {
      const double passed = std::chrono::duration<double>(Clock::now() - start).count();
      if (passed >= seconds) return Received::kTimeout;
      timeout = static_cast<int>((seconds - passed) * 1e3) + 1;
    }
    pollfd poll_fd{fd, POLLIN, 0};
    const int ready = poll(&poll_fd, 1, timeout);
    if (ready <= 0) {
      if (ready < 0 && errno != EINTR) return Received::kGone;
      continue;
    }
    message->resize(kMaxMessage);
    const ssize_t received = recv(fd, message->data(), message->size(), 0);
    if (received < 0 && errno == EINTR) continue;
    if (received <= 0) return Received::kGone;
    message->resize(static_cast<size_t>(received));
    return Received::kMessage;
  }
}

}  // namespace seqgraph::conformance
