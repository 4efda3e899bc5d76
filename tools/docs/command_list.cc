#include "tools/docs/command_list.h"

#include <CLI/CLI.hpp>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>

#include "tools/all_commands.h"
#include "tools/backend_line.h"
#include "tools/command.h"

namespace seqgraph::tools {

std::vector<CommandPage> ReadCommands() {
  CLI::App app;
  const std::string no_group = app.option_defaults()->get_group();
  std::vector<std::unique_ptr<Command>> commands;
  std::deque<CommandFiles> files;
  std::vector<CommandPage> pages;
  int64_t max_memory = 0;
  for (const CommandDef& row : AllCommands()) {
    CLI::App* parser = app.add_subcommand(row.name, row.summary);
    Flags flags(parser, &files.emplace_back());
    commands.push_back(row.make());
    commands.back()->Declare(flags);
    if (parser->get_option_no_throw("--max_memory") == nullptr) {
      flags.Group("Limits");  // as main.cc has it
      DeclareMaxMemory(flags, &max_memory);
    }
    CommandPage page{row.name, row.summary, parser->get_footer(), {}};
    for (const CLI::Option* option : parser->get_options()) {
      const std::vector<std::string>& names = option->get_lnames();
      const std::string& group = option->get_group();
      page.flags.push_back(
          {.name = names.empty() ? "" : names[0],
           .placeholder = names.empty() ? option->get_name(true) : option->get_option_text(),
           .help = option->get_description(),
           .group = group == no_group ? "" : group,
           .required = option->get_required()});
    }
    pages.push_back(std::move(page));
  }
  return pages;
}

}  // namespace seqgraph::tools
