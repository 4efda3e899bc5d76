#include "base/guarded_buffer.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "tests/testing.h"

namespace seqgraph {
namespace {

using testing::HasSubstr;

std::unique_ptr<GuardedBuffer> Make(int64_t bytes, int64_t alignment, Guard guard) {
  auto buffer = GuardedBuffer::Create(bytes, alignment, guard, "output y");
  return buffer.ok() ? *std::move(buffer) : nullptr;
}

class GuardedBufferTest : public testing::TestWithParam<Guard> {};

TEST_P(GuardedBufferTest, IsAlignedAndWritableAndWhole) {
  for (int64_t alignment : {64, 4096}) {
    for (int64_t bytes : {0, 1, 4, 63, 64, 65, 4095, 4096, 4097, 100000}) {
      const auto buffer = Make(bytes, alignment, GetParam());
      ASSERT_NE(buffer, nullptr);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer->data()) % alignment, 0u) << bytes;
      buffer->Fill(0xFF);
      EXPECT_EQ(buffer->Damage(), "") << bytes;
    }
  }
}

TEST_P(GuardedBufferTest, OneByteOutsideIsSeenAndPlaced) {
  for (int64_t bytes : {1, 4, 100}) {
    const auto behind = Make(bytes, 64, GetParam());
    static_cast<char*>(behind->data())[bytes] = 0;
    EXPECT_THAT(behind->Damage(), HasSubstr("1 bytes changed, the first 0 past its end"));
    const auto before = Make(bytes, 64, GetParam());
    static_cast<char*>(before->data())[-1] = 0;
    EXPECT_THAT(before->Damage(), HasSubstr("1 bytes changed, the first 1 before its beginning"));
  }
}

INSTANTIATE_TEST_SUITE_P(BothGuards, GuardedBufferTest,
                         testing::Values(Guard::kCanary, Guard::kPage), [](const auto& info) {
                           return std::string(info.param == Guard::kPage ? "Page" : "Canary");
                         });

// Under AddressSanitizer, which catches the signal, a report and exit status 1.
bool StoppedByTheGuard(int status) {
#if defined(__SANITIZE_ADDRESS__)
  return testing::ExitedWithCode(1)(status);
#else
  return testing::KilledBySignal(SIGSEGV)(status);
#endif
}

TEST(GuardedBufferDeathTest, ReadingTheByteBehindStopsTheProcess) {
  const auto buffer = Make(128, 64, Guard::kPage);
  const volatile char* data = static_cast<char*>(buffer->data());
  EXPECT_EQ(data[127], data[127]);
  EXPECT_EXIT({ std::exit(data[128] == 1 ? 2 : 0); }, StoppedByTheGuard, "");
}

TEST(GuardedBufferDeathTest, WritingAReadOnlyBufferStopsTheProcess) {
  const auto buffer = Make(128, 64, Guard::kPage);
  volatile char* data = static_cast<char*>(buffer->data());
  buffer->SetReadOnly(true);
  EXPECT_EXIT(
      {
        data[0] = 1;
        std::exit(0);
      },
      StoppedByTheGuard, "");
  buffer->SetReadOnly(false);
  data[0] = 1;
  EXPECT_EQ(data[0], 1);
}

TEST(GuardedBufferTest, AnAddressIsDescribedByTheBufferThatItIsNear) {
  const auto buffer = Make(128, 64, Guard::kPage);
  char text[200];
  DescribeAddress(static_cast<char*>(buffer->data()) + 136, text, sizeof(text));
  EXPECT_STREQ(text, "8 bytes past the end of output y (128 bytes)");
  DescribeAddress(static_cast<char*>(buffer->data()) - 3, text, sizeof(text));
  EXPECT_STREQ(text, "3 bytes before the beginning of output y (128 bytes)");
  DescribeAddress(text, text, sizeof(text));
  EXPECT_STREQ(text, "");
  char small[8];
  DescribeAddress(static_cast<char*>(buffer->data()) + 128, small, sizeof(small));
  EXPECT_LT(std::strlen(small), sizeof(small));
}

}  // namespace
}  // namespace seqgraph
