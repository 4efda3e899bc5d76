#include "tools/report/html.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "base/content_hash.h"
#include "tools/drawing/markup.h"
#include "tools/report/page_files.h"

namespace seqgraph::tools {
namespace {

constexpr char kFoot[] =
    "<footer><p>Made by <code>seqgraph</code>. This page asks no network.</p></footer>\n";

// All in front of the main part. `scripts`: what the policy allows of them.
std::string Head(const std::string& title, const std::string& subtitle,
                 const std::string& scripts) {
  return absl::StrCat(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'",
      scripts, "\">\n<meta name=\"color-scheme\" content=\"light dark\">\n",
      "<link rel=\"icon\" href=\"data:,\">\n<title>", Text(title), "</title>\n<style>\n",
      kPageStyle,
      "</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#main\">Skip to content</a>\n",
      "<header><div><h1>", Text(title), "</h1><p>", Text(subtitle, 400),
      "</p></div><button id=\"theme\" type=\"button\" "
      "hidden><b></b><span></span></button></header>\n");
}

}  // namespace

std::string Cut(absl::string_view text, size_t most) {
  if (text.size() <= most) return std::string(text);
  size_t end = most;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return absl::StrCat(text.substr(0, end), "…");
}

std::string Text(absl::string_view text, size_t most) { return EscapeMarkup(Cut(text, most)); }

std::string Digits(double number, int digits) {
  if (std::isnan(number)) return "-";
  return absl::StrFormat("%.*g", digits, number);
}

std::string Duration(double seconds) {
  if (!(seconds >= 0)) return "-";
  if (seconds < 10) return absl::StrFormat("%.1f s", seconds);
  const auto whole = static_cast<int64_t>(std::llround(std::min(seconds, 1e12)));
  if (whole < 60) return absl::StrCat(whole, " s");
  if (whole < 3600) return absl::StrFormat("%d min %02d s", whole / 60, whole % 60);
  return absl::StrFormat("%d h %02d min", whole / 3600, whole % 3600 / 60);
}

void Page::AddLink(const std::string& id, const std::string& name) {
  absl::StrAppend(&links_, "<li><a href=\"#", id, "\">", Text(name, 40), "</a></li>");
}

void Page::Group(const std::string& name, const std::string& text) {
  const std::string id = absl::StrCat("s", ++sections_);
  in_group_ = true;
  AddLink(id, name);
  Plain(absl::StrCat("<div><h2 class=\"run-title\" id=\"", id, "\">", Text(name),
                     "</h2><p class=\"say\">", Text(text, 400), "</p></div>\n"));
}

void Page::Plain(const std::string& html) {
  if (body_.size() + chart_bytes_ + html.size() <= kMostBytes) body_ += html;
}

void Page::Section(const std::string& name, const std::string& html) {
  if (body_.size() + chart_bytes_ + html.size() > kMostBytes) {
    left_out_.push_back(name);
    return;
  }
  const std::string id = absl::StrCat("s", ++sections_);
  if (!in_group_) AddLink(id, name);
  absl::StrAppend(&body_, "<section id=\"", id, "\" aria-labelledby=\"", id, "h\"><h2 id=\"", id,
                  "h\">", Text(name), "</h2>", html, "</section>\n");
}

std::string Page::Figure(const Chart& chart) {
  const std::string drawn = ChartSvg(chart);
  const size_t bytes = ChartsJson({chart}).size();
  if (body_.size() + chart_bytes_ + bytes + drawn.size() > kMostBytes) {
    return NoteHtml(
        absl::StrCat("The chart of ", chart.title, " is left out: the page would be too large."));
  }
  chart_bytes_ += bytes;
  charts_.push_back(chart);
  return absl::StrCat("<figure><figcaption><h3>", Text(chart.title),
                      "</h3></figcaption><div class=\"plot\" data-chart=\"", charts_.size() - 1,
                      "\">", drawn, "</div></figure>");
}

std::string Page::Finish(const std::string& subtitle) const {
  const std::string script = kPageScript;
  const ContentHash hash = HashBytes(script);
  const std::string digest = absl::Base64Escape(
      absl::string_view(reinterpret_cast<const char*>(hash.bytes.data()), hash.bytes.size()));
  std::string page = Head(title_, subtitle, absl::StrCat("; script-src 'sha256-", digest, "'"));
  if (!links_.empty()) {
    absl::StrAppend(&page, "<nav aria-label=\"Sections\"><ul>", links_, "</ul></nav>\n");
  }
  absl::StrAppend(&page, "<main id=\"main\">\n", body_);
  if (!left_out_.empty()) {
    page += NoteHtml(absl::StrCat(
        "Left out, to keep the page below 1 MB: ", absl::StrJoin(left_out_, ", "), "."));
  }
  absl::StrAppend(&page, "</main>\n", kFoot, "<script type=\"application/json\" id=\"charts\">",
                  ChartsJson(charts_), "</script>\n<script>", script,
                  "</script>\n</body>\n</html>\n");
  return page;
}

std::string PlainPage(const std::string& title, const std::string& subtitle,
                      const std::string& html) {
  return absl::StrCat(Head(title, subtitle, ""), "<main id=\"main\">\n", html, "</main>\n", kFoot,
                      "</body>\n</html>\n");
}

std::string Tile(const std::string& value, const std::string& what, bool bad) {
  return absl::StrCat("<div class=\"tile", bad ? " bad" : "", "\"><b>", Text(value, 60),
                      "</b><span>", Text(what, 80), "</span></div>");
}

std::string HtmlTable(const std::string& label, const std::vector<std::string>& header,
                      const std::vector<std::vector<std::string>>& rows,
                      const std::vector<size_t>& numbers) {
  const auto is_number = [&](size_t column) {
    return std::find(numbers.begin(), numbers.end(), column) != numbers.end();
  };
  std::string html =
      absl::StrCat("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"",
                   Text(label), "\"><table><thead><tr>");
  for (size_t c = 0; c < header.size(); ++c) {
    absl::StrAppend(&html, "<th scope=\"col\"", is_number(c) ? " class=\"num\">" : ">", header[c],
                    "</th>");
  }
  html += "</tr></thead><tbody>";
  for (const std::vector<std::string>& row : rows) {
    html += "<tr>";
    for (size_t c = 0; c < row.size(); ++c) {
      const char* tag = c == 0 ? "th" : "td";
      absl::StrAppend(&html, "<", tag, c == 0 ? " scope=\"row\"" : "",
                      is_number(c) ? " class=\"num\">" : " class=\"text\">", row[c], "</", tag,
                      ">");
    }
    html += "</tr>";
  }
  return html + "</tbody></table></div>";
}

std::string NoteHtml(const std::string& text) {
  return absl::StrCat("<p class=\"note\">", Text(text, 1000), "</p>");
}

}  // namespace seqgraph::tools
