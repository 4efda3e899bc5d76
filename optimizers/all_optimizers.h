#pragma once

// The list of optimizers: an include and a line in it for each.

#include <vector>

#include "absl/strings/string_view.h"
#include "optimizers/adadelta.h"
#include "optimizers/adagrad.h"
#include "optimizers/adam.h"
#include "optimizers/adamax.h"
#include "optimizers/adamw.h"
#include "optimizers/nadam.h"
#include "optimizers/optimizer.h"
#include "optimizers/rmsprop.h"
#include "optimizers/sgd.h"

namespace seqgraph {

/// In the order of documentation.
inline const std::vector<const OptimizerDef*>& AllOptimizers() {
  static const auto* const all = new std::vector<const OptimizerDef*>{
      &SGD::Def(),    &RMSProp::Def(), &Adam::Def(),    &AdamW::Def(),
      &Adamax::Def(), &Nadam::Def(),   &Adagrad::Def(), &Adadelta::Def(),
  };
  return *all;
}

/// By Keras's name of the class, in whatever letters: "rmsprop". Null if there is none.
const OptimizerDef* FindOptimizer(absl::string_view name);

/// "SGD, RMSprop, ...": for messages.
std::string OptimizerNames();

}  // namespace seqgraph
