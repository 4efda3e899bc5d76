// The vanilla RNN primitive has ways of use that give wrong numbers without a word, or are slow.
// Each test here runs RnnPrimitive where one of them lies, and steps into it with the bare
// primitive (RawRnn) to prove that the very same check would notice.

#include <omp.h>
#include <xmmintrin.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "backends/onednn/dnnl_compat.h"
#include "backends/onednn/isa.h"
#include "backends/onednn/layout_loops.h"
#include "backends/onednn/run_guard.h"
#include "backends/onednn/testing/rnn_oracle.h"
#include "backends/onednn/testing/rnn_runner.h"
#include "tests/testing.h"

namespace seqgraph::onednn {
namespace {

using dnnl::memory;
using testing::HasSubstr;
using testing::Not;

// How the bare primitive is used: rightly, but for what is set.
struct RawUse {
  bool no_src_iter = false;
  bool batch_major_source = false;
  bool keep_diff_weights = false;  // not zeroed before the second run
  bool no_bias = false;
};

// Forward and backward of the bare primitive, unpadded, in training.
class RawRnn {
 public:
  RawRnn(const RnnConfig& c, const RawUse& use) : c_(c), use_(use) {
    using tag = memory::format_tag;
    const auto [t, b, i, n] = std::array<int64_t, 4>{c.time, c.batch, c.features, c.units};
    const auto f32 = memory::data_type::f32;
    if (use.batch_major_source) {
      d_.src_layer = memory::desc({t, b, i}, f32, memory::dims{i, t * i, 1});
    } else {
      d_.src_layer = memory::desc({t, b, i}, f32, tag::tnc);
    }
    const memory::desc state({1, 1, b, n}, f32, tag::ldnc);
    if (!use.no_src_iter) d_.src_iter = state;
    d_.weights_layer = memory::desc({1, 1, i, 1, n}, f32, tag::ldigo);
    d_.weights_iter = memory::desc({1, 1, n, 1, n}, f32, tag::ldigo);
    if (!use.no_bias) d_.bias = memory::desc({1, 1, 1, n}, f32, tag::ldgo);
    d_.dst_layer = memory::desc({t, b, n}, f32, tag::tnc);
    d_.dst_iter = state;
    compat::RnnDescs backward = d_;
    backward.weights_layer = memory::desc({1, 1, i, 1, n}, f32, tag::ldgoi);
    backward.weights_iter = memory::desc({1, 1, n, 1, n}, f32, tag::ldgoi);
    const auto algorithm = c.activation == Activation::kRelu ? dnnl::algorithm::eltwise_relu
                                                             : dnnl::algorithm::eltwise_tanh;
    const auto fwd =
        compat::MakeRnnForward(engine_, {}, dnnl::prop_kind::forward_training, algorithm, d_);
    const auto bwd = compat::MakeRnnBackward(engine_, {}, algorithm, backward, d_, fwd);
    forward_ = dnnl::vanilla_rnn_forward(fwd);
    backward_ = dnnl::vanilla_rnn_backward(bwd);
    workspace_ = memory(fwd.workspace_desc(), engine_);
    backward_descs_ = backward;
  }

  RnnFloats Run(RnnData d) {
    const int64_t n = c_.units;
    const int64_t rows = c_.time * c_.batch;
    if (d.h0.empty()) d.h0.assign(c_.batch * n, 0.0f);
    if (d.b.empty()) d.b.assign(n, 0.0f);
    if (use_.batch_major_source) {
      d.x = ToBatchMajor(d.x);
      // The library takes the distance of time steps for that of rows and runs past the end.
      d.x.resize(d.x.size() * c_.time);
    }
    RnnFloats out;
    out.y.resize(rows * n);
    out.h_last.resize(c_.batch * n);
    Args args;
    Add(args, DNNL_ARG_SRC_LAYER, d_.src_layer, d.x);
    Add(args, DNNL_ARG_SRC_ITER, d_.src_iter, d.h0);
    Add(args, DNNL_ARG_BIAS, d_.bias, d.b);
    Add(args, DNNL_ARG_DST_LAYER, d_.dst_layer, out.y);
    Add(args, DNNL_ARG_DST_ITER, d_.dst_iter, out.h_last);
    args.emplace(DNNL_ARG_WORKSPACE, workspace_);
    Args forward = args;
    Add(forward, DNNL_ARG_WEIGHTS_LAYER, d_.weights_layer, d.w);
    Add(forward, DNNL_ARG_WEIGHTS_ITER, d_.weights_iter, d.u);
    forward_.execute(stream_, forward);

    Floats w(d.w.size()), u(d.u.size());
    TransposeMatrix(d.w.data(), c_.features, n, c_.features, n, w.data());
    TransposeMatrix(d.u.data(), n, n, n, n, u.data());
    if (!use_.keep_diff_weights || dw_.empty()) {
      dw_.assign(d.w.size(), 0.0f);
      du_.assign(d.u.size(), 0.0f);
      db_.assign(n, 0.0f);
    }
    out.dx.resize(d.x.size());
    out.dh0.resize(d.h0.size());
    Add(args, DNNL_ARG_WEIGHTS_LAYER, backward_descs_.weights_layer, w);
    Add(args, DNNL_ARG_WEIGHTS_ITER, backward_descs_.weights_iter, u);
    Add(args, DNNL_ARG_DIFF_SRC_LAYER, d_.src_layer, out.dx);
    Add(args, DNNL_ARG_DIFF_SRC_ITER, d_.src_iter, out.dh0);
    Add(args, DNNL_ARG_DIFF_WEIGHTS_LAYER, d_.weights_layer, dw_);
    Add(args, DNNL_ARG_DIFF_WEIGHTS_ITER, d_.weights_iter, du_);
    Add(args, DNNL_ARG_DIFF_BIAS, d_.bias, db_);
    Add(args, DNNL_ARG_DIFF_DST_LAYER, d_.dst_layer, d.dy);
    Add(args, DNNL_ARG_DIFF_DST_ITER, d_.dst_iter, d.dh_last);
    backward_.execute(stream_, args);
    stream_.wait();
    if (use_.batch_major_source) out.dx.clear();
    if (use_.no_src_iter) out.dh0.clear();
    out.dw = dw_;
    out.du = du_;
    out.db = db_;
    return out;
  }

 private:
  using Args = std::unordered_map<int, memory>;

  void Add(Args& args, int arg, const memory::desc& desc, Floats& data) {
    if (desc.is_zero()) return;
    args.insert_or_assign(arg, memory(desc, engine_, data.data()));
  }

  Floats ToBatchMajor(const Floats& x) const {
    Floats result(x.size());
    TimeToBatchMajor(x.data(), c_.batch, c_.time, c_.features, c_.features, result.data());
    return result;
  }

  const RnnConfig c_;
  const RawUse use_;
  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  compat::RnnDescs d_, backward_descs_;
  dnnl::vanilla_rnn_forward forward_;
  dnnl::vanilla_rnn_backward backward_;
  memory workspace_;
  Floats dw_, du_, db_;
};

RnnConfig SixteenUnits() { return Config(12, 8, 16, 16); }

TEST(RnnTrapsTest, TheBarePrimitiveUsedRightlyPassesTheCheck) {
  const RnnConfig c = SixteenUnits();
  const RnnData d = RandomRnnData(c, 1);
  EXPECT_EQ(Compare(c, RawRnn(c, {}).Run(d), RnnOracle(c, d)), "");
}

TEST(RnnTrapsTest, WithoutAnInitialStateTheGradientOfUPairsTheRightSteps) {  // trap 1
  const RnnConfig c = SixteenUnits();
  RnnData d = RandomRnnData(c, 2);
  d.h0.clear();
  const RnnResults want = RnnOracle(c, d);
  Runner runner(c);
  runner.Forward(d);
  runner.Backward(d);
  EXPECT_EQ(Compare(c, runner.out, want), "");

  const std::string wrong = Compare(c, RawRnn(c, {.no_src_iter = true}).Run(d), want);
  EXPECT_THAT(wrong, HasSubstr("du:"));
  EXPECT_THAT(wrong, Not(HasSubstr("y:")));
}

TEST(RnnTrapsTest, ABatchMajorSourceNeverReachesThePrimitive) {  // trap 2
  const RnnConfig c = SixteenUnits();
  const RnnData d = RandomRnnData(c, 3);
  const RnnResults want = RnnOracle(c, d);
  Runner runner(c);
  runner.Forward(d);
  runner.Backward(d);
  EXPECT_EQ(Compare(c, runner.out, want), "");

  const std::string wrong = Compare(c, RawRnn(c, {.batch_major_source = true}).Run(d), want);
  EXPECT_THAT(wrong, HasSubstr("dw:"));
  EXPECT_THAT(wrong, Not(HasSubstr("y:")));
}

TEST(RnnTrapsTest, GradientsOfASecondRunAreNotAddedToTheFirst) {  // trap 3
  const RnnConfig c = SixteenUnits();
  const RnnData d = RandomRnnData(c, 4);
  const RnnResults want = RnnOracle(c, d);
  Runner runner(c);
  RawRnn raw(c, {.keep_diff_weights = true});
  RnnFloats raw_result;
  for (int run = 0; run < 2; ++run) {
    runner.Forward(d);
    runner.Backward(d);
    raw_result = raw.Run(d);
  }
  EXPECT_EQ(Compare(c, runner.out, want), "");
  EXPECT_THAT(Compare(c, raw_result, want),
              testing::AllOf(HasSubstr("dw:"), HasSubstr("du:"), HasSubstr("db:")));
}

TEST(RnnTrapsTest, BackwardReadsTheSequenceAgainSoItMustStay) {  // trap 4
  const RnnConfig c = SixteenUnits();
  const RnnData d = RandomRnnData(c, 5);
  const RnnResults want = RnnOracle(c, d);
  Runner runner(c);
  runner.Forward(d);
  runner.Backward(d);
  EXPECT_EQ(Compare(c, runner.out, want), "");

  runner.Forward(d);
  for (float& y : runner.y) y = y > 0 ? y : 0;  // a relu in place
  runner.Backward(d);
  EXPECT_THAT(Compare(c, runner.out, want), HasSubstr("du:"));
}

TEST(RnnTrapsTest, RunsOnAnotherThreadThanItsCreator) {  // trap 5
  const RnnConfig c = Config(20, 8, 16, 8);
  const RnnData d = RandomRnnData(c, 6);
  Runner here(c);
  here.Forward(d);
  here.Backward(d);
  Runner there(c);
  std::thread([&] {
    there.Forward(d);
    there.Backward(d);
  }).join();
  EXPECT_EQ(here.out.y, there.out.y);
  EXPECT_EQ(here.out.dw, there.out.dw);
  EXPECT_EQ(here.out.du, there.out.du);

  // What makes that safe: scratch memory is the caller's, not a thread-local one of the library's
  // that only the creator has.
  Runner runner(c);
  runner.Forward(d);
  std::vector<unsigned char> before(runner.rnn->scratch_bytes());
  std::memset(runner.scratch.data(), 0x7f, before.size());
  std::memset(before.data(), 0x7f, before.size());
  const size_t library = RnnPrimitive::kAlignment;  // our own padded weights take less
  ASSERT_GT(before.size(), library);
  runner.Forward(d);
  EXPECT_NE(std::memcmp(runner.scratch.data() + library, before.data() + library,
                        before.size() - library),
            0)
      << "the primitive left its scratch untouched";
}

TEST(RnnTrapsTest, ARecurrenceWithoutBiasRunsWithZeros) {  // trap 6
  const RnnConfig c = SixteenUnits();
  RnnData d = RandomRnnData(c, 7);
  d.b.clear();
  Runner runner(c);
  runner.Forward(d);
  runner.Backward(d);
  EXPECT_EQ(Compare(c, runner.out, RnnOracle(c, d)), "");
  EXPECT_THROW(RawRnn(c, {.no_bias = true}), dnnl::error);
}

TEST(RnnTrapsTest, UnitsFillWholeVectors) {  // trap 7
  const int64_t width = VectorWidth();
  const char* limit = std::getenv("ONEDNN_MAX_CPU_ISA");
  if (limit != nullptr && std::string(limit) == "AVX2") {
    EXPECT_EQ(width, 8);
  } else if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")) {
    EXPECT_EQ(width, 16);
  }
  for (int64_t units : {1, 3, 8, 15, 16, 17, 24, 100}) {
    RnnConfig c = Config(2, 2, 4, units);
    SEQ_ASSERT_OK_AND_ASSIGN(const auto rnn, RnnPrimitive::Create(c));
    EXPECT_EQ(rnn->y_width() % width, 0) << units;
    EXPECT_GE(rnn->y_width(), units);
    EXPECT_LT(rnn->y_width(), units + width);
  }
  // Where the matrix products outweigh the activation, padding is the slower way.
  SEQ_ASSERT_OK_AND_ASSIGN(const auto large, RnnPrimitive::Create(Config(2, 2, 4, 300)));
  EXPECT_EQ(large->y_width(), 300);
}

TEST(RnnTrapsTest, PaddingUnitsThatAreNotZeroDoNotReachTheOthers) {  // trap 7, sigmoid
  const RnnConfig c = Config(10, 4, 6, 5, Activation::kSigmoid);
  const RnnData d = RandomRnnData(c, 8);
  Runner runner(c);
  ASSERT_GT(runner.rnn->y_width(), c.units);
  runner.Forward(d);  // scratch holds garbage wherever it is not written
  runner.Backward(d);
  EXPECT_EQ(runner.y[c.units], 0.5f);
  EXPECT_EQ(Compare(c, runner.out, RnnOracle(c, d)), "");

  // Recurrent rows of the padding that are not zero: five units of a layer that has six.
  RnnConfig wrong = c;
  wrong.units = c.units + 1;
  RnnData six;
  six.x = d.x;
  six.w = Widen(d.w, c.units, wrong.units, 0.0f);
  six.u = Widen(d.u, c.units, wrong.units, 0.0f);
  six.u.resize(wrong.units * wrong.units, 0.3f);
  six.b = Widen(d.b, c.units, wrong.units, 0.0f);
  six.h0 = Widen(d.h0, c.units, wrong.units, 0.0f);
  Runner other(wrong);
  other.Forward(six);
  RnnFloats got;
  got.y = Narrow(other.out.y, wrong.units, c.units);
  EXPECT_THAT(Compare(c, got, RnnOracle(c, d)), HasSubstr("y:"));
}

TEST(RnnTrapsTest, ReluDoesNotSwallowNan) {  // trap 9
  const RnnConfig c = Config(2, 1, 16, 16, Activation::kRelu);
  RnnData d = RandomRnnData(c, 9);
  d.x[3] = std::numeric_limits<float>::quiet_NaN();
  Runner runner(c);
  runner.Forward(d);
  EXPECT_TRUE(std::isnan(runner.out.y[0]));
  EXPECT_FALSE(std::isnan(RawRnn(c, {}).Run(d).y[0]));
}

TEST(RnnTrapsTest, InferenceSeesWeightsThatChangedInPlace) {  // trap 12
  RnnConfig c = SixteenUnits();
  c.training = false;
  RnnData d = RandomRnnData(c, 10);
  const RnnData old = d;
  Runner runner(c);
  runner.Forward(d);
  for (float& w : d.w) w *= -0.5f;
  for (float& u : d.u) u *= 0.5f;
  runner.Forward(d);
  RnnFloats got;
  got.y = runner.out.y;
  EXPECT_EQ(Compare(c, got, RnnOracle(c, d)), "");
  EXPECT_THAT(Compare(c, got, RnnOracle(c, old)), HasSubstr("y:"));  // what stale packing gives
}

TEST(RnnTrapsTest, DenormalsAreFlushedInEveryThreadAndOnlyDuringARun) {  // trap 15
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "ThreadSanitizer takes libgomp's waiting for a race";
#endif
  constexpr int kThreads = 2;
  const volatile float tiny = 1e-38f;
  const auto product_in_each_thread = [&tiny] {
    std::vector<float> products(kThreads);
#pragma omp parallel num_threads(kThreads)
    products[omp_get_thread_num()] = tiny * 0.1f;
    return products;
  };
  const unsigned before = _mm_getcsr();
  const ThreadCountGuard threads(kThreads);
  EXPECT_THAT(product_in_each_thread(), testing::Each(testing::Gt(0.0f)));
  {
    const FlushDenormalsGuard flush(kThreads);
    EXPECT_THAT(product_in_each_thread(), testing::Each(0.0f));
  }
  EXPECT_THAT(product_in_each_thread(), testing::Each(testing::Gt(0.0f)));
  EXPECT_EQ(_mm_getcsr() & ~0x3fu, before & ~0x3fu);
}

}  // namespace
}  // namespace seqgraph::onednn
