#include "backends/plugin/plugin_probe.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "backends/plugin/probe_protocol.h"
#include "base/file_descriptor.h"
#include "base/status_macros.h"

namespace seqgraph {
namespace probe {

[[noreturn]] void RunChild();  // probe_child.cc

}  // namespace probe

namespace {

using probe::Frame;
using probe::FrameType;

std::atomic<bool> main_called_us{false};

// The file under a number above those that a child uses.
FileDescriptor Above(int file) {
  const FileDescriptor low(file);
  return FileDescriptor(file < 0 ? file : fcntl(file, F_DUPFD_CLOEXEC, 10));
}

// Runs in the child between fork and exec: calls nothing but the system.
[[noreturn]] void StartChild(int request, int answer, int null, char* const* arguments) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const struct rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  for (int standard : {0, 1, 2}) dup2(null, standard);
  dup2(request, probe::kRequestFile);
  dup2(answer, probe::kAnswerFile);
  syscall(SYS_close_range, probe::kAnswerFile + 1, ~0U, 0);
  execv("/proc/self/exe", arguments);
  _exit(127);
}

// A child process that is gone, with all that it has started, when this is.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) { setpgid(pid, pid); }
  ~Child() { Kill(); }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // Its status as of waitpid; false if it is still running at the deadline.
  bool Wait(absl::Time deadline, int* status) {
    while (!ended_) {
      const pid_t found = waitpid(pid_, &status_, WNOHANG);
      ended_ = found == pid_ || (found < 0 && errno != EINTR);
      if (ended_) break;
      if (absl::Now() >= deadline) return false;
      absl::SleepFor(absl::Milliseconds(1));
    }
    *status = status_;
    return true;
  }

 private:
  void Kill() {
    if (!ended_) {
      kill(-pid_, SIGKILL);
      kill(pid_, SIGKILL);
      while (waitpid(pid_, &status_, 0) < 0 && errno == EINTR) {
      }
    }
    // What the plugin may have started itself.
    kill(-pid_, SIGKILL);
  }

  const pid_t pid_;
  bool ended_ = false;
  int status_ = 0;
};

// What the child has said so far.
struct Conversation {
  std::string stage = "being started";
  ProbeReport report;
  absl::Status error;
  bool done = false;     // the child said that it had finished, well or not
  bool damaged = false;  // it said what makes no sense

  void Take(const Frame& frame) {
    switch (frame.type) {
      case FrameType::kStage:
        stage = frame.text;
        return;
      case FrameType::kInfo: {
        const std::vector<std::string> parts = absl::StrSplit(frame.text, '\0');
        damaged = parts.size() != 4;
        if (!damaged) report.info = {parts[0], parts[1], parts[2]};
        return;
      }
      case FrameType::kClaimed: {
        int count = 0;
        damaged = !absl::SimpleAtoi(frame.text, &count);
        report.claimed.push_back(count);
        return;
      }
      case FrameType::kError:
        damaged = frame.text.empty();
        if (damaged) return;
        error =
            absl::Status(static_cast<absl::StatusCode>(frame.text[0] - 'A'), frame.text.substr(1));
        damaged = error.ok();
        done = true;
        return;
      case FrameType::kDone:
        done = true;
        return;
    }
  }
};

// Reads until the child has said all, ends, or the deadline; false at the deadline.
bool Listen(int answer, absl::Time deadline, Conversation& conversation) {
  std::string stream;
  while (!conversation.done && !conversation.damaged) {
    const int64_t left = absl::ToInt64Milliseconds(deadline - absl::Now());
    if (left <= 0) return false;
    struct pollfd waiting = {answer, POLLIN, 0};
    if (poll(&waiting, 1, static_cast<int>(std::min<int64_t>(left, 1000))) <= 0) continue;
    char buffer[4096];
    const ssize_t size = read(answer, buffer, sizeof(buffer));
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return true;
    stream.append(buffer, size);
    Frame frame;
    while (!conversation.damaged && probe::TakeFrame(stream, frame, conversation.damaged)) {
      conversation.Take(frame);
    }
  }
  return true;
}

absl::Status Crashed(const std::string& label, const std::string& stage, int status) {
  if (WIFSIGNALED(status)) {
    return Internal(label, ": crashed while ", stage, ": signal ", WTERMSIG(status), " (",
                    strsignal(WTERMSIG(status)), ")");
  }
  return Internal(label, ": ended the process while ", stage, ", with status ",
                  WEXITSTATUS(status));
}

absl::StatusOr<pid_t> Fork(const std::string& request, const FileDescriptor& answer_out,
                           const FileDescriptor& null) {
  const FileDescriptor request_file = Above(memfd_create("seqgraph_probe", MFD_CLOEXEC));
  if (request_file.get() < 0 || write(request_file.get(), request.data(), request.size()) !=
                                    static_cast<ssize_t>(request.size())) {
    return Unavailable("cannot pass a request: ", strerror(errno));
  }
  char program[] = "seqgraph_plugin_probe";
  std::string flag = probe::kChildFlag;
  char* arguments[] = {program, flag.data(), nullptr};
  const pid_t pid = fork();
  if (pid == 0) StartChild(request_file.get(), answer_out.get(), null.get(), arguments);
  if (pid < 0) {
    return Unavailable("a plugin cannot be probed, which takes a process of its own: cannot fork: ",
                       strerror(errno));
  }
  return pid;
}

}  // namespace

absl::StatusOr<ProbeReport> ProbePlugin(
    const std::string& path, absl::Span<const std::shared_ptr<const EncodedFunction>> functions,
    const ProbeOptions& options) {
  if (!main_called_us) {
    return FailedPrecondition("plugin ", path,
                              ": cannot be probed: this program's main does not call "
                              "RunProbeChild");
  }
  const absl::Time deadline = absl::Now() + options.time_limit;
  int pipe_files[2];
  if (pipe2(pipe_files, O_CLOEXEC) != 0) {
    return Unavailable("cannot make a pipe: ", strerror(errno));
  }
  const FileDescriptor answer = Above(pipe_files[0]);
  FileDescriptor answer_out = Above(pipe_files[1]);
  const FileDescriptor null = Above(open("/dev/null", O_RDWR | O_CLOEXEC));
  const probe::Request request = {path,
                                  options.run,
                                  options.leak_repeats,
                                  options.leak_limit,
                                  {functions.begin(), functions.end()}};
  SEQ_ASSIGN_OR_RETURN(const pid_t pid, Fork(request.Pack(), answer_out, null));
  Child child(pid);
  answer_out.Close();

  Conversation said;
  int status = 0;
  const bool in_time =
      Listen(answer.get(), deadline, said) && (said.damaged || child.Wait(deadline, &status));
  const std::string label = said.report.info.name.empty()
                                ? absl::StrCat("plugin ", path)
                                : absl::StrCat("plugin ", said.report.info.name, " (", path, ")");
  if (said.damaged) return Internal(label, ": damaged the probe while ", said.stage);
  if (!said.error.ok()) return said.error;
  if (!in_time) {
    return DeadlineExceeded(label, ": had not finished ", said.stage, " after ",
                            absl::FormatDuration(options.time_limit), " and was stopped");
  }
  if (!said.done || !WIFEXITED(status)) return Crashed(label, said.stage, status);
  return said.report;
}

void RunProbeChild(int argc, char** argv) {
  main_called_us = true;
  if (argc == 2 && std::strcmp(argv[1], probe::kChildFlag) == 0) probe::RunChild();
}

}  // namespace seqgraph
