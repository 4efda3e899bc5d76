#ifndef SEQGRAPH_TRAINING_OPTIMIZERS_H_
#define SEQGRAPH_TRAINING_OPTIMIZERS_H_

#include <string>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "graph/function_builder.h"
#include "graph/model.h"

namespace seqgraph {

// Defaults and formulas are those of Keras 3; the formulas stand with the update ops. All take
//   clipping      of the gradients, before anything else
//   weight_decay  w -= weight_decay lr w before the update (decoupled: Loshchilov & Hutter 2019)

/// Variables that every optimizer has: the steps done (int64), and the rate (float32).
inline constexpr char kIterationVariable[] = "optimizer/iteration";
inline constexpr char kLearningRateVariable[] = "optimizer/learning_rate";

/// What is done to gradients before the update: nothing, or one of Keras's three ways.
struct GradientClipping {
  enum class Kind {
    kNone,
    kValue,       ///< clipvalue: each element into [-limit, limit]
    kNorm,        ///< clipnorm: each gradient shortened to the norm `limit`
    kGlobalNorm,  ///< global_clipnorm: all together shortened to it
  };
  Kind kind = Kind::kNone;
  double limit = 0;

  static GradientClipping Value(double limit) { return {Kind::kValue, limit}; }
  static GradientClipping Norm(double limit) { return {Kind::kNorm, limit}; }
  static GradientClipping GlobalNorm(double limit) { return {Kind::kGlobalNorm, limit}; }
};

/// m = momentum m - lr g; w += m, or with nesterov w += momentum m - lr g.
struct SGD {
  double learning_rate = 0.01;
  double momentum = 0;
  bool nesterov = false;
  GradientClipping clipping = {};
  double weight_decay = 0;
};

/// v = rho v + (1 - rho) g^2; w -= lr g / sqrt(v + epsilon); centered: v less the square of the
/// running mean of g; with momentum the steps are accumulated.
struct RMSProp {
  double learning_rate = 1e-3;
  double rho = 0.9;
  double momentum = 0;
  double epsilon = 1e-7;
  bool centered = false;
  GradientClipping clipping = {};
  double weight_decay = 0;
};

/// m and v are running means of g and g^2; w -= lr sqrt(1 - beta_2^t) / (1 - beta_1^t) m /
/// (sqrt(v) + epsilon).
struct Adam {
  double learning_rate = 1e-3;
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-7;
  GradientClipping clipping = {};
  double weight_decay = 0;
};

/// To add an optimizer: a struct here, its name in this list, and a function Emit in the .cc file.
using Optimizer = std::variant<SGD, RMSProp, Adam>;

/// Adds to the function in `g` the gradients of `loss` with respect to all trainable weights that
/// it reads, and their updates. The state becomes variables with the role kOptimizer:
/// "optimizer/iteration" (int64, steps done), "optimizer/learning_rate" (float32), and for each
/// weight the slots that the optimizer needs, "optimizer/<weight>/velocity" and the like (zeros).
/// InvalidArgument for a hyperparameter out of range (learning_rate, epsilon and weight_decay must
/// be finite and at least 0, momentum in [0, 1], the other decays in [0, 1), a limit of clipping
/// above 0) or if there is nothing to train.
absl::Status AddOptimizer(FunctionBuilder& g, Value loss, const Optimizer& optimizer);

/// Declares "optimizer/iteration", for what else depends on the steps done: it reads the count
/// before this step.
VariableDef IterationVariable();

/// "SGD", "RMSprop", "Adam".
std::string OptimizerName(const Optimizer& optimizer);

/// Reads and sets the learning rate of a model that can be trained; NotFound for another.
absl::StatusOr<double> LearningRate(const Model& model);
absl::Status SetLearningRate(Model& model, double learning_rate);

}  // namespace seqgraph

#endif  // SEQGRAPH_TRAINING_OPTIMIZERS_H_
