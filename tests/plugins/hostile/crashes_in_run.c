/* Crashes when it runs, in the way that the environment variable SEQGRAPH_TEST_CRASH names. */

#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "tests/plugins/hostile/honest.h"

static int* volatile nowhere = NULL;
static volatile int zero = 0;

static void* follow(void* argument) {
  *nowhere = 1;
  return argument;
}

static int deeper(volatile char* above) {
  volatile char room[4096];
  room[0] = above[0];
  return room[0] != 0 ? 0 : deeper(room) + room[0]; /* never, but the compiler cannot know */
}

/* Dense too, which every model has. */
static int32_t claim(void* instance, const sg_function* function, int32_t node, sg_claim* claim,
                     sg_status* status) {
  static const sg_supported_op ops[] = {{"Sigmoid", 1, {NULL}}, {"Dense", 1, {"activation", NULL}}};
  sg_node found;
  (void)instance, (void)status;
  sg_check_node(function, node, ops, 2, &found, claim);
  return SG_OK;
}

static int32_t run(void* program, const sg_run_args* args, sg_status* status) {
  const char* way = getenv("SEQGRAPH_TEST_CRASH");
  volatile char start = 0;
  pthread_t thread;
  (void)program, (void)args, (void)status;
  if (way == NULL) way = "";
  if (strcmp(way, "divides") == 0) return 7 / zero;
  if (strcmp(way, "aborts") == 0) abort();
  if (strcmp(way, "bus") == 0) raise(SIGBUS);
  if (strcmp(way, "illegal") == 0) raise(SIGILL);
  if (strcmp(way, "overflows") == 0) return deeper(&start);
  if (strcmp(way, "thread") == 0 && pthread_create(&thread, NULL, follow, NULL) == 0) {
    pthread_join(thread, NULL);
  }
  follow(NULL);
  return SG_OK;
}

HONEST_BUT("crashes_in_run", (backend->claim = claim, backend->run = run))
