#include "tools/bench/bench.h"

#include <algorithm>

#include "base/status_macros.h"
#include "graph/op_def.h"
#include "graph/tensor.h"
#include "training/model_builder.h"

namespace seqgraph::bench {
namespace {

constexpr int kWarmUpCalls = 3;
// Short against the slices of a scheduler: what it takes away then falls on few blocks, which the
// median leaves out.
constexpr double kBlockSeconds = 0.0002;
constexpr int64_t kMaxBlocks = 100'000;  // bounds memory: one time a node and block

double Median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// What a measured span holds beside what is measured.
double ClockSeconds(const Trace& clock) {
  std::vector<double> gaps;
  for (int i = 0; i < 1001; ++i) {
    const int64_t begin = clock.Now();
    gaps.push_back(static_cast<double>(clock.Now() - begin) * 1e-9);
  }
  return Median(std::move(gaps));
}

// One contestant's times.
class Series {
 public:
  explicit Series(const Contestant& contestant)
      : contestant_(contestant), timer_(clock_), nodes_(DescribeNodes(*contestant.compiled)) {
    timer_.Reserve(nodes_.size());
    node_times_.resize(nodes_.size());
  }

  // Also settles how many calls make a block.
  absl::Status WarmUp() {
    double fastest = 1e9;
    for (int i = 0; i < kWarmUpCalls; ++i) {
      const int64_t begin = clock_.Now();
      SEQ_RETURN_IF_ERROR(contestant_.compiled->Run());
      fastest = std::min(fastest, static_cast<double>(clock_.Now() - begin) * 1e-9);
    }
    block_ = std::clamp<int64_t>(static_cast<int64_t>(kBlockSeconds / std::max(fastest, 1e-9)), 1,
                                 100'000);
    return absl::OkStatus();
  }

  absl::Status RunBlock() {
    const int64_t begin = clock_.Now();
    for (int64_t i = 0; i < block_; ++i) SEQ_RETURN_IF_ERROR(contestant_.compiled->Run());
    const double seconds = static_cast<double>(clock_.Now() - begin) * 1e-9;
    total_ += seconds;
    call_times_.push_back(seconds / static_cast<double>(block_));
    return RunTimed();
  }

  // One call node by node.
  absl::Status RunTimed() {
    timer_.Clear();
    const int64_t begin = clock_.Now();
    SEQ_RETURN_IF_ERROR(contestant_.compiled->Run(&timer_));
    int64_t outside = clock_.Now() - begin;
    for (size_t n = 0; n < nodes_.size(); ++n) {
      const NodeTimer::Times& times = timer_.times()[n];
      outside -= times.end_ns - times.begin_ns;
      node_times_[n].push_back(static_cast<double>(times.end_ns - times.begin_ns) * 1e-9);
    }
    outside_times_.push_back(static_cast<double>(outside) * 1e-9);
    return absl::OkStatus();
  }

  double total_seconds() const { return total_; }
  size_t blocks() const { return call_times_.size(); }

  BenchResult Result(MachinePeak& peak) const {
    BenchResult result{.backends = contestant_.backends,
                       .batch = contestant_.compiled->batch(),
                       .calls = block_ * static_cast<int64_t>(blocks()),
                       .seconds = Median(call_times_)};
    const double clock = ClockSeconds(clock_);
    for (size_t n = 0; n < nodes_.size(); ++n) {
      // Never 0: rates are divided by it.
      const double seconds = std::max(Median(node_times_[n]) - clock, 1e-9);
      result.nodes.push_back(
          {.node = nodes_[n],
           .seconds = seconds,
           .roofline_percent = 100 * peak.LeastSeconds(nodes_[n].cost) / seconds});
    }
    // Of the two readings of the clock a node, one is in its span and one outside.
    const double readings = static_cast<double>(nodes_.size() + 1);
    result.dispatch = std::max(Median(outside_times_) - readings * clock, 0.0);
    return result;
  }

 private:
  Contestant contestant_;
  Trace clock_;
  NodeTimer timer_;
  std::vector<ProfiledNode> nodes_;
  int64_t block_ = 1;
  double total_ = 0;
  std::vector<double> call_times_;
  std::vector<double> outside_times_;
  std::vector<std::vector<double>> node_times_;
};

bool IsOver(const std::vector<std::unique_ptr<Series>>& all, const BenchOptions& options) {
  return std::all_of(all.begin(), all.end(), [&](const auto& series) {
    return series->total_seconds() >= options.min_seconds ||
           static_cast<int64_t>(series->blocks()) >= kMaxBlocks;
  });
}

constexpr uint64_t kSeed = 1;

Tensor Draw(SampleSource& source, const ValueInfo& info, const Shape& shape, int64_t limit) {
  switch (info.type.dtype) {
    case DType::kInt32:
      return source.Indices(shape, limit);
    case DType::kInt64:
      return Tensor::Zeros({DType::kInt64, shape}).value();
    case DType::kFloat32:
    case DType::kFloat64:
      break;
  }
  const Tensor reals = info.name == kLabels ? source.Indices(shape, 2) : source.Reals(shape);
  return reals.Cast(info.type.dtype);
}

}  // namespace

OpCost BenchResult::cost() const {
  OpCost sum;
  for (const NodeResult& node : nodes) sum += node.node.cost;
  return sum;
}

absl::StatusOr<std::vector<BenchResult>> RunBench(absl::Span<const Contestant> contestants,
                                                  const BenchOptions& options, MachinePeak& peak) {
  std::vector<std::unique_ptr<Series>> all;
  for (const Contestant& contestant : contestants) {
    all.push_back(std::make_unique<Series>(contestant));
    SEQ_RETURN_IF_ERROR(all.back()->WarmUp());
  }
  const auto interrupted = [&] {
    return options.interrupt != nullptr && options.interrupt->load();
  };
  while (!IsOver(all, options)) {
    if (interrupted() && all.back()->blocks() > 0) break;
    if (interrupted()) return Cancelled("bench: interrupted before anything was timed");
    for (const auto& series : all) SEQ_RETURN_IF_ERROR(series->RunBlock());
  }
  std::vector<BenchResult> results;
  for (const auto& series : all) results.push_back(series->Result(peak));
  return results;
}

absl::Status FillInputs(const Function& function, CompiledFunction& compiled) {
  SampleSource source(kSeed);
  for (size_t i = 0; i < function.inputs().size(); ++i) {
    const Value input = function.inputs()[i];
    const int index = compiled.FindInput(function.info(input).name);
    if (index < 0) continue;
    const Shape shape = function.type(input).shape.Bind(compiled.batch());
    SEQ_RETURN_IF_ERROR(compiled.SetInput(
        index, Draw(source, function.info(input), shape, IndexLimit(function, input).value_or(1))));
  }
  return absl::OkStatus();
}

}  // namespace seqgraph::bench
