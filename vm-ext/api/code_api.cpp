// comet.h: writing code, describing places.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <string>

#include "../image/image.h"
#include "../isa/code_writer.h"
#include "guard.h"

using namespace comet;

struct comet_code {
  isa::CodeWriter writer;
};

namespace {

std::vector<isa::Operand> checked(const comet_operand* operands, size_t count) {
  if (count != 0) require(operands, "operands");
  std::vector<isa::Operand> result;
  for (size_t i = 0; i < count; ++i) {
    if (operands[i].kind > COMET_OPERAND_LABEL)
      fail(COMET_ERROR_ARGUMENT, 0, "operand %zu has kind %u; they are those of comet_operand_kind", i + 1, operands[i].kind);
    result.push_back({static_cast<isa::Operand::Kind>(operands[i].kind), operands[i].value});
  }
  return result;
}

static_assert(static_cast<int>(isa::Operand::Kind::thread_register) == COMET_OPERAND_THREAD_REGISTER);
static_assert(static_cast<int>(isa::Operand::Kind::number) == COMET_OPERAND_NUMBER);
static_assert(static_cast<int>(isa::Operand::Kind::label) == COMET_OPERAND_LABEL);

void put_place(std::string& words, const comet_image* image, uint64_t address) {
  char number[32];
  std::snprintf(number, sizeof number, "0x%llx", static_cast<unsigned long long>(address));
  words = number;
  if (image == nullptr) return;
  if (const Symbol* const symbol = image->image.symbol_at(address)) {
    words += " " + symbol->first;
    std::snprintf(number, sizeof number, "+0x%llx", static_cast<unsigned long long>(address - symbol->second));
    if (symbol->second != address) words += number;
  }
  if (const Line* const line = image->image.line_at(address)) {
    std::snprintf(number, sizeof number, line->column == 0 ? ":%u" : ":%u:%u", line->line, line->column);
    words += ", " + *line->file + number;
  }
}

} // namespace

comet_status comet_code_new(const comet_isa* isa, uint64_t address, comet_code** code, comet_error* error) {
  return guard(error, [&] {
    require(code, "code");
    *code = new comet_code{isa::CodeWriter(address, isa == nullptr ? isa::Definitions() : isa->definitions)};
  });
}

void comet_code_free(comet_code* code) { delete code; }

comet_status comet_code_label(comet_code* code, comet_label* label, comet_error* error) {
  return guard(error, [&] {
    require(code, "code");
    require(label, "label");
    *label = code->writer.new_label();
  });
}

comet_status comet_code_place(comet_code* code, comet_label label, comet_error* error) {
  return guard(error, [&] {
    require(code, "code");
    code->writer.place(label);
  });
}

comet_status comet_code_emit(comet_code* code, const char* name, const comet_operand* operands, size_t count,
                             comet_error* error) {
  return guard(error, [&] {
    require(code, "code");
    require(name, "name");
    const std::vector<isa::Operand> given = checked(operands, count);
    code->writer.emit(name, given.data(), given.size());
  });
}

comet_status comet_code_emit_opcode(comet_code* code, uint64_t opcode, const comet_operand* operands, size_t count,
                                    comet_error* error) {
  return guard(error, [&] {
    require(code, "code");
    const std::vector<isa::Operand> given = checked(operands, count);
    code->writer.emit(opcode, given.data(), given.size());
  });
}

comet_status comet_code_bytes(comet_code* code, const void* bytes, size_t length, comet_error* error) {
  return guard(error, [&] {
    require(code, "code");
    if (length != 0) require(bytes, "bytes");
    code->writer.bytes(static_cast<const uint8_t*>(bytes), length);
  });
}

comet_status comet_code_address(comet_code* code, comet_label label, const comet_label* base, size_t length,
                                comet_error* error) {
  return guard(error, [&] {
    require(code, "code");
    code->writer.address_of(label, base == nullptr ? std::nullopt : std::optional(*base), length);
  });
}

comet_status comet_code_align(comet_code* code, uint64_t alignment, comet_error* error) {
  return guard(error, [&] {
    require(code, "code");
    code->writer.align(alignment);
  });
}

comet_status comet_code_pad(comet_code* code, uint64_t address, comet_error* error) {
  return guard(error, [&] {
    require(code, "code");
    code->writer.pad_to(address);
  });
}

comet_status comet_code_finish(comet_code* code, const uint8_t** bytes, size_t* length, comet_error* error) {
  return guard(error, [&] {
    require(code, "code");
    require(bytes, "bytes");
    require(length, "length");
    const std::vector<uint8_t>& finished = code->writer.finish();
    *bytes = finished.data();
    *length = finished.size();
  });
}

comet_status comet_code_label_address(const comet_code* code, comet_label label, uint64_t* address, comet_error* error) {
  return guard(error, [&] {
    require(code, "code");
    require(address, "address");
    *address = code->writer.label_address(label);
  });
}

size_t comet_describe_place(const comet_image* image, uint64_t address, char* text, size_t text_length) {
  std::string words;
  // beyond tests: the host's memory has to end just here
  if (guard(nullptr, [&] { put_place(words, image, address); }) != COMET_OK) words.clear();
  if (text != nullptr && text_length != 0) {
    const size_t copied = std::min(words.size(), text_length - 1);
    std::memcpy(text, words.data(), copied);
    text[copied] = 0;
    if (copied < words.size()) end_with_whole_character(text, copied);
  }
  return words.size();
}
