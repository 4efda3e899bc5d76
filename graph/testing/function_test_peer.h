#pragma once

#include <string>
#include <vector>

#include "graph/function.h"

namespace seqgraph {

/// Reaches into a function to break it: functions are immutable, and no builder makes a wrong one.
class FunctionTestPeer {
 public:
  static std::string& name(Function& f) { return f.name_; }
  static std::vector<ValueInfo>& values(Function& f) { return f.values_; }
  static std::vector<Node>& nodes(Function& f) { return f.nodes_; }
  static std::vector<Value>& inputs(Function& f) { return f.inputs_; }
  static std::vector<VariableRead>& variables(Function& f) { return f.variables_; }
  static std::vector<NamedValue>& results(Function& f) { return f.results_; }
  static std::vector<NamedValue>& updates(Function& f) { return f.updates_; }
};

}  // namespace seqgraph
