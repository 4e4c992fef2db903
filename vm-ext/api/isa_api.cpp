// comet.h: the instruction set as data.
#include <algorithm>
#include <cstring>

#include "../image/image.h"
#include "../image/text.h"
#include "../isa/definitions.h"
#include "../machine/machine.h"
#include "definition.h"
#include "guard.h"

using namespace comet;

comet_status comet_isa_instruction(size_t n, comet_instruction* instruction, comet_error* error) {
  return guard(error, [&] {
    if (n >= isa::operation_count)
      fail(COMET_ERROR_ARGUMENT, 0, "there is no instruction number %zu; the table has %d", n, int{isa::operation_count});
    const isa::Instruction& line = isa::by_rank(n);
    give(instruction, comet_instruction{sizeof(comet_instruction), line.name, line.opcode, line.operands, line.group, line.meaning}, "instruction");
  });
}

isa::Definition comet::checked_definition(const comet_definition* given) {
  require(given, "definition");
  require_size(given->size, "definition");
  comet_definition definition = COMET_DEFINITION_INIT;
  std::memcpy(static_cast<void*>(&definition), given, std::min(given->size, sizeof definition));
  require(definition.name, "name");
  require(definition.operands, "operands");
  require(definition.meaning, "meaning");
  if (definition.length != 0) require(definition.body, "body");
  if (!valid_name(definition.meaning))
    fail(COMET_ERROR_ARGUMENT, 0, "the meaning %s of an instruction is not UTF-8 without control characters, or is empty", quoted(definition.meaning).c_str());
  return isa::make_definition(definition.opcode, definition.name, definition.operands, definition.meaning, definition.body,
                              definition.length);
}

const comet_isa* comet_machine_isa(const comet_machine* machine) {
  return machine == nullptr ? nullptr : machine->instructions.own.get();
}

comet_status comet_isa_definition(const comet_isa* isa, size_t n, comet_definition* definition, comet_error* error) {
  return guard(error, [&] {
    const size_t count = isa == nullptr ? 0 : isa->definitions.all().size();
    if (n >= count) fail(COMET_ERROR_ARGUMENT, 0, "there is no definition number %zu; there are %zu, counted from 0", n, count);
    const isa::Definition& found = *isa->definitions.all()[n];
    give(definition,
         comet_definition{sizeof(comet_definition), found.name.c_str(), found.opcode, found.operands.c_str(), found.meaning.c_str(),
                          found.body.data(), found.body.size(), found.text.c_str()},
         "definition");
  });
}

comet_status comet_machine_define(comet_machine* machine, const comet_definition* definition, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    auto changed = std::make_shared<comet_isa>(*machine->instructions.own);
    changed->definitions.add(checked_definition(definition));
    machine->set_own_instructions(std::move(changed));
    machine->note_other_change();
  });
}

comet_status comet_treat(comet_machine* machine, uint64_t opcode, uint32_t treatment, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    if (treatment > COMET_FORBIDDEN)
      fail(COMET_ERROR_ARGUMENT, 0, "there is no treatment %u; they are those of comet_treatment", treatment);
    machine->treat(opcode, static_cast<comet_treatment>(treatment));
  });
}

comet_status comet_treated(const comet_machine* machine, uint64_t opcode, comet_treatment* treatment, uint64_t* executed,
                           comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    require(treatment, "treatment");
    require(executed, "executed");
    const auto& treated = machine->instructions.treated;
    const auto found = treated.find(opcode);
    *treatment = found == treated.end() ? COMET_ORDINARY : found->second.treatment;
    *executed = found == treated.end() ? 0 : found->second.executed;
  });
}

namespace {

const isa::Definitions* definitions_of(const comet_isa* isa) {
  return isa == nullptr || isa->definitions.empty() ? nullptr : &isa->definitions;
}

} // namespace

comet_status comet_decode(const comet_isa* isa, const void* bytes, size_t length, comet_decoded* decoded, comet_error* error) {
  return guard(error, [&] {
    if (length != 0) require(bytes, "bytes");
    isa::Decoded found{};
    const isa::DecodeStatus status = isa::decode(static_cast<const uint8_t*>(bytes), length, definitions_of(isa), found);
    comet_decoded value = COMET_DECODED_INIT;
    value.length = found.length;
    value.field_count = found.operand_count + 1u;
    value.fields[0] = found.opcode;
    std::copy_n(found.raw, found.operand_count, value.fields + 1);
    if (status == isa::DecodeStatus::ok) {
      value.name = found.definition != nullptr ? found.definition->name.c_str() : isa::describe(found.operation).name;
      value.operands = found.definition != nullptr ? found.definition->operands.c_str() : isa::describe(found.operation).operands;
    }
    give(decoded, value, "decoded");
    switch (status) {  // beyond tests: there are no others
      case isa::DecodeStatus::ok: return;
      case isa::DecodeStatus::truncated:
        fail(COMET_ERROR_FORMAT, found.length, "the bytes end within the instruction");
      case isa::DecodeStatus::field_too_wide:
        fail(COMET_ERROR_FORMAT, found.length, "a field of the instruction is too wide: it has more than 64 bits or 10 bytes, or 32 bits for an f32");
      case isa::DecodeStatus::unknown_opcode:
        fail(COMET_ERROR_FORMAT, 0, "no instruction has opcode %llu", static_cast<unsigned long long>(found.opcode));
      case isa::DecodeStatus::bad_operands:
        fail(COMET_ERROR_FORMAT, 0, "%s: %s", found.definition->name.c_str(), isa::words(*found.broken, *found.definition).c_str());
    }
  });
}

size_t comet_disassemble(const comet_isa* isa, const void* bytes, size_t length, uint64_t address, char* text, size_t text_length) {
  size_t used = 0;
  std::string line;
  const comet_status status = guard(nullptr, [&] {
    if (bytes != nullptr) used = isa::disassemble(static_cast<const uint8_t*>(bytes), length, definitions_of(isa), address, line);
  });
  if (status != COMET_OK) {
    line.clear();
    used = 1; // who goes through code by the result comes to its end
  }
  if (text != nullptr && text_length != 0) {
    const size_t copied = std::min(line.size(), text_length - 1);
    std::memcpy(text, line.data(), copied);
    text[copied] = 0;
  }
  return used;
}
