#include "training/model_runner.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "backends/all_backends.h"
#include "base/status_macros.h"
#include "ops/all_ops.h"
#include "training/losses.h"
#include "training/preprocessing.h"

namespace seqgraph {
namespace {

void SetLog(absl::string_view prefix, const std::string& name, double value, Logs& logs) {
  if (prefix.empty()) {
    const auto found = logs.find(name);
    if (found != logs.end()) {
      found->second = value;
      return;
    }
  }
  logs[absl::StrCat(prefix, name)] = value;
}

absl::Status GoOn(const std::atomic<bool>* interrupt, absl::string_view what, int64_t step,
                  int64_t steps) {
  if (interrupt == nullptr || !interrupt->load()) return absl::OkStatus();
  return absl::CancelledError(
      absl::StrCat(what, ": interrupted after ", step, " of ", steps, " batches"));
}

}  // namespace

absl::StatusOr<CompiledFunction*> ModelRunner::Compile(absl::string_view name, int64_t batch) {
  std::unique_ptr<CompiledFunction>& compiled = compiled_[{std::string(name), batch}];
  if (compiled == nullptr) {
    SEQ_ASSIGN_OR_RETURN(compiled, CompileOn(options_.threads, name, batch));
  }
  return compiled.get();
}

absl::StatusOr<std::unique_ptr<CompiledFunction>> ModelRunner::CompileOn(int threads,
                                                                         absl::string_view name,
                                                                         int64_t batch) {
  const OpRegistry& registry = options_.ops != nullptr ? *options_.ops : AllOps();
  SEQ_ASSIGN_OR_RETURN(const Function* function, model_->GetFunction(name));
  CompileOptions options;
  SEQ_ASSIGN_OR_RETURN(options.backends, backends().ParseList(options_.backend));
  options.batch = batch;
  options.threads = threads;
  options.passes = options_.Passes();
  options.trace = trace();
  if (options_.max_memory > 0) options.max_memory = options_.max_memory - MemoryInUse();
  if (options_.prefer) {
    SEQ_ASSIGN_OR_RETURN(options.preferences,
                         options_.prefer(*function, model_->variables, options));
  }
  return CompiledFunction::Compile(*function, registry, &model_->variables, options);
}

const BackendRegistry& ModelRunner::backends() const {
  return options_.backends != nullptr ? *options_.backends : AllBackends();
}

std::string ModelRunner::DescribeBackends() const {
  std::set<std::string> running;
  for (const auto& [key, compiled] : compiled_) {
    if (compiled == nullptr) continue;
    for (const NodeAssignment& node : compiled->assignments()) running.insert(node.backend);
  }
  std::string text;
  const auto list = backends().ParseList(options_.backend);
  if (!list.ok()) return text;  // Nothing can have been compiled.
  for (const Backend* backend : *list) {
    const BackendInfo& info = backend->info();
    if (running.count(info.name) == 0) continue;
    absl::StrAppend(&text, text.empty() ? "" : " | ", info.name, " ", info.version, ": ",
                    info.description);
  }
  return text;
}

Trace* ModelRunner::trace() const {
  return options_.profile == nullptr ? nullptr : &options_.profile->trace();
}

int64_t ModelRunner::MemoryInUse() const {
  int64_t bytes = 0;
  for (const Variable& variable : model_->variables.all()) bytes += variable.value.num_bytes();
  for (const auto& [key, compiled] : compiled_) {
    if (compiled != nullptr) bytes += compiled->memory().total();
  }
  return bytes;
}

absl::StatusOr<Logs> ModelRunner::Evaluate(const Examples& examples,
                                           const EvaluateOptions& options) {
  SEQ_ASSIGN_OR_RETURN(DataPass pass, DataPass::Create(*this, options.function, examples,
                                                       options.batch, options.prediction));
  if (examples.rows == 0) return InvalidArgument("evaluate: there are no examples");
  const TraceSpan span(trace(), "evaluate", "pass");
  SEQ_ASSIGN_OR_RETURN(const Function* function, model_->GetFunction(options.function));
  SEQ_ASSIGN_OR_RETURN(const std::vector<std::string> outputs,
                       OutputsToRead(*function, options.prediction));
  SEQ_ASSIGN_OR_RETURN(Meter meter,
                       Meter::Create(*function, outputs, options.metrics, options.output_metrics));
  SEQ_RETURN_IF_ERROR(pass.Begin(0));
  for (int64_t step = 0; step < pass.steps(); ++step) {
    SEQ_RETURN_IF_ERROR(GoOn(options.interrupt, "evaluate", step, pass.steps()));
    SEQ_ASSIGN_OR_RETURN(const BatchRunner* batch, pass.Run(step));
    if (!batch->has_loss()) {
      return InvalidArgument("evaluate: function ", options.function, " has no result \"loss\"");
    }
    meter.Add(*batch);
  }
  if (!std::isfinite(meter.loss())) {
    return FailedPrecondition("evaluate: the loss is ", meter.loss(), "; a weight is not finite?");
  }
  Logs logs;
  meter.Write("", logs);
  return logs;
}

absl::StatusOr<std::vector<float>> ModelRunner::Predict(const Examples& examples,
                                                        const PredictOptions& options) {
  SEQ_ASSIGN_OR_RETURN(const Function* function, model_->GetFunction(options.function));
  SEQ_ASSIGN_OR_RETURN(const std::vector<std::string> outputs,
                       OutputsToRead(*function, options.prediction));
  if (outputs.size() > 1) {
    return InvalidArgument("function ", options.function, " has several results (",
                           absl::StrJoin(outputs, ", "),
                           "); say which one is the prediction, or take PredictOutputs");
  }
  SEQ_ASSIGN_OR_RETURN(auto predictions, PredictOutputs(examples, options));
  return std::move(predictions.at(outputs[0]));
}

absl::StatusOr<std::map<std::string, std::vector<float>>> ModelRunner::PredictOutputs(
    const Examples& examples, const PredictOptions& options) {
  SEQ_ASSIGN_OR_RETURN(DataPass pass, DataPass::Create(*this, options.function, examples,
                                                       options.batch, options.prediction));
  SEQ_ASSIGN_OR_RETURN(const Function* function, model_->GetFunction(options.function));
  SEQ_ASSIGN_OR_RETURN(const std::vector<std::string> outputs,
                       OutputsToRead(*function, options.prediction));
  std::map<std::string, std::vector<float>> predictions;
  for (const std::string& output : outputs) predictions[output];
  SEQ_RETURN_IF_ERROR(pass.Begin(0));
  for (int64_t step = 0; step < pass.steps(); ++step) {
    SEQ_RETURN_IF_ERROR(GoOn(options.interrupt, "predict", step, pass.steps()));
    SEQ_ASSIGN_OR_RETURN(const BatchRunner* batch, pass.Run(step));
    for (size_t i = 0; i < outputs.size(); ++i) {
      const absl::Span<const float> some = batch->predictions(i);
      std::vector<float>& all = predictions[outputs[i]];
      all.insert(all.end(), some.begin(), some.end());
    }
    if (options.progress) options.progress(std::min((step + 1) * options.batch, examples.rows));
  }
  return predictions;
}

absl::StatusOr<std::vector<float>> ModelRunner::PredictTexts(absl::Span<const std::string> texts,
                                                             const PredictOptions& options) {
  SEQ_ASSIGN_OR_RETURN(const data::Vocabulary vocabulary, VocabularyOf(*model_));
  const size_t maxlen = static_cast<size_t>(model_->preprocessing.maxlen);
  std::vector<int32_t> tokens(texts.size() * maxlen);
  std::string scratch;
  for (size_t i = 0; i < texts.size(); ++i) {
    vocabulary.EncodeInto(texts[i], &scratch, absl::MakeSpan(tokens).subspan(i * maxlen, maxlen));
  }
  return Predict({.tokens = tokens,
                  .rows = static_cast<int64_t>(texts.size()),
                  .maxlen = model_->preprocessing.maxlen},
                 options);
}

absl::StatusOr<DataPass> DataPass::Create(ModelRunner& runner, absl::string_view function,
                                          const Examples& examples, int64_t batch,
                                          const std::string& prediction) {
  if (batch < 1) {
    return InvalidArgument("the batch must be at least 1, got ", batch);
  }
  SEQ_RETURN_IF_ERROR(examples.Validate());
  DataPass pass;
  pass.function_ = std::string(function);
  pass.prediction_ = prediction;
  pass.examples_ = examples;
  pass.variables_ = &runner.model().variables;
  pass.batch_ = batch;
  const auto add = [&](int64_t size, std::vector<BatchRunner>& runners) -> absl::Status {
    SEQ_ASSIGN_OR_RETURN(CompiledFunction * compiled, runner.Compile(function, size));
    SEQ_ASSIGN_OR_RETURN(BatchRunner made, pass.MakeRunner(compiled, runner.profile()));
    runners.push_back(std::move(made));
    return absl::OkStatus();
  };
  if (examples.rows >= batch) SEQ_RETURN_IF_ERROR(add(batch, pass.whole_));
  const int64_t rest = examples.rows % batch;
  if (rest > 0) SEQ_RETURN_IF_ERROR(add(rest, pass.partial_));
  return pass;
}

absl::StatusOr<BatchRunner> DataPass::MakeRunner(CompiledFunction* compiled,
                                                 Profile* profile) const {
  SEQ_ASSIGN_OR_RETURN(BatchRunner made, BatchRunner::Create(compiled, prediction_));
  SEQ_RETURN_IF_ERROR(made.CheckFits(examples_));
  made.SetProfile(profile);
  return made;
}

absl::Status DataPass::ChooseThreads(ModelRunner& runner) {
  if (runner.threads() == 1 || whole_.empty()) return absl::OkStatus();
  absl::StatusOr<std::unique_ptr<CompiledFunction>> compiled =
      runner.CompileOn(1, function_, batch_);
  if (absl::IsResourceExhausted(compiled.status())) return absl::OkStatus();
  SEQ_RETURN_IF_ERROR(compiled.status());
  SEQ_ASSIGN_OR_RETURN(BatchRunner made, MakeRunner(compiled->get(), runner.profile()));
  alone_.emplace(Alone{*std::move(compiled), std::move(made)});
  trial_.emplace();
  threads_ = runner.threads();
  return absl::OkStatus();
}

std::string DataPass::TakeNote() {
  if (!trial_.has_value() || !trial_->done()) return "";
  const std::string note =
      trial_->Text(absl::StrCat(function_, " in batches of ", batch_), threads_);
  if (!trial_->alone_won()) alone_.reset();
  trial_.reset();
  return note;
}

absl::Status DataPass::Begin(int epoch) {
  if (examples_.source == nullptr) return absl::OkStatus();
  const absl::Status status = examples_.source->Begin(epoch);
  return status.ok() ? status : Annotate(status, "the source of rows");
}

absl::Status DataPass::Fetch(int64_t begin, absl::Span<const int64_t> order,
                             const BatchRunner& runner) {
  numbers_.resize(static_cast<size_t>(runner.batch()));
  for (size_t i = 0; i < numbers_.size(); ++i) {
    const int64_t place = begin + static_cast<int64_t>(i);
    numbers_[i] = order.empty() ? place : order[place];
  }
  SEQ_ASSIGN_OR_RETURN(fetched_, FetchRows(examples_, numbers_));
  return runner.CheckFits(fetched_);
}

absl::Status DataPass::Skip(int64_t steps, absl::Span<const int64_t> order) {
  if (examples_.source == nullptr) return absl::OkStatus();
  for (int64_t step = 0; step < steps; ++step) {
    const int64_t begin = step * batch_;
    const bool whole = begin + batch_ <= examples_.rows;
    SEQ_RETURN_IF_ERROR(Fetch(begin, order, whole ? whole_[0] : partial_[0]));
  }
  return absl::OkStatus();
}

absl::Status DataPass::RunWhole(const Rows& rows, BatchRunner** used) {
  using Clock = std::chrono::steady_clock;
  const bool tried = trial_.has_value() && !trial_->done();
  const bool alone = trial_.has_value() ? trial_->alone() : alone_.has_value();
  *used = alone ? &alone_->runner : &whole_[0];
  const Clock::time_point start = tried ? Clock::now() : Clock::time_point();
  SEQ_RETURN_IF_ERROR((*used)->Run(rows.examples, rows.order, rows.begin));
  if (tried) trial_->Record(std::chrono::duration<double>(Clock::now() - start).count());
  return absl::OkStatus();
}

absl::StatusOr<const BatchRunner*> DataPass::Run(int64_t step, absl::Span<const int64_t> order) {
  const int64_t begin = step * batch_;
  const bool whole = begin + batch_ <= examples_.rows;
  BatchRunner* runner = whole ? &whole_[0] : &partial_[0];
  const auto place = [&] { return absl::StrCat("batch ", step + 1, " of ", steps()); };
  const bool fetch = examples_.source != nullptr;
  if (fetch) {
    const absl::Status fetched = Fetch(begin, order, *runner);
    if (!fetched.ok()) return Annotate(fetched, place());
  }
  const Rows rows = fetch ? Rows{fetched_, {}, 0} : Rows{examples_, order, begin};
  const absl::Status status =
      whole ? RunWhole(rows, &runner) : runner->Run(rows.examples, rows.order, rows.begin);
  if (!status.ok()) return Annotate(NameRow(status, *runner, rows), place());
  return runner;
}

// A kernel knows positions in a batch that may have been shuffled, so each row is tried alone, a
// whole batch of it. Variables that changed are put back: a step that succeeds would train. Others
// are not written, as other threads may read them.
absl::Status DataPass::NameRow(const absl::Status& error, BatchRunner& runner, const Rows& rows) {
  if (!absl::IsInvalidArgument(error)) return error;
  std::vector<Tensor> before;
  for (const Variable& variable : variables_->all()) before.push_back(variable.value);
  absl::Status named = error;
  for (int64_t i = rows.begin; i < rows.begin + runner.batch() && named == error; ++i) {
    const int64_t row = rows.order.empty() ? i : rows.order[i];
    const std::vector<int64_t> alone(static_cast<size_t>(runner.batch()), row);
    const absl::Status status = runner.Run(rows.examples, alone, 0);
    if (absl::IsInvalidArgument(status)) named = Annotate(status, rows.examples.NameOfRow(row));
  }
  for (size_t v = 0; v < before.size(); ++v) {
    const Variable& now = variables_->all()[v];
    if (now.value.BitwiseEquals(before[v])) continue;
    SEQ_CHECK(variables_->Assign(now.def.name, before[v]).ok());
  }
  return named;
}

absl::StatusOr<Meter> Meter::Create(const Function& function,
                                    const std::vector<std::string>& outputs,
                                    const std::vector<Metric>& metrics,
                                    const OutputMetrics& output_metrics) {
  for (const auto& [output, of_output] : output_metrics) {
    if (std::find(outputs.begin(), outputs.end(), output) != outputs.end()) continue;
    return InvalidArgument("there are metrics for the output ", output, ", expected one of ",
                           absl::StrJoin(outputs, ", "));
  }
  const std::vector<std::string> judged = JudgedOutputs(function);
  Meter meter;
  for (size_t i = 0; i < outputs.size(); ++i) {
    const auto own = output_metrics.find(outputs[i]);
    const bool several = std::find(judged.begin(), judged.end(), outputs[i]) != judged.end();
    const auto name = [&](const std::string& plain) {
      return several ? absl::StrCat(outputs[i], "_", plain) : plain;
    };
    // Of one loss alone the sum says it.
    if (judged.size() > 1) meter.losses_.push_back({i, name(kLossResult), {}});
    for (Metric& metric : ResolveMetrics(own != output_metrics.end() ? own->second : metrics,
                                         function, several ? outputs[i] : "")) {
      metric.name = name(metric.name);
      std::unique_ptr<MetricState> state = metric.make();
      meter.metrics_.push_back({i, std::move(metric), std::move(state)});
    }
  }
  return meter;
}

std::map<std::string, bool> Meter::HigherIsBetter() const {
  std::map<std::string, bool> better;
  for (const OutputLossMean& loss : losses_) better[loss.name] = false;
  for (const Measured& each : metrics_) better[each.metric.name] = each.metric.higher_is_better;
  return better;
}

void Meter::Reset() {
  loss_.Reset();
  for (OutputLossMean& loss : losses_) loss.mean.Reset();
  for (const Measured& each : metrics_) each.state->Reset();
}

void Meter::Add(const JudgedBatch& batch) {
  const double rows = static_cast<double>(batch.batch());
  loss_.Add(batch.loss() * rows, rows);
  for (OutputLossMean& loss : losses_) loss.mean.Add(batch.loss(loss.output) * rows, rows);
  for (const Measured& each : metrics_) {
    each.state->Add(batch.metric_batch(each.metric.weighted, each.output));
  }
}

void Meter::Write(absl::string_view prefix, Logs& logs) const {
  static const std::string& loss = *new std::string("loss");
  SetLog(prefix, loss, loss_.value(), logs);
  for (const OutputLossMean& loss : losses_) SetLog(prefix, loss.name, loss.mean.value(), logs);
  for (const Measured& each : metrics_) {
    SetLog(prefix, each.metric.name, each.state->value(), logs);
  }
}

void Meter::SaveState(StateWriter& state) const {
  state.Set("loss", loss_.Save());
  for (const OutputLossMean& loss : losses_) state.Set(loss.name, loss.mean.Save());
  for (const Measured& each : metrics_) state.Set(each.metric.name, each.state->Save());
}

absl::Status Meter::LoadState(const StateReader& state) {
  const auto load = [&](const std::string& name, auto& gathered) {
    std::vector<double> numbers;
    SEQ_RETURN_IF_ERROR(state.Get(name, &numbers));
    if (gathered.Load(numbers)) return absl::OkStatus();
    return InvalidArgument("what is gathered of '", name, "' in it is of another metric");
  };
  SEQ_RETURN_IF_ERROR(load("loss", loss_));
  for (OutputLossMean& loss : losses_) SEQ_RETURN_IF_ERROR(load(loss.name, loss.mean));
  for (const Measured& each : metrics_) SEQ_RETURN_IF_ERROR(load(each.metric.name, *each.state));
  return absl::OkStatus();
}

}  // namespace seqgraph
