// Code written through comet.h: short, checked, and like what a program would be by hand.
#include <cstring>

#include "support.h"

using namespace support;

namespace {

struct writer {
  comet_code* handle = nullptr;
  explicit writer(std::uint64_t address = code_address, const comet_isa* isa = nullptr) {
    SUPPORT_OK(comet_code_new(isa, address, &handle, error));
  }
  ~writer() { comet_code_free(handle); }
  writer(const writer&) = delete;
  writer& operator=(const writer&) = delete;
  comet_label label() {
    comet_label made = 0;
    SUPPORT_OK(comet_code_label(handle, &made, error));
    return made;
  }
  void place(comet_label label) { SUPPORT_OK(comet_code_place(handle, label, error)); }
  void emit(const char* name, const std::vector<comet_operand>& operands = {}) {
    SUPPORT_OK(comet_code_emit(handle, name, operands.data(), operands.size(), error));
  }
  bytes finish() {
    const std::uint8_t* content = nullptr;
    std::size_t length = 0;
    SUPPORT_OK(comet_code_finish(handle, &content, &length, error));
    return bytes(content, content + length);
  }
  std::uint64_t address(comet_label label) const {
    std::uint64_t found = 0;
    SUPPORT_OK(comet_code_label_address(handle, label, &found, error));
    return found;
  }
};

std::string refusal(writer& to, const char* name, const std::vector<comet_operand>& operands) {
  comet_error error = COMET_ERROR_INIT;
  BOOST_CHECK_EQUAL(comet_code_emit(to.handle, name, operands.data(), operands.size(), &error), COMET_ERROR_ARGUMENT);
  return error.message;
}

} // namespace

BOOST_AUTO_TEST_SUITE(writing_code)

BOOST_AUTO_TEST_CASE(a_loop_has_the_bytes_that_it_would_have_by_hand) {
  writer to;
  to.emit("imm", {COMET_R(1), COMET_N(300)});
  const comet_label loop = to.label(), end = to.label();
  to.place(loop);
  to.emit("beqi", {COMET_R(1), COMET_N(0), COMET_L(end)});
  to.emit("addi", {COMET_R(1), COMET_R(1), COMET_N(-1)});
  to.emit("jump", {COMET_L(loop)});
  to.place(end);
  to.emit("halt");
  code by_hand;
  by_hand.add("imm", {1, 300});
  const std::uint64_t start = by_hand.here();
  by_hand.add("beqi", {1, 0, start + 10}).add("addi", {1, 1, 0 - std::uint64_t{1}}).add("jump", {start}).add("halt");
  const bytes written = to.finish();
  BOOST_TEST(written == by_hand.content(), boost::test_tools::per_element());
  BOOST_TEST(to.finish() == written, boost::test_tools::per_element());
  BOOST_CHECK_EQUAL(to.address(end), start + 10);
  machine vm;
  vm.map(code_address, 1, read_execute);
  vm.write(code_address, written);
  vm.restart(code_address);
  BOOST_CHECK_EQUAL(vm.run().executed, 1 + 300 * 3 + 2);
}

BOOST_AUTO_TEST_CASE(every_instruction_of_the_table_is_written_as_it_is_disassembled) {
  comet_instruction instruction = COMET_INSTRUCTION_INIT;
  for (std::size_t n = 0; comet_isa_instruction(n, &instruction, nullptr) == COMET_OK; ++n) {
    writer to;
    std::vector<comet_operand> operands;
    std::string wanted = instruction.name;
    for (const char* kind = instruction.operands; *kind != 0; ++kind) {
      wanted += operands.empty() ? " " : ", ";
      switch (*kind) {
        case 'd': case 's': case 'x': case 'w': operands.push_back(COMET_R(200)); wanted += "r200"; break;
        case 't': operands.push_back(COMET_T(7)); wanted += "t7"; break;
        case 'p': operands.push_back(COMET_N(0x10100)); wanted += "0x10100"; break;
        case 'i': case 'o': operands.push_back(COMET_N(-70)); wanted += "-70"; break;
        case 'f': operands.push_back(COMET_N(0x3ff8000000000000)); wanted += "1.5"; break;
        case 'g': operands.push_back(COMET_N(0x3fc00000)); wanted += "1.5"; break;
        default: operands.push_back(COMET_N(33)); wanted += "33"; break;
      }
    }
    SUPPORT_OK(comet_code_emit_opcode(to.handle, instruction.opcode, operands.data(), operands.size(), error));
    const bytes written = to.finish();
    char text[160];
    BOOST_CHECK_EQUAL(comet_disassemble(nullptr, written.data(), written.size(), code_address, text, sizeof text), written.size());
    BOOST_CHECK_EQUAL(text, wanted);
  }
}

BOOST_AUTO_TEST_CASE(jumps_are_as_short_as_can_be_on_both_sides_of_a_boundary) {
  // A jump over so many nops: 2 bytes while the distance is at most 63.
  for (const std::size_t nops : {60u, 61u, 62u, 63u, 8188u, 8189u, 8190u}) {
    writer to;
    const comet_label end = to.label();
    to.emit("jump", {COMET_L(end)});
    for (std::size_t i = 0; i < nops; ++i) to.emit("nop");
    to.place(end);
    to.emit("halt");
    const std::size_t jump = nops + 2 <= 63 ? 2 : nops + 3 <= 8191 ? 3 : 4;
    BOOST_CHECK_EQUAL(to.finish().size(), jump + nops + 1);
    BOOST_CHECK_EQUAL(to.address(end), code_address + jump + nops);
  }
}

BOOST_AUTO_TEST_CASE(labels_stand_for_addresses_and_for_distances) {
  writer to;
  const comet_label data = to.label(), table = to.label(), here = to.label();
  to.emit("imm", {COMET_R(1), COMET_L(data)});
  to.place(here);
  to.emit("pcimm", {COMET_R(2), COMET_L(data)});
  to.emit("spcimm", {COMET_R(3), COMET_L(here)});
  to.emit("halt");
  SUPPORT_OK(comet_code_align(to.handle, 16, error));
  to.place(data);
  SUPPORT_OK(comet_code_bytes(to.handle, "abc", 3, error));
  to.place(table);
  SUPPORT_OK(comet_code_address(to.handle, data, nullptr, 8, error));
  SUPPORT_OK(comet_code_address(to.handle, data, &table, 4, error));
  const bytes written = to.finish();
  BOOST_CHECK_EQUAL(to.address(data) % 16, 0);
  machine vm;
  vm.map(code_address, 1, read_execute);
  vm.write(code_address, written);
  vm.restart(code_address);
  vm.run();
  BOOST_CHECK_EQUAL(vm.get(1), to.address(data));
  BOOST_CHECK_EQUAL(vm.get(2), to.address(data));
  BOOST_CHECK_EQUAL(vm.get(3), to.address(here));
  BOOST_CHECK_EQUAL(vm.read_word(to.address(table)), to.address(data));
  BOOST_CHECK_EQUAL(static_cast<std::uint32_t>(vm.read_word(to.address(table) + 8)), static_cast<std::uint32_t>(-3));
}

BOOST_AUTO_TEST_CASE(a_running_program_is_patched_in_its_place) {
  writer program;
  const comet_label loop = program.label(), part = program.label(), behind = program.label();
  program.place(loop);
  program.place(part);
  program.emit("addi", {COMET_R(1), COMET_R(1), COMET_N(1000)});
  program.emit("addi", {COMET_R(2), COMET_R(2), COMET_N(1)});
  program.place(behind);
  program.emit("jump", {COMET_L(loop)});
  machine vm;
  vm.map(code_address, 1, read_execute);
  vm.write(code_address, program.finish());
  vm.restart(code_address);
  vm.run(30);
  BOOST_CHECK_EQUAL(vm.get(1), 10'000);

  writer patch(program.address(part));
  patch.emit("addi", {COMET_R(1), COMET_R(1), COMET_N(-1)});
  SUPPORT_OK(comet_code_pad(patch.handle, program.address(behind), error));
  const bytes replaced = patch.finish();
  BOOST_CHECK_EQUAL(replaced.size(), program.address(behind) - program.address(part));
  vm.write(program.address(part), replaced);
  vm.run(2 + replaced.size() - 4); // the addi, the nops and the jump
  BOOST_CHECK_EQUAL(vm.get(1), 9'999);
  BOOST_CHECK_EQUAL(vm.get(2), 10);
}

BOOST_AUTO_TEST_CASE(instructions_of_a_machines_own_are_written_by_their_names) {
  machine vm;
  // swap a, b: three exclusive ors of a pair
  const std::uint8_t body[] = {0, 1, 51, 1, 2, 2};
  comet_definition definition = COMET_DEFINITION_INIT;
  definition.name = "twice";
  definition.opcode = 1024;
  definition.operands = "ds";
  definition.meaning = "R[a] := 2 * R[b]";
  definition.body = body;
  definition.length = sizeof body;
  SUPPORT_OK(comet_machine_define(vm, &definition, error));
  writer to(code_address, comet_machine_isa(vm));
  to.emit("twice", {COMET_R(1), COMET_R(2)});
  to.emit("halt");
  vm.map(code_address, 1, read_execute);
  vm.write(code_address, to.finish());
  vm.restart(code_address);
  vm.set(2, 21);
  vm.run();
  BOOST_CHECK_EQUAL(vm.get(1), 42);
}

BOOST_AUTO_TEST_CASE(what_makes_no_code_is_refused_by_name_and_number) {
  writer to;
  to.emit("nop");
  BOOST_TEST(refusal(to, "ad", {}).find("no instruction `ad`") != std::string::npos);
  BOOST_CHECK_EQUAL(refusal(to, "add", {COMET_R(1), COMET_R(2)}), "item 1, `add`, takes 3 operands, not 2");
  BOOST_CHECK_EQUAL(refusal(to, "add", {COMET_R(1), COMET_R(2), COMET_N(3)}),
                    "item 1, `add`: operand 3 is a number; it has to be a register");
  BOOST_CHECK_EQUAL(refusal(to, "tget", {COMET_R(1), COMET_R(2)}), "item 1, `tget`: operand 2 is a register; it has to be a thread register");
  BOOST_CHECK_EQUAL(refusal(to, "tget", {COMET_R(1), COMET_T(16)}), "item 1, `tget`: there is no thread register 16");
  BOOST_CHECK_EQUAL(refusal(to, "jump", {COMET_T(1)}), "item 1, `jump`: operand 1 is a thread register; it has to be an address or a label");
  BOOST_CHECK_EQUAL(refusal(to, "shli", {COMET_R(1), COMET_R(1), COMET_N(64)}), "item 1, `shli`: a shift by 64; it has to be from 0 to 63");
  BOOST_CHECK_EQUAL(refusal(to, "jump", {COMET_L(0)}), "this code has no label 0; it has 0, counted from 0");
  BOOST_TEST(refusal(to, "fimm32", {COMET_R(1), COMET_N(0x100000000)}).find("more than the 32 bits") != std::string::npos);
  BOOST_TEST(refusal(to, "simm", {COMET_R(1), COMET_L(0)}).find("is a label; it has to be a number") != std::string::npos);
  BOOST_TEST(refusal(to, "imm", {{9, 0}, COMET_N(0)}).find("has kind 9") != std::string::npos);
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_code_emit_opcode(to.handle, 300, nullptr, 0, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_code_align(to.handle, 3, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_code_align(to.handle, 0, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_code_pad(to.handle, code_address - 1, error));

  const comet_label label = to.label();
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_code_address(to.handle, label, nullptr, 9, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_code_address(to.handle, label + 1, nullptr, 8, error));
  std::uint64_t address = 0;
  SUPPORT_FAILS(COMET_ERROR_STATE, comet_code_label_address(to.handle, label, &address, error));
  to.emit("jump", {COMET_L(label)});
  const std::uint8_t* content = nullptr;
  std::size_t length = 0;
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_code_finish(to.handle, &content, &length, error));
  to.place(label);
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_code_place(to.handle, label, error));
  const comet_label unused = to.label();
  BOOST_CHECK_EQUAL(to.finish().size(), 3);
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_code_label_address(to.handle, unused, &address, error));
  SUPPORT_OK(comet_code_pad(to.handle, code_address + 2, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_code_finish(to.handle, &content, &length, error));
}

// Each operand of each instruction with each kind that there is.
BOOST_AUTO_TEST_CASE(an_operand_is_of_the_kind_that_the_table_says) {
  const auto good = [](char letter) -> comet_operand {
    if (std::strchr("dsxw", letter) != nullptr) return COMET_R(1);
    if (letter == 't') return COMET_T(1);
    return COMET_N(1);
  };
  comet_instruction one = COMET_INSTRUCTION_INIT;
  for (std::size_t n = 0; comet_isa_instruction(n, &one, nullptr) == COMET_OK; ++n) {
    const std::string letters = one.operands, name = one.name;
    for (std::size_t place = 0; place < letters.size(); ++place) {
      const char letter = letters[place];
      const bool register_wanted = std::strchr("dsxw", letter) != nullptr;
      const bool label_allowed = std::strchr("puio", letter) != nullptr || name == "spcimm";
      for (const std::uint32_t kind : {COMET_OPERAND_REGISTER, COMET_OPERAND_THREAD_REGISTER, COMET_OPERAND_NUMBER, COMET_OPERAND_LABEL}) {
        writer to;
        to.place(to.label());
        std::vector<comet_operand> operands;
        for (const char each : letters) operands.push_back(good(each));
        operands[place] = {kind, kind == COMET_OPERAND_LABEL ? 0u : 1u};
        const bool suits = kind == COMET_OPERAND_REGISTER          ? register_wanted
                           : kind == COMET_OPERAND_THREAD_REGISTER ? letter == 't'
                           : kind == COMET_OPERAND_NUMBER          ? !register_wanted && letter != 't'
                                                                   : !register_wanted && label_allowed;
        comet_error error = COMET_ERROR_INIT;
        const comet_status status = comet_code_emit(to.handle, one.name, operands.data(), operands.size(), &error);
        BOOST_TEST_CONTEXT(name << ", operand " << place + 1 << ", kind " << kind << ": " << error.message) {
          BOOST_REQUIRE_EQUAL(status, suits ? COMET_OK : COMET_ERROR_ARGUMENT);
          if (!suits) BOOST_REQUIRE(std::string(error.message).find("operand " + std::to_string(place + 1)) != std::string::npos);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(addresses_and_distances_take_the_bytes_that_they_need) {
  // Whether a distance, or an address where `relative` is false, fits so many bytes.
  const auto fits = [](bool relative, std::int64_t value, std::size_t length) {
    const std::uint64_t far = static_cast<std::uint64_t>(value < 0 ? -value : value);
    writer to(relative ? code_address : 0);
    const comet_label first = to.label(), second = to.label();
    to.place(first);
    SUPPORT_OK(comet_code_pad(to.handle, (relative ? code_address : 0) + far, error));
    to.place(second);
    const bool back = value < 0;
    SUPPORT_OK(comet_code_address(to.handle, back ? first : second, relative ? &(back ? second : first) : nullptr, length, error));
    const std::uint8_t* content = nullptr;
    std::size_t size = 0;
    const comet_status status = comet_code_finish(to.handle, &content, &size, nullptr);
    if (status != COMET_OK) return false;
    std::uint64_t written = 0;
    for (std::size_t n = 0; n < length; ++n) written |= std::uint64_t{content[size - length + n]} << (8 * n);
    const std::uint64_t mask = (UINT64_C(1) << (8 * length)) - 1;
    BOOST_CHECK_EQUAL(written, static_cast<std::uint64_t>(value) & mask);
    return true;
  };
  for (const std::size_t length : {1u, 2u}) {
    const std::int64_t half = std::int64_t{1} << (8 * length - 1);
    BOOST_CHECK(fits(true, half - 1, length) && fits(true, -half, length) && fits(true, 0, length));
    BOOST_CHECK(!fits(true, half, length) && !fits(true, -half - 1, length));
    BOOST_CHECK(fits(false, 2 * half - 1, length));
    BOOST_CHECK(!fits(false, 2 * half, length));
  }
  writer to;
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_code_pad(to.handle, code_address - 1, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_code_pad(to.handle, code_address + (UINT64_C(1) << 32), error));
  const comet_label label = to.label();
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_code_address(to.handle, label, nullptr, 0, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_code_address(to.handle, label, nullptr, 9, error));
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_told_when_the_code_is_finished) {
  const std::uint8_t* content = nullptr;
  std::size_t length = 0;
  {
    writer to;
    const comet_label label = to.label();
    to.place(label);
    SUPPORT_OK(comet_code_address(to.handle, label, nullptr, 2, error));
    SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_code_finish(to.handle, &content, &length, error));
  }
  writer to;
  const comet_label label = to.label();
  to.place(label);
  to.emit("nop");
  to.emit("pcimm", {COMET_R(1), COMET_L(label)});
  comet_error error = COMET_ERROR_INIT;
  BOOST_CHECK_EQUAL(comet_code_finish(to.handle, &content, &length, &error), COMET_ERROR_ARGUMENT);
  BOOST_CHECK_EQUAL(error.message, std::string("item 1, `pcimm`: the label lies on the other side; use spcimm"));
  writer back;
  const comet_label ahead = back.label();
  back.emit("spcimm", {COMET_R(1), COMET_L(ahead)});
  back.emit("nop");
  back.place(ahead);
  BOOST_CHECK_EQUAL(comet_code_finish(back.handle, &content, &length, &error), COMET_ERROR_ARGUMENT);
  BOOST_CHECK_EQUAL(error.message, std::string("item 0, `spcimm`: the label lies on the other side; use pcimm"));
}

BOOST_AUTO_TEST_CASE(a_definitions_rules_hold_here_too) {
  machine vm;
  const std::uint8_t body[] = {1, 2, 0, 14, 1, 71, 1, 1, 2}; // add-small a, b: addi a, a, b with b from 0 to 7
  comet_definition definition = COMET_DEFINITION_INIT;
  definition.name = "add-small";
  definition.opcode = 1025;
  definition.operands = "xi";
  definition.meaning = "R[a] := R[a] + b";
  definition.body = body;
  definition.length = sizeof body;
  SUPPORT_OK(comet_machine_define(vm, &definition, error));
  writer to(code_address, comet_machine_isa(vm));
  to.emit("add-small", {COMET_R(1), COMET_N(7)});
  to.finish();
  to.emit("add-small", {COMET_R(1), COMET_N(8)});
  const std::uint8_t* content = nullptr;
  std::size_t length = 0;
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_code_finish(to.handle, &content, &length, error));
}

BOOST_AUTO_TEST_CASE(places_are_told_as_far_as_the_image_knows) {
  comet_image* image = nullptr;
  SUPPORT_OK(comet_image_new(&image, error));
  const bytes content(64);
  SUPPORT_OK(comet_image_add_section(image, ".text", code_address, content.data(), content.size(), content.size(), read_execute, error));
  SUPPORT_OK(comet_image_add_symbol(image, "loop", code_address + 4, error));
  SUPPORT_OK(comet_image_add_line(image, code_address + 8, "fib.s", 12, 3, error));
  SUPPORT_OK(comet_image_add_line(image, code_address + 16, "fib.s", 13, 0, error));
  const auto place = [&](std::uint64_t offset, std::size_t room = 100) {
    char text[100];
    const std::size_t length = comet_describe_place(image, code_address + offset, text, room);
    BOOST_CHECK_GE(length, std::strlen(text));
    return std::string(text);
  };
  BOOST_CHECK_EQUAL(place(0), "0x10000");
  BOOST_CHECK_EQUAL(place(4), "0x10004 loop");
  BOOST_CHECK_EQUAL(place(8), "0x10008 loop+0x4, fib.s:12:3");
  BOOST_CHECK_EQUAL(place(17), "0x10011 loop+0xd, fib.s:13");
  BOOST_CHECK_EQUAL(place(8, 9), "0x10008 ");
  BOOST_CHECK_EQUAL(comet_describe_place(image, code_address, nullptr, 0), 7);
  char text[20];
  comet_describe_place(nullptr, 0xff, text, sizeof text);
  BOOST_CHECK_EQUAL(text, std::string("0xff"));
  comet_image_free(image);
}

BOOST_AUTO_TEST_SUITE_END()
