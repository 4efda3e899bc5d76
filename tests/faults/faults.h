#pragma once

// Runs the command while one of its calls of the system, or of the allocator, goes wrong
// (fault_shim.c), and says what must hold whatever went wrong.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/end_to_end/process.h"

namespace seqgraph {

/// False, with the reason printed, where the shim cannot be loaded: under a sanitizer.
bool FaultsCanBeMade();

/// The kinds of calls that the shim knows, by the names that Fault has for them. "stdout": writes
/// to standard output; "memory": malloc and its kin.
const std::vector<std::string>& FaultKinds();

struct Fault {
  std::string kinds;      ///< counted together, with commas
  int64_t at = 0;         ///< the first call that goes wrong, from 1; 0: none, all are counted
  std::string what = "";  ///< "ENOSPC", "EIO", "EDQUOT", "EINTR", "ENOMEM", "short" or "kill"
  int64_t calls = 1;      ///< so many go wrong
};

struct FaultRun {
  ProcessResult process;
  std::map<std::string, int64_t> calls;   ///< by kind
  std::map<std::string, int64_t> faults;  ///< that were made, likewise
};

/// Runs the command in `folder` to its end. Files count that are in it; the cache is its folder
/// "cache", and is emptied before.
FaultRun RunWithFault(const std::vector<std::string>& arguments, const std::string& folder,
                      const Fault& fault);

/// What a command does, and what it leaves.
struct FaultCase {
  std::string name;
  std::vector<std::string> arguments;
  /// The files that it replaces, and what they hold before.
  std::map<std::string, std::string> outputs;
  /// For outputs that may be neither all old nor all new: why what is there may not be, else empty.
  std::string (*judge)(const std::string& folder) = nullptr;
  bool same_bytes = true;  ///< in every run
  /// Whether oneDNN runs, which may crash where it gets no memory: version 2.6 reads what
  /// dnnl_primitive_create and brgemm_kernel_create could not allocate.
  bool on_onednn = false;
};

/// A case in its folder: what it leaves undisturbed, and what must hold otherwise.
class FaultTrial {
 public:
  /// Runs it undisturbed.
  FaultTrial(FaultCase it, std::string folder);

  const std::string& name() const { return case_.name; }
  /// Of a run without faults, by kind.
  const std::map<std::string, int64_t>& calls() const { return calls_; }
  int64_t Count(const std::string& kinds) const;

  /// The k-th call fails (not "kill"): status 0 and all is new, or 1 and one line that says why,
  /// and every output is old or new; nothing is left of temporary files.
  void ExpectToldOrDone(const Fault& fault);
  /// As far as it goes while training may go on without: status 0 or 1, old or new (or as judged).
  void ExpectFilesWhole(const Fault& fault);
  /// As ExpectToldOrDone, but the run must not notice: "EINTR" and "short" where more can be tried.
  void ExpectDone(const Fault& fault);
  /// Killed before the k-th call: every output is old or new, and the next start ends well and
  /// leaves nothing of temporary files.
  void ExpectWholeAfterKill(const Fault& fault);
  /// An allocation fails: as ExpectToldOrDone, where the line says that memory was the reason.
  void ExpectNoMemoryIsTold(const Fault& fault);

 private:
  FaultRun Run(const Fault& fault);
  std::map<std::string, std::string> Outputs() const;
  void ExpectOldOrNew() const;
  void ExpectNew() const;
  void ExpectJudged() const;
  bool HasLitter() const;

  FaultCase case_;
  const std::string folder_;
  std::map<std::string, std::string> new_;
  std::map<std::string, int64_t> calls_;
};

/// Which of the calls 1 to n go wrong, one run for each: the first `first`, and `drawn` of the
/// others at random; all, if there are no more than these. SEQGRAPH_SOAK says another number that
/// is drawn. Prints the seed, which SEQGRAPH_SEED sets.
std::vector<int64_t> CallsToTry(const std::string& what, int64_t n, int64_t first, int64_t drawn);

}  // namespace seqgraph
