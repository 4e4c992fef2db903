// Decoding and disassembly: every instruction, what is cut short, and noise.
#include <cstring>
#include <random>

#include "support.h"

using namespace support;

namespace {

std::vector<comet_instruction> table() {
  std::vector<comet_instruction> result;
  comet_instruction found = COMET_INSTRUCTION_INIT;
  for (std::size_t n = 0; comet_isa_instruction(n, &found, nullptr) == COMET_OK; ++n) result.push_back(found);
  return result;
}

bytes encode(const comet_instruction& what, const fields& numbers, std::size_t field_length = 1) {
  bytes content;
  conformance::append_uleb128(content, what.opcode, field_length);
  for (const std::uint64_t number : numbers) conformance::append_uleb128(content, number, field_length);
  return content;
}

std::string disassemble(const bytes& content, std::uint64_t address, std::size_t& used) {
  char text[256];
  used = comet_disassemble(nullptr, content.data(), content.size(), address, text, sizeof text);
  return text;
}
std::string disassemble(const bytes& content, std::uint64_t address = 0x10000) {
  std::size_t used = 0;
  return disassemble(content, address, used);
}

// The number of a g field has 32 bits, that of any other 64.
std::uint64_t number_for(char operand, std::uint64_t number) {
  return operand == 'g' ? number & 0xffffffff : number;
}

const fields interesting = {0,         1, 63, 127, 128, 255, 16383, 16384, 0xffffffff, std::uint64_t{1} << 63,
                            UINT64_MAX};

}  // namespace

BOOST_AUTO_TEST_SUITE(decoding)

BOOST_AUTO_TEST_CASE(the_table_is_sorted_and_complete_in_itself) {
  const std::vector<comet_instruction> all = table();
  BOOST_CHECK_GT(all.size(), 250u);
  for (std::size_t n = 0; n < all.size(); ++n) {
    BOOST_CHECK(all[n].name[0] != 0 && all[n].group[0] != 0 && all[n].meaning[0] != 0);
    BOOST_CHECK_LE(std::strlen(all[n].operands), 3u);
    if (n > 0) BOOST_CHECK_LT(all[n - 1].opcode, all[n].opcode);
  }
  comet_instruction none = COMET_INSTRUCTION_INIT;
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_isa_instruction(all.size(), &none, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_isa_instruction(SIZE_MAX, &none, error));
}

BOOST_AUTO_TEST_CASE(every_instruction_decodes_to_what_was_encoded) {
  std::mt19937_64 random(1);
  const machine plain; // has no instructions of its own
  for (const comet_instruction& what : table())
    for (int round = 0; round < 30; ++round) {
      fields numbers;
      for (std::size_t n = 0; n < std::strlen(what.operands); ++n)
        numbers.push_back(
            round == 0 ? 0 : number_for(what.operands[n], interesting[random() % interesting.size()]));
      const bytes content = encode(what, numbers, round % 5 == 4 ? 10 : 1);
      comet_decoded decoded = COMET_DECODED_INIT;
      SUPPORT_OK(comet_decode(nullptr, content.data(), content.size(), &decoded, error));
      BOOST_CHECK_EQUAL(std::string(decoded.name), what.name);
      SUPPORT_OK(comet_decode(comet_machine_isa(plain), content.data(), content.size(), &decoded, error));
      BOOST_CHECK_EQUAL(decoded.length, content.size());
      BOOST_REQUIRE_EQUAL(decoded.field_count, numbers.size() + 1);
      BOOST_CHECK_EQUAL(decoded.fields[0], what.opcode);
      for (std::size_t n = 0; n < numbers.size(); ++n) BOOST_CHECK_EQUAL(decoded.fields[n + 1], numbers[n]);
      // One byte less is no instruction.
      for (std::size_t cut = 0; cut < content.size(); ++cut)
        BOOST_CHECK_EQUAL(comet_decode(nullptr, content.data(), cut, &decoded, nullptr), COMET_ERROR_FORMAT);
    }
}

BOOST_AUTO_TEST_CASE(fields_over_64_bits_are_no_instruction) {
  comet_decoded decoded = COMET_DECODED_INIT;
  for (const comet_instruction& what : table()) {
    bytes eleven = encode(what, {});
    eleven.back() |= 0x80;
    while (eleven.size() < 10) eleven.push_back(0x80);
    eleven.insert(eleven.end(), 40, 0);
    SUPPORT_FAILS(COMET_ERROR_FORMAT, comet_decode(nullptr, eleven.data(), eleven.size(), &decoded, error));
  }
  bytes wide(9, 0x80);
  wide.push_back(2);
  SUPPORT_FAILS(COMET_ERROR_FORMAT, comet_decode(nullptr, wide.data(), wide.size(), &decoded, error));
}

BOOST_AUTO_TEST_CASE(an_f32_of_over_32_bits_is_no_instruction) {
  comet_decoded decoded = COMET_DECODED_INIT;
  for (const comet_instruction& what : table()) {
    if (std::string(what.operands) != "dg") continue;
    const bytes most = encode(what, {1, 0xffffffff});
    SUPPORT_OK(comet_decode(nullptr, most.data(), most.size(), &decoded, error));
    const bytes more = encode(what, {1, 0x100000000});
    SUPPORT_FAILS(COMET_ERROR_FORMAT, comet_decode(nullptr, more.data(), more.size(), &decoded, error));
  }
}

BOOST_AUTO_TEST_CASE(unknown_opcodes_tell_their_length) {
  comet_decoded decoded = COMET_DECODED_INIT;
  const bytes unknown = {0x80, 0x90, 0x01, 0, 0};
  SUPPORT_FAILS(COMET_ERROR_FORMAT, comet_decode(nullptr, unknown.data(), unknown.size(), &decoded, error));
  BOOST_CHECK_EQUAL(decoded.length, 3u);
  BOOST_CHECK(decoded.name == nullptr);
}

BOOST_AUTO_TEST_CASE(disassembly_reads_as_assembly) {
  struct sample {
    bytes content;
    std::string text;
  };
  const sample samples[] = {{code().add("add", {1, 2, 3}).content(), "add r1, r2, r3"},
                            {code().add("addi", {1, 2, 0 - std::uint64_t{1}}).content(), "addi r1, r2, -1"},
                            {code().add("halt").content(), "halt"},
                            {code().add("jump", {0x10020}).content(), "jump 0x10020"},
                            {code().add("tget", {1, 3}).content(), "tget r1, t3"},
                            {code().add("mov", {70000, 128}).content(), "mov r70000, r128"}};
  for (const sample& each : samples) BOOST_CHECK_EQUAL(disassemble(each.content), each.text);
}

BOOST_AUTO_TEST_CASE(every_instruction_is_disassembled_by_its_name) {
  std::mt19937_64 random(2);
  for (const comet_instruction& what : table())
    for (int round = 0; round < 20; ++round) {
      fields numbers;
      for (std::size_t n = 0; n < std::strlen(what.operands); ++n)
        numbers.push_back(number_for(what.operands[n], interesting[random() % interesting.size()]));
      const bytes content = encode(what, numbers);
      std::size_t used = 0;
      const std::string text = disassemble(content, 0x10000, used);
      BOOST_CHECK_EQUAL(used, content.size());
      BOOST_CHECK_EQUAL(text.substr(0, text.find(' ')), what.name);
    }
}

BOOST_AUTO_TEST_CASE(the_text_is_cut_to_the_buffer_and_ends) {
  const bytes content = code().add("imm", {100000, UINT64_MAX}).content();
  const std::string whole = disassemble(content);
  for (std::size_t length = 1; length < whole.size() + 3; ++length) {
    std::vector<char> text(length, 'x');
    BOOST_CHECK_EQUAL(comet_disassemble(nullptr, content.data(), content.size(), 0, text.data(), length),
                      content.size());
    BOOST_CHECK_EQUAL(std::string(text.data()), whole.substr(0, length - 1));
  }
  BOOST_CHECK_EQUAL(comet_disassemble(nullptr, content.data(), content.size(), 0, nullptr, 0), content.size());
  char text[8] = "x";
  BOOST_CHECK_EQUAL(comet_disassemble(nullptr, content.data(), 0, 0, text, sizeof text), 0u);
}

BOOST_AUTO_TEST_CASE(noise_is_taken_apart_to_the_last_byte) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 20000; ++round) {
    // A block of its own, so that a read behind it is seen by the address sanitizer.
    const std::size_t length = 1 + random() % 24;
    const std::unique_ptr<std::uint8_t[]> noise(new std::uint8_t[length]);
    for (std::size_t n = 0; n < length; ++n)
      noise[n] = static_cast<std::uint8_t>(random() >> (random() % 64));
    for (std::size_t at = 0; at < length;) {
      comet_decoded decoded = COMET_DECODED_INIT;
      char text[128];
      const comet_status status = comet_decode(nullptr, noise.get() + at, length - at, &decoded, nullptr);
      const std::size_t used =
          comet_disassemble(nullptr, noise.get() + at, length - at, 0x10000 + at, text, sizeof text);
      BOOST_REQUIRE(used >= 1 && used <= length - at);
      if (status == COMET_OK) {
        BOOST_REQUIRE_EQUAL(decoded.length, used);
        BOOST_REQUIRE(std::strncmp(text, decoded.name, std::strlen(decoded.name)) == 0);
      } else {
        BOOST_REQUIRE_EQUAL(status, COMET_ERROR_FORMAT);
        BOOST_REQUIRE(std::strncmp(text, ".byte 0x", 8) == 0);
      }
      at += used;
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
