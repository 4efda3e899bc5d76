/* Runs every function of the model that is compiled in, on a batch of three, and steps those that
 * are streams; prints all numbers bit by bit. Two programs are made of it: one with all of the
 * static library, and one with only the parts that the model's header names, which must print the
 * same (lean_test.sh). */

#include MODEL_HEADER

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime_library/runtime.h"

static seqgraph_status status = SEQGRAPH_STATUS_INIT;

static void check(int32_t code) {
  if (code == SEQGRAPH_OK) return;
  fprintf(stderr, "%s\n", status.text);
  exit(1);
}

/* Different numbers for each element; whole ones from 0 to 2, which are indices of anything. */
static void fill(const seqgraph_tensor_info* info, int32_t seed) {
  int64_t i;
  const int64_t wide = info->dtype == SEQGRAPH_FLOAT64 || info->dtype == SEQGRAPH_INT64;
  for (i = 0; i < info->num_bytes / (wide ? 8 : 4); ++i) {
    const int32_t number = (int32_t)((i * 7 + seed * 5) % 11);
    if (info->dtype == SEQGRAPH_FLOAT32) ((float*)info->data)[i] = (float)number / 4 - 1;
    if (info->dtype == SEQGRAPH_FLOAT64) ((double*)info->data)[i] = number / 4.0 - 1;
    if (info->dtype == SEQGRAPH_INT32) ((int32_t*)info->data)[i] = number % 3;
    if (info->dtype == SEQGRAPH_INT64) ((int64_t*)info->data)[i] = number % 3;
  }
}

static void print(const seqgraph_tensor_info* info) {
  int64_t i;
  printf("%s:", info->name);
  for (i = 0; i < info->num_bytes; ++i) printf(" %02x", ((const unsigned char*)info->data)[i]);
  printf("\n");
}

static void run(seqgraph_model* model, const seqgraph_function_info* about) {
  seqgraph_options options = SEQGRAPH_INIT(seqgraph_options);
  seqgraph_tensor_info info = SEQGRAPH_INIT(seqgraph_tensor_info);
  seqgraph_function* function;
  int32_t i, call;
  options.batch = 3;
  check(seqgraph_function_compile(model, about->name, &options, &function, &status));
  for (call = 0; call < 3; ++call) {
    for (i = 0; i < about->num_inputs; ++i) {
      check(seqgraph_function_get_input_info(function, i, &info, &status));
      fill(&info, call + i);
    }
    check(seqgraph_function_run(function, &status));
    for (i = 0; i < about->num_outputs; ++i) {
      check(seqgraph_function_get_output_info(function, i, &info, &status));
      print(&info);
    }
  }
  seqgraph_function_free(function);
}

/* Not every function is one for streams. */
static void step(const char* function) {
  seqgraph_stream_options options = SEQGRAPH_INIT(seqgraph_stream_options);
  seqgraph_stream_info about = SEQGRAPH_INIT(seqgraph_stream_info);
  seqgraph_tensor_info info = SEQGRAPH_INIT(seqgraph_tensor_info);
  seqgraph_stream_model* model;
  seqgraph_stream* stream;
  int32_t i, call;
  options.function = function;
  options.max_batch = 8;
  if (seqgraph_stream_model_parse(model_bytes, model_bytes_size, &options, &model, &status) != 0) {
    printf("%s\n", status.text);
    return;
  }
  check(seqgraph_stream_model_get_info(model, &about, &status));
  check(seqgraph_stream_create(model, &stream, &status));
  for (call = 0; call < 5; ++call) {
    for (i = 0; i < about.num_inputs; ++i) {
      check(seqgraph_stream_get_input(stream, i, &info, &status));
      fill(&info, call + i);
    }
    check(seqgraph_stream_step(stream, &status));
    for (i = 0; i < about.num_outputs; ++i) {
      check(seqgraph_stream_get_output(stream, i, &info, &status));
      print(&info);
    }
  }
  seqgraph_stream_free(stream);
  seqgraph_stream_model_free(model);
}

int main(void) {
  seqgraph_model* model;
  seqgraph_model_info info = SEQGRAPH_INIT(seqgraph_model_info);
  seqgraph_function_info about = SEQGRAPH_INIT(seqgraph_function_info);
  int32_t i;
  check(seqgraph_model_parse(model_bytes, model_bytes_size, &model, &status));
  check(seqgraph_model_get_info(model, &info, &status));
  for (i = 0; i < info.num_functions; ++i) {
    check(seqgraph_model_get_function(model, i, &about, &status));
    printf("function %s\n", about.name);
    run(model, &about);
    step(about.name);
  }
  seqgraph_model_free(model);
  return 0;
}
