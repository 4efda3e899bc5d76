// A backend for two ops, Dense and Sigmoid, as a plugin: naive loops in float32. What it does not
// implement it refuses with a reason. docs/writing_a_backend.md walks through it.

#include <cmath>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <new>
#include <string>

#include "seqgraph_backend.h"

namespace {

// y[r, u] = activation(sum over f of x[r, f] * w[f, u] + b[u])
enum class Activation { kNone, kTanh, kRelu, kSigmoid };

// The ops that are implemented: name, version, and every attribute that is heeded.
constexpr sg_supported_op kOps[] = {
    {"Dense", 1, {"activation", nullptr}},
    {"Sigmoid", 1, {nullptr}},
};
constexpr int kNumOps = 2;
constexpr int kDense = 0;

float Sigmoid(float x) {
  if (x >= 0) return 1 / (1 + std::exp(-x));
  const float e = std::exp(x);  // exp(-x) would overflow
  return e / (1 + e);
}

float Activate(Activation activation, float x) {
  switch (activation) {
    case Activation::kTanh:
      return std::tanh(x);
    case Activation::kRelu:
      return x < 0 ? 0 : x;  // lets a NaN through
    case Activation::kSigmoid:
      return Sigmoid(x);
    case Activation::kNone:
      break;
  }
  return x;
}

// False for one that is not known.
bool ParseActivation(sg_string name, Activation* activation) {
  const struct {
    const char* name;
    Activation value;
  } known[] = {{"none", Activation::kNone},
               {"tanh", Activation::kTanh},
               {"relu", Activation::kRelu},
               {"sigmoid", Activation::kSigmoid}};
  for (const auto& entry : known) {
    if (!sg_equal(name, entry.name)) continue;
    *activation = entry.value;
    return true;
  }
  return false;
}

// All that is fixed before a node runs.
struct Kernel {
  bool is_dense = false;
  Activation activation = Activation::kSigmoid;
};

// The kernel of each node that is claimed. What claim_function leaves for prepare, and a program.
using Kernels = std::map<int32_t, Kernel>;

// Says whether a node can be run, and how.
bool Plan(const sg_function* function, const sg_node* node, Kernel* kernel, sg_claim* claim) {
  const int op = sg_check_op(node, kOps, kNumOps, claim);
  if (op < 0) return false;  // `claim` says why.
  const sg_value* x = sg_node_input(function, node, 0);
  if (x == nullptr || x->dtype != SG_FLOAT32) {
    sg_refuse(claim, SG_UNSUPPORTED_TYPE, "only float32 is implemented");
    return false;
  }
  if (op != kDense) return true;
  kernel->is_dense = true;
  sg_attribute activation;
  if (sg_find_attribute(node, "activation", &activation) == 0 ||
      activation.kind != SG_ATTRIBUTE_STRING ||
      !ParseActivation(activation.string_value, &kernel->activation)) {
    sg_refuse(claim, SG_UNSUPPORTED_ATTRIBUTE, "unknown activation %.*s",
              static_cast<int>(activation.string_value.size), activation.string_value.data);
    return false;
  }
  return true;
}

int32_t ClaimFunction(void*, const sg_function* function, sg_function_claim* claim,
                      sg_status* status) {
  try {
    auto kernels = std::make_unique<Kernels>();
    sg_claim_each(
        function, claim,
        [](void* context, const sg_function* f, int32_t index, const sg_node* node, sg_claim* one) {
          Kernel kernel;
          if (Plan(f, node, &kernel, one)) (*static_cast<Kernels*>(context))[index] = kernel;
        },
        kernels.get());
    claim->choice = kernels.release();
    return SG_OK;
  } catch (const std::bad_alloc&) {  // Nothing may be thrown across the interface.
    return sg_fail(status, SG_RESOURCE_EXHAUSTED, "no memory");
  }
}

void ReleaseChoice(void* choice) { delete static_cast<Kernels*>(choice); }

// For hosts that do not know claim_function: the same for one node.
int32_t Claim(void*, const sg_function* function, int32_t index, sg_claim* claim, sg_status*) {
  sg_node node;
  Kernel kernel;
  if (sg_get_node(function, index, &node) != 0) {
    Plan(function, &node, &kernel, claim);
  } else {
    sg_refuse_unreadable(claim, index);
  }
  return SG_OK;
}

int32_t Prepare(void*, const sg_prepare_args* args, sg_program* out, sg_status* status) {
  try {
    auto program = std::make_unique<Kernels>();
    const auto* choice = static_cast<const Kernels*>(sg_choice_of(args));
    for (int32_t i = 0; i < args->num_nodes; ++i) {
      const int32_t index = args->nodes[i];
      if (choice != nullptr) {
        (*program)[index] = choice->at(index);
        continue;
      }
      sg_node node;
      sg_claim claim = {};
      if (sg_get_node(args->function, index, &node) == 0 ||
          !Plan(args->function, &node, &(*program)[index], &claim)) {
        return sg_fail(status, SG_INVALID_ARGUMENT, "node %d was not claimed: %s",
                       static_cast<int>(index), claim.text);
      }
    }
    out->handle = program.release();
    return SG_OK;
  } catch (const std::exception& exception) {
    return sg_fail(status, SG_INTERNAL, "%s", exception.what());
  }
}

void Destroy(void* program) { delete static_cast<Kernels*>(program); }

// x [..., features], w [features, units], b [units] or absent, y [..., units]
void RunDense(const Kernel& kernel, const sg_run_args& args) {
  const float* x = static_cast<const float*>(args.inputs[0]->data);
  const float* w = static_cast<const float*>(args.inputs[1]->data);
  const float* b = args.num_inputs > 2 ? static_cast<const float*>(args.inputs[2]->data) : nullptr;
  float* y = static_cast<float*>(args.outputs[0]->data);
  const int64_t features = args.inputs[1]->dims[0], units = args.inputs[1]->dims[1];
  int64_t rows = 1;
  for (int i = 0; i + 1 < args.inputs[0]->rank; ++i) rows *= args.inputs[0]->dims[i];
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t u = 0; u < units; ++u) {
      float sum = 0;
      for (int64_t f = 0; f < features; ++f) sum += x[r * features + f] * w[f * units + u];
      if (b != nullptr) sum += b[u];
      y[r * units + u] = Activate(kernel.activation, sum);
    }
  }
}

void RunSigmoid(const sg_run_args& args) {
  const float* x = static_cast<const float*>(args.inputs[0]->data);
  float* y = static_cast<float*>(args.outputs[0]->data);
  const int64_t size = args.outputs[0]->bytes / static_cast<int64_t>(sizeof(float));
  for (int64_t i = 0; i < size; ++i) y[i] = Sigmoid(x[i]);
}

int32_t Run(void* program, const sg_run_args* args, sg_status*) {
  if (args->outputs[0]->data == nullptr) return SG_OK;  // Nobody reads it.
  const Kernel& kernel = static_cast<Kernels*>(program)->at(args->node);
  if (kernel.is_dense) {
    RunDense(kernel, *args);
  } else {
    RunSigmoid(*args);
  }
  return SG_OK;
}

int32_t NodeInfo(void* program, int32_t node, sg_node_info* info, sg_status*) {
  const bool is_dense = static_cast<Kernels*>(program)->at(node).is_dense;
  info->scratch_bytes = 0;
  std::snprintf(info->implementation, sizeof(info->implementation), "example %s",
                is_dense ? "dense loop" : "sigmoid loop");
  return SG_OK;
}

int32_t Fill(const sg_host*, sg_backend* backend, sg_status*) {
  backend->name = "example";
  backend->version = "1";
  backend->description = "Dense and Sigmoid in naive loops, float32";
  backend->claim = Claim;
  backend->claim_function = ClaimFunction;
  backend->release_choice = ReleaseChoice;
  backend->prepare = Prepare;
  backend->run = Run;
  backend->destroy = Destroy;
  backend->node_info = NodeInfo;
  return SG_OK;
}

}  // namespace

SEQGRAPH_BACKEND(Fill)
