#include "tools/sweep/process_pool.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"
#include "base/temporary_file.h"

namespace seqgraph::tools {
namespace {

using Clock = std::chrono::steady_clock;

constexpr char kThisProgram[] = "/proc/self/exe";
constexpr int kNotStarted = 127;  // a shell's for what cannot be run
// How the variables of launchers begin: Open MPI and its runtime, what MPICH and srun tell by PMI,
// MPICH itself and MVAPICH, Slurm.
constexpr const char* kOfLaunchers[] = {"OMPI_", "OPAL_",  "PRTE_", "PMIX_", "PMI_",
                                        "PMI2_", "HYDI_",  "MPI_",  "MPIR_", "HYDRA_",
                                        "MV2_",  "SLURM_", "ORTE_"};
constexpr long kNanosecondsBetweenLooks = 10'000'000;

void Pause() {
  const struct timespec pause = {0, kNanosecondsBetweenLooks};
  ::nanosleep(&pause, nullptr);  // A signal ends it early, which is as well.
}

// In the child: becomes the job, or ends.
[[noreturn]] void Become(char* const* arguments, char* const* environment, const char* output,
                         pid_t parent) {
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
  ::execve(kThisProgram, arguments, environment);
  ::_exit(kNotStarted);
}

// What exec takes.
std::vector<char*> PointersTo(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

std::vector<std::string> EnvironmentOutsideJob() {
  std::vector<std::string> kept;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    bool of_launcher = false;
    for (const char* begin : kOfLaunchers) of_launcher |= absl::StartsWith(*variable, begin);
    if (!of_launcher) kept.emplace_back(*variable);
  }
  return kept;
}

std::string PoolJob::Text() const {
  return absl::StrCat(output, std::string(1, '\0'),
                      absl::StrJoin(arguments, absl::string_view("\0", 1)));
}

PoolJob PoolJob::FromText(absl::string_view text) {
  std::vector<std::string> parts = absl::StrSplit(text, '\0');
  PoolJob job{.output = std::move(parts[0])};
  job.arguments.assign(parts.begin() + 1, parts.end());
  return job;
}

std::string PoolResult::Text() const { return absl::StrCat(status, " ", seconds); }

absl::StatusOr<PoolResult> PoolResult::FromText(absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, ' ');
  PoolResult result;
  if (parts.size() == 2 && absl::SimpleAtoi(parts[0], &result.status) &&
      absl::SimpleAtod(parts[1], &result.seconds)) {
    return result;
  }
  return Internal("expected an exit status and seconds, got '", text, "'");
}

ProcessPool::~ProcessPool() {
  EndAll([](int64_t, const PoolResult&) { return absl::OkStatus(); });
}

absl::Status ProcessPool::Start(int64_t number, const PoolJob& job) {
  std::vector<std::string> arguments = job.arguments, environment = EnvironmentOutsideJob();
  const std::vector<char*> words = PointersTo(arguments), variables = PointersTo(environment);
  const pid_t parent = ::getpid(), pid = ::fork();
  if (pid == 0) Become(words.data(), variables.data(), job.output.c_str(), parent);
  if (pid < 0) return SystemError(errno, "cannot start a run that writes to", job.output);
  running_[pid] = {number, Clock::now()};
  return absl::OkStatus();
}

absl::Status ProcessPool::Reap(const Ended& ended) {
  absl::Status told;
  for (auto it = running_.begin(); it != running_.end();) {
    int status = 0;
    const pid_t pid = ::waitpid(it->first, &status, WNOHANG);
    if (pid == 0 || (pid < 0 && errno == EINTR)) {
      ++it;
      continue;
    }
    const Running run = it->second;
    it = running_.erase(it);
    const PoolResult result = {
        .status = pid < 0             ? 128
                  : WIFEXITED(status) ? WEXITSTATUS(status)
                                      : 128 + WTERMSIG(status),
        .seconds = std::chrono::duration<double>(Clock::now() - run.began).count()};
    told.Update(ended(run.number, result));
  }
  return told;
}

void ProcessPool::EndAll(const Ended& ended) {
  for (const auto& [pid, run] : running_) ::kill(pid, SIGTERM);
  while (true) {
    Reap(ended).IgnoreError();  // It ends already.
    if (running_.empty()) return;
    Pause();
  }
}

absl::Status ProcessPool::RunAll(WorkQueue& queue, const std::atomic<bool>& interrupt) {
  const Ended report = [&](int64_t number, const PoolResult& result) {
    return queue.Report(number, result.Text());
  };
  while (!queue.done()) {
    if (interrupt.load()) {
      EndAll(report);
      return Cancelled("interrupted");
    }
    while (true) {
      SEQ_ASSIGN_OR_RETURN(const std::optional<WorkQueue::Job> job, queue.Take());
      if (!job.has_value()) break;
      SEQ_RETURN_IF_ERROR(Start(job->number, PoolJob::FromText(job->text)));
    }
    const size_t before = running_.size();
    SEQ_RETURN_IF_ERROR(Reap(report));
    if (running_.size() == before && !queue.done()) Pause();
  }
  return absl::OkStatus();
}

absl::Status ProcessPool::Run(WorkQueue& queue, const std::atomic<bool>& interrupt) {
  const absl::Status status = RunAll(queue, interrupt);
  if (!status.ok()) queue.Stop(status);
  EndAll([](int64_t, const PoolResult&) { return absl::OkStatus(); });
  return queue.Finish();
}

}  // namespace seqgraph::tools
