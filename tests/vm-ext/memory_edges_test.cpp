// Every instruction that touches memory, at every edge of a page, of the window and of the address space, with addresses
// that come about in each of its ways: in the fast loop and in the plain one, which comet_observe runs at.
//
// What an instruction touches is taken from its line of the table, so that a new one is tried as well.
#include <optional>
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized" // sanitized, g++ 12 doubts its own <regex>
#endif
#include <regex>

#include "victim.h"

using namespace support;

namespace {

// How an instruction comes to its address: R[base], plus a field or `scale` times a register.
struct touching {
  std::string name, operands;
  std::size_t base;
  std::optional<std::size_t> offset;  // an operand of the kind o
  std::optional<std::size_t> index;   // or a register
  std::uint64_t scale = 1;
  std::uint64_t length;
  bool reads, writes, aligned;
};

std::size_t field_of(const std::string& letter) { return static_cast<std::size_t>(letter[0] - 'a'); }

// The instructions of the table that touch memory by address alone: not blocks, nor the table behind jtab, which other
// tests have.
std::vector<touching> instructions_that_touch_memory() {
  const std::regex memory(R"(M(8|16|32|64)\[R\[([abc])\](?: \+ (?:(\d) \* )?(?:R\[([abc])\]|([abc])))?\]( :=)?)");
  std::vector<touching> found;
  comet_instruction one = COMET_INSTRUCTION_INIT;
  for (std::size_t n = 0; comet_isa_instruction(n, &one, nullptr) == COMET_OK; ++n) {
    const std::string meaning = one.meaning, name = one.name;
    if (!std::regex_search(meaning, std::regex(R"(M\d)")) || name == "jtab") continue;
    touching what{.name = name, .operands = one.operands, .base = 0, .offset = {}, .index = {}, .length = 0,
                  .reads = false, .writes = false, .aligned = std::string(one.group) == "atomic"};
    for (std::sregex_iterator each(meaning.begin(), meaning.end(), memory), end; each != end; ++each) {
      const std::smatch& match = *each;
      what.length = std::stoull(match[1]) / 8;
      what.base = field_of(match[2]);
      if (match[3].matched) what.scale = std::stoull(match[3]);
      if (match[4].matched) what.index = field_of(match[4]);
      if (match[5].matched) what.offset = field_of(match[5]);
      (match[6].matched ? what.writes : what.reads) = true;
    }
    BOOST_REQUIRE_MESSAGE(what.length != 0, "the test does not know how " << name << " comes to its address: " << meaning);
    found.push_back(what);
  }
  return found;
}

struct outcome {
  comet_trap trap = COMET_TRAP_NONE;
  std::uint64_t address = 0;
};

outcome expected(const touching& what, std::uint64_t address) {
  if (what.aligned && address % what.length != 0) return {COMET_TRAP_MISALIGNED, address};
  if (what.reads)
    if (const auto byte = denied(address, what.length, COMET_READ)) return {COMET_TRAP_READ, *byte};
  if (what.writes)
    if (const auto byte = denied(address, what.length, COMET_WRITE)) return {COMET_TRAP_WRITE, *byte};
  return {};
}

constexpr std::uint64_t base_register = 5, other_register = 6, value_register = 7;

code program_of(const touching& what, std::uint64_t displacement) {
  fields operands;
  for (std::size_t n = 0; n < what.operands.size(); ++n)
    operands.push_back(n == what.base                             ? base_register
                       : what.index && n == *what.index           ? other_register
                       : what.offset && n == *what.offset         ? displacement
                                                                  : value_register);
  return code().add(what.name, operands).add("halt");
}

// Of the bytes around an address those that there are.
bytes around(const machine& vm, std::uint64_t address) {
  bytes found;
  for (std::uint64_t n = 0; n < 24; ++n) {
    std::uint8_t byte = 0;
    if (comet_read(vm, 0, address - 8 + n, &byte, 1, nullptr) == COMET_OK) found.push_back(byte);
  }
  return found;
}

// What is wrong with an access, in words; nothing when it is as expected. Boost's checks would take most of the time.
const char* wrong(machine& vm, const touching& what, std::uint64_t address, std::uint64_t displacement, bool observed) {
  comet_thread_restart(vm, 0, code_address, nullptr);
  comet_set_register(vm, 0, 0, base_register, address - what.scale * displacement, nullptr);
  comet_set_register(vm, 0, 0, other_register, what.index ? displacement : 0x5a, nullptr);
  comet_set_register(vm, 0, 0, value_register, 0x5a5a5a5a5a5a5a5a, nullptr);
  bytes before, after;
  if (what.writes) before = around(vm, address);
  comet_stop stop = COMET_STOP_INIT;
  comet_observation observation = COMET_OBSERVATION_INIT;
  const comet_status status = observed ? comet_observe(vm, 0, plenty, &observation, &stop, nullptr) : comet_run(vm, 0, plenty, &stop, nullptr);
  if (what.writes) after = around(vm, address);

  const outcome wanted = expected(what, address);
  if (status != COMET_OK || stop.trap != wanted.trap) return "another end";
  if (wanted.trap != COMET_TRAP_NONE) {
    std::uint64_t value = 0;
    comet_get_register(vm, 0, 0, value_register, &value, nullptr);
    if (stop.address != wanted.address) return "another address";
    return stop.executed != 0 || after != before || value != 0x5a5a5a5a5a5a5a5a ? "a part of it was done" : nullptr;
  }
  if (stop.reason != COMET_HALTED || after.size() != before.size()) return "it did not go on";
  // A write reaches its own bytes alone. Those before them are 8 unless pages or the address space begin there.
  std::uint64_t first = 8;
  for (std::uint64_t n = 0; n < 8; ++n) first -= protection_at(address - 8 + n) ? 0 : 1;
  for (std::uint64_t n = 0; n < after.size(); ++n)
    if ((n < first || n >= first + what.length) && after[n] != before[n]) return "other bytes were written";
  return nullptr;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(memory_edges)

BOOST_AUTO_TEST_CASE(each_access_touches_all_of_its_bytes_or_none) {
  const std::uint64_t displacements[] = {0, UINT64_MAX, UINT64_C(1) << 63};
  const std::vector<touching> all = instructions_that_touch_memory();
  BOOST_CHECK_GE(all.size(), 50u);
  for (const touching& what : all) {
    for (const std::uint64_t displacement : displacements) {
      if (displacement != 0 && !what.offset && !what.index) continue;
      machine vm = victim(program_of(what, displacement));
      for (const std::uint64_t address : edges(what.length))
        for (const bool observed : {false, true})
          if (const char* const words = wrong(vm, what, address, displacement, observed))
            BOOST_ERROR(what.name << " at " << address << ", displaced by " << displacement << (observed ? ", observed: " : ": ") << words);
      check_untouched(vm);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
