// Instructions that users define: templates of the table's own, which a machine or an image has besides it.
//
// A definition gives an opcode a mnemonic, up to three operands, and a body: one to sixteen instructions of the
// table, the parts, whose operands are constants or operands of the whole. The parts are executed one after
// the other as one instruction: it counts as one, and it traps before anything of it was done. What could
// not be so is refused:
//   - parts that go elsewhere or end the run, and those that write any number of bytes, stand last;
//     hcall stands alone
//   - parts are of the table: there is no definition within a definition, so no recursion
//   - an operand's kind must be that of the field it stands for
// As a real instruction reads its operands before it writes a result, registers that this would tell apart
// may not be the same: bytes that name them so are no instruction.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "isa.h"

namespace comet::isa {

constexpr std::uint64_t first_user_opcode = 1024;
constexpr std::size_t max_parts = 16;
constexpr std::size_t max_definitions = 4096;

struct Part {
  Operation operation;
  std::uint8_t source[max_operands];    // the operand of the whole, from 1; 0: a constant
  std::uint64_t constant[max_operands]; // as meant
};

// One thing that operands must obey, besides their kinds.
struct Constraint {
  enum class Kind : std::uint8_t {
    range,        // low to high; signed for signed kinds
    other_operand,// not the register of operand `low`, from 0
    other_register// not register `low`
  };
  Kind kind;
  std::uint8_t operand; // from 0
  std::uint64_t low, high;
};

struct Definition {
  std::uint64_t opcode;
  std::string name;
  std::string operands; // a letter each, as in the table
  std::string meaning;
  std::vector<std::uint8_t> body; // as it was given
  std::vector<Part> parts;
  std::vector<Constraint> constraints;
  std::string text; // the parts, "shli a, c, 3; add a, a, b"

  bool operator==(const Definition& other) const {
    return opcode == other.opcode && name == other.name && operands == other.operands && meaning == other.meaning &&
           body == other.body;
  }
};

// Checks a definition in full; fails with COMET_ERROR_ARGUMENT and what is wrong. `meaning` is text that the
// caller has checked. The body is a sequence of ULEB128 numbers:
//
//   number of ranges, then for each: operand (from 1), low, high (zig-zag for kinds i, o, n)
//   number of parts, then for each: opcode, then for each of its operands: 0 and the field as encoded, or
//   the operand of the whole, from 1
Definition make_definition(std::uint64_t opcode, std::string_view name, std::string_view operands,
                           std::string_view meaning, const std::uint8_t* body, std::size_t length);

// What a machine or an image has. A value: whoever changes it makes another one.
class Definitions {
 public:
  // Adds one, or replaces that of the same opcode if the operands are of the same kinds. Fails when the name
  // or the opcode is taken.
  void add(Definition definition);
  const Definition* find(std::uint64_t opcode) const;
  const Definition* find(std::string_view name) const;
  // By opcode.
  const std::vector<std::shared_ptr<const Definition>>& all() const { return all_; }
  bool empty() const { return all_.empty(); }
  bool operator==(const Definitions& other) const;

 private:
  std::vector<std::shared_ptr<const Definition>> all_;
};

// The constraint that operands break, or null.
const Constraint* broken_constraint(const Definition& definition, const std::uint64_t* operands);
// What a constraint says, for messages: "b must not be the same register as a, …".
std::string words(const Constraint& constraint, const Definition& definition);

// A part as if it stood in the place of the whole.
Decoded decoded_part(const Decoded& whole, const Part& part);

} // namespace comet::isa

// The instructions of a machine or an image, as comet.h knows them.
struct comet_isa {
  comet::isa::Definitions definitions;
};
