// Recurrences of one step, for streams: BoundStep and RecurrenceSteps.

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>
#include <optional>

#include "backends/kernels/recurrence.h"
#include "backends/kernels/recurrence_job.h"
#include "base/status_macros.h"

namespace seqgraph::kernels {

CellForward StepOf(const ForwardJob& job, const ForwardArea& area, int64_t rows, float* states,
                   float* cells) {
  return {.sizes = &job.plan.sizes,
          .rows = rows,
          .width = job.plan.width,
          .x = area.z,
          .z = area.sums,
          .product = area.product,
          .before = states,
          .c_before = cells,
          .kept = nullptr,
          .h = states,
          .c = cells,
          .reset = area.reset,
          .peepholes = job.peepholes};
}

struct BoundStep::Impl {
  Impl(const RecurrencePlan& plan, Pieces pieces, void* packed)
      : job(plan, pieces, packed), area(job.area(0)), cell(FindStepCell(job)) {}

  // Rows of states are as wide in memory as here, or there is but one, and memory goes on behind
  // it. Copies cost as much as a small cell: what is stored has to come back before it is read.
  bool HasPlaces() const {
    const RecurrencePlan& plan = job.plan;
    return plan.groups == 1 && (plan.sizes.batch == 1 || plan.sizes.units == plan.width) &&
           job.in.mask == nullptr && job.in.h0 != nullptr &&
           (job.in.c0 != nullptr || !job.layout.has_cell);
  }
  CellForward Places() const {
    const RecurrenceOutputs& out = job.out;
    float* const h = out.last != nullptr       ? out.last
                     : out.sequence != nullptr ? out.sequence
                                               : area.last;
    float* const c = out.last_cell != nullptr ? out.last_cell : area.last_cell;
    CellForward places = StepOf(job, area, job.plan.sizes.batch, h, c);
    places.before = job.in.h0;
    places.c_before = job.in.c0;
    return places;
  }

  ForwardJob job;
  const ForwardArea area;
  const StepCell cell;
  std::optional<CellForward> places;
};

// On one thread: a task.
bool BoundStep::Fits(const RecurrencePlan& plan) {
  return plan.one_step() && plan.forward_tasks == 1;
}

BoundStep::BoundStep(const Recurrence& recurrence, const RecurrenceOperands& in,
                     const RecurrenceOutputs& out, void* scratch, PackedWeights packed)
    : impl_(std::make_unique<Impl>(recurrence.plan(), Pieces(scratch), packed.memory)) {
  SEQ_CHECK(Fits(recurrence.plan()) && packed.memory != nullptr && packed.current);
  impl_->job.in = in;
  impl_->job.out = out;
  if (impl_->HasPlaces()) impl_->places = impl_->Places();
}

BoundStep::~BoundStep() = default;

void BoundStep::Run() {
  if (impl_->places.has_value()) {
    StepInPlaces(impl_->job, impl_->area, *impl_->places, impl_->cell);
  } else {
    StepTask(impl_->job, impl_->area, /*task=*/0, impl_->cell);
  }
}

struct RecurrenceSteps::Impl {
  Impl(const RecurrencePlan& sizes_and_lanes, void* scratch)
      : plan(sizes_and_lanes),
        memory(scratch),
        pieces(scratch),
        job(plan, pieces),
        area(job.area(0)) {}
  ~Impl() { std::free(memory); }

  const RecurrencePlan plan;
  void* const memory;
  Pieces pieces;
  ForwardJob job;
  const ForwardArea area;
};

RecurrenceSteps::RecurrenceSteps(const RecurrenceSizes& sizes, const RecurrenceOperands& in) {
  RecurrenceSizes one_step = sizes;
  one_step.time = 1;
  one_step.rows = 0;
  one_step.masked = one_step.reverse = one_step.dropout = false;
  RecurrencePlan plan = Recurrence(one_step).plan();
  plan.groups = plan.forward_tasks = 1;
  plan.group = sizes.batch;
  Pieces pieces(nullptr);
  ForwardJob(plan, pieces);
  const int64_t states = pieces.bytes(), bytes = plan.group * plan.width * int64_t{sizeof(float)};
  void* const memory = std::aligned_alloc(64, RoundUp(states + 2 * bytes, 64));
  if (memory == nullptr) throw std::bad_alloc();
  impl_ = std::make_unique<Impl>(plan, memory);
  states_ = reinterpret_cast<float*>(static_cast<char*>(memory) + states);
  cells_ = states_ + plan.group * plan.width;
  std::fill_n(states_, 2 * plan.group * plan.width, 0.0f);
  impl_->job.in = in;
  PackForward(impl_->job);
  PrepareArea(impl_->job, impl_->area);
}

RecurrenceSteps::~RecurrenceSteps() = default;

int64_t RecurrenceSteps::width() const { return impl_->plan.width; }

void RecurrenceSteps::Step(const float* x, int64_t streams) {
  StepInPlace(impl_->job, impl_->area, x, streams, states_, cells_);
}

}  // namespace seqgraph::kernels
