// Writes what the system's tools know of the seqgraph command, from the flags that it declares: a
// man page, and completion for bash, zsh and fish.
//
// usage: command_pages FOLDER      writes seqgraph.1, seqgraph.bash, _seqgraph, seqgraph.fish

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "tools/docs/command_list.h"

namespace seqgraph::tools {
namespace {

// Text for roff: no line of it is taken for a request.
std::string Roff(absl::string_view text) {
  std::string out;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (absl::StartsWith(line, ".") || absl::StartsWith(line, "'")) out += "\\&";
    absl::StrAppend(&out, absl::StrReplaceAll(line, {{"\\", "\\e"}, {"-", "\\-"}}), "\n");
  }
  return out;
}

std::string ManPage(const std::vector<CommandPage>& commands) {
  std::string out =
      ".TH SEQGRAPH 1 \"\" Seqgraph \"User Commands\"\n.SH NAME\n"
      "seqgraph \\- computation graphs for recurrent models: train, run, convert, prove\n"
      ".SH SYNOPSIS\n.B seqgraph\n.I COMMAND\n[\\fB\\-\\-flag\\fR=\\fIVALUE\\fR]... "
      "[\\fIARGUMENT\\fR]...\n"
      ".SH DESCRIPTION\nEach command is described below; \\fBseqgraph\\fR \\fICOMMAND\\fR "
      "\\fB\\-\\-help\\fR says the same.\n.SH COMMANDS\n";
  for (const CommandPage& command : commands) {
    absl::StrAppend(&out, ".SS \"seqgraph ", command.name, "\"\n", Roff(command.summary));
    for (const FlagPage& flag : command.flags) {
      const std::string value = flag.placeholder.empty() ? "" : Roff(flag.placeholder);
      const absl::string_view shown = absl::StripSuffix(value, "\n");
      if (flag.name.empty()) {
        absl::StrAppend(&out, ".TP\n\\fI", shown, "\\fR\n");
      } else {
        absl::StrAppend(&out, ".TP\n\\fB\\-\\-", absl::StripSuffix(Roff(flag.name), "\n"), "\\fR",
                        shown.empty() ? "" : "=", shown.empty() ? "" : "\\fI", shown,
                        shown.empty() ? "" : "\\fR", "\n");
      }
      out += Roff(flag.help);
    }
    if (!command.footer.empty()) absl::StrAppend(&out, ".PP\n", Roff(command.footer));
  }
  return out +
         ".SH \"EXIT STATUS\"\n0: done. 1: an error, one line on standard error. 2: misuse of the "
         "command line. 130: interrupted.\n";
}

// "--name=" where a value follows, "--name" where none does.
std::string FlagWord(const FlagPage& flag) {
  return absl::StrCat("--", flag.name, flag.placeholder.empty() ? "" : "=");
}

std::string CommandWords(const std::vector<CommandPage>& commands) {
  return absl::StrJoin(commands, " ", [](std::string* out, const CommandPage& command) {
    out->append(command.name);
  });
}

std::string BashCompletion(const std::vector<CommandPage>& commands) {
  std::string out =
      "# bash completion of seqgraph\n_seqgraph() {\n  local current=${COMP_WORDS[COMP_CWORD]} "
      "words=\n  if ((COMP_CWORD == 1)); then\n";
  absl::StrAppend(&out, "    words='", CommandWords(commands), " --help'\n",
                  "  else\n    case ${COMP_WORDS[1]} in\n");
  for (const CommandPage& command : commands) {
    absl::StrAppend(&out, "      ", command.name, ") words='");
    for (const FlagPage& flag : command.flags) {
      if (!flag.name.empty()) absl::StrAppend(&out, FlagWord(flag), " ");
    }
    out += "' ;;\n";
  }
  return out +
         "    esac\n  fi\n  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
         "  [[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace 2>/dev/null\n}\n"
         "complete -o default -F _seqgraph seqgraph\n";
}

// The first sentence of a help text, for one line.
std::string FirstLine(absl::string_view help) {
  return std::string(help.substr(0, help.find('\n')));
}

// Inside single quotes of zsh and fish.
std::string Quoted(absl::string_view text) { return absl::StrReplaceAll(text, {{"'", "'\\''"}}); }

// "rnn|lstm|gru [rnn]" -> "rnn lstm gru"; empty for what is no choice between words.
std::string ChoicesOf(absl::string_view placeholder) {
  const absl::string_view words = placeholder.substr(0, placeholder.find(' '));
  const bool choice =
      absl::StrContains(words, '|') && std::all_of(words.begin(), words.end(), [](unsigned char c) {
        return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '_' || c == '-' || c == '|';
      });
  return choice ? absl::StrReplaceAll(words, {{"|", " "}}) : "";
}

std::string ZshCompletion(const std::vector<CommandPage>& commands) {
  const auto bare = [](absl::string_view text) {
    return Quoted(
        absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"[", "\\["}, {"]", "\\]"}, {":", "\\:"}}));
  };
  std::string out =
      "#compdef seqgraph\n_seqgraph() {\n  if ((CURRENT == 2)); then\n"
      "    local -a commands=(\n";
  for (const CommandPage& command : commands) {
    absl::StrAppend(&out, "      '", command.name, ":", bare(command.summary), "'\n");
  }
  out += "    )\n    _describe command commands\n    return\n  fi\n  case $words[2] in\n";
  for (const CommandPage& command : commands) {
    absl::StrAppend(&out, "    ", command.name, ") _arguments -S");
    for (const FlagPage& flag : command.flags) {
      if (flag.name.empty()) continue;
      absl::StrAppend(&out, " \\\n      '", FlagWord(flag), "[", bare(FirstLine(flag.help)), "]");
      if (!flag.placeholder.empty()) {
        const std::string choices = ChoicesOf(flag.placeholder);
        absl::StrAppend(&out, ":", bare(flag.placeholder), ":",
                        choices.empty() ? "_files" : absl::StrCat("(", choices, ")"));
      }
      out += "'";
    }
    out += " \\\n      '*:file:_files' ;;\n";
  }
  return out + "  esac\n}\n_seqgraph \"$@\"\n";
}

std::string FishCompletion(const std::vector<CommandPage>& commands) {
  std::string out = "# fish completion of seqgraph\n";
  for (const CommandPage& command : commands) {
    absl::StrAppend(&out, "complete -c seqgraph -n __fish_use_subcommand -f -a ", command.name,
                    " -d '", Quoted(command.summary), "'\n");
    for (const FlagPage& flag : command.flags) {
      if (flag.name.empty()) continue;
      const std::string choices = ChoicesOf(flag.placeholder);
      absl::StrAppend(&out, "complete -c seqgraph -n 'contains -- ", command.name,
                      " (commandline -opc)[2]' -l ", flag.name,
                      flag.placeholder.empty() ? ""
                      : choices.empty()        ? " -r"
                                               : absl::StrCat(" -x -a '", choices, "'"),
                      " -d '", Quoted(FirstLine(flag.help)), "'\n");
    }
  }
  return out;
}

int Write(const std::string& folder) {
  const std::vector<CommandPage> commands = ReadCommands();
  const std::pair<const char*, std::string> files[] = {
      {"seqgraph.1", ManPage(commands)},
      {"seqgraph.bash", BashCompletion(commands)},
      {"_seqgraph", ZshCompletion(commands)},
      {"seqgraph.fish", FishCompletion(commands)},
  };
  for (const auto& [name, text] : files) {
    std::ofstream file(absl::StrCat(folder, "/", name), std::ios::binary);
    file << text << std::flush;
    if (file) continue;
    std::fprintf(stderr, "command_pages: cannot write %s/%s\n", folder.c_str(), name);
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace seqgraph::tools

int main(int argc, char** argv) {
  if (argc == 2) return seqgraph::tools::Write(argv[1]);
  std::fprintf(stderr, "usage: command_pages FOLDER\n");
  return 2;
}
