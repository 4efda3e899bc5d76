#ifndef SEQGRAPH_RUNTIME_H_
#define SEQGRAPH_RUNTIME_H_

/*
 * libseqgraph_runtime: loads a model that seqgraph has saved and runs its functions, among them
 * train_step. C99; C++ programs may prefer <seqgraph/runtime.hpp>. Installed as
 * <seqgraph/runtime.h>.
 *
 *   seqgraph_status status = SEQGRAPH_STATUS_INIT;
 *   seqgraph_model* model = NULL;
 *   seqgraph_function* predict = NULL;
 *   if (seqgraph_model_load("model.pb", &model, &status) != SEQGRAPH_OK) fail(status.text);
 *   if (seqgraph_function_compile(model, "predict", NULL, &predict, &status)) fail(status.text);
 *   seqgraph_function_set_input(predict, 0, tokens, sizeof(tokens), &status);
 *   seqgraph_function_run(predict, &status);
 *   seqgraph_function_get_output(predict, 0, probability, sizeof(probability), &status);
 *
 * Errors. Whatever can fail gives a code of seqgraph_code, SEQGRAPH_OK (0) if it did not, and
 * writes code and text into `status` unless that is NULL. A call that fails changes nothing, and
 * leaves what it would have given out NULL, unless its comment says otherwise. No exception and no
 * abort crosses this interface: a lack of memory is SEQGRAPH_RESOURCE_EXHAUSTED, a handle or
 * pointer that is NULL SEQGRAPH_INVALID_ARGUMENT. Bytes of models may be anything.
 *
 * Structs begin with their size, which the caller sets (SEQGRAPH_INIT): the library fills in what
 * both sides know. So programs that are built with this header run with every later library of the
 * same major version.
 *
 * Threads. Different models are independent. Of one model, any number of threads may load, compile,
 * ask for information, and run functions, each of which only one thread at a time may use, as long
 * as none of them writes variables: neither seqgraph_variable_set nor a function that updates some
 * (seqgraph_function_info::num_updates > 0) may run beside anything else of the same model.
 *
 * Who frees what: handles live until they are freed; a compiled function keeps what it needs of its
 * model alive, so the two may be freed in any order. Texts and shapes that are given out belong to
 * the handle that gave them.
 */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this header. Same major: programs built earlier run with a later library. */
#define SEQGRAPH_VERSION_MAJOR 1
#define SEQGRAPH_VERSION_MINOR 0
#define SEQGRAPH_VERSION_PATCH 0

#define SEQGRAPH_API __attribute__((visibility("default")))

/* "1.0.0": the version of the library that is linked or loaded. */
SEQGRAPH_API const char* seqgraph_version(void);
/* Its newest instruction set in use on this CPU: "AVX3", "AVX2" or "SSE4"; "none" where it can run
 * nothing. The environment variable SEQGRAPH_SIMD_TARGET forces one. */
SEQGRAPH_API const char* seqgraph_simd_target(void);

/* ---- Status ---------------------------------------------------------------------------------- */

/* Codes as absl::StatusCode and gRPC number them. */
typedef enum seqgraph_code {
  SEQGRAPH_OK = 0,
  SEQGRAPH_UNKNOWN = 2,
  SEQGRAPH_INVALID_ARGUMENT = 3,
  SEQGRAPH_NOT_FOUND = 5,
  SEQGRAPH_PERMISSION_DENIED = 7,
  SEQGRAPH_RESOURCE_EXHAUSTED = 8,
  SEQGRAPH_FAILED_PRECONDITION = 9,
  SEQGRAPH_OUT_OF_RANGE = 11,
  SEQGRAPH_UNIMPLEMENTED = 12,
  SEQGRAPH_INTERNAL = 13,
  SEQGRAPH_DATA_LOSS = 15
} seqgraph_code;

typedef struct seqgraph_status {
  size_t struct_size;
  int32_t code;   /* a seqgraph_code */
  char text[500]; /* what, where and what to do; "" for SEQGRAPH_OK. Cut where it is longer. */
} seqgraph_status;

/* For the definition of any struct of this header: `seqgraph_options options =
 * SEQGRAPH_INIT(seqgraph_options);`. All other members are 0. */
#ifdef __cplusplus
#define SEQGRAPH_INIT(type)          \
  ([] {                              \
    type init = {};                  \
    init.struct_size = sizeof(init); \
    return init;                     \
  }())
#else
#define SEQGRAPH_INIT(type) \
  { .struct_size = sizeof(type) }
#endif
#define SEQGRAPH_STATUS_INIT SEQGRAPH_INIT(seqgraph_status)

/* ---- Models ---------------------------------------------------------------------------------- */

/* Named functions over shared variables: "predict", "evaluate", "train_step", ... */
typedef struct seqgraph_model seqgraph_model;

/* Loads a model file (.pb). */
SEQGRAPH_API int32_t seqgraph_model_load(const char* path, seqgraph_model** model,
                                         seqgraph_status* status);
/* The same from bytes in memory, which are not needed afterwards. */
SEQGRAPH_API int32_t seqgraph_model_parse(const void* bytes, size_t num_bytes,
                                          seqgraph_model** model, seqgraph_status* status);
/* NULL is allowed. */
SEQGRAPH_API void seqgraph_model_free(seqgraph_model* model);

typedef struct seqgraph_model_info {
  size_t struct_size;
  const char* name;
  const char* description; /* what it was trained on and how */
  int32_t num_functions;
  int32_t num_variables;
  int32_t num_labels;
} seqgraph_model_info;

SEQGRAPH_API int32_t seqgraph_model_get_info(const seqgraph_model* model, seqgraph_model_info* info,
                                             seqgraph_status* status);
/* The name of class `index`; NULL if there is none. */
SEQGRAPH_API const char* seqgraph_model_label(const seqgraph_model* model, int32_t index);

typedef enum seqgraph_dtype {
  SEQGRAPH_FLOAT32 = 1,
  SEQGRAPH_FLOAT64 = 2,
  SEQGRAPH_INT32 = 3,
  SEQGRAPH_INT64 = 4
} seqgraph_dtype;

/* An input, an output or a variable: dense, row-major, in the machine's byte order. */
typedef struct seqgraph_tensor_info {
  size_t struct_size;
  const char* name;
  int32_t dtype;       /* a seqgraph_dtype */
  int32_t rank;        /* 0 for a scalar */
  const int64_t* dims; /* `rank` extents, outermost first; -1 is the batch, before compiling */
  int64_t num_bytes;   /* -1 where an extent is the batch */
  /* Of a compiled function's input or output: where its elements are, 64-byte aligned, the same for
   * life. Write an input there before a run, or use seqgraph_function_set_input. Else NULL. */
  void* data;
  /* Of a variable: whether training changes it as a weight, and whether it is the optimizer's (its
   * slots, counters and learning rate) rather than a weight. Else 0. */
  int32_t is_trainable;
  int32_t is_optimizer_state;
} seqgraph_tensor_info;

typedef struct seqgraph_function_info {
  size_t struct_size;
  const char* name;
  int32_t num_inputs;
  int32_t num_outputs;
  int32_t num_updates; /* variables that a run changes; 0: it only reads them */
  int64_t batch;       /* of a compiled function; 0: not compiled */
  int64_t num_bytes;   /* memory that the compiled function holds */
} seqgraph_function_info;

/* Function `index` of the model, in the file's order. */
SEQGRAPH_API int32_t seqgraph_model_get_function(const seqgraph_model* model, int32_t index,
                                                 seqgraph_function_info* info,
                                                 seqgraph_status* status);
/* Input or output `index` of the function of that name. */
SEQGRAPH_API int32_t seqgraph_model_get_input(const seqgraph_model* model, const char* function,
                                              int32_t index, seqgraph_tensor_info* info,
                                              seqgraph_status* status);
SEQGRAPH_API int32_t seqgraph_model_get_output(const seqgraph_model* model, const char* function,
                                               int32_t index, seqgraph_tensor_info* info,
                                               seqgraph_status* status);

/* ---- Variables ------------------------------------------------------------------------------- */

/* Variable `index` of the model, in the file's order. */
SEQGRAPH_API int32_t seqgraph_model_get_variable(const seqgraph_model* model, int32_t index,
                                                 seqgraph_tensor_info* info,
                                                 seqgraph_status* status);
/* Copies the content of a variable out or in. `num_bytes` must be its tensor's. */
SEQGRAPH_API int32_t seqgraph_variable_get(const seqgraph_model* model, const char* name, void* to,
                                           size_t num_bytes, seqgraph_status* status);
SEQGRAPH_API int32_t seqgraph_variable_set(seqgraph_model* model, const char* name,
                                           const void* from, size_t num_bytes,
                                           seqgraph_status* status);

/* ---- Functions ------------------------------------------------------------------------------- */

/* A function of a model made ready for one batch size. For one thread at a time. */
typedef struct seqgraph_function seqgraph_function;

typedef struct seqgraph_options {
  size_t struct_size;
  int64_t batch;         /* rows of a run; 0: 1 */
  int32_t threads;       /* 0: 1 */
  int64_t max_num_bytes; /* memory that the function may hold; 0: no limit */
} seqgraph_options;

/* Compiles the function of that name; `options` may be NULL. Takes some tenths of a millisecond,
 * and more where threads are started: do it once and keep it. SEQGRAPH_NOT_FOUND lists the
 * functions. */
SEQGRAPH_API int32_t seqgraph_function_compile(seqgraph_model* model, const char* name,
                                               const seqgraph_options* options,
                                               seqgraph_function** function,
                                               seqgraph_status* status);
/* NULL is allowed. */
SEQGRAPH_API void seqgraph_function_free(seqgraph_function* function);

SEQGRAPH_API int32_t seqgraph_function_get_info(const seqgraph_function* function,
                                                seqgraph_function_info* info,
                                                seqgraph_status* status);
SEQGRAPH_API int32_t seqgraph_function_get_input_info(const seqgraph_function* function,
                                                      int32_t index, seqgraph_tensor_info* info,
                                                      seqgraph_status* status);
SEQGRAPH_API int32_t seqgraph_function_get_output_info(const seqgraph_function* function,
                                                       int32_t index, seqgraph_tensor_info* info,
                                                       seqgraph_status* status);
/* The index of the input or output of that name; -1 if there is none. */
SEQGRAPH_API int32_t seqgraph_function_find_input(const seqgraph_function* function,
                                                  const char* name);
SEQGRAPH_API int32_t seqgraph_function_find_output(const seqgraph_function* function,
                                                   const char* name);

/* Copies elements into input `index`; `num_bytes` must be the input's. Inputs keep their elements
 * from run to run. */
SEQGRAPH_API int32_t seqgraph_function_set_input(seqgraph_function* function, int32_t index,
                                                 const void* from, size_t num_bytes,
                                                 seqgraph_status* status);
/* Runs the function on its inputs; then its variables are updated. Allocates nothing, and locks
 * nothing with one thread. SEQGRAPH_INVALID_ARGUMENT names an input that holds an index out of
 * range. A run that fails has changed no variable unless one was updated in place before. */
SEQGRAPH_API int32_t seqgraph_function_run(seqgraph_function* function, seqgraph_status* status);
/* Copies output `index` of the last run; `num_bytes` must be the output's. */
SEQGRAPH_API int32_t seqgraph_function_get_output(const seqgraph_function* function, int32_t index,
                                                  void* to, size_t num_bytes,
                                                  seqgraph_status* status);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* SEQGRAPH_RUNTIME_H_ */
