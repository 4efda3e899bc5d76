/* Models that `seqgraph embed` wrote into headers: y = 2 a + 3 b + 1, and one that adds up its
 * steps. Compiled by embed_test.sh, as C99 and as C++20. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "dense.h"
#include "runtime_library/runtime.h"
#include "sum.h"

static void check(int32_t code, const seqgraph_status* status) {
  if (code == SEQGRAPH_OK) return;
  fprintf(stderr, "%s\n", status->text);
  exit(1);
}

static void print_dense(void) {
  seqgraph_status status = SEQGRAPH_STATUS_INIT;
  const seqgraph_options options = SEQGRAPH_INIT(seqgraph_options);
  seqgraph_model* model = NULL;
  seqgraph_function* predict = NULL;
  const float x[2] = {1, 2};
  float y = 0;
  check(seqgraph_model_parse(dense_pb, dense_pb_size, &model, &status), &status);
  check(seqgraph_function_compile(model, "predict", &options, &predict, &status), &status);
  check(seqgraph_function_set_input(predict, 0, x, sizeof(x), &status), &status);
  check(seqgraph_function_run(predict, &status), &status);
  check(seqgraph_function_get_output(predict, 0, &y, sizeof(y), &status), &status);
  printf("%.9g\n", y);
  seqgraph_function_free(predict);
  seqgraph_model_free(model);
}

static void print_sums(void) {
  seqgraph_status status = SEQGRAPH_STATUS_INIT;
  const seqgraph_stream_options options = SEQGRAPH_INIT(seqgraph_stream_options);
  seqgraph_tensor_info x = SEQGRAPH_INIT(seqgraph_tensor_info);
  seqgraph_tensor_info y = SEQGRAPH_INIT(seqgraph_tensor_info);
  seqgraph_stream_model* model = NULL;
  seqgraph_stream* stream = NULL;
  int step;
  check(seqgraph_stream_model_parse(sums, sums_size, &options, &model, &status), &status);
  check(seqgraph_stream_create(model, &stream, &status), &status);
  check(seqgraph_stream_get_input(stream, 0, &x, &status), &status);
  check(seqgraph_stream_get_output(stream, 0, &y, &status), &status);
  for (step = 1; step <= 4; ++step) {
    *(float*)x.data = (float)step / 2;
    check(seqgraph_stream_step(stream, &status), &status);
    printf("%.9g\n", *(const float*)y.data);
  }
  seqgraph_stream_free(stream);
  seqgraph_stream_model_free(model);
}

int main(void) {
  print_dense();
  print_sums();
  return 0;
}
