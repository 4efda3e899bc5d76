/* Answers for a whole function at once, leaves a choice, and insists that it comes back in prepare.
 * A host that asks for one node after the other gets the same. Nothing wrong. */

#include "tests/plugins/hostile/honest.h"

static const sg_supported_op kOps[] = {{"Sigmoid", 1, {NULL}}};

static void claim_one(void* context, const sg_function* function, int32_t index,
                      const sg_node* node, sg_claim* claim) {
  const sg_value* x;
  (void)context, (void)index;
  if (sg_check_op(node, kOps, 1, claim) < 0) return;
  x = sg_node_input(function, node, 0);
  if (x == NULL || x->dtype != SG_FLOAT32) sg_refuse(claim, SG_UNSUPPORTED_TYPE, "only float32");
}

static int32_t claim_function(void* instance, const sg_function* function, sg_function_claim* claim,
                              sg_status* status) {
  (void)instance;
  sg_claim_each(function, claim, claim_one, NULL);
  claim->choice = malloc(sizeof(int32_t));
  if (claim->choice == NULL) return sg_fail(status, SG_RESOURCE_EXHAUSTED, "no memory");
  *(int32_t*)claim->choice = function->num_nodes;
  return SG_OK;
}

static int32_t prepare(void* instance, const sg_prepare_args* args, sg_program* program,
                       sg_status* status) {
  const int32_t* choice = (const int32_t*)sg_choice_of(args);
  const int is_old = args->struct_size < sizeof(sg_prepare_args);
  if (is_old != (choice == NULL) || (choice != NULL && *choice != args->function->num_nodes)) {
    return sg_fail(status, SG_INTERNAL, "the choice does not come back");
  }
  return honest_prepare(instance, args, program, status);
}

HONEST_BUT("claims_at_once", backend->claim_function = claim_function; backend->prepare = prepare;
           backend->release_choice = free)
