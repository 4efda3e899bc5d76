#include "tools/interrupt.h"

#include <sys/time.h>

#include <algorithm>
#include <cmath>

#include "distributed/termination.h"

namespace seqgraph::tools {
namespace {

// A handler reaches only what is global, and only lock-free atomics are safe in one.
std::atomic<bool> interrupted{false}, asked{false};
std::atomic<int> received{0};
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

constexpr int kEndings[] = {SIGINT, SIGTERM, SIGHUP};

void OnSignal(int signal) {
  received.store(signal);
  interrupted.store(true);
  if (signal == SIGTERM) NoteTermination();
  // Whichever comes next takes its usual course.
  for (const int each : kEndings) ::signal(each, SIG_DFL);
}

void OnQuestion(int) { asked.store(true); }

// What was in force. A signal that whoever started us has ignored (nohup, a background job) stays
// ignored.
std::pair<int, struct sigaction> Handle(int signal, void (*handler)(int), bool restart) {
  std::pair<int, struct sigaction> old(signal, {});
  ::sigaction(signal, nullptr, &old.second);
  if (old.second.sa_handler == SIG_IGN) return old;
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = restart ? SA_RESTART : 0;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(signal, &action, nullptr);
  return old;
}

}  // namespace

InterruptHandler::InterruptHandler(bool restart) {
  interrupted.store(false);
  received.store(0);
  for (const int each : kEndings) old_.push_back(Handle(each, OnSignal, restart));
}

InterruptHandler::~InterruptHandler() {
  ::setitimer(ITIMER_REAL, nullptr, nullptr);
  for (const auto& [signal, action] : old_) ::sigaction(signal, &action, nullptr);
}

void InterruptHandler::EndAfter(double seconds) {
  old_.push_back(Handle(SIGALRM, OnSignal, /*restart=*/true));
  struct itimerval timer = {};
  timer.it_value.tv_sec = static_cast<time_t>(seconds);
  timer.it_value.tv_usec =
      std::max<suseconds_t>(static_cast<suseconds_t>((seconds - std::floor(seconds)) * 1e6), 1);
  ::setitimer(ITIMER_REAL, &timer, nullptr);
}

void InterruptHandler::TakeQuestions() {
  asked.store(false);
  old_.push_back(Handle(SIGUSR1, OnQuestion, /*restart=*/true));
}

bool InterruptHandler::TakeQuestion() const {
  return asked.load(std::memory_order_relaxed) && asked.exchange(false);
}

const std::atomic<bool>* InterruptHandler::flag() const { return &interrupted; }

int InterruptHandler::signal() const { return received.load(); }

}  // namespace seqgraph::tools
