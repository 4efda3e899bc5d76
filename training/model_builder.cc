#include "training/model_builder.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "graph/rewrite.h"
#include "ops/elementwise.h"
#include "ops/rewrites/all_rewrites.h"
#include "training/initializers.h"

namespace seqgraph {
namespace {

// The loss on a result of the forward pass, by an input of labels; `output` names it among several.
absl::StatusOr<Value> AddLoss(FunctionBuilder& g, const Function& forward, const Loss& loss,
                              const std::string& mask, const std::string& output,
                              bool sample_weight) {
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
  LossInputs inputs{
      .prediction = prediction,
      .labels = g.Input(NameForOutput(kLabels, output), loss.LabelsType(type)),
  };
  if (sample_weight) {
    inputs.weights = g.Input(NameForOutput(kSampleWeight, output), RowsType(type, type.dtype));
  }
  if (mask.empty()) return loss.build(g, inputs);
  const Value counted = forward.FindValue(mask);
  if (counted.present()) {
    return MaskedLoss(g, loss, inputs, counted, NameForOutput(kLossMask, output));
  }
  return InvalidArgument("the mask of the loss: function ", forward.name(), " has no value \"",
                         mask, "\"");
}

// The forward pass with labels and the loss, under another name.
absl::StatusOr<Function> WithLoss(const Function& forward, const char* name,
                                  const OpRegistry& registry, const TrainableOptions& options) {
  FunctionBuilder g(name, registry, forward);
  Value total;
  if (options.losses.empty()) {
    SEQ_ASSIGN_OR_RETURN(
        total, AddLoss(g, forward, options.loss, options.mask, "", options.sample_weight));
  }
  for (const OutputLoss& each : options.losses) {
    const std::string& output = each.loss.prediction;
    SEQ_ASSIGN_OR_RETURN(Value value,
                         AddLoss(g, forward, each.loss, each.mask, output, options.sample_weight));
    g.Result(NameForOutput(kLossResult, output), value);
    if (each.weight != 1) value = ops::Scale(g, value, each.weight);
    total = total.present() ? ops::Add(g, total, value) : value;
  }
  g.Result(kLossResult, AddPenalties(g, total, options.penalties));
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
