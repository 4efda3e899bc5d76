#include "tools/drawing/memory_picture.h"

#include <string>
#include <vector>

#include "tests/testing.h"

namespace seqgraph::tools {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

size_t Rects(const std::string& svg) {
  size_t count = 0;
  for (size_t at = 0; (at = svg.find("class=\"buffer\"", at)) != std::string::npos; ++at) ++count;
  return count;
}

TEST(MemoryPictureTest, BuffersAndWhatLivesByHand) {
  // Ten steps of 87 pixels from 90 on; 100 bytes are 360 pixels, address 0 at 376.
  const std::string svg =
      DrawMemory({{"input", 0, 50, -1, 10}, {"<b>", 50, 25, 2, 3}}, /*steps=*/10, /*arena=*/100);
  EXPECT_EQ(Rects(svg), 2u);
  EXPECT_THAT(svg, HasSubstr("x=\"90.00\" y=\"196.00\" width=\"870.00\" height=\"180.00\""));
  EXPECT_THAT(svg, HasSubstr("x=\"264.00\" y=\"106.00\" width=\"174.00\" height=\"90.00\""));
  EXPECT_THAT(svg, HasSubstr("<title>&lt;b&gt;: 25 bytes, nodes 2 to 3</title>"));
  EXPECT_THAT(svg, HasSubstr("points=\"90.00,196.00 177.00,196.00 177.00,196.00 264.00,196.00 "
                             "264.00,106.00 351.00,106.00 351.00,106.00 438.00,106.00 "
                             "438.00,196.00 "));
  EXPECT_THAT(svg, HasSubstr(">100 B</text>"));
}

TEST(MemoryPictureTest, OfManyBuffersTheLargestAreDrawn) {
  std::vector<BufferInTime> buffers;
  for (int i = 0; i < 6000; ++i) buffers.push_back({"v", i, i + 1, 0, 1});
  const std::string svg = DrawMemory(buffers, 10, 20'000'000);
  EXPECT_EQ(Rects(svg), 5000u);
  EXPECT_THAT(svg, HasSubstr("the 5000 largest of 6000 buffers"));
  EXPECT_THAT(svg, HasSubstr(">20.0 MB</text>"));
}

TEST(MemoryPictureTest, NothingIsNoError) {
  EXPECT_THAT(DrawMemory({}, 0, 0), Not(HasSubstr("nan")));
}

}  // namespace
}  // namespace seqgraph::tools
