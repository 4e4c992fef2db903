// The cases that generate.scm writes, read into memory. case-file.scm describes the format.
#ifndef COMET_TESTS_CONFORMANCE_CASE_FILE_H
#define COMET_TESTS_CONFORMANCE_CASE_FILE_H

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "encoder.h"
#include "vm-ext/comet.h"

namespace conformance {

struct instruction {
  std::uint64_t opcode = 0;
  std::string name;
  std::string operands;
};

struct page {
  std::uint64_t address = 0;
  int protection = 0;
};

// A number, or a place relative to the instruction, whose address and length the driver chooses.
struct value {
  enum class base { absolute, program_counter, next_instruction, return_address };
  base relative_to = base::absolute;
  std::uint64_t number = 0;
};

using numbered_values = std::vector<std::pair<std::uint64_t, value>>;
using memory_pieces = std::vector<std::pair<std::uint64_t, bytes>>;

// The part of the machine's state that a case names.
struct state {
  numbered_values registers;
  numbered_values thread_registers;
  memory_pieces memory;
};

struct scenario {
  const instruction* what = nullptr;
  std::string text;  // the line that it came from, for messages
  std::vector<std::uint64_t> fields;
  state before;
  std::optional<std::uint64_t> call_base;  // one call is made before
  state after;
  std::optional<value> program_counter;
  std::optional<std::uint64_t> window;
  std::optional<std::uint64_t> depth;
  bool halts = false;
  comet_trap trap = COMET_TRAP_NONE;
  std::optional<std::uint64_t> trap_address;
};

// A case of an instruction that only computes: the driver chooses the registers.
struct value_case {
  const instruction* what = nullptr;
  std::string text;
  std::vector<std::uint64_t> values;  // of the fields that are read, in order
  std::uint64_t result = 0;
  comet_trap trap = COMET_TRAP_NONE;
};

struct case_file {
  std::map<std::string, instruction> instructions;
  std::vector<page> pages;
  std::vector<value_case> value_cases;
  std::vector<scenario> scenarios;
};

// Throws std::runtime_error with file and line where the file is not as it should be.
case_file read_case_file(const std::string& path);

}  // namespace conformance

#endif
