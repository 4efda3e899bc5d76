#pragma once

#include <signal.h>

#include <atomic>

namespace seqgraph::tools {

/// While it lives, the first SIGINT (Ctrl-C) or SIGTERM sets a flag instead of ending the process;
/// a second one ends it. One at a time in a process.
class InterruptHandler {
 public:
  /// `restart`: system calls go on after the signal. Otherwise those that wait end with EINTR.
  explicit InterruptHandler(bool restart = true);
  ~InterruptHandler();
  InterruptHandler(const InterruptHandler&) = delete;
  InterruptHandler& operator=(const InterruptHandler&) = delete;

  const std::atomic<bool>* flag() const;
  /// The signal that came; 0 if none did.
  int signal() const;
  /// A shell's for a program that it ended: 128 + signal().
  int exit_status() const { return 128 + signal(); }

 private:
  struct sigaction old_int_;
  struct sigaction old_term_;
};

}  // namespace seqgraph::tools
