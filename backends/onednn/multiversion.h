#ifndef SEQGRAPH_BACKENDS_ONEDNN_MULTIVERSION_H_
#define SEQGRAPH_BACKENDS_ONEDNN_MULTIVERSION_H_

// SEQ_MULTIVERSION before a function definition compiles its loops for AVX-512, AVX2 and baseline
// x86-64; the loader picks one for the machine. Only lanes that are independent, or fixed in number
// by the source, are spread over a vector, so all versions give the same bits. Off under
// sanitizers: the resolver runs before their runtime is set up.
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && \
    !defined(SEQ_NO_MULTIVERSION)
#define SEQ_MULTIVERSION __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define SEQ_MULTIVERSION
#endif

// For the helpers of such functions: they must be inlined to be compiled for each version.
#define SEQ_ALWAYS_INLINE inline __attribute__((always_inline))

// SEQ_INDEPENDENT before a loop: its iterations do not depend on each other, so it is vectorized
// without a run-time overlap check; the check would send updates in place down the scalar path.
#define SEQ_INDEPENDENT _Pragma("GCC ivdep")

#endif  // SEQGRAPH_BACKENDS_ONEDNN_MULTIVERSION_H_
