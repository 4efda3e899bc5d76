#pragma once

#include <cstdint>
#include <vector>

#include "layers/layer_def.h"

namespace seqgraph {

/// x from threshold on, at most max_value; negative_slope (x - threshold) below.
struct ReLULayer {
  static constexpr char kClass[] = "ReLU";
  /// The largest float: no limit, which Keras writes as null.
  static constexpr double kUnlimited = 3.4028234663852886e38;
  double max_value = kUnlimited;
  double negative_slope = 0;
  double threshold = 0;

  template <typename Visitor>
  void Fields(Visitor& field) {
    field("max_value", max_value, FieldRule{.low = 0, .high = kUnlimited},
          "no output is larger; the largest float: no limit");
    field("negative_slope", negative_slope, FieldRule{.low = 0, .high = 1e6},
          "of the line below threshold");
    field("threshold", threshold, FieldRule{.low = 0, .high = 1e30}, "where x itself begins");
  }
};

/// x where x > 0, alpha (exp(x) - 1) elsewhere.
struct ELULayer {
  static constexpr char kClass[] = "ELU";
  double alpha = 1;

  template <typename Visitor>
  void Fields(Visitor& field) {
    field("alpha", alpha, FieldRule{.low = 0, .high = 1e6}, "how far below 0 it goes");
  }
};

/// x where x > 0, alpha x elsewhere, alpha being learned.
struct PReLULayer {
  static constexpr char kClass[] = "PReLU";
  std::vector<int64_t> shared_axes;
  Initializer alpha_initializer = Initializer::Zeros();
  Regularizer alpha_regularizer;

  template <typename Visitor>
  void Fields(Visitor& field) {
    field("shared_axes", shared_axes, FieldRule{.low = 1, .high = Shape::kMaxRank},
          "axes along which alpha is the same: [1] for all steps");
    field("alpha_initializer", alpha_initializer, AnyValue(), "of alpha");
    field("alpha_regularizer", alpha_regularizer, AnyValue(), "of alpha");
  }
};

/// exp(x) over its sum along an axis.
struct SoftmaxLayer {
  static constexpr char kClass[] = "Softmax";
  int64_t axis = -1;

  template <typename Visitor>
  void Fields(Visitor& field) {
    field("axis", axis, FieldRule{.low = -Shape::kMaxRank, .high = Shape::kMaxRank},
          "along which the sum is 1; negative: from the end");
  }
};

LayerDef ReLUDef();
LayerDef ELUDef();
LayerDef PReLUDef();
LayerDef SoftmaxDef();

}  // namespace seqgraph
