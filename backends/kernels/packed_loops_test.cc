// Products and look-ups with weights in fewer bits, on every target that this CPU has, against the
// definition of RoundWeights in double; sizes around the vector widths, rows of zeros, NaN.

#include "backends/kernels/packed_loops.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "backends/kernels/target.h"
#include "graph/bound_rules.h"
#include "graph/evaluate.h"
#include "ops/all_ops.h"
#include "tests/testing.h"

namespace seqgraph::kernels {
namespace {

constexpr uint64_t kSeed = 20261129;
constexpr WeightFormat kFormats[] = {WeightFormat::kBf16, WeightFormat::kInt8};

struct Free {
  void operator()(void* memory) const { std::free(memory); }
};
// 64-byte aligned, with guards behind it that CheckGuards looks at.
class Memory {
 public:
  explicit Memory(int64_t bytes)
      : bytes_(bytes), data_(std::aligned_alloc(64, (bytes + 127) / 64 * 64)) {
    std::memset(data_.get(), 0xff, (bytes + 127) / 64 * 64);
  }
  ~Memory() {
    const unsigned char* end = static_cast<unsigned char*>(data_.get()) + bytes_;
    for (int i = 0; i < 64; ++i) EXPECT_EQ(end[i], 0xff) << "byte " << i << " behind the memory";
  }
  void* get() const { return data_.get(); }

 private:
  const int64_t bytes_;
  const std::unique_ptr<void, Free> data_;
};

std::vector<float> Floats(const Tensor& reals) {
  const auto elements = reals.Elements<double>();
  return std::vector<float>(elements.begin(), elements.end());
}

// Uniform floats, some rows of which are far smaller than others, and some zero.
Tensor Weights(SampleSource& source, int64_t rows, int64_t columns) {
  Tensor w = source.Reals({rows, columns});
  for (int64_t i = 0; i < rows * columns; ++i) {
    double& x = w.Elements<double>()[i];
    const int64_t kind = (i % columns + i / columns) % 7;
    x = static_cast<float>(kind == 3 ? 0 : kind == 5 ? x * 1e-3 : x);
  }
  return w;
}

// As the op does, from w in double.
Tensor Rounded(const Tensor& w, WeightFormat format, int64_t axis) {
  const Attributes attributes = {{"format", WeightFormatName(format)}, {"axis", axis}};
  const auto rounded = Evaluate(*AllOps().Find("RoundWeights"), attributes, {w});
  SEQ_CHECK(rounded.ok());
  return *(*rounded)[0];
}

class PackedLoopsTest : public testing::Test {
 protected:
  ~PackedLoopsTest() override { (void)ForceTarget(""); }
};

TEST_F(PackedLoopsTest, ProductsAreThoseOfTheRoundedWeights) {
  for (const std::string& target : SupportedTargets()) {
    SEQ_ASSERT_OK(ForceTarget(target));
    for (uint64_t i = 0; i < 60; ++i) {
      SampleSource source(kSeed + i);
      const WeightFormat format = kFormats[i % 2];
      const GemmShape shape = {source.OneOf<int64_t>({1, 2, 5, 12, 13, 200}),
                               source.OneOf<int64_t>({1, 3, 16, 70}),
                               source.OneOf<int64_t>({1, 8, 9, 16, 31, 32, 48, 100})};
      SCOPED_TRACE(absl::StrCat(target, ", ", WeightFormatName(format), ": [", shape.rows, ", ",
                                shape.inner, "] x [", shape.inner, ", ", shape.columns, "], seed ",
                                kSeed + i));
      const Tensor w = Rounded(Weights(source, shape.inner, shape.columns), format, 1);
      const std::vector<float> x = Floats(source.Reals({shape.rows, shape.inner}));
      const std::vector<float> b = Floats(source.Reals({shape.columns}));
      const bool has_bias = source.Coin();
      const Memory packed(PackedMatrixBytes(format, shape.inner, shape.columns));
      const Memory scratch(MultiplyPackedScratch(shape) * 4), y(shape.rows * shape.columns * 4),
          again(shape.rows * shape.columns * 4);
      PackMatrix(format, Floats(w).data(), shape.inner, shape.columns, packed.get());
      for (const auto& [to, threads] : {std::pair(&y, 1), std::pair(&again, 3)}) {
        ThreadPool pool(threads);
        MultiplyPacked(shape, x.data(), format, packed.get(), has_bias ? b.data() : nullptr,
                       static_cast<float*>(to->get()), static_cast<float*>(scratch.get()), pool);
      }
      EXPECT_EQ(std::memcmp(y.get(), again.get(), shape.rows * shape.columns * 4), 0);
      for (int64_t r = 0; r < shape.rows; ++r) {
        for (int64_t j = 0; j < shape.columns; ++j) {
          double sum = has_bias ? b[j] : 0, magnitudes = std::abs(sum);
          for (int64_t k = 0; k < shape.inner; ++k) {
            const double term =
                x[r * shape.inner + k] * w.Elements<double>()[k * shape.columns + j];
            sum += term;
            magnitudes += std::abs(term);
          }
          ASSERT_NEAR(static_cast<float*>(y.get())[r * shape.columns + j], sum,
                      SumOfTerms(shape.inner + 1, magnitudes).absolute())
              << r << ", " << j;
        }
      }
    }
  }
}

TEST_F(PackedLoopsTest, LookUpsGiveTheRoundedRowsBitForBit) {
  for (const std::string& target : SupportedTargets()) {
    SEQ_ASSERT_OK(ForceTarget(target));
    for (uint64_t i = 0; i < 40; ++i) {
      SampleSource source(kSeed + 100 + i);
      const WeightFormat format = kFormats[i % 2];
      const int64_t rows = source.Int(1, 9), count = source.Int(1, 20);
      const int64_t width = source.OneOf<int64_t>({1, 4, 7, 8, 16, 19, 33});
      SCOPED_TRACE(absl::StrCat(target, ", ", WeightFormatName(format), ", width ", width,
                                ", seed ", kSeed + 100 + i));
      const std::vector<float> table =
          Floats(Rounded(Weights(source, rows, width), format, /*axis=*/0));
      const Tensor ids = source.Indices({count}, rows);
      const Memory packed(PackedTableBytes(format, rows, width)), y(count * width * 4);
      PackTable(format, table.data(), rows, width, packed.get());
      GatherPacked(format, packed.get(), rows, width, ids.Elements<int32_t>().data(), count,
                   static_cast<float*>(y.get()));
      for (int64_t n = 0; n < count; ++n) {
        const float* row = table.data() + ids.Elements<int32_t>()[n] * width;
        for (int64_t j = 0; j < width; ++j) {
          ASSERT_EQ(static_cast<float*>(y.get())[n * width + j], row[j]) << n << ", " << j;
        }
      }
    }
  }
}

TEST_F(PackedLoopsTest, NaNMakesItsRowNaNAndNoOther) {
  constexpr int64_t kColumns = 40;
  const GemmShape shape = {2, 3, kColumns};
  for (const std::string& target : SupportedTargets()) {
    SEQ_ASSERT_OK(ForceTarget(target));
    for (const float bad :
         {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
      std::vector<float> w(3 * kColumns, 0.5f);
      w[kColumns + 17] = bad;
      for (const WeightFormat format : kFormats) {
        SCOPED_TRACE(absl::StrCat(target, " ", WeightFormatName(format), " ", bad));
        const Memory packed(PackedMatrixBytes(format, 3, kColumns));
        const Memory scratch(MultiplyPackedScratch(shape) * 4);
        PackMatrix(format, w.data(), 3, kColumns, packed.get());
        const std::vector<float> x = {1, 2, -3, 1, 0, 1};
        std::vector<float> y(2 * kColumns);
        ThreadPool pool(1);
        MultiplyPacked(shape, x.data(), format, packed.get(), nullptr, y.data(),
                       static_cast<float*>(scratch.get()), pool);
        for (int64_t j = 0; j < kColumns; ++j) EXPECT_EQ(std::isfinite(y[j]), j != 17) << j;
        EXPECT_EQ(y[16], 0);
        EXPECT_NEAR(y[kColumns + 18], 1, 1e-4);
      }
      // A row of a table.
      const std::vector<float> table = {1, -2, bad, bad};
      const Memory packed(PackedTableBytes(WeightFormat::kBf16, 2, 2));
      PackTable(WeightFormat::kBf16, table.data(), 2, 2, packed.get());
      const int32_t ids[] = {1, 0};
      float y[4];
      GatherPacked(WeightFormat::kBf16, packed.get(), 2, 2, ids, 2, y);
      EXPECT_FALSE(std::isfinite(y[0]));
      EXPECT_EQ(y[3], -2);
    }
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const std::vector<float> table = {1, -2, nan, nan};
    const Memory packed(PackedTableBytes(WeightFormat::kInt8, 2, 2));
    PackTable(WeightFormat::kInt8, table.data(), 2, 2, packed.get());
    const int32_t ids[] = {1, 0};
    float y[4];
    GatherPacked(WeightFormat::kInt8, packed.get(), 2, 2, ids, 2, y);
    EXPECT_TRUE(std::isnan(y[0]) && std::isnan(y[1]));
    EXPECT_EQ(y[3], -127 * Int8Scale(2));
  }
}

}  // namespace
}  // namespace seqgraph::kernels
