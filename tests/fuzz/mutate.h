/* mutate.h: changes to a JSON document that leave it one: libFuzzer's own change bytes, and rarely make a second of something.
 *
 * Threads: one. Errors: none; what is no JSON, or becomes too long, is left to libFuzzer's own. */
#ifndef JARI_TESTS_FUZZ_MUTATE_H
#define JARI_TESTS_FUZZ_MUTATE_H

#include <stddef.h>
#include <stdint.h>

/* libFuzzer's, and what it calls when a target has it (https://llvm.org/docs/LibFuzzer.html). */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t size_max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed);

/* The body of a LLVMFuzzerCustomMutator: the document begins behind `head` bytes. */
size_t fuzz_mutate_json(uint8_t *data, size_t size, size_t size_max, unsigned seed, size_t head);

#endif
