#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "graph/function_builder.h"
#include "graph/layer_stack.h"

namespace seqgraph {

// The names of inputs and results that a function with a loss has.
inline constexpr char kLabels[] = "labels";
inline constexpr char kSampleWeight[] = "sample_weight";
inline constexpr char kLossResult[] = "loss";
inline constexpr char kLossMask[] = "loss_mask";

/// What one of these is called where there are several outputs: "labels_y", "loss_y" of output y;
/// with "" as it is.
std::string NameForOutput(absl::string_view name, absl::string_view output);
/// The outputs that a function judges each by itself: its results "y" with an input "labels_y".
/// None: it has one of labels (kLabels), or no labels.
std::vector<std::string> JudgedOutputs(const Function& function);

/// What a loss is made from. Rows are all axes of the prediction but the last.
struct LossInputs {
  Value prediction;
  Value labels;
  Value weights;  ///< one for each row; absent: ones
};

/// What training makes small: a scalar from a result of `predict` and labels. Every loss here is a
/// mean over rows of weight times the loss of the row, divided by the number of rows and not by the
/// sum of weights, as in Keras. A loss is a value; a new one is one more function like
/// BinaryCrossEntropy.
struct Loss {
  std::string name;  ///< Keras's: "binary_crossentropy"
  /// The result of `predict` that is judged; empty: the only one.
  std::string prediction;
  /// Emits the nodes; mistakes go to the builder. The value is a scalar of the prediction's type.
  std::function<Value(FunctionBuilder&, const LossInputs&)> build;
  /// False: labels have the type of the prediction. True: they are class numbers, int32, one for
  /// each row.
  bool labels_are_classes = false;
  /// How often the labels go into the last axis of the prediction: that of several quantiles.
  int64_t predictions_per_label = 1;

  TensorType LabelsType(const TensorType& prediction) const;
};

/// The type of what there is one of for each row of a prediction: sample weights, the mask.
TensorType RowsType(const TensorType& prediction, DType dtype);

/// The loss with rows where `mask` (int32, one for each row) is 0 left out: sum of weight times
/// loss over the others, divided by their number and not by all rows; 0 if none is left. So Keras
/// does it. Adds the result `name`: the mask as 1 and 0, float32.
Value MaskedLoss(FunctionBuilder& g, const Loss& loss, LossInputs inputs, Value mask,
                 const std::string& name = kLossMask);

/// -(y ln p + (1 - y) ln(1 - p)), the mean over the elements of a row, for probabilities p clipped
/// to [1e-7, 1 - 1e-7] and labels y in [0, 1]. Where p comes from a sigmoid, the standard rewrites
/// make it one op on the logits, which needs no clipping. Formula: Keras's binary_crossentropy.
Loss BinaryCrossEntropy(std::string prediction = "");

/// -sum_k y_k ln p_k for probabilities p, divided by their sum and clipped likewise, and labels y
/// that are probabilities, one-hot or soft. Where p comes from a softmax, the standard rewrites
/// make it one op on the logits. Formula: Keras's categorical_crossentropy.
Loss CategoricalCrossEntropy(std::string prediction = "");

/// The same for labels that are class numbers: Keras's sparse_categorical_crossentropy.
Loss SparseCategoricalCrossEntropy(std::string prediction = "");

/// (x - y)^2, the mean over the elements of a row. Keras's mean_squared_error.
Loss MeanSquaredError(std::string prediction = "");

/// (x - y)^2 / 2 where |x - y| is at most delta, which is above 0, else delta (|x - y| - delta /
/// 2): the mean over the elements of a row. Keras's huber.
Loss Huber(double delta = 1, std::string prediction = "");

/// For each quantile q, ascending in (0, 1): max(q (y - x), (q - 1) (y - x)), the mean over
/// quantiles and the elements of a row. The last axis of the prediction is [quantile, element],
/// that of the labels [element]. (Koenker and Bassett 1978; Keras has none.) Metrics see the
/// predictions of the quantile nearest to 0.5.
Loss Pinball(std::vector<double> quantiles, std::string prediction = "");

/// The loss of (x - mean) / scale and (y - mean) / scale: of a model that tells numbers in their
/// own units, its loss and gradients are those of training on scaled labels. One mean and one
/// scale, not 0, for each element of the last axis of the labels, or one for all. It keeps the
/// name, so that Keras's files name the loss without the scaling.
Loss Scaled(Loss loss, std::vector<double> mean, std::vector<double> scale);

/// The loss times a number: Keras's loss_weights of a model with one output.
Loss Weighted(Loss loss, double weight);

/// One of these, or of ops/row_loss.h, by Keras's name or a short one: "mean_absolute_error",
/// "mae", "kl_divergence", "hinge", ... `settings` by Keras's keys: "delta" of "huber".
/// InvalidArgument lists the names, or names the setting.
absl::StatusOr<Loss> LossByName(absl::string_view name, const Attributes& settings = {});
/// "binary_crossentropy, ...".
std::string LossNames();
/// "mean_absolute_error" for "mae" and the like; other names as they are.
absl::string_view WholeLossName(absl::string_view name);

/// Keras's name of the loss in a function that MakeTrainable made, of one of its JudgedOutputs() or
/// with "" of the only one; empty if it is none of Keras's.
std::string LossOf(const Function& function, absl::string_view output = "");
/// Its settings that are not the default ones.
Attributes LossSettingsOf(const Function& function, absl::string_view output = "");
/// The quantiles that Pinball() asks of the function's prediction, ascending; empty for other
/// losses.
std::vector<double> QuantilesOf(const Function& function, absl::string_view output = "");
/// Whether Scaled() was applied to a loss.
bool HasScaledLoss(const Function& function);
/// Whether that loss compares with classes: the cross-entropies, and whatever takes class numbers.
bool HasClassLoss(const Function& function, absl::string_view output = "");
/// What the loss of a judged output counts for in the sum of all, or with "" the number of
/// Weighted(); 1 if there is none.
double LossWeightOf(const Function& function, absl::string_view output = "");

/// A weight that adds to the loss.
struct WeightPenalty {
  std::string variable;
  Regularizer regularizer;
};

/// loss + the sum of l1 sum |w| + l2 sum w^2 over the weights, whose gradients are l1 sign(w) +
/// 2 l2 w (0 at 0). InvalidArgument (in the builder) for a weight that the function does not read.
Value AddPenalties(FunctionBuilder& g, Value loss, const std::vector<WeightPenalty>& penalties);

}  // namespace seqgraph
