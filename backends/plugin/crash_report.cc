#include "backends/plugin/crash_report.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <mutex>

namespace seqgraph {
namespace {

// The call that this thread is in, and one that any thread is in: a plugin may crash in a thread of
// its own. A handler reads nothing else.
constinit thread_local const PluginCall* current = nullptr;
std::atomic<const PluginCall*> latest{nullptr};
static_assert(std::atomic<const PluginCall*>::is_always_lock_free);

// The plugins that there are, in a text that only grows.
std::mutex names_mutex;
char names[2048];
std::atomic<size_t> names_size{0};

struct NamedSignal {
  int signal;
  const char* name;
};

constexpr NamedSignal kCrashes[] = {{SIGSEGV, "SIGSEGV"},
                                    {SIGBUS, "SIGBUS"},
                                    {SIGFPE, "SIGFPE"},
                                    {SIGILL, "SIGILL"},
                                    {SIGABRT, "SIGABRT"}};

// A text of bounded size, made without anything that a handler must not call.
class Line {
 public:
  Line(char* data, size_t size) : data_(data), size_(size) {}

  void Add(absl::string_view text) {
    for (const char c : text) {
      // Names come from files and plugins; a terminal would obey them.
      const unsigned char byte = static_cast<unsigned char>(c);
      if (used_ + 1 < size_) data_[used_++] = byte < 0x20 || byte == 0x7F ? ' ' : c;
    }
  }
  void Add(int number) {  // not negative
    char digits[16];
    size_t begin = sizeof(digits);
    do {
      digits[--begin] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number > 0);
    Add(absl::string_view(digits + begin, sizeof(digits) - begin));
  }
  size_t End() {
    data_[used_++] = '\n';
    return used_;
  }

 private:
  char* const data_;
  const size_t size_;
  size_t used_ = 0;
};

void AddSignal(int signal, Line& text) {
  text.Add(": signal ");
  text.Add(signal);
  for (const NamedSignal& each : kCrashes) {
    if (each.signal != signal) continue;
    text.Add(" (");
    text.Add(each.name);
    text.Add(")");
  }
}

size_t DescribeOutside(int signal, char* line, size_t size) {
  Line text(line, size);
  text.Add("seqgraph: crashed outside of any call of ");
  text.Add({names, names_size.load()});
  text.Add(", which may have damaged its memory");
  AddSignal(signal, text);
  return text.End();
}

void OnCrash(int signal) {
  const PluginCall* const call = current != nullptr ? current : latest.load();
  if (call != nullptr || names_size.load() > 0) {
    char line[sizeof(names) + 1024];
    const size_t size = call != nullptr ? call->Describe(signal, line, sizeof(line))
                                        : DescribeOutside(signal, line, sizeof(line));
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line, size);
  }
  // Held back until the handler returns, then what it would have been without us.
  ::signal(signal, SIG_DFL);
  ::raise(signal);
}

}  // namespace

PluginCall::PluginCall(absl::string_view plugin, absl::string_view function, absl::string_view node)
    : plugin_(plugin), function_(function), node_(node), outer_(current) {
  current = this;
  latest.store(this, std::memory_order_relaxed);
}

PluginCall::~PluginCall() {
  current = outer_;
  latest.store(outer_, std::memory_order_relaxed);
}

size_t PluginCall::Describe(int signal, char* line, size_t size) const {
  Line text(line, size);
  text.Add("seqgraph: ");
  text.Add(plugin_);
  text.Add(" crashed in ");
  text.Add(function_);
  if (!node_.empty()) text.Add(", ");
  text.Add(node_);
  AddSignal(signal, text);
  return text.End();
}

void RememberPlugin(absl::string_view plugin) {
  const std::lock_guard<std::mutex> lock(names_mutex);
  size_t size = names_size.load();
  const absl::string_view known(names, size);
  if (known.find(plugin) != known.npos) return;
  for (const absl::string_view part : {absl::string_view(size > 0 ? ", " : ""), plugin}) {
    const size_t taken = std::min(part.size(), sizeof(names) - size);
    std::copy_n(part.data(), taken, names + size);
    size += taken;
  }
  names_size.store(size);
}

void NameCrashesOfPlugins() {
  // Of its own, because a stack that has overflowed has no room for a handler.
  static char stack[size_t{64} << 10];
  const stack_t alternate = {.ss_sp = stack, .ss_flags = 0, .ss_size = sizeof(stack)};
  ::sigaltstack(&alternate, nullptr);
  for (const NamedSignal& each : kCrashes) {
    struct sigaction action = {};
    if (::sigaction(each.signal, nullptr, &action) != 0 || action.sa_handler != SIG_DFL) continue;
    action.sa_handler = OnCrash;
    action.sa_flags = SA_ONSTACK;
    ::sigemptyset(&action.sa_mask);
    ::sigaction(each.signal, &action, nullptr);
  }
}

}  // namespace seqgraph
