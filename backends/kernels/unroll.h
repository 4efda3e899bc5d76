#pragma once

// Before a loop over registers, of a small constant number of turns: left to itself the compiler
// keeps an array of vectors in memory and loops over it.
#define SEQ_UNROLL _Pragma("GCC unroll 16")
