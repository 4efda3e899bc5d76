#ifndef SEQGRAPH_TESTS_PLUGINS_HOSTILE_HONEST_H_
#define SEQGRAPH_TESTS_PLUGINS_HOSTILE_HONEST_H_

/* A small plugin that does all things right: Sigmoid in float32. The hostile ones change one thing
 * each. */

#include <math.h>
#include <stdlib.h>

#include "backends/plugin/seqgraph_backend.h"

static inline int32_t honest_claim(void* instance, const sg_function* function, int32_t node,
                                   sg_claim* claim, sg_status* status) {
  static const sg_supported_op ops[] = {{"Sigmoid", 1, {NULL}}};
  sg_node found;
  const sg_value* x;
  (void)instance, (void)status;
  if (sg_check_node(function, node, ops, 1, &found, claim) < 0) return SG_OK;
  x = sg_node_input(function, &found, 0);
  if (x == NULL || x->dtype != SG_FLOAT32) {
    sg_refuse(claim, SG_UNSUPPORTED_TYPE, "only float32");
  }
  return SG_OK;
}

static inline int32_t honest_prepare(void* instance, const sg_prepare_args* args,
                                     sg_program* program, sg_status* status) {
  (void)instance, (void)args;
  program->handle = malloc(1);
  if (program->handle == NULL) return sg_fail(status, SG_RESOURCE_EXHAUSTED, "no memory");
  return SG_OK;
}

static inline void honest_destroy(void* program) { free(program); }

static inline int32_t honest_run(void* program, const sg_run_args* args, sg_status* status) {
  const sg_tensor* x = args->inputs[0];
  const sg_tensor* y = args->outputs[0];
  int64_t i;
  (void)program, (void)status;
  if (y->data == NULL) return SG_OK;
  for (i = 0; i < y->bytes / (int64_t)sizeof(float); ++i) {
    ((float*)y->data)[i] = (float)(1 / (1 + exp(-(double)((const float*)x->data)[i])));
  }
  return SG_OK;
}

static inline int32_t honest_fill(const sg_host* host, sg_backend* backend, sg_status* status) {
  (void)host, (void)status;
  backend->name = "honest";
  backend->version = "1";
  backend->description = "Sigmoid, float32";
  backend->claim = honest_claim;
  backend->prepare = honest_prepare;
  backend->run = honest_run;
  backend->destroy = honest_destroy;
  return SG_OK;
}

/* Defines the entry of a plugin that is honest but for `change`, statements about `backend`. */
#define HONEST_BUT(plugin_name, change)                                              \
  static int32_t fill(const sg_host* host, sg_backend* backend, sg_status* status) { \
    int32_t code = honest_fill(host, backend, status);                               \
    backend->name = plugin_name;                                                     \
    change;                                                                          \
    return code;                                                                     \
  }                                                                                  \
  SEQGRAPH_BACKEND(fill)

/* Defines the entry of a plugin that negotiates by hand: `change` damages the table. */
#define HONEST_BY_HAND(plugin_name, change)                                          \
  SG_EXPORT int32_t seqgraph_backend_entry(const sg_host* host, sg_backend* backend, \
                                           sg_status* status);                       \
  SG_EXPORT int32_t seqgraph_backend_entry(const sg_host* host, sg_backend* backend, \
                                           sg_status* status) {                      \
    backend->struct_size = sizeof(sg_backend);                                       \
    backend->magic = SG_MAGIC;                                                       \
    backend->abi_version = SG_ABI_VERSION;                                           \
    honest_fill(host, backend, status);                                              \
    backend->name = plugin_name;                                                     \
    change;                                                                          \
    return SG_OK;                                                                    \
  }

#endif /* SEQGRAPH_TESTS_PLUGINS_HOSTILE_HONEST_H_ */
