#include "tools/report/painter.h"

#include <ft2build.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <cmath>
#include <map>
#include FT_FREETYPE_H
#include FT_OUTLINE_H
#include FT_STROKER_H

#include "base/status_macros.h"
#include "tools/report/font_files.h"

namespace seqgraph::tools {
namespace {

constexpr int64_t kMostPixels = 100'000'000;
// FreeType counts points of an outline in 16 bits: of a long line so many at once.
constexpr size_t kPointsAtOnce = 256;

// FreeType's 1/64 pixels.
FT_Pos Fixed(double pixels) { return static_cast<FT_Pos>(std::lround(pixels * 64)); }

struct Target {
  Pixels* pixels;
  Painter::Ink ink;
};

// Rows count from below, as FreeType's do.
void Blend(int y, int count, const FT_Span* spans, void* user) {
  const Target& target = *static_cast<Target*>(user);
  Pixels& to = *target.pixels;
  const int row = to.height - 1 - y;
  if (row < 0 || row >= to.height) return;
  for (int i = 0; i < count; ++i) {
    const double share = target.ink.opacity * spans[i].coverage / 255.0;
    const int begin = std::max<int>(spans[i].x, 0);
    const int end = std::min<int>(spans[i].x + spans[i].len, to.width);
    for (int x = begin; x < end; ++x) {
      for (int channel = 0; channel < 3; ++channel) {
        uint8_t& value = to.rgb[(static_cast<size_t>(row) * to.width + x) * 3 + channel];
        const int ink = static_cast<int>(target.ink.rgb >> (16 - 8 * channel)) & 0xFF;
        value = static_cast<uint8_t>(std::lround(value + share * (ink - value)));
      }
    }
  }
}

void Draw(FT_Library library, FT_Outline* outline, Target target) {
  FT_Raster_Params how = {};
  how.flags = FT_RASTER_FLAG_AA | FT_RASTER_FLAG_DIRECT | FT_RASTER_FLAG_CLIP;
  how.gray_spans = Blend;
  how.user = &target;
  how.clip_box = {0, 0, target.pixels->width, target.pixels->height};
  FT_Outline_Render(library, outline, &how);
}

// What shows as nothing, or turns what is around it, is shown.
bool Shows(UChar32 c) {
  return c >= 0x20 && !(c >= 0x7F && c <= 0x9F) && c != 0x061C && c != 0x200E && c != 0x200F &&
         !(c >= 0x202A && c <= 0x202E) && !(c >= 0x2066 && c <= 0x2069);
}

std::vector<UChar32> CharactersOf(const std::string& text) {
  std::vector<UChar32> characters;
  for (size_t i = 0; i < text.size();) {
    UChar32 c = 0;
    U8_NEXT(text.data(), i, text.size(), c);
    characters.push_back(Shows(c) ? c : 0xFFFD);
  }
  return characters;
}

}  // namespace

// The first font, and others where it lacks a character.
struct Painter::Fonts {
  FT_Library library = nullptr;
  std::vector<std::string> files;  // that are not open
  std::vector<FT_Face> faces;
  std::map<UChar32, FT_Face> face_of;

  Fonts() = default;
  ~Fonts() {
    if (library != nullptr) FT_Done_FreeType(library);  // with its faces
  }
  Fonts(const Fonts&) = delete;
  Fonts& operator=(const Fonts&) = delete;

  FT_Face Open(const std::string& file) const {
    FT_Face face = nullptr;
    if (FT_New_Face(library, file.c_str(), 0, &face) != 0) return nullptr;
    if (FT_IS_SCALABLE(face) && FT_Select_Charmap(face, FT_ENCODING_UNICODE) == 0) return face;
    FT_Done_Face(face);
    return nullptr;
  }

  absl::Status OpenFirst() {
    if (FT_Init_FreeType(&library) != 0) return absl::InternalError("FreeType does not begin");
    files = FontFiles();
    while (!files.empty() && faces.empty()) {
      const FT_Face face = Open(files.front());
      files.erase(files.begin());
      if (face == nullptr) continue;
      if (FT_Get_Char_Index(face, 'a') != 0) {
        faces.push_back(face);
      } else {
        FT_Done_Face(face);
      }
    }
    if (!faces.empty()) return absl::OkStatus();
    return NotFound(
        "a picture needs a font, and /usr/share/fonts has none: install one (Debian: "
        "fonts-dejavu-core)");
  }

  FT_Face FaceOf(UChar32 c) {
    const auto [found, is_new] = face_of.try_emplace(c, faces[0]);
    if (!is_new) return found->second;
    const auto has = [c](FT_Face face) {
      return FT_Get_Char_Index(face, static_cast<FT_ULong>(c)) != 0;
    };
    for (const FT_Face face : faces) {
      if (has(face)) return found->second = face;
    }
    for (size_t i = 0; i < files.size(); ++i) {
      const FT_Face face = Open(files[i]);
      if (face == nullptr) continue;
      if (has(face)) {
        faces.push_back(face);
        files.erase(files.begin() + static_cast<std::ptrdiff_t>(i));
        return found->second = face;
      }
      FT_Done_Face(face);
    }
    return found->second;  // the font's sign for what it lacks
  }

  // The outline of a character is then in the face's glyph.
  FT_GlyphSlot Load(UChar32 c, double pixels, bool bold) {
    const FT_Face face = FaceOf(c);
    if (FT_Set_Char_Size(face, 0, Fixed(pixels), 72, 72) != 0) return nullptr;
    const FT_UInt glyph = FT_Get_Char_Index(face, static_cast<FT_ULong>(c));
    if (FT_Load_Glyph(face, glyph, FT_LOAD_NO_BITMAP | FT_LOAD_NO_HINTING) != 0) return nullptr;
    if (face->glyph->format != FT_GLYPH_FORMAT_OUTLINE) return nullptr;
    if (bold) {
      FT_Outline_Embolden(&face->glyph->outline, Fixed(pixels / 20));
      face->glyph->advance.x += Fixed(pixels / 20);
    }
    return face->glyph;
  }
};

Painter::Painter(int width, int height, double scale, std::unique_ptr<Fonts> fonts)
    : pixels_(static_cast<int>(width * scale), static_cast<int>(height * scale)),
      scale_(scale),
      fonts_(std::move(fonts)) {
  std::fill(pixels_.rgb.begin(), pixels_.rgb.end(), 0xFF);
}

Painter::~Painter() = default;

absl::StatusOr<std::unique_ptr<Painter>> Painter::Create(int width, int height, double scale) {
  const double pixels = width * scale * height * scale;
  if (!(pixels <= kMostPixels) || width * scale > 32'000 || height * scale > 32'000) {
    return ResourceExhausted("a picture of ", width * scale, " by ", height * scale,
                             " pixels is too large; .svg has room for all");
  }
  auto fonts = std::make_unique<Fonts>();
  SEQ_RETURN_IF_ERROR(fonts->OpenFirst());
  return std::unique_ptr<Painter>(new Painter(width, height, scale, std::move(fonts)));
}

void Painter::Fill(const Points& outline, Ink ink) {
  std::vector<FT_Vector> points;
  for (const auto& [x, y] : outline) {
    points.push_back({Fixed(x * scale_), Fixed(pixels_.height - (y + top_) * scale_)});
  }
  if (points.size() < 3 || points.size() > 32'000) return;
  FT_Outline all = {};
  if (FT_Outline_New(fonts_->library, static_cast<FT_UInt>(points.size()), 1, &all) != 0) return;
  std::copy(points.begin(), points.end(), all.points);
  std::fill(all.tags, all.tags + points.size(), FT_CURVE_TAG_ON);
  all.contours[0] = static_cast<short>(points.size() - 1);  // NOLINT(google-runtime-int)
  Draw(fonts_->library, &all, {&pixels_, ink});
  FT_Outline_Done(fonts_->library, &all);
}

void Painter::StrokePiece(absl::Span<const std::pair<double, double>> line, double width, Ink ink) {
  FT_Stroker stroker = nullptr;
  if (line.size() < 2 || FT_Stroker_New(fonts_->library, &stroker) != 0) return;
  FT_Stroker_Set(stroker, Fixed(width * scale_ / 2), FT_STROKER_LINECAP_BUTT,
                 FT_STROKER_LINEJOIN_ROUND, 0);
  for (size_t i = 0; i < line.size(); ++i) {
    FT_Vector at = {Fixed(line[i].first * scale_),
                    Fixed(pixels_.height - (line[i].second + top_) * scale_)};
    if (i == 0) {
      FT_Stroker_BeginSubPath(stroker, &at, /*open=*/1);
    } else {
      FT_Stroker_LineTo(stroker, &at);
    }
  }
  FT_Stroker_EndSubPath(stroker);
  FT_UInt points = 0, contours = 0;
  FT_Outline all = {};
  if (FT_Stroker_GetCounts(stroker, &points, &contours) == 0 && points <= 32'000 &&
      FT_Outline_New(fonts_->library, points, static_cast<FT_Int>(contours), &all) == 0) {
    all.n_points = 0;
    all.n_contours = 0;
    FT_Stroker_Export(stroker, &all);
    Draw(fonts_->library, &all, {&pixels_, ink});
    all.n_points = static_cast<short>(points);      // NOLINT(google-runtime-int)
    all.n_contours = static_cast<short>(contours);  // NOLINT(google-runtime-int)
    FT_Outline_Done(fonts_->library, &all);
  }
  FT_Stroker_Done(stroker);
}

void Painter::Stroke(const Points& line, double width, Ink ink, absl::Span<const double> dashes) {
  if (dashes.empty()) {
    // Pieces share some lines, so that where one ends another goes on.
    constexpr size_t kShared = 24;
    for (size_t begin = 0; begin + 1 < line.size(); begin += kPointsAtOnce - kShared) {
      StrokePiece(absl::MakeConstSpan(line).subspan(begin, kPointsAtOnce), width, ink);
    }
    return;
  }
  size_t dash = 0;
  double left = dashes[0];
  Points piece;
  if (!line.empty()) piece.push_back(line[0]);
  for (size_t i = 0; i + 1 < line.size(); ++i) {
    const auto [x0, y0] = line[i];
    const auto [x1, y1] = line[i + 1];
    const double length = std::hypot(x1 - x0, y1 - y0);
    double done = 0;
    while (length - done > left) {
      done += left;
      const std::pair<double, double> at = {x0 + (x1 - x0) * done / length,
                                            y0 + (y1 - y0) * done / length};
      piece.push_back(at);
      if (dash % 2 == 0) StrokePiece(piece, width, ink);
      piece = {at};
      dash = (dash + 1) % dashes.size();
      left = dashes[dash];
    }
    left -= length - done;
    piece.push_back(line[i + 1]);
    if (piece.size() >= kPointsAtOnce) {
      if (dash % 2 == 0) StrokePiece(piece, width, ink);
      piece.erase(piece.begin(), piece.end() - 2);
    }
  }
  if (dash % 2 == 0) StrokePiece(piece, width, ink);
}

double Painter::TextWidth(const std::string& text, TextStyle style) {
  double width = 0;
  for (const UChar32 c : CharactersOf(text)) {
    const FT_GlyphSlot glyph = fonts_->Load(c, style.size * scale_, style.bold);
    if (glyph != nullptr) width += static_cast<double>(glyph->advance.x) / 64 / scale_;
  }
  return width;
}

void Painter::Text(const std::string& text, double x, double y, TextStyle style, Ink ink) {
  const FT_Pos line = Fixed(pixels_.height - (y + top_) * scale_);
  FT_Pos at = Fixed(x * scale_);
  for (const UChar32 c : CharactersOf(text)) {
    const FT_GlyphSlot glyph = fonts_->Load(c, style.size * scale_, style.bold);
    if (glyph == nullptr) continue;
    FT_Outline_Translate(&glyph->outline, at, line);
    Draw(fonts_->library, &glyph->outline, {&pixels_, ink});
    at += glyph->advance.x;
  }
}

}  // namespace seqgraph::tools
