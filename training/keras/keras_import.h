#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "graph/model.h"
#include "serialization/keras/keras_io.h"
#include "training/model_builder.h"

namespace seqgraph {

/// Loss and optimizer of a Keras file. Where it was not compiled, or with what is not known here,
/// the loss is that of the last activation (sigmoid: binary cross-entropy, softmax: categorical
/// cross-entropy, else the mean square), the optimizer RMSprop, and a note says so.
absl::StatusOr<TrainableOptions> TrainingFromKeras(const keras::KerasModel& keras,
                                                   std::vector<std::string>* notes);

/// A model to run and to train on with from what a Keras file holds: built from its layers, with
/// its weights, loss, optimizer and the optimizer's state. Errors: those of TrainingFromKeras and
/// BuildModel.
absl::StatusOr<Model> ModelFromKeras(const keras::KerasModel& keras,
                                     std::vector<std::string>* notes);

/// Makes a model whose layers leave the length of sequences open (LayerInput::open_time) one for
/// `time` steps, built anew with its weights, loss and optimizer; true if that is another length
/// than it had. Other models stay as they are. Errors: those of KerasFromModel and ModelFromKeras.
absl::StatusOr<bool> SetOpenLength(int64_t time, Model& model);

/// The same with a length for each of these inputs; the others keep theirs.
absl::StatusOr<bool> SetOpenLengths(const std::map<std::string, int64_t>& times, Model& model);

/// A model as this one but for these lengths, built anew.
absl::StatusOr<Model> WithOpenLengths(const std::map<std::string, int64_t>& times,
                                      const Model& model);

/// Puts the weights of a file into a model that RecognizeStack knows, and the state of its
/// optimizer if the file has that of the same optimizer (a note says if not).
absl::Status SetKerasWeights(const std::string& path, Model& model,
                             std::vector<std::string>* notes);

/// One-hot words are numbers to Keras: `one_hot` makes a model that takes those take tokens.
struct KerasImportOptions {
  keras::ReadOptions read;
  bool one_hot = false;
};

/// Reads ".keras" or ".h5" into a model. Errors name the path.
absl::StatusOr<Model> LoadKerasModel(const std::string& path, const KerasImportOptions& options,
                                     std::vector<std::string>* notes);

}  // namespace seqgraph
