#include "tests/end_to_end/process.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>

#include "tests/testing.h"

namespace seqgraph {
namespace {

constexpr int kCannotStart = 127;

std::string Program() {
  // Tests start in the root of the runfiles.
  static const std::string* const path =
      new std::string(std::filesystem::absolute("tools/seqgraph_main"));
  return *path;
}

// A cache of its own for each test program, unless a test names another.
const std::string& Cache() {
  static const std::string* const variable = new std::string("XDG_CACHE_HOME=" + MakeTempDir());
  return *variable;
}

[[noreturn]] void Start(const std::vector<std::string>& arguments, const ProcessOptions& options) {
  ::signal(SIGPIPE, SIG_DFL);
  if (!options.stdout_path.empty()) {
    const int fd = ::open(options.stdout_path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0666);
    if (fd < 0 || ::dup2(fd, STDOUT_FILENO) < 0) ::_exit(kCannotStart);
  }
  if (!options.stdin_path.empty()) {
    const int fd = ::open(options.stdin_path.c_str(), O_RDONLY);
    if (fd < 0 || ::dup2(fd, STDIN_FILENO) < 0) ::_exit(kCannotStart);
  }
  if (!options.folder.empty() && ::chdir(options.folder.c_str()) != 0) ::_exit(kCannotStart);
  if (options.max_file_bytes > 0) {
    const rlim_t limit = static_cast<rlim_t>(options.max_file_bytes);
    const struct rlimit both = {limit, limit};
    ::setrlimit(RLIMIT_FSIZE, &both);
  }
  if (options.max_memory_bytes > 0) {
    const rlim_t limit = static_cast<rlim_t>(options.max_memory_bytes);
    const struct rlimit both = {limit, limit};
    ::setrlimit(RLIMIT_AS, &both);
  }
  ::putenv(const_cast<char*>(Cache().c_str()));
  for (const std::string& variable : options.environment) {
    ::putenv(const_cast<char*>(variable.c_str()));
  }
  const std::string program = options.program.empty() ? Program() : options.program;
  std::vector<char*> argv = {const_cast<char*>(program.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  ::execv(argv[0], argv.data());
  ::_exit(kCannotStart);
}

}  // namespace

bool TerminalsExist() {
  int terminal = -1, child_side = -1;
  if (::openpty(&terminal, &child_side, nullptr, nullptr, nullptr) != 0) return false;
  ::close(terminal);
  ::close(child_side);
  return true;
}

Process::Process(const std::vector<std::string>& arguments, const ProcessOptions& options) {
  ::signal(SIGPIPE, SIG_IGN);  // A child may end before it has read all that is sent.
  Program();
  Cache();  // Made here, not once in each child.
  int input[2], output[2], error[2];
  EXPECT_EQ(::pipe2(input, O_CLOEXEC), 0);
  EXPECT_EQ(::pipe2(output, O_CLOEXEC), 0);
  EXPECT_EQ(::pipe2(error, O_CLOEXEC), 0);
  int terminal = -1;
  const struct winsize size = {.ws_row = 24, .ws_col = 100};
  pid_ = options.terminal ? ::forkpty(&terminal, nullptr, nullptr, &size) : ::fork();
  EXPECT_GE(pid_, 0);
  if (pid_ == 0) {
    ::dup2(input[0], STDIN_FILENO);
    if (!options.terminal) {
      ::dup2(output[1], STDOUT_FILENO);
      ::dup2(error[1], STDERR_FILENO);
    }
    Start(arguments, options);
  }
  ::close(input[0]);
  ::close(output[1]);
  ::close(error[1]);
  input_ = input[1];
  error_ = error[0];
  output_ = output[0];
  if (options.terminal) {
    ::close(output[0]);
    output_ = terminal;
  }
}

Process::~Process() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  for (int fd : {input_, output_, error_}) {
    if (fd >= 0) ::close(fd);
  }
}

void Process::Send(const std::string& text) {
  size_t sent = 0;
  while (sent < text.size()) {
    const ssize_t now = ::write(input_, text.data() + sent, text.size() - sent);
    if (now < 0) return;  // It ended; what it said tells why.
    sent += static_cast<size_t>(now);
  }
}

void Process::CloseOutput() {
  ::close(output_);
  output_ = -1;
}

void Process::CloseInput() {
  if (input_ >= 0) ::close(input_);
  input_ = -1;
}

void Process::Signal(int signal) {
  if (pid_ > 0) ::kill(pid_, signal);  // -1 would be everybody
}

// Takes what there is; false if nothing came in time or all has ended.
bool Process::Read(int timeout_ms) {
  struct pollfd fds[2] = {{output_, POLLIN, 0}, {error_, POLLIN, 0}};
  if (::poll(fds, 2, timeout_ms) <= 0) return false;
  bool open = false;
  for (int i = 0; i < 2; ++i) {
    if (fds[i].revents == 0) {
      open |= fds[i].fd >= 0;
      continue;
    }
    char block[4096];
    const ssize_t got = ::read(fds[i].fd, block, sizeof(block));
    int& fd = i == 0 ? output_ : error_;
    if (got > 0) {
      (i == 0 ? out_ : err_).append(block, static_cast<size_t>(got));
      open = true;
    } else {  // The end; of a terminal it is an error.
      ::close(fd);
      fd = -1;
    }
  }
  return open || output_ >= 0 || error_ >= 0;
}

void Process::TakeOutput() {
  while (Read(/*timeout_ms=*/200)) {
  }
}

void Process::Resize(int columns) {
  const struct winsize size = {.ws_row = 24, .ws_col = static_cast<unsigned short>(columns)};
  EXPECT_EQ(::ioctl(output_, TIOCSWINSZ, &size), 0);
}

bool Process::WaitForOutput(const std::string& text, size_t from) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (out_.find(text, from) == std::string::npos) {
    if (output_ < 0 || std::chrono::steady_clock::now() > end) return false;
    Read(/*timeout_ms=*/1000);
  }
  return true;
}

int Process::Wait() {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(2);
  while ((output_ >= 0 || error_ >= 0) && std::chrono::steady_clock::now() < end) Read(1000);
  if (output_ >= 0 || error_ >= 0) ::kill(pid_, SIGKILL);
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

ProcessResult RunSeqgraph(const std::vector<std::string>& arguments, const ProcessOptions& options,
                          const std::string& input) {
  Process process(arguments, options);
  process.Send(input);
  process.CloseInput();
  const int status = process.Wait();
  return {status, process.out(), process.err()};
}

}  // namespace seqgraph
