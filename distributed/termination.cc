#include "distributed/termination.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>

namespace seqgraph {
namespace {

// A handler reaches only what is global.
std::atomic<bool> told_to_end{false}, nobody_handles{false};
std::atomic<int> told_event{-1};

void OnTerminate(int) {
  nobody_handles.store(true);
  NoteTermination();
}

}  // namespace

TerminationNotice::TerminationNotice(int event) {
  told_event.store(event);
  ::sigaction(SIGTERM, nullptr, &earlier_);
  if (earlier_.sa_handler != SIG_DFL) return;
  struct sigaction action = {};
  action.sa_handler = OnTerminate;
  action.sa_flags = SA_RESTART;
  ::sigemptyset(&action.sa_mask);
  handles_ = ::sigaction(SIGTERM, &action, nullptr) == 0;
}

TerminationNotice::~TerminationNotice() {
  if (handles_) ::sigaction(SIGTERM, &earlier_, nullptr);
  told_event.store(-1);
}

bool TerminationNotice::told() const { return told_to_end.load(); }

bool TerminationNotice::ends_process() const { return nobody_handles.load(); }

void NoteTermination() {
  const int error = errno;
  told_to_end.store(true);
  const uint64_t one = 1;
  const ssize_t written = ::write(told_event.load(), &one, sizeof(one));
  static_cast<void>(written);
  errno = error;
}

}  // namespace seqgraph
