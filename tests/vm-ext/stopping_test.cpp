// What stops a run from outside the program: breakpoints, watchpoints, interruption, deadline, poll.
#include <atomic>
#include <chrono>
#include <csignal>
#include <thread>

#include <sys/time.h>

#include "support.h"

using namespace support;

namespace {

using seconds = std::chrono::duration<double>;

code endless() { return code().add("addi", {1, 1, 1}).add("jump", {code_address}); }

double time_of(machine& vm, comet_stop& stop) {
  const auto begin = std::chrono::steady_clock::now();
  stop = vm.run();
  return seconds(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(stopping)

BOOST_AUTO_TEST_CASE(a_breakpoint_stops_before_its_instruction_and_not_before_the_first) {
  code program;
  program.add("addi", {1, 1, 1});
  const std::uint64_t second = program.here();
  program.add("addi", {2, 2, 1}).add("jump", {code_address});
  machine vm(program);
  SUPPORT_OK(comet_breakpoint_set(vm, 0, second, error));
  for (std::uint64_t n = 1; n <= 5; ++n) {
    const comet_stop stop = vm.run();
    BOOST_CHECK_EQUAL(stop.reason, COMET_BREAKPOINT);
    BOOST_CHECK_EQUAL(stop.pc, second);
    BOOST_CHECK_EQUAL(stop.executed, n == 1 ? 1u : 3u);
    BOOST_CHECK_EQUAL(vm.get(1), n);
    BOOST_CHECK_EQUAL(vm.get(2), n - 1);
  }
  SUPPORT_OK(comet_breakpoint_clear(vm, 0, second, error));
  BOOST_CHECK_EQUAL(vm.run(1000).reason, COMET_OUT_OF_FUEL);
  SUPPORT_FAILS(COMET_ERROR_ADDRESS, comet_breakpoint_clear(vm, 0, second, error));
}

BOOST_AUTO_TEST_CASE(a_breakpoint_on_a_loop_of_one_instruction_stops_each_round) {
  machine vm(code().add("jump", {code_address}));
  SUPPORT_OK(comet_breakpoint_set(vm, 0, code_address, error));
  for (int n = 0; n < 3; ++n) {
    const comet_stop stop = vm.run();
    BOOST_CHECK_EQUAL(stop.reason, COMET_BREAKPOINT);
    BOOST_CHECK_EQUAL(stop.executed, 1u);
  }
}

BOOST_AUTO_TEST_CASE(a_breakpoint_inside_an_instruction_is_no_hindrance) {
  machine vm(code().add("addi", {1, 1, 1}).add("halt"));
  SUPPORT_OK(comet_breakpoint_set(vm, 0, code_address + 1, error));
  BOOST_CHECK_EQUAL(vm.run().reason, COMET_HALTED);
}

BOOST_AUTO_TEST_CASE(a_breakpoint_may_be_where_no_code_is_yet) {
  machine vm(code().add("nop").add("halt"));
  SUPPORT_OK(comet_breakpoint_set(vm, 0, 0x700000000000, error));
  SUPPORT_OK(comet_breakpoint_set(vm, 0, code_address + 1, error));
  SUPPORT_OK(comet_breakpoint_set(vm, 0, code_address + 1, error));
  BOOST_CHECK_EQUAL(vm.run().reason, COMET_BREAKPOINT);
  SUPPORT_OK(comet_breakpoint_clear(vm, 0, 0x700000000000, error));
}

BOOST_AUTO_TEST_CASE(breakpoints_belong_to_one_space) {
  machine vm(code().add("nop").add("halt"));
  comet_space space = 0;
  comet_thread thread = 0;
  SUPPORT_OK(comet_space_new(vm, &space, error));
  vm.load(code().add("nop").add("halt"), read_execute, space);
  SUPPORT_OK(comet_thread_new(vm, space, code_address, &thread, error));
  SUPPORT_OK(comet_breakpoint_set(vm, space, code_address + 1, error));
  BOOST_CHECK_EQUAL(vm.run().reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(vm.run(plenty, thread).reason, COMET_BREAKPOINT);
}

BOOST_AUTO_TEST_CASE(breakpoints_do_not_change_counts_or_state) {
  const code program = code()
                           .add("addi", {1, 1, 1})
                           .add("nop")
                           .add("mul", {2, 1, 1})
                           .add("bnei", {1, 50, code_address})
                           .add("halt");
  machine plain(program);
  plain.run();
  machine vm(program);
  for (std::uint64_t address = code_address; address < code_address + program.content().size(); ++address)
    SUPPORT_OK(comet_breakpoint_set(vm, 0, address, error));
  comet_stop stop{};
  do stop = vm.run();
  while (stop.reason == COMET_BREAKPOINT);
  BOOST_CHECK_EQUAL(stop.reason, COMET_HALTED);
  BOOST_CHECK(vm.state_hash() == plain.state_hash());
}

BOOST_AUTO_TEST_CASE(a_watchpoint_stops_behind_what_touches_its_range) {
  for (const std::uint64_t base : {data_address, std::uint64_t{0x700000000000}}) {
    code program;
    program.add("st8", {1, 2, 7}).add("st32", {1, 2, 5});  // before the range, and into it
    const std::uint64_t behind_write = program.here();
    program.add("ldu64", {3, 1, 16}).add("ldu16", {3, 1, 15});  // behind the range, and into it
    const std::uint64_t behind_read = program.here();
    program.add("halt");
    machine vm(program);
    vm.map(base, 1, read_write);
    vm.set(1, base);
    std::uint32_t id = 99;
    SUPPORT_OK(comet_watchpoint_set(vm, 0, base + 8, 8, read_write, &id, error));
    comet_stop stop = vm.run();
    BOOST_CHECK_EQUAL(stop.reason, COMET_WATCHPOINT);
    BOOST_CHECK_EQUAL(stop.pc, behind_write);
    BOOST_CHECK_EQUAL(stop.address, base + 8);
    BOOST_CHECK_EQUAL(stop.access, COMET_WRITE);
    BOOST_CHECK_EQUAL(stop.watchpoint, id);
    BOOST_CHECK_EQUAL(stop.executed, 2u);
    stop = vm.run();
    BOOST_CHECK_EQUAL(stop.reason, COMET_WATCHPOINT);
    BOOST_CHECK_EQUAL(stop.pc, behind_read);
    BOOST_CHECK_EQUAL(stop.access, COMET_READ);
    BOOST_CHECK_EQUAL(vm.run().reason, COMET_HALTED);
  }
}

BOOST_AUTO_TEST_CASE(a_watchpoint_sees_the_access_it_was_set_for_and_no_other) {
  const code program = code().add("ldu64", {3, 1, 0}).add("st64", {1, 2, 0}).add("halt");
  for (const int access : {COMET_READ, COMET_WRITE}) {
    machine vm(program);
    vm.set(1, data_address);
    std::uint32_t id = 0;
    SUPPORT_OK(comet_watchpoint_set(vm, 0, data_address, 1, access, &id, error));
    const comet_stop stop = vm.run();
    BOOST_CHECK_EQUAL(stop.reason, COMET_WATCHPOINT);
    BOOST_CHECK_EQUAL(stop.access, access);
    BOOST_CHECK_EQUAL(stop.executed, access == COMET_READ ? 1u : 2u);
    BOOST_CHECK_EQUAL(vm.run().reason, COMET_HALTED);
    vm.set_pc(code_address);
    SUPPORT_OK(comet_watchpoint_clear(vm, id, error));
    BOOST_CHECK_EQUAL(vm.run().reason, COMET_HALTED);
    SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_watchpoint_clear(vm, id, error));
  }
  machine filling(code().add("bfill", {1, 0, 2}).add("halt"));
  filling.set(1, data_address);
  filling.set(2, 64);
  std::uint32_t id = 0;
  SUPPORT_OK(comet_watchpoint_set(filling, 0, data_address, 8, COMET_READ, &id, error));
  BOOST_CHECK_EQUAL(filling.run().reason, COMET_HALTED);
}

BOOST_AUTO_TEST_CASE(watchpoints_see_blocks_atomics_tables_and_stores_of_every_kind) {
  struct sample {
    const char* name;
    fields operands;
    int access;
  };
  const sample samples[] = {{"bfill", {1, 0, 4}, COMET_WRITE},
                            {"bcopy", {1, 5, 4}, COMET_WRITE},
                            {"bcopy", {5, 1, 4}, COMET_READ},
                            {"aadd32", {3, 1, 4}, COMET_WRITE},
                            {"ast8", {1, 4}, COMET_WRITE},
                            {"aldu64", {3, 1}, COMET_READ},
                            {"stx16", {1, 0, 4}, COMET_WRITE},
                            {"ldxu32", {3, 1, 0}, COMET_READ},
                            {"jtab", {0, 1, data_address}, COMET_READ}};
  for (const sample& each : samples) {
    BOOST_TEST_CONTEXT(each.name) {
      code program;
      program.add(each.name, each.operands);
      program.add("halt");
      machine vm(program);
      vm.set(1, data_address);
      vm.set(4, 64);
      vm.set(5, data_address + 0x8000);
      std::uint32_t id = 0;
      SUPPORT_OK(comet_watchpoint_set(vm, 0, data_address, 1, read_write, &id, error));
      const comet_stop stop = vm.run();
      BOOST_CHECK_EQUAL(stop.reason, COMET_WATCHPOINT);
      BOOST_CHECK_EQUAL(stop.executed, 1u);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_jump_table_beside_the_code_is_read_each_time) {
  const std::uint64_t table = code_address + 0x100;
  const bytes back_to_the_code = {0, 0xff, 0xff, 0xff};
  machine vm(code().add("jtab", {0, 1, table}));
  vm.write(table, back_to_the_code);
  BOOST_CHECK_EQUAL(vm.run(10000).reason, COMET_OUT_OF_FUEL);
  std::uint32_t id = 0;
  SUPPORT_OK(comet_watchpoint_set(vm, 0, table + 1, 1, COMET_READ, &id, error));
  comet_stop stop = vm.run(10000);
  BOOST_CHECK_EQUAL(stop.reason, COMET_WATCHPOINT);
  BOOST_CHECK_EQUAL(stop.executed, 1u);
  SUPPORT_OK(comet_watchpoint_clear(vm, id, error));
  BOOST_CHECK_EQUAL(vm.run(10000).reason, COMET_OUT_OF_FUEL);
  SUPPORT_OK(comet_protect(vm, 0, code_address, COMET_PAGE_SIZE, COMET_EXECUTE, error));
  stop = vm.run(10000);
  BOOST_CHECK_EQUAL(stop.reason, COMET_TRAP);
  BOOST_CHECK_EQUAL(stop.address, table);
  BOOST_CHECK_EQUAL(stop.executed, 0u);
}

BOOST_AUTO_TEST_CASE(interruption_from_another_thread_stops_an_endless_loop) {
  machine vm(endless());
  std::thread other([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    comet_interrupt(vm);
  });
  comet_stop stop{};
  const double time = time_of(vm, stop);
  other.join();
  BOOST_CHECK_EQUAL(stop.reason, COMET_INTERRUPTED);
  BOOST_CHECK_LT(time, 2.0);
  BOOST_CHECK_EQUAL(vm.info().instruction_count, stop.executed);
  BOOST_CHECK_EQUAL(vm.get(1), (stop.executed + 1) / 2);
  BOOST_CHECK_EQUAL(vm.run(1000).reason, COMET_OUT_OF_FUEL);
}

BOOST_AUTO_TEST_CASE(interruption_before_a_run_stops_the_next_one_only) {
  machine vm(endless());
  comet_interrupt(vm);
  comet_interrupt(vm);
  BOOST_CHECK_EQUAL(vm.run().reason, COMET_INTERRUPTED);
  BOOST_CHECK_EQUAL(vm.run(5000).reason, COMET_OUT_OF_FUEL);
}

BOOST_AUTO_TEST_CASE(interruption_works_from_a_signal_handler) {
  machine vm(endless());
  static comet_machine* target;
  target = vm;
  struct sigaction action = {}, before = {};
  action.sa_handler = [](int) { comet_interrupt(target); };
  sigaction(SIGALRM, &action, &before);
  const itimerval timer = {{0, 0}, {0, 20000}};
  setitimer(ITIMER_REAL, &timer, nullptr);
  BOOST_CHECK_EQUAL(vm.run().reason, COMET_INTERRUPTED);
  sigaction(SIGALRM, &before, nullptr);
}

BOOST_AUTO_TEST_CASE(interruption_reaches_loops_that_call_block_and_modify_themselves) {
  code shapes[3];
  shapes[0].add("call", {1, code_address + 8}).add("jump", {code_address});
  while (shapes[0].here() < code_address + 8) shapes[0].add("nop");
  shapes[0].add("ret");
  shapes[1].add("bfill", {1, 0, 2}).add("jump", {code_address});
  shapes[2].add("st8", {3, 0, 0x8000}).add("jump", {code_address});
  for (const code& shape : shapes) {
    machine vm;
    vm.load(shape, all_rights);
    vm.map(data_address, 1, read_write);
    vm.restart(code_address);
    vm.set(1, data_address);
    vm.set(2, 60000);
    vm.set(3, code_address);
    comet_set_deadline(vm, 20000000);
    comet_stop stop{};
    BOOST_CHECK_LT(time_of(vm, stop), 2.0);
    BOOST_CHECK_EQUAL(stop.reason, COMET_INTERRUPTED);
  }
}

BOOST_AUTO_TEST_CASE(a_deadline_ends_a_run_and_later_runs_too_until_it_is_lifted) {
  machine vm(endless());
  comet_set_deadline(vm, 20000000);
  comet_stop stop{};
  const double time = time_of(vm, stop);
  BOOST_CHECK_EQUAL(stop.reason, COMET_INTERRUPTED);
  BOOST_CHECK_GT(time, 0.01);
  BOOST_CHECK_LT(time, 2.0);
  BOOST_CHECK_EQUAL(vm.run().reason, COMET_INTERRUPTED);
  comet_set_deadline(vm, 0);
  BOOST_CHECK_EQUAL(vm.run(100000).reason, COMET_OUT_OF_FUEL);
}

BOOST_AUTO_TEST_CASE(the_poll_function_is_called_on_the_runs_own_thread_and_can_stop_it) {
  struct poll_data {
    std::thread::id caller;
    int calls = 0;
  } data;
  machine vm(endless());
  comet_set_poll(
      vm,
      [](void* pointer) {
        auto& seen = *static_cast<poll_data*>(pointer);
        seen.caller = std::this_thread::get_id();
        return ++seen.calls == 10 ? 1 : 0;
      },
      &data);
  comet_stop stop{};
  BOOST_CHECK_LT(time_of(vm, stop), 2.0);
  BOOST_CHECK_EQUAL(stop.reason, COMET_INTERRUPTED);
  BOOST_CHECK_EQUAL(data.calls, 10);
  BOOST_CHECK(data.caller == std::this_thread::get_id());
  comet_set_poll(vm, nullptr, nullptr);
  BOOST_CHECK_EQUAL(vm.run(10000000).reason, COMET_OUT_OF_FUEL);
  BOOST_CHECK_EQUAL(data.calls, 10);
}

BOOST_AUTO_TEST_CASE(interruption_under_breakpoints_and_watchpoints) {
  machine vm(endless());
  std::uint32_t id = 0;
  SUPPORT_OK(comet_watchpoint_set(vm, 0, data_address, 8, read_write, &id, error));
  SUPPORT_OK(comet_breakpoint_set(vm, 0, 0x700000000000, error));
  comet_set_deadline(vm, 20000000);
  comet_stop stop{};
  BOOST_CHECK_LT(time_of(vm, stop), 2.0);
  BOOST_CHECK_EQUAL(stop.reason, COMET_INTERRUPTED);
}

BOOST_AUTO_TEST_CASE(machines_run_on_many_host_threads_at_once) {
  // Boost.Test's checks are for one thread: the threads only count.
  const code program =
      code().add("st64", {2, 1, 0}).add("addi", {1, 1, 1}).add("bnei", {1, 2000, code_address}).add("halt");
  std::vector<std::unique_ptr<machine>> machines;
  for (int n = 0; n < 8; ++n) {
    machines.push_back(std::make_unique<machine>(program));
    machines.back()->set(2, data_address);
  }
  std::atomic<int> right{0};
  std::vector<std::thread> threads;
  for (const auto& each : machines)
    threads.emplace_back([&right, handle = each->get()] {
      for (int round = 0; round < 50; ++round) {
        comet_stop stop = COMET_STOP_INIT;
        comet_thread_restart(handle, 0, code_address, nullptr);
        comet_set_register(handle, 0, 0, 2, data_address, nullptr);
        comet_run(handle, 0, plenty, &stop, nullptr);
        if (stop.reason == COMET_HALTED && stop.executed == 6001) ++right;
      }
    });
  for (std::thread& each : threads) each.join();
  BOOST_CHECK_EQUAL(right, 400);
  for (const auto& each : machines) BOOST_CHECK_EQUAL(each->read_word(data_address), 1999u);
}

BOOST_AUTO_TEST_CASE(a_watchpoint_names_one_kind_of_access_for_an_atomic_that_does_both) {
  for (const int watched : {int{COMET_READ}, int{COMET_WRITE}, read_write}) {
    machine vm(code().add("imm", {1, data_address}).add("aadd64", {2, 1, 1}).add("halt"));
    std::uint32_t id = 0;
    SUPPORT_OK(comet_watchpoint_set(vm, 0, data_address, 1, watched, &id, error));
    const comet_stop stop = vm.run();
    BOOST_CHECK_EQUAL(stop.reason, COMET_WATCHPOINT);
    BOOST_CHECK_EQUAL(stop.access, watched == COMET_READ ? int{COMET_READ} : int{COMET_WRITE});
  }
}

// Deep recursion, and a store into its own code each round: every store drops what was decoded, and every
// activation with it.
BOOST_AUTO_TEST_CASE(interruption_is_quick_however_much_a_store_into_code_undoes) {
  code program;
  const std::uint64_t function = code_address + 64;
  const std::uint64_t deeper = function + 16;
  program.add("imm", {2, 250000}).add("call", {1, function});
  while (program.here() < function) program.add("nop");
  program.add("bnei", {1, 0, deeper}).add("jump", {function + 32});
  while (program.here() < deeper) program.add("nop");
  program.add("addi", {3, 1, 0 - std::uint64_t{1}}).add("call", {2, function});
  while (program.here() < function + 32) program.add("nop");
  const std::uint64_t loop = program.here();
  program.add("imm", {1, loop}).add("ldu8", {2, 1, 0}).add("st8", {1, 2, 0}).add("jump", {loop});
  machine vm(program);
  SUPPORT_OK(comet_protect(vm, 0, code_address, 1, all_rights, error));
  const comet_stop deep = vm.run(3 * 250000 + 100);
  BOOST_REQUIRE(deep.reason == COMET_OUT_OF_FUEL && deep.pc >= loop);
  comet_set_deadline(vm, 50'000'000);
  comet_stop stop = COMET_STOP_INIT;
  const double time = time_of(vm, stop);
  BOOST_CHECK_EQUAL(stop.reason, COMET_INTERRUPTED);
  BOOST_CHECK_LT(time, 1.0);
}

BOOST_AUTO_TEST_SUITE_END()
