#include "training/model_builder.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "graph/rewrite.h"
#include "graph/status_macros.h"
#include "ops/rewrites/all_rewrites.h"
#include "training/initializers.h"

namespace seqgraph {
namespace {

absl::StatusOr<Function> MakeEvaluate(const Function& predict, const OpRegistry& registry,
                                      const Loss& loss) {
  FunctionBuilder g(kEvaluate, registry, predict);
  const Value prediction = predict.FindResult(loss.prediction);
  if (!prediction.present()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the loss ", loss.name, " judges a result \"", loss.prediction, "\"; function ",
        predict.name(), " has ",
        absl::StrJoin(predict.results(), ", ", [](std::string* out, const NamedValue& result) {
          absl::StrAppend(out, "\"", result.name, "\"");
        })));
  }
  const Value labels = g.Input(kLabels, predict.type(prediction));
  g.Result(kLossResult, loss.build(g, prediction, labels));
  return std::move(g).Build();
}

absl::StatusOr<Function> MakeTrainStep(const Function& evaluate, const OpRegistry& registry,
                                       const Optimizer& optimizer) {
  SEQ_ASSIGN_OR_RETURN(const Function rewritten,
                       ApplyRewrites(evaluate, registry, StandardRewrites()));
  FunctionBuilder g(kTrainStep, registry, rewritten);
  SEQ_RETURN_IF_ERROR(AddOptimizer(g, rewritten.FindResult(kLossResult), optimizer));
  return std::move(g).Build();
}

}  // namespace

absl::StatusOr<Model> MakeTrainable(FunctionBuilder builder, const TrainableOptions& options) {
  const OpRegistry& registry = builder.registry();
  SEQ_ASSIGN_OR_RETURN(Function predict, std::move(builder).Build());
  if (predict.name() != kPredict) {
    return absl::InvalidArgumentError(
        absl::StrCat("a model is made from a function named ", kPredict, ", got ", predict.name()));
  }
  SEQ_ASSIGN_OR_RETURN(Function evaluate, MakeEvaluate(predict, registry, options.loss));
  SEQ_ASSIGN_OR_RETURN(Function train_step, MakeTrainStep(evaluate, registry, options.optimizer));
  Model model;
  model.name = options.name;
  SEQ_RETURN_IF_ERROR(model.AddFunction(std::move(predict)));
  SEQ_RETURN_IF_ERROR(model.AddFunction(std::move(evaluate)));
  SEQ_RETURN_IF_ERROR(model.AddFunction(std::move(train_step)));
  SEQ_RETURN_IF_ERROR(InitializeVariables(options.seed, model.variables));
  return model;
}

}  // namespace seqgraph
