// The recurrences on every target that this CPU has, against the definition in double, over random
// sizes around the vector widths; and the same bits for any number of threads.

#include "backends/kernels/rnn_loops.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "backends/kernels/target.h"
#include "base/denormals.h"
#include "graph/bound_rules.h"
#include "tests/testing.h"

namespace seqgraph::kernels {
namespace {

using kernels::ForceTarget;
using kernels::SupportedTargets;
using kernels::ThreadPool;

constexpr uint64_t kSeed = 20240712;

double Act(Activation activation, double z) {
  if (activation == Activation::kTanh) return std::tanh(z);
  return activation == Activation::kRelu ? std::max(z, 0.0) : 1 / (1 + std::exp(-z));
}

double Slope(Activation activation, double h) {
  if (activation == Activation::kTanh) return 1 - h * h;
  return activation == Activation::kRelu ? (h > 0 ? 1 : 0) : h * (1 - h);
}

// 64-byte aligned bytes, filled with NaN: what nobody writes must not be read.
struct Scratch {
  explicit Scratch(int64_t bytes) : data(std::aligned_alloc(64, (bytes + 127) / 64 * 64)) {
    std::memset(data, 0xff, bytes);
  }
  ~Scratch() { std::free(data); }
  void* const data;
};

struct Case {
  RnnSizes sizes;
  bool bias, h0, d_sequence, d_last;
};

// One random recurrence, its results and what they should be.
class Trial {
 public:
  Trial(const Case& c, uint64_t seed) : c_(c), rng_(seed), plan_(MakeRnnPlan(c.sizes)) {
    const RnnSizes& z = c.sizes;
    tokens_ = z.batch * z.time;
    width_ = z.input == RnnInput::kFeatures ? z.features : z.units;
    x_ = Random(z.input == RnnInput::kLookup ? 0 : tokens_ * width_, 1);
    w_ = Random(z.features * z.units, 1 / std::sqrt(z.features + 1.0));
    table_ = Random(z.rows * z.units, 1);
    u_ = Random(z.units * z.units, 1 / std::sqrt(static_cast<double>(z.units)));
    b_ = Random(z.units, 0.5);
    h0_ = Random(z.batch * z.units, 1);
    d_sequence_ = Random(tokens_ * z.units, 1);
    d_last_ = Random(z.batch * z.units, 1);
    for (int64_t i = 0; i < tokens_; ++i) {
      ids_.push_back(z.rows == 0 ? 0 : static_cast<int32_t>(rng_() % z.rows));
    }
    for (int64_t n = 0; z.masked && n < z.batch; ++n) DrawMask();
  }

  void Run(ThreadPool& pool) {
    const RnnSizes& z = c_.sizes;
    const RnnOperands in = Operands();
    sequence_ = Nans(tokens_ * z.units);
    last_ = Nans(z.batch * z.units);
    const Scratch forward(RnnForwardScratch(plan_));
    RnnForward(plan_, in, {sequence_.data(), last_.data()}, forward.data, pool);
    std::vector<float> last_only = Nans(z.batch * z.units);
    RnnForward(plan_, in, {nullptr, last_only.data()}, forward.data, pool);
    EXPECT_EQ(Bits(last_only), Bits(last_));
    dx_ = Nans(x_.size());
    dw_ = Nans(w_.size());
    dtable_ = Nans(table_.size());
    du_ = Nans(u_.size());
    db_ = Nans(z.units);
    dh0_ = Nans(z.batch * z.units);
    const Scratch backward(RnnBackwardScratch(plan_));
    RnnBackward(plan_, in, Incoming(), Gradients(), backward.data, pool);
  }

  std::vector<uint32_t> AllBits() const {
    std::vector<uint32_t> all;
    for (const auto* result : {&sequence_, &last_, &dx_, &dw_, &dtable_, &du_, &db_, &dh0_}) {
      const std::vector<uint32_t> bits = Bits(*result);
      all.insert(all.end(), bits.begin(), bits.end());
    }
    return all;
  }

  // The states against those in double, and the gradients against those in double that the states
  // which were computed give.
  void ExpectRight() const {
    ExpectStates();
    ExpectGradients();
  }

 private:
  static std::vector<uint32_t> Bits(const std::vector<float>& values) {
    std::vector<uint32_t> bits(values.size());
    if (!values.empty()) std::memcpy(bits.data(), values.data(), values.size() * sizeof(float));
    return bits;
  }
  static std::vector<float> Nans(size_t n) {
    return std::vector<float>(n, std::numeric_limits<float>::quiet_NaN());
  }
  std::vector<float> Random(int64_t n, double limit) {
    std::uniform_real_distribution<float> uniform(-static_cast<float>(limit),
                                                  static_cast<float>(limit));
    std::vector<float> values(n);
    for (float& value : values) value = uniform(rng_);
    return values;
  }

  // Of one row: a prefix, a suffix, all, none, or any steps.
  void DrawMask() {
    const uint64_t kind = rng_() % 5, time = c_.sizes.time, length = rng_() % (time + 1);
    for (uint64_t t = 0; t < time; ++t) {
      mask_.push_back(kind == 0   ? t < length
                      : kind == 1 ? t >= length
                      : kind == 2 ? 2
                      : kind == 3 ? 0
                                  : rng_() % 3 > 0);
    }
  }

  // The places of the steps of a row, in the order of computation, and whether each counts.
  struct Step {
    int64_t token;
    bool counts;
  };
  std::vector<Step> Steps(int64_t row) const {
    const RnnSizes& z = c_.sizes;
    std::vector<Step> steps;
    for (int64_t k = 0; k < z.time; ++k) {
      const int64_t token = row * z.time + (z.reverse ? z.time - 1 - k : k);
      steps.push_back({token, !z.masked || mask_[token] != 0});
    }
    return steps;
  }

  RnnOperands Operands() const {
    RnnOperands in = {.u = u_.data()};
    if (c_.sizes.masked) in.mask = mask_.data();
    if (c_.sizes.input == RnnInput::kLookup) {
      in.ids = ids_.data();
      in.table = table_.data();
    } else {
      in.x = x_.data();
      if (c_.sizes.input == RnnInput::kFeatures) in.w = w_.data();
    }
    if (c_.bias) in.b = b_.data();
    if (c_.h0) in.h0 = h0_.data();
    return in;
  }
  RnnOutputGradients Incoming() const {
    return {.sequence = sequence_.data(),
            .d_sequence = c_.d_sequence ? d_sequence_.data() : nullptr,
            .d_last = c_.d_last ? d_last_.data() : nullptr};
  }
  RnnGradients Gradients() {
    RnnGradients g = {.du = du_.data(), .db = db_.data(), .dh0 = dh0_.data()};
    if (c_.sizes.input == RnnInput::kLookup) {
      g.dtable = dtable_.data();
    } else {
      g.dx = dx_.data();
      if (c_.sizes.input == RnnInput::kFeatures) g.dw = dw_.data();
    }
    return g;
  }

  // z of a token without the state.
  double Input(int64_t token, int64_t j) const {
    const RnnSizes& z = c_.sizes;
    double sum = c_.bias ? b_[j] : 0;
    if (z.input == RnnInput::kLookup) return sum + table_[ids_[token] * z.units + j];
    if (z.input == RnnInput::kProjected) return sum + x_[token * z.units + j];
    for (int64_t f = 0; f < z.features; ++f) {
      sum += static_cast<double>(x_[token * z.features + f]) * w_[f * z.units + j];
    }
    return sum;
  }

  void ExpectStates() const {
    const RnnSizes& z = c_.sizes;
    std::vector<double> expected(tokens_ * z.units), expected_last;
    for (int64_t n = 0; n < z.batch; ++n) {
      std::vector<double> h(z.units, 0), next(z.units);
      if (c_.h0) h.assign(h0_.begin() + n * z.units, h0_.begin() + (n + 1) * z.units);
      bool started = false;
      for (const Step& step : Steps(n)) {
        for (int64_t j = 0; step.counts && j < z.units; ++j) {
          double sum = Input(step.token, j);
          for (int64_t k = 0; k < z.units; ++k) sum += h[k] * u_[k * z.units + j];
          next[j] = Act(z.activation, sum);
        }
        if (step.counts) h = next;
        started |= step.counts;
        if (started) std::copy(h.begin(), h.end(), expected.begin() + step.token * z.units);
      }
      expected_last.insert(expected_last.end(), h.begin(), h.end());
    }
    // Weights this small may still amplify rounding errors by a little.
    const double bound = 4 * RecurrenceBound(1, z.units, z.batch, z.time, /*backward=*/false);
    ExpectNear("sequence", sequence_, expected, 1, bound);
    ExpectNear("last", last_, expected_last, 1, bound);
  }

  void ExpectGradients() const {
    const RnnSizes& z = c_.sizes;
    const int64_t units = z.units;
    std::vector<double> dx(dx_.size()), dw(dw_.size()), dtable(dtable_.size());
    std::vector<double> du(du_.size()), db(units), dh0(dh0_.size());
    for (int64_t n = 0; n < z.batch; ++n) {
      std::vector<double> dh(units, 0), dz(units);
      if (c_.d_last) dh.assign(d_last_.begin() + n * units, d_last_.begin() + (n + 1) * units);
      const std::vector<Step> steps = Steps(n);
      const auto counts = [](const Step& step) { return step.counts; };
      const int64_t first = std::find_if(steps.begin(), steps.end(), counts) - steps.begin();
      for (int64_t s = z.time - 1; s >= first; --s) {
        const int64_t token = steps[s].token;
        for (int64_t j = 0; c_.d_sequence && j < units; ++j) {
          dh[j] += d_sequence_[token * units + j];
        }
        if (!steps[s].counts) continue;
        for (int64_t j = 0; j < units; ++j) {
          dz[j] = dh[j] * Slope(z.activation, sequence_[token * units + j]);
          db[j] += dz[j];
        }
        for (int64_t k = 0; k < units; ++k) {
          const double before = s > first ? sequence_[steps[s - 1].token * units + k]
                                : c_.h0   ? h0_[n * units + k]
                                          : 0;
          dh[k] = 0;
          for (int64_t j = 0; j < units; ++j) {
            du[k * units + j] += before * dz[j];
            dh[k] += dz[j] * u_[k * units + j];
          }
        }
        if (z.input == RnnInput::kLookup) {
          for (int64_t j = 0; j < units; ++j) dtable[ids_[token] * units + j] += dz[j];
        } else if (z.input == RnnInput::kProjected) {
          std::copy(dz.begin(), dz.end(), dx.begin() + token * units);
        } else {
          for (int64_t f = 0; f < z.features; ++f) {
            for (int64_t j = 0; j < units; ++j) {
              dx[token * z.features + f] += dz[j] * w_[f * units + j];
              dw[f * units + j] += x_[token * z.features + f] * dz[j];
            }
          }
        }
      }
      std::copy(dh.begin(), dh.end(), dh0.begin() + n * units);
    }
    const double bound = 2 * RecurrenceBound(1, units, z.batch, z.time, /*backward=*/true);
    ExpectNear("du", du_, du, 1, bound);
    ExpectNear("db", db_, db, 1, bound);
    ExpectNear("dh0", dh0_, dh0, 1, bound);
    if (z.input != RnnInput::kLookup) ExpectNear("dx", dx_, dx, 1, bound);
    if (z.input == RnnInput::kFeatures) ExpectNear("dw", dw_, dw, 1, bound);
    if (z.input == RnnInput::kLookup) ExpectNear("dtable", dtable_, dtable, 1, bound);
  }

  static void ExpectNear(const char* name, const std::vector<float>& actual,
                         const std::vector<double>& expected, double scale, double bound) {
    ASSERT_EQ(actual.size(), expected.size()) << name;
    for (double e : expected) scale = std::max(scale, std::fabs(e));
    for (size_t i = 0; i < actual.size(); ++i) {
      ASSERT_LE(std::fabs(actual[i] - expected[i]), bound * scale) << name << "[" << i << "]";
    }
  }

  const Case c_;
  std::mt19937_64 rng_;
  const RnnPlan plan_;
  int64_t tokens_, width_;
  std::vector<float> x_, w_, table_, u_, b_, h0_, d_sequence_, d_last_;
  std::vector<int32_t> ids_, mask_;
  std::vector<float> sequence_, last_, dx_, dw_, dtable_, du_, db_, dh0_;
};

class RnnLoops : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { SEQ_ASSERT_OK(ForceTarget(GetParam())); }
  void TearDown() override { SEQ_ASSERT_OK(ForceTarget("")); }

  // As in a program that runs, and as the pool's threads do: gradients of sigmoid fade to
  // denormals.
  const FlushDenormals flush_;
};

Case RandomCase(std::mt19937_64& rng) {
  const auto one_of = [&rng](const std::vector<int64_t>& v) { return v[rng() % v.size()]; };
  Case c;
  RnnSizes& z = c.sizes;
  z.batch = one_of({1, 2, 3, 5, 7, 8, 13, 24, 31, 33, 65, 100});
  z.time = one_of({1, 2, 3, 12, 13, 25, 49, 130});
  z.units = one_of({1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 24, 31, 32, 33, 40, 70});
  z.input = static_cast<RnnInput>(rng() % 3);
  if (z.input == RnnInput::kFeatures) z.features = one_of({1, 3, 7, 8, 9, 16, 17, 33});
  if (z.input == RnnInput::kLookup) z.rows = one_of({1, 5, 50, 3000});
  constexpr Activation kActivations[] = {Activation::kTanh, Activation::kRelu,
                                         Activation::kSigmoid};
  z.activation = kActivations[rng() % 3];
  if (RnnFitsRegisters(z.units) && z.input != RnnInput::kFeatures) {
    z.masked = rng() % 2 == 0;
    z.reverse = rng() % 2 == 0;
  }
  c.bias = rng() % 2 == 0;
  c.h0 = rng() % 2 == 0;
  const uint64_t which = 1 + rng() % 3;
  c.d_sequence = (which & 1) != 0;
  c.d_last = (which & 2) != 0;
  return c;
}

std::string Text(const Case& c) {
  const RnnSizes& z = c.sizes;
  return absl::StrCat("batch ", z.batch, " time ", z.time, " units ", z.units, " input ",
                      static_cast<int>(z.input), " features ", z.features, " rows ", z.rows,
                      " activation ", static_cast<int>(z.activation), " masked ", z.masked,
                      " reverse ", z.reverse, " bias ", c.bias, " h0 ", c.h0, " d_sequence ",
                      c.d_sequence, " d_last ", c.d_last);
}

TEST_P(RnnLoops, AreTheDefinitionAndTheSameBitsOnAnyNumberOfThreads) {
  RecordProperty("seed", std::to_string(kSeed));
  std::mt19937_64 rng(kSeed);
  ThreadPool one(1), three(3);
  int cases = 0;
  while (cases < 250) {
    const Case c = RandomCase(rng);
    if (c.sizes.batch * c.sizes.time * c.sizes.units * c.sizes.units > 2'000'000) continue;
    SCOPED_TRACE(Text(c));
    const uint64_t seed = rng();
    Trial trial(c, seed), threaded(c, seed);
    trial.Run(one);
    trial.ExpectRight();
    threaded.Run(three);
    ASSERT_EQ(trial.AllBits(), threaded.AllBits());
    if (HasFatalFailure()) return;
    ++cases;
  }
}

TEST_P(RnnLoops, AnEmptyBatchHasGradientsOfZero) {
  for (const int64_t units : {0, 3, 8, 40}) {
    Case c = {
        .sizes = {.batch = 0, .time = 4, .units = units, .input = RnnInput::kLookup, .rows = 5},
        .bias = true,
        .h0 = true,
        .d_sequence = true,
        .d_last = true};
    SCOPED_TRACE(Text(c));
    ThreadPool one(1);
    Trial trial(c, kSeed);
    trial.Run(one);
    for (const uint32_t bits : trial.AllBits()) EXPECT_EQ(bits, 0);
  }
}

TEST_P(RnnLoops, NanSpoilsItsOwnSampleOnly) {
  constexpr int64_t kBatch = 9, kTime = 3;
  for (const int64_t units : {3, 8, 40}) {
    for (const Activation activation :
         {Activation::kTanh, Activation::kRelu, Activation::kSigmoid}) {
      const RnnPlan plan =
          MakeRnnPlan({.batch = kBatch, .time = kTime, .units = units, .activation = activation});
      std::vector<float> x(kBatch * kTime * units, 0.25f), u(units * units, 0.125f);
      x[(4 * kTime + 1) * units] = std::numeric_limits<float>::quiet_NaN();
      std::vector<float> last(kBatch * units);
      const Scratch scratch(RnnForwardScratch(plan));
      ThreadPool one(1);
      RnnForward(plan, {.x = x.data(), .u = u.data()}, {nullptr, last.data()}, scratch.data, one);
      for (int64_t i = 0; i < kBatch * units; ++i) {
        EXPECT_EQ(std::isnan(last[i]), i / units == 4) << "sample " << i / units;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, RnnLoops, testing::ValuesIn(SupportedTargets()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace seqgraph::kernels
