// Instructions that users define: what they do, that they are all or nothing, what is refused; and how a machine
// treats instructions.
#include <cstring>

#include "observing.h"
#include "state_files.h"

using namespace support;

namespace {

// Operands of parts: those of the whole, and constants.
struct source {
  std::uint64_t operand;
  std::uint64_t constant;
};
constexpr source a{1, 0}, b{2, 0}, c{3, 0};
constexpr source k(std::uint64_t field) { return {0, field}; }
struct part {
  const char* name;
  std::vector<source> sources;
};

std::uint64_t opcode_of(const std::string& name) {
  comet_instruction found = COMET_INSTRUCTION_INIT;
  for (std::size_t n = 0; comet_isa_instruction(n, &found, nullptr) == COMET_OK; ++n)
    if (name == found.name) return found.opcode;
  BOOST_FAIL("no instruction " + name);
  return 0;
}

struct definition {
  std::string name, operands;
  std::vector<part> parts;
  fields ranges = {0};
  std::uint64_t opcode = 1024;
  std::string meaning = "what the test says";
  bytes raw_body = {};

  bytes body() const {
    if (!raw_body.empty()) return raw_body;
    fields numbers = ranges;
    numbers.push_back(parts.size());
    for (const part& each : parts) {
      numbers.push_back(opcode_of(each.name));
      for (const source& from : each.sources) {
        numbers.push_back(from.operand);
        if (from.operand == 0) numbers.push_back(from.constant);
      }
    }
    bytes content;
    for (const std::uint64_t number : numbers) conformance::append_uleb128(content, number, 1);
    return content;
  }
  comet_definition with(const bytes& content) const {
    return {sizeof(comet_definition), name.c_str(), opcode, operands.c_str(), meaning.c_str(), content.data(), content.size(), nullptr};
  }
};

void define(comet_machine* on, const definition& what) {
  const bytes body = what.body();
  const comet_definition given = what.with(body);
  SUPPORT_OK(comet_machine_define(on, &given, error));
}

std::string refusal(const definition& what) {
  machine on;
  const bytes body = what.body();
  const comet_definition given = what.with(body);
  comet_error error = COMET_ERROR_INIT;
  BOOST_CHECK_EQUAL(comet_machine_define(on, &given, &error), COMET_ERROR_ARGUMENT);
  comet_definition none = COMET_DEFINITION_INIT;
  BOOST_CHECK_EQUAL(comet_isa_definition(comet_machine_isa(on), 0, &none, nullptr), COMET_ERROR_ARGUMENT);
  return error.message;
}

void check_refused(const definition& what, const std::string& why) {
  const std::string message = refusal(what);
  BOOST_CHECK_MESSAGE(message.find(why) != std::string::npos, "expected \"" + why + "\" in: " + message);
}

bytes encoded(const fields& numbers) {
  bytes content;
  for (const std::uint64_t number : numbers) conformance::append_uleb128(content, number, 1);
  return content;
}

// Code with instructions of the user's in it.
struct assembly {
  bytes content;
  assembly& own(const fields& numbers) {
    const bytes more = encoded(numbers);
    content.insert(content.end(), more.begin(), more.end());
    return *this;
  }
  assembly& add(const std::string& name, const fields& operands = {}) {
    code one(here());
    one.add(name, operands);
    content.insert(content.end(), one.content().begin(), one.content().end());
    return *this;
  }
  std::uint64_t here() const { return code_address + content.size(); }
};

void load(machine& on, const assembly& what, int protection = read_execute) {
  on.map(code_address, COMET_PAGE_SIZE, protection);
  on.map(data_address, COMET_PAGE_SIZE, read_write);
  on.write(code_address, what.content);
  on.restart(code_address);
}

std::string disassembled(const comet_isa* isa, const bytes& content) {
  char text[200];
  comet_disassemble(isa, content.data(), content.size(), code_address, text, sizeof text);
  return text;
}

const definition element = {"element", "dss", {{"shli", {a, c, k(3)}}, {"add", {a, b, a}}, {"ldu64", {a, a, k(0)}}}};
const definition push_two = {"push-two", "xss", {{"addi", {a, a, k(31)}}, {"st64", {a, b, k(0)}}, {"st64", {a, c, k(16)}}}};

// What stays the same whether a run goes fast, or one instruction at a time.
void check_both_ways(const std::vector<definition>& own, const assembly& what, std::uint64_t fuel) {
  machine fast, slow;
  for (machine* each : {&fast, &slow}) {
    for (const definition& one : own) define(*each, one);
    load(*each, what);
  }
  const comet_stop at_once = fast.run(fuel);
  comet_stop last = COMET_STOP_INIT;
  for (std::uint64_t n = 0; n < fuel; ++n) {
    last = slow.run(1);
    if (last.reason != COMET_OUT_OF_FUEL) break;
  }
  BOOST_CHECK_EQUAL(at_once.reason, last.reason);
  BOOST_CHECK_EQUAL(at_once.trap, last.trap);
  BOOST_CHECK_EQUAL(std::string(at_once.message), last.message);
  BOOST_CHECK_EQUAL(at_once.pc, last.pc);
  BOOST_CHECK_EQUAL(at_once.instruction_count, last.instruction_count);
  BOOST_CHECK(fast.state_hash() == slow.state_hash());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(definitions)

BOOST_AUTO_TEST_CASE(a_definition_is_one_instruction) {
  machine on;
  define(on, element);
  assembly program;
  program.own({1024, 5, 6, 7}).add("halt");
  load(on, program);
  on.write(data_address + 8 * 4, {42});
  on.set(6, data_address);
  on.set(7, 4);
  const comet_stop one = on.run(1);
  BOOST_CHECK_EQUAL(one.reason, COMET_OUT_OF_FUEL);
  BOOST_CHECK_EQUAL(one.executed, 1u);
  BOOST_CHECK_EQUAL(one.pc, code_address + 5);
  BOOST_CHECK_EQUAL(on.get(5), 42u);
  BOOST_CHECK_EQUAL(disassembled(comet_machine_isa(on), program.content), "element r5, r6, r7");
  BOOST_CHECK_EQUAL(disassembled(nullptr, program.content), ".byte 0x80");
  comet_decoded decoded = COMET_DECODED_INIT;
  SUPPORT_OK(comet_decode(comet_machine_isa(on), program.content.data(), program.content.size(), &decoded, error));
  BOOST_CHECK_EQUAL(std::string(decoded.name), "element");
  BOOST_CHECK_EQUAL(std::string(decoded.operands), "dss");
  BOOST_CHECK_EQUAL(decoded.length, 5u);
  comet_definition found = COMET_DEFINITION_INIT;
  SUPPORT_OK(comet_isa_definition(comet_machine_isa(on), 0, &found, error));
  BOOST_CHECK_EQUAL(std::string(found.parts), "shli a, c, 3; add a, b, a; ldu64 a, a, 0");
  BOOST_CHECK_EQUAL(std::string(found.meaning), "what the test says");
}

BOOST_AUTO_TEST_CASE(a_loop_of_definitions_runs_the_same_in_both_loops) {
  // A sum over a table, with a branch of the user's own at the end.
  const definition count_down = {"count-down", "xp", {{"addi", {a, a, k(1)}}, {"bnei", {a, k(0), b}}}, {0}, 1025};
  assembly program;
  program.add("imm", {6, data_address}).add("imm", {7, 1000});
  const std::uint64_t loop = program.here();
  program.own({1024, 5, 6, 7}).add("add", {8, 8, 5});
  const std::uint64_t back = program.here();
  program.own({1025, 7, (back - loop) * 2 - 1}).add("halt");
  check_both_ways({element, count_down}, program, 100000);
  for (std::uint64_t fuel = 120; fuel < 160; ++fuel) check_both_ways({element, count_down}, program, fuel);

  machine on;
  define(on, element);
  define(on, count_down);
  load(on, program);
  for (std::uint64_t n = 1; n <= 1000; ++n) on.write(data_address + 8 * n, {static_cast<std::uint8_t>(n)});
  const comet_stop stop = on.run();
  BOOST_CHECK_EQUAL(stop.reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(stop.executed, 2u + 3 * 1000 + 1);
  std::uint64_t sum = 0;
  for (std::uint64_t n = 1; n <= 1000; ++n) sum += n & 255;
  BOOST_CHECK_EQUAL(on.get(8), sum);
}

BOOST_AUTO_TEST_CASE(a_trap_within_leaves_everything_as_it_was) {
  // The loop is warm when the load goes beyond the page.
  assembly program;
  program.add("imm", {6, data_address}).add("imm", {7, 8000});
  const std::uint64_t loop = program.here();
  program.own({1024, 5, 6, 7}).add("addi", {7, 7, 1}).add("jump", {loop});
  check_both_ways({element}, program, 100000);
  machine on;
  define(on, element);
  load(on, program);
  const comet_stop stop = on.run();
  BOOST_CHECK_EQUAL(stop.reason, COMET_TRAP);
  BOOST_CHECK_EQUAL(stop.trap, COMET_TRAP_READ);
  BOOST_CHECK_EQUAL(stop.pc, loop);
  BOOST_CHECK_EQUAL(stop.address, data_address + COMET_PAGE_SIZE);
  BOOST_CHECK_EQUAL(stop.executed, 2u + 3 * 192);
  BOOST_CHECK_EQUAL(on.get(5), 0u);
  BOOST_CHECK_EQUAL(std::string(stop.message).find("part 3 of element (ldu64): 0x30000 may not be read"), 0u);
}

BOOST_AUTO_TEST_CASE(stores_and_thread_registers_are_undone) {
  machine on;
  const definition mixed = {"mixed", "ss", {{"tset", {k(3), b}}, {"st64", {a, b, k(0)}}, {"st64", {a, b, k(16)}}}};
  define(on, mixed);
  define(on, {"swap", "xxs", {{"aswap64", {a, c, b}}, {"acas64", {b, c, a}}, {"div_u", {a, a, k(0)}}}, {0}, 1025});
  assembly program;
  program.own({1024, 1, 2}).own({1025, 4, 5, 6});
  load(on, program);
  on.set(1, data_address + COMET_PAGE_SIZE - 8);
  on.set(2, 77);
  comet_stop stop = on.run();
  BOOST_CHECK_EQUAL(stop.trap, COMET_TRAP_WRITE);
  BOOST_CHECK_EQUAL(stop.executed, 0u);
  BOOST_CHECK_EQUAL(on.read_word(data_address + COMET_PAGE_SIZE - 8), 0u);
  std::uint64_t kept = 1;
  SUPPORT_OK(comet_get_thread_register(on, 0, 3, &kept, error));
  BOOST_CHECK_EQUAL(kept, 0u);
  on.set(1, data_address);
  stop = on.run(1);
  BOOST_CHECK_EQUAL(stop.reason, COMET_OUT_OF_FUEL);
  BOOST_CHECK_EQUAL(on.read_word(data_address + 8), 77u);
  // Atomics change a register and memory; both go back.
  on.set(4, 1);
  on.set(5, 2);
  on.set(6, data_address);
  stop = on.run();
  BOOST_CHECK_EQUAL(stop.trap, COMET_TRAP_DIVIDE);
  BOOST_CHECK_EQUAL(on.get(4), 1u);
  BOOST_CHECK_EQUAL(on.get(5), 2u);
  BOOST_CHECK_EQUAL(on.read_word(data_address), 77u);
}

// The last instruction of a handler writes a shorter one over that which trapped, and which is to be passed over.
BOOST_AUTO_TEST_CASE(what_a_handler_ends_with_may_change_what_it_passes_over) {
  const definition store_and_return = {"store-and-return", "ss", {{"st8", {a, b, k(0)}}, {"ret", {}}}};
  const std::uint64_t handler = code_address + 512, nop = opcode_of("nop");
  assembly program;
  program.add("imm", {41, COMET_ON_TRAP}).add("imm", {42, COMET_TRAP_DIVIDE}).add("imm", {43, handler}).add("hcall", {40, 0});
  const std::uint64_t trapped = program.here();
  program.add("div_u", {nop, nop, nop}).add("halt");
  while (program.here() < handler) program.add("nop");
  program.add("imm", {20, trapped}).add("imm", {21, nop}).add("imm", {1, 2}).own({1024, 20, 21});
  machine at_once, slow;
  for (machine* each : {&at_once, &slow}) {
    define(*each, store_and_return);
    each->import("on");
    load(*each, program, all_rights);
  }
  BOOST_CHECK_EQUAL(at_once.run().reason, COMET_HALTED);
  while (slow.run(1).reason == COMET_OUT_OF_FUEL) {
  }
  BOOST_CHECK_EQUAL(at_once.info().instruction_count, 4u + 4 + 3 + 1); // three bytes of what trapped are left
  BOOST_CHECK(at_once.state_hash() == slow.state_hash());
}

BOOST_AUTO_TEST_CASE(calls_and_addresses_are_those_of_the_whole) {
  const definition call_with = {"call-with", "wup", {{"imm", {k(21), b}}, {"call", {a, c}}}};
  const definition where = {"where", "d", {{"pcimm", {a, k(0)}}, {"addi", {a, a, k(2)}}}, {0}, 1025};
  assembly program;
  const std::uint64_t call_at = program.here();
  program.own({1024, 20, 5, 2 * 40}).own({1025, 9}).add("mov", {8, 21}).add("halt");
  while (program.here() < call_at + 40) program.add("nop");
  program.add("addi", {1, 1, 100}).add("ret");
  check_both_ways({call_with, where}, program, 1000);
  machine on;
  define(on, call_with);
  define(on, where);
  load(on, program);
  BOOST_CHECK_EQUAL(on.run().reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(on.get(8), 105u);
  BOOST_CHECK_EQUAL(on.get(9), call_at + 5 + 1);
}

BOOST_AUTO_TEST_CASE(a_host_call_stands_alone_and_may_be_the_embedders) {
  machine on;
  define(on, {"ask", "wh", {{"hcall", {a, b}}}});
  SUPPORT_OK(comet_host_grant(on, "ask", nullptr, nullptr, error));
  const std::uint32_t index = on.import("ask");
  assembly program;
  program.own({1024, 10, index}).add("halt");
  load(on, program);
  BOOST_CHECK_EQUAL(on.run().reason, COMET_HOST_CALL);
  machine moved;
  SUPPORT_OK(comet_host_grant(moved, "ask", nullptr, nullptr, error));
  SUPPORT_OK(comet_state_restore(moved, state(saved(on)), error));
  for (machine* each : {&on, &moved}) {
    SUPPORT_OK(comet_host_complete(*each, 0, 7, error));
    BOOST_CHECK_EQUAL(each->run().reason, COMET_HALTED);
    BOOST_CHECK_EQUAL(each->get(11), 7u);
  }
}

BOOST_AUTO_TEST_CASE(what_a_definition_writes_is_told) {
  machine on;
  define(on, element);
  load(on, assembly().own({1024, 5, 6, 8}).add("halt"));
  observing one({{COMET_EVENT_REGISTER, 5, 5}});
  on.set(5, 9);
  on.set(6, data_address);
  on.write(data_address, {7});
  BOOST_CHECK_EQUAL(one.run(on).reason, COMET_HALTED);
  BOOST_REQUIRE_GE(one.value.event_count, 1u);
  BOOST_CHECK_EQUAL(one.events[one.value.event_count - 1].after, 7u);
}

BOOST_AUTO_TEST_CASE(calls_go_on_beside_definitions) {
  assembly program;
  program.add("imm", {1, 5});
  const std::uint64_t loop = program.here(), function = code_address + 64, end = function + 16;
  program.add("imm", {16, data_address}).own({1024, 5, 16, 8}).add("call", {10, function}).add("addi", {1, 1, UINT64_MAX});
  program.add("bnei", {1, 0, loop}).add("halt");
  while (program.here() < function) program.add("nop");
  program.add("beqi", {1, 0, end}).add("addi", {1, 1, 5});
  while (program.here() < end) program.add("nop");
  program.add("ret");
  check_both_ways({element}, program, 2000);
}

// More registers than there is room for in one slot come back when the last part traps.
BOOST_AUTO_TEST_CASE(a_definition_that_writes_many_registers_is_undone) {
  const definition five = {"five", "s", {{"imm", {k(11), k(1)}}, {"imm", {k(12), k(1)}}, {"imm", {k(13), k(1)}}, {"imm", {k(14), k(1)}},
                                         {"imm", {k(15), k(1)}}, {"ldu64", {k(16), a, k(0)}}}};
  assembly program;
  program.add("imm", {6, data_address}).own({1024, 6}).own({1024, 7}).add("halt");
  check_both_ways({five}, program, 2000);
}

// What the fast loop leaves to the other one may lie before an instruction of the user's that it has done.
BOOST_AUTO_TEST_CASE(a_loop_may_leave_before_a_definition_that_it_has_done) {
  assembly program;
  program.add("imm", {6, data_address}).add("imm", {7, 5});
  const std::uint64_t loop = program.here();
  program.add("bfill", {6, 7, 7}).own({1024, 5, 6, 8}).add("addi", {7, 7, UINT64_MAX}).add("bnei", {7, 0, loop}).add("halt");
  check_both_ways({element}, program, 10000);
}

BOOST_AUTO_TEST_CASE(operands_that_break_a_constraint_are_no_instruction) {
  machine on;
  define(on, {"limited", "dui", {{"imm", {a, b}}, {"addi", {a, a, c}}}, {2, 2, 3, 5, 3, 1, 4}});
  define(on, {element.name, element.operands, element.parts, {0}, 1025});
  define(on, {"down", "dn", {{"simm", {a, b}}}, {1, 2, 5, 0}, 1026});
  define(on, {"scratch", "ds", {{"imm", {k(9), k(1)}}, {"add", {a, b, k(9)}}}, {0}, 1027});
  define(on, {"between", "d", {{"imm", {a, k(1)}}, {"add", {a, k(8), k(9)}}}, {0}, 1028});
  const auto text = [&](const fields& numbers) { return disassembled(comet_machine_isa(on), encoded(numbers)); };
  const auto why = [&](const fields& numbers) -> std::string {
    const bytes content = encoded(numbers);
    comet_decoded decoded = COMET_DECODED_INIT;
    comet_error error = COMET_ERROR_INIT;
    BOOST_CHECK_EQUAL(comet_decode(comet_machine_isa(on), content.data(), content.size(), &decoded, &error), COMET_ERROR_FORMAT);
    return error.message;
  };
  BOOST_CHECK_EQUAL(text({1024, 1, 3, 4}), "limited r1, 3, 2");
  BOOST_CHECK_EQUAL(text({1024, 1, 5, 1}), "limited r1, 5, -1");
  BOOST_CHECK_EQUAL(text({1024, 1, 6, 1}), ".byte 0x80");
  BOOST_CHECK_EQUAL(why({1024, 1, 6, 1}), "limited: operand b must be 3 to 5");
  BOOST_CHECK_EQUAL(why({1024, 1, 2, 1}), "limited: operand b must be 3 to 5");
  BOOST_CHECK_EQUAL(why({1024, 1, 3, 3}), "limited: operand c must be -1 to 2");
  BOOST_CHECK_EQUAL(why({1024, 1, 3, 6}), "limited: operand c must be -1 to 2");
  BOOST_CHECK_EQUAL(why({1024, 0, 3, 1}), "limited: operand a must not be r0, which its parts use meanwhile");
  BOOST_CHECK_EQUAL(why({1025, 5, 5, 6}), "element: operands a and b must be different registers, for one is read behind a write to the other");
  BOOST_CHECK_EQUAL(text({1025, 5, 6, 5}), "element r5, r6, r5");
  BOOST_CHECK_EQUAL(text({1026, 5, 3}), "down r5, 3");
  BOOST_CHECK_EQUAL(why({1026, 5, 4}), "down: operand b must be 0 to 3");
  BOOST_CHECK_EQUAL(why({1027, 5, 9}), "scratch: operand b must not be r9, which its parts use meanwhile");
  BOOST_CHECK_EQUAL(text({1027, 9, 5}), "scratch r9, r5");
  BOOST_CHECK_EQUAL(text({1028, 7}), "between r7");
  BOOST_CHECK_EQUAL(why({1028, 8}), "between: operand a must not be r8, which its parts use meanwhile");
  BOOST_CHECK_EQUAL(why({1028, 9}), "between: operand a must not be r9, which its parts use meanwhile");

  assembly program;
  program.own({1025, 5, 5, 6});
  load(on, program);
  const comet_stop stop = on.run();
  BOOST_CHECK_EQUAL(stop.trap, COMET_TRAP_ILLEGAL);
  BOOST_CHECK_EQUAL(std::string(stop.message).find("element: operands a and b"), 0u);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_all_or_nothing_is_refused) {
  const std::vector<part> nothing = {{"nop", {}}};
  for (const char* name : {"", "r1", "t0", "r12345", "1st", ".word", "a b", "a:", "\xc3\xa4"})
    check_refused({name, "", nothing}, "this cannot be the name of an instruction");
  check_refused({std::string(64, 'a'), "", nothing}, "this cannot be the name of an instruction");
  machine on;
  define(on, {std::string(63, 'a'), "", nothing});
  check_refused({"add", "", nothing}, "the table has an instruction of this name, opcode 51");
  check_refused({"own", "", nothing, {0}, 1023}, "opcode 1023 is not for users to define; theirs begin at 1024");
  check_refused({"own", "", nothing, {0}, 300}, "opcode 300 is not for users to define");
  check_refused({"mul", "dsi", {{"muli", {a, b, c}}}, {0}, 53}, "opcode 53 is that of `mul`, which keeps its name and the kinds of its operands, dss");
  check_refused({"own", "dsss", nothing}, "it has up to 3 operands");
  check_refused({"own", "dz", nothing}, "of the kinds d s x w u n i o p c t h f g");
  check_refused({"own", "", {}}, "it has 0 parts, and may have 1 to 16");
  check_refused({"own", "", std::vector<part>(17, nothing[0])}, "it has 17 parts, and may have 1 to 16");
  define(on, {"most", "", std::vector<part>(16, nothing[0]), {0}, 1030});
  define(on, {"Up_to", "", nothing, {0}, 1031});
  define(on, {"x1", "", nothing, {0}, 1032});
  define(on, {"slot", "dt", {{"tget", {a, b}}}, {1, 2, 0, 3}, 1033});
  define(on, {"ask", "wh", {{"hcall", {a, b}}}, {1, 1, 0, 100}, 1034});
  define(on, {"look", "s", {{"ldu8", {k(0), a, k(0)}}}, {0}, 1035});
  define(on, {"one", "d", {{"fimm32", {a, k(0x803f)}}}, {0}, 1036});
  assembly program;
  program.own({1036, 5}).own({1033, 6, 3}).own({1031}).own({1032}).add("halt");
  load(on, program);
  BOOST_CHECK_EQUAL(on.run().reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(on.get(5), 0x3f800000u);
  check_refused({"own", "s", nothing}, "no part uses operand a");
  check_refused({"own", "d", {{"st8", {k(1), a, k(0)}}}}, "operand a is of kind d, written, but st8 reads it first");
  check_refused({"own", "x", {{"st8", {k(1), a, k(0)}}}}, "operand a is of kind x, written, but no part writes it");
  check_refused({"own", "s", {{"imm", {a, k(0)}}}}, "operand a is of kind s, read, but imm writes it");
  check_refused({"own", "u", {{"mov", {k(1), a}}}}, "part 1 (mov) needs an operand of kind s, and a is of kind u");
  check_refused({"own", "", {{"mov", {b, k(1)}}}}, "part 1 (mov) takes an operand number 2, and there are 0");
  check_refused({"own", "", {{"jump", {k(0)}}}}, "part 1 (jump) has a constant for an address or a host call");
  check_refused({"own", "", {{"hcall", {k(1), k(0)}}}}, "part 1 (hcall) has a constant for an address or a host call");
  check_refused({"own", "", {{"tget", {k(1), k(16)}}}}, "part 1 (tget) has a constant that is too large");
  check_refused({"own", "", {{"fimm32", {k(1), k(std::uint64_t{1} << 32)}}}}, "part 1 (fimm32) has a constant that is too large");
  check_refused({"own", "p", {{"jump", {a}}, {"nop", {}}}}, "part 1 (jump) must be the last");
  check_refused({"own", "p", {{"beq", {k(1), k(2), a}}, {"nop", {}}}}, "part 1 (beq) must be the last");
  check_refused({"own", "", {{"bfill", {k(1), k(2), k(3)}}, {"nop", {}}}}, "part 1 (bfill) must be the last");
  check_refused({"own", "h", {{"nop", {}}, {"hcall", {k(1), a}}}}, "hcall must stand alone");
  check_refused({"own", "s", nothing, {2, 1, 0, 1, 1, 0, 1}}, "it has 2 ranges for 1 operands");
  check_refused({"own", "s", nothing, {1, 2, 0, 1}}, "range 1 is that of no operand");
  check_refused({"own", "s", nothing, {1, 0, 0, 1}}, "range 1 is that of no operand");
  check_refused({"own", "p", nothing, {1, 1, 0, 1}}, "operand a has a range, but only registers and numbers can have one");
  check_refused({"own", "i", nothing, {1, 1, 2, 1}}, "the range of operand a is empty");
  check_refused({"own", "", {}, {0}, 1024, "x", {0, 1, 0x80}}, "its body ends, or is no ULEB128, at byte 2, where a part's opcode is expected");
  check_refused({"own", "", {}, {0}, 1024, "x", {0, 1, 1, 9}}, "its body goes on behind the last part, at byte 3");
  check_refused({"own", "", {}, {0}, 1024, "x", {0, 1, 0x80, 8}}, "part 1 has opcode 1024, which is none of the table");
  check_refused({"own", "", nothing, {0}, 1024, ""}, "the meaning \"\" of an instruction is not UTF-8");
  check_refused({"own", "", nothing, {0}, 1024, "a\nb"}, "is not UTF-8 without control characters");
}

BOOST_AUTO_TEST_CASE(names_and_opcodes_are_taken_once) {
  machine on;
  define(on, element);
  const auto fails = [&](const definition& what, const std::string& why) {
    const bytes body = what.body();
    const comet_definition given = what.with(body);
    comet_error error = COMET_ERROR_INIT;
    BOOST_CHECK_EQUAL(comet_machine_define(on, &given, &error), COMET_ERROR_ARGUMENT);
    BOOST_CHECK_MESSAGE(std::string(error.message).find(why) != std::string::npos, error.message);
  };
  fails({"element", "d", {{"imm", {a, k(1)}}}, {0}, 1025}, "the instruction `element` is defined already, with opcode 1024");
  fails({"other", "d", {{"imm", {a, k(1)}}}}, "opcode 1024 is that of `element`, whose operands are of the kinds `dss`; take another opcode for `other`");
  for (std::uint64_t n = 1; n < 4096; ++n) define(on, {"own" + std::to_string(n), "", {{"nop", {}}}, {0}, 1024 + n});
  fails({"last", "", {{"nop", {}}}, {0}, 1}, "opcode 1 is that of `nop`");
  fails({"last", "", {{"nop", {}}}, {0}, UINT64_MAX}, "there are 4096 definitions already");
}

BOOST_AUTO_TEST_CASE(a_definition_can_be_replaced_while_code_is_decoded) {
  machine on;
  const definition plain = {"next", "x", {{"addi", {a, a, k(2)}}}};
  define(on, plain);
  assembly program;
  program.own({1024, 5}).add("jump", {code_address});
  load(on, program);
  on.run(1000);
  BOOST_CHECK_EQUAL(on.get(5), 500u);
  define(on, {"next", "x", {{"addi", {a, a, k(4)}}}});
  on.run(1000);
  BOOST_CHECK_EQUAL(on.get(5), 1500u);
}

BOOST_AUTO_TEST_CASE(an_instruction_of_the_table_can_mean_another_thing_on_one_machine) {
  machine on, other;
  define(on, {"mul", "dss", {{"mul", {a, b, c}}, {"addi", {k(50), k(50), k(2)}}}, {0}, 53});
  assembly program;
  program.add("mul", {5, 6, 7}).add("halt");
  for (machine* each : {&on, &other}) {
    load(*each, program);
    each->set(6, 6);
    each->set(7, 7);
    BOOST_CHECK_EQUAL(each->run().executed, 2u);
    BOOST_CHECK_EQUAL(each->get(5), 42u);
  }
  BOOST_CHECK_EQUAL(on.get(50), 1u);
  BOOST_CHECK_EQUAL(other.get(50), 0u);
  BOOST_CHECK_EQUAL(disassembled(comet_machine_isa(on), program.content), "mul r5, r6, r7");
}

BOOST_AUTO_TEST_CASE(definitions_are_part_of_the_state) {
  machine on;
  assembly program;
  program.own({1024, 5, 6, 7}).add("halt");
  load(on, program);
  on.set(6, data_address);
  const hash before = on.state_hash();
  snapshot without(on);
  define(on, element);
  BOOST_CHECK(on.state_hash() != before);
  BOOST_CHECK_EQUAL(on.run().reason, COMET_HALTED);
  snapshot with(on);
  without.restore();
  BOOST_CHECK(on.state_hash() == before);
  BOOST_CHECK_EQUAL(on.run().trap, COMET_TRAP_ILLEGAL);
  with.restore();
  on.restart(code_address);
  on.set(6, data_address);
  BOOST_CHECK_EQUAL(on.run().reason, COMET_HALTED);
  SUPPORT_OK(comet_machine_reset(on, error));
  load(on, program);
  BOOST_CHECK_EQUAL(on.run().trap, COMET_TRAP_ILLEGAL);
}

BOOST_AUTO_TEST_CASE(states_in_files_hold_definitions) {
  machine on;
  define(on, {"ask", "wh", {{"hcall", {a, b}}}, {0}, 1025});
  define(on, element);
  define(on, {"mul", "dss", {{"add", {a, b, c}}}, {0}, 53});
  SUPPORT_OK(comet_host_grant(on, "ask", nullptr, nullptr, error));
  assembly program;
  program.own({1024, 5, 6, 7}).own({1025, 10, on.import("ask")}).add("mul", {8, 11, 11}).add("halt");
  load(on, program);
  on.set(6, data_address);
  BOOST_CHECK_EQUAL(on.run().reason, COMET_HOST_CALL);
  bytes file;
  SUPPORT_OK(comet_state_save(on, nullptr, append, &file, nullptr, error));
  const state saved(file);
  machine other;
  SUPPORT_OK(comet_host_grant(other, "ask", nullptr, nullptr, error));
  SUPPORT_OK(comet_state_restore(other, saved, error));
  BOOST_CHECK(other.state_hash() == on.state_hash());
  SUPPORT_OK(comet_host_complete(other, 0, 7, error));
  BOOST_CHECK_EQUAL(other.run().reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(other.get(8), 14u);
  // A file whose instructions are wrong is refused: the name of one is damaged.
  for (std::size_t at = 0; at + 7 < file.size(); ++at)
    if (std::memcmp(file.data() + at, "element", 7) == 0) file[at] = '1';
  comet_state* none = nullptr;
  SUPPORT_FAILS(COMET_ERROR_FORMAT, comet_state_read(file.data(), file.size(), nullptr, &none, error));
}

// Whatever a machine had: what it has behind a state are the state's instructions.
BOOST_AUTO_TEST_CASE(a_state_brings_its_instructions_instead_of_others) {
  const definition two = {"two", "x", {{"addi", {a, a, k(4)}}}};
  definition number = two, name = two, operands = {"two", "d", {{"imm", {a, k(9)}}}}, meaning = two, three = two;
  number.opcode = 1025;
  name.name = "deux";
  meaning.meaning = "another thing";
  three.parts = {{"addi", {a, a, k(6)}}};
  machine on;
  assembly program;
  program.own({1024, 5}).own({1024, 5}).add("halt");
  define(on, two);
  load(on, program);
  on.run(1);
  const state middle(saved(on));
  for (const std::vector<definition>& before : std::vector<std::vector<definition>>{
           {}, {two}, {number}, {name}, {operands}, {meaning}, {three}, {two, {"more", "", {{"nop", {}}}, {0}, 1026}}}) {
    machine other;
    for (const definition& each : before) define(other, each);
    load(other, program);
    other.run(2);
    SUPPORT_OK(comet_state_restore(other, middle, error));
    BOOST_CHECK(other.state_hash() == on.state_hash());
    comet_definition found = COMET_DEFINITION_INIT;
    SUPPORT_OK(comet_isa_definition(comet_machine_isa(other), 0, &found, error));
    BOOST_CHECK_EQUAL(found.name, "two");
    BOOST_CHECK_EQUAL(found.meaning, two.meaning);
    BOOST_CHECK_EQUAL(comet_isa_definition(comet_machine_isa(other), 1, &found, nullptr), COMET_ERROR_ARGUMENT);
    BOOST_CHECK_EQUAL(other.run().reason, COMET_HALTED);
    BOOST_CHECK_EQUAL(other.get(5), 4u);
  }
}

BOOST_AUTO_TEST_CASE(code_that_writes_itself_is_executed_as_it_was_decoded) {
  machine on;
  // The first store writes over this very instruction, the second uses an operand of it.
  define(on, push_two);
  assembly program;
  program.own({1024, 5, 6, 7}).add("halt");
  load(on, program, all_rights);
  on.set(5, code_address + 16);
  on.set(6, 0);
  on.set(7, 9);
  BOOST_CHECK_EQUAL(on.run(1).reason, COMET_OUT_OF_FUEL);
  BOOST_CHECK_EQUAL(on.read_word(code_address), 0u);
  BOOST_CHECK_EQUAL(on.read_word(code_address + 8), 9u);
  BOOST_CHECK_EQUAL(on.run().trap, COMET_TRAP_BRK);
}

BOOST_AUTO_TEST_CASE(watchpoints_and_breakpoints_see_the_whole) {
  machine on;
  define(on, push_two);
  assembly program;
  program.own({1024, 5, 6, 7}).own({1024, 5, 6, 7}).add("halt");
  load(on, program);
  on.set(5, data_address + 64);
  std::uint32_t id = 0;
  SUPPORT_OK(comet_watchpoint_set(on, 0, data_address + 48, 8, COMET_WRITE, &id, error));
  SUPPORT_OK(comet_breakpoint_set(on, 0, code_address + 5, error));
  comet_stop stop = on.run();
  BOOST_CHECK_EQUAL(stop.reason, COMET_WATCHPOINT);
  BOOST_CHECK_EQUAL(stop.pc, code_address + 5);
  BOOST_CHECK_EQUAL(on.get(5), data_address + 48);
  stop = on.run();
  BOOST_CHECK_EQUAL(stop.reason, COMET_HALTED);
}

BOOST_AUTO_TEST_CASE(images_carry_definitions) {
  comet_image* image = nullptr;
  SUPPORT_OK(comet_image_new(&image, error));
  const definition late = {"late", "d", {{"imm", {a, k(5)}}}, {1, 1, 0, 100}, 5000};
  for (const definition* each : {&late, &element}) {
    const bytes body = each->body();
    const comet_definition given = each->with(body);
    SUPPORT_OK(comet_image_add_instruction(image, &given, error));
    SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_image_add_instruction(image, &given, error));
  }
  const definition table = {"mul", "dss", {{"add", {a, b, c}}}, {0}, 53};
  const bytes table_body = table.body();
  const comet_definition of_table = table.with(table_body);
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_image_add_instruction(image, &of_table, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_image_add_instruction(image, nullptr, error));
  const bytes content = encoded({1024, 5, 6, 7, 127});
  SUPPORT_OK(comet_image_add_section(image, ".text", code_address, content.data(), content.size(), content.size(), read_execute, error));
  SUPPORT_OK(comet_image_set_entry(image, code_address, error));
  const std::uint8_t* file = nullptr;
  std::size_t length = 0;
  SUPPORT_OK(comet_image_write(image, &file, &length, error));
  comet_image* again = nullptr;
  SUPPORT_OK(comet_image_read(file, length, &again, error));
  comet_definition found = COMET_DEFINITION_INIT;
  SUPPORT_OK(comet_isa_definition(comet_image_isa(again), 1, &found, error));
  BOOST_CHECK_EQUAL(std::string(found.name), "late");
  BOOST_CHECK_EQUAL(found.opcode, 5000u);
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_isa_definition(comet_image_isa(again), 2, &found, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_isa_definition(nullptr, 0, &found, error));
  BOOST_CHECK(comet_image_isa(nullptr) == nullptr);
  BOOST_CHECK(comet_machine_isa(nullptr) == nullptr);
  machine on;
  on.map(data_address, COMET_PAGE_SIZE, read_write);
  SUPPORT_OK(comet_image_load(again, on, 0, error));
  on.set(6, data_address);
  BOOST_CHECK_EQUAL(on.run().reason, COMET_HALTED);
  // A machine that has it otherwise does not take the image, and stays as it was.
  machine unlike;
  define(unlike, {"element", "d", {{"imm", {a, k(1)}}}});
  const hash before = unlike.state_hash();
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_image_load(again, unlike, 0, error));
  BOOST_CHECK(unlike.state_hash() == before);
  comet_image_free(again);
  comet_image_free(image);
}

BOOST_AUTO_TEST_CASE(a_machine_counts_stops_at_and_forbids_instructions) {
  machine on;
  assembly program;
  program.add("imm", {7, 1000});
  const std::uint64_t loop = program.here();
  program.add("mul", {5, 6, 7}).add("addi", {7, 7, UINT64_MAX}).add("bnei", {7, 0, loop}).add("halt");
  load(on, program);
  const std::uint64_t mul = opcode_of("mul");
  SUPPORT_OK(comet_treat(on, mul, COMET_COUNTED, error));
  BOOST_CHECK_EQUAL(on.run().reason, COMET_HALTED);
  comet_treatment treatment = COMET_ORDINARY;
  std::uint64_t executed = 0;
  SUPPORT_OK(comet_treated(on, mul, &treatment, &executed, error));
  BOOST_CHECK_EQUAL(treatment, COMET_COUNTED);
  BOOST_CHECK_EQUAL(executed, 1000u);

  SUPPORT_OK(comet_treat(on, mul, COMET_STOPPING, error));
  on.restart(code_address);
  for (std::uint64_t n = 0; n < 3; ++n) {
    const comet_stop stop = on.run();
    BOOST_CHECK_EQUAL(stop.reason, COMET_TRACED);
    BOOST_CHECK_EQUAL(stop.pc, loop);
    BOOST_CHECK_EQUAL(stop.instruction_count, 1 + 3 * n);
  }
  BOOST_CHECK_EQUAL(std::string(comet_reason_name(COMET_TRACED)), "traced instruction");

  SUPPORT_OK(comet_treat(on, mul, COMET_FORBIDDEN, error));
  SUPPORT_OK(comet_machine_reset(on, error));
  load(on, program);
  const comet_stop stop = on.run();
  BOOST_CHECK_EQUAL(stop.trap, COMET_TRAP_ILLEGAL);
  BOOST_CHECK_EQUAL(stop.pc, loop);
  BOOST_CHECK(std::strstr(stop.message, "this machine may not execute the instruction mul") != nullptr);
  machine forbidding;
  define(forbidding, element);
  SUPPORT_OK(comet_treat(forbidding, 1024, COMET_FORBIDDEN, error));
  load(forbidding, assembly().own({1024, 5, 6, 8}));
  BOOST_CHECK(std::strstr(forbidding.run().message, "this machine may not execute the instruction element") != nullptr);
  machine stopping; // at instructions, and there is none
  SUPPORT_OK(comet_treat(stopping, mul, COMET_STOPPING, error));
  load(stopping, assembly().own({1000000}));
  BOOST_CHECK_EQUAL(stopping.run().trap, COMET_TRAP_ILLEGAL);
  SUPPORT_OK(comet_treat(on, mul, COMET_ORDINARY, error));
  SUPPORT_OK(comet_treated(on, mul, &treatment, &executed, error));
  BOOST_CHECK_EQUAL(treatment, COMET_ORDINARY);
  BOOST_CHECK_EQUAL(on.run().reason, COMET_HALTED);
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_treat(on, mul, 9, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_treat(nullptr, mul, COMET_COUNTED, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_treated(on, mul, nullptr, &executed, error));
}

BOOST_AUTO_TEST_SUITE_END()
