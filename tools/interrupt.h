#pragma once

#include <signal.h>

#include <atomic>
#include <utility>
#include <vector>

namespace seqgraph::tools {

/// While it lives, the first SIGINT (Ctrl-C), SIGTERM or SIGHUP sets a flag instead of ending the
/// process; a second one ends it. One at a time in a process.
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
  /// A shell's for a program that it ended: 128 + signal(); after EndAfter() has, 75, EX_TEMPFAIL
  /// of sysexits.h: to be tried again.
  int exit_status() const { return signal() == SIGALRM ? 75 : 128 + signal(); }

  /// Sets the flag by itself after so many seconds. Once.
  void EndAfter(double seconds);
  /// From now on SIGUSR1 asks how far it is, instead of ending the process.
  void TakeQuestions();
  /// Whether that was asked since the last call.
  bool TakeQuestion() const;

 private:
  // Of each signal that is handled, what was in force before.
  std::vector<std::pair<int, struct sigaction>> old_;
};

}  // namespace seqgraph::tools
