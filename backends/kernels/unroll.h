#ifndef SEQGRAPH_BACKENDS_KERNELS_UNROLL_H_
#define SEQGRAPH_BACKENDS_KERNELS_UNROLL_H_

// Before a loop over registers, of a small constant number of turns: left to itself the compiler
// keeps an array of vectors in memory and loops over it.
#define SEQ_UNROLL _Pragma("GCC unroll 16")

#endif  // SEQGRAPH_BACKENDS_KERNELS_UNROLL_H_
