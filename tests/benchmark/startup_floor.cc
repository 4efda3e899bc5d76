// Links all that the seqgraph command links, and ends at once: what the loader alone takes.

#include "backends/plugin/plugin_probe.h"
#include "tools/all_commands.h"

int main(int argc, char** argv) {
  if (argc < 1000) return 0;
  // Never reached; but the linker has to keep everything.
  seqgraph::RunProbeChild(argc, argv);
  return static_cast<int>(seqgraph::tools::AllCommands().size());
}
