/* The stream of docs/tutorial/stream_from_c.md: says of each step, as it comes, whether the machine
 * is worn. A line on standard input is a step: vibration, load.
 *
 *   stream_from_c wear.pb <steps.txt
 */

#include <seqgraph/runtime.h>
#include <stdio.h>
#include <stdlib.h>

static seqgraph_status status = SEQGRAPH_STATUS_INIT;

static void check(int32_t code) {
  if (code == SEQGRAPH_OK) return;
  fprintf(stderr, "stream_from_c: %s\n", status.text);
  exit(1);
}

int main(int argc, char** argv) {
  seqgraph_stream_model* model;
  seqgraph_stream* stream;
  seqgraph_tensor_info input = SEQGRAPH_INIT(seqgraph_tensor_info);
  seqgraph_tensor_info output = SEQGRAPH_INIT(seqgraph_tensor_info);
  float vibration, load;
  int step, worn = 0;

  if (argc != 2) {
    fprintf(stderr, "usage: stream_from_c MODEL.pb <steps.txt\n");
    return 2;
  }
  check(seqgraph_stream_model_load(argv[1], NULL, &model, &status));
  check(seqgraph_stream_create(model, &stream, &status)); /* one for each machine */
  check(seqgraph_stream_get_input(stream, 0, &input, &status));
  check(seqgraph_stream_get_output(stream, 0, &output, &status));
  for (step = 0; scanf("%f %f", &vibration, &load) == 2; ++step) {
    float* x = input.data;
    float p;
    x[0] = vibration;
    x[1] = load;
    check(seqgraph_stream_step(stream, &status)); /* allocates nothing, takes no lock */
    p = *(const float*)output.data;
    if ((p > 0.5f) == worn) continue;
    worn = !worn;
    printf("step %d: %s (%.2f)\n", step, worn ? "worn" : "fine", p);
  }
  printf("%d steps\n", step);
  seqgraph_stream_free(stream);
  seqgraph_stream_model_free(model);
  return 0;
}
