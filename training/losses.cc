#include "training/losses.h"

#include <utility>

#include "ops/bce.h"

namespace seqgraph {

Loss BinaryCrossEntropy(std::string prediction) {
  return {"binary_crossentropy", std::move(prediction),
          [](FunctionBuilder& g, Value p, Value labels) { return ops::BCE(g, p, labels); }};
}

}  // namespace seqgraph
