/* Streams of the C interface from a C99 program: numbers by hand, every error, null handles.
 *
 * usage: stream_c_test FOLDER   (with the files of make_models)
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime_library/runtime.h"
#include "tests/runtime_library/c_test.h"

static seqgraph_stream_model* load_streams(const char* folder, const char* name,
                                           const seqgraph_stream_options* options) {
  char path[4096];
  seqgraph_stream_model* model = NULL;
  snprintf(path, sizeof(path), "%s/%s", folder, name);
  EXPECT(seqgraph_stream_model_load(path, options, &model, &status) == SEQGRAPH_OK);
  if (model == NULL) exit(1);
  return model;
}

/* A stream with where it takes and gives its one number. */
typedef struct sum_stream {
  seqgraph_stream* stream;
  float* x;
  const float* y;
} sum_stream;

static sum_stream new_sum(const seqgraph_stream_model* model) {
  sum_stream made = {NULL, NULL, NULL};
  seqgraph_tensor_info info = SEQGRAPH_INIT(seqgraph_tensor_info);
  EXPECT(seqgraph_stream_create(model, &made.stream, &status) == SEQGRAPH_OK);
  EXPECT(seqgraph_stream_get_input(made.stream, 0, &info, &status) == SEQGRAPH_OK);
  EXPECT(info.num_bytes == 4 && info.data != NULL);
  made.x = info.data;
  EXPECT(seqgraph_stream_get_output(made.stream, 0, &info, &status) == SEQGRAPH_OK);
  EXPECT(info.num_bytes == 4 && info.data != NULL);
  made.y = info.data;
  if (made.x == NULL || made.y == NULL) exit(1);
  return made;
}

static float step_sum(sum_stream stream, float x) {
  *stream.x = x;
  EXPECT(seqgraph_stream_step(stream.stream, &status) == SEQGRAPH_OK);
  return *stream.y;
}

static void test_streams(const char* folder) {
  seqgraph_stream_options options = SEQGRAPH_INIT(seqgraph_stream_options);
  seqgraph_stream_info info = SEQGRAPH_INIT(seqgraph_stream_info);
  seqgraph_tensor_info tensor = SEQGRAPH_INIT(seqgraph_tensor_info);
  seqgraph_stream_model* model;
  seqgraph_stream_batch* batch = NULL;
  sum_stream a, b;
  seqgraph_stream* both[2];
  const float four[4] = {1, 2, 3, 4};
  float sums[4] = {0, 0, 0, 0};
  const void* inputs[1];
  void* outputs[1];
  unsigned char saved[1024];
  size_t size = 0;
  int64_t done = -1;

  options.max_batch = 2;
  options.block = 4;
  model = load_streams(folder, "sum.pb", &options);
  EXPECT(seqgraph_stream_model_get_info(model, &info, &status) == SEQGRAPH_OK);
  EXPECT(info.num_inputs == 1 && info.num_outputs == 1 && info.num_slow_nodes == 0);
  EXPECT(info.num_steps == 1 && info.max_batch == 2 && info.state_bytes >= 4);
  EXPECT(info.stream_bytes > info.state_bytes);
  a = new_sum(model);
  b = new_sum(model);
  EXPECT(seqgraph_stream_batch_create(model, &batch, &status) == SEQGRAPH_OK);
  /* Streams keep alive what they need. */
  seqgraph_stream_model_free(model);

  EXPECT(step_sum(a, 1) == 1);
  EXPECT(step_sum(a, 2) == 3);
  EXPECT(step_sum(b, 100) == 100);
  EXPECT(step_sum(a, 3) == 6);

  EXPECT(seqgraph_stream_save(a.stream, NULL, &size, &status) == SEQGRAPH_OK);
  EXPECT(size > 4 && size <= sizeof(saved));
  EXPECT(seqgraph_stream_save(a.stream, saved, &size, &status) == SEQGRAPH_OK);
  EXPECT(step_sum(a, 1000) == 1006);
  EXPECT(seqgraph_stream_restore(b.stream, saved, size, &status) == SEQGRAPH_OK);
  EXPECT(step_sum(b, 4) == 10);
  EXPECT(seqgraph_stream_copy(b.stream, a.stream, &status) == SEQGRAPH_OK);
  EXPECT(step_sum(b, 1) == 1007);
  saved[size - 1] ^= 1;
  EXPECT(seqgraph_stream_restore(b.stream, saved, size, &status) != SEQGRAPH_OK);
  EXPECT(seqgraph_stream_restore(b.stream, "x", 1, &status) != SEQGRAPH_OK);
  EXPECT(step_sum(b, 1) == 1008);
  size = 1;
  EXPECT_ERROR(seqgraph_stream_save(a.stream, saved, &size, &status), SEQGRAPH_OUT_OF_RANGE,
               "room for 1");
  EXPECT(size > 4);

  EXPECT(seqgraph_stream_reset(a.stream, &status) == SEQGRAPH_OK);
  inputs[0] = four;
  outputs[0] = sums;
  EXPECT(seqgraph_stream_step_block(a.stream, 4, inputs, outputs, &done, &status) == SEQGRAPH_OK);
  EXPECT(done == 4 && sums[0] == 1 && sums[1] == 3 && sums[2] == 6 && sums[3] == 10);
  EXPECT_ERROR(seqgraph_stream_step_block(a.stream, -1, inputs, outputs, &done, &status),
               SEQGRAPH_INVALID_ARGUMENT, "-1");
  inputs[0] = NULL;
  EXPECT_ERROR(seqgraph_stream_step_block(a.stream, 1, inputs, outputs, &done, &status),
               SEQGRAPH_INVALID_ARGUMENT, "inputs[0] is NULL");

  both[0] = b.stream;
  both[1] = a.stream;
  *a.x = 5;
  *b.x = 2;
  EXPECT(seqgraph_stream_batch_step(batch, both, 2, &status) == SEQGRAPH_OK);
  EXPECT(*a.y == 15 && *b.y == 1010);
  *a.x = 1;
  EXPECT(seqgraph_stream_batch_step(batch, both + 1, 1, NULL) == SEQGRAPH_OK);
  EXPECT(*a.y == 16 && *b.y == 1010);
  both[0] = NULL;
  EXPECT_ERROR(seqgraph_stream_batch_step(batch, both, 2, &status), SEQGRAPH_INVALID_ARGUMENT,
               "streams[0] is NULL");
  EXPECT_ERROR(seqgraph_stream_batch_step(batch, both, -1, &status), SEQGRAPH_INVALID_ARGUMENT,
               "-1");
  EXPECT_ERROR(seqgraph_stream_get_input(a.stream, 1, &tensor, &status), SEQGRAPH_NOT_FOUND,
               "there are 1");
  EXPECT_ERROR(seqgraph_stream_get_output(a.stream, -1, &tensor, &status), SEQGRAPH_NOT_FOUND,
               "there are 1");
  seqgraph_stream_free(a.stream);
  seqgraph_stream_free(b.stream);
  seqgraph_stream_batch_free(batch);
}

/* A token that is not there leaves the stream as it was. */
static void test_stream_errors(const char* folder) {
  seqgraph_stream_model* model = load_streams(folder, "token_sum.pb", NULL);
  seqgraph_stream_options options = SEQGRAPH_INIT(seqgraph_stream_options);
  seqgraph_tensor_info info = SEQGRAPH_INIT(seqgraph_tensor_info);
  seqgraph_stream* stream = NULL;
  seqgraph_stream_batch* batch = NULL;
  size_t size = 0;
  const int32_t bad = SEQGRAPH_INVALID_ARGUMENT;
  int32_t* token;
  const float* sum;
  char path[4096];
  EXPECT(seqgraph_stream_create(model, &stream, &status) == SEQGRAPH_OK);
  EXPECT(seqgraph_stream_get_input(stream, 0, &info, &status) == SEQGRAPH_OK);
  EXPECT(info.dtype == SEQGRAPH_INT32);
  token = info.data;
  EXPECT(seqgraph_stream_get_output(stream, 0, &info, &status) == SEQGRAPH_OK);
  sum = info.data;
  *token = 2;
  EXPECT(seqgraph_stream_step(stream, &status) == SEQGRAPH_OK && *sum == 100);
  *token = 3;
  EXPECT_ERROR(seqgraph_stream_step(stream, &status), bad, "3");
  *token = 1;
  EXPECT(seqgraph_stream_step(stream, &status) == SEQGRAPH_OK && *sum == 110);

  EXPECT_ERROR(seqgraph_stream_step(NULL, &status), bad, "stream is NULL");
  EXPECT_ERROR(seqgraph_stream_step_block(NULL, 0, NULL, NULL, NULL, &status), bad, "stream");
  EXPECT_ERROR(seqgraph_stream_step_block(stream, 0, NULL, NULL, NULL, &status), bad, "inputs");
  EXPECT_ERROR(seqgraph_stream_reset(NULL, &status), bad, "stream");
  EXPECT_ERROR(seqgraph_stream_copy(stream, NULL, &status), bad, "from");
  EXPECT_ERROR(seqgraph_stream_copy(NULL, stream, &status), bad, "stream");
  EXPECT_ERROR(seqgraph_stream_save(NULL, NULL, &size, &status), bad, "stream");
  EXPECT_ERROR(seqgraph_stream_save(stream, NULL, NULL, &status), bad, "num_bytes");
  EXPECT_ERROR(seqgraph_stream_restore(stream, NULL, 4, &status), bad, "bytes");
  EXPECT_ERROR(seqgraph_stream_restore(NULL, "x", 1, &status), bad, "stream");
  EXPECT_ERROR(seqgraph_stream_get_input(NULL, 0, &info, &status), bad, "stream");
  EXPECT_ERROR(seqgraph_stream_get_output(NULL, 0, &info, &status), bad, "stream");
  EXPECT_ERROR(seqgraph_stream_create(NULL, &stream, &status), bad, "model");
  EXPECT_ERROR(seqgraph_stream_create(model, NULL, &status), bad, "stream");
  EXPECT_ERROR(seqgraph_stream_batch_create(NULL, &batch, &status), bad, "model");
  EXPECT_ERROR(seqgraph_stream_batch_create(model, NULL, &status), bad, "batch");
  EXPECT_ERROR(seqgraph_stream_batch_step(NULL, NULL, 0, &status), bad, "batch");
  EXPECT_ERROR(seqgraph_stream_model_get_info(NULL, NULL, &status), bad, "model");
  EXPECT_ERROR(seqgraph_stream_model_get_info(model, NULL, &status), bad, "info");
  seqgraph_stream_batch_free(NULL);
  seqgraph_stream_model_free(NULL);
  seqgraph_stream_free(NULL);
  seqgraph_stream_free(stream);
  seqgraph_stream_model_free(model);

  EXPECT_ERROR(seqgraph_stream_model_load(NULL, NULL, &model, &status), bad, "path");
  EXPECT_ERROR(seqgraph_stream_model_load("/nowhere.pb", NULL, NULL, &status), bad, "model");
  EXPECT_ERROR(seqgraph_stream_model_load("/nowhere.pb", NULL, &model, &status), SEQGRAPH_NOT_FOUND,
               "/nowhere.pb");
  EXPECT_ERROR(seqgraph_stream_model_parse(NULL, 1, NULL, &model, &status), bad, "bytes");
  EXPECT_ERROR(seqgraph_stream_model_parse("hello", 5, NULL, &model, &status), bad,
               "not a seqgraph model");
  snprintf(path, sizeof(path), "%s/sum.pb", folder);
  options.max_batch = 65;
  EXPECT_ERROR(seqgraph_stream_model_load(path, &options, &model, &status), bad, "max_batch");
  options.max_batch = 0;
  options.max_num_bytes = 1;
  EXPECT_ERROR(seqgraph_stream_model_load(path, &options, &model, &status),
               SEQGRAPH_RESOURCE_EXHAUSTED, "the limit leaves it 1");
  options.max_num_bytes = -1;
  EXPECT_ERROR(seqgraph_stream_model_load(path, &options, &model, &status), bad, "max_num_bytes");
  options.max_num_bytes = 0;
  options.function = "evaluate";
  EXPECT_ERROR(seqgraph_stream_model_load(path, &options, &model, &status), SEQGRAPH_NOT_FOUND,
               "predict");
  EXPECT(model == NULL);
}

int main(int argc, char** argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: stream_c_test FOLDER\n");
    return 1;
  }
  test_streams(argv[1]);
  test_stream_errors(argv[1]);
  if (failures > 0) fprintf(stderr, "%d failures\n", failures);
  return failures > 0;
}
