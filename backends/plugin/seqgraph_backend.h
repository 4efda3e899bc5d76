#ifndef SEQGRAPH_BACKENDS_PLUGIN_SEQGRAPH_BACKEND_H_
#define SEQGRAPH_BACKENDS_PLUGIN_SEQGRAPH_BACKEND_H_

/*
 * The C interface of Seqgraph's backend plugins, version 2. C99 and C++. This is the header that a
 * plugin includes.
 *
 * A plugin is a shared library that exports one function, seqgraph_backend_entry, which the macro
 * SEQGRAPH_BACKEND below defines together with the negotiation of versions:
 *
 *   static int32_t fill(const sg_host* host, sg_backend* backend, sg_status* status) {
 *     backend->name = "mine";  ...  backend->claim = my_claim;  ...
 *     return SG_OK;
 *   }
 *   SEQGRAPH_BACKEND(fill)
 *
 * The host asks, for each function that it compiles:
 *
 *   claim_function(function)   for each node yes, or no with a reason. A yes is a promise: the
 *                              host prepares all that was claimed at once, and holds the plugin
 *                              to it. A plugin without this function is asked for one node after
 *                              the other: claim(function, node)
 *   prepare(function, nodes)   -> a program: everything that is fixed before the first run
 *   node_info, private_storage what a program needs (optional)
 *   begin, run..., end         once for each call of the function; run computes one node
 *   destroy(program)
 *
 * Rules that hold everywhere:
 *   - Every struct begins with struct_size, the bytes that its maker knows. The one who receives a
 *     struct reads nothing beyond it. Structs only ever grow at their end; so an array of structs
 *     is an array of pointers.
 *   - Structs that a function fills are the host's, zeroed but for struct_size. No memory changes
 *     hands. What the host passes is valid during the call, unless said otherwise.
 *   - A function that can fail returns SG_OK or another code and then says why in `status`.
 *   - Nothing is thrown across this interface, and no call ends the process.
 *   - What concerns the instance (claims, prepare, release_choice) may be called by several threads
 *     at once. One program is used by one thread at a time, not always the same one.
 *   - A plugin is never unloaded.
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* The version of the interface that this header describes, and the oldest that a plugin built with
 * it still speaks. */
#define SG_ABI_VERSION 2u
#define SG_ABI_VERSION_MIN 1u
/* "seqgraph" in ASCII. */
#define SG_MAGIC UINT64_C(0x7365716772617068)
#define SG_ENTRY_NAME "seqgraph_backend_entry"

#define SG_STATUS_TEXT 1024
#define SG_CLAIM_TEXT 512
#define SG_CLAIM_TOGETHER 32
#define SG_IMPLEMENTATION_TEXT 256

/* ---- Types that cross ------------------------------------------------------------------------ */

/* Status codes, with the meanings that gRPC and Abseil give them. Any other number is an error. */
enum {
  SG_OK = 0,
  SG_CANCELLED = 1,
  SG_UNKNOWN = 2,
  SG_INVALID_ARGUMENT = 3,
  SG_DEADLINE_EXCEEDED = 4,
  SG_NOT_FOUND = 5,
  SG_ALREADY_EXISTS = 6,
  SG_PERMISSION_DENIED = 7,
  SG_RESOURCE_EXHAUSTED = 8,
  SG_FAILED_PRECONDITION = 9,
  SG_ABORTED = 10,
  SG_OUT_OF_RANGE = 11,
  SG_UNIMPLEMENTED = 12,
  SG_INTERNAL = 13,
  SG_UNAVAILABLE = 14,
  SG_DATA_LOSS = 15,
  SG_UNAUTHENTICATED = 16
};

/* Element types; the numbers are those of seqgraph.proto.DType. */
enum { SG_FLOAT32 = 1, SG_FLOAT64 = 2, SG_INT32 = 3, SG_INT64 = 4 };

/* What a claim says. */
enum {
  SG_CLAIMED = 0,
  SG_UNKNOWN_OP = 1,            /* the op, its version, or an attribute's name is not known */
  SG_UNSUPPORTED_TYPE = 2,      /* an element type */
  SG_UNSUPPORTED_SHAPE = 3,     /* extents or rank */
  SG_UNSUPPORTED_ATTRIBUTE = 4, /* an attribute's value */
  SG_NEEDS_OTHER_NODE = 5,      /* only together with a node that is not there */
  SG_BROKEN_PROMISE = 6,        /* claimed, but then prepare refuses it */
  SG_BY_DEFINITION = 7          /* claimed, with nothing faster than the op's own definition */
};

typedef struct sg_status {
  size_t struct_size;
  int32_t code;              /* what the function returned */
  char text[SG_STATUS_TEXT]; /* for people; ends with a zero */
} sg_status;

/* What the host says of itself. */
typedef struct sg_host {
  size_t struct_size;
  uint64_t magic;   /* SG_MAGIC */
  uint32_t abi_min; /* the versions of this interface that it speaks */
  uint32_t abi_max;
  const char* version; /* of the host program, for people */
} sg_host;

/* Name and type of a value of a function: an input, a variable, or an output of a node. */
typedef struct sg_value {
  size_t struct_size;
  const char* name; /* as in the serialized function */
  int32_t dtype;    /* SG_FLOAT32, ... */
  int32_t rank;
  const int64_t* dims; /* outermost first; all known */
} sg_value;

/* A function. The bytes are those that a model file would hold; types of what nodes compute are not
 * in them and come beside them. */
typedef struct sg_function {
  size_t struct_size;
  const uint8_t* bytes; /* a serialized seqgraph.proto.Function whose shapes are all static */
  size_t num_bytes;
  const sg_value* const* values; /* every value of the function */
  int32_t num_values;
  int32_t num_nodes;
  /* Since version 2: the indices of all values, in the order of their names as strcmp has it. */
  const int32_t* values_by_name;
} sg_function;

/* What is said of one node. */
typedef struct sg_claim {
  size_t struct_size;
  int32_t reason;           /* SG_CLAIMED, or why not */
  char text[SG_CLAIM_TEXT]; /* for people: what is missing */
  /* Other nodes (of a group that runs as one kernel, or the forward node of a gradient): the claim
   * holds only if they are assigned to this backend too. */
  int32_t num_together;
  int32_t together[SG_CLAIM_TOGETHER];
} sg_claim;

/* Filled by claim_function. */
typedef struct sg_function_claim {
  size_t struct_size;
  sg_claim* const* nodes; /* one for each node: the host's, zeroed but for struct_size */
  int32_t num_nodes;
  int32_t reserved;
  /* The plugin's own: what it found out on the way, such as which kernel is to run which node. It
   * comes back in each prepare of this function, and in release_choice when there will be none any
   * more. */
  void* choice;
} sg_function_claim;

typedef struct sg_prepare_args {
  size_t struct_size;
  const sg_function* function; /* valid until the program is destroyed */
  const int32_t* nodes;        /* to be run here, ascending, all claimed */
  int32_t num_nodes;
  int32_t threads; /* to use in run, 1 or more */
  /* One for each value of the function: 1 if only these nodes compute and read it, so that its
   * storage may be private (see private_storage). */
  const uint8_t* may_be_private;
  /* Since version 2: what claim_function left for this function, whose claims may be more than
   * `nodes`; NULL if it left nothing or was not asked. Valid during the call. See sg_choice_of. */
  void* choice;
} sg_prepare_args;

/* Filled by prepare. */
typedef struct sg_program {
  size_t struct_size;
  void* handle;             /* the plugin's own; passed to whatever concerns this program */
  int64_t persistent_bytes; /* of memory that keeps its content from run to run */
} sg_program;

/* Filled by node_info. */
typedef struct sg_node_info {
  size_t struct_size;
  int64_t scratch_bytes; /* that run needs for this node; -1: it allocates itself, unknown */
  char implementation[SG_IMPLEMENTATION_TEXT]; /* for people: which kernel runs */
} sg_node_info;

/* An operand of a node. */
typedef struct sg_tensor {
  size_t struct_size;
  void* data;    /* 64-byte aligned; NULL: an input that is absent, an output that nobody uses */
  int64_t bytes; /* at data */
  /* Changes whenever the content of a variable does, so that packed copies do not go stale; 0 for
   * what is no variable. */
  uint64_t version;
  int32_t dtype;
  int32_t rank;
  const int64_t* dims;
} sg_tensor;

/* One run of one node. Addresses are the same in every run of a program; contents change. */
typedef struct sg_run_args {
  size_t struct_size;
  int32_t node; /* index into the function's nodes */
  int32_t num_inputs;
  const sg_tensor* const* inputs; /* one for each input of the op; not to be written */
  /* One for each output of the op. May be the memory of an input where the op allows it. */
  const sg_tensor* const* outputs;
  int32_t num_outputs;
  int32_t reserved;
  void* scratch;    /* 64-byte aligned, contents undefined, shared between nodes */
  void* persistent; /* page aligned, zero before the first run */
} sg_run_args;

/* The plugin's table. */
typedef struct sg_backend {
  size_t struct_size;
  uint64_t magic;       /* set by SEQGRAPH_BACKEND */
  uint32_t abi_version; /* set by SEQGRAPH_BACKEND: the version that is spoken from now on */
  uint32_t reserved;
  /* Required. Texts live as long as the plugin. */
  const char* name;        /* as --backend takes it: 1 to 64 of a-z 0-9 _ - . */
  const char* version;     /* of the plugin and of what it stands on */
  const char* description; /* one line */
  void* instance;          /* the plugin's own, may be NULL; passed to claim and prepare */
  int32_t (*claim)(void* instance, const sg_function* function, int32_t node, sg_claim* claim,
                   sg_status* status);
  int32_t (*prepare)(void* instance, const sg_prepare_args* args, sg_program* program,
                     sg_status* status);
  int32_t (*run)(void* program, const sg_run_args* args, sg_status* status);
  /* Optional: may be NULL. */
  void (*destroy)(void* program);
  int32_t (*begin)(void* program, sg_status* status);
  void (*end)(void* program); /* follows every begin that returned SG_OK */
  int32_t (*node_info)(void* program, int32_t node, sg_node_info* info, sg_status* status);
  /* For a value that may be private: the bytes of the layout in which this program stores it, or
   * -1 for the plain one. */
  int64_t (*private_storage)(void* program, int32_t value);
  /* Since version 2, optional. With it a function is read once, not once for each node. A host of
   * version 1 asks `claim` all the same, and both must say the same. */
  int32_t (*claim_function)(void* instance, const sg_function* function, sg_function_claim* claim,
                            sg_status* status);
  /* Needed by a plugin that leaves choices; also called after a claim_function that failed. */
  void (*release_choice)(void* choice);
} sg_backend;

/* Size of a struct up to and with one of its members: a struct that is smaller lacks it. */
#define SG_SIZE_THROUGH(type, member) (offsetof(type, member) + sizeof(((type*)0)->member))
/* What version 1 had; a smaller struct is damaged. */
#define SG_HOST_V1_SIZE SG_SIZE_THROUGH(sg_host, version)
#define SG_BACKEND_V1_SIZE SG_SIZE_THROUGH(sg_backend, private_storage)
#define SG_STATUS_V1_SIZE SG_SIZE_THROUGH(sg_status, text)

#if defined(__cplusplus)
#define SG_EXTERN_C extern "C"
#else
#define SG_EXTERN_C
#endif
#if defined(__GNUC__)
#define SG_EXPORT SG_EXTERN_C __attribute__((visibility("default")))
#define SG_PRINTF(text, args) __attribute__((format(printf, text, args)))
#else
#define SG_EXPORT SG_EXTERN_C
#define SG_PRINTF(text, args)
#endif

typedef int32_t (*sg_entry_function)(const sg_host* host, sg_backend* backend, sg_status* status);

/* ---- Help for plugins: nothing below crosses the interface ----------------------------------- */

/* Writes code and text, and gives the code: return sg_fail(status, SG_INTERNAL, "..."). */
SG_PRINTF(3, 4)
static inline int32_t sg_fail(sg_status* status, int32_t code, const char* format, ...) {
  if (status != NULL && status->struct_size >= SG_STATUS_V1_SIZE) {
    va_list args;
    status->code = code;
    va_start(args, format);
    vsnprintf(status->text, sizeof(status->text), format, args);
    va_end(args);
  }
  return code;
}

/* The same for a claim. */
SG_PRINTF(3, 4)
static inline void sg_refuse(sg_claim* claim, int32_t reason, const char* format, ...) {
  va_list args;
  claim->reason = reason;
  va_start(args, format);
  vsnprintf(claim->text, sizeof(claim->text), format, args);
  va_end(args);
}

/* The choice that comes back in prepare; NULL from a host of version 1. */
static inline void* sg_choice_of(const sg_prepare_args* args) {
  return args->struct_size >= SG_SIZE_THROUGH(sg_prepare_args, choice) ? args->choice : NULL;
}

typedef int32_t (*sg_fill_function)(const sg_host* host, sg_backend* backend, sg_status* status);

/* What seqgraph_backend_entry does: agrees on a version, lets `fill` write the table of this
 * header's size, and gives the host as much of it as the host has room for. */
static inline int32_t sg_negotiate(const sg_host* host, sg_backend* out, sg_status* status,
                                   sg_fill_function fill) {
  sg_backend table;
  uint32_t version;
  int32_t code;
  size_t room;
  if (host == NULL || host->struct_size < SG_HOST_V1_SIZE || host->magic != SG_MAGIC ||
      out == NULL || out->struct_size < SG_BACKEND_V1_SIZE) {
    return sg_fail(status, SG_FAILED_PRECONDITION, "the caller is no Seqgraph host");
  }
  version = host->abi_max < SG_ABI_VERSION ? host->abi_max : SG_ABI_VERSION;
  if (version < SG_ABI_VERSION_MIN || version < host->abi_min) {
    return sg_fail(status, SG_FAILED_PRECONDITION,
                   "the plugin speaks versions %u to %u of the backend interface, the host %u to "
                   "%u: rebuild the plugin with the host's seqgraph_backend.h",
                   (unsigned)SG_ABI_VERSION_MIN, (unsigned)SG_ABI_VERSION, (unsigned)host->abi_min,
                   (unsigned)host->abi_max);
  }
  memset(&table, 0, sizeof(table));
  table.struct_size = sizeof(table);
  table.magic = SG_MAGIC;
  table.abi_version = version;
  code = fill(host, &table, status);
  if (code != SG_OK) return code;
  room = out->struct_size;
  memcpy(out, &table, room < sizeof(table) ? room : sizeof(table));
  return SG_OK;
}

/* Defines the exported function. */
#define SEQGRAPH_BACKEND(fill)                                                       \
  SG_EXPORT int32_t seqgraph_backend_entry(const sg_host* host, sg_backend* backend, \
                                           sg_status* status);                       \
  SG_EXPORT int32_t seqgraph_backend_entry(const sg_host* host, sg_backend* backend, \
                                           sg_status* status) {                      \
    return sg_negotiate(host, backend, status, fill);                                \
  }

/* Help to read nodes and attributes from the function's bytes: lies beside this file, and brings
 * nothing that crosses the interface. A plugin that reads protobuf in a way of its own defines
 * SG_WITHOUT_READER and does without. */
#if !defined(SG_WITHOUT_READER)
#include "seqgraph_reader.h"
#endif

#endif /* SEQGRAPH_BACKENDS_PLUGIN_SEQGRAPH_BACKEND_H_ */
