#pragma once

#include <cstddef>

#include "absl/strings/string_view.h"

namespace seqgraph {

/// From now on a crash of this process (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT) while a plugin
/// runs is told in one line on standard error before the process ends by that signal:
///
///   seqgraph: plugin mine (/opt/libmine.so) crashed in run, node hidden (Dense) of function
///   train_step: signal 11 (SIGSEGV)
///
/// Once there are plugins (RememberPlugin), a crash outside of their calls names all of them: they
/// may have damaged what they do not own, or crash when the process ends.
///
/// For main() of a program that loads plugins. Signals that somebody else handles (a sanitizer,
/// say) stay theirs.
void NameCrashesOfPlugins();

/// `plugin`, "plugin mine (/opt/libmine.so)", runs in this process from now on.
void RememberPlugin(absl::string_view plugin);

/// A call into a plugin, while it lives: what a crash is named by. Costs two stores.
class PluginCall {
 public:
  /// The texts must outlive it. `node` is empty for what is no node's business.
  PluginCall(absl::string_view plugin, absl::string_view function, absl::string_view node);
  ~PluginCall();
  PluginCall(const PluginCall&) = delete;
  PluginCall& operator=(const PluginCall&) = delete;

  /// The line that tells of a crash, in `line`: printable, cut to `size`. Gives its length. Only
  /// what a signal handler may do.
  size_t Describe(int signal, char* line, size_t size) const;

 private:
  const absl::string_view plugin_;
  const absl::string_view function_;
  const absl::string_view node_;
  const PluginCall* const outer_;  // of this thread
};

}  // namespace seqgraph
