#include "tools/all_commands.h"

namespace seqgraph::tools {

// Each in the file of its name: tools/train_command.cc.
CommandDef DefineTrain();
CommandDef DefineEvaluate();
CommandDef DefineVerify();
CommandDef DefineRuns();
CommandDef DefineSweep();
CommandDef DefinePredict();
CommandDef DefineRun();
CommandDef DefineStream();
CommandDef DefineEmbed();
CommandDef DefineEncode();
CommandDef DefineSummary();
CommandDef DefineInspect();
CommandDef DefineConvert();
CommandDef DefineTest();
CommandDef DefineExplain();
CommandDef DefinePasses();
CommandDef DefineBench();
CommandDef DefineDiff();
CommandDef DefineBackends();
CommandDef DefineConformance();
CommandDef DefineOps();
CommandDef DefineFsck();
CommandDef DefineReport();
CommandDef DefinePlot();

const std::vector<CommandDef>& AllCommands() {
  // One a line, so that one more is one line more.
  // clang-format off
  static const auto& commands = *new std::vector<CommandDef>{
      DefineTrain(),
      DefineEvaluate(),
      DefineVerify(),
      DefineRuns(),
      DefineSweep(),
      DefinePredict(),
      DefineRun(),
      DefineStream(),
      DefineEmbed(),
      DefineEncode(),
      DefineSummary(),
      DefineInspect(),
      DefineConvert(),
      DefineTest(),
      DefineExplain(),
      DefinePasses(),
      DefineBench(),
      DefineDiff(),
      DefineBackends(),
      DefineConformance(),
      DefineOps(),
      DefineFsck(),
      DefineReport(),
      DefinePlot(),
  };
  // clang-format on
  return commands;
}

}  // namespace seqgraph::tools
