#include "training/tensorboard/confusion_image.h"

#include <png.h>

#include <cstring>
#include <string>
#include <vector>

#include "tests/testing.h"

namespace seqgraph {
namespace {

std::vector<int> At(const Pixels& pixels, int x, int y) {
  const uint8_t* pixel = &pixels.rgb[(static_cast<size_t>(y) * pixels.width + x) * 3];
  return {pixel[0], pixel[1], pixel[2]};
}

using ::testing::ElementsAre;

TEST(ConfusionImageTest, CellsAreAsDarkAsTheirShare) {
  ConfusionMatrix matrix(2);
  for (int i = 0; i < 4; ++i) matrix.Add(0, 0);
  matrix.Add(1, 0);
  matrix.Add(1, 1);
  SEQ_ASSERT_OK_AND_ASSIGN(const Pixels pixels, DrawConfusion(matrix));
  EXPECT_EQ(pixels.width, 3 * 28);
  EXPECT_EQ(pixels.height, 3 * 28);
  EXPECT_THAT(At(pixels, 29, 29), ElementsAre(8, 48, 107));     // all of class 0
  EXPECT_THAT(At(pixels, 57, 29), ElementsAre(255, 255, 255));  // none of it
  EXPECT_THAT(At(pixels, 29, 57), ElementsAre(132, 152, 181));  // half of class 1
  EXPECT_THAT(At(pixels, 0, 0), ElementsAre(255, 255, 255));
  // The 4 in the first cell, in white: its left upper dot, and the hole beside it.
  EXPECT_THAT(At(pixels, 28 + 11, 28 + 9), ElementsAre(255, 255, 255));
  EXPECT_THAT(At(pixels, 28 + 13, 28 + 9), ElementsAre(8, 48, 107));
}

TEST(ConfusionImageTest, ManyClassesHaveCellsWithoutDigits) {
  ConfusionMatrix matrix(100);
  matrix.Add(99, 99);
  SEQ_ASSERT_OK_AND_ASSIGN(const Pixels pixels, DrawConfusion(matrix));
  EXPECT_EQ(pixels.width, 1000);
  EXPECT_THAT(At(pixels, 989, 999), ElementsAre(255, 255, 255));
  EXPECT_THAT(At(pixels, 990, 990), ElementsAre(8, 48, 107));
  EXPECT_THAT(DrawConfusion(ConfusionMatrix(kMaxClassesInImage + 1)),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(DrawConfusion(ConfusionMatrix(0)), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(EncodePngTest, DecodesToTheSamePixels) {
  Pixels pixels(3, 2);
  for (size_t i = 0; i < pixels.rgb.size(); ++i) pixels.rgb[i] = static_cast<uint8_t>(i * 13);
  SEQ_ASSERT_OK_AND_ASSIGN(const std::string png, EncodePng(pixels));
  EXPECT_EQ(png.substr(0, 8), "\x89PNG\r\n\x1A\n");
  png_image image;
  std::memset(&image, 0, sizeof(image));
  image.version = PNG_IMAGE_VERSION;
  ASSERT_NE(png_image_begin_read_from_memory(&image, png.data(), png.size()), 0);
  EXPECT_EQ(image.width, 3u);
  EXPECT_EQ(image.height, 2u);
  image.format = PNG_FORMAT_RGB;
  std::vector<uint8_t> decoded(PNG_IMAGE_SIZE(image));
  ASSERT_NE(png_image_finish_read(&image, nullptr, decoded.data(), 0, nullptr), 0);
  EXPECT_EQ(decoded, pixels.rgb);
}

}  // namespace
}  // namespace seqgraph
