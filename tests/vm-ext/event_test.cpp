// Handlers that a program has for traps and for what comes from outside: called between two instructions, through the
// log, and without a trace in what they interrupt.
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <ctime>
#include <random>

#include "programs.h"
#include "state_files.h"

using namespace support;

namespace {

void grant(machine& vm, const char* group) { SUPPORT_OK(comet_host_grant_standard(vm, group, error)); }

// Divides by zero with its registers 1 to 9 full; the handler at 1 has the code that `handle` adds.
template <class Handle>
program dividing(Handle&& handle) {
  program p;
  p.on(COMET_ON_TRAP, COMET_TRAP_DIVIDE, 1, 55);
  for (std::uint64_t n = 1; n <= 9; ++n) p.add("imm", {n, 100 + n});
  p.add("div_u", {10, 1, 0}).add("imm", {11, 1}).add("halt");
  p.at(1);
  handle(p);
  return p;
}

// Counts what is posted under 7, with its values, until they come to 1000; meanwhile it counts in r1.
program counting() {
  program p;
  p.on(COMET_ON_POSTED, 7, 1, 3);
  p.add("imm", {2, data_address});
  const std::uint64_t loop = p.here();
  p.add("addi", {1, 1, 1}).add("ldu64", {3, 2, 0}).add("blti_u", {3, 1000, loop}).add("halt");
  p.at(1);
  p.add("imm", {5, data_address}).add("ldu64", {6, 5, 0}).add("add", {6, 6, 3}).add("st64", {5, 6, 0});
  p.add("ldu64", {6, 5, 8}).add("muli", {6, 6, 31}).add("add", {6, 6, 2}).add("add", {6, 6, 1}).add("st64", {5, 6, 8}).add("ret");
  return p;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(events)

BOOST_AUTO_TEST_CASE(a_handler_of_traps_may_pass_over_the_instruction) {
  program p = dividing([](program& code) {
    code.add("imm", {20, data_address});
    for (std::uint64_t n = 1; n <= 5; ++n) code.add("st64", {20, n, 8 * n});
    for (std::uint64_t n = 1; n <= 30; ++n) code.add("imm", {n, 7777});
    code.add("imm", {1, 2}).add("ret");
  });
  machine vm = p.make();
  BOOST_CHECK_EQUAL(vm.run().reason, COMET_HALTED);
  for (std::uint64_t n = 1; n <= 9; ++n) BOOST_CHECK_EQUAL(vm.get(n), 100 + n);
  BOOST_CHECK_EQUAL(vm.get(10), 0u);
  BOOST_CHECK_EQUAL(vm.get(11), 1u);
  BOOST_CHECK_EQUAL(vm.info().registers, 45u);  // nothing of the handler's is left
  BOOST_CHECK_EQUAL(vm.read_word(data_address + 8), unsigned{COMET_ON_TRAP});
  BOOST_CHECK_EQUAL(vm.read_word(data_address + 16), unsigned{COMET_TRAP_DIVIDE});
  BOOST_CHECK_EQUAL(vm.read_word(data_address + 32), 55u);
  BOOST_CHECK_EQUAL(vm.get(12), 0u);
}

BOOST_AUTO_TEST_CASE(a_handler_may_go_elsewhere) {
  machine vm = dividing([](program& code) { code.add("imm", {1, 3}).add("imm", {2, function_address(2)}).add("ret").at(2).add("imm", {12, 4}).add("halt"); }).make();
  BOOST_CHECK_EQUAL(vm.run().reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(vm.get(12), 4u);
  BOOST_CHECK_EQUAL(vm.get(11), 0u);
}

BOOST_AUTO_TEST_CASE(a_trap_that_no_handler_wants_stops_where_it_happened) {
  program p = dividing([](program& code) { code.add("imm", {1, 0}).add("ret"); });
  machine plain = p.make();
  for (int again = 0; again < 2; ++again) {
    const comet_stop stop = run_all(plain);
    BOOST_CHECK_EQUAL(stop.trap, COMET_TRAP_DIVIDE);
    BOOST_CHECK_EQUAL(plain.info().activations, 1u);
    BOOST_CHECK_EQUAL(std::string(stop.message), "the divisor is 0");
  }
  // However the run was cut.
  machine cut = p.make();
  while (run_all(cut, 1).reason != COMET_TRAP) {
  }
  BOOST_CHECK(cut.state_hash() == plain.state_hash());
}

BOOST_AUTO_TEST_CASE(a_page_that_is_missing_is_mapped_and_the_access_tried_again) {
  program p;
  p.on(COMET_ON_TRAP, COMET_TRAP_WRITE, 1).add("imm", {1, 0x1000000}).add("imm", {2, 5});
  const std::uint64_t loop = p.here();
  p.add("st64", {1, 2, 0}).add("addi", {1, 1, 65536 - 8}).add("blti_u", {1, 0x1100000, loop}).add("halt");
  p.at(1).add("andi", {11, 3, ~std::uint64_t{65535}}).add("imm", {12, 65536}).call("map", 10).add("imm", {1, 1}).add("ret");
  machine vm = p.make();
  BOOST_CHECK_EQUAL(vm.run().reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(vm.read_word(0x1000000 + 65528), 5u);
}

BOOST_AUTO_TEST_CASE(a_trap_within_a_handler_of_traps_stops) {
  machine vm = dividing([](program& code) { code.add("div_u", {10, 1, 0}).add("ret"); }).make();
  const comet_stop stop = vm.run();
  BOOST_CHECK_EQUAL(stop.trap, COMET_TRAP_DIVIDE);
  BOOST_CHECK_EQUAL(stop.pc, function_address(1));
  BOOST_CHECK_EQUAL(vm.info().handlers, 1u);
}

BOOST_AUTO_TEST_CASE(a_trap_can_be_caught_before_its_handler) {
  machine vm = dividing([](program& code) { code.add("imm", {1, 2}).add("ret"); }).make();
  comet_catch_traps(vm, 1u << COMET_TRAP_DIVIDE);
  BOOST_CHECK_EQUAL(run_all(vm).trap, COMET_TRAP_DIVIDE);
  BOOST_CHECK_EQUAL(vm.info().handlers, 0u);
  BOOST_CHECK_EQUAL(run_all(vm).reason, COMET_HALTED);
}

BOOST_AUTO_TEST_CASE(handlers_need_room_and_what_there_is) {
  program p;
  p.on(COMET_ON_TRAP, COMET_TRAP_DIVIDE, 1).add("mov", {1, 41});
  p.on(9, 1, 1).add("mov", {2, 41}).on(COMET_ON_READABLE, 3, 1).add("mov", {3, 41}).on(COMET_ON_TRAP, 99, 1).add("mov", {4, 41});
  p.add("imm", {5, 100});
  const std::uint64_t loop = p.here();
  p.add("imm", {41, COMET_ON_POSTED}).add("mov", {42, 5}).add("imm", {43, 1}).call("on", 40);
  p.add("addi", {5, 5, minus_one}).add("bnei", {5, 0, loop}).add("mov", {6, 41});
  p.add("imm", {41, COMET_ON_POSTED}).add("imm", {42, 100}).add("imm", {43, 0}).call("on", 40).add("mov", {7, 41});
  p.add("div_u", {10, 1, 0});
  p.at(1).add("imm", {1, 2}).add("ret");
  comet_config config = COMET_CONFIG_INIT;
  config.register_limit = 8;
  machine narrow = dividing([](program& code) { code.add("imm", {1, 2}).add("ret"); }).make(&config);
  BOOST_CHECK_EQUAL(narrow.run().trap, COMET_TRAP_DIVIDE);  // no window is
  BOOST_CHECK_EQUAL(narrow.info().handlers, 0u);
  config = COMET_CONFIG_INIT;
  config.call_depth_limit = 1;
  machine vm = p.make(&config);
  BOOST_CHECK_EQUAL(vm.run().trap, COMET_TRAP_DIVIDE);  // no activation is left for a handler
  BOOST_CHECK_EQUAL(vm.get(1), 0u);
  for (const std::uint64_t n : {2, 3, 4}) BOOST_CHECK_EQUAL(static_cast<std::int64_t>(vm.get(n)), -22);
  BOOST_CHECK_EQUAL(static_cast<std::int64_t>(vm.get(6)), -12);
  BOOST_CHECK_EQUAL(vm.get(7), 0u);
}

BOOST_AUTO_TEST_CASE(posted_events_reach_their_handler) {
  machine vm = counting().make();
  run_all(vm, 1000);
  BOOST_REQUIRE_EQUAL(comet_post_event(vm, COMET_ON_POSTED, 8, 9), COMET_OK);  // nobody's
  BOOST_REQUIRE_EQUAL(comet_post_event(vm, COMET_ON_POSTED, 7, 400), COMET_OK);
  run_all(vm, 1000);
  BOOST_CHECK_EQUAL(vm.read_word(data_address), 400u);
  BOOST_REQUIRE_EQUAL(comet_post_event(vm, COMET_ON_POSTED, 7, 600), COMET_OK);
  BOOST_CHECK_EQUAL(run_all(vm).reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(vm.read_word(data_address), 1000u);
  BOOST_CHECK_EQUAL(comet_post_event(vm, COMET_ON_TRAP, 7, 0), COMET_ERROR_ARGUMENT);
  BOOST_CHECK_EQUAL(comet_post_event(nullptr, COMET_ON_POSTED, 7, 0), COMET_ERROR_ARGUMENT);
}

BOOST_AUTO_TEST_CASE(the_queue_is_bounded) {
  machine vm(code().add("halt"));
  unsigned posted = 0;
  while (comet_post_event(vm, COMET_ON_SIGNAL, 1, 0) == COMET_OK) ++posted;
  BOOST_CHECK_GE(posted, COMET_EVENT_QUEUE / 2);
  BOOST_CHECK_LE(posted, COMET_EVENT_QUEUE);
  BOOST_CHECK_EQUAL(comet_post_event(vm, COMET_ON_SIGNAL, 1, 0), COMET_ERROR_STATE);
}

// What waits for its handler takes room that is given back with it.
BOOST_AUTO_TEST_CASE(as_many_events_wait_as_are_promised) {
  machine vm = counting().make();
  unsigned posted = 0;
  for (int round = 0; round < 4; ++round) {
    run_all(vm, 1000);
    while (comet_post_event(vm, COMET_ON_POSTED, 8, 0) == COMET_OK) ++posted;
  }
  BOOST_CHECK_EQUAL(posted, COMET_EVENT_QUEUE);
}

BOOST_AUTO_TEST_CASE(a_handler_that_leaves_nothing_behind_has_not_treated_the_trap) {
  machine vm = dividing([](program& code) {
    for (std::uint64_t n = 1; n <= 5; ++n) code.add("imm", {n, 0});
    code.add("ret");
  }).make();
  BOOST_CHECK_EQUAL(vm.run().trap, COMET_TRAP_DIVIDE);
  BOOST_CHECK_EQUAL(vm.info().handlers, 0u);
  for (std::uint64_t n = 1; n <= 9; ++n) BOOST_CHECK_EQUAL(vm.get(n), 100 + n);
}

BOOST_AUTO_TEST_CASE(handlers_of_traps_are_called_again_from_a_timeline) {
  machine vm = dividing([](program& code) { code.add("imm", {1, 2}).add("ret"); }).make();
  SUPPORT_OK(comet_timeline_start(vm, 1 << 20, error));
  snapshot start(vm);
  BOOST_CHECK_EQUAL(vm.run().reason, COMET_HALTED);
  const hash end = vm.state_hash();
  start.restore();
  BOOST_CHECK_EQUAL(vm.run().reason, COMET_HALTED);
  BOOST_CHECK(vm.state_hash() == end);
}

// That the log does not reach back is no trap of the program's.
BOOST_AUTO_TEST_CASE(no_handler_hears_that_the_log_does_not_reach_back) {
  program p;
  p.on(COMET_ON_TRAP, COMET_TRAP_HOST_CALL, 1);
  const std::uint64_t loop = p.here();
  p.call("tick", 10).add("addi", {1, 1, 1}).add("blti_u", {1, 50, loop}).add("halt");
  p.at(1).add("imm", {1, 2}).add("ret");
  machine vm = p.make();
  SUPPORT_OK(comet_host_grant(vm, "tick", [](comet_call*, void*) { return COMET_OK; }, nullptr, error));
  SUPPORT_OK(comet_timeline_start(vm, 1000, error));
  snapshot start(vm);
  BOOST_CHECK_EQUAL(vm.run().reason, COMET_HALTED);
  start.restore();
  const comet_stop stop = vm.run();
  BOOST_CHECK_EQUAL(stop.trap, COMET_TRAP_HOST_CALL);
  BOOST_CHECK(std::string(stop.message).find("no longer reaches back") != std::string::npos);
  BOOST_CHECK_EQUAL(vm.info().handlers, 0u);
}

// Twenty events at random moments; the run with them is gone through again from snapshots, and from its recording on
// another machine that is moved on the way.
BOOST_AUTO_TEST_CASE(events_come_again_where_they_came) {
  std::mt19937 random(5);
  machine vm = counting().make();
  SUPPORT_OK(comet_timeline_start(vm, 1 << 20, error));
  bytes recording;
  SUPPORT_OK(comet_record_start(vm, nullptr, append, &recording, error));
  snapshot start(vm);
  std::vector<std::pair<std::uint64_t, hash>> seen;
  comet_stop stop = COMET_STOP_INIT;
  do {
    stop = run_all(vm, random() % 300);
    seen.emplace_back(stop.executed, vm.state_hash());
    if (random() % 3 == 0) BOOST_REQUIRE_EQUAL(comet_post_event(vm, COMET_ON_POSTED, 7, random() % 100), COMET_OK);
  } while (stop.reason != COMET_HALTED);
  comet_save_options options = COMET_SAVE_OPTIONS_INIT;
  options.stop = &stop;
  SUPPORT_OK(comet_record_stop(vm, &options, error));
  for (int again = 0; again < 2; ++again) {
    start.restore();
    BOOST_REQUIRE_EQUAL(comet_post_event(vm, COMET_ON_POSTED, 7, 1), COMET_OK);  // of another future
    for (const auto& [executed, expected] : seen) {
      run_all(vm, executed);
      BOOST_REQUIRE(vm.state_hash() == expected);
    }
  }

  const state replay(recording);
  machine other;
  SUPPORT_OK(comet_state_restore(other, replay, error));
  SUPPORT_OK(comet_timeline_load(other, replay, 0, error));
  BOOST_CHECK_EQUAL(replay.info().end, stop.instruction_count);
  BOOST_CHECK_EQUAL(run_all(other).reason, COMET_HALTED);
  BOOST_CHECK(other.state_hash() == seen.back().second);
}

BOOST_AUTO_TEST_CASE(a_machine_is_moved_with_a_handler_under_way) {
  machine vm = counting().make();
  BOOST_REQUIRE_EQUAL(comet_post_event(vm, COMET_ON_POSTED, 7, 1000), COMET_OK);
  while (vm.info().handlers == 0) run_all(vm, 1);
  run_all(vm, 3);
  machine other;
  const bytes file = saved(vm);
  SUPPORT_OK(comet_state_restore(other, state(file), error));
  BOOST_CHECK(other.state_hash() == vm.state_hash());
  BOOST_CHECK_EQUAL(other.info().handlers, 1u);
  BOOST_CHECK_EQUAL(run_all(vm).reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(run_all(other).reason, COMET_HALTED);
  BOOST_CHECK(other.state_hash() == vm.state_hash());
}

// Thread 0 waits for the embedder with registers near the end of the stack; meanwhile an event of it comes, while thread 1 runs.
BOOST_AUTO_TEST_CASE(no_handler_comes_between_a_host_call_and_who_serves_it) {
  constexpr std::uint64_t high = 900000;  // of the register limit 2^20
  program p;
  p.on(COMET_ON_POSTED, 7, 1).add("imm", {200, 5}).add("imm", {11, function_address(2)}).call("spawn", 10);
  p.call("yield", 10).call("served", high).add("halt");
  p.at(1).add("imm", {1, data_address}).add("st64", {1, 3, 0}).add("ret");
  p.at(2).call("served", 10).add("imm", {1, 0}).add("ret");
  machine vm = p.make();
  SUPPORT_OK(comet_host_grant(vm, "served", nullptr, nullptr, error));
  comet_stop stop = run_all(vm);
  BOOST_REQUIRE_EQUAL(stop.reason, COMET_HOST_CALL);
  BOOST_REQUIRE_EQUAL(stop.thread, 1u);
  BOOST_REQUIRE_EQUAL(vm.run().reason, COMET_HOST_CALL);
  BOOST_REQUIRE_EQUAL(comet_post_event(vm, COMET_ON_POSTED, 7, 77), COMET_OK);
  BOOST_REQUIRE_EQUAL(run_all(vm).thread, 1u);
  BOOST_CHECK_EQUAL(vm.info().handlers, 0u);
  comet_limits limits = COMET_LIMITS_INIT;
  SUPPORT_OK(comet_get_limits(vm, &limits, error));
  limits.registers = 1000;
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_set_limits(vm, &limits, error));
  std::uint64_t argument = 1;
  SUPPORT_OK(comet_host_argument(vm, 0, 0, &argument, error));
  BOOST_CHECK_EQUAL(argument, 0u);
  SUPPORT_OK(comet_host_complete(vm, 0, 6, error));
  BOOST_CHECK_EQUAL(vm.get(high + 1), 6u);
  SUPPORT_OK(comet_host_complete(vm, 1, 6, error));
  BOOST_CHECK_EQUAL(run_all(vm).reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(vm.read_word(data_address), 77u);  // it came afterwards
}

BOOST_AUTO_TEST_CASE(who_is_asked_while_all_wait_may_free_the_machine) {
  program p;
  p.on(COMET_ON_POSTED, 7, 1).call("pause", 10).add("halt");
  p.at(1).add("ret");
  machine made = p.make();
  const bytes file = saved(made);
  comet_machine* vm = nullptr;
  SUPPORT_OK(comet_machine_new(nullptr, &vm, error));
  const state start(file);
  SUPPORT_OK(comet_state_restore(vm, start, error));
  comet_set_poll(vm, [](void* data) {
    auto* const machine = static_cast<comet_machine*>(data);
    comet_thread_info info = COMET_THREAD_INFO_INIT;
    SUPPORT_OK(comet_thread_get(machine, 0, &info, error));
    if (info.standing != COMET_WAITS_FOR_EVENT) return 0;
    SUPPORT_FAILS(COMET_ERROR_STATE, comet_machine_reset(machine, error));
    comet_machine_free(machine);
    return 0;
  }, vm);
  comet_stop stop = COMET_STOP_INIT;
  SUPPORT_FAILS(COMET_ERROR_STATE, comet_run(vm, COMET_EVERY_THREAD, plenty, &stop, error));
}

BOOST_AUTO_TEST_CASE(who_is_asked_while_a_read_waits_may_free_the_machine) {
  program p;
  p.add("imm", {12, data_address}).add("imm", {13, 1}).call("read", 10).add("halt");
  machine made = p.make();
  comet_machine* vm = nullptr;
  SUPPORT_OK(comet_machine_fork(made, nullptr, &vm, error));
  int ends[2];
  BOOST_REQUIRE_EQUAL(pipe(ends), 0);
  SUPPORT_OK(comet_set_stream(vm, 0, ends[0], error));
  comet_set_poll(vm, [](void* data) {
    comet_machine_free(static_cast<comet_machine*>(data));
    return 0;
  }, vm);
  comet_stop stop = COMET_STOP_INIT;
  SUPPORT_FAILS(COMET_ERROR_STATE, comet_run(vm, 0, plenty, &stop, error));
  for (const int end : ends) close(end);
}

// Where there is much to look through for every trap, a run is asked to stop all the same.
BOOST_AUTO_TEST_CASE(traps_of_a_large_register_stack_count_as_work) {
  const auto times_asked = [](bool again) {
    program p;
    p.on(COMET_ON_TRAP, COMET_TRAP_DIVIDE, 1);
    std::uint64_t loop = p.here();
    p.add("imm", {1000000, 1}).add("imm", {1000000, 0});
    if (!again) loop = p.here();
    p.add("div_u", {10, 1, 0}).add("jump", {loop});
    p.at(1).add("imm", {1, 2}).add("ret");
    machine vm = p.make();
    int asked = 0;
    comet_set_poll(vm, [](void* count) { return ++*static_cast<int*>(count), 0; }, &asked);
    BOOST_CHECK_EQUAL(vm.run(360).reason, COMET_OUT_OF_FUEL);
    return asked;
  };
  BOOST_CHECK_GE(times_asked(true), 50);
  BOOST_CHECK_LE(times_asked(false), 5); // what was looked through is not looked through again
}

// A timer that is due while its thread has another handler under way, which waits, is not waited for.
BOOST_AUTO_TEST_CASE(what_nobody_can_take_is_awaited_at_rest) {
  program p;
  p.on(COMET_ON_TIMER, 3, 1).on(COMET_ON_POSTED, 7, 2);
  p.add("imm", {11, 3}).add("imm", {12, 1000000}).add("imm", {13, 1000000}).call("timer", 10).call("pause", 10).add("halt");
  p.at(1).add("ret");
  p.at(2).add("imm", {11, data_address}).add("imm", {13, 100000000}).call("wait64", 10).add("imm", {11, 0}).call("exit", 10);
  machine vm = p.make();
  grant(vm, "clock");
  BOOST_CHECK_EQUAL(comet_post_event(vm, COMET_ON_POSTED, 7, 0), COMET_OK);
  const std::clock_t begin = std::clock();
  BOOST_CHECK_EQUAL(run_all(vm).reason, COMET_HALTED);
  BOOST_CHECK_LT(static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC, 0.05); // of 0.1 s
}

BOOST_AUTO_TEST_CASE(timers_and_handlers_go_with_the_state) {
  program p;
  for (const std::uint64_t id : {1, 2, 3}) p.on(COMET_ON_TIMER, id, 1);
  p.on(COMET_ON_TIMER, 3, 2).on(COMET_ON_TIMER, 9, 1).on(COMET_ON_POSTED, 7, 1);
  const auto timer = [&](std::uint64_t id, std::uint64_t time, std::uint64_t period) {
    p.add("imm", {41, id}).add("imm", {42, time}).add("imm", {43, period}).call("timer", 40);
  };
  timer(1, 20000000, 0);
  timer(2, UINT64_C(1) << 60, 5);
  timer(3, 1, 0);
  timer(3, 30000000, 1000000);
  timer(5, 1, 0);  // nobody handles it
  p.add("jump", {p.here()});
  for (const unsigned function : {1u, 2u}) p.at(function).add("ret");
  machine vm = p.make();
  grant(vm, "clock");
  run_all(vm, 100);
  const bytes file = saved(vm);
  machine moved;
  grant(moved, "clock");
  SUPPORT_OK(comet_state_restore(moved, state(file), error));
  BOOST_CHECK(moved.state_hash() == vm.state_hash());
  BOOST_CHECK(saved(moved) == file);
}

// A thread that never waits gets what comes while a handler was under way, or behind a wait that ended.
BOOST_AUTO_TEST_CASE(events_come_to_who_is_busy) {
  for (const bool waits : {false, true}) {
    program p;
    p.on(COMET_ON_TIMER, 3, 1);
    p.add("imm", {41, 3}).add("imm", {42, 10000000}).add("imm", {43, 1000000}).call("timer", 40);
    if (waits) p.add("imm", {41, data_address}).add("imm", {42, 0}).add("imm", {43, 1000000}).call("wait64", 40);
    p.add("imm", {2, data_address});
    const std::uint64_t loop = p.here();
    p.add("ldu64", {3, 2, 0}).add("blti_u", {3, 3, loop}).add("halt");
    p.at(1).add("imm", {5, data_address}).add("imm", {6, 1}).add("aadd64", {7, 5, 6}).add("ret");
    machine vm = p.make();
    grant(vm, "clock");
    comet_set_deadline(vm, 5000000000);
    BOOST_CHECK_EQUAL(run_all(vm).reason, COMET_HALTED);
    BOOST_CHECK_EQUAL(vm.read_word(data_address), 3u);
  }
}

BOOST_AUTO_TEST_CASE(who_has_handlers_is_told) {
  program p;
  p.on(COMET_ON_SIGNAL, 15, 1).add("halt").at(1).add("ret");
  machine vm = p.make();
  int handled = 1;
  SUPPORT_OK(comet_event_handled(vm, COMET_ON_SIGNAL, 15, &handled, error));
  BOOST_CHECK_EQUAL(handled, 0);
  vm.run();
  SUPPORT_OK(comet_event_handled(vm, COMET_ON_SIGNAL, 15, &handled, error));
  BOOST_CHECK_EQUAL(handled, 1);
  SUPPORT_OK(comet_event_handled(vm, COMET_ON_SIGNAL, 2, &handled, error));
  BOOST_CHECK_EQUAL(handled, 0);
}

BOOST_AUTO_TEST_CASE(timers_are_due_again_and_again) {
  program p;
  p.on(COMET_ON_TIMER, 3, 1).add("imm", {11, 3}).add("imm", {12, 1000000}).add("imm", {13, 500000}).call("timer", 10);
  const std::uint64_t loop = p.here();
  p.call("pause", 10).add("addi", {1, 1, 1}).add("blti_u", {1, 5, loop});
  p.add("imm", {11, 3}).add("imm", {12, forever}).call("timer", 10).call("pause", 10).add("halt");
  p.at(1).add("imm", {5, data_address}).add("imm", {6, 1}).add("aadd64", {7, 5, 6}).add("ret");
  machine vm = p.make();
  grant(vm, "clock");
  const comet_stop stop = run_all(vm);
  BOOST_CHECK_EQUAL(stop.reason, COMET_WAITING);  // for an event that cannot come
  BOOST_CHECK_EQUAL(vm.info().standing, COMET_WAITS_FOR_EVENT);
  BOOST_CHECK_EQUAL(vm.get(1), 5u);
  BOOST_CHECK_EQUAL(vm.read_word(data_address), 5u);
}

// Timer 3 is due once, 4 again and again, 5 was never set, and for 6 there is no handler.
BOOST_AUTO_TEST_CASE(each_timer_calls_its_own_handler) {
  program p;
  p.on(COMET_ON_TIMER, 3, 1).on(COMET_ON_TIMER, 4, 2).on(COMET_ON_TIMER, 5, 1);
  for (const auto& [id, period] : {std::pair{3u, 0u}, {4u, 500000u}, {6u, 1u}})
    p.add("imm", {41, id}).add("imm", {42, 500000}).add("imm", {43, period}).call("timer", 40);
  p.add("imm", {2, data_address});
  const std::uint64_t loop = p.here();
  p.add("ldu64", {3, 2, 8}).add("blti_u", {3, 3, loop}).add("halt");
  for (const unsigned function : {1u, 2u})
    p.at(function).add("imm", {5, data_address + 8 * (function - 1)}).add("imm", {6, 1}).add("aadd64", {7, 5, 6}).add("ret");
  machine vm = p.make();
  grant(vm, "clock");
  comet_set_deadline(vm, 5000000000);
  BOOST_CHECK_EQUAL(run_all(vm).reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(vm.read_word(data_address), 1u);
  BOOST_CHECK_EQUAL(vm.read_word(data_address + 8), 3u);
}

// An event that has come is not looked for again at the same place, whether the run stops there or is gone through again.
BOOST_AUTO_TEST_CASE(a_breakpoint_at_a_handler_stops_behind_what_has_come) {
  program p;
  p.on(COMET_ON_POSTED, 7, 1).call("pause", 10).add("halt").at(1).add("nop").add("ret");
  machine vm = p.make();
  SUPPORT_OK(comet_breakpoint_set(vm, 0, function_address(1), error));
  SUPPORT_OK(comet_timeline_start(vm, 1 << 20, error));
  snapshot start(vm);
  comet_set_deadline(vm, 2000000);
  BOOST_CHECK_EQUAL(run_all(vm).reason, COMET_INTERRUPTED); // it waits
  comet_set_deadline(vm, 5000000000);
  BOOST_REQUIRE_EQUAL(comet_post_event(vm, COMET_ON_POSTED, 7, 0), COMET_OK);
  BOOST_CHECK_EQUAL(run_all(vm).reason, COMET_BREAKPOINT);
  const hash there = vm.state_hash();
  start.restore();
  BOOST_CHECK_EQUAL(run_all(vm).reason, COMET_BREAKPOINT);
  BOOST_CHECK(vm.state_hash() == there);
  SUPPORT_OK(comet_breakpoint_set(vm, 0, code_address, error)); // drops what was decoded
  BOOST_CHECK_EQUAL(run_all(vm).reason, COMET_HALTED);
}

BOOST_AUTO_TEST_CASE(waiting_ends_after_its_time) {
  program p;
  p.add("imm", {11, data_address}).add("imm", {13, 2000000}).call("wait64", 10).add("mov", {1, 11}).add("halt");
  machine vm = p.make();
  BOOST_CHECK_EQUAL(run_all(vm).reason, COMET_WAITING);  // without a clock there is no time
  grant(vm, "clock");
  BOOST_CHECK_EQUAL(run_all(vm).reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(static_cast<std::int64_t>(vm.get(1)), -110);
}

BOOST_AUTO_TEST_CASE(times_beyond_what_a_clock_counts_do_not_come) {
  for (const bool by_timer : {true, false}) {
    program p;
    if (by_timer) {
      p.on(COMET_ON_TIMER, 1, 1);
      p.add("imm", {41, 1}).add("simm", {42, 2}).add("simm", {43, 2}).call("timer", 40);
      p.call("pause", 40);
    } else {
      p.add("imm", {41, data_address}).add("imm", {42, 0}).add("simm", {43, 2}).call("wait64", 40);
    }
    p.add("halt");
    p.at(1).add("ret");
    machine vm = p.make();
    grant(vm, "clock");
    comet_set_deadline(vm, 20000000);
    BOOST_CHECK_EQUAL(run_all(vm).reason, COMET_INTERRUPTED);
    BOOST_CHECK_EQUAL(vm.info().standing, by_timer ? COMET_WAITS_FOR_EVENT : COMET_WAITS_FOR_ADDRESS);
    BOOST_CHECK_EQUAL(vm.info().handlers, 0u);
  }
}

BOOST_AUTO_TEST_CASE(a_run_that_waits_can_be_interrupted) {
  program p;
  p.on(COMET_ON_POSTED, 1, 1).call("pause", 10).add("halt").at(1).add("ret");
  machine vm = p.make();
  comet_interrupt(vm);
  BOOST_CHECK_EQUAL(run_all(vm).reason, COMET_INTERRUPTED);
  comet_set_deadline(vm, 20000000);
  BOOST_CHECK_EQUAL(run_all(vm).reason, COMET_INTERRUPTED);
  comet_set_deadline(vm, 0);
  comet_set_poll(vm, [](void* data) { return static_cast<int>(comet_post_event(static_cast<comet_machine*>(data), COMET_ON_POSTED, 1, 0)); }, vm.get());
  BOOST_CHECK_EQUAL(run_all(vm).reason, COMET_HALTED);
}

BOOST_AUTO_TEST_CASE(readable_and_writable_streams_are_told) {
  program p;
  p.on(COMET_ON_READABLE, 0, 1).on(COMET_ON_WRITABLE, 1, 2);
  p.call("pause", 10).call("pause", 10).add("halt");
  p.at(1).add("imm", {11, 0}).add("imm", {12, data_address}).add("imm", {13, 8}).call("read", 10);
  p.add("imm", {11, COMET_ON_READABLE}).add("imm", {12, 0}).add("imm", {13, 0}).call("on", 10).add("ret");
  p.at(2).add("imm", {11, 1}).add("imm", {12, data_address}).add("imm", {13, 1}).call("write", 10);
  p.add("imm", {11, COMET_ON_WRITABLE}).add("imm", {12, 1}).add("imm", {13, 0}).call("on", 10).add("ret");
  machine vm = p.make();
  int in[2], out[2];
  BOOST_REQUIRE_EQUAL(pipe(in), 0);
  BOOST_REQUIRE_EQUAL(pipe(out), 0);
  BOOST_REQUIRE_EQUAL(write(in[1], "x", 1), 1);
  SUPPORT_OK(comet_set_stream(vm, 0, in[0], error));
  SUPPORT_OK(comet_set_stream(vm, 1, out[1], error));
  BOOST_CHECK_EQUAL(run_all(vm).reason, COMET_HALTED);
  char byte = 0;
  BOOST_CHECK_EQUAL(read(out[0], &byte, 1), 1);
  BOOST_CHECK_EQUAL(byte, 'x');
  for (const int end : {in[0], in[1], out[0], out[1]}) close(end);
}

// Nothing to read, and no room to write: the thread waits, also where it has a handler under way, and in parallel runs.
BOOST_AUTO_TEST_CASE(streams_that_are_not_ready_are_awaited) {
  for (unsigned way = 0; way < 8; ++way) {
    const bool reads = (way & 1) != 0, within_handler = (way & 2) != 0;
    program p;
    p.on(reads ? COMET_ON_READABLE : COMET_ON_WRITABLE, 0, 1).on(COMET_ON_POSTED, 7, 2).call("pause", 10).add("halt");
    p.at(1).add("ret");
    p.at(2).add("imm", {11, data_address}).add("imm", {13, 5000000}).call("wait64", 10).add("imm", {11, 0}).call("exit", 10);
    machine vm = p.make();
    SUPPORT_OK(comet_set_host_threads(vm, (way & 4) != 0 ? 2 : 0, error));
    grant(vm, "clock");
    int ends[2];
    BOOST_REQUIRE_EQUAL(pipe2(ends, O_NONBLOCK), 0);
    const bytes block(4096);
    while (!reads && write(ends[1], block.data(), block.size()) > 0) {
    }
    SUPPORT_OK(comet_set_stream(vm, 0, ends[reads ? 0 : 1], error));
    BOOST_CHECK_EQUAL(comet_post_event(vm, COMET_ON_SIGNAL, 7, 0), COMET_OK);  // nobody's
    if (within_handler) BOOST_CHECK_EQUAL(comet_post_event(vm, COMET_ON_POSTED, 7, 0), COMET_OK);
    else comet_set_deadline(vm, 5000000);
    BOOST_CHECK_EQUAL(run_all(vm).reason, within_handler ? COMET_HALTED : COMET_INTERRUPTED);
    for (const int end : ends) close(end);
  }
}

// What came while all waited comes again at the same counts, however the runs are cut.
BOOST_AUTO_TEST_CASE(what_came_to_who_waits_comes_again) {
  program p;
  p.on(COMET_ON_POSTED, 1, 1).add("imm", {2, data_address});
  const std::uint64_t loop = p.here();
  p.call("pause", 10).add("ldu64", {3, 2, 0}).add("blti_u", {3, 5, loop}).add("halt");
  p.at(1).add("imm", {5, data_address}).add("imm", {6, 1}).add("aadd64", {7, 5, 6}).add("ret");
  machine vm = p.make();
  SUPPORT_OK(comet_timeline_start(vm, 1 << 20, error));
  snapshot start(vm);
  comet_set_poll(vm, [](void* data) { return static_cast<int>(comet_post_event(static_cast<comet_machine*>(data), COMET_ON_POSTED, 1, 0)); }, vm.get());
  BOOST_CHECK_EQUAL(run_all(vm).reason, COMET_HALTED);
  comet_set_poll(vm, nullptr, nullptr);
  const hash end = vm.state_hash();
  for (const std::uint64_t fuel : {UINT64_C(1), UINT64_C(2), UINT64_C(7), plenty}) {
    start.restore();
    comet_stop stop = COMET_STOP_INIT;
    while ((stop = run_all(vm, fuel)).reason == COMET_OUT_OF_FUEL) {
    }
    BOOST_CHECK_EQUAL(stop.reason, COMET_HALTED);
    BOOST_CHECK(vm.state_hash() == end);
  }
}

// Without a clock a wait has no end, whatever others do meanwhile.
BOOST_AUTO_TEST_CASE(without_a_clock_no_wait_ends) {
  program p;
  p.add("imm", {11, function_address(1)}).call("spawn", 10).add("imm", {11, data_address}).add("imm", {13, 1}).call("wait64", 10).add("halt");
  p.at(1).add("imm", {2, 300000});
  const std::uint64_t loop = p.here();
  p.add("addi", {2, 2, minus_one}).add("bnei", {2, 0, loop}).add("ret");
  machine vm = p.make();
  BOOST_CHECK_EQUAL(run_all(vm).reason, COMET_WAITING);
  BOOST_CHECK_EQUAL(vm.info().standing, COMET_WAITS_FOR_ADDRESS);
}

// A handler that passes over what is no instruction has not treated the trap; nor is there a handler for a trap in one,
// be it called for an event.
BOOST_AUTO_TEST_CASE(traps_that_no_handler_can_treat_stop) {
  program p;
  p.on(COMET_ON_TRAP, COMET_TRAP_EXECUTE, 1).add("jump", {data_address});
  p.at(1).add("imm", {1, 2}).add("ret");
  machine nowhere = p.make();
  const comet_stop stop = run_all(nowhere);
  BOOST_CHECK_EQUAL(stop.trap, COMET_TRAP_EXECUTE);
  BOOST_CHECK_EQUAL(stop.pc, data_address);
  program q;
  q.on(COMET_ON_TRAP, COMET_TRAP_DIVIDE, 1).on(COMET_ON_POSTED, 7, 2).call("pause", 10).add("halt");
  q.at(1).add("div_u", {10, 1, 0}).add("ret");
  q.at(2).add("div_u", {10, 1, 0}).add("ret");
  machine twice = q.make();
  BOOST_CHECK_EQUAL(comet_post_event(twice, COMET_ON_POSTED, 7, 0), COMET_OK);
  BOOST_CHECK_EQUAL(run_all(twice).trap, COMET_TRAP_DIVIDE);
  BOOST_CHECK_EQUAL(twice.info().handlers, 2u);
  machine moved;
  SUPPORT_OK(comet_state_restore(moved, state(saved(twice)), error));
  BOOST_CHECK_EQUAL(moved.info().handlers, 2u);
  BOOST_CHECK(moved.state_hash() == twice.state_hash());
}

BOOST_AUTO_TEST_CASE(an_event_interrupts_waiting_which_begins_anew) {
  program p;
  p.add("imm", {11, function_address(3)}).call("spawn", 10);
  p.on(COMET_ON_POSTED, 7, 1);
  p.add("imm", {11, data_address}).add("imm", {13, forever}).call("wait64", 10).add("mov", {1, 11}).add("halt");
  p.at(1).add("imm", {5, data_address + 8}).add("imm", {6, 1}).add("aadd64", {7, 5, 6}).add("ret");
  p.at(3).add("imm", {2, data_address}).add("ldu64", {3, 2, 8}).add("beqi", {3, 0, function_address(3)});
  p.add("imm", {11, data_address}).add("imm", {12, 1}).call("notify", 10).add("ret");
  machine vm = p.make();
  run_all(vm, 5000);
  BOOST_CHECK_EQUAL(vm.info().standing, COMET_WAITS_FOR_ADDRESS);
  BOOST_REQUIRE_EQUAL(comet_post_event(vm, COMET_ON_POSTED, 7, 0), COMET_OK);
  run_all(vm, 300000);
  BOOST_CHECK_EQUAL(run_all(vm).reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(vm.read_word(data_address + 8), 1u);
  BOOST_CHECK_EQUAL(vm.get(1), 0u);
}

BOOST_AUTO_TEST_CASE(what_no_thread_could_be_is_refused) {
  machine vm = counting().make();
  SUPPORT_OK(comet_schedule_set(vm, 100, 0, error));
  BOOST_REQUIRE_EQUAL(comet_post_event(vm, COMET_ON_POSTED, 7, 1), COMET_OK);
  while (vm.info().handlers == 0) run_all(vm, 1);
  const bytes file = saved(vm);
  const auto with = [&](const std::string& type, std::size_t number, std::uint64_t value) {
    bytes content = content_of(file, type);
    put_at(content, 8 * number, value, 8);
    return with_content(file, type, content);
  };
  // id, spawned, result 2, wait 4, answer 2, declined, handlers from 11, timers, interruptions
  refused(with("STAT", 0, 5), "no such thread");
  refused(with("STAT", 0, UINT64_C(1) << 40), "no such thread");
  refused(with("STAT", 1, 1), "spawned by nobody");
  refused(with("STAT", 2, 1), "has ended and does something");
  refused(with("STAT", 4, 9), "waits for what there is not");
  refused(with("STAT", 11, 65), "more handlers or timers");
  refused(with("STAT", 12, 9), "a handler for what there is not");
  refused(with("STAT", 16, 65), "more handlers or timers");
  refused(with("STAT", 17, 3), "more handlers or timers");
  refused(with("STAT", 19, 1), "no activation is its own");
  refused(with("STAT", 19, 3), "no activation is its own");
  refused(with("STAT", 20, 1), "no activation is its own");
  for (const auto& [number, value] : std::vector<std::pair<std::size_t, std::uint64_t>>{
           {0, 7}, {0, UINT64_C(1) << 32}, {1, 0}, {1, 201}, {2, 0}, {2, (UINT64_C(1) << 32) + 1}, {6, 0}, {6, UINT64_C(1) << 33}})
    refused(with("TURN", number, value), "take turns like that");
  // A second handler under way: only one of a trap, in an activation farther in, and not in one of a trap.
  for (const auto& [outer, inner, farther] : {std::array{0, 0, 1}, {0, 1, 0}, {1, 1, 1}}) {
    bytes content = content_of(file, "STAT");
    const std::uint64_t depth = number_at(content, 8 * 19, 8), parts[] = {static_cast<std::uint64_t>(inner), depth + static_cast<std::uint64_t>(farther), 0, 0, 0};
    put_at(content, 8 * 17, 2, 8);
    put_at(content, 8 * 18, static_cast<std::uint64_t>(outer), 8);
    for (const std::uint64_t part : parts) {
      content.resize(content.size() + 8);
      put_at(content, content.size() - 8, part, 8);
    }
    refused(with_content(file, "STAT", content), "no activation is its own");
  }
  // Of a second thread, which ended: whether it was spawned, what it waits for.
  comet_thread second = 0;
  SUPPORT_OK(comet_thread_new(vm, 0, code_address, &second, error));
  const bytes two = saved(vm);
  for (const auto& [spawned, waits] : {std::pair{0u, 0u}, {1u, 3u}}) {
    bytes content(14 * 8);
    put_at(content, 0, second, 8);
    put_at(content, 8, spawned, 8);
    put_at(content, 16, 1, 8);
    put_at(content, 32, waits, 8);
    refused(with_record_behind(two, "STAT", "STAT", content), "has ended and does something");
  }
  refused(with_record_behind(file, "TURN", "TURN", content_of(file, "TURN")), "not where it belongs");
  refused(with_record_behind(file, "STAT", "THRD", content_of(file, "THRD")), "not where it belongs");
}

// A state with every record that there can be; no record may stand twice, wherever the second one is.
BOOST_AUTO_TEST_CASE(each_record_of_a_state_has_its_place) {
  machine vm = counting().make();
  const char* const settings[] = {"A=B"};
  SUPPORT_OK(comet_set_environment(vm, 1, settings, error));
  SUPPORT_OK(comet_schedule_set(vm, 100, 0, error));
  comet_space other = 0;
  SUPPORT_OK(comet_space_new(vm, &other, error));
  SUPPORT_OK(comet_share(vm, 0, data_address, COMET_PAGE_SIZE, other, data_address, COMET_READ, error));
  comet_stop stop = run_all(vm, 50);
  comet_image* image = nullptr;
  SUPPORT_OK(comet_image_new(&image, error));
  comet_save_options options = COMET_SAVE_OPTIONS_INIT;
  options.image = image;
  options.stop = &stop;
  bytes file;
  SUPPORT_OK(comet_state_save(vm, &options, append, &file, nullptr, error));
  comet_image_free(image);
  std::vector<std::string> types;
  for (const found_record& one : records_of(file)) types.push_back(one.type);
  for (const char* type : {"MACH", "IMPT", "ARGS", "ENVI", "THRD", "STAT", "TURN", "SPAC", "PAGE", "JOIN", "imag", "DONE", "STOP"})
    BOOST_REQUIRE_MESSAGE(std::find(types.begin(), types.end(), type) != types.end(), type);
  for (const std::string& behind : types)
    for (const std::string& type : types)
      BOOST_TEST_CONTEXT(type << " behind " << behind) refused(with_record_behind(file, behind, type, content_of(file, type)), "");
  for (const std::string& type : types)
    if (type != "imag" && type != "STOP")
      BOOST_TEST_CONTEXT("without " << type) refused(without_record(file, type), "");
}

BOOST_AUTO_TEST_CASE(a_log_of_another_machine_is_refused) {
  machine vm = counting().make();
  SUPPORT_OK(comet_timeline_start(vm, 1 << 20, error));
  bytes recording;
  SUPPORT_OK(comet_record_start(vm, nullptr, append, &recording, error));
  BOOST_REQUIRE_EQUAL(comet_post_event(vm, COMET_ON_POSTED, 7, 1000), COMET_OK);
  run_all(vm);
  SUPPORT_OK(comet_record_stop(vm, nullptr, error));
  bytes call = content_of(recording, "CALL");
  bytes within_call(call.begin() + 4, call.end());  // of thread 0
  within_call[0] = 0;
  refused(with_content(recording, "CALL", within_call), "between instructions");
  comet_stop stop = COMET_STOP_INIT;
  for (const bool event : {true, false}) {
    // thread (5 bytes), count, index 0, flags 0, one change: kind 7, access, thread, id, value
    bytes other = call;
    for (std::size_t at = 0; at + 1 < other.size(); ++at) {
      if (other[at] != 7 || other[at + 1] != COMET_ON_POSTED) continue;
      other[at + 1] = event ? COMET_ON_SIGNAL : 0;
      break;
    }
    const bytes forged = with_content(recording, "CALL", other);
    machine replayed;
    const state replay(forged);
    SUPPORT_OK(comet_state_restore(replayed, replay, error));
    SUPPORT_OK(comet_timeline_load(replayed, replay, 0, error));
    SUPPORT_FAILS(COMET_ERROR_STATE, comet_run(replayed, COMET_EVERY_THREAD, plenty, &stop, error));
  }
}

BOOST_AUTO_TEST_CASE(a_log_that_lost_its_beginning_is_not_run_from) {
  machine vm = counting().make();
  SUPPORT_OK(comet_timeline_start(vm, 400, error));
  snapshot start(vm);
  for (int n = 0; n < 10; ++n) {
    BOOST_REQUIRE_EQUAL(comet_post_event(vm, COMET_ON_POSTED, 7, 1), COMET_OK);
    run_all(vm, 300);
  }
  start.restore();
  comet_stop stop = COMET_STOP_INIT;
  SUPPORT_FAILS(COMET_ERROR_STATE, comet_run(vm, COMET_EVERY_THREAD, plenty, &stop, error));
}

BOOST_AUTO_TEST_SUITE_END()
