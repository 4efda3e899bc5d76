#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace seqgraph {

/// How a child process is started.
struct ProcessOptions {
  std::string folder;                    ///< its current folder; empty: ours
  std::vector<std::string> environment;  ///< "NAME=value", besides ours
  std::string stdin_path;                ///< what standard input reads; empty: what is sent
  std::string stdout_path;               ///< where standard output goes; empty: it is read here
  bool terminal = false;                 ///< standard output and error are a new terminal
  long max_file_bytes = 0;               ///< limit on the files it writes; 0: none
  long max_memory_bytes = 0;             ///< of address space; 0: no limit
  std::string program;                   ///< another copy of the command; empty: the built one
};

/// False where there are no pseudo-terminals: in a bare root without /dev/pts.
bool TerminalsExist();

/// The seqgraph command as a child process. `arguments` come without the program.
class Process {
 public:
  Process(const std::vector<std::string>& arguments, const ProcessOptions& options = {});
  /// Kills it if it still runs.
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void Send(const std::string& text);
  void CloseInput();
  /// Nobody reads what it prints any more.
  void CloseOutput();
  void Signal(int signal);
  /// Reads standard output until it holds `text` behind the first `from` bytes; false if it ends,
  /// or in a minute does not.
  bool WaitForOutput(const std::string& text, size_t from = 0);
  /// Reads what is there already.
  void TakeOutput();
  /// Sets the width of its terminal.
  void Resize(int columns);
  /// Reads all that is left and waits for the end (killed after two minutes). The exit status, or
  /// 1000 + the signal that ended it.
  int Wait();

  const std::string& out() const { return out_; }
  const std::string& err() const { return err_; }

 private:
  bool Read(int timeout_ms);

  pid_t pid_ = -1;
  int input_ = -1;
  int output_ = -1;
  int error_ = -1;
  std::string out_;
  std::string err_;
};

struct ProcessResult {
  int status = 0;
  std::string out;
  std::string err;
};

/// Runs the command to its end with `input` on standard input.
ProcessResult RunSeqgraph(const std::vector<std::string>& arguments,
                          const ProcessOptions& options = {}, const std::string& input = "");

}  // namespace seqgraph
