// Random programs with several threads, events and trap handlers.
#ifndef COMET_TESTS_FUZZ_THREADED_PROGRAM_H
#define COMET_TESTS_FUZZ_THREADED_PROGRAM_H

#include "random.h"
#include "vm-ext/comet.hpp"

namespace fuzz {

// Threads that spawn and join each other, wait and notify, yield and leave, use atomics, thread registers and words that
// they share, ask the embedder (`ask`), and have handlers for posted events of the ids 0 to 3 and for traps.
comet::image threaded_program(random_source& random);

}  // namespace fuzz

#endif
