#include "backends/onednn/rnn_primitive.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "backends/onednn/dnnl_compat.h"
#include "backends/onednn/layout_loops.h"
#include "backends/onednn/rnn_loops.h"
#include "backends/onednn/testing/rnn_oracle.h"
#include "backends/onednn/testing/rnn_runner.h"
#include "tests/testing.h"

namespace seqgraph::onednn {
namespace {

struct Case {
  std::string name;
  RnnConfig config;
  bool h0 = true, b = true, dy = true, dh_last = true;
};

std::vector<Case> Cases() {
  std::vector<Case> cases;
  const auto add = [&cases](std::string name, RnnConfig c) -> Case& {
    cases.push_back({std::move(name), c});
    return cases.back();
  };
  for (const auto& [name, activation] :
       {std::pair("tanh", Activation::kTanh), std::pair("relu", Activation::kRelu),
        std::pair("sigmoid", Activation::kSigmoid)}) {
    for (int64_t units : {1, 3, 8, 15, 16, 17, 64}) {
      add(absl::StrCat(name, "_units_", units), Config(7, 5, 6, units, activation));
    }
    Case& projected = add(absl::StrCat(name, "_projected"), Config(9, 4, 8, 8, activation));
    projected.config.projected = true;
    Case& wide = add(absl::StrCat(name, "_wide_rows"), Config(5, 3, 8, 9, activation));
    wide.config.x_width = 16;
    Case& wide_projected =
        add(absl::StrCat(name, "_projected_wide"), Config(5, 3, 9, 9, activation));
    wide_projected.config.projected = true;
    wide_projected.config.x_width = 16;
  }
  add("no_initial_state", Config(6, 4, 5, 8)).h0 = false;
  add("no_bias", Config(6, 4, 5, 8)).b = false;
  add("no_bias_no_padding", Config(6, 4, 5, 16)).b = false;
  Case& last = add("last_state_only", Config(6, 4, 5, 8));
  last.dy = last.h0 = false;
  add("sequence_only", Config(6, 4, 5, 16)).dh_last = false;
  add("one_step", Config(1, 4, 5, 8));
  add("one_sample", Config(6, 1, 5, 8));
  add("one_of_all", Config(1, 1, 1, 1));
  add("row_stride_256", Config(3, 2, 256, 256));
  add("more_units_than_are_padded", Config(3, 2, 5, 300));
  add("tutorial", Config(100, 64, 16, 8)).dy = false;
  add("two_threads", Config(10, 32, 16, 16)).config.threads = 2;
  return cases;
}

RnnData DataFor(const Case& test, uint32_t seed) {
  RnnData d = RandomRnnData(test.config, seed);
  if (!test.h0) d.h0.clear();
  if (!test.b) d.b.clear();
  if (!test.dy) d.dy.clear();
  if (!test.dh_last) d.dh_last.clear();
  return d;
}

class RnnPrimitiveTest : public testing::TestWithParam<Case> {};

TEST_P(RnnPrimitiveTest, ForwardAndGradientsAgreeWithTheFormulasInDouble) {
  const RnnConfig& c = GetParam().config;
  Runner runner(c);
  for (uint32_t seed : {1u, 2u}) {  // twice: nothing of the first run may show in the second
    const RnnData d = DataFor(GetParam(), seed);
    runner.Forward(d);
    runner.Backward(d);
    EXPECT_EQ(Compare(c, runner.out, RnnOracle(c, d)), "") << "seed " << seed;
    for (size_t i = 0; i < runner.dx.size(); ++i) {
      if (static_cast<int64_t>(i % c.x_width) >= c.features) {
        ASSERT_EQ(runner.dx[i], 0.0f) << "padding column of dx at " << i;
      }
    }
  }
}

TEST_P(RnnPrimitiveTest, InferenceAgreesWithTheFormulasInDouble) {
  RnnConfig c = GetParam().config;
  c.training = false;
  Runner runner(c);
  for (uint32_t seed : {1u, 2u}) {
    const RnnData d = DataFor(GetParam(), seed);
    runner.Forward(d);
    RnnFloats got;
    got.y = runner.out.y;
    got.h_last = runner.out.h_last;
    EXPECT_EQ(Compare(c, got, RnnOracle(c, d)), "") << "seed " << seed;
  }
}

// RnnBackwardLoops from the oracle's y.
RnnFloats BackwardOnLoops(const RnnConfig& c, const RnnData& d, const RnnResults& want) {
  const auto batch_major = [&c](const Floats& v, int64_t width) {
    Floats result(v.size());
    TimeToBatchMajor(v.data(), c.batch, c.time, width, width, result.data());
    return result;
  };
  const Floats x = batch_major(d.x, c.features);
  const Floats y = batch_major(Floats(want.y.begin(), want.y.end()), c.units);
  const Floats dy = d.dy.empty() ? Floats() : batch_major(d.dy, c.units);
  RnnFloats got;
  Floats dx(x.size());
  got.dh0.resize(c.batch * c.units);
  got.dw.resize(c.projected ? 0 : c.features * c.units);
  got.du.resize(c.units * c.units);
  got.db.resize(c.units);
  std::vector<char> scratch(RnnBackwardLoopsScratch(c));
  RnnBackwardArgs a;
  a.x = x.data();
  a.h0 = OrNull(d.h0);
  a.w = d.w.data();
  a.u = d.u.data();
  a.y = y.data();
  a.dy = OrNull(dy);
  a.dh_last = OrNull(d.dh_last);
  a.dx = dx.data();
  a.dh0 = got.dh0.data();
  a.dw = got.dw.data();
  a.du = got.du.data();
  a.db = got.db.data();
  a.scratch = scratch.data();
  RnnBackwardLoops(c, a);
  got.dx.resize(dx.size());
  BatchToTimeMajor(dx.data(), c.batch, c.time, c.features, c.features, got.dx.data());
  return got;
}

TEST_P(RnnPrimitiveTest, BackwardLoopsAgreeWithTheFormulasInDouble) {
  const RnnConfig& c = GetParam().config;
  const RnnData d = DataFor(GetParam(), 3);
  const RnnResults want = RnnOracle(c, d);
  EXPECT_EQ(Compare(c, BackwardOnLoops(c, d, want), want), "");
}

INSTANTIATE_TEST_SUITE_P(All, RnnPrimitiveTest, testing::ValuesIn(Cases()),
                         [](const auto& info) { return info.param.name; });

TEST(RnnPrimitiveTest, RunsOnTheOnednnItWasCompiledForAndTheTestRunNames) {
  const dnnl_version_t& v = *dnnl_version();
  EXPECT_EQ(v.major, DNNL_VERSION_MAJOR);
  EXPECT_EQ(v.minor, DNNL_VERSION_MINOR);
  const char* wanted = std::getenv("SEQGRAPH_ONEDNN_VERSION");
  if (wanted == nullptr) return;
  EXPECT_EQ(absl::StrCat(v.major, ".", v.minor, ".", v.patch), wanted);
}

TEST(RnnPrimitiveTest, EqualRunsGiveEqualBits) {
  const RnnConfig c = Config(50, 16, 16, 8);
  const RnnData d = RandomRnnData(c, 5);
  Runner a(c), b(c);
  for (Runner* runner : {&a, &b, &b}) {
    runner->Forward(d);
    runner->Backward(d);
  }
  EXPECT_EQ(a.out.y, b.out.y);
  EXPECT_EQ(a.out.dx, b.out.dx);
  EXPECT_EQ(a.out.du, b.out.du);
  EXPECT_EQ(a.out.db, b.out.db);
}

TEST(RnnPrimitiveTest, ReluAndProjectedInputKeepWhatIsNotFiniteWhereTheFormulaHasIt) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float inf = std::numeric_limits<float>::infinity();
  for (bool projected : {false, true}) {
    RnnConfig c = Config(1, 2, 4, 4, projected ? Activation::kTanh : Activation::kRelu);
    c.projected = projected;
    RnnData d = RandomRnnData(c, 6);
    d.x = {nan, 0, 0, 0, 1, inf, 1, 1};
    d.w.assign(16, 0.5f);
    Runner runner(c);
    runner.Forward(d);
    const Floats& y = runner.out.y;
    for (int j = 0; j < 4; ++j) {
      EXPECT_EQ(std::isnan(y[j]), projected ? j == 0 : true) << j;
      EXPECT_FALSE(std::isnan(y[4 + j])) << j;
    }
    EXPECT_EQ(y[4 + 1], projected ? 1.0f : inf);
    EXPECT_TRUE(std::isnan(runner.out.h_last[0]));
  }
}

TEST(RnnPrimitiveTest, ReluCarriesANanOfAnyOperand) {
  const RnnConfig c = Config(3, 2, 4, 8, Activation::kRelu);
  for (Floats RnnData::*operand :
       {&RnnData::x, &RnnData::h0, &RnnData::w, &RnnData::u, &RnnData::b}) {
    RnnData d = RandomRnnData(c, 7);
    d.h0.assign(d.h0.size(), 0.5f);
    (d.*operand)[0] = std::numeric_limits<float>::quiet_NaN();
    Runner runner(c);
    runner.Forward(d);
    EXPECT_TRUE(std::isnan(runner.out.h_last[0]));
  }
}

TEST(RnnPrimitiveTest, AnInfiniteProjectedInputSaturatesItsOwnUnitOnlyAtAnyStep) {
  for (bool training : {false, true}) {
    RnnConfig c = Config(6, 3, 8, 8);
    c.projected = true;
    c.training = training;
    RnnData d = RandomRnnData(c, 8);
    d.x[(1 * 3 + 2) * 8 + 5] = std::numeric_limits<float>::infinity();  // step 1, sample 2, unit 5
    Runner runner(c);
    runner.Forward(d);
    EXPECT_EQ(runner.out.y[(1 * 3 + 2) * 8 + 5], 1.0f);
    RnnFloats got;
    got.y = runner.out.y;
    got.h_last = runner.out.h_last;
    EXPECT_EQ(Compare(c, got, RnnOracle(c, d)), "");
  }
}

// Finite where the formula is, and otherwise the same NaN or infinity.
void ExpectSameNonFinite(const char* name, const Floats& got, const Doubles& want, double bound) {
  ASSERT_EQ(got.size(), want.size()) << name;
  double magnitude = 1;
  for (double x : want) magnitude = std::isfinite(x) ? std::max(magnitude, std::abs(x)) : magnitude;
  for (size_t i = 0; i < got.size(); ++i) {
    if (std::isfinite(want[i])) {
      EXPECT_NEAR(got[i], want[i], bound * magnitude) << name << " at " << i;
    } else if (std::isnan(want[i])) {
      EXPECT_TRUE(std::isnan(got[i])) << name << " at " << i << " is " << got[i];
    } else {
      EXPECT_EQ(got[i], want[i]) << name << " at " << i;
    }
  }
}

void ExpectSameNonFinite(const RnnConfig& c, const RnnFloats& got, const RnnResults& want) {
  ExpectSameNonFinite("y", got.y, want.y, RnnBound(c, false));
  ExpectSameNonFinite("h_last", got.h_last, want.h_last, RnnBound(c, false));
  ExpectSameNonFinite("dx", got.dx, want.dx, RnnBound(c, true));
  ExpectSameNonFinite("dh0", got.dh0, want.dh0, RnnBound(c, true));
  ExpectSameNonFinite("dw", got.dw, want.dw, RnnBound(c, true));
  ExpectSameNonFinite("du", got.du, want.du, RnnBound(c, true));
  ExpectSameNonFinite("db", got.db, want.db, RnnBound(c, true));
}

// 8 units are padded to 16. An infinite x saturates the units of its sample (tanh is 1, its slope
// 0), but times the padding's zero columns it is NaN, which must reach no other unit and no later
// step, in forward or backward.
class WhatIsNotFinite : public testing::TestWithParam<std::tuple<Activation, float>> {};

TEST_P(WhatIsNotFinite, StaysWhereTheFormulaHasItThroughPaddingUnits) {
  const auto& [activation, special] = GetParam();
  const RnnConfig c = Config(5, 3, 4, 8, activation);
  for (Floats RnnData::*operand : {&RnnData::x, &RnnData::h0}) {
    SCOPED_TRACE(operand == &RnnData::x ? "in x" : "in h0");
    RnnData d = RandomRnnData(c, 9);
    const int64_t width = operand == &RnnData::x ? 4 : 8;
    (d.*operand)[1 * width + 2] = special;  // sample 1, before or in step 0
    Runner runner(c);
    runner.Forward(d);
    runner.Backward(d);
    const RnnResults want = RnnOracle(c, d);
    ExpectSameNonFinite(c, runner.out, want);
    // Not all is NaN: other samples go on.
    EXPECT_TRUE(std::isfinite(want.h_last[0]));
    // The run after it is as if nothing had been.
    const RnnData finite = RandomRnnData(c, 10);
    runner.Forward(finite);
    runner.Backward(finite);
    EXPECT_EQ(Compare(c, runner.out, RnnOracle(c, finite)), "");
  }
}

INSTANTIATE_TEST_SUITE_P(
    Padded, WhatIsNotFinite,
    testing::Combine(testing::Values(Activation::kTanh, Activation::kSigmoid),
                     testing::Values(std::numeric_limits<float>::quiet_NaN(),
                                     std::numeric_limits<float>::infinity(),
                                     -std::numeric_limits<float>::infinity())));

// A slope of zero times NaN is NaN.
TEST(RnnPrimitiveTest, ReluGradientCarriesANanThroughAnInactiveUnit) {
  for (int64_t units : {8, 16}) {
    const RnnConfig c = Config(3, 2, 4, units, Activation::kRelu);
    RnnData d = RandomRnnData(c, 11);
    d.b.assign(units, -100.0f);  // all units are inactive
    d.dy[(2 * 2 + 1) * units + 3] = std::numeric_limits<float>::quiet_NaN();
    Runner runner(c);
    runner.Forward(d);
    runner.Backward(d);
    const RnnResults want = RnnOracle(c, d);
    EXPECT_TRUE(std::isnan(want.db[3]));
    EXPECT_EQ(want.dh0[0], 0.0);  // of sample 0
    ExpectSameNonFinite(c, runner.out, want);
    RnnFloats loops = BackwardOnLoops(c, d, want);
    loops.y = runner.out.y;
    loops.h_last = runner.out.h_last;
    ExpectSameNonFinite(c, loops, want);
  }
}

TEST(RnnPrimitiveTest, ImpossibleConfigurationsAreRefused) {
  EXPECT_THAT(RnnPrimitive::Create(Config(0, 1, 1, 1)),
              StatusIs(absl::StatusCode::kInvalidArgument, "time is 0"));
  RnnConfig narrow = Config(1, 1, 4, 1);
  narrow.x_width = 3;
  EXPECT_THAT(RnnPrimitive::Create(narrow),
              StatusIs(absl::StatusCode::kInvalidArgument, "4 features in rows of 3"));
  EXPECT_THAT(RnnPrimitive::Create(Config(1 << 20, 1 << 20, 1 << 10, 8)),
              StatusIs(absl::StatusCode::kResourceExhausted, "100 GB"));
  RnnConfig inference = Config(1, 1, 1, 1);
  inference.training = false;
  SEQ_ASSERT_OK_AND_ASSIGN(auto rnn, RnnPrimitive::Create(inference));
  EXPECT_THAT(rnn->Backward({}), StatusIs(absl::StatusCode::kFailedPrecondition, "inference"));
}

}  // namespace
}  // namespace seqgraph::onednn
