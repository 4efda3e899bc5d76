/* Programs that were built with version 1 have these layouts in them. */

#include <stddef.h>

#include "tests/runtime_library/c_test.h"

int main(void) {
  EXPECT(offsetof(seqgraph_status, code) == 8 && offsetof(seqgraph_status, text) == 12);
  EXPECT(offsetof(seqgraph_model_info, name) == 8 &&
         offsetof(seqgraph_model_info, description) == 16 &&
         offsetof(seqgraph_model_info, num_functions) == 24 &&
         offsetof(seqgraph_model_info, num_variables) == 28 &&
         offsetof(seqgraph_model_info, num_labels) == 32);
  EXPECT(offsetof(seqgraph_tensor_info, name) == 8 && offsetof(seqgraph_tensor_info, dtype) == 16 &&
         offsetof(seqgraph_tensor_info, rank) == 20 && offsetof(seqgraph_tensor_info, dims) == 24 &&
         offsetof(seqgraph_tensor_info, num_bytes) == 32 &&
         offsetof(seqgraph_tensor_info, data) == 40 &&
         offsetof(seqgraph_tensor_info, is_trainable) == 48 &&
         offsetof(seqgraph_tensor_info, is_optimizer_state) == 52);
  EXPECT(offsetof(seqgraph_function_info, name) == 8 &&
         offsetof(seqgraph_function_info, num_inputs) == 16 &&
         offsetof(seqgraph_function_info, num_outputs) == 20 &&
         offsetof(seqgraph_function_info, num_updates) == 24 &&
         offsetof(seqgraph_function_info, batch) == 32 &&
         offsetof(seqgraph_function_info, num_bytes) == 40);
  EXPECT(offsetof(seqgraph_options, batch) == 8 && offsetof(seqgraph_options, threads) == 16 &&
         offsetof(seqgraph_options, max_num_bytes) == 24);
  EXPECT(offsetof(seqgraph_stream_options, function) == 8 &&
         offsetof(seqgraph_stream_options, max_batch) == 16 &&
         offsetof(seqgraph_stream_options, block) == 24 &&
         offsetof(seqgraph_stream_options, max_num_bytes) == 32);
  EXPECT(offsetof(seqgraph_stream_info, num_inputs) == 8 &&
         offsetof(seqgraph_stream_info, num_outputs) == 12 &&
         offsetof(seqgraph_stream_info, num_slow_nodes) == 16 &&
         offsetof(seqgraph_stream_info, num_steps) == 24 &&
         offsetof(seqgraph_stream_info, max_batch) == 32 &&
         offsetof(seqgraph_stream_info, state_bytes) == 40 &&
         offsetof(seqgraph_stream_info, stream_bytes) == 48);
  EXPECT(strcmp(seqgraph_version(), "1.0.0") == 0);
  return failures > 0;
}
