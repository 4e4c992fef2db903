// Threads that a program makes, and the turns in which they run: the same however runs are cut, seen and moved.
#include "observing.h"
#include "programs.h"
#include "state_files.h"

#include <random>

using namespace support;

namespace {

comet_schedule schedule_of(const machine& vm) {
  comet_schedule schedule = COMET_SCHEDULE_INIT;
  SUPPORT_OK(comet_schedule_get(vm, &schedule, error));
  return schedule;
}

// Three workers mix their numbers into a word, 300 times each, without minding each other, and every eighth time let
// another one go first; a fourth waits for a word that the last of them sets. What comes out depends on every turn.
program workers() {
  program p;
  for (std::uint64_t n = 1; n <= 3; ++n) p.add("imm", {11, function_address(1)}).add("imm", {12, n}).call("spawn", 10).add("mov", {n, 11});
  p.add("imm", {11, function_address(2)}).call("spawn", 10).add("mov", {4, 11});
  for (std::uint64_t n = 1; n <= 4; ++n) p.add("mov", {11, n}).call("join", 10).add("add", {5, 5, 11});
  p.add("halt");
  p.at(1).add("imm", {2, data_address}).add("imm", {3, 300});
  const std::uint64_t loop = p.here();
  p.add("ldu64", {4, 2, 0}).add("muli", {4, 4, 31}).add("add", {4, 4, 1}).add("st64", {2, 4, 0}).add("addi", {3, 3, minus_one});
  p.add("andi", {5, 3, 7});
  const std::uint64_t branch = p.here();
  p.add("bnei", {5, 0, branch + 32}).call("yield", 10);
  while (p.here() < branch + 32) p.add("nop");
  p.add("bnei", {3, 0, loop});
  p.add("imm", {4, 1}).add("aadd64", {5, 2, 4});  // noise at the word
  p.add("imm", {6, data_address + 8}).add("aadd64", {7, 6, 4}).add("imm", {11, data_address + 8}).add("imm", {12, forever}).call("notify", 10);
  p.add("muli", {1, 1, 100}).add("ret");
  p.at(2);
  const std::uint64_t wait = p.here();
  p.add("imm", {2, data_address + 8}).add("ldu64", {12, 2, 0});
  const std::uint64_t done = p.here() + 48;
  p.add("beqi", {12, 3, done}).add("imm", {11, data_address + 8}).add("imm", {13, forever}).call("wait64", 10).add("jump", {wait});
  while (p.here() < done) p.add("nop");
  p.add("ldu64", {1, 2, minus_one - 7}).add("andi", {1, 1, 1023}).add("ret");
  return p;
}

// What its state was at the end.
hash undisturbed(std::uint64_t slice, std::uint64_t seed) {
  machine vm = workers().make();
  SUPPORT_OK(comet_schedule_set(vm, slice, seed, error));
  BOOST_REQUIRE_EQUAL(run_all(vm).reason, COMET_HALTED);
  return vm.state_hash();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(schedules)

BOOST_AUTO_TEST_CASE(a_program_makes_threads_and_joins_their_results) {
  machine vm = workers().make();
  const comet_stop stop = run_all(vm);
  BOOST_CHECK_EQUAL(stop.reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(stop.thread, 0u);
  BOOST_CHECK_EQUAL(stop.executed, schedule_of(vm).instruction_count);
  BOOST_CHECK_EQUAL(vm.get(5), 600u + vm.read_word(data_address) % 1024);
  comet_thread next = 0;
  BOOST_CHECK_EQUAL(comet_next_thread(vm, 1, &next, nullptr), COMET_ERROR_ARGUMENT);  // all were joined
}

// Thread 1 ends; then thread 0 alone joins it although the next turn is thread 1's.
BOOST_AUTO_TEST_CASE(a_thread_may_go_whose_turn_it_is) {
  program p;
  p.add("imm", {11, function_address(1)}).call("spawn", 10).call("yield", 20).call("join", 10).call("yield", 20).add("halt");
  p.at(1).add("nop").add("nop").add("ret");
  for (const bool freed : {false, true}) {
    machine vm = p.make();
    while (schedule_of(vm).current == 0) run_all(vm, 1);
    if (freed) {
      SUPPORT_OK(comet_thread_free(vm, 1, error));
    } else {
      BOOST_REQUIRE_EQUAL(vm.run(plenty, 1).reason, COMET_HALTED);
      BOOST_REQUIRE_EQUAL(vm.run(2).reason, COMET_OUT_OF_FUEL);
    }
    BOOST_CHECK_EQUAL(schedule_of(vm).current, 0u);
    const state there(saved(vm));
    BOOST_CHECK_EQUAL(run_all(vm).reason, COMET_HALTED);
  }
}

BOOST_AUTO_TEST_CASE(who_waits_for_a_thread_that_is_freed_goes_on) {
  program p;
  p.add("imm", {11, function_address(1)}).call("spawn", 10).call("join", 10).add("halt");
  p.at(1).add("jump", {function_address(1)});
  machine vm = p.make();
  run_all(vm, 100000);
  comet_thread_info info = vm.info();
  BOOST_REQUIRE_EQUAL(info.standing, COMET_WAITS_FOR_THREAD);
  SUPPORT_OK(comet_thread_free(vm, 1, error));
  BOOST_CHECK_EQUAL(run_all(vm).reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(vm.get(11), minus_one - 2);  // there is no such thread
}

// What a thread did while it ran alone has no say in the turns that follow.
BOOST_AUTO_TEST_CASE(who_yields_alone_yields_once) {
  program p;
  p.add("imm", {11, function_address(1)}).call("spawn", 10).call("yield", 20);
  for (int n = 0; n < 40; ++n) p.add("addi", {1, 1, 1});
  p.add("halt").at(1).add("addi", {1, 1, 1}).add("addi", {1, 1, 1}).add("ret");
  machine vm = p.make();
  SUPPORT_OK(comet_schedule_set(vm, 1000, 0, error));
  BOOST_REQUIRE_EQUAL(vm.run(4).reason, COMET_OUT_OF_FUEL);
  machine other;
  const state there(saved(vm));
  SUPPORT_OK(comet_state_restore(other, there, error));
  for (machine* each : {&vm, &other}) run_all(*each, 3);
  BOOST_CHECK(vm.state_hash() == other.state_hash());
  BOOST_CHECK_EQUAL(vm.get(1), 4u);
}

BOOST_AUTO_TEST_CASE(the_same_turns_give_the_same_hash_and_others_another) {
  BOOST_CHECK(undisturbed(16384, 0) == undisturbed(16384, 0));
  BOOST_CHECK(undisturbed(7, 3) == undisturbed(7, 3));
  BOOST_CHECK(undisturbed(7, 3) != undisturbed(7, 4));
  BOOST_CHECK(undisturbed(7, 0) != undisturbed(8, 0));
}

BOOST_AUTO_TEST_CASE(how_runs_are_cut_changes_nothing) {
  for (std::uint32_t seed = 0; seed < 6; ++seed) {
    const hash expected = undisturbed(5 + 10 * seed, seed % 3);
    machine vm = workers().make();
    SUPPORT_OK(comet_schedule_set(vm, 5 + 10 * seed, seed % 3, error));
    std::mt19937 random(seed);
    std::uint64_t count = 0;
    for (;;) {
      const std::uint64_t fuel = random() % 200;
      const comet_stop stop = run_all(vm, fuel);
      count += stop.executed;
      BOOST_REQUIRE_EQUAL(schedule_of(vm).instruction_count, count);
      if (stop.reason == COMET_HALTED) break;
      BOOST_REQUIRE_EQUAL(stop.reason, COMET_OUT_OF_FUEL);
      BOOST_REQUIRE_EQUAL(stop.executed, fuel);
    }
    BOOST_CHECK(vm.state_hash() == expected);
  }
}

BOOST_AUTO_TEST_CASE(a_run_that_goes_back_and_moves_ends_with_the_same_hash) {
  const hash expected = undisturbed(20, 1);
  machine first = workers().make();
  SUPPORT_OK(comet_schedule_set(first, 20, 1, error));
  std::unique_ptr<machine> vm = std::make_unique<machine>(std::move(first));
  std::mt19937 random(4711);
  for (int move = 0; move < 20; ++move) {
    run_all(*vm, random() % 400);
    {
      const hash before = vm->state_hash();
      snapshot here(*vm);
      run_all(*vm, random() % 1000);
      here.restore();
      BOOST_REQUIRE(vm->state_hash() == before);
    }
    const bytes file = saved(*vm);
    auto other = std::make_unique<machine>();
    SUPPORT_OK(comet_state_restore(*other, state(file), error));
    BOOST_REQUIRE(other->state_hash() == vm->state_hash());
    vm = std::move(other);
  }
  BOOST_CHECK_EQUAL(run_all(*vm).reason, COMET_HALTED);
  BOOST_CHECK(vm->state_hash() == expected);
}

BOOST_AUTO_TEST_CASE(a_fork_goes_on_alone) {
  machine vm = workers().make();
  run_all(vm, 500);
  comet_machine* made = nullptr;
  SUPPORT_OK(comet_machine_fork(vm, nullptr, &made, error));
  machine fork(made);
  BOOST_CHECK(fork.state_hash() == vm.state_hash());
  run_all(vm);
  run_all(fork);
  BOOST_CHECK(fork.state_hash() == vm.state_hash());
}

BOOST_AUTO_TEST_CASE(stops_name_the_thread) {
  program p = workers();
  machine vm = p.make();
  SUPPORT_OK(comet_breakpoint_set(vm, 0, function_address(2), error));
  comet_stop stop = run_all(vm);
  BOOST_CHECK_EQUAL(stop.reason, COMET_BREAKPOINT);
  BOOST_CHECK_EQUAL(stop.thread, 4u);
  BOOST_CHECK_EQUAL(stop.pc, function_address(2));
  SUPPORT_OK(comet_breakpoint_clear(vm, 0, function_address(2), error));
  SUPPORT_OK(comet_breakpoint_set(vm, 0, function_address(1), error));
  vm = p.make();
  SUPPORT_OK(comet_breakpoint_set(vm, 0, function_address(1), error));
  for (const comet_thread thread : {1u, 2u, 3u}) {
    stop = run_all(vm);
    BOOST_CHECK_EQUAL(stop.reason, COMET_BREAKPOINT);
    BOOST_CHECK_EQUAL(stop.thread, thread);
  }
  BOOST_CHECK_EQUAL(run_all(vm).reason, COMET_HALTED);
}

BOOST_AUTO_TEST_CASE(a_breakpoint_at_the_beginning_of_a_turn_stops) {
  program p;
  for (int n = 0; n < 2; ++n) p.add("imm", {11, function_address(1)}).call("spawn", 10);
  const std::uint64_t loop = p.here();
  p.add("addi", {1, 1, 1}).add("jump", {loop});
  p.at(1);
  p.add("addi", {1, 1, 1}).add("jump", {function_address(1)});
  machine vm = p.make();
  SUPPORT_OK(comet_schedule_set(vm, 10, 0, error));
  run_all(vm, 100);
  SUPPORT_OK(comet_breakpoint_set(vm, 0, loop, error));
  for (int times = 0; times < 10; ++times) {
    const comet_stop stop = run_all(vm, 100);
    BOOST_REQUIRE_EQUAL(stop.reason, COMET_BREAKPOINT);
    BOOST_REQUIRE_EQUAL(stop.thread, 0u);
    BOOST_REQUIRE_GT(stop.executed, 0u);
  }
}

BOOST_AUTO_TEST_CASE(when_all_wait_the_run_says_so_and_for_what) {
  program p;
  p.add("imm", {11, function_address(1)}).call("spawn", 10).call("join", 10).add("halt");
  p.at(1).add("imm", {11, data_address}).add("imm", {13, forever}).call("wait32", 10).add("ret");
  machine vm = p.make();
  const comet_stop stop = run_all(vm);
  BOOST_CHECK_EQUAL(stop.reason, COMET_WAITING);
  BOOST_CHECK_EQUAL(std::string(comet_reason_name(stop.reason)), "waiting");
  BOOST_CHECK_EQUAL(vm.info(0).standing, COMET_WAITS_FOR_THREAD);
  BOOST_CHECK_EQUAL(vm.info(0).place, 1u);
  BOOST_CHECK_EQUAL(vm.info(1).standing, COMET_WAITS_FOR_ADDRESS);
  BOOST_CHECK_EQUAL(vm.info(1).place, data_address);
  BOOST_CHECK_EQUAL(run_all(vm).reason, COMET_WAITING);
  BOOST_CHECK_EQUAL(vm.run(plenty, 1).reason, COMET_WAITING);
  // The embedder lets it go on.
  vm.set_pc(vm.info(1).pc + 3, 1);
  BOOST_CHECK_EQUAL(run_all(vm).reason, COMET_HALTED);
}

BOOST_AUTO_TEST_CASE(waiting_fails_at_once_where_the_value_is_another) {
  program p;
  p.add("imm", {11, data_address}).add("imm", {12, 5}).add("imm", {13, forever}).call("wait64", 10).add("mov", {1, 11});
  p.add("imm", {11, data_address + 2}).call("wait32", 10).add("mov", {2, 11});
  p.add("imm", {11, data_address}).add("imm", {12, 9}).call("notify", 10).add("mov", {3, 11});
  p.add("imm", {11, 0}).call("join", 10).add("mov", {4, 11}).add("imm", {11, 77}).call("join", 10).add("mov", {5, 11});
  p.call("self", 10).add("mov", {6, 11}).call("leave", 10).add("mov", {7, 11});
  p.add("imm", {11, 0x900000}).call("wait32", 10);
  machine vm = p.make();
  const comet_stop stop = run_all(vm);
  BOOST_CHECK_EQUAL(stop.trap, COMET_TRAP_READ);
  BOOST_CHECK_EQUAL(stop.address, 0x900000u);
  BOOST_CHECK_EQUAL(vm.get(1), 1u);
  BOOST_CHECK_EQUAL(static_cast<std::int64_t>(vm.get(2)), -22);
  BOOST_CHECK_EQUAL(vm.get(3), 0u);
  BOOST_CHECK_EQUAL(static_cast<std::int64_t>(vm.get(4)), -35);
  BOOST_CHECK_EQUAL(static_cast<std::int64_t>(vm.get(5)), -3);
  BOOST_CHECK_EQUAL(vm.get(6), 0u);
  BOOST_CHECK_EQUAL(static_cast<std::int64_t>(vm.get(7)), -22);
}

BOOST_AUTO_TEST_CASE(only_who_waits_at_the_address_is_woken) {
  program p;
  for (const unsigned function : {1u, 2u}) p.add("imm", {11, function_address(function)}).call("spawn", 10);
  p.call("yield", 10).call("yield", 10).add("imm", {11, data_address + 8}).add("imm", {12, forever}).call("notify", 10).add("mov", {1, 11});
  p.call("yield", 10).add("halt");
  for (const unsigned function : {1u, 2u})
    p.at(function).add("imm", {11, data_address + 8 * (function - 1)}).add("imm", {13, forever}).call("wait64", 10).add("ret");
  machine vm = p.make();
  BOOST_CHECK_EQUAL(run_all(vm).reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(vm.get(1), 1u);
  BOOST_CHECK_EQUAL(vm.info(1).standing, COMET_WAITS_FOR_ADDRESS);
  BOOST_CHECK_NE(vm.info(2).standing, COMET_WAITS_FOR_ADDRESS);
}

// In order of their waiting, and only in the same space.
BOOST_AUTO_TEST_CASE(who_waited_first_is_woken_first) {
  program p;
  for (const unsigned function : {1u, 2u}) p.add("imm", {11, function_address(function)}).call("spawn", 10);
  for (int n = 0; n < 4; ++n) p.call("yield", 20);
  p.add("imm", {11, data_address}).add("imm", {12, 1}).call("notify", 10).call("yield", 20).add("halt");
  p.at(1).call("yield", 20).add("jump", {function_address(2)});
  p.at(2).add("imm", {11, data_address}).add("imm", {13, forever}).call("wait64", 10).add("ret");
  machine vm = p.make();
  comet_space other = 0;
  SUPPORT_OK(comet_space_new(vm, &other, error));
  vm.map(data_address, 8, read_write, other);
  vm.map(code_address, COMET_PAGE_SIZE, all_rights, other);
  vm.write(code_address, vm.read(code_address, 2048), other);
  comet_thread first = 0;
  SUPPORT_OK(comet_thread_new(vm, other, function_address(2), &first, error));
  BOOST_CHECK_EQUAL(run_all(vm).reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(vm.info(first).standing, COMET_WAITS_FOR_ADDRESS);
  BOOST_CHECK_EQUAL(vm.info(2).standing, COMET_WAITS_FOR_ADDRESS);
  BOOST_CHECK_NE(vm.info(3).standing, COMET_WAITS_FOR_ADDRESS);
}

BOOST_AUTO_TEST_CASE(when_the_last_that_runs_is_freed_the_others_wait) {
  program p;
  p.add("imm", {11, function_address(1)}).call("spawn", 10).call("pause", 10).add("halt");
  p.at(1).add("jump", {function_address(1)});
  machine vm = p.make();
  run_all(vm, 100000);
  BOOST_REQUIRE_EQUAL(schedule_of(vm).current, 1u);
  SUPPORT_OK(comet_thread_free(vm, 1, error));
  BOOST_CHECK_EQUAL(schedule_of(vm).current, 0u);
  BOOST_CHECK_EQUAL(run_all(vm).reason, COMET_WAITING);
}

// Who joins a thread takes it away, so only those that the program made can be joined; and who is alone yields to nobody.
BOOST_AUTO_TEST_CASE(threads_of_the_embedder_are_not_joined) {
  program p;
  p.call("yield", 10).add("imm", {11, 1}).call("join", 10).add("halt");
  machine alone = p.make(), vm = p.make();
  BOOST_CHECK_EQUAL(run_all(alone).reason, COMET_HALTED);
  comet_thread other = 0;
  SUPPORT_OK(comet_thread_new(vm, 0, function_address(1), &other, error));
  BOOST_CHECK_EQUAL(vm.run().reason, COMET_HALTED);
  for (const machine* each : {&alone, &vm}) BOOST_CHECK_EQUAL(static_cast<std::int64_t>(each->get(11)), -3);
  BOOST_CHECK_EQUAL(vm.info(other).instruction_count, 0u);
}

BOOST_AUTO_TEST_CASE(a_thread_that_has_ended_is_joined_where_the_machine_was_moved) {
  program p;
  p.add("imm", {11, function_address(1)}).call("spawn", 10).call("yield", 20).add("nop").call("join", 10).add("halt");
  p.at(1).add("imm", {1, 77}).add("ret");
  machine vm = p.make(), moved;
  while (vm.info(comet_thread{0}).instruction_count < 4) run_all(vm, 1);
  BOOST_REQUIRE_EQUAL(vm.info(1).standing, COMET_ENDED);
  SUPPORT_OK(comet_state_restore(moved, state(saved(vm)), error));
  BOOST_CHECK_EQUAL(run_all(moved).reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(moved.get(11), 77u);
}

BOOST_AUTO_TEST_CASE(there_are_no_more_threads_than_the_limit) {
  program p;
  const std::uint64_t loop = p.here();
  p.add("imm", {11, function_address(1)}).call("spawn", 10).add("blti_s", {11, 0, function_address(2)}).add("jump", {loop});
  p.at(1).add("imm", {11, 7}).call("leave", 10).add("brk");
  p.at(2).add("mov", {2, 11}).add("imm", {11, 1}).call("join", 10).add("mov", {1, 11}).add("halt");
  comet_config config = COMET_CONFIG_INIT;
  config.thread_limit = 5;
  machine vm = p.make(&config);
  BOOST_CHECK_EQUAL(run_all(vm).reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(static_cast<std::int64_t>(vm.get(2)), -11);
  BOOST_CHECK_EQUAL(vm.get(1), 7u);
  BOOST_CHECK_EQUAL(vm.info(4).standing, COMET_ENDED);
  BOOST_CHECK_EQUAL(vm.info(4).place, 7u);
  BOOST_CHECK_EQUAL(vm.run(plenty, 4).exit_status, 7);
  comet_machine* made = nullptr;
  config.thread_limit = 0;
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_machine_new(&config, &made, error));
}

BOOST_AUTO_TEST_CASE(threads_run_one_by_one_when_the_embedder_wants) {
  machine vm = workers().make();
  BOOST_CHECK_EQUAL(vm.run().reason, COMET_WAITING);  // for its first thread
  for (const comet_thread thread : {2u, 3u, 1u}) {
    const comet_stop stop = vm.run(plenty, thread);
    BOOST_CHECK_EQUAL(stop.reason, COMET_HALTED);
    BOOST_CHECK_EQUAL(stop.exit_status, static_cast<std::int64_t>(100 * thread));
  }
  BOOST_CHECK_EQUAL(vm.run(plenty, 4).reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(vm.run().reason, COMET_HALTED);
}

BOOST_AUTO_TEST_CASE(a_program_without_the_threads_makes_none) {
  program p;
  p.call("spawn", 10);
  machine vm = p.make();
  SUPPORT_OK(comet_host_revoke_standard(vm, "threads", error));
  BOOST_CHECK_EQUAL(run_all(vm).trap, COMET_TRAP_HOST_CALL);
}

BOOST_AUTO_TEST_CASE(a_past_with_threads_is_run_again_with_its_host_calls) {
  program p;
  for (std::uint64_t n = 1; n <= 2; ++n) p.add("imm", {11, function_address(1)}).add("imm", {12, n}).call("spawn", 10).add("mov", {n, 11});
  for (std::uint64_t n = 1; n <= 2; ++n) p.add("mov", {11, n}).call("join", 10);
  p.add("halt");
  p.at(1).add("imm", {3, 50});
  const std::uint64_t loop = p.here();
  p.add("imm", {11, data_address}).add("imm", {12, 8}).call("random", 10).add("addi", {3, 3, minus_one}).add("bnei", {3, 0, loop}).add("ret");
  machine vm = p.make();
  SUPPORT_OK(comet_host_grant_standard(vm, "random", error));
  SUPPORT_OK(comet_schedule_set(vm, 9, 5, error));
  SUPPORT_OK(comet_timeline_start(vm, 1 << 20, error));
  snapshot start(vm);
  std::vector<hash> seen;
  for (comet_reason reason = COMET_OUT_OF_FUEL; reason == COMET_OUT_OF_FUEL; seen.push_back(vm.state_hash()))
    reason = run_all(vm, 37).reason;
  for (int again = 0; again < 2; ++again) {
    start.restore();
    for (const hash& expected : seen) {
      run_all(vm, 37);
      BOOST_REQUIRE(vm.state_hash() == expected);
    }
  }
  comet_timeline_info info = COMET_TIMELINE_INFO_INIT;
  SUPPORT_OK(comet_timeline_get(vm, COMET_EVERY_THREAD, &info, error));
  BOOST_CHECK_EQUAL(info.entries, 100u);
  BOOST_CHECK_EQUAL(info.begin, 0u);
  BOOST_CHECK_GT(info.end, 500u);
}

// Also where the machine that answers is another than the one that asked.
BOOST_AUTO_TEST_CASE(a_call_that_the_embedder_answers_is_an_instruction_of_its_slice_live_and_from_the_log) {
  program p;
  for (std::uint64_t n = 1; n <= 2; ++n) p.add("imm", {11, function_address(1)}).call("spawn", 10).add("mov", {n, 11});
  for (std::uint64_t n = 1; n <= 2; ++n) p.add("mov", {11, n}).call("join", 10);
  p.add("halt");
  p.at(1).add("imm", {3, 30});
  const std::uint64_t loop = p.here();
  p.call("ask", 10).add("add", {1, 1, 11}).add("addi", {3, 3, minus_one}).add("bnei", {3, 0, loop}).add("ret");
  for (const bool moved : {false, true}) {
    machine vm = p.make();
    SUPPORT_OK(comet_host_grant(vm, "ask", nullptr, nullptr, error));
    SUPPORT_OK(comet_schedule_set(vm, 7, 0, error));
    SUPPORT_OK(comet_timeline_start(vm, 1 << 20, error));
    bytes file;
    SUPPORT_OK(comet_record_start(vm, nullptr, append, &file, error));
    std::vector<std::pair<std::uint64_t, hash>> seen;
    machine other;
    SUPPORT_OK(comet_host_grant(other, "ask", nullptr, nullptr, error));
    for (comet_stop stop = run_all(vm); stop.reason == COMET_HOST_CALL; stop = run_all(vm)) {
      if (moved) {
        const state there(saved(vm));
        SUPPORT_OK(comet_state_restore(other, there, error));
        SUPPORT_OK(comet_host_complete(other, stop.thread, 5, error));
      }
      SUPPORT_OK(comet_host_complete(vm, stop.thread, 5, error));
      if (moved) BOOST_REQUIRE(vm.state_hash() == other.state_hash());
      seen.emplace_back(schedule_of(vm).instruction_count, vm.state_hash());
    }
    SUPPORT_OK(comet_record_stop(vm, nullptr, error));
    BOOST_CHECK_EQUAL(seen.size(), 60u);
    const state recording(file);
    machine again;
    SUPPORT_OK(comet_host_grant(again, "ask", nullptr, nullptr, error));
    SUPPORT_OK(comet_state_restore(again, recording, error));
    SUPPORT_OK(comet_timeline_load(again, recording, 1 << 20, error));
    for (const auto& [count, expected] : seen) {
      run_all(again, count - schedule_of(again).instruction_count);
      BOOST_REQUIRE(again.state_hash() == expected);
    }
  }
}

BOOST_AUTO_TEST_CASE(observed_counts_are_those_of_all_threads) {
  machine vm = workers().make();
  SUPPORT_OK(comet_schedule_set(vm, 50, 0, error));
  snapshot start(vm);
  observing writes({{COMET_EVENT_WRITE, data_address, data_address + 7}}, 2000);
  writes.run(vm, plenty, COMET_EVERY_THREAD);
  const std::vector<comet_event>& events = writes.events;
  BOOST_CHECK_EQUAL(writes.value.event_count, 903u);
  for (std::size_t i = 1; i < writes.value.event_count; ++i) BOOST_REQUIRE_LT(events[i - 1].count, events[i].count);
  // At the count of an event the instruction is the one that made it.
  start.restore();
  const comet_event& one = events[450];
  run_all(vm, one.count);
  BOOST_CHECK_EQUAL(vm.read_word(data_address), one.before);
  BOOST_CHECK_EQUAL(vm.info(schedule_of(vm).current).pc, one.pc);
  run_all(vm, 1);
  BOOST_CHECK_EQUAL(vm.read_word(data_address), one.after);
}

BOOST_AUTO_TEST_CASE(what_no_schedule_can_be_is_refused) {
  machine vm(code().add("halt"));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_schedule_set(vm, 0, 0, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_schedule_set(vm, (std::uint64_t{1} << 32) + 1, 0, error));
  SUPPORT_OK(comet_schedule_set(vm, std::uint64_t{1} << 32, 0, error));
  BOOST_CHECK_EQUAL(schedule_of(vm).slice, std::uint64_t{1} << 32);
}

BOOST_AUTO_TEST_CASE(a_reset_leaves_the_lengths_of_turns) {
  machine vm(code().add("nop").add("halt"));
  for (const std::uint64_t seed : {0, 5}) {
    SUPPORT_OK(comet_schedule_set(vm, 77, seed, error));
    run_all(vm, 1);
    SUPPORT_OK(comet_machine_reset(vm, error));
    BOOST_CHECK_EQUAL(schedule_of(vm).slice, 77u);
    BOOST_CHECK_EQUAL(schedule_of(vm).seed, seed);
    BOOST_CHECK_EQUAL(schedule_of(vm).instruction_count, 0u);
    vm.load(code().add("nop").add("halt"));
    vm.restart(code_address);
  }
  machine other;
  const std::uint64_t usual = schedule_of(other).slice;
  SUPPORT_OK(comet_schedule_set(other, usual, 9, error));
  SUPPORT_OK(comet_machine_reset(other, error));
  BOOST_CHECK_EQUAL(schedule_of(other).slice, usual);
  BOOST_CHECK_EQUAL(schedule_of(other).seed, 9u);
}

BOOST_AUTO_TEST_SUITE_END()
