// An instruction of the user's as it stands in image and state files: README.md, chunk INST.
#pragma once

#include <string>

#include "../isa/definitions.h"
#include "fields.h"
#include "text.h"

namespace comet {

inline constexpr size_t shortest_definition = 8 + 3 + 3 + 1 + 2 + 3;

template <class Writer> void put_definition(Writer& writer, const isa::Definition& definition) {
  writer.put(definition.opcode, 8);
  writer.put_name(definition.name);
  writer.put_name(definition.meaning);
  writer.put(definition.operands.size(), 1);
  writer.put_bytes(reinterpret_cast<const uint8_t*>(definition.operands.data()), definition.operands.size());
  writer.put(definition.body.size(), 2);
  writer.put_bytes(definition.body.data(), definition.body.size());
}

// Takes one, checks it, and gives it to `add`, which may refuse it too. Opcodes are in ascending order.
template <class Add> void take_definitions(Fields& reader, uint64_t count, Add add) {
  uint64_t last_opcode = 0;
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t at = reader.offset();
    const uint64_t opcode = reader.take(8, "an instruction's opcode");
    const std::string_view name = reader.take_name("an instruction's name");
    const std::string_view meaning = reader.take_name("an instruction's meaning");
    const uint64_t operand_count = reader.take(1, "the number of an instruction's operands");
    const auto* operands = reinterpret_cast<const char*>(reader.take_bytes(operand_count, "an instruction's operands"));
    const uint64_t length = reader.take(2, "the length of an instruction's body");
    const uint8_t* body = reader.take_bytes(length, "an instruction's body");
    if (i > 0 && opcode <= last_opcode) reader.fail_at(at, "instructions are not in ascending order of opcodes");
    last_opcode = opcode;
    if (!valid_name(meaning)) reader.fail_at(at, "the meaning of an instruction is not UTF-8 without control characters, or is empty");
    reader.attempt(at, [&] {
      add(isa::make_definition(opcode, name, {operands, static_cast<size_t>(operand_count)}, meaning, body, static_cast<size_t>(length)));
    });
  }
}

} // namespace comet
