#include "tools/interrupt.h"

namespace seqgraph::tools {
namespace {

// A handler reaches only what is global, and only lock-free atomics are safe in one.
std::atomic<bool> interrupted{false};
std::atomic<int> received{0};
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

void OnSignal(int signal) {
  received.store(signal);
  interrupted.store(true);
  // Whichever of the two comes next takes its usual course.
  ::signal(SIGINT, SIG_DFL);
  ::signal(SIGTERM, SIG_DFL);
}

// A signal that whoever started us has ignored (nohup, a background job) stays ignored.
void Handle(int signal, bool restart, struct sigaction* old) {
  ::sigaction(signal, nullptr, old);
  if (old->sa_handler == SIG_IGN) return;
  struct sigaction action = {};
  action.sa_handler = OnSignal;
  action.sa_flags = restart ? SA_RESTART : 0;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(signal, &action, nullptr);
}

}  // namespace

InterruptHandler::InterruptHandler(bool restart) {
  interrupted.store(false);
  received.store(0);
  Handle(SIGINT, restart, &old_int_);
  Handle(SIGTERM, restart, &old_term_);
}

InterruptHandler::~InterruptHandler() {
  ::sigaction(SIGINT, &old_int_, nullptr);
  ::sigaction(SIGTERM, &old_term_, nullptr);
}

const std::atomic<bool>* InterruptHandler::flag() const { return &interrupted; }

int InterruptHandler::signal() const { return received.load(); }

}  // namespace seqgraph::tools
