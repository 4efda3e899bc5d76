/* Every function of the C interface from a C99 program: numbers by hand, every error, null
 * handles, wrong sizes, hostile bytes.
 *
 * usage: runtime_c_test FOLDER   (with the files of make_models)
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime_library/runtime.h"
#include "tests/runtime_library/c_test.h"

static seqgraph_model* load(const char* folder, const char* name) {
  char path[4096];
  seqgraph_model* model = NULL;
  snprintf(path, sizeof(path), "%s/%s", folder, name);
  EXPECT(seqgraph_model_load(path, &model, &status) == SEQGRAPH_OK && model != NULL);
  EXPECT(status.code == SEQGRAPH_OK && status.text[0] == '\0');
  if (model == NULL) exit(1);
  return model;
}

static void test_information(const char* folder) {
  seqgraph_model* model = load(folder, "dense.pb");
  seqgraph_model_info info = SEQGRAPH_INIT(seqgraph_model_info);
  seqgraph_function_info function = SEQGRAPH_INIT(seqgraph_function_info);
  seqgraph_tensor_info tensor = SEQGRAPH_INIT(seqgraph_tensor_info);
  int32_t i, kernels = 0, optimizers = 0;

  EXPECT(strcmp(seqgraph_version(), "1.0.0") == 0);
  EXPECT(strlen(seqgraph_simd_target()) == 4); /* SSE4, AVX2, AVX3, none */
  EXPECT(seqgraph_model_get_info(model, &info, &status) == SEQGRAPH_OK);
  EXPECT(strcmp(info.name, "dense") == 0 && strcmp(info.description, "by hand") == 0);
  EXPECT(info.num_functions == 3 && info.num_labels == 2);
  EXPECT(info.struct_size == sizeof(info));
  EXPECT(strcmp(seqgraph_model_label(model, 1), "warm") == 0);
  EXPECT(seqgraph_model_label(model, 2) == NULL && seqgraph_model_label(model, -1) == NULL);
  EXPECT(seqgraph_model_label(NULL, 0) == NULL);

  EXPECT(seqgraph_model_get_function(model, 0, &function, &status) == SEQGRAPH_OK);
  EXPECT(strcmp(function.name, "predict") == 0);
  EXPECT(function.num_inputs == 1 && function.num_outputs == 1 && function.num_updates == 0);
  EXPECT(function.batch == 0);
  EXPECT(seqgraph_model_get_function(model, 2, &function, &status) == SEQGRAPH_OK);
  EXPECT(strcmp(function.name, "train_step") == 0 && function.num_updates > 0);
  EXPECT_ERROR(seqgraph_model_get_function(model, 3, &function, &status), SEQGRAPH_NOT_FOUND,
               "there are 3");
  EXPECT_ERROR(seqgraph_model_get_function(model, -1, &function, &status), SEQGRAPH_NOT_FOUND,
               "there are 3");

  EXPECT(seqgraph_model_get_input(model, "predict", 0, &tensor, &status) == SEQGRAPH_OK);
  EXPECT(strcmp(tensor.name, "x") == 0 && tensor.dtype == SEQGRAPH_FLOAT32);
  EXPECT(tensor.rank == 2 && tensor.dims[0] == -1 && tensor.dims[1] == 2);
  EXPECT(tensor.num_bytes == -1 && tensor.data == NULL);
  EXPECT(seqgraph_model_get_output(model, "predict", 0, &tensor, &status) == SEQGRAPH_OK);
  EXPECT(strcmp(tensor.name, "y") == 0 && tensor.rank == 2 && tensor.dims[1] == 1);
  EXPECT_ERROR(seqgraph_model_get_input(model, "predict", 1, &tensor, &status), SEQGRAPH_NOT_FOUND,
               "no input 1");
  EXPECT_ERROR(seqgraph_model_get_output(model, "predikt", 0, &tensor, &status), SEQGRAPH_NOT_FOUND,
               "predict");

  for (i = 0; i < info.num_variables; ++i) {
    EXPECT(seqgraph_model_get_variable(model, i, &tensor, &status) == SEQGRAPH_OK);
    EXPECT(tensor.num_bytes > 0 && tensor.data == NULL);
    EXPECT(tensor.is_trainable + tensor.is_optimizer_state == 1);
    optimizers += tensor.is_optimizer_state;
    if (strcmp(tensor.name, "dense/kernel") == 0) {
      ++kernels;
      EXPECT(tensor.is_trainable && tensor.rank == 2 && tensor.num_bytes == 8);
    }
  }
  EXPECT(kernels == 1 && optimizers >= 2); /* the rate and the count of steps */
  EXPECT_ERROR(seqgraph_model_get_variable(model, info.num_variables, &tensor, &status),
               SEQGRAPH_NOT_FOUND, "no variable");
  seqgraph_model_free(model);
}

static void test_predict(const char* folder) {
  seqgraph_model* model = load(folder, "dense.pb");
  seqgraph_function *one = NULL, *two = NULL;
  seqgraph_options options = SEQGRAPH_INIT(seqgraph_options);
  seqgraph_function_info info = SEQGRAPH_INIT(seqgraph_function_info);
  seqgraph_tensor_info tensor = SEQGRAPH_INIT(seqgraph_tensor_info);
  const float x[4] = {1, 2, 3, 4};
  float y[2] = {0, 0};

  EXPECT(seqgraph_function_compile(model, "predict", NULL, &one, &status) == SEQGRAPH_OK);
  options.batch = 2;
  options.threads = 2;
  EXPECT(seqgraph_function_compile(model, "predict", &options, &two, &status) == SEQGRAPH_OK);
  if (one == NULL || two == NULL) exit(1);
  /* The functions keep alive what they need. */
  seqgraph_model_free(model);

  EXPECT(seqgraph_function_get_info(two, &info, &status) == SEQGRAPH_OK);
  EXPECT(info.batch == 2 && info.num_bytes > 0 && strcmp(info.name, "predict") == 0);
  EXPECT(seqgraph_function_find_input(two, "x") == 0);
  EXPECT(seqgraph_function_find_input(two, "y") == -1);
  EXPECT(seqgraph_function_find_output(two, "y") == 0);
  EXPECT(seqgraph_function_find_output(two, NULL) == -1);
  EXPECT(seqgraph_function_find_output(NULL, "y") == -1);

  EXPECT(seqgraph_function_set_input(two, 0, x, sizeof(x), &status) == SEQGRAPH_OK);
  EXPECT(seqgraph_function_run(two, &status) == SEQGRAPH_OK);
  EXPECT(seqgraph_function_get_output(two, 0, y, sizeof(y), &status) == SEQGRAPH_OK);
  EXPECT(y[0] == 9 && y[1] == 19);

  /* The same in place, for one row. */
  EXPECT(seqgraph_function_get_input_info(one, 0, &tensor, &status) == SEQGRAPH_OK);
  EXPECT(tensor.num_bytes == 8 && tensor.dims[0] == 1 && tensor.data != NULL);
  memcpy(tensor.data, x + 2, 8);
  EXPECT(seqgraph_function_run(one, NULL) == SEQGRAPH_OK);
  EXPECT(seqgraph_function_get_output_info(one, 0, &tensor, &status) == SEQGRAPH_OK);
  EXPECT(*(const float*)tensor.data == 19);

  EXPECT_ERROR(seqgraph_function_set_input(two, 0, x, 15, &status), SEQGRAPH_INVALID_ARGUMENT,
               "x has 16 bytes, not 15");
  EXPECT_ERROR(seqgraph_function_set_input(two, 1, x, 16, &status), SEQGRAPH_NOT_FOUND,
               "no input 1");
  EXPECT_ERROR(seqgraph_function_set_input(two, 0, NULL, 16, &status), SEQGRAPH_INVALID_ARGUMENT,
               "NULL");
  EXPECT_ERROR(seqgraph_function_get_output(two, 0, y, 4, &status), SEQGRAPH_INVALID_ARGUMENT,
               "y has 8 bytes, not 4");
  EXPECT_ERROR(seqgraph_function_get_output(two, -1, y, 8, &status), SEQGRAPH_NOT_FOUND,
               "no output -1");
  EXPECT_ERROR(seqgraph_function_get_input_info(two, 5, &tensor, &status), SEQGRAPH_NOT_FOUND,
               "there are 1");
  EXPECT_ERROR(seqgraph_function_get_output_info(two, 5, &tensor, &status), SEQGRAPH_NOT_FOUND,
               "there are 1");
  seqgraph_function_free(one);
  seqgraph_function_free(two);
}

static void test_training(const char* folder) {
  seqgraph_model* model = load(folder, "dense.pb");
  seqgraph_function *train = NULL, *predict = NULL;
  seqgraph_options options = SEQGRAPH_INIT(seqgraph_options);
  const float x[4] = {1, 2, 3, 4}, labels[2] = {0, 0};
  float loss = 0, kernel[2] = {0, 0}, bias = 0, y = 0;

  options.batch = 2;
  EXPECT(seqgraph_function_compile(model, "train_step", &options, &train, &status) == SEQGRAPH_OK);
  EXPECT(seqgraph_function_compile(model, "predict", NULL, &predict, &status) == SEQGRAPH_OK);
  if (train == NULL || predict == NULL) exit(1);
  EXPECT(seqgraph_function_set_input(train, seqgraph_function_find_input(train, "x"), x, sizeof(x),
                                     &status) == SEQGRAPH_OK);
  EXPECT(seqgraph_function_set_input(train, seqgraph_function_find_input(train, "labels"), labels,
                                     sizeof(labels), &status) == SEQGRAPH_OK);
  EXPECT(seqgraph_function_run(train, &status) == SEQGRAPH_OK);
  EXPECT(seqgraph_function_get_output(train, seqgraph_function_find_output(train, "loss"), &loss,
                                      sizeof(loss), &status) == SEQGRAPH_OK);
  EXPECT(loss == 221); /* (9^2 + 19^2) / 2 */
  /* Gradients 1*9 + 3*19 = 66, 2*9 + 4*19 = 94 and 9 + 19 = 28, of which half is taken. */
  EXPECT(seqgraph_variable_get(model, "dense/kernel", kernel, 8, &status) == SEQGRAPH_OK);
  EXPECT(seqgraph_variable_get(model, "dense/bias", &bias, 4, &status) == SEQGRAPH_OK);
  EXPECT(kernel[0] == -31 && kernel[1] == -44 && bias == -13);

  /* Other functions see it, and what is set by hand. */
  EXPECT(seqgraph_function_set_input(predict, 0, x, 8, &status) == SEQGRAPH_OK);
  EXPECT(seqgraph_function_run(predict, &status) == SEQGRAPH_OK);
  EXPECT(seqgraph_function_get_output(predict, 0, &y, 4, &status) == SEQGRAPH_OK);
  EXPECT(y == -132);
  kernel[0] = 100;
  kernel[1] = 0;
  EXPECT(seqgraph_variable_set(model, "dense/kernel", kernel, 8, &status) == SEQGRAPH_OK);
  EXPECT(seqgraph_function_run(predict, &status) == SEQGRAPH_OK);
  EXPECT(seqgraph_function_get_output(predict, 0, &y, 4, &status) == SEQGRAPH_OK);
  EXPECT(y == 87);

  EXPECT_ERROR(seqgraph_variable_get(model, "dense/kernel", kernel, 4, &status),
               SEQGRAPH_INVALID_ARGUMENT, "8 bytes, not 4");
  EXPECT_ERROR(seqgraph_variable_set(model, "dense/kernel", kernel, 12, &status),
               SEQGRAPH_INVALID_ARGUMENT, "8 bytes, not 12");
  EXPECT_ERROR(seqgraph_variable_set(model, "dense/kernel", NULL, 8, &status),
               SEQGRAPH_INVALID_ARGUMENT, "NULL");
  EXPECT_ERROR(seqgraph_variable_get(model, "dense", kernel, 8, &status), SEQGRAPH_NOT_FOUND,
               "dense");
  seqgraph_function_free(train);
  seqgraph_function_free(predict);
  seqgraph_model_free(model);
}

/* A token that the vocabulary does not have is an error of the run, which names the input. */
static void test_run_error(const char* folder) {
  seqgraph_model* model = load(folder, "LSTM.pb");
  seqgraph_function* predict = NULL;
  int32_t tokens[7] = {1, 2, 3, 4, 5, 6, 20};
  float before = 0, after = 0;
  EXPECT(seqgraph_function_compile(model, "predict", NULL, &predict, &status) == SEQGRAPH_OK);
  if (predict == NULL) exit(1);
  EXPECT(seqgraph_function_set_input(predict, 0, tokens, sizeof(tokens), &status) == SEQGRAPH_OK);
  EXPECT_ERROR(seqgraph_function_run(predict, &status), SEQGRAPH_INVALID_ARGUMENT, "20");
  tokens[6] = 19;
  EXPECT(seqgraph_function_set_input(predict, 0, tokens, sizeof(tokens), &status) == SEQGRAPH_OK);
  EXPECT(seqgraph_function_run(predict, &status) == SEQGRAPH_OK);
  EXPECT(seqgraph_function_get_output(predict, 0, &before, 4, &status) == SEQGRAPH_OK);
  EXPECT(before > 0 && before < 1); /* a probability */
  EXPECT(seqgraph_function_run(predict, &status) == SEQGRAPH_OK);
  EXPECT(seqgraph_function_get_output(predict, 0, &after, 4, &status) == SEQGRAPH_OK);
  EXPECT(before == after);
  seqgraph_function_free(predict);
  seqgraph_model_free(model);
}

static void test_options(const char* folder) {
  seqgraph_model* model = load(folder, "dense.pb");
  seqgraph_function* function = (seqgraph_function*)&status;
  struct {
    seqgraph_options known;
    int64_t newer;
  } options;
  memset(&options, 0, sizeof(options));
  options.known.struct_size = sizeof(options);
  EXPECT(seqgraph_function_compile(model, "predict", &options.known, &function, &status) ==
         SEQGRAPH_OK);
  seqgraph_function_free(function);
  options.newer = 1;
  EXPECT_ERROR(seqgraph_function_compile(model, "predict", &options.known, &function, &status),
               SEQGRAPH_UNIMPLEMENTED, "does not know");
  EXPECT(function == NULL);
  options.known.struct_size = 0;
  EXPECT_ERROR(seqgraph_function_compile(model, "predict", &options.known, &function, &status),
               SEQGRAPH_INVALID_ARGUMENT, "SEQGRAPH_INIT");
  options.known.struct_size = (size_t)1 << 40;
  EXPECT_ERROR(seqgraph_function_compile(model, "predict", &options.known, &function, &status),
               SEQGRAPH_INVALID_ARGUMENT, "SEQGRAPH_INIT");
  options.known.struct_size = sizeof(seqgraph_options);
  options.known.batch = -1;
  EXPECT_ERROR(seqgraph_function_compile(model, "predict", &options.known, &function, &status),
               SEQGRAPH_INVALID_ARGUMENT, "batch -1");
  options.known.batch = 1;
  options.known.threads = 100000;
  EXPECT_ERROR(seqgraph_function_compile(model, "predict", &options.known, &function, &status),
               SEQGRAPH_INVALID_ARGUMENT, "threads 100000");
  options.known.threads = 1;
  options.known.max_num_bytes = 1;
  EXPECT_ERROR(seqgraph_function_compile(model, "predict", &options.known, &function, &status),
               SEQGRAPH_RESOURCE_EXHAUSTED, "");
  options.known.max_num_bytes = (int64_t)1 << 30;
  options.known.batch = (int64_t)1 << 31;
  EXPECT_ERROR(seqgraph_function_compile(model, "predict", &options.known, &function, &status),
               SEQGRAPH_RESOURCE_EXHAUSTED, "");
  EXPECT_ERROR(seqgraph_function_compile(model, "predikt", NULL, &function, &status),
               SEQGRAPH_NOT_FOUND, "train_step");
  seqgraph_model_free(model);
}

/* An older program knows less of a struct, a newer one more. */
static void test_struct_sizes(const char* folder) {
  seqgraph_model* model = load(folder, "dense.pb");
  struct {
    seqgraph_tensor_info known;
    int64_t newer[4];
  } info;
  seqgraph_status small;
  memset(&info, 0x5a, sizeof(info));
  info.known.struct_size = offsetof(seqgraph_tensor_info, rank);
  EXPECT(seqgraph_model_get_input(model, "predict", 0, &info.known, &status) == SEQGRAPH_OK);
  EXPECT(info.known.dtype == SEQGRAPH_FLOAT32 && info.known.rank == 0x5a5a5a5a);
  memset(&info, 0x5a, sizeof(info));
  info.known.struct_size = sizeof(info);
  EXPECT(seqgraph_model_get_input(model, "predict", 0, &info.known, &status) == SEQGRAPH_OK);
  EXPECT(info.known.rank == 2 && info.newer[0] == 0 && info.newer[3] == 0);
  EXPECT(info.known.struct_size == sizeof(info));
  info.known.struct_size = 3;
  EXPECT_ERROR(seqgraph_model_get_input(model, "predict", 0, &info.known, &status),
               SEQGRAPH_INVALID_ARGUMENT, "SEQGRAPH_INIT");

  memset(&small, 'x', sizeof(small));
  small.struct_size = offsetof(seqgraph_status, text) + 8;
  EXPECT(seqgraph_model_load("/nowhere/model.pb", &model, &small) == SEQGRAPH_NOT_FOUND);
  EXPECT(small.code == SEQGRAPH_NOT_FOUND && strlen(small.text) == 7 && small.text[8] == 'x');
  EXPECT(model == NULL);
  small.struct_size = 0; /* has room for nothing */
  EXPECT(seqgraph_model_load("/nowhere/model.pb", &model, &small) == SEQGRAPH_NOT_FOUND);
  EXPECT(small.text[8] == 'x');
}

static void test_null(const char* folder) {
  seqgraph_model* model = load(folder, "dense.pb");
  seqgraph_function* function = NULL;
  seqgraph_tensor_info tensor = SEQGRAPH_INIT(seqgraph_tensor_info);
  seqgraph_function_info info = SEQGRAPH_INIT(seqgraph_function_info);
  seqgraph_model_info model_info = SEQGRAPH_INIT(seqgraph_model_info);
  float x[2] = {0, 0};
  const int32_t bad = SEQGRAPH_INVALID_ARGUMENT;
  EXPECT(seqgraph_function_compile(model, "predict", NULL, &function, &status) == SEQGRAPH_OK);
  if (function == NULL) exit(1);

  EXPECT_ERROR(seqgraph_model_load(NULL, &model, &status), bad, "path is NULL");
  EXPECT_ERROR(seqgraph_model_load("model.pb", NULL, &status), bad, "model is NULL");
  EXPECT_ERROR(seqgraph_model_parse(NULL, 4, &model, &status), bad, "bytes is NULL");
  EXPECT_ERROR(seqgraph_model_parse(x, 4, NULL, &status), bad, "model is NULL");
  EXPECT_ERROR(seqgraph_model_get_info(NULL, &model_info, &status), bad, "model is NULL");
  EXPECT_ERROR(seqgraph_model_get_info(model, NULL, &status), bad, "info is NULL");
  EXPECT_ERROR(seqgraph_model_get_function(NULL, 0, &info, &status), bad, "model is NULL");
  EXPECT_ERROR(seqgraph_model_get_function(model, 0, NULL, &status), bad, "info is NULL");
  EXPECT_ERROR(seqgraph_model_get_input(NULL, "predict", 0, &tensor, &status), bad, "model");
  EXPECT_ERROR(seqgraph_model_get_input(model, NULL, 0, &tensor, &status), bad, "function");
  EXPECT_ERROR(seqgraph_model_get_input(model, "predict", 0, NULL, &status), bad, "info");
  EXPECT_ERROR(seqgraph_model_get_output(NULL, "predict", 0, &tensor, &status), bad, "model");
  EXPECT_ERROR(seqgraph_model_get_output(model, NULL, 0, &tensor, &status), bad, "function");
  EXPECT_ERROR(seqgraph_model_get_variable(NULL, 0, &tensor, &status), bad, "model");
  EXPECT_ERROR(seqgraph_variable_get(NULL, "dense/bias", x, 4, &status), bad, "model");
  EXPECT_ERROR(seqgraph_variable_get(model, NULL, x, 4, &status), bad, "name");
  EXPECT_ERROR(seqgraph_variable_get(model, "dense/bias", NULL, 4, &status), bad, "NULL");
  EXPECT_ERROR(seqgraph_variable_set(NULL, "dense/bias", x, 4, &status), bad, "model");
  EXPECT_ERROR(seqgraph_variable_set(model, NULL, x, 4, &status), bad, "name");
  EXPECT_ERROR(seqgraph_function_compile(NULL, "predict", NULL, &function, &status), bad, "model");
  EXPECT_ERROR(seqgraph_function_compile(model, NULL, NULL, &function, &status), bad, "name");
  EXPECT_ERROR(seqgraph_function_compile(model, "predict", NULL, NULL, &status), bad, "function");
  EXPECT_ERROR(seqgraph_function_get_info(NULL, &info, &status), bad, "function");
  EXPECT_ERROR(seqgraph_function_get_info(function, NULL, &status), bad, "info");
  EXPECT_ERROR(seqgraph_function_get_input_info(NULL, 0, &tensor, &status), bad, "function");
  EXPECT_ERROR(seqgraph_function_get_output_info(NULL, 0, &tensor, &status), bad, "function");
  EXPECT_ERROR(seqgraph_function_set_input(NULL, 0, x, 8, &status), bad, "function");
  EXPECT_ERROR(seqgraph_function_run(NULL, &status), bad, "function");
  EXPECT_ERROR(seqgraph_function_get_output(NULL, 0, x, 4, &status), bad, "function");
  EXPECT(seqgraph_function_run(NULL, NULL) == bad);
  seqgraph_model_free(NULL);
  seqgraph_function_free(NULL);
  seqgraph_function_free(function);
  seqgraph_model_free(model);
}

static unsigned char* read_all(const char* folder, const char* name, size_t* size) {
  char path[4096];
  FILE* file;
  unsigned char* bytes = NULL;
  snprintf(path, sizeof(path), "%s/%s", folder, name);
  file = fopen(path, "rb");
  if (file == NULL || fseek(file, 0, SEEK_END) != 0) exit(1);
  *size = (size_t)ftell(file);
  rewind(file);
  bytes = malloc(*size);
  if (bytes == NULL || fread(bytes, 1, *size, file) != *size) exit(1);
  fclose(file);
  return bytes;
}

static void test_bytes(const char* folder) {
  size_t size = 0, text_size = 0, cut;
  unsigned char* bytes = read_all(folder, "dense.pb", &size);
  unsigned char* text = read_all(folder, "dense.textproto", &text_size);
  unsigned char* copy = malloc(size);
  seqgraph_model* model = NULL;
  EXPECT(seqgraph_model_parse(bytes, size, &model, &status) == SEQGRAPH_OK && model != NULL);
  seqgraph_model_free(model);
  for (cut = 0; cut < size; ++cut) {
    EXPECT(seqgraph_model_parse(bytes, cut, &model, &status) != SEQGRAPH_OK && model == NULL);
  }
  EXPECT_ERROR(seqgraph_model_parse("hello, world, what?", 19, &model, &status),
               SEQGRAPH_INVALID_ARGUMENT, "not a seqgraph model");
  EXPECT_ERROR(seqgraph_model_parse(text, text_size, &model, &status), SEQGRAPH_INVALID_ARGUMENT,
               "seqgraph convert");
  memcpy(copy, bytes, size);
  copy[size / 2] ^= 1;
  EXPECT_ERROR(seqgraph_model_parse(copy, size, &model, &status), SEQGRAPH_DATA_LOSS, "checksum");
  copy[17] = 99; /* the format version, behind the magic and its tag */
  EXPECT_ERROR(seqgraph_model_parse(copy, size, &model, &status), SEQGRAPH_FAILED_PRECONDITION,
               "version 99");
  EXPECT_ERROR(seqgraph_model_load("/", &model, &status), SEQGRAPH_INVALID_ARGUMENT, "/");
  free(bytes);
  free(text);
  free(copy);
}

int main(int argc, char** argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: runtime_c_test FOLDER\n");
    return 1;
  }
  test_information(argv[1]);
  test_predict(argv[1]);
  test_training(argv[1]);
  test_run_error(argv[1]);
  test_options(argv[1]);
  test_struct_sizes(argv[1]);
  test_null(argv[1]);
  test_bytes(argv[1]);
  if (failures > 0) fprintf(stderr, "%d failures\n", failures);
  return failures > 0;
}
