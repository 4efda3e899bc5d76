#ifndef SEQGRAPH_RUNTIME_H_
#define SEQGRAPH_RUNTIME_H_

/*
 * libseqgraph_runtime: loads a model that seqgraph has saved and runs its functions, among them
 * train_step, and streams, step by step. C99; C++ programs may prefer <seqgraph/runtime.hpp>.
 * Installed as <seqgraph/runtime.h>.
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

/* Loads a model file (.pb). A function of it is read when it is first asked for, by name, index or
 * compiling: what is wrong with its bytes is told then. */
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

/* ---- Streams --------------------------------------------------------------------------------- */

/*
 * Models whose recurrences go forward, step by step, on streams whose inputs come as they happen:
 *
 *   seqgraph_stream_model_load("model.pb", NULL, &model, &status);
 *   seqgraph_stream_create(model, &stream, &status);
 *   seqgraph_stream_get_input(stream, 0, &input, &status);     once
 *   seqgraph_stream_get_output(stream, 0, &output, &status);
 *   for (...) {
 *     *(float*)input.data = sample;
 *     seqgraph_stream_step(stream, NULL);
 *     use(*(const float*)output.data);
 *   }
 *
 * After k steps the outputs are, bit for bit, those of the whole function for these k steps. A step
 * that succeeds allocates nothing, locks nothing, makes no system call and touches no memory for
 * the first time, if the model says so (seqgraph_stream_info::num_slow_nodes is 0).
 */

/* A model made ready for streams. Never changes: any number of threads may share it. */
typedef struct seqgraph_stream_model seqgraph_stream_model;
/* One sequence on its way through a model. For one thread at a time; streams of one model may be
 * stepped on as many threads as one likes. */
typedef struct seqgraph_stream seqgraph_stream;
/* Steps several streams in one call, which reads the weights once for all. For one thread at a
 * time. */
typedef struct seqgraph_stream_batch seqgraph_stream_batch;

typedef struct seqgraph_stream_options {
  size_t struct_size;
  const char* function; /* NULL: "predict" */
  int64_t max_batch;    /* streams that a batch steps at once, at most 64; 0: 1 */
  int64_t block;        /* steps that seqgraph_stream_step_block takes at once where it can; 0: 1 */
  int64_t max_num_bytes; /* memory that each call may hold: one stream's, a batch's, a block's; 0:
                          * no limit */
} seqgraph_stream_options;

/* Loads a model file, or bytes of one, for streams; `options` may be NULL. SEQGRAPH_UNIMPLEMENTED
 * names the node of a model that cannot go step by step: it goes backwards, pools over all time, or
 * needs steps that have not come. */
SEQGRAPH_API int32_t seqgraph_stream_model_load(const char* path,
                                                const seqgraph_stream_options* options,
                                                seqgraph_stream_model** model,
                                                seqgraph_status* status);
SEQGRAPH_API int32_t seqgraph_stream_model_parse(const void* bytes, size_t num_bytes,
                                                 const seqgraph_stream_options* options,
                                                 seqgraph_stream_model** model,
                                                 seqgraph_status* status);
/* NULL is allowed. Streams keep what they need of it alive. */
SEQGRAPH_API void seqgraph_stream_model_free(seqgraph_stream_model* model);

typedef struct seqgraph_stream_info {
  size_t struct_size;
  int32_t num_inputs;
  int32_t num_outputs;
  int32_t num_slow_nodes; /* that run by their op's definition, and may allocate */
  int64_t num_steps;      /* steps of the inputs that one call takes: 1, unless the model strides */
  int64_t max_batch;
  int64_t state_bytes;  /* of the states of a stream together */
  int64_t stream_bytes; /* of all that a stream takes */
} seqgraph_stream_info;

SEQGRAPH_API int32_t seqgraph_stream_model_get_info(const seqgraph_stream_model* model,
                                                    seqgraph_stream_info* info,
                                                    seqgraph_status* status);

/* A stream at the beginning. */
SEQGRAPH_API int32_t seqgraph_stream_create(const seqgraph_stream_model* model,
                                            seqgraph_stream** stream, seqgraph_status* status);
/* NULL is allowed. */
SEQGRAPH_API void seqgraph_stream_free(seqgraph_stream* stream);
/* Input or output `index` of a step, with the memory that the next one reads and the last one has
 * written: the same for the stream's life. */
SEQGRAPH_API int32_t seqgraph_stream_get_input(const seqgraph_stream* stream, int32_t index,
                                               seqgraph_tensor_info* info, seqgraph_status* status);
SEQGRAPH_API int32_t seqgraph_stream_get_output(const seqgraph_stream* stream, int32_t index,
                                                seqgraph_tensor_info* info,
                                                seqgraph_status* status);
/* Takes the step whose inputs have been written. One that fails (SEQGRAPH_INVALID_ARGUMENT: a token
 * that is not in the vocabulary) leaves the stream as it was. */
SEQGRAPH_API int32_t seqgraph_stream_step(seqgraph_stream* stream, seqgraph_status* status);
/* The same for `num_calls` steps: inputs[i] holds the elements of input i of each, one after the
 * other, and outputs[i] gets those of output i; NULL: not wanted. One that fails leaves the stream
 * where `done` of them, unless that is NULL, had been taken. */
SEQGRAPH_API int32_t seqgraph_stream_step_block(seqgraph_stream* stream, int64_t num_calls,
                                                const void* const* inputs, void* const* outputs,
                                                int64_t* done, seqgraph_status* status);
/* Back to the beginning. */
SEQGRAPH_API int32_t seqgraph_stream_reset(seqgraph_stream* stream, seqgraph_status* status);
/* Goes on from where another stream of the same model is: for branches, as of a beam search. */
SEQGRAPH_API int32_t seqgraph_stream_copy(seqgraph_stream* stream, const seqgraph_stream* from,
                                          seqgraph_status* status);
/* The states as bytes, which any process with the same model can go on from: writes them where
 * `bytes` is not NULL and `*num_bytes` is enough (SEQGRAPH_OUT_OF_RANGE if it is not), and says in
 * `*num_bytes` how many there are, which is the same for all streams of a model. */
SEQGRAPH_API int32_t seqgraph_stream_save(const seqgraph_stream* stream, void* bytes,
                                          size_t* num_bytes, seqgraph_status* status);
/* The inverse, for bytes of any origin: changes nothing unless all is well. */
SEQGRAPH_API int32_t seqgraph_stream_restore(seqgraph_stream* stream, const void* bytes,
                                             size_t num_bytes, seqgraph_status* status);

SEQGRAPH_API int32_t seqgraph_stream_batch_create(const seqgraph_stream_model* model,
                                                  seqgraph_stream_batch** batch,
                                                  seqgraph_status* status);
/* NULL is allowed. */
SEQGRAPH_API void seqgraph_stream_batch_free(seqgraph_stream_batch* batch);
/* seqgraph_stream_step of `num_streams` streams, all different; any streams of the model may take
 * part, in any order, and join and leave as they like. One that fails leaves those that it went
 * wrong with as they were. */
SEQGRAPH_API int32_t seqgraph_stream_batch_step(seqgraph_stream_batch* batch,
                                                seqgraph_stream* const* streams,
                                                int32_t num_streams, seqgraph_status* status);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* SEQGRAPH_RUNTIME_H_ */
