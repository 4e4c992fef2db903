// What the targets that read states and recordings share: machines that the files fit, files to begin from, and damage.
#ifndef COMET_TESTS_FUZZ_STATE_FILES_H
#define COMET_TESTS_FUZZ_STATE_FILES_H

#include <array>
#include <memory>

#include "target.h"
#include "vm-ext/comet.h"

namespace fuzz {

struct state_deleter {
  void operator()(comet_state* state) const { comet_state_free(state); }
  void operator()(comet_machine* machine) const { comet_machine_free(machine); }
};
using state_pointer = std::unique_ptr<comet_state, state_deleter>;
using machine_pointer = std::unique_ptr<comet_machine, state_deleter>;

// Of the limits and with the grants that the files were made with.
machine_pointer make_machine();

// Runs all threads for so many instructions, answers the calls that wait, and gives up what waits for long.
void run_on(comet_machine* machine, std::uint64_t fuel);

using state_hash = std::array<std::uint8_t, 16>;
state_hash hash_of(const comet_machine* machine);

// A sink for comet_state_save and comet_record_start; data: the bytes that it appends to.
int append(void* data, const void* part, std::size_t length);

// States at several moments of a program with threads, handlers, calls in flight, and spaces that share pages. The
// first one is the base of the last.
std::vector<bytes> saved_states();
// Recordings of the same program, one of them cut off.
std::vector<bytes> recordings();

// Gives each record as far as their lengths make sense its right checksum.
void seal_records(bytes& file);
// One of the files, damaged in some records.
bytes with_damaged_records(random_source& random, const std::vector<bytes>& from);

// Reads a file as comet_state_read does, and throws broken_promise when it is refused in a wrong way. NULL: refused.
state_pointer read_state(const std::uint8_t* input, std::size_t length, const comet_state* base);

}  // namespace fuzz

#endif
