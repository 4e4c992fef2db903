// The instruction set as data: the table, encoding, decoding and disassembly. Everything here is made
// from instructions.def; nothing here knows what an instruction does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace comet::isa {

// One enumerator for each line of the table, in the order of the table.
enum Operation : std::uint16_t {
#define INSTRUCTION(opcode, name, operands, group, meaning) op_##name,
#include "instructions.def"
#undef INSTRUCTION
  operation_count
};

constexpr unsigned max_operands = 3;
constexpr std::size_t max_field_bytes = 10;
constexpr std::size_t max_instruction_bytes = (1 + max_operands) * max_field_bytes;

struct Instruction {
  Operation operation;
  std::uint16_t opcode;
  const char* name;
  const char* operands;
  const char* group;
  const char* meaning;
};

// What kinds of operands, the letters of the table, are.
constexpr bool names_register(char kind) { return kind == 'd' || kind == 's' || kind == 'x' || kind == 'w'; }
constexpr bool writes_register(char kind) { return kind == 'd' || kind == 'x'; }
constexpr bool is_zigzag(char kind) { return kind == 'i' || kind == 'o' || kind == 'p'; }

// The table by opcode, from the lowest.
const Instruction& by_rank(std::size_t rank);
// The line of an operation.
const Instruction& describe(Operation operation);
// The operation of an opcode, or operation_count when there is none.
Operation find(std::uint64_t opcode);

class Definitions; // definitions.h: what users define besides the table
struct Definition;
struct Constraint;

enum class DecodeStatus {
  ok,
  truncated,     // the bytes end within the instruction
  field_too_wide,// a field has more than 10 bytes or 64 bits
  unknown_opcode,
  bad_operands   // of a user's instruction: `broken` says why
};

struct Decoded {
  Operation operation;          // operation_count for a user's instruction, and where there is none
  const Definition* definition; // of a user's instruction; else null
  const Constraint* broken;
  std::uint8_t length;         // bytes; where decoding failed, the bytes that were looked at
  std::uint8_t operand_count;
  std::uint64_t opcode;
  std::uint64_t raw[max_operands];      // operands as encoded
  std::uint64_t operands[max_operands]; // operands as meant: zig-zag undone, negation and byte order applied
};

// Decodes the instruction at the beginning of the bytes. `own` may be null.
DecodeStatus decode(const std::uint8_t* bytes, std::size_t available, const Definitions* own, Decoded& decoded);

// Reads one ULEB128 number and advances `at`. Longer encodings than needed are legal up to 10 bytes.
DecodeStatus read_field(const std::uint8_t* bytes, std::size_t available, std::size_t& at, std::uint64_t& value);
// A field as meant.
std::uint64_t meaning_of(char kind, std::uint64_t field);

constexpr std::uint64_t zigzag_decode(std::uint64_t field) { return (field >> 1) ^ (0 - (field & 1)); }

// Text of an instruction at `address`; bytes that are none give ".byte" with one of them. Returns how
// many bytes the text stands for.
std::size_t disassemble(const std::uint8_t* bytes, std::size_t available, const Definitions* own, std::uint64_t address,
                        std::string& text);
// Text of an operand of a kind.
std::string operand_text(char kind, std::uint64_t value, std::uint64_t address);

} // namespace comet::isa
