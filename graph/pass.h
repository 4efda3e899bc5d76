#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "graph/function.h"
#include "graph/op_registry.h"
#include "graph/rewrite.h"

namespace seqgraph {

/// Passes of one stage run in turn, again and again, until none changes anything; then the next
/// stage begins.
enum class PassStage {
  kSimplify,  ///< other ops, fewer nodes, less arithmetic
  kFuse,      ///< several nodes become one: hides from the rules of kSimplify what they look for
};

/// One way in which a function is made cheaper without changing what it computes (within the
/// numerical bounds of its ops). It has either `rewrites`, tried at each node, or `transform`, of
/// the whole function.
struct FunctionPass {
  std::string name;  ///< lower_snake_case, as --passes takes it
  std::string rule;  ///< one line: "RNNCell(OneHot(i), w) = RNNCell(Embedding(i, w))"
  PassStage stage = PassStage::kSimplify;
  /// Also run after each change that another pass makes, and before that is judged.
  bool cleans_up = false;
  /// Fires only where no node goes to a backend that stands later in the user's order than before:
  /// the nodes that are new run on no later one than each of those that they replace, all others
  /// where they ran, or earlier. Several matches, such as an op and its gradient, may only do so
  /// together: they are tried all at once, then one by one, then two by two.
  bool only_if_claimed = false;
  /// Fires only where EstimatedSeconds of the whole function goes down, tried likewise. Needs
  /// static shapes.
  bool only_if_cheaper = false;
  std::vector<Rewrite> rewrites;
  /// Gives the new function, and in `count` how often something was changed.
  std::function<absl::StatusOr<Function>(const Function&, const OpRegistry&, int* count)> transform;
};

/// In the order in which they are tried. The passes must outlive the list.
using PassList = std::vector<const FunctionPass*>;

/// For each node of a function the place of its backend in the user's order; an error if some node
/// has none.
using NodeOwners = std::function<absl::StatusOr<std::vector<int>>(const Function&)>;

/// Runs the passes. Names, inputs, results and updates stay, and variables but those that dead_code
/// finds unread. Without `owners` no pass fires that asks for them. `counts` gets an entry for each
/// pass, in the order of the list. Internal if the passes do not come to rest.
absl::StatusOr<Function> RunPasses(const Function& function, const OpRegistry& registry,
                                   const PassList& passes, const NodeOwners& owners = {},
                                   std::vector<RewriteCount>* counts = nullptr);

/// A nominal time for one call, of which only the order means something: FLOPs and bytes (see
/// OpDef::Cost) at rates of one ordinary core, one after the other, and a fixed time for each node.
/// All shapes must be static.
double EstimatedSeconds(const Function& function);

/// Nodes that no result and no update depends on, and variables that are then not read, go.
FunctionPass DeadCode();

/// Of nodes with equal op, attributes and inputs the first stands for all. Ops that are not pure
/// (OpDef::Impure) are left alone.
FunctionPass CommonSubexpressions();

/// Chooses from `all` by a comma-separated text: "all", "none", names (these and no others), and
/// names after a minus (all but these, or but these of what comes before): "all,-dead_code",
/// "-dead_code". InvalidArgument, with the names there are, for another.
absl::StatusOr<PassList> SelectPasses(const PassList& all, absl::string_view text);

}  // namespace seqgraph
