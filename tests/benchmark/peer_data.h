#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "graph/model.h"
#include "tests/benchmark/peer_spec.h"
#include "training/batch_runner.h"

namespace seqgraph {

/// The tutorial's model of the spec with the spec's cell and optimizer. InvalidArgument for a model
/// or sizes that there are not.
absl::StatusOr<Model> MakePeerModel(const PeerSpec& spec);

/// Writes what every peer reads into the folder spec.data, which must be there: synthetic reviews,
/// or waves in noise, as "inputs.npy", int32 [steps * batch, time] or float32 [steps * batch, time,
/// features], and "labels.npy" int32 [steps * batch], a quarter as many as "validation_inputs.npy"
/// and "validation_labels.npy", and each weight "a/b" of the spec's
/// model as "a.b.npy": initialized as Keras does, but for biases, which are small and all
/// different, so that none is mistaken for another.
absl::Status WritePeerData(const PeerSpec& spec);

/// Rows that it owns.
struct PeerRows {
  int64_t rows = 0;
  int64_t maxlen = 0;
  std::vector<int32_t> tokens, targets;
  std::vector<float> features;  ///< of series, instead of tokens

  Examples examples() const {
    return {
        .tokens = tokens, .rows = rows, .maxlen = maxlen, .targets = targets, .features = features};
  }
};

struct PeerData {
  PeerRows train, validation;
};

/// Reads the rows that WritePeerData wrote, the first steps * batch where the task is to train.
/// InvalidArgument if they are not of the spec's sizes.
absl::StatusOr<PeerData> ReadPeerData(const PeerSpec& spec);

/// Sets the weights to those in the folder and all other variables of training to zero, but for the
/// learning rate.
absl::Status ReadPeerWeights(const PeerSpec& spec, Model& model);

}  // namespace seqgraph
