// comet.h: the instruction set as data.
#include <algorithm>
#include <cstring>

#include "../isa/isa.h"
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

comet_status comet_decode(const void* bytes, size_t length, comet_decoded* decoded, comet_error* error) {
  return guard(error, [&] {
    if (length != 0) require(bytes, "bytes");
    isa::Decoded found{};
    const isa::DecodeStatus status = isa::decode(static_cast<const uint8_t*>(bytes), length, found);
    comet_decoded value = COMET_DECODED_INIT;
    value.length = found.length;
    value.field_count = found.operand_count + 1u;
    value.fields[0] = found.opcode;
    std::copy_n(found.raw, found.operand_count, value.fields + 1);
    if (status == isa::DecodeStatus::ok) {
      value.name = isa::describe(found.operation).name;
      value.operands = isa::describe(found.operation).operands;
    }
    give(decoded, value, "decoded");
    switch (status) {
      case isa::DecodeStatus::ok: return;
      case isa::DecodeStatus::truncated:
        fail(COMET_ERROR_FORMAT, found.length, "the bytes end within the instruction");
      case isa::DecodeStatus::field_too_wide:
        fail(COMET_ERROR_FORMAT, found.length, "a field of the instruction is too wide: it has more than 64 bits or 10 bytes, or 32 bits for an f32");
      case isa::DecodeStatus::unknown_opcode:
        fail(COMET_ERROR_FORMAT, 0, "no instruction has opcode %llu", static_cast<unsigned long long>(found.opcode));
    }
  });
}

size_t comet_disassemble(const void* bytes, size_t length, uint64_t address, char* text, size_t text_length) {
  size_t used = 0;
  std::string line;
  const comet_status status = guard(nullptr, [&] {
    if (bytes != nullptr) used = isa::disassemble(static_cast<const uint8_t*>(bytes), length, address, line);
  });
  if (status != COMET_OK) line.clear();
  if (text != nullptr && text_length != 0) {
    const size_t copied = std::min(line.size(), text_length - 1);
    std::memcpy(text, line.data(), copied);
    text[copied] = 0;
  }
  return used;
}
