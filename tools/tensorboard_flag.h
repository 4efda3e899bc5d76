#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tools/flags.h"
#include "tools/training_data.h"
#include "tools/training_run.h"
#include "training/tensorboard/tensorboard.h"
#include "training/trainer.h"

namespace seqgraph::tools {

/// --tensorboard of `train`.
class TensorBoardFlag {
 public:
  /// `folds` (--folds) must outlive this: of several runs there is no one curve.
  void Declare(Flags& flags, const int64_t& folds);

  /// For the run with these options, whose trainer and data must outlive it; nullopt without the
  /// flag. The page of hyper-parameters gets what the command line gives, and what every run has:
  /// "batch", "epochs", "patience", "seed", "optimizer", "learning_rate".
  std::optional<TensorBoardOptions> Options(const Flags& flags, const TrainingRunOptions& run,
                                            const TrainingData& data, Trainer& trainer) const;

 private:
  std::string folder_;
};

}  // namespace seqgraph::tools
