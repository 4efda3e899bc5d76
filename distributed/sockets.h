#pragma once

// TCP between the ranks of a job, for what watches over them.

#include <chrono>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace seqgraph {

/// A descriptor that is closed with its owner.
class Socket {
 public:
  explicit Socket(int fd = -1) : fd_(fd) {}
  ~Socket() { Close(); }
  Socket(Socket&& other) : fd_(other.fd_) { other.fd_ = -1; }
  Socket& operator=(Socket&& other);

  int fd() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  void Close();

  /// Hands the bytes to the system without waiting; what finds no room is lost, as the peer has not
  /// read for long then.
  void Send(absl::string_view bytes);
  /// Adds what has arrived; false once the other side has closed, or the connection is broken.
  bool Receive(std::string* bytes);

 private:
  int fd_;
};

/// A socket that others can connect to, on all of this machine's addresses.
struct Listener {
  Socket socket;
  int port = 0;
  std::vector<std::string> addresses;  ///< in numbers; those that only this machine reaches last
};
absl::StatusOr<Listener> Listen();

/// The next connection that waits; one that is not open: none does.
Socket Accept(const Listener& listener);

/// Connects to one of several addresses, whichever answers first, in at most so long.
absl::StatusOr<Socket> Connect(const std::vector<std::string>& addresses, int port,
                               std::chrono::milliseconds timeout);

}  // namespace seqgraph
