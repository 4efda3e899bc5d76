#pragma once

#include <cstdint>
#include <string>

namespace seqgraph {

/// One line of work that several frameworks do in turn; tools/peer_benchmark/peers/common.py says
/// what the fields and the tasks mean.
struct PeerSpec {
  std::string task;                ///< "train", "fit" or "predict"
  std::string model;               ///< "embedding", "onehot" or "series"
  std::string cell = "SimpleRNN";  ///< the class of the recurrent layer
  int64_t batch = 64;
  int64_t time = 100;
  int64_t vocabulary = 500;
  int64_t features = 16;
  int64_t units = 8;
  int64_t steps = 320;  ///< batches in an epoch
  int64_t chunk = 16;   ///< steps between two losses that are reported
  double learning_rate = 1e-4;
  double rho = 0.9;
  double epsilon = 1e-7;
  std::string data;  ///< folder of .npy files
};

}  // namespace seqgraph
