// Runs one scenario in a world and compares everything it may change.
#ifndef COMET_TESTS_CONFORMANCE_SCENARIO_RUNNER_H
#define COMET_TESTS_CONFORMANCE_SCENARIO_RUNNER_H

#include <string>
#include <vector>

#include "case_file.h"
#include "world.h"

namespace conformance {

// Where instructions stand unless a test moves them; control-cases.scm counts on it.
constexpr std::uint64_t usual_code_address = 0x18000;

enum class run_mode {
  single_step,  // one instruction of fuel
  fast_loop     // plenty of fuel; a halt stands where the instruction leads
};

// The bytes of an instruction; each field has at least the given length (fields beyond the list: 1).
bytes encode(const instruction& what, const std::vector<std::uint64_t>& fields,
             const std::vector<std::size_t>& lengths = {});

// What went wrong, or an empty text.
std::string run_scenario(world& where, const scenario& what, run_mode mode, std::uint64_t code_address,
                         const bytes& code, const instruction& call);

// Which registers a value case is run with.
enum class assignment { plain, destination_is_first, destination_is_last, destination_is_zero, wide, shared };
constexpr unsigned assignment_count = 6;

scenario scenario_of(const value_case& what, assignment how);

}  // namespace conformance

#endif
