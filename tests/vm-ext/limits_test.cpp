// Limits: each ends a run before the instruction that would pass it, and a run that goes on when it is raised ends as one
// that never met it.
#include <fcntl.h>
#include <unistd.h>

#include "state_files.h"

using namespace support;

namespace {

comet_limits limits_of(const machine& vm) {
  comet_limits limits = COMET_LIMITS_INIT;
  SUPPORT_OK(comet_get_limits(vm, &limits, error));
  return limits;
}

template <class Change> void change_limits(machine& vm, Change change) {
  comet_limits limits = limits_of(vm);
  change(limits);
  SUPPORT_OK(comet_set_limits(vm, &limits, error));
}

comet_grant_info info_of(const machine& vm, const char* name) {
  comet_grant_info info = COMET_GRANT_INFO_INIT;
  SUPPORT_OK(comet_host_granted(vm, name, &info, error));
  return info;
}

// f(n) calls f(n - 1), with windows of 100 registers.
code recursion(std::uint64_t depth) {
  code text;
  text.add("imm", {101, depth}).add("call", {100, code_address + 0x40}).add("halt");
  while (text.here() < code_address + 0x40) text.add("nop");
  const std::uint64_t end = code_address + 0x60;
  text.add("beqi", {1, 0, end}).add("addi", {101, 1, 0 - std::uint64_t{1}}).add("call", {100, code_address + 0x40});
  while (text.here() < end) text.add("nop");
  return text.add("ret");
}

// Does what `body` adds so many times; register 11 counts.
template <class Body> code repeated(std::uint64_t count, Body body) {
  code text;
  text.add("imm", {11, count});
  const std::uint64_t loop = text.here();
  body(text);
  return text.add("addi", {11, 11, 0 - std::uint64_t{1}}).add("bnei", {11, 0, loop}).add("halt");
}

// Maps `count` pages beyond each other by the host call.
code mapper(std::uint64_t count) {
  return repeated(count, [](code& text) {
    text.add("addi", {1, 10, 0x1000000}).add("imm", {2, COMET_PAGE_SIZE}).add("hcall", {0, 0});
    text.add("addi", {10, 10, COMET_PAGE_SIZE});
  });
}

// Writes 10 bytes `count` times.
code printer(std::uint64_t count) {
  return repeated(count, [](code& text) {
    text.add("imm", {1, 1}).add("imm", {2, data_address}).add("imm", {3, 10}).add("hcall", {0, 0});
  });
}

// Calls `tick` again and again.
code ticker(std::uint64_t count) {
  return repeated(count, [](code& text) { text.add("hcall", {0, 0}); });
}

comet_status count(comet_call* call, void* data) {
  comet_call_result(call, ++*static_cast<std::uint64_t*>(data));
  return COMET_OK;
}

} // namespace

BOOST_AUTO_TEST_SUITE(limits)

BOOST_AUTO_TEST_CASE(calls_and_windows_go_on_when_their_limits_are_raised) {
  machine undisturbed(recursion(2000));
  undisturbed.run();
  comet_config small = COMET_CONFIG_INIT;
  small.call_depth_limit = 10;
  small.register_limit = 1500;
  machine vm(recursion(2000), &small);
  unsigned depth_stops = 0, window_stops = 0;
  for (;;) {
    const comet_stop stop = vm.run();
    if (stop.reason == COMET_HALTED) break;
    BOOST_REQUIRE_EQUAL(stop.reason, COMET_TRAP);
    if (stop.trap == COMET_TRAP_CALL_DEPTH) {
      ++depth_stops;
      change_limits(vm, [](comet_limits& limits) { limits.call_depth *= 3; });
    } else {
      BOOST_REQUIRE_EQUAL(stop.trap, COMET_TRAP_WINDOW);
      ++window_stops;
      change_limits(vm, [](comet_limits& limits) { limits.registers *= 4; });
    }
  }
  BOOST_CHECK_GE(depth_stops, 4);
  BOOST_CHECK_GE(window_stops, 3);
  BOOST_TEST(vm.state_hash() == undisturbed.state_hash());
  comet_config config = COMET_CONFIG_INIT;
  SUPPORT_OK(comet_machine_config(vm, &config, error));
  BOOST_CHECK_EQUAL(config.call_depth_limit, limits_of(vm).call_depth);
}

BOOST_AUTO_TEST_CASE(limits_are_not_set_below_what_threads_and_snapshots_use) {
  machine vm(recursion(50));
  vm.run(100);
  const std::uint64_t depth = vm.info().activations;
  BOOST_REQUIRE_GT(depth, 20);
  const auto set = [&](std::uint64_t calls, std::uint64_t registers) {
    comet_limits limits = limits_of(vm);
    limits.call_depth = calls;
    limits.registers = registers;
    return comet_set_limits(vm, &limits, nullptr);
  };
  BOOST_CHECK_EQUAL(set(depth - 1, 1 << 20), COMET_ERROR_ARGUMENT);
  BOOST_CHECK_EQUAL(set(depth, 500), COMET_ERROR_ARGUMENT);
  BOOST_CHECK_EQUAL(set(0, 1 << 20), COMET_ERROR_ARGUMENT);
  BOOST_CHECK_EQUAL(set(depth, 1 << 20), COMET_OK);
  snapshot deep(vm);
  vm.restart(code_address);
  BOOST_CHECK_EQUAL(set(5, 1 << 20), COMET_ERROR_ARGUMENT);
  deep.restore();
  BOOST_CHECK_EQUAL(vm.info().activations, depth);
  machine wide(recursion(1)), narrow;
  wide.set(100000, 1);
  comet_limits limits = limits_of(wide);
  limits.registers = 1000;
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_set_limits(wide, &limits, error));
  SUPPORT_OK(comet_set_limits(narrow, &limits, error));
  SUPPORT_FAILS(COMET_ERROR_MEMORY, comet_state_restore(narrow, state(saved(wide)), error));
}

BOOST_AUTO_TEST_CASE(a_machine_stops_for_memory_where_that_is_wanted) {
  machine undisturbed(mapper(20));
  undisturbed.import("map");
  undisturbed.run();
  machine vm(mapper(20));
  vm.import("map");
  change_limits(vm, [](comet_limits& limits) {
    limits.memory = 5 * COMET_PAGE_SIZE;
    limits.stop_for_memory = 1;
  });
  unsigned stops = 0;
  for (;; ++stops) {
    const comet_stop stop = vm.run();
    if (stop.reason == COMET_HALTED) break;
    BOOST_REQUIRE_EQUAL(stop.reason, COMET_LIMIT);
    BOOST_CHECK_EQUAL(stop.limit, COMET_LIMIT_MEMORY);
    comet_statistics statistics = COMET_STATISTICS_INIT;
    SUPPORT_OK(comet_machine_statistics(vm, &statistics, error));
    BOOST_CHECK_EQUAL(statistics.mapped_bytes, limits_of(vm).memory);
    change_limits(vm, [](comet_limits& limits) { limits.memory += 3 * COMET_PAGE_SIZE; });
  }
  BOOST_CHECK_EQUAL(stops, 6);
  BOOST_TEST(vm.state_hash() == undisturbed.state_hash());
}

BOOST_AUTO_TEST_CASE(without_that_the_program_is_told_that_there_is_no_memory) {
  machine vm(mapper(20));
  vm.import("map");
  change_limits(vm, [](comet_limits& limits) { limits.memory = 5 * COMET_PAGE_SIZE; });
  BOOST_CHECK_EQUAL(vm.run().reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(static_cast<std::int64_t>(vm.get(1)), -12);
}

BOOST_AUTO_TEST_CASE(output_is_limited_to_the_byte_and_goes_on_when_there_is_more) {
  const int null = open("/dev/null", O_WRONLY);
  machine undisturbed(printer(10));
  SUPPORT_OK(comet_set_stream(undisturbed, 1, null, error));
  undisturbed.import("write");
  undisturbed.run();
  machine vm(printer(10));
  SUPPORT_OK(comet_set_stream(vm, 1, null, error));
  vm.import("write");
  change_limits(vm, [](comet_limits& limits) { limits.output = 39; });
  comet_stop stop = vm.run();
  BOOST_REQUIRE_EQUAL(stop.reason, COMET_LIMIT);
  BOOST_CHECK_EQUAL(stop.limit, COMET_LIMIT_OUTPUT);
  BOOST_CHECK_EQUAL(limits_of(vm).output, 9);
  BOOST_CHECK_EQUAL(vm.run().reason, COMET_LIMIT); // however often
  change_limits(vm, [](comet_limits& limits) { limits.output = 70; });
  BOOST_CHECK_EQUAL(vm.run().reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(limits_of(vm).output, 0);
  comet_statistics statistics = COMET_STATISTICS_INIT;
  SUPPORT_OK(comet_machine_statistics(vm, &statistics, error));
  BOOST_CHECK_EQUAL(statistics.output_bytes, 100);
  BOOST_TEST(vm.state_hash() == undisturbed.state_hash());
  close(null);
}

BOOST_AUTO_TEST_CASE(a_host_call_has_a_quota_that_can_be_renewed) {
  std::uint64_t calls = 0;
  machine vm(ticker(10));
  vm.import("tick");
  comet_grant_options options = COMET_GRANT_OPTIONS_INIT;
  options.quota = 4;
  SUPPORT_OK(comet_host_grant_with(vm, "tick", count, &calls, &options, error));
  const comet_stop stop = vm.run();
  BOOST_REQUIRE_EQUAL(stop.reason, COMET_LIMIT);
  BOOST_CHECK_EQUAL(stop.limit, COMET_LIMIT_HOST_CALLS);
  BOOST_CHECK_EQUAL(calls, 4);
  bytes file; // a core tells which limit it was
  comet_save_options saving = COMET_SAVE_OPTIONS_INIT;
  saving.stop = &stop;
  SUPPORT_OK(comet_state_save(vm, &saving, append, &file, nullptr, error));
  comet_stop read = COMET_STOP_INIT;
  SUPPORT_OK(comet_state_stop(state(file), &read, error));
  BOOST_CHECK_EQUAL(read.reason, COMET_LIMIT);
  BOOST_CHECK_EQUAL(read.limit, COMET_LIMIT_HOST_CALLS);
  bytes content = content_of(file, "STOP");
  put_at(content, 20, 9, 4);
  refused(with_content(file, "STOP", content), "there is no such limit");
  BOOST_CHECK_EQUAL(info_of(vm, "tick").calls, 4);
  BOOST_CHECK_EQUAL(info_of(vm, "tick").quota, 0);
  SUPPORT_OK(comet_host_set_quota(vm, "tick", 5, error));
  BOOST_CHECK_EQUAL(vm.run().reason, COMET_LIMIT);
  BOOST_CHECK_EQUAL(calls, 9);
  comet_machine* forked = nullptr; // it may call as often as this one still may
  SUPPORT_OK(comet_host_set_quota(vm, "tick", 1, error));
  SUPPORT_OK(comet_machine_fork(vm, nullptr, &forked, error));
  machine fork(forked);
  BOOST_CHECK_EQUAL(info_of(fork, "tick").quota, 1);
  BOOST_CHECK_EQUAL(info_of(fork, "tick").calls, 0);
  BOOST_CHECK_EQUAL(fork.run().reason, COMET_HALTED);
  SUPPORT_OK(comet_host_set_quota(vm, "tick", COMET_UNLIMITED, error));
  BOOST_CHECK_EQUAL(vm.run().reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(info_of(vm, "tick").quota, COMET_UNLIMITED);
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_host_set_quota(vm, "tock", 1, error));
}

BOOST_AUTO_TEST_CASE(host_calls_cost_fuel_exactly) {
  std::uint64_t calls = 0;
  comet_grant_options options = COMET_GRANT_OPTIONS_INIT;
  options.fuel = 99;
  const auto fresh = [&](machine& vm) {
    vm.import("tick");
    SUPPORT_OK(comet_host_grant_with(vm, "tick", count, &calls, &options, error));
  };
  // 1 for imm, then 100 + 1 + 1 for each turn, and the halt
  constexpr std::uint64_t all = 1 + 10 * 102 + 1;
  machine whole(ticker(10));
  fresh(whole);
  const comet_stop stop = whole.run(all);
  BOOST_CHECK_EQUAL(stop.reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(stop.fuel, all);
  BOOST_CHECK_EQUAL(stop.executed, 32);
  machine less(ticker(10));
  fresh(less);
  BOOST_CHECK_EQUAL(less.run(all - 1).reason, COMET_OUT_OF_FUEL);
  machine parts(ticker(10));
  fresh(parts);
  calls = 0;
  comet_stop part = parts.run(100); // not enough for the call behind the imm
  BOOST_CHECK_EQUAL(part.reason, COMET_OUT_OF_FUEL);
  BOOST_CHECK_EQUAL(part.fuel, 1);
  BOOST_CHECK_EQUAL(calls, 0);
  part = parts.run(100);
  BOOST_CHECK_EQUAL(part.fuel, 100);
  BOOST_CHECK_EQUAL(calls, 1);
  while (parts.run(100).reason != COMET_HALTED) {}
  machine again(ticker(10)); // the same result by other ways
  calls = 0;
  fresh(again);
  again.run();
  BOOST_CHECK_EQUAL(again.info().instruction_count, parts.info().instruction_count);
}

BOOST_AUTO_TEST_CASE(what_the_log_answers_costs_fuel_but_no_quota) {
  std::uint64_t calls = 0;
  machine vm(ticker(10));
  vm.import("tick");
  comet_grant_options options = COMET_GRANT_OPTIONS_INIT;
  options.fuel = 9;
  options.quota = 10;
  SUPPORT_OK(comet_host_grant_with(vm, "tick", count, &calls, &options, error));
  SUPPORT_OK(comet_timeline_start(vm, 1 << 20, error));
  snapshot start(vm);
  const std::uint64_t used = vm.run().fuel;
  const hash end = vm.state_hash();
  start.restore();
  const comet_stop stop = vm.run();
  BOOST_CHECK_EQUAL(stop.reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(stop.fuel, used);
  BOOST_CHECK_EQUAL(calls, 10);
  BOOST_TEST(vm.state_hash() == end);
}

BOOST_AUTO_TEST_CASE(a_log_hears_of_limits) {
  machine vm(ticker(10));
  vm.import("tick");
  comet_grant_options options = COMET_GRANT_OPTIONS_INIT;
  options.quota = 0;
  std::uint64_t calls = 0;
  SUPPORT_OK(comet_host_grant_with(vm, "tick", count, &calls, &options, error));
  std::string heard;
  comet_set_log(vm, [](void* data, const char* line) { *static_cast<std::string*>(data) = line; }, &heard);
  heard.clear(); // a portable build has no window, and says so
  vm.run();
  BOOST_CHECK_EQUAL(heard.find("host call `tick` at 0x"), 0);
  BOOST_TEST(heard.find("would pass the limit of calls") != std::string::npos);
  heard.clear();
  comet_set_log(vm, nullptr, nullptr);
  vm.run();
  BOOST_CHECK_EQUAL(heard, "");
}

BOOST_AUTO_TEST_SUITE_END()
