#pragma once

// SIGTERM, with which a launcher ends the ranks of a job.

#include <signal.h>

namespace seqgraph {

/// While it lives, SIGTERM is noticed, by a number that is written to an event descriptor; and the
/// process survives it, if nobody else handles it. One at a time in a process.
class TerminationNotice {
 public:
  explicit TerminationNotice(int event);
  ~TerminationNotice();
  TerminationNotice(const TerminationNotice&) = delete;
  TerminationNotice& operator=(const TerminationNotice&) = delete;

  bool told() const;
  /// Whether it would have ended the process, which is for the owner to do.
  bool ends_process() const;

 private:
  struct sigaction earlier_ = {};
  bool handles_ = false;
};

/// For whoever handles SIGTERM otherwise meanwhile, to be called in the handler: a launcher may be
/// about to end all, because of a rank that nobody hears.
void NoteTermination();

}  // namespace seqgraph
