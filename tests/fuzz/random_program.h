// Random programs, and the machine that they are meant for.
#ifndef COMET_TESTS_FUZZ_RANDOM_PROGRAM_H
#define COMET_TESTS_FUZZ_RANDOM_PROGRAM_H

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "random.h"
#include "vm-ext/comet.h"

namespace fuzz {

struct page {
  std::uint64_t address;
  int protection;
};

// Code that is data too, data, read-only data, code that cannot be written, both sides of 4 GiB.
constexpr page pages[] = {{0x10000, COMET_READ | COMET_WRITE | COMET_EXECUTE},
                          {0x20000, COMET_READ | COMET_WRITE},
                          {0x30000, COMET_READ},
                          {0x50000, COMET_READ | COMET_EXECUTE},
                          {0xffff0000, COMET_READ | COMET_WRITE},
                          {0x100000000, COMET_READ | COMET_WRITE | COMET_EXECUTE}};

constexpr std::uint64_t register_limit = 20000;
constexpr std::uint64_t call_depth_limit = 40;

// An instruction of the user's that the library has accepted.
struct definition {
  std::string name;
  std::uint64_t opcode = 0;
  std::string operands;
  std::vector<std::uint8_t> body;
  comet_definition given() const;
};

struct program {
  std::vector<definition> definitions;
  std::vector<std::uint8_t> code;
  std::uint64_t address = 0;
  std::vector<std::uint64_t> starts;                               // of instructions
  std::vector<std::pair<std::uint64_t, std::uint64_t>> registers;  // number and value
};

// Instructions with sensible and with wild operands, some of the user's, which may replace one of the table's;
// some programs are mutilated, some are noise.
program random_program(random_source& random);

// Brings a machine, new or used, to the beginning of a program. Throws where the library refuses.
void prepare(comet_machine* machine, const program& what);

}  // namespace fuzz

#endif
