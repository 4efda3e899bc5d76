// The seqgraph command: see `seqgraph --help`.
//
// Exit status: 0 done, 1 an error (one line on standard error), 2 misuse of the command line (one
// line that names the flag), 130 interrupted.

#include <execinfo.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <exception>
#include <initializer_list>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "backends/plugin/crash_report.h"
#include "backends/plugin/plugin_probe.h"
#include "base/memory_limit.h"
#include "base/printable.h"
#include "base/temporary_file.h"
#include "distributed/job.h"
#include "tools/all_commands.h"
#include "tools/backend_line.h"
#include "tools/command.h"
#include "tools/command_files.h"
#include "tools/output.h"

namespace seqgraph::tools {
namespace {

constexpr int kError = 1;
constexpr int kMisuse = 2;

// On one line, so that a script that looks for the reason finds it whole, and without anything that
// a terminal would obey.
void Complain(absl::string_view text) {
  std::fprintf(stderr, "seqgraph: %s\n", Printable(text).c_str());
}

int Misuse(absl::string_view text, absl::string_view command) {
  Complain(absl::StrCat(absl::StripAsciiWhitespace(text), "; see: seqgraph ", command,
                        command.empty() ? "" : " ", "--help"));
  return kMisuse;
}

std::string CommandNames() {
  return absl::StrJoin(AllCommands(), ", ",
                       [](std::string* out, const CommandDef& row) { out->append(row.name); });
}

// The exit status of a command that ran, after its output has reached the system.
int Finish(absl::StatusOr<int> result, Output& out) {
  const absl::Status flushed = out.Flush();
  if (result.ok() && !flushed.ok()) result = flushed;
  LeaveJob(result.status());
  if (result.ok()) return *result;
  Complain(result.status().ToString());
  return kError;
}

absl::Status Expand(Command* command, std::vector<std::string>& arguments) {
  absl::StatusOr<std::vector<std::string>> expanded = command->Expand(arguments);
  if (!expanded.ok()) return expanded.status();
  arguments = *std::move(expanded);
  return absl::OkStatus();
}

const char* command_that_runs = "seqgraph";
std::string memory_advice;  // written once, while there is memory

// Without memory nothing can be composed: the words are there, and go straight to the system.
void SayAtOnce(std::initializer_list<absl::string_view> words) {
  for (const absl::string_view each : words) {
    if (WriteAll(STDERR_FILENO, each) != 0) return;
  }
}

void ComplainOfMemory() {
  static constexpr char kReason[] = "seqgraph: RESOURCE_EXHAUSTED: out of memory in ";
  SayAtOnce({kReason, command_that_runs, memory_advice, "\n"});
}

// Where `new` has no memory. Abseil's hash tables are destroyed as if they held what an exception
// kept from being made, so none is thrown. What was being written goes at the next start.
[[noreturn]] void EndOutOfMemory() {
  ComplainOfMemory();
  ::_exit(kError);
}

// Where an exception cannot be caught: in another thread, or where none is expected.
[[noreturn]] void EndWithoutMemory() {
  if (const std::exception_ptr exception = std::current_exception()) {
    try {
      std::rethrow_exception(exception);
    } catch (const std::bad_alloc&) {
      EndOutOfMemory();
    } catch (...) {
    }
  }
  std::abort();
}

// To the limit that the command line, or the machine, says.
void LimitMemory() {
  EnforceMemoryLimit();
  memory_advice = "; smaller batches or fewer rows at once take less";
  if (MemoryLimit() == kNoMemoryLimit) return;
  absl::StrAppend(&memory_advice, "; data and model may take ", MemoryLimit(),
                  " bytes: --max_memory allows more");
}

bool command_has_ended = false;

// libarchive and libgomp end a program that has no memory for them, with a line of their own; a
// plugin can, with any status. No command has been done then.
void RefuseEarlyEnd() {
  if (command_has_ended) return;
  SayAtOnce({"seqgraph: ABORTED: a library or plugin ended the program in ", command_that_runs,
             "; it may have said why, and memory is the usual reason\n"});
  ::_exit(kError);
}

// glibc loads what unwinds through its own functions when it is first needed, and ends the program
// if that cannot be: too late where an exception says that memory has ended.
void LoadUnwinder() {
  void* frame = nullptr;
  ::backtrace(&frame, 1);
}

int Main(int argc, char** argv) {
  CLI::App app("Computation graphs with plugin backends: trains and runs text classifiers.",
               "seqgraph");
  app.require_subcommand(1);
  app.footer("Flags are written --name=value. `seqgraph COMMAND --help` shows those of a command.");
  std::vector<std::unique_ptr<Command>> commands;
  std::vector<CLI::App*> parsers;
  std::deque<CommandFiles> files;  // which stay where they are
  int64_t max_memory = 0;
  for (const CommandDef& row : AllCommands()) {
    commands.push_back(row.make());
    parsers.push_back(app.add_subcommand(row.name, row.summary));
    Flags flags(parsers.back(), &files.emplace_back());
    commands.back()->Declare(flags);
    if (parsers.back()->get_option_no_throw("--max_memory") != nullptr) continue;
    flags.Group("Limits");
    DeclareMaxMemory(flags, &max_memory);
  }
  Output out(stdout, "standard output");

  if (argc < 2) return Misuse(absl::StrCat("needs a command: ", CommandNames()), "");
  const std::string first = argv[1];
  std::string command;
  std::vector<std::string> arguments(argv + 1, argv + argc);
  if (first != "--help" && first != "-h") {
    for (size_t i = 0; i < parsers.size(); ++i) {
      if (parsers[i]->get_name() != first) continue;
      command = first;
      const absl::Status expanded = Expand(commands[i].get(), arguments);
      if (!expanded.ok()) return Finish(expanded, out);
    }
    if (command.empty()) {
      return Misuse(absl::StrCat("unknown command '", first, "', expected one of ", CommandNames()),
                    "");
    }
  }
  try {
    app.parse(ArgumentsForParser(arguments));
  } catch (const CLI::CallForHelp&) {
    out.Write(app.help());
    return Finish(0, out);
  } catch (const CLI::Error& error) {
    return Misuse(error.what(), command);
  }
  for (size_t i = 0; i < commands.size(); ++i) {
    if (!parsers[i]->parsed()) continue;
    command_that_runs = AllCommands()[i].name;
    LimitMemory();
    const absl::Status checked = files[i].Check();
    return Finish(checked.ok() ? commands[i]->Run(out) : checked, out);
  }
  return Misuse("no command ran", "");
}

}  // namespace
}  // namespace seqgraph::tools

int main(int argc, char** argv) {
  seqgraph::RunProbeChild(argc, argv);
  seqgraph::NameCrashesOfPlugins();
  std::signal(SIGXFSZ,
              SIG_IGN);  // a file beyond its limit is an error of the write, as a full disk is
  std::set_new_handler(seqgraph::tools::EndOutOfMemory);
  std::set_terminate(seqgraph::tools::EndWithoutMemory);
  seqgraph::tools::LoadUnwinder();
  std::atexit(seqgraph::tools::RefuseEarlyEnd);
  int status = seqgraph::tools::kError;
  try {
    status = seqgraph::tools::Main(argc, argv);
  } catch (const std::bad_alloc&) {
    seqgraph::tools::ComplainOfMemory();
  }
  seqgraph::tools::command_has_ended = true;
  return status;
}
