#include "tools/docs/command_docs.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "tools/docs/command_list.h"

namespace seqgraph::tools {
namespace {

// What --help prints must not become markup.
std::string Plain(absl::string_view text) {
  return absl::StrReplaceAll(
      text,
      {{"&", "&amp;"}, {"<", "&lt;"}, {"*", "\\*"}, {"[", "\\["}, {"]", "\\]"}, {"_", "\\_"}});
}

// A text of --help as Markdown: lines that --help wraps become one, lines that begin with two
// blanks stay as they are, "Examples:" and the like become a heading.
std::string Prose(absl::string_view text) {
  std::string out;
  bool as_is = false, open = false;  // in a block of lines as they are; in a paragraph
  bool examples = false;             // below that heading lines are commands
  const auto close = [&] {
    out += as_is ? "```\n\n" : open ? "\n\n" : "";
    as_is = open = false;
  };
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    const bool indented = absl::StartsWith(line, "  ");
    if (as_is != indented || line.empty()) close();
    if (line.empty()) continue;
    if (indented) {
      out += as_is ? "" : examples ? "```sh\n" : "```\n";
      as_is = true;
      absl::StrAppend(&out, line.substr(2), "\n");
    } else if (!open && line == "Examples:") {
      out += "## Examples\n\n";
      examples = true;
    } else {
      // A plain text that quotes a command has backquotes already: those are Markdown's.
      absl::StrAppend(&out, open ? " " : "",
                      absl::StrContains(line, "`") ? std::string(line) : Plain(line));
      open = true;
    }
  }
  close();
  return out;
}

// "FILE [x.pb]" -> "=FILE`, default `x.pb"
std::string ValueText(absl::string_view placeholder) {
  if (placeholder.empty()) return "";
  const size_t at = placeholder.find(" [");
  if (at == placeholder.npos || !absl::EndsWith(placeholder, "]")) {
    return absl::StrCat("=", placeholder);
  }
  const absl::string_view value = placeholder.substr(at + 2, placeholder.size() - at - 3);
  return absl::StrCat("=", placeholder.substr(0, at), "`, default `", value);
}

std::string FlagText(const FlagPage& flag) {
  const auto markdown = [](absl::string_view text) {
    return absl::StrContains(text, "`") ? std::string(text) : Plain(text);
  };
  std::string out =
      absl::StrCat("- `", flag.name.empty() ? flag.placeholder : absl::StrCat("--", flag.name),
                   flag.name.empty() ? "" : ValueText(flag.placeholder), "`",
                   flag.required ? ", must be given" : "", ": ");
  if (!absl::StrContains(flag.help, "\n  ")) {
    return absl::StrCat(out, markdown(absl::StrReplaceAll(flag.help, {{"\n", "\n  "}})), "\n");
  }
  // A list, which is to stay one.
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(flag.help, absl::MaxSplits('\n', 1));
  return absl::StrCat(out, markdown(parts.first), "\n\n        ",
                      absl::StrReplaceAll(parts.second, {{"\n", "\n        "}}), "\n\n");
}

std::string Page(const CommandPage& command) {
  std::string out = absl::StrCat("# ", command.name, "\n\n", command.summary,
                                 ".\n\n```sh\nseqgraph ", command.name);
  for (const FlagPage& flag : command.flags) {
    if (flag.name.empty()) absl::StrAppend(&out, " ", flag.placeholder);
  }
  absl::StrAppend(&out, " [--FLAG=VALUE ...]\n```\n\n");
  // Notes first, then the flags: a page is read from its beginning.
  const std::string prose = Prose(command.footer);
  out += prose;
  std::string heading = "-";
  for (const FlagPage& flag : command.flags) {
    const std::string group = flag.group.empty() ? "Flags" : flag.group;
    if (group != heading) absl::StrAppend(&out, heading == "-" ? "" : "\n", "## ", group, "\n\n");
    heading = group;
    out += FlagText(flag);
  }
  return absl::StrCat(out, "\n", "Exit status: see [all commands](index.md#exit-status).\n");
}

std::string Index(const std::vector<CommandPage>& commands) {
  std::string out =
      "# Commands\n\n"
      "Generated from the flags that the commands declare, this page and one for each; do not "
      "edit. "
      "To write them anew: `bazel run //tools/docs:gen_docs`. `tools/seqgraph COMMAND --help` says "
      "the same.\n\n"
      "| command | does |\n| --- | --- |\n";
  for (const CommandPage& command : commands) {
    absl::StrAppend(&out, "| [`", command.name, "`](", command.name, ".md) | ", command.summary,
                    " |\n");
  }
  return out +
         "\nFlags are written `--name=value`, in any order, before or behind arguments; arguments "
         "that begin with a dash go behind `--`. A flag without a value takes none. Results go to "
         "standard output, all else to standard error.\n\n"
         "## Exit status\n\n"
         "| status | |\n| --- | --- |\n"
         "| 0 | done |\n"
         "| 1 | an error: one line on standard error; or what was asked for does not hold, where "
         "the "
         "command's page says so |\n"
         "| 2 | misuse of the command line: one line that names the flag, and what was expected |\n"
         "| 75 | `train --max_time` is over: the run goes on with `--resume` |\n"
         "| 128 + signal | interrupted: 130 by Ctrl-C, 143 by SIGTERM |\n";
}

}  // namespace

std::vector<std::pair<std::string, std::string>> CommandDocs() {
  const std::vector<CommandPage> commands = ReadCommands();
  std::vector<std::pair<std::string, std::string>> pages = {{"index.md", Index(commands)}};
  for (const CommandPage& command : commands) {
    pages.emplace_back(absl::StrCat(command.name, ".md"), Page(command));
  }
  return pages;
}

}  // namespace seqgraph::tools
