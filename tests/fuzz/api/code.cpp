// Code, instructions of the machine's own, and questions.
#include "call.h"

namespace fuzz {

void api_calls::code() {
  if (codes_.size() < 2) {
    comet_machine* const of = any_made();
    comet_code* made = nullptr;
    const std::uint64_t where = address();
    if (CALL(comet_code_new, comet_machine_isa(of), where, at(made)) == COMET_OK) codes_.push_back(made);
  }
  comet_code* const to = any_of(codes_);
  for (std::uint64_t n = random_.below(12); n > 0; --n) {
    comet_label label = static_cast<comet_label>(random_.below(4)),
                base = static_cast<comet_label>(random_.below(4));
    switch (random_.below(9)) {
      case 0: CALL(comet_code_label, to, at(label)); break;
      case 1: CALL(comet_code_place, to, label); break;
      case 2: {
        const std::size_t bytes = random_.below(12);
        CALL(comet_code_address, to, label, random_.one_in(2) ? nullptr : &base, bytes);
        break;
      }
      case 3: CALL(comet_code_align, to, random_.one_in(2) ? awkward() : 16); break;
      case 4: {
        const std::size_t bytes = random_.below(40);
        CALL(comet_code_bytes, to, random_.one_in(9) ? nullptr : buffer_.data(), bytes);
        break;
      }
      default: {
        comet_instruction what = COMET_INSTRUCTION_INIT;
        comet_isa_instruction(random_.below(140), &what, nullptr);
        const std::size_t right = what.operands == nullptr ? 0 : std::strlen(what.operands);
        comet_operand operands[6];
        for (comet_operand& operand : operands)
          operand = {static_cast<std::uint32_t>(random_.below(5)),
                     random_.one_in(2) ? random_.below(4) : random_.magnitude()};
        for (std::size_t i = 0; i < right && i < std::size(operands) && !random_.one_in(9); ++i)
          operands[i].kind = std::strchr("dsx", what.operands[i]) != nullptr ? COMET_OPERAND_REGISTER
                             : what.operands[i] == 't'                       ? COMET_OPERAND_THREAD_REGISTER
                                                                             : COMET_OPERAND_NUMBER;
        const std::size_t count = random_.one_in(12) ? random_.below(std::size(operands) + 1)
                                                     : std::min(right, std::size(operands));
        if (random_.one_in(3))
          CALL(comet_code_emit_opcode, to, what.opcode, operands, count);
        else
          CALL(comet_code_emit, to, what.name, operands, count);
      }
    }
  }
  const std::uint8_t* bytes = nullptr;
  std::size_t written = 0;
  std::uint64_t where = 0;
  if (CALL(comet_code_finish, to, at(bytes), &written) == COMET_OK) {
    note(comet_checksum(bytes, written));
    comet_machine* const on = any_made();
    if (random_.one_in(2)) CALL_ON(comet_write, on, 0, pages[0].address, bytes, written);
  }
  CALL(comet_code_label_address, to, 0, at(where));
  if (random_.one_in(3) && !codes_.empty()) {
    comet_code_free(codes_.back());
    codes_.pop_back();
  }
}

void api_calls::instructions_of_own() {
  comet_machine* const on = any_made();
  const std::size_t n = random_.one_in(8) ? awkward() : random_.below(3);
  comet_definition definition = COMET_DEFINITION_INIT;
  definition.size = size(sizeof definition);
  CALL(comet_isa_definition, comet_machine_isa(on), n, at(definition));
  std::uint8_t body[] = {0, 1, 1, 0, 0, 0};
  for (std::uint8_t& byte : body)
    if (random_.one_in(4)) byte = static_cast<std::uint8_t>(random_.word());
  definition = {sizeof definition,
                host_name(),
                random_.one_in(8) ? awkward() : 1020 + random_.below(9),
                random_.one_in(2) ? "" : "ds",
                "any",
                body,
                static_cast<std::size_t>(random_.below(sizeof body + 1)),
                nullptr};
  CALL_ON(comet_machine_define, on, &definition);
  comet_image* const image = any_of(images_);
  CALL(comet_image_add_instruction, image, &definition);
  comet_decoded decoded = COMET_DECODED_INIT;
  decoded.size = size(sizeof decoded);
  const std::size_t from = random_.below(buffer_length - 32), bytes = random_.below(32);
  CALL(comet_decode, comet_machine_isa(on), &buffer_[from], bytes, at(decoded));
  char text[60];
  note(comet_disassemble(comet_machine_isa(on), &buffer_[from], bytes, address(), text,
                         random_.below(sizeof text)));
}

void api_calls::questions() {
  comet_machine* const on = any_made();
  comet_statistics statistics = COMET_STATISTICS_INIT;
  statistics.size = size(sizeof statistics);
  CALL_ON(comet_machine_statistics, on, at(statistics));
  comet_config config = COMET_CONFIG_INIT;
  config.size = size(sizeof config);
  CALL_ON(comet_machine_config, on, at(config));
  note(comet_host_import_name(on, static_cast<std::uint32_t>(awkward())) != nullptr);
}

}  // namespace fuzz
