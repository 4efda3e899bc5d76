#include "tools/conformance/worker.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <map>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/guarded_buffer.h"
#include "tools/conformance/channel.h"
#include "tools/conformance/report.h"

namespace seqgraph::conformance {
namespace {

constexpr size_t kMaxDetail = 4000;

int channel_fd = -1;  // for the signal handler

// Says what is known, then lets the signal do what it would have done.
void OnFatalSignal(int signal, siginfo_t* info, void*) {
  char text[512] = "c";
  const bool has_address = signal == SIGSEGV || signal == SIGBUS;
  if (has_address) DescribeAddress(info->si_addr, text + 1, sizeof(text) - 1);
  SendMessage(channel_fd, absl::string_view(text, std::strlen(text)));
  struct sigaction action = {};
  action.sa_handler = SIG_DFL;
  sigaction(signal, &action, nullptr);
  raise(signal);
}

void HandleFatalSignals() {
  static char stack[64 << 10];
  stack_t alternative = {};
  alternative.ss_sp = stack;
  alternative.ss_size = sizeof(stack);
  sigaltstack(&alternative, nullptr);
  struct sigaction action = {};
  action.sa_sigaction = OnFatalSignal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  for (int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) {
    sigaction(signal, &action, nullptr);
  }
  const rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
}

void Send(MessageKind kind, absl::string_view text) {
  SendMessage(channel_fd, absl::StrCat(std::string(1, static_cast<char>(kind)), text));
}

Row RunCase(const Case& each, const CaseContext& context) {
  Verdict verdict;
  const auto start = std::chrono::steady_clock::now();
  // Only here do exceptions matter: a backend must not throw, and if it does the case says so.
  try {
    each.run(context, verdict);
  } catch (const std::exception& exception) {
    verdict.Damage(absl::StrCat("the backend throws: ", exception.what()));
  } catch (...) {
    verdict.Damage("the backend throws something that is no std::exception");
  }
  if (verdict.ok() && verdict.row().runs == 0) {
    verdict.Fail("nothing failed, but the backend ran no node either");
  }
  Row row = verdict.row();
  row.name = each.name;
  row.detail = row.detail.substr(0, kMaxDetail);
  row.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return row;
}

}  // namespace

bool IsWorker() { return std::getenv(kWorkerVariable) != nullptr; }

int WorkerMain(const OpRegistry& registry, const FindBackend& find, const Cases& more) {
  const std::string value = std::getenv(kWorkerVariable);
  // What the backend may start is no worker.
  unsetenv(kWorkerVariable);
  const std::vector<std::string> parts = absl::StrSplit(value, ' ');
  uint64_t seed = 0;
  if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &channel_fd) ||
      !absl::SimpleAtoi(parts[1], &seed)) {
    std::fprintf(stderr, "%s is '%s', expected 'FD SEED'\n", kWorkerVariable, value.c_str());
    return 2;
  }
  HandleFatalSignals();
  const absl::StatusOr<const Backend*> backend = find();
  if (!backend.ok()) {
    Send(MessageKind::kError, backend.status().message());
    return 1;
  }
  const BackendInfo& info = (*backend)->info();
  Send(MessageKind::kHello, absl::StrCat(info.name, "\n", info.version, "\n", info.description));
  std::map<std::string, Case> cases;
  for (const Case& each : AllCases(registry)) cases.emplace(each.name, each);
  for (const Case& each : more) cases.emplace(each.name, each);
  const CaseContext context{**backend, registry, seed};
  std::string name;
  while (ReceiveMessage(channel_fd, -1, &name) == Received::kMessage) {
    const auto found = cases.find(name);
    Row row{.name = name, .outcome = Outcome::kFailed, .detail = "the worker has no such case"};
    if (found != cases.end()) row = RunCase(found->second, context);
    Send(MessageKind::kRow, RowToJson(row));
  }
  // Not through destructors: a backend may crash there, which the probe of plugins looks at.
  std::_Exit(0);
}

}  // namespace seqgraph::conformance
