#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "tools/flags.h"
#include "training/metrics.h"
#include "training/optimizers.h"

namespace seqgraph::tools {

/// How a model is trained: optimizer, clipping, weights of classes, what is measured.
class TrainingFlags {
 public:
  /// The flags that say what the training step is, which a saved model brings along.
  std::vector<Flag> Declare(Flags& flags);

  Optimizer MakeOptimizer() const;
  /// "RMSprop, learning rate 0.0001", and what else was asked for.
  std::string Description() const;

  /// What --learning_rate says, if it is given.
  std::optional<double> given_learning_rate() const;

  bool weighs_classes() const { return !class_weight_.empty(); }
  /// None without the flag. "balanced" is rows / (classes rows_of_class), as in scikit-learn.
  /// InvalidArgument for a class that is none of `labels` or is named twice.
  absl::StatusOr<std::map<int32_t, double>> ClassWeights(
      absl::Span<const int32_t> targets, const std::vector<std::string>& labels) const;

  /// Those of the task, then those that were asked for, in their order.
  std::vector<Metric> Metrics(std::vector<Metric> metrics) const;

  /// Takes `name` where the user names no optimizer. Once the command line has been parsed.
  void PreferOptimizer(const std::string& name);

 private:
  // A setting that some optimizer has.
  struct Setting {
    std::optional<Flag> flag;
    double number = 0;
    bool on = false;
  };
  std::vector<Flag> DeclareSettings(Flags& flags);
  std::string CheckSettings() const;
  absl::StatusOr<Optimizer> Make() const;

  std::string optimizer_ = "rmsprop";
  std::optional<Flag> optimizer_flag_;
  std::vector<std::string> keys_;  ///< in the order of --help
  std::map<std::string, Setting> settings_;
  std::string class_weight_;
  std::string metrics_;
};

}  // namespace seqgraph::tools
