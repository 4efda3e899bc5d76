#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/benchmark/peer_spec.h"

namespace seqgraph {

/// What the work gave, to be compared with the same by others, and how it was done. Empty where a
/// task has none.
struct PeerResults {
  std::vector<double> losses;
  std::map<std::string, std::vector<double>> weights;
  std::vector<double> predictions;
  std::map<std::string, std::string> versions;
  std::string form;
};

struct PeerTime {
  int64_t samples = 0;
  double seconds = 0;
};

/// The work of a spec, made ready.
class PeerWork {
 public:
  virtual ~PeerWork() = default;
  /// Does it once from the given weights.
  virtual absl::StatusOr<PeerResults> Check() = 0;
  /// Does it from the given weights, again and again until the time is over.
  virtual absl::StatusOr<PeerTime> Run(double seconds) = 0;
};

/// The spec's model on `backends` ("simd,onednn"), one thread, through what a user would call:
/// ModelRunner and BatchRunner; Trainer for "fit".
absl::StatusOr<std::unique_ptr<PeerWork>> MakeModelWork(const PeerSpec& spec,
                                                        const std::string& backends);

/// oneDNN's RNN primitive alone, forward and backward: no lookup, loss or update, random inputs.
/// It has no results to be compared.
std::unique_ptr<PeerWork> MakeBareRnnWork(const PeerSpec& spec);

}  // namespace seqgraph
