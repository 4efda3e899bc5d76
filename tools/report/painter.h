#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "training/tensorboard/png.h"

namespace seqgraph::tools {

/// Draws lines, areas and text into pixels, with smooth edges (FreeType). Places are in units of
/// `scale` pixels from the upper left corner.
class Painter {
 public:
  using Points = std::vector<std::pair<double, double>>;

  struct Ink {
    uint32_t rgb = 0;  ///< 0xRRGGBB
    double opacity = 1;
  };
  struct TextStyle {
    double size = 12;  ///< units from line to line of a font
    bool bold = false;
  };

  /// A white picture of so many units. Errors: NotFound where the system has no font of letters;
  /// ResourceExhausted for more than 100 million pixels.
  static absl::StatusOr<std::unique_ptr<Painter>> Create(int width, int height, double scale);
  ~Painter();
  Painter(const Painter&) = delete;
  Painter& operator=(const Painter&) = delete;

  /// Everything drawn from here on is moved so far down.
  void SetTop(double top) { top_ = top; }
  /// What lies within the closed line.
  void Fill(const Points& outline, Ink ink);
  /// `dashes`: lengths of lines and gaps by turns; empty: no gaps.
  void Stroke(const Points& line, double width, Ink ink, absl::Span<const double> dashes = {});
  /// Of any bytes; what is no character, or a control character, is drawn as U+FFFD.
  double TextWidth(const std::string& text, TextStyle style);
  /// Begins at x, on the line y.
  void Text(const std::string& text, double x, double y, TextStyle style, Ink ink);

  const Pixels& pixels() const { return pixels_; }

 private:
  struct Fonts;
  Painter(int width, int height, double scale, std::unique_ptr<Fonts> fonts);

  void StrokePiece(absl::Span<const std::pair<double, double>> line, double width, Ink ink);

  Pixels pixels_;
  double scale_, top_ = 0;
  std::unique_ptr<Fonts> fonts_;
};

}  // namespace seqgraph::tools
