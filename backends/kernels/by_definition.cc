// A kernel that is the op's own definition: where no loop of ours would be faster, and where there
// is none for the types of a node.

#include <string>

#include "absl/strings/str_cat.h"
#include "backends/kernels/makers.h"
#include "runtime/node_by_definition.h"

namespace seqgraph::kernels {
namespace {

class ByDefinition : public Kernel {
 public:
  explicit ByDefinition(const NodeContext& context) : node_(context.function(), context.index()) {}

  std::string implementation() const override {
    return absl::StrCat("by definition, ", DTypeName(node_.real()));
  }
  absl::Status Run(const KernelArgs& args) override { return node_.Run(args); }

 private:
  NodeByDefinition node_;
};

}  // namespace

MadeKernel MakeByDefinition(const KernelContext& context) {
  return std::make_unique<ByDefinition>(context);
}

}  // namespace seqgraph::kernels
