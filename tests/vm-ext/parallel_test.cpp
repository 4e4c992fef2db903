// The parallel scheduler: threads of a program on several host threads at the same time. What race-free programs compute
// is what it is in turns; what others do harms nobody but themselves; and every run ends with all threads between two of
// their instructions.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "programs.h"
#include "state_files.h"

using namespace support;

namespace {

machine make(const program& p, std::uint32_t host_threads = 4, const comet_config* config = nullptr) {
  machine vm = p.make(config);
  SUPPORT_OK(comet_set_host_threads(vm, host_threads, error));
  return vm;
}

void fill(program& p, std::uint64_t until) {
  BOOST_REQUIRE_LE(p.here(), until);
  while (p.here() < until) p.add("nop");
}

// r1 to r4: workers at function 1, which get 1 to 4; then all are joined, and their results added in r5.
program four_workers() {
  program p;
  for (std::uint64_t n = 1; n <= 4; ++n) p.add("imm", {11, function_address(1)}).add("imm", {12, n}).call("spawn", 10).add("mov", {n, 11});
  for (std::uint64_t n = 1; n <= 4; ++n) p.add("mov", {11, n}).call("join", 10).add("add", {5, 5, 11});
  p.add("halt");
  p.at(1).add("imm", {2, data_address});
  return p;
}

// Each counts to `rounds` in a word for all, and in one of its own, by plain accesses.
program counters(std::uint64_t rounds) {
  program p = four_workers();
  p.add("imm", {3, rounds}).add("imm", {4, 1}).add("muli", {6, 1, 4096}).add("add", {6, 6, 2});
  const std::uint64_t loop = p.here();
  p.add("aadd64", {0, 2, 4}).add("ldu64", {7, 6, 0}).add("addi", {7, 7, 1}).add("st64", {6, 7, 0});
  p.add("addi", {3, 3, minus_one}).add("bnei", {3, 0, loop}).add("mov", {1, 7}).add("ret");
  return p;
}

// The same by a mutex of wait and notify: 0 free, 1 taken, 2 taken and somebody waits.
program with_mutex(std::uint64_t rounds) {
  program p = four_workers();
  p.add("imm", {3, rounds}).add("imm", {4, 1}).add("imm", {5, 2});
  const std::uint64_t loop = p.here();
  p.add("imm", {6, 0}).add("acas32", {6, 2, 4});
  const std::uint64_t taken = p.here() + 48;
  p.add("beqi", {6, 0, taken});
  const std::uint64_t again = p.here();
  p.add("aswap32", {6, 2, 5}).add("beqi", {6, 0, taken});
  p.add("mov", {11, 2}).add("imm", {12, 2}).add("imm", {13, forever}).call("wait32", 10).add("jump", {again});
  fill(p, taken);
  p.add("ldu64", {7, 2, 64}).add("addi", {7, 7, 1}).add("st64", {2, 7, 64});
  p.add("aswap32", {6, 2, 0});
  const std::uint64_t free = p.here() + 24;
  p.add("bnei", {6, 2, free}).add("mov", {11, 2}).add("imm", {12, 1}).call("notify", 10);
  fill(p, free);
  p.add("addi", {3, 3, minus_one}).add("bnei", {3, 0, loop}).add("imm", {1, rounds}).add("ret");
  return p;
}

// Worker 1 hands numbers to worker 2 by a word that is 0 while it is empty; 3 and 4 do nothing.
program handing_over(std::uint64_t rounds) {
  program p = four_workers();
  p.add("imm", {3, rounds});
  const std::uint64_t consumer = function_address(2), idle = function_address(3);
  p.add("beqi", {1, 2, consumer}).add("bnei", {1, 1, idle});
  const std::uint64_t full = p.here();
  p.add("aldu64", {4, 2}).add("bnei", {4, 0, full}).add("st64", {2, 3, 8}).add("ast64", {2, 3});
  p.add("addi", {3, 3, minus_one}).add("bnei", {3, 0, full}).add("imm", {1, 0}).add("ret");
  p.at(2).add("imm", {1, 0});
  const std::uint64_t empty = p.here();
  p.add("aldu64", {4, 2}).add("beqi", {4, 0, empty}).add("ldu64", {5, 2, 8}).add("add", {1, 1, 5}).add("ast64", {2, 0});
  p.add("bnei", {4, 1, empty}).add("ret");
  p.at(3).add("imm", {1, 0}).add("ret");
  return p;
}

// Four that go round until somebody stops them, counting in r3.
program endless() {
  program p = four_workers();
  const std::uint64_t loop = p.here();
  return p.add("addi", {3, 3, 1}).add("jump", {loop});
}

// Everybody but the first stands in the loop of `endless`.
void check_places(const machine& vm, const program& p) {
  for (comet_thread thread = 1; thread <= 4; ++thread) {
    const std::uint64_t pc = vm.info(thread).pc;
    BOOST_CHECK(pc >= function_address(1) && pc < p.here());
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(parallel_runs)

BOOST_AUTO_TEST_CASE(atomics_count_exactly) {
  constexpr std::uint64_t rounds = 100000;
  machine vm = make(counters(rounds));
  const comet_stop stop = run_all(vm);
  BOOST_CHECK_EQUAL(stop.reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(stop.thread, 0u);
  BOOST_CHECK_EQUAL(vm.read_word(data_address), 4 * rounds);
  BOOST_CHECK_EQUAL(vm.get(5), 4 * rounds);
}

BOOST_AUTO_TEST_CASE(a_mutex_of_wait_and_notify_excludes) {
  constexpr std::uint64_t rounds = 2000;
  machine vm = make(with_mutex(rounds));
  BOOST_CHECK_EQUAL(run_all(vm).reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(vm.read_word(data_address + 64), 4 * rounds);
  BOOST_CHECK_EQUAL(vm.read_word(data_address), 0u);
}

BOOST_AUTO_TEST_CASE(what_is_stored_before_an_atomic_is_seen_behind_it) {
  constexpr std::uint64_t rounds = 3000;
  machine vm = make(handing_over(rounds), 2);
  BOOST_CHECK_EQUAL(run_all(vm).reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(vm.get(5), rounds * (rounds + 1) / 2);
}

BOOST_AUTO_TEST_CASE(race_free_programs_compute_what_they_do_in_turns) {
  const auto result = [](machine vm) {
    const comet_stop stop = run_all(vm);
    BOOST_CHECK_EQUAL(stop.reason, COMET_HALTED);
    return std::make_tuple(stop.executed, vm.get(5), vm.read(data_address, COMET_PAGE_SIZE), vm.info().instruction_count);
  };
  const auto expected = result(counters(5000).make());
  for (const std::uint32_t host_threads : {1u, 2u, 3u, 8u}) BOOST_CHECK(result(make(counters(5000), host_threads)) == expected);
}

BOOST_AUTO_TEST_CASE(fuel_is_exact) {
  const std::uint64_t all = [] {
    machine vm = counters(300).make();
    return run_all(vm).executed;
  }();
  for (std::uint64_t fuel : {std::uint64_t{1}, std::uint64_t{255}, std::uint64_t{256}, std::uint64_t{257}, std::uint64_t{700},
                             std::uint64_t{1500}, all - 1, all}) {
    machine vm = make(counters(300));
    std::uint64_t executed = 0;
    for (comet_stop stop = run_all(vm, fuel);; stop = run_all(vm, fuel)) {
      executed += stop.executed;
      BOOST_REQUIRE_LE(executed, all);
      if (stop.reason == COMET_HALTED) break;
      BOOST_REQUIRE_EQUAL(stop.reason, COMET_OUT_OF_FUEL);
      BOOST_REQUIRE_EQUAL(stop.executed, fuel);
      BOOST_REQUIRE_EQUAL(stop.fuel, fuel);
    }
    BOOST_CHECK_EQUAL(executed, all);
    BOOST_CHECK_EQUAL(vm.get(5), 1200u);
  }
}

BOOST_AUTO_TEST_CASE(a_deadline_and_an_interrupt_stop_all_threads) {
  const program p = endless();
  machine vm = make(p);
  // However late the host lets it run, all four threads are there.
  BOOST_REQUIRE_EQUAL(run_all(vm, 100'000).reason, COMET_OUT_OF_FUEL);
  comet_set_deadline(vm, 20'000'000);
  BOOST_CHECK_EQUAL(run_all(vm).reason, COMET_INTERRUPTED);
  comet_set_deadline(vm, 0);
  check_places(vm, p);
  std::atomic<bool> returned = false;
  std::thread other([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    while (!returned) comet_interrupt(vm), std::this_thread::yield();
  });
  BOOST_CHECK_EQUAL(run_all(vm).reason, COMET_INTERRUPTED);
  returned = true;
  other.join();
  check_places(vm, p);
  std::uint64_t counted = 0;
  for (comet_thread thread = 1; thread <= 4; ++thread) counted += vm.get(3, thread);
  BOOST_CHECK_GT(counted, 0u);
}

// Other threads stay behind in the process that forks: its child goes on with the one that there is.
BOOST_AUTO_TEST_CASE(a_child_of_the_process_runs_and_frees_the_machine) {
  machine vm = make(counters(3000));
  BOOST_REQUIRE_EQUAL(run_all(vm, 5000).reason, COMET_OUT_OF_FUEL);
  const pid_t child = fork();
  BOOST_REQUIRE_GE(child, 0);
  if (child == 0) {
    alarm(20);
    const bool right = run_all(vm).reason == COMET_HALTED && vm.get(5) == 12000 && comet_set_host_threads(vm, 0, nullptr) == COMET_OK;
    comet_machine_free(vm);
    _exit(right ? 0 : 1);
  }
  int status = -1;
  BOOST_REQUIRE_EQUAL(waitpid(child, &status, 0), child);
  BOOST_CHECK_EQUAL(status, 0);
  BOOST_CHECK_EQUAL(run_all(vm).reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(vm.get(5), 12000u);
}

BOOST_AUTO_TEST_CASE(from_a_stop_it_goes_on_in_turns_and_elsewhere) {
  constexpr std::uint64_t rounds = 3000;
  machine vm = make(with_mutex(rounds));
  while (vm.read_word(data_address + 64) < 100) BOOST_REQUIRE_EQUAL(run_all(vm, 5000).reason, COMET_OUT_OF_FUEL);
  machine in_turns;
  SUPPORT_OK(comet_state_restore(in_turns, state(saved(vm)), error));
  BOOST_CHECK(in_turns.state_hash() == vm.state_hash());
  comet_machine* made = nullptr;
  SUPPORT_OK(comet_machine_fork(vm, nullptr, &made, error));
  machine fork(made);
  SUPPORT_OK(comet_set_host_threads(fork, 3, error));
  snapshot here(vm);
  for (machine* each : {&in_turns, &fork, &vm}) {
    BOOST_CHECK_EQUAL(run_all(*each).reason, COMET_HALTED);
    BOOST_CHECK_EQUAL(each->read_word(data_address + 64), 4 * rounds);
  }
  here.restore();
  // While the timeline records, threads take turns.
  SUPPORT_OK(comet_timeline_start(vm, 1 << 20, error));
  BOOST_CHECK_EQUAL(run_all(vm).reason, COMET_HALTED);
  BOOST_CHECK(vm.state_hash() == in_turns.state_hash());
}

BOOST_AUTO_TEST_CASE(traps_name_thread_and_place) {
  program p = four_workers();
  p.add("addi", {3, 2, 1});
  const std::uint64_t bad = p.here();
  p.add("add", {4, 1, 1}).add("div_u", {4, 4, 0}).add("ret");
  machine vm = make(p);
  // All of them trap; each run tells of one, and passes it over by hand.
  const std::uint64_t at = bad + code().add("add", {4, 1, 1}).content().size();
  const std::uint64_t behind = at + code().add("div_u", {4, 4, 0}).content().size();
  for (int n = 0; n < 4; ++n) {
    const comet_stop stop = run_all(vm);
    BOOST_REQUIRE_EQUAL(stop.reason, COMET_TRAP);
    BOOST_CHECK_EQUAL(stop.trap, COMET_TRAP_DIVIDE);
    BOOST_CHECK_EQUAL(stop.pc, at);
    BOOST_REQUIRE(stop.thread >= 1 && stop.thread <= 4);
    BOOST_CHECK_EQUAL(vm.get(4, stop.thread), 2 * vm.get(1, stop.thread));
    vm.set_pc(behind, stop.thread);
  }
  BOOST_CHECK_EQUAL(run_all(vm).reason, COMET_HALTED);
}

BOOST_AUTO_TEST_CASE(breakpoints_stop_one_thread_at_a_time) {
  machine vm = make(counters(10));
  SUPPORT_OK(comet_breakpoint_set(vm, 0, function_address(1), error));
  std::uint32_t seen = 0;
  comet_stop stop = run_all(vm);
  for (; stop.reason == COMET_BREAKPOINT; stop = run_all(vm)) {
    BOOST_CHECK_EQUAL(stop.pc, function_address(1));
    BOOST_CHECK_EQUAL(seen >> stop.thread & 1, 0u);
    seen |= 1u << stop.thread;
  }
  BOOST_CHECK_EQUAL(stop.reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(seen, 0b11110u);
}

BOOST_AUTO_TEST_CASE(watchpoints_see_every_thread) {
  machine vm = make(counters(10));
  std::uint32_t id = 0;
  SUPPORT_OK(comet_watchpoint_set(vm, 0, data_address, 8, COMET_WRITE, &id, error));
  unsigned hits = 0;
  comet_stop stop = run_all(vm);
  for (; stop.reason == COMET_WATCHPOINT; stop = run_all(vm)) ++hits;
  BOOST_CHECK_EQUAL(stop.reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(hits, 40u);
}

// ---- hostile programs ----------------------------------------------------------------------------------

// Worker 1 writes the constant of an instruction that the others execute in a loop: each sees one of those that were
// written, and no other.
BOOST_AUTO_TEST_CASE(code_that_another_thread_writes_is_the_old_or_the_new) {
  program p = four_workers();
  p.add("imm", {3, 150}).add("imm", {8, function_address(2)}).add("bnei", {1, 1, function_address(2)});
  const std::size_t constant = code().add("imm", {4, 1}).content().size() - 1;  // its last byte, zig-zag or not
  const std::uint64_t write = p.here();
  p.add("andi", {5, 3, 1}).add("addi", {5, 5, 1}).add("st8", {8, 5, constant});
  p.add("addi", {3, 3, minus_one}).add("bnei", {3, 0, write}).add("imm", {1, 0}).add("imm", {9, 1}).add("ast64", {2, 9}).add("ret");
  p.at(2).add("imm", {4, 1}).add("bgei_u", {4, 3, function_address(3)}).add("aldu64", {9, 2}).add("beqi", {9, 0, function_address(2)});
  p.add("imm", {1, 0}).add("ret");
  p.at(3).add("brk");
  for (int round = 0; round < 2; ++round) {
    machine vm = make(p);
    SUPPORT_OK(comet_protect(vm, 0, code_address, COMET_PAGE_SIZE, all_rights, error));
    BOOST_REQUIRE_EQUAL(run_all(vm).reason, COMET_HALTED);
  }
}

// A host call takes a page away or gives it back, while others store to it: they go on where it is there, and trap at
// their own instruction where it is not.
BOOST_AUTO_TEST_CASE(pages_that_come_and_go_trap_in_who_misses_them) {
  program p = four_workers();
  constexpr std::uint64_t page = 0x50000;
  p.add("imm", {6, page}).add("bnei", {1, 1, function_address(2)});
  const std::uint64_t toggle = p.here();
  p.call("toggle", 20).add("imm", {7, 500});
  const std::uint64_t delay = p.here();
  p.add("addi", {7, 7, minus_one}).add("bnei", {7, 0, delay}).add("jump", {toggle});
  p.at(2).add("st64", {6, 1, 8}).add("ldu64", {7, 6, 8}).add("addi", {3, 3, 1}).add("jump", {function_address(2)});
  const std::uint64_t store = function_address(2), load = store + code().add("st64", {6, 1, 8}).content().size();
  machine vm = make(p);
  struct toggling {
    std::thread::id caller = std::this_thread::get_id();
    bool mapped = false, elsewhere = false;
  } host;
  const auto function = [](comet_call* call, void* data) -> comet_status {
    auto& host = *static_cast<toggling*>(data);
    host.elsewhere |= std::this_thread::get_id() != host.caller;
    host.mapped = !host.mapped;
    comet_machine* const vm = comet_call_machine(call);
    return host.mapped ? comet_map(vm, 0, page, COMET_PAGE_SIZE, read_write, nullptr) : comet_unmap(vm, 0, page, COMET_PAGE_SIZE, nullptr);
  };
  SUPPORT_OK(comet_host_grant(vm, "toggle", function, &host, error));
  unsigned traps = 0;
  for (int n = 0; n < 200; ++n) {
    const comet_stop stop = run_all(vm, 20000);
    if (stop.reason == COMET_OUT_OF_FUEL) continue;
    BOOST_REQUIRE_EQUAL(stop.reason, COMET_TRAP);
    BOOST_REQUIRE(stop.thread >= 2 && stop.thread <= 4);
    BOOST_REQUIRE(stop.trap == COMET_TRAP_WRITE ? stop.pc == store : stop.trap == COMET_TRAP_READ && stop.pc == load);
    BOOST_REQUIRE_EQUAL(stop.address, page + 8);
    ++traps;
  }
  BOOST_CHECK_GT(traps, 0u);
  BOOST_CHECK(!host.elsewhere);
}

// The first thread makes threads until there are as many as may be, and then joins one for each; each makes another one.
BOOST_AUTO_TEST_CASE(storms_of_threads_stay_within_the_limit) {
  program p;
  const std::uint64_t loop = p.here();
  p.add("imm", {11, function_address(1)}).call("spawn", 10).add("blti_s", {11, 0, function_address(3)}).add("jump", {loop});
  p.at(1).add("imm", {3, 40});
  const std::uint64_t work = p.here();
  p.add("addi", {3, 3, minus_one}).add("bnei", {3, 0, work}).add("imm", {11, function_address(2)}).call("spawn", 10).add("ret");
  p.at(2).add("imm", {11, 7}).call("leave", 10);
  p.at(3).add("addi", {20, 20, 1}).add("mov", {11, 20}).call("join", 10).add("jump", {loop});
  comet_config config = COMET_CONFIG_INIT;
  config.thread_limit = 24;
  machine vm = make(p, 4, &config);
  for (int n = 0; n < 20; ++n) {
    BOOST_REQUIRE_EQUAL(run_all(vm, 5000).reason, COMET_OUT_OF_FUEL);
    comet_statistics statistics = COMET_STATISTICS_INIT;
    SUPPORT_OK(comet_machine_statistics(vm, &statistics, error));
    BOOST_REQUIRE_LE(statistics.threads, 24u);
  }
  BOOST_CHECK_GT(vm.get(20), 100u);
}

BOOST_AUTO_TEST_CASE(limits_of_calls_hold_in_each_thread) {
  program p = four_workers();
  p.add("call", {3, p.here()});
  comet_config config = COMET_CONFIG_INIT;
  config.call_depth_limit = 500;
  machine vm = make(p, 4, &config);
  const comet_stop stop = run_all(vm);
  BOOST_CHECK_EQUAL(stop.trap, COMET_TRAP_CALL_DEPTH);
  BOOST_CHECK_EQUAL(vm.info(stop.thread).activations, 500u);
}

BOOST_AUTO_TEST_CASE(who_waits_for_nobody_stops_the_run) {
  program p = four_workers();
  p.add("mov", {11, 2}).add("imm", {12, 0}).add("imm", {13, forever}).call("wait64", 10).add("ret");
  machine vm = make(p);
  BOOST_CHECK_EQUAL(run_all(vm).reason, COMET_WAITING);
  BOOST_CHECK_EQUAL(run_all(vm).reason, COMET_WAITING);
}

BOOST_AUTO_TEST_CASE(events_reach_handlers) {
  program p;
  p.add("imm", {11, function_address(2)}).call("spawn", 10).on(COMET_ON_POSTED, 7, 1).call("pause", 20).add("halt");
  p.at(1).add("imm", {5, data_address}).add("st64", {5, 3, 0}).add("ret");
  p.at(2).add("jump", {function_address(2)});
  machine vm = make(p);
  BOOST_REQUIRE_EQUAL(run_all(vm, 100000).reason, COMET_OUT_OF_FUEL);
  BOOST_CHECK_EQUAL(comet_post_event(vm, COMET_ON_POSTED, 7, 99), COMET_OK);
  BOOST_CHECK_EQUAL(run_all(vm).reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(vm.read_word(data_address), 99u);
}

BOOST_AUTO_TEST_CASE(a_breakpoint_at_a_handler_that_is_called_first_stops) {
  program p;
  p.on(COMET_ON_POSTED, 7, 1).call("pause", 10).add("halt").at(1).add("nop").add("ret");
  machine vm = make(p, 2);
  SUPPORT_OK(comet_breakpoint_set(vm, 0, function_address(1), error));
  comet_set_deadline(vm, 2000000);
  BOOST_CHECK_EQUAL(run_all(vm).reason, COMET_INTERRUPTED); // it waits
  comet_set_deadline(vm, 5000000000);
  BOOST_REQUIRE_EQUAL(comet_post_event(vm, COMET_ON_POSTED, 7, 0), COMET_OK);
  const comet_stop stop = run_all(vm);
  BOOST_CHECK_EQUAL(stop.reason, COMET_BREAKPOINT);
  BOOST_CHECK_EQUAL(stop.pc, function_address(1));
  BOOST_CHECK_EQUAL(run_all(vm).reason, COMET_HALTED);
}

BOOST_AUTO_TEST_SUITE_END()
