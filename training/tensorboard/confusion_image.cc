#include "training/tensorboard/confusion_image.h"

#include <algorithm>
#include <array>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace seqgraph {
namespace {

constexpr int64_t kMaxClassesWithDigits = 32;
constexpr int kScale = 2;        // pixels a dot of a digit
constexpr int kDigitWidth = 3;   // dots
constexpr int kDigitHeight = 5;  // and from one digit to the next one more than its width
constexpr int kLeastCell = 28;   // pixels

// Rows of three dots from above to below, the left one first.
constexpr std::array<std::array<uint8_t, kDigitHeight>, 10> kDigits = {{
    {7, 5, 5, 5, 7},
    {2, 6, 2, 2, 7},
    {7, 1, 7, 4, 7},
    {7, 1, 7, 1, 7},
    {5, 5, 7, 1, 1},
    {7, 4, 7, 1, 7},
    {7, 4, 7, 5, 7},
    {7, 1, 1, 1, 1},
    {7, 5, 7, 5, 7},
    {7, 5, 7, 1, 7},
}};

struct Color {
  uint8_t red, green, blue;
};
constexpr Color kWhite = {255, 255, 255};
constexpr Color kDark = {8, 48, 107};
constexpr Color kText = {32, 32, 32};

// From white (0) to dark (1).
Color Shade(double share) {
  const auto mix = [share](uint8_t from, uint8_t to) {
    return static_cast<uint8_t>(from + share * (to - from) + 0.5);
  };
  return {mix(kWhite.red, kDark.red), mix(kWhite.green, kDark.green), mix(kWhite.blue, kDark.blue)};
}

void Fill(Pixels& pixels, int left, int top, int width, int height, Color color) {
  for (int y = top; y < top + height; ++y) {
    for (int x = left; x < left + width; ++x) {
      uint8_t* pixel = &pixels.rgb[(static_cast<size_t>(y) * pixels.width + x) * 3];
      pixel[0] = color.red;
      pixel[1] = color.green;
      pixel[2] = color.blue;
    }
  }
}

int WidthOfNumber(const std::string& digits) {
  return static_cast<int>(digits.size()) * (kDigitWidth + 1) * kScale - kScale;
}

// In the middle of a cell.
void Write(Pixels& pixels, const std::string& digits, int left, int top, int width, int height,
           Color color) {
  int x = left + (width - WidthOfNumber(digits)) / 2;
  const int y = top + (height - kDigitHeight * kScale) / 2;
  for (const char digit : digits) {
    for (int row = 0; row < kDigitHeight; ++row) {
      for (int dot = 0; dot < kDigitWidth; ++dot) {
        if ((kDigits[digit - '0'][row] >> (kDigitWidth - 1 - dot) & 1) == 0) continue;
        Fill(pixels, x + dot * kScale, y + row * kScale, kScale, kScale, color);
      }
    }
    x += (kDigitWidth + 1) * kScale;
  }
}

}  // namespace

absl::StatusOr<Pixels> DrawConfusion(const ConfusionMatrix& matrix) {
  const int64_t classes = matrix.classes();
  if (classes < 1 || classes > kMaxClassesInImage) {
    return InvalidArgument("a confusion matrix of ", classes, " classes has no picture; of 1 to ",
                           kMaxClassesInImage, " it has");
  }
  const bool digits = classes <= kMaxClassesWithDigits;
  int64_t largest = classes - 1;
  for (int64_t t = 0; t < classes; ++t) {
    for (int64_t p = 0; p < classes; ++p) largest = std::max(largest, matrix.count(t, p));
  }
  const int cell = digits ? std::max(kLeastCell, WidthOfNumber(absl::StrCat(largest)) + 4 * kScale)
                          : std::max<int>(1, static_cast<int>(kMaxClassesInImage / classes));
  const int margin = digits ? cell : 0;
  const int side = margin + cell * static_cast<int>(classes);
  Pixels pixels(side, side);
  Fill(pixels, 0, 0, side, side, kWhite);
  for (int t = 0; t < classes; ++t) {
    const int top = margin + t * cell;
    if (digits) {
      Write(pixels, absl::StrCat(t), 0, top, margin, cell, kText);
      Write(pixels, absl::StrCat(t), top, 0, cell, margin, kText);
    }
    const double rows = static_cast<double>(std::max<int64_t>(matrix.rows_of(t), 1));
    for (int p = 0; p < classes; ++p) {
      const double share = static_cast<double>(matrix.count(t, p)) / rows;
      const int left = margin + p * cell;
      Fill(pixels, left, top, cell, cell, Shade(share));
      if (digits) {
        Write(pixels, absl::StrCat(matrix.count(t, p)), left, top, cell, cell,
              share > 0.5 ? kWhite : kText);
      }
    }
  }
  return pixels;
}

}  // namespace seqgraph
