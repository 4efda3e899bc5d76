/* Passes every probe, and crashes in the process that it is for, as a file with a damaged bit may:
 * in the call that the environment variable SEQGRAPH_TEST_CRASH names, or as the process ends. */

#include <stdio.h>
#include <string.h>

#include "tests/plugins/hostile/honest.h"

static int* volatile nowhere = NULL;

static int is_probe(void) {
  static const char kFlag[] = "--seqgraph_plugin_probe_child";
  char line[4096] = "";
  FILE* file = fopen("/proc/self/cmdline", "r");
  const size_t size = file != NULL ? fread(line, 1, sizeof(line), file) : 0;
  size_t i;
  if (file != NULL) fclose(file);
  for (i = 0; i + sizeof(kFlag) <= size; ++i) {
    if (memcmp(line + i, kFlag, sizeof(kFlag)) == 0) return 1;
  }
  return 0;
}

static void crash_in(const char* call) {
  const char* wanted = getenv("SEQGRAPH_TEST_CRASH");
  if (wanted != NULL && strcmp(wanted, call) == 0 && !is_probe()) *nowhere = 1;
}

__attribute__((destructor)) static void at_the_end(void) { crash_in("end"); }

static int32_t claim(void* instance, const sg_function* function, int32_t node, sg_claim* claim,
                     sg_status* status) {
  static const sg_supported_op ops[] = {{"Sigmoid", 1, {NULL}}, {"Dense", 1, {"activation", NULL}}};
  sg_node found;
  (void)instance, (void)status;
  if (sg_check_node(function, node, ops, 2, &found, claim) >= 0) crash_in("claim");
  return SG_OK;
}

static int32_t prepare(void* instance, const sg_prepare_args* args, sg_program* program,
                       sg_status* status) {
  crash_in("prepare");
  return honest_prepare(instance, args, program, status);
}

static int32_t node_info(void* program, int32_t node, sg_node_info* info, sg_status* status) {
  (void)program, (void)node, (void)info, (void)status;
  crash_in("node_info");
  return SG_OK;
}

HONEST_BUT("crashes_in_host",
           (backend->claim = claim, backend->prepare = prepare, backend->node_info = node_info))
