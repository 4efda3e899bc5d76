// Recurrences on every target that this CPU has, against the ops' definitions in double: every
// cell, with activations and gates of all kinds, looked-up rows, masks of all kinds, directions,
// initial states, dropout, sizes around the vector widths; with what a forward pass left and anew;
// and the same bits for any number of threads.

#include "backends/kernels/recurrence.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "backends/kernels/target.h"
#include "base/denormals.h"
#include "graph/evaluate.h"
#include "ops/all_ops.h"
#include "tests/testing.h"

namespace seqgraph::kernels {
namespace {

constexpr uint64_t kSeed = 20261128;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// 64-byte aligned bytes, filled with NaN: what nobody writes must not be read.
struct Memory {
  explicit Memory(int64_t bytes) : data(std::aligned_alloc(64, (bytes + 127) / 64 * 64)) {
    std::memset(data, 0xff, bytes);
  }
  ~Memory() { std::free(data); }
  Memory(const Memory&) = delete;
  void* const data;
};

enum class MaskKind { kNone, kAll, kPrefix, kSuffix, kAny };

// An operand in both forms: floats, and the same numbers in double.
struct Operand {
  Operand() = default;
  explicit Operand(Tensor reals) : tensor(std::move(reals)) {
    for (double& x : tensor->Elements<double>()) {
      floats.push_back(static_cast<float>(x));
      x = floats.back();
    }
  }
  const float* data() const { return tensor.has_value() ? floats.data() : nullptr; }
  std::vector<float> floats;
  std::optional<Tensor> tensor;
};

struct Results {
  std::vector<std::vector<float>> forward, backward;
  bool operator==(const Results& other) const {
    return SameBits(forward, other.forward) && SameBits(backward, other.backward);
  }
  static bool SameBits(const std::vector<std::vector<float>>& a,
                       const std::vector<std::vector<float>>& b) {
    for (size_t i = 0; i < a.size(); ++i) {
      if (std::memcmp(a[i].data(), b[i].data(), a[i].size() * sizeof(float)) != 0) return false;
    }
    return true;
  }
};

// One random recurrence, its results and what they should be.
class Trial {
 public:
  Trial(CellKind cell, uint64_t seed, bool plain = false,
        WeightFormat weights = WeightFormat::kFloat32)
      : source_(seed) {
    z_.cell = cell;
    any_ = seed % 2 == 0;
    if (any_) {
      DrawFunctions();
    } else {
      z_.functions.state.kind = z_.functions.output.kind =
          source_.OneOf<Activation>({Activation::kTanh, Activation::kSigmoid});
    }
    z_.batch = source_.OneOf<int64_t>({1, 2, 5, 33, 40, 70});
    // Where activations have no limit, states grow.
    z_.time = source_.OneOf<int64_t>({1, 2, 3, any_ ? 3 : 9, any_ ? 4 : 14});
    z_.units = source_.OneOf<int64_t>({1, 5, 8, 9, 16, 17, 40});
    z_.projected = source_.Int(0, 2) == 0;
    // Tables whose gradients the tasks sum and some that they leave, and packed ones and not.
    if (z_.projected && !plain && source_.Coin()) {
      z_.rows = source_.OneOf<int64_t>({1, 3, 40, 2000, z_.columns() < 40 ? 30000 : 1});
      z_.trained = source_.Coin();
    }
    z_.features = z_.projected ? z_.columns() : source_.OneOf<int64_t>({1, 3, 8, 20, 33});
    z_.reverse = source_.Coin();
    z_.dropout = source_.Int(0, 3) == 0;
    mask_kind_ = source_.OneOf<MaskKind>(
        {MaskKind::kNone, MaskKind::kAll, MaskKind::kPrefix, MaskKind::kSuffix, MaskKind::kAny});
    if (plain) {
      mask_kind_ = MaskKind::kNone;
      z_.projected = z_.reverse = z_.dropout = false;
      z_.features = source_.OneOf<int64_t>({1, 3, 8, 20, 33});
      z_.batch = std::min<int64_t>(z_.batch, 5);
    }
    z_.masked = mask_kind_ != MaskKind::kNone;
    z_.weights = weights;
    z_.dropout = z_.dropout && weights == WeightFormat::kFloat32;
    MakeOperands();
  }

  // Makes the weights those that the format holds.
  void RoundWeights() {
    for (Operand* weights : {&w_, &u_}) {
      if (!weights->tensor.has_value()) continue;
      const Attributes attributes = {{"format", WeightFormatName(z_.weights)}, {"axis", 1}};
      const auto rounded = Evaluate(*AllOps().Find("RoundWeights"), attributes, {weights->tensor});
      SEQ_CHECK(rounded.ok());
      *weights = Operand(*(*rounded)[0]);
    }
  }

  std::string Describe() const {
    return absl::StrCat(
        Recurrence(z_).Describe(), "; batch ", z_.batch, ", time ", z_.time, ", features ",
        z_.features, ", rows ", z_.rows, z_.trained ? " trained" : "", ", units ", z_.units,
        ", mask ", static_cast<int>(mask_kind_), ", gates ", ActivationText(z_.functions.gates),
        ", state ", ActivationText(z_.functions.state), ", output ",
        ActivationText(z_.functions.output), ", coupled ", z_.functions.coupled, ", peepholes ",
        z_.functions.peepholes);
  }

  Results Run(int threads, bool anew) const {
    const Recurrence recurrence(z_);
    ThreadPool pool(threads);
    const RecurrenceOperands in = {.x = x_.data(),
                                   .w = w_.data(),
                                   .u = u_.data(),
                                   .b = b_.data(),
                                   .h0 = h0_.data(),
                                   .c0 = c0_.data(),
                                   .ids = z_.rows > 0 ? ids_.data() : nullptr,
                                   .mask = z_.masked ? mask_.data() : nullptr,
                                   .dropout = dropout_.data()};
    const int64_t states = z_.batch * z_.units;
    Results r;
    const auto nans = [](std::vector<std::vector<float>>& all, int64_t n) {
      all.push_back(std::vector<float>(n, kNan));
    };
    for (const int64_t n : {states * z_.time, states, states}) nans(r.forward, n);
    if (!lstm()) r.forward.pop_back();
    for (const Operand* like : {&x_, &w_, &u_}) nans(r.backward, like->floats.size());
    nans(r.backward, bias_size());
    nans(r.backward, states);
    if (lstm()) nans(r.backward, states);
    Memory workspace(recurrence.workspace_bytes());
    Memory scratch(recurrence.forward_scratch_bytes());
    void* const kept = anew ? nullptr : workspace.data;
    recurrence.Forward(in,
                       {.sequence = r.forward[0].data(),
                        .last = r.forward[1].data(),
                        .last_cell = lstm() ? r.forward[2].data() : nullptr},
                       kept, scratch.data, pool);
    Memory more(recurrence.backward_scratch_bytes(anew));
    recurrence.Backward(in,
                        {.sequence = r.forward[0].data(),
                         .d_sequence = d_sequence_.data(),
                         .d_last = d_last_.data(),
                         .d_last_cell = d_last_cell_.data()},
                        {.dx = r.backward[0].data(),
                         .dw = z_.projected ? nullptr : r.backward[1].data(),
                         .du = r.backward[2].data(),
                         .db = r.backward[3].data(),
                         .dh0 = r.backward[4].data(),
                         .dc0 = lstm() ? r.backward[5].data() : nullptr},
                        kept, more.data, pool);
    return r;
  }

  // All steps one at a time; of the states of all streams, the first alone on its own.
  void ExpectSteps() {
    h0_ = c0_ = Operand();
    const RecurrenceOperands in = {.w = w_.data(), .u = u_.data(), .b = b_.data()};
    RecurrenceSteps all(z_, in), first(z_, in);
    if (z_.weights != WeightFormat::kFloat32) RoundWeights();
    OptionalTensors inputs = {x_.tensor, w_.tensor, u_.tensor, b_.tensor};
    inputs.resize(lstm() ? 8 : 7);
    SEQ_ASSERT_OK_AND_ASSIGN(const OptionalTensors expected,
                             Evaluate(*AllOps().Find(OpName()), AttributesOf(), inputs));
    const auto sequence = expected[0]->Elements<double>();
    std::vector<float> x(z_.batch * z_.features);
    for (int64_t t = 0; t < z_.time; ++t) {
      for (int64_t n = 0; n < z_.batch; ++n) {
        std::copy_n(x_.data() + (n * z_.time + t) * z_.features, z_.features,
                    x.data() + n * z_.features);
      }
      all.Step(x.data(), z_.batch);
      first.Step(x.data(), 1);
      for (int64_t n = 0; n < z_.batch; ++n) {
        for (int64_t j = 0; j < z_.units; ++j) {
          const double want = sequence[(n * z_.time + t) * z_.units + j];
          const double bound = (any_ ? 1e-5 : 4e-6) * std::max(1.0, std::abs(want));
          ASSERT_NEAR(all.states()[n * all.width() + j], want, bound)
              << t << ", " << n << ", " << j;
          if (n > 0) continue;
          ASSERT_NEAR(first.states()[j], want, bound) << t << ", " << j;
        }
      }
    }
  }

  // By the definitions.
  void Expect(const Results& results) const {
    OptionalTensors inputs = {x_.tensor, w_.tensor, u_.tensor, b_.tensor, h0_.tensor};
    if (lstm()) inputs.push_back(c0_.tensor);
    std::optional<Tensor> mask;
    if (z_.masked) mask = Tensor::Of<int32_t>(Shape{z_.batch, z_.time}, mask_);
    const std::optional<Tensor> masks[] = {mask, dropout_.tensor};
    const bool simple = z_.cell == CellKind::kSimple, lookup = z_.rows > 0;
    if (lookup) {
      inputs[0] = Tensor::Of<int32_t>(Shape{z_.batch, z_.time}, ids_);
      inputs[1] = x_.tensor;
    }
    OptionalTensors forward = inputs;
    forward.insert(forward.end(), std::begin(masks), std::end(masks));
    const std::string op = absl::StrCat(lookup ? "Lookup" : "", OpName());
    const Attributes attributes = AttributesOf();
    SEQ_ASSERT_OK_AND_ASSIGN(const OptionalTensors states,
                             Evaluate(*AllOps().Find(op), attributes, forward));
    OptionalTensors incoming = {states[0], d_sequence_.tensor, d_last_.tensor};
    if (lstm()) incoming.push_back(d_last_cell_.tensor);
    if (simple) {
      inputs.insert(inputs.end(), incoming.begin(), incoming.end());
      inputs.insert(inputs.end(), std::begin(masks), std::end(masks));
    } else {
      inputs = forward;
      inputs.insert(inputs.end(), incoming.begin(), incoming.end());
    }
    SEQ_ASSERT_OK_AND_ASSIGN(OptionalTensors gradients,
                             Evaluate(*AllOps().Find(op + "Grad"), attributes, inputs));
    Compare("output", results.forward, states);
    if (lookup) gradients.insert(gradients.begin() + 1, *Tensor::Zeros({DType::kFloat64, {0}}));
    Compare("gradient", results.backward, gradients);
  }

 private:
  std::string OpName() const {
    return z_.cell == CellKind::kSimple ? "RNNCell" : lstm() ? "LSTMCell" : "GRUCell";
  }
  Attributes AttributesOf() const {
    Attributes attributes = {{"reverse", z_.reverse}};
    SetCellFunctions(AllOps().Find(OpName())->recurrence()->cell, z_.functions, attributes);
    if (z_.gates() == 3) attributes.Set("reset_after", z_.cell == CellKind::kGruAfter);
    return attributes;
  }
  bool lstm() const { return z_.cell == CellKind::kLstm; }
  int64_t bias_size() const {
    return z_.columns() * (z_.cell == CellKind::kGruAfter ? 2 : 1) +
           (z_.functions.peepholes ? 3 * z_.units : 0);
  }

  // Smooth ones: near a kink, a rounding is another slope.
  void DrawFunctions() {
    const auto draw = [this] {
      std::vector<ActivationFunction> smooth;
      for (const ActivationRow& row : ActivationTable()) {
        const ActivationFunction f = {row.kind, row.alpha, row.beta};
        if (row.steepest > 0 && std::isinf(KinkDistance(f, 0))) smooth.push_back(f);
      }
      return source_.OneOf(smooth);
    };
    z_.functions = {.gates = draw(), .state = draw(), .output = draw()};
    if (!lstm()) {
      z_.functions.output = z_.functions.state;
      return;
    }
    z_.functions.coupled = source_.Coin();
    z_.functions.peepholes = source_.Coin();
  }

  Operand Random(const Shape& shape, double limit) {
    return Operand(source_.Reals(shape, -limit, limit));
  }
  Operand Maybe(const Shape& shape, double limit) {
    return source_.Coin() ? Random(shape, limit) : Operand();
  }

  void MakeOperands() {
    const int64_t columns = z_.columns();
    const Shape state = {z_.batch, z_.units}, sequence = {z_.batch, z_.time, z_.units};
    const double limit = 1 / std::sqrt(z_.units);
    x_ = z_.rows > 0 ? Random({z_.rows, columns}, 1) : Random({z_.batch, z_.time, z_.features}, 1);
    if (z_.rows > 0) {
      const auto ids = source_.Indices({z_.batch * z_.time}, z_.rows);
      ids_.assign(ids.Elements<int32_t>().begin(), ids.Elements<int32_t>().end());
    }
    if (!z_.projected) w_ = Random({z_.features, columns}, 1 / std::sqrt(z_.features));
    u_ = Random({z_.units, columns}, limit);
    b_ = Maybe(z_.cell == CellKind::kGruAfter ? Shape{2, columns} : Shape{bias_size()}, 0.5);
    h0_ = Maybe(state, 1);
    if (lstm()) c0_ = Maybe(state, 1);
    if (z_.dropout) dropout_ = Random({z_.batch, columns}, 1.5);
    d_sequence_ = Maybe(sequence, 1);
    d_last_ = Random(state, 1);
    if (lstm()) d_last_cell_ = Maybe(state, 1);
    for (int64_t b = 0; b < z_.batch; ++b) {
      const int64_t length = source_.Int(0, z_.time);
      for (int64_t t = 0; t < z_.time; ++t) mask_.push_back(MaskAt(t, length));
    }
  }

  int32_t MaskAt(int64_t t, int64_t length) {
    switch (mask_kind_) {
      case MaskKind::kPrefix:
        return t < length;
      case MaskKind::kSuffix:
        return t >= z_.time - length;
      case MaskKind::kAny:
        return source_.Coin();
      default:
        return 1;
    }
  }

  void Compare(const char* what, const std::vector<std::vector<float>>& actual,
               const OptionalTensors& expected) const {
    ASSERT_EQ(actual.size(), expected.size());
    for (size_t o = 0; o < actual.size(); ++o) {
      const auto wanted = expected[o]->Elements<double>();
      ASSERT_EQ(actual[o].size(), wanted.size()) << what << " " << o;
      double scale = 1;
      for (const double x : wanted) scale = std::max(scale, std::abs(x));
      for (size_t i = 0; i < wanted.size(); ++i) {
        ASSERT_NEAR(actual[o][i], wanted[i], (any_ ? 1e-5 : 4e-6) * scale)
            << what << " " << o << "[" << i << "]";
      }
    }
  }

  SampleSource source_;
  RecurrenceSizes z_;
  bool any_;
  MaskKind mask_kind_;
  Operand x_, w_, u_, b_, h0_, c0_, dropout_, d_sequence_, d_last_, d_last_cell_;
  std::vector<int32_t> ids_, mask_;
};

class RecurrenceTest : public testing::TestWithParam<CellKind> {
 protected:
  ~RecurrenceTest() override { (void)ForceTarget(""); }
  const FlushDenormals flush_;
};

TEST_P(RecurrenceTest, IsTheDefinitionOnEveryTarget) {
  for (const std::string& target : SupportedTargets()) {
    SEQ_ASSERT_OK(ForceTarget(target));
    for (uint64_t i = 0; i < 120; ++i) {
      const Trial trial(GetParam(), kSeed + i);
      SCOPED_TRACE(absl::StrCat(trial.Describe(), "; seed ", kSeed + i));
      for (const bool anew : {false, true}) {
        SCOPED_TRACE(anew ? "gates anew" : "gates kept");
        trial.Expect(trial.Run(/*threads=*/1, anew));
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST_P(RecurrenceTest, ThreadsDoNotChangeBits) {
  for (uint64_t i = 0; i < 40; ++i) {
    const Trial trial(GetParam(), kSeed + 1000 + i);
    const Results one = trial.Run(1, false);
    for (const int threads : {2, 3}) EXPECT_TRUE(one == trial.Run(threads, false)) << threads;
  }
}

TEST_P(RecurrenceTest, StepsOfStreamsAreTheDefinitionOnEveryTarget) {
  for (const std::string& target : SupportedTargets()) {
    SEQ_ASSERT_OK(ForceTarget(target));
    for (uint64_t i = 0; i < 80; ++i) {
      Trial trial(GetParam(), kSeed + 2000 + i, /*plain=*/true);
      SCOPED_TRACE(absl::StrCat(trial.Describe(), "; seed ", kSeed + 2000 + i));
      trial.ExpectSteps();
      if (HasFatalFailure()) return;
    }
  }
}

TEST_P(RecurrenceTest, WeightsInFewerBitsAreTheRoundedOnesOnEveryTarget) {
  for (const std::string& target : SupportedTargets()) {
    SEQ_ASSERT_OK(ForceTarget(target));
    for (uint64_t i = 0; i < 40; ++i) {
      const WeightFormat format = i % 2 == 0 ? WeightFormat::kBf16 : WeightFormat::kInt8;
      const uint64_t seed = kSeed + 3000 + i;
      Trial trial(GetParam(), seed, /*plain=*/false, format);
      SCOPED_TRACE(absl::StrCat(trial.Describe(), "; seed ", seed));
      trial.RoundWeights();
      trial.Expect(trial.Run(/*threads=*/1, /*anew=*/i % 4 < 2));
      Trial steps(GetParam(), seed, /*plain=*/true, format);
      steps.ExpectSteps();
      if (HasFatalFailure()) return;
    }
  }
}

std::string NameOf(const testing::TestParamInfo<CellKind>& info) {
  switch (info.param) {
    case CellKind::kSimple:
      return "Simple";
    case CellKind::kLstm:
      return "Lstm";
    case CellKind::kGruAfter:
      return "GruAfter";
    case CellKind::kGruBefore:
      return "GruBefore";
  }
  return "";
}

INSTANTIATE_TEST_SUITE_P(Cells, RecurrenceTest,
                         testing::Values(CellKind::kSimple, CellKind::kLstm, CellKind::kGruAfter,
                                         CellKind::kGruBefore),
                         NameOf);

}  // namespace
}  // namespace seqgraph::kernels
