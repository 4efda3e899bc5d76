#include "training/model_builder.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "graph/rewrite.h"
#include "ops/rewrites/all_rewrites.h"
#include "training/initializers.h"

namespace seqgraph {
namespace {

// The forward pass with labels and the loss, under another name.
absl::StatusOr<Function> WithLoss(const Function& forward, const char* name,
                                  const OpRegistry& registry, const TrainableOptions& options) {
  const Loss& loss = options.loss;
  FunctionBuilder g(name, registry, forward);
  const Value prediction = loss.prediction.empty() && forward.results().size() == 1
                               ? forward.results()[0].value
                               : forward.FindResult(loss.prediction);
  if (!prediction.present()) {
    return InvalidArgument(
        "the loss ", loss.name, " judges a result \"", loss.prediction, "\"; function ",
        forward.name(), " has ",
        absl::StrJoin(forward.results(), ", ", [](std::string* out, const NamedValue& result) {
          absl::StrAppend(out, "\"", result.name, "\"");
        }));
  }
  const TensorType& type = forward.type(prediction);
  LossInputs inputs{.prediction = prediction, .labels = g.Input(kLabels, loss.LabelsType(type))};
  if (options.sample_weight) {
    inputs.weights = g.Input(kSampleWeight, RowsType(type, type.dtype));
  }
  Value value;
  if (options.mask.empty()) {
    value = loss.build(g, inputs);
  } else {
    const Value mask = forward.FindValue(options.mask);
    if (!mask.present()) {
      return InvalidArgument("the mask of the loss: function ", forward.name(), " has no value \"",
                             options.mask, "\"");
    }
    value = MaskedLoss(g, loss, inputs, mask);
  }
  g.Result(kLossResult, AddPenalties(g, value, options.penalties));
  return std::move(g).Build();
}

absl::StatusOr<Function> MakeTrainStep(const Function& forward, const OpRegistry& registry,
                                       const TrainableOptions& options) {
  SEQ_ASSIGN_OR_RETURN(const Function with_loss, WithLoss(forward, kTrainStep, registry, options));
  SEQ_ASSIGN_OR_RETURN(const Function rewritten,
                       ApplyRewrites(with_loss, registry, StandardRewrites()));
  FunctionBuilder g(kTrainStep, registry, rewritten);
  SEQ_RETURN_IF_ERROR(AddOptimizer(g, rewritten.FindResult(kLossResult), options.optimizer));
  return std::move(g).Build();
}

absl::StatusOr<Function> BuildForward(FunctionBuilder builder) {
  SEQ_ASSIGN_OR_RETURN(Function forward, std::move(builder).Build());
  if (forward.name() == kPredict) return forward;
  return InvalidArgument("a model is made from a function named ", kPredict, ", got ",
                         forward.name());
}

}  // namespace

absl::StatusOr<Model> MakeTrainable(FunctionBuilder predict, const TrainableOptions& options) {
  return MakeTrainable(std::move(predict), std::nullopt, options);
}

absl::StatusOr<Model> MakeTrainable(FunctionBuilder predict_builder,
                                    std::optional<FunctionBuilder> training,
                                    const TrainableOptions& options) {
  const OpRegistry& registry = predict_builder.registry();
  SEQ_ASSIGN_OR_RETURN(Function predict, BuildForward(std::move(predict_builder)));
  Model model;
  model.name = options.name;
  const auto initialize = [&]() -> absl::StatusOr<Model> {
    SEQ_RETURN_IF_ERROR(InitializeVariables(
        options.seed, model.variables,
        options.initialize_weights ? std::nullopt : std::make_optional(VariableRole::kOptimizer)));
    return std::move(model);
  };
  if (!options.trainable) {
    SEQ_RETURN_IF_ERROR(model.AddFunction(std::move(predict)));
    return initialize();
  }
  std::optional<Function> forward;
  if (training.has_value()) {
    SEQ_ASSIGN_OR_RETURN(forward, BuildForward(*std::move(training)));
  }
  SEQ_ASSIGN_OR_RETURN(Function evaluate, WithLoss(predict, kEvaluate, registry, options));
  SEQ_ASSIGN_OR_RETURN(Function train_step,
                       MakeTrainStep(forward.has_value() ? *forward : predict, registry, options));
  SEQ_RETURN_IF_ERROR(model.AddFunction(std::move(predict)));
  SEQ_RETURN_IF_ERROR(model.AddFunction(std::move(evaluate)));
  SEQ_RETURN_IF_ERROR(model.AddFunction(std::move(train_step)));
  model.optimizer = OptimizerRecord{options.optimizer.name(), options.optimizer.Settings()};
  return initialize();
}

}  // namespace seqgraph
