#include "tools/conformance/supervisor.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"
#include "tools/conformance/channel.h"
#include "tools/conformance/worker.h"

extern char** environ;

namespace seqgraph::conformance {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kWorkerFd = 3;
constexpr size_t kLastWords = 600;

double Since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// A child process that runs cases.
class Worker {
 public:
  static absl::StatusOr<std::unique_ptr<Worker>> Start(const SupervisorOptions& options);
  ~Worker() { Stop(); }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  bool Ask(const std::string& name) { return SendMessage(socket_, name); }
  Received Wait(double seconds, std::string* message) {
    return ReceiveMessage(socket_, seconds, message);
  }
  /// Ends the process if it has not ended by itself, and says how it did: "signal 11 (Segmentation
  /// fault)", with its last words.
  std::string Autopsy();

 private:
  Worker() = default;
  void Stop();
  std::string LastWords() const;

  pid_t pid_ = -1;
  int socket_ = -1;
  int output_ = -1;  // what it prints
  int status_ = 0;
};

// What the child does between fork and exec; only calls that are safe there.
[[noreturn]] void Become(char* const* argv, char* const* environment, int socket, int output) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int null = open("/dev/null", O_RDONLY);
  dup2(null, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  // dup2 onto itself would leave the mark that closes it.
  if (socket == kWorkerFd) {
    fcntl(socket, F_SETFD, 0);
  } else {
    dup2(socket, kWorkerFd);
  }
  execve(argv[0], argv, environment);
  _exit(127);
}

absl::StatusOr<std::unique_ptr<Worker>> Worker::Start(const SupervisorOptions& options) {
  std::unique_ptr<Worker> worker(new Worker());
  int sockets[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0) {
    return absl::ErrnoToStatus(errno, "cannot make a socket for the worker");
  }
  worker->socket_ = sockets[0];
  worker->output_ = memfd_create("seqgraph conformance worker", MFD_CLOEXEC);
  std::vector<std::string> texts = {
      absl::StrCat(kWorkerVariable, "=", kWorkerFd, " ", options.seed)};
  std::vector<char*> argv, environment;
  for (const std::string& argument : options.worker) {
    argv.push_back(const_cast<char*>(argument.c_str()));
  }
  argv.push_back(nullptr);
  for (char** entry = environ; *entry != nullptr; ++entry) environment.push_back(*entry);
  environment.push_back(texts[0].data());
  environment.push_back(nullptr);
  worker->pid_ = fork();
  if (worker->pid_ == 0) {
    Become(argv.data(), environment.data(), sockets[1], worker->output_);
  }
  const int error = errno;
  close(sockets[1]);
  if (worker->pid_ < 0) return absl::ErrnoToStatus(error, "cannot start a worker");
  return worker;
}

void Worker::Stop() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    while (waitpid(pid_, &status_, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
  }
  for (int* fd : {&socket_, &output_}) {
    if (*fd >= 0) close(*fd);
    *fd = -1;
  }
}

std::string Worker::LastWords() const {
  const off_t size = lseek(output_, 0, SEEK_END);
  if (size <= 0) return "";
  std::string words(std::min<size_t>(static_cast<size_t>(size), kLastWords), '\0');
  const ssize_t got =
      pread(output_, words.data(), words.size(), size - static_cast<off_t>(words.size()));
  words.resize(got < 0 ? 0 : static_cast<size_t>(got));
  return std::string(absl::StripAsciiWhitespace(words));
}

std::string Worker::Autopsy() {
  // It has closed its socket, so that it is about to end or has ended.
  bool ended = false;
  for (int wait = 0; wait < 100 && !ended; ++wait) {
    ended = waitpid(pid_, &status_, WNOHANG) == pid_;
    if (!ended) usleep(10000);
  }
  const std::string words = LastWords();
  if (ended) pid_ = -1;
  std::string text =
      !ended ? "it closed its channel and went on"
      : WIFSIGNALED(status_)
          ? absl::StrCat("signal ", WTERMSIG(status_), " (", strsignal(WTERMSIG(status_)), ")")
          : absl::StrCat("it ended with exit status ", WEXITSTATUS(status_), " and no result");
  if (!words.empty()) absl::StrAppend(&text, "; last words: ", words);
  return text;
}

// Runs cases one after the other, with workers as they are needed.
class Supervisor {
 public:
  explicit Supervisor(const SupervisorOptions& options) : options_(options) {}

  absl::StatusOr<Report> Run(const Cases& cases) {
    const auto start = Clock::now();
    report_.seed = options_.seed;
    SEQ_RETURN_IF_ERROR(StartWorker());
    int hung = 0;
    for (const Case& each : cases) {
      Row row{.name = each.name, .outcome = Outcome::kSkipped};
      if (hung >= options_.max_hung) {
        row.detail = absl::StrCat("not run after ", hung, " hung cases");
      } else {
        row = RunCase(each.name);
      }
      hung += row.outcome == Outcome::kHung;
      report_.rows.push_back(row);
      if (options_.on_row) options_.on_row(row);
    }
    worker_.reset();
    report_.seconds = Since(start);
    return std::move(report_);
  }

 private:
  // What the worker says next: its last message, or that none came, and how it ended.
  struct Reply {
    Received received;
    MessageKind kind = MessageKind::kError;
    std::string text;
    std::string crash;    // what it could still say about a signal
    std::string autopsy;  // once it is gone
  };

  Reply Listen() {
    const auto start = Clock::now();
    Reply reply;
    for (;;) {
      std::string message;
      reply.received =
          worker_->Wait(std::max(0.0, options_.timeout_seconds - Since(start)), &message);
      if (reply.received == Received::kGone) reply.autopsy = worker_->Autopsy();
      if (reply.received != Received::kMessage) return reply;
      reply.kind = static_cast<MessageKind>(message.empty() ? '\0' : message[0]);
      reply.text = message.empty() ? "" : message.substr(1);
      if (reply.kind != MessageKind::kCrash) return reply;
      reply.crash = std::move(reply.text);
    }
  }

  absl::Status StartWorker() {
    worker_.reset();
    SEQ_ASSIGN_OR_RETURN(worker_, Worker::Start(options_));
    ++report_.workers;
    const Reply reply = Listen();
    if (reply.received == Received::kMessage && reply.kind == MessageKind::kHello) {
      return Hello(reply.text);
    }
    worker_.reset();
    if (reply.received == Received::kMessage) return NotFound(reply.text);
    if (reply.received == Received::kTimeout) {
      return DeadlineExceeded("the backend does not load within ", options_.timeout_seconds, " s");
    }
    return Internal("the backend crashes while it loads: ", reply.autopsy,
                    reply.crash.empty() ? "" : ", ", reply.crash);
  }

  absl::Status Hello(const std::string& text) {
    const std::vector<std::string> lines = absl::StrSplit(text, absl::MaxSplits('\n', 2));
    report_.backend = lines[0];
    if (lines.size() > 1) report_.version = lines[1];
    if (lines.size() > 2) report_.description = lines[2];
    return absl::OkStatus();
  }

  Row RunCase(const std::string& name) {
    Row row{.name = name};
    const auto start = Clock::now();
    if (worker_ == nullptr) {
      const absl::Status started = StartWorker();
      if (!started.ok()) {
        row.outcome = absl::IsDeadlineExceeded(started) ? Outcome::kHung : Outcome::kCrashed;
        row.detail = std::string(started.message());
        row.seconds = Since(start);
        return row;
      }
    }
    worker_->Ask(name);
    row = Answer(name);
    if (row.seconds == 0) row.seconds = Since(start);
    const bool reusable =
        !row.damaged && row.outcome != Outcome::kCrashed && row.outcome != Outcome::kHung;
    if (!reusable || options_.isolate) worker_.reset();
    return row;
  }

  Row Answer(const std::string& name) {
    const Reply reply = Listen();
    Row row{.name = name, .outcome = Outcome::kCrashed};
    if (reply.received == Received::kTimeout) {
      row.outcome = Outcome::kHung;
      row.detail = absl::StrCat("no answer within ", options_.timeout_seconds, " s");
      return row;
    }
    if (reply.received == Received::kGone) {
      row.detail = absl::StrCat(reply.crash, reply.crash.empty() ? "" : "; ", reply.autopsy);
      return row;
    }
    absl::StatusOr<Row> answer = RowFromJson(reply.text);
    if (reply.kind == MessageKind::kRow && answer.ok() && answer->name == name) return *answer;
    row.detail = "the worker answers with something that is no result";
    return row;
  }

  const SupervisorOptions& options_;
  std::unique_ptr<Worker> worker_;
  Report report_;
};

}  // namespace

absl::StatusOr<Report> Supervise(const Cases& cases, const SupervisorOptions& options) {
  return Supervisor(options).Run(cases);
}

}  // namespace seqgraph::conformance
