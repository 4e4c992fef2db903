// comet_observe: what instructions do, told as events.
#include <bit>
#include <cstring>

#include "observing.h"
#include "programs.h"

using namespace support;

namespace {

comet_filter any(unsigned kinds) { return {kinds, 0, UINT64_MAX}; }

void check(const comet_event& event, unsigned kind, std::uint64_t count, std::uint64_t place, std::uint64_t before, std::uint64_t after) {
  BOOST_CHECK_EQUAL(event.kind, kind);
  BOOST_CHECK_EQUAL(event.count, count);
  BOOST_CHECK_EQUAL(event.place, place);
  BOOST_CHECK_EQUAL(event.before, before);
  BOOST_CHECK_EQUAL(event.after, after);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(observing_runs)

BOOST_AUTO_TEST_CASE(of_one_thread_alone_is_told_what_it_does_to_itself) {
  constexpr std::uint64_t other_code = code_address + 256;
  machine vm(code().add("imm", {5, 7}).add("imm", {6, data_address}).add("st8", {6, 5, 0}).add("jump", {code_address}));
  vm.write(other_code, code(other_code).add("imm", {5, 8}).add("imm", {6, data_address}).add("st8", {6, 5, 1}).add("jump", {other_code}).content());
  comet_thread other = 0;
  SUPPORT_OK(comet_thread_new(vm, 0, other_code, &other, error));
  SUPPORT_OK(comet_schedule_set(vm, 3, 0, error));
  for (const comet_thread of : {comet_thread{0}, other, COMET_EVERY_THREAD}) {
    observing both({any(COMET_EVENT_REGISTER | COMET_EVENT_WRITE)}, 1000);
    both.value.of_thread = of;
    both.run(vm, 300, COMET_EVERY_THREAD);
    std::size_t registers[2] = {}, writes[2] = {};
    for (std::size_t n = 0; n < both.value.event_count; ++n)
      ++(both.events[n].kind == COMET_EVENT_WRITE ? writes : registers)[both.events[n].pc >= other_code ? 1 : 0];
    BOOST_CHECK(writes[0] > 0 && writes[1] > 0);
    BOOST_CHECK_EQUAL(registers[0] > 0, of != other);
    BOOST_CHECK_EQUAL(registers[1] > 0, of != 0);
  }
}

BOOST_AUTO_TEST_CASE(registers_are_told_with_the_value_before_and_after) {
  machine vm(code().add("imm", {5, 7}).add("imm", {6, 1}).add("add", {5, 5, 5}).add("imm", {0, 9}).add("tset", {3, 5}).add("halt"));
  observing registers({{COMET_EVENT_REGISTER, 5, 5}, any(COMET_EVENT_THREAD_REGISTER)});
  const comet_stop stop = registers.run(vm);
  BOOST_CHECK_EQUAL(stop.reason, COMET_HALTED);
  BOOST_REQUIRE_EQUAL(registers.value.event_count, 3u);
  check(registers.events[0], COMET_EVENT_REGISTER, 0, 5, 0, 7);
  check(registers.events[1], COMET_EVENT_REGISTER, 2, 5, 7, 14);
  check(registers.events[2], COMET_EVENT_THREAD_REGISTER, 4, 3, 0, 14);
  BOOST_CHECK_EQUAL(registers.events[0].pc, code_address);
  // One that no register has is never written.
  vm.restart(code_address);
  observing nowhere({{COMET_EVENT_REGISTER, std::uint64_t{1} << 40, std::uint64_t{1} << 40}});
  BOOST_CHECK_EQUAL(nowhere.run(vm).reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(nowhere.value.event_count, 0u);
}

// Register 41 is r5 of the tenth window and r1 of the eleventh; between, and behind, the run is as fast as any.
BOOST_AUTO_TEST_CASE(a_register_is_told_of_in_every_window_that_has_it) {
  machine vm(code().add("addi", {1, 1, 1}).add("mov", {5, 1}).add("call", {4, code_address}));
  vm.run(15);
  observing one({{COMET_EVENT_REGISTER, 41, 41}});
  BOOST_CHECK_EQUAL(one.run(vm, 600).executed, 600u);
  BOOST_REQUIRE_EQUAL(one.value.event_count, 2u);
  check(one.events[0], COMET_EVENT_REGISTER, 28, 41, 0, 10);
  check(one.events[1], COMET_EVENT_REGISTER, 30, 41, 10, 11);
}

BOOST_AUTO_TEST_CASE(instructions_of_a_range_are_told) {
  code program;
  program.add("nop");
  const std::uint64_t first = program.here();
  program.add("imm", {1, 1}).add("imm", {2, 1});
  const std::uint64_t last = program.here() - 1;
  program.add("nop").add("halt");
  machine vm(program);
  SUPPORT_OK(comet_set_host_threads(vm, 4, error)); // who is observed takes turns
  observing range({{COMET_EVENT_EXECUTE, first, last}});
  BOOST_CHECK_EQUAL(range.run(vm, plenty, COMET_EVERY_THREAD).reason, COMET_HALTED);
  BOOST_REQUIRE_EQUAL(range.value.event_count, 2u);
  check(range.events[0], COMET_EVENT_EXECUTE, 1, first, 0, 0);
  check(range.events[1], COMET_EVENT_EXECUTE, 2, first + 3, 0, 0);
}

BOOST_AUTO_TEST_CASE(accesses_to_several_ranges_are_told_and_no_others) {
  constexpr std::uint64_t second = data_address + 4 * COMET_PAGE_SIZE;
  machine vm(code().add("st64", {1, 3, 0}).add("st64", {1, 3, 8}).add("st64", {2, 3, 0}).add("st64", {2, 3, 16}).add("halt"));
  vm.map(data_address, 8 * COMET_PAGE_SIZE, read_write);
  vm.set(1, data_address);
  vm.set(2, second);
  observing both({{COMET_EVENT_WRITE, data_address + 8, data_address + 15}, {COMET_EVENT_WRITE, second, second + 7}});
  BOOST_CHECK_EQUAL(both.run(vm).reason, COMET_HALTED);
  BOOST_REQUIRE_EQUAL(both.value.event_count, 2u);
  BOOST_CHECK_EQUAL(both.events[0].place, data_address + 8);
  BOOST_CHECK_EQUAL(both.events[1].place, second);
}

BOOST_AUTO_TEST_CASE(what_is_read_is_told_alone) {
  machine vm(code().add("st64", {1, 3, 0}).add("ldu64", {4, 1, 0}).add("halt"));
  vm.set(1, data_address);
  observing reads({any(COMET_EVENT_READ)});
  BOOST_CHECK_EQUAL(reads.run(vm).reason, COMET_HALTED);
  BOOST_REQUIRE_EQUAL(reads.value.event_count, 1u);
  check(reads.events[0], COMET_EVENT_READ, 1, data_address, 0, 0);
}

BOOST_AUTO_TEST_CASE(a_run_stops_at_the_return_of_a_handler) {
  program p;
  p.on(COMET_ON_TRAP, COMET_TRAP_DIVIDE, 1).add("div_u", {10, 1, 0}).add("imm", {11, 1}).add("halt");
  p.at(1).add("imm", {1, 2}).add("ret");
  machine vm = p.make();
  observing returns({any(COMET_EVENT_RETURN)}, 64, 1);
  BOOST_CHECK_EQUAL(returns.run(vm).reason, COMET_OBSERVED);
  BOOST_CHECK_EQUAL(vm.info().handlers, 0u);
  BOOST_CHECK_EQUAL(vm.get(11), 0u);
  BOOST_CHECK_EQUAL(vm.run().reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(vm.get(11), 1u);
}

// What a host call wrote may be gone when it returns.
BOOST_AUTO_TEST_CASE(a_write_is_told_though_the_page_is_gone) {
  machine vm(code().add("hcall", {10, 0}).add("halt"));
  vm.import("burn");
  SUPPORT_OK(comet_host_grant(vm, "burn", [](comet_call* call, void*) {
    const std::uint8_t one = 1;
    if (const comet_status status = comet_call_write(call, data_address, &one, 1); status != COMET_OK) return status;
    return comet_unmap(comet_call_machine(call), 0, data_address, COMET_PAGE_SIZE, nullptr);
  }, nullptr, error));
  observing writes({any(COMET_EVENT_WRITE)});
  BOOST_CHECK_EQUAL(writes.run(vm).reason, COMET_HALTED);
  BOOST_REQUIRE_EQUAL(writes.value.event_count, 1u);
  check(writes.events[0], COMET_EVENT_WRITE, 0, data_address, 0, 0);
}

BOOST_AUTO_TEST_CASE(of_an_access_the_wanted_bytes_are_told) {
  machine vm(code().add("imm", {1, data_address}).add("simm", {2, 1}).add("st64", {1, 2, 0}).add("ldu16", {3, 1, 6})
                 .add("aadd32", {4, 1, 2}).add("imm", {5, 32}).add("bfill", {1, 0, 5}).add("bcopy", {5, 1, 0}).add("halt"));
  observing memory({{COMET_EVENT_READ | COMET_EVENT_WRITE, data_address + 2, data_address + 6}});
  memory.run(vm);
  BOOST_REQUIRE_EQUAL(memory.value.event_count, 5u);
  check(memory.events[0], COMET_EVENT_WRITE, 2, data_address + 2, 0, 0xffffffffffff);
  BOOST_CHECK_EQUAL(memory.events[0].length, 6u);
  check(memory.events[1], COMET_EVENT_READ, 3, data_address + 6, 0xffff, 0xffff);
  check(memory.events[2], COMET_EVENT_READ, 4, data_address + 2, 0xffff, 0xffff);
  check(memory.events[3], COMET_EVENT_WRITE, 4, data_address + 2, 0xffff, 0xffff);
  check(memory.events[4], COMET_EVENT_WRITE, 6, data_address + 2, 0xffffffffffff, 0);
}

BOOST_AUTO_TEST_CASE(calls_returns_and_jumps_to_functions_are_told) {
  code program;
  program.add("call", {4, code_address + 16}).add("halt");
  machine vm(program);
  vm.load(code(code_address + 16).add("tail", {code_address + 32}), all_rights);
  vm.load(code(code_address + 32).add("ret"), all_rights);
  vm.restart(code_address);
  observing calls({any(COMET_EVENT_CALL | COMET_EVENT_RETURN), {COMET_EVENT_REGISTER, 4, 4}});
  vm.set(4, 99);
  calls.run(vm);
  BOOST_REQUIRE_EQUAL(calls.value.event_count, 4u);
  check(calls.events[0], COMET_EVENT_REGISTER, 0, 4, 99, 0);
  check(calls.events[1], COMET_EVENT_CALL, 0, code_address + 16, 2, 0);
  check(calls.events[2], COMET_EVENT_CALL, 1, code_address + 32, 2, 0);
  check(calls.events[3], COMET_EVENT_RETURN, 2, code_address + 32, 2, 0);
}

BOOST_AUTO_TEST_CASE(returns_of_functions_that_have_nothing_to_do_are_told) {
  constexpr std::uint64_t function = code_address + 32;
  machine vm(code().add("addi", {1, 1, 1}).add("call", {8, function}).add("blti_u", {1, 50, code_address}).add("halt"));
  vm.load(code(function).add("beqi", {0, 0, function + 4}).add("ret"), all_rights);
  vm.restart(code_address);
  for (const unsigned kinds : {unsigned{COMET_EVENT_RETURN}, unsigned{COMET_EVENT_CALL}, unsigned{COMET_EVENT_CALL | COMET_EVENT_RETURN}}) {
    observing wanted({any(kinds)});
    BOOST_TEST(wanted.run(vm).reason == COMET_HALTED);
    BOOST_TEST(wanted.value.seen == 50u * static_cast<unsigned>(std::popcount(kinds)));
    vm.set(1, 0);
    vm.restart(code_address);
  }
}

BOOST_AUTO_TEST_CASE(a_run_stops_at_so_many_events_and_the_last_are_kept) {
  machine vm(code().add("addi", {1, 1, 1}).add("jump", {code_address}));
  observing three({any(COMET_EVENT_REGISTER)}, 3, 3);
  const comet_stop stop = three.run(vm);
  BOOST_CHECK_EQUAL(stop.reason, COMET_OBSERVED);
  BOOST_CHECK_EQUAL(stop.instruction_count, 5u);
  BOOST_CHECK_EQUAL(comet_reason_name(stop.reason), std::string("observed"));
  observing last({any(COMET_EVENT_REGISTER)}, 2);
  BOOST_CHECK_EQUAL(last.run(vm, 9).reason, COMET_OUT_OF_FUEL);
  BOOST_REQUIRE_EQUAL(last.value.event_count, 2u);
  BOOST_CHECK_EQUAL(last.value.seen, 4u);
  check(last.events[0], COMET_EVENT_REGISTER, 10, 1, 5, 6);
  check(last.events[1], COMET_EVENT_REGISTER, 12, 1, 6, 7);
}

BOOST_AUTO_TEST_CASE(executions_are_counted_and_the_state_is_that_of_a_plain_run) {
  const code program = code().add("addi", {1, 1, 1}).add("blti_u", {1, 5, code_address}).add("trap", {1});
  machine plain(program), watched(program);
  std::vector<std::uint64_t> counts(16);
  observing nothing({any(COMET_EVENT_EXECUTE)}, 0);
  nothing.value.counts = counts.data();
  nothing.value.counts_first = code_address;
  nothing.value.counts_length = counts.size();
  BOOST_CHECK_EQUAL(plain.run().reason, COMET_TRAP);
  BOOST_CHECK_EQUAL(nothing.run(watched).reason, COMET_TRAP);
  BOOST_CHECK(plain.state_hash() == watched.state_hash());
  BOOST_CHECK_EQUAL(counts[0], 5u);
  BOOST_CHECK_EQUAL(counts[4], 5u);
  BOOST_CHECK_EQUAL(counts[8], 0u); // what traps is not executed
  BOOST_CHECK_EQUAL(nothing.value.seen, 10u);
}

BOOST_AUTO_TEST_CASE(breakpoints_and_watchpoints_stop_it_too) {
  code program;
  const std::uint64_t nop = program.add("imm", {1, data_address}).add("st8", {1, 1, 0}).add("nop").here();
  machine vm(program.add("halt"));
  std::uint32_t id = 0;
  SUPPORT_OK(comet_watchpoint_set(vm, 0, data_address, 1, COMET_WRITE, &id, error));
  SUPPORT_OK(comet_breakpoint_set(vm, 0, nop, error));
  observing none({});
  BOOST_CHECK_EQUAL(none.run(vm).reason, COMET_WATCHPOINT);
  BOOST_CHECK_EQUAL(none.run(vm).reason, COMET_BREAKPOINT);
}

// The embedder serves a call: what it did is told when the call is run again.
BOOST_AUTO_TEST_CASE(what_a_host_call_did_is_told_from_the_timeline) {
  machine vm(code().add("hcall", {10, 0}).add("halt"));
  vm.import("mine");
  SUPPORT_OK(comet_host_grant(vm, "mine", nullptr, nullptr, error));
  SUPPORT_OK(comet_timeline_start(vm, 1 << 20, error));
  snapshot fresh(vm);
  observing all({any(COMET_EVENT_REGISTER | COMET_EVENT_WRITE | COMET_EVENT_HOST_CALL)});
  BOOST_REQUIRE_EQUAL(all.run(vm).reason, COMET_HOST_CALL);
  BOOST_CHECK_EQUAL(all.value.event_count, 0u);
  vm.write(data_address, {1, 2});
  vm.set(3, 33);
  SUPPORT_OK(comet_host_complete(vm, 0, 5, error));
  fresh.restore();
  BOOST_CHECK_EQUAL(all.run(vm).reason, COMET_HALTED);
  BOOST_REQUIRE_EQUAL(all.value.event_count, 4u);
  check(all.events[0], COMET_EVENT_HOST_CALL, 0, 0, 0, 0);
  check(all.events[1], COMET_EVENT_WRITE, 0, data_address, 0, 0x201);
  check(all.events[2], COMET_EVENT_REGISTER, 0, 3, 0, 33);
  check(all.events[3], COMET_EVENT_REGISTER, 0, 11, 0, 5);
}

BOOST_AUTO_TEST_CASE(a_watchpoint_stops_behind_a_call_that_the_embedder_serves_then_and_from_the_timeline) {
  machine vm(code().add("hcall", {10, 0}).add("nop").add("halt"));
  vm.import("mine");
  SUPPORT_OK(comet_host_grant(vm, "mine", nullptr, nullptr, error));
  SUPPORT_OK(comet_timeline_start(vm, 1 << 20, error));
  std::uint32_t id = 0;
  SUPPORT_OK(comet_watchpoint_set(vm, 0, data_address + 1, 1, COMET_WRITE, &id, error));
  snapshot fresh(vm);
  BOOST_REQUIRE_EQUAL(vm.run().reason, COMET_HOST_CALL);
  vm.write(data_address, {1, 2});
  SUPPORT_OK(comet_host_complete(vm, 0, 5, error));
  for (int way = 0; way < 2; ++way) {
    const comet_stop stop = vm.run();
    BOOST_CHECK_EQUAL(stop.reason, COMET_WATCHPOINT);
    BOOST_CHECK_EQUAL(stop.watchpoint, id);
    BOOST_CHECK_EQUAL(stop.address, data_address + 1);
    BOOST_CHECK_EQUAL(stop.instruction_count, 1u);
    BOOST_CHECK_EQUAL(vm.run().reason, COMET_HALTED);
    fresh.restore();
  }
}

BOOST_AUTO_TEST_CASE(more_events_of_one_instruction_than_there_is_room_for_are_only_counted) {
  machine vm(code().add("hcall", {10, 0}).add("halt"));
  vm.import("many");
  SUPPORT_OK(comet_host_grant(vm, "many", [](comet_call* call, void*) {
    for (int i = 0; i < 70; ++i)
      if (const comet_status status = comet_call_write(call, data_address, "x", 1); status != COMET_OK) return status;
    return COMET_OK;
  }, nullptr, error));
  observing writes({any(COMET_EVENT_WRITE)});
  BOOST_CHECK_EQUAL(writes.run(vm).reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(writes.value.event_count, 50u);
  BOOST_CHECK_EQUAL(writes.value.seen, 70u);
}

BOOST_AUTO_TEST_CASE(what_is_no_observation_is_refused) {
  machine vm(code().add("halt"));
  comet_stop stop = COMET_STOP_INIT;
  comet_error error = COMET_ERROR_INIT;
  const auto refused = [&](comet_observation& observation) {
    return comet_observe(vm, 0, 1, &observation, &stop, &error) == COMET_ERROR_ARGUMENT;
  };
  BOOST_CHECK_EQUAL(comet_observe(vm, 0, 1, nullptr, &stop, &error), COMET_ERROR_ARGUMENT);
  comet_observation observation = COMET_OBSERVATION_INIT;
  observation.size = 8;
  BOOST_CHECK(refused(observation));
  observation = COMET_OBSERVATION_INIT;
  observation.filter_count = 1;
  BOOST_CHECK(refused(observation));
  comet_filter backwards{COMET_EVENT_READ, 2, 1};
  observation.filters = &backwards;
  BOOST_CHECK(refused(observation));
  observation = COMET_OBSERVATION_INIT;
  observation.capacity = 1;
  BOOST_CHECK(refused(observation));
  observation = COMET_OBSERVATION_INIT;
  observation.counts_length = 1;
  BOOST_CHECK(refused(observation));
}

BOOST_AUTO_TEST_SUITE_END()
