#pragma once

#include <cstdint>
#include <vector>

#include "layers/layer_def.h"

namespace seqgraph {

/// The axis of a layer that normalizes: the last one, by -1 or by its number.
inline FieldRule LastAxis() { return {.low = -1, .high = Shape::kMaxRank}; }
inline constexpr char kLastAxisDoc[] = "of the features: -1, or the number of the last axis";

/// Any shape -> the same: each feature with mean 0 and variance 1 over the batch.
struct BatchNormalizationLayer {
  static constexpr char kClass[] = "BatchNormalization";
  int64_t axis = -1;
  double momentum = 0.99;
  double epsilon = 1e-3;
  bool center = true;
  bool scale = true;
  Initializer beta_initializer = Initializer::Zeros();
  Initializer gamma_initializer = Initializer::Constant(1);
  Initializer moving_mean_initializer = Initializer::Zeros();
  Initializer moving_variance_initializer = Initializer::Constant(1);
  Regularizer beta_regularizer;
  Regularizer gamma_regularizer;

  template <typename Visitor>
  void Fields(Visitor& field) {
    field("axis", axis, LastAxis(), kLastAxisDoc);
    field("momentum", momentum, FieldRule{.low = 0, .high = 1},
          "of the moving statistics: what they keep in a step of training");
    field("epsilon", epsilon, FieldRule{.low = 0, .high = 1e6}, "added to the variance");
    field("center", center, AnyValue(), "whether beta is added");
    field("scale", scale, AnyValue(), "whether gamma multiplies");
    field("beta_initializer", beta_initializer, AnyValue(), "of beta");
    field("gamma_initializer", gamma_initializer, AnyValue(), "of gamma");
    field("moving_mean_initializer", moving_mean_initializer, AnyValue(), "of the moving mean");
    field("moving_variance_initializer", moving_variance_initializer, AnyValue(),
          "of the moving variance");
    field("beta_regularizer", beta_regularizer, AnyValue(), "of beta");
    field("gamma_regularizer", gamma_regularizer, AnyValue(), "of gamma");
  }
};

/// Any shape -> the same: the features of each row with mean 0 and variance 1.
struct LayerNormalizationLayer {
  static constexpr char kClass[] = "LayerNormalization";
  int64_t axis = -1;
  double epsilon = 1e-3;
  bool center = true;
  bool scale = true;
  Initializer beta_initializer = Initializer::Zeros();
  Initializer gamma_initializer = Initializer::Constant(1);
  Regularizer beta_regularizer;
  Regularizer gamma_regularizer;

  template <typename Visitor>
  void Fields(Visitor& field) {
    field("axis", axis, LastAxis(), kLastAxisDoc);
    field("epsilon", epsilon, FieldRule{.low = 0, .high = 1e6}, "added to the variance");
    field("center", center, AnyValue(), "whether beta is added");
    field("scale", scale, AnyValue(), "whether gamma multiplies");
    field("beta_initializer", beta_initializer, AnyValue(), "of beta");
    field("gamma_initializer", gamma_initializer, AnyValue(), "of gamma");
    field("beta_regularizer", beta_regularizer, AnyValue(), "of beta");
    field("gamma_regularizer", gamma_regularizer, AnyValue(), "of gamma");
  }
};

/// Any shape -> the same: the features of each row divided by their Euclidean norm.
struct UnitNormalizationLayer {
  static constexpr char kClass[] = "UnitNormalization";
  int64_t axis = -1;

  template <typename Visitor>
  void Fields(Visitor& field) {
    field("axis", axis, LastAxis(), kLastAxisDoc);
  }
};

/// Any shape -> the same: each feature as a data set was measured, (x - mean) / deviation, or back.
struct NormalizationLayer {
  static constexpr char kClass[] = "Normalization";
  int64_t axis = -1;
  bool invert = false;
  std::vector<double> mean;
  std::vector<double> variance;

  template <typename Visitor>
  void Fields(Visitor& field) {
    field("axis", axis, LastAxis(), kLastAxisDoc);
    field("invert", invert, AnyValue(), "whether it goes back: x deviation + mean");
    field("mean", mean, AnyValue(),
          "one for each feature, or one for all; empty: the mean is a weight");
    field("variance", variance, FieldRule{.low = 0}, "likewise");
  }
};

LayerDef NormalizationDef();
LayerDef BatchNormalizationDef();
LayerDef LayerNormalizationDef();
LayerDef UnitNormalizationDef();

}  // namespace seqgraph
