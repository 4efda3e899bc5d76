#pragma once

// Over time, of the steps that are not masked:
// GlobalAveragePooling1D: y = mean_t x_t.   Grad: dx_t = dy / count.
// GlobalMaxPooling1D: y = max_t x_t.   Grad: dx_t = dy / ties where x_t = y, else 0.

#include <string>

#include "graph/function_builder.h"

namespace seqgraph::ops {

/// x [batch, time, width] and, if steps are to be left out, mask (int32 [batch, time]; 0: masked)
/// -> [batch, width]. A row without any step gives 0. (Keras: 0 / 0; its maximum takes no mask.)
Value GlobalAveragePooling1D(FunctionBuilder& g, Value x, Value mask = {}, std::string name = "");
Value GlobalMaxPooling1D(FunctionBuilder& g, Value x, Value mask = {}, std::string name = "");

OpDef GlobalMaxPooling1DOp();

}  // namespace seqgraph::ops
