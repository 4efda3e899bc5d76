#include "tools/sweep/process_pool.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

#include "base/status_macros.h"
#include "base/temporary_file.h"

namespace seqgraph::tools {
namespace {

constexpr char kThisProgram[] = "/proc/self/exe";
constexpr int kNotStarted = 127;  // a shell's for what cannot be run
constexpr long kNanosecondsBetweenLooks = 10'000'000;

void Pause() {
  const struct timespec pause = {0, kNanosecondsBetweenLooks};
  ::nanosleep(&pause, nullptr);  // A signal ends it early, which is as well.
}

// In the child: becomes the job, or ends.
[[noreturn]] void Become(char* const* arguments, const char* output, pid_t parent) {
  // A sweep that is killed takes its runs with it, which lose nothing: the next one finds their
  // folders free.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(kNotStarted);
  // A group of its own: Ctrl-C of the terminal comes to the parent alone, which tells all once.
  ::setpgid(0, 0);
  const int input = ::open("/dev/null", O_RDONLY);
  const int out = ::open(output, O_WRONLY | O_CREAT | O_APPEND, 0666);
  if (input < 0 || out < 0 || ::dup2(input, 0) < 0 || ::dup2(out, 1) < 0 || ::dup2(out, 2) < 0) {
    ::_exit(kNotStarted);
  }
  ::execv(kThisProgram, arguments);
  ::_exit(kNotStarted);
}

}  // namespace

ProcessPool::~ProcessPool() {
  SignalAll(SIGTERM);
  while (!running_.empty() && Reap([](size_t, int) {})) Pause();
}

void ProcessPool::SignalAll(int signal) {
  for (const auto& [pid, job] : running_) ::kill(pid, signal);
}

absl::Status ProcessPool::Start(size_t index, const PoolJob& job) {
  std::vector<std::string> arguments = job.arguments;
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  const pid_t parent = ::getpid(), pid = ::fork();
  if (pid == 0) Become(pointers.data(), job.output.c_str(), parent);
  if (pid < 0) return SystemError(errno, "cannot start a run that writes to", job.output);
  running_[pid] = index;
  return absl::OkStatus();
}

// False where there is none to wait for.
bool ProcessPool::Reap(const std::function<void(size_t, int)>& ended) {
  for (auto it = running_.begin(); it != running_.end();) {
    int status = 0;
    const pid_t pid = ::waitpid(it->first, &status, WNOHANG);
    if (pid == 0 || (pid < 0 && errno == EINTR)) {
      ++it;
      continue;
    }
    const size_t job = it->second;
    it = running_.erase(it);
    ended(job, pid < 0 ? 128 : WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  }
  return !running_.empty();
}

absl::Status ProcessPool::Run(const std::vector<PoolJob>& jobs, const std::atomic<bool>& interrupt,
                              const std::function<void(size_t, int)>& ended) {
  size_t next = 0;
  while (!interrupt.load() && (next < jobs.size() || !running_.empty())) {
    while (next < jobs.size() && running_.size() < static_cast<size_t>(at_once_)) {
      SEQ_RETURN_IF_ERROR(Start(next, jobs[next]));
      ++next;
    }
    if (Reap(ended)) Pause();
  }
  if (running_.empty() && next == jobs.size()) return absl::OkStatus();
  SignalAll(SIGTERM);
  while (Reap(ended)) Pause();
  return Cancelled("interrupted");
}

}  // namespace seqgraph::tools
