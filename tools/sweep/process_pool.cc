#include "tools/sweep/process_pool.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>

#include <cerrno>

#include "base/status_macros.h"
#include "base/temporary_file.h"

extern char** environ;

namespace seqgraph::tools {
namespace {

constexpr char kThisProgram[] = "/proc/self/exe";
constexpr long kNanosecondsBetweenLooks = 10'000'000;

void Pause() {
  const struct timespec pause = {0, kNanosecondsBetweenLooks};
  ::nanosleep(&pause, nullptr);  // A signal ends it early, which is as well.
}

// What posix_spawn is told, freed whatever happens.
struct SpawnSettings {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  SpawnSettings() {
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawnattr_init(&attributes);
  }
  ~SpawnSettings() {
    ::posix_spawn_file_actions_destroy(&files);
    ::posix_spawnattr_destroy(&attributes);
  }
};

}  // namespace

ProcessPool::~ProcessPool() {
  SignalAll(SIGTERM);
  while (!running_.empty() && Reap([](size_t, int) {})) Pause();
}

void ProcessPool::SignalAll(int signal) {
  for (const auto& [pid, job] : running_) ::kill(pid, signal);
}

absl::Status ProcessPool::Start(size_t index, const PoolJob& job) {
  SpawnSettings settings;
  ::posix_spawn_file_actions_addopen(&settings.files, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&settings.files, 1, job.output.c_str(),
                                     O_WRONLY | O_CREAT | O_APPEND, 0666);
  ::posix_spawn_file_actions_adddup2(&settings.files, 1, 2);
  // A group of its own: Ctrl-C of the terminal comes to this process alone, which tells the others
  // once.
  ::posix_spawnattr_setpgroup(&settings.attributes, 0);
  ::posix_spawnattr_setflags(&settings.attributes, POSIX_SPAWN_SETPGROUP);
  std::vector<std::string> arguments = job.arguments;
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  pid_t pid = 0;
  const int error = ::posix_spawn(&pid, kThisProgram, &settings.files, &settings.attributes,
                                  pointers.data(), environ);
  if (error != 0) return SystemError(error, "cannot start a run that writes to", job.output);
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
