#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "tests/power_cut/cut_disk.h"

namespace seqgraph {

/// Empty if this process can mount disks of its own; else why not. Where there are name spaces, it
/// is in one of its own from now on, so that no mount outlives it. To be called before there are
/// threads.
const std::string& WhyNoMounts();

/// Serves a disk at a folder, by a thread of its own; nobody else uses the disk meanwhile. Behind
/// so many operations (0: never) the power fails: the process that made the last one is killed
/// before it learns how that ended.
class CutMount {
 public:
  CutMount(CutDisk& disk, const std::string& folder, int64_t cut_after = 0);
  ~CutMount();
  CutMount(const CutMount&) = delete;
  CutMount& operator=(const CutMount&) = delete;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace seqgraph
