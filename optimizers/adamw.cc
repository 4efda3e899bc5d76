#include "optimizers/adamw.h"

namespace seqgraph {

const OptimizerDef& AdamW::Def() {
  static const auto* const def = [] {
    // The fields are Adam's, so its functions take them.
    auto* def = new OptimizerDef(Adam::Def());
    def->name = "AdamW";
    def->doc = "Adam, and before it w' = w - weight_decay lr w. Loshchilov and Hutter 2019.";
    def->weight_decay = AdamW().weight_decay;
    def->update_op = "";  // the op's node says Adam
    return def;
  }();
  return *def;
}

template Optimizer::Optimizer(const AdamW&);

}  // namespace seqgraph
