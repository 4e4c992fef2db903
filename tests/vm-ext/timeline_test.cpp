// The timeline: host calls are logged, and served from the log when the machine has gone back.
#include <cstring>
#include <tuple>

#include <unistd.h>

#include "observing.h"

using namespace support;

namespace {

constexpr std::uint64_t megabyte = 1 << 20;

// Gives another number each time, and writes it to memory where an argument says so.
comet_status tick(comet_call* call, void* data) {
  const std::uint64_t value = ++*static_cast<std::uint64_t*>(data);
  const std::uint64_t to = comet_call_argument(call, 1);
  if (to != 0)
    if (const comet_status status = comet_call_write(call, to, &value, sizeof value); status != COMET_OK) return status;
  comet_call_result(call, value);
  return COMET_OK;
}

// Sums up what the call gives, for ever: a lap is five instructions, its hcall the third.
code summing() {
  return code().add("nop").add("imm", {12, data_address}).add("hcall", {10, 0}).add("add", {1, 1, 11}).add("jump", {code_address});
}

constexpr std::uint64_t lap = 5;

comet_timeline_info timeline(const machine& vm, comet_thread thread = 0) {
  comet_timeline_info info = COMET_TIMELINE_INFO_INIT;
  SUPPORT_OK(comet_timeline_get(vm, thread, &info, error));
  return info;
}

void start(machine& vm, std::uint64_t limit = megabyte) { SUPPORT_OK(comet_timeline_start(vm, limit, error)); }

// A machine that calls `tick`, recording.
struct ticking {
  explicit ticking(const code& program = summing(), std::uint64_t limit = megabyte) : vm(program) {
    vm.import("tick");
    SUPPORT_OK(comet_host_grant(vm, "tick", tick, &ticks, error));
    start(vm, limit);
  }
  machine vm;
  std::uint64_t ticks = 0;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(timelines)

BOOST_AUTO_TEST_CASE(every_count_has_the_same_state_when_it_is_reached_again) {
  ticking run;
  snapshot fresh(run.vm);
  std::vector<hash> states{run.vm.state_hash()};
  for (int i = 0; i < 60; ++i) {
    run.vm.run(1);
    states.push_back(run.vm.state_hash());
  }
  const std::uint64_t called = run.ticks;
  for (std::size_t k = states.size(); k-- > 0;) {
    fresh.restore();
    run.vm.run(k);
    BOOST_CHECK(run.vm.state_hash() == states[k]);
  }
  BOOST_CHECK_EQUAL(run.ticks, called);
  BOOST_CHECK_EQUAL(timeline(run.vm).entries, called);
}

BOOST_AUTO_TEST_CASE(behind_the_last_entry_execution_is_live_again) {
  ticking run;
  snapshot fresh(run.vm);
  run.vm.run(3 * lap);
  fresh.restore();
  run.vm.run(5 * lap);
  BOOST_CHECK_EQUAL(run.ticks, 5u);
  BOOST_CHECK_EQUAL(run.vm.get(1), 1u + 2 + 3 + 4 + 5);
  BOOST_CHECK_EQUAL(timeline(run.vm).end, 4 * lap + 3);
}

BOOST_AUTO_TEST_CASE(output_is_made_once_and_exit_is_repeated) {
  int ends[2];
  BOOST_REQUIRE_EQUAL(pipe(ends), 0);
  machine vm(code().add("imm", {11, 1}).add("imm", {12, data_address}).add("imm", {13, 3}).add("hcall", {10, 0})
                 .add("imm", {11, 7}).add("hcall", {10, 1}));
  vm.write(data_address, {'a', 'b', 'c'});
  vm.import("write");
  vm.import("exit");
  SUPPORT_OK(comet_set_stream(vm, 1, ends[1], error));
  start(vm);
  snapshot fresh(vm);
  const comet_stop first = vm.run();
  const hash end = vm.state_hash();
  for (int again = 0; again < 3; ++again) {
    fresh.restore();
    const comet_stop stop = vm.run();
    BOOST_CHECK_EQUAL(stop.reason, COMET_HALTED);
    BOOST_CHECK_EQUAL(stop.exit_status, 7);
    BOOST_CHECK_EQUAL(stop.executed, first.executed);
    BOOST_CHECK(vm.state_hash() == end);
  }
  close(ends[1]);
  char output[16];
  BOOST_CHECK_EQUAL(read(ends[0], output, sizeof output), 3);
  close(ends[0]);
}

BOOST_AUTO_TEST_CASE(what_the_embedder_does_for_a_call_belongs_to_it) {
  machine vm(code().add("hcall", {10, 0}).add("ldu64", {1, 2, 0}).add("tget", {4, 3}).add("halt"));
  vm.import("mine");
  vm.set(2, 0x50000);
  SUPPORT_OK(comet_host_grant(vm, "mine", nullptr, nullptr, error));
  start(vm);
  snapshot fresh(vm);
  BOOST_REQUIRE_EQUAL(vm.run().reason, COMET_HOST_CALL);
  vm.map(0x50000, 8, read_write);
  vm.write(0x50000, {1, 2, 3});
  vm.set(3, 99);
  SUPPORT_OK(comet_set_thread_register(vm, 0, 3, 77, error));
  SUPPORT_OK(comet_protect(vm, 0, 0x50000, 8, COMET_READ, error));
  SUPPORT_OK(comet_unmap(vm, 0, data_address, 8, error));
  SUPPORT_OK(comet_host_complete(vm, 0, 42, error));
  BOOST_CHECK_EQUAL(vm.run().reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(timeline(vm).changes, 0u);
  const hash end = vm.state_hash();
  fresh.restore();
  const comet_stop stop = vm.run();
  BOOST_CHECK_EQUAL(stop.reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(stop.executed, 4u);
  BOOST_CHECK_EQUAL(vm.get(11), 42u);
  BOOST_CHECK_EQUAL(vm.get(1), 0x030201u);
  BOOST_CHECK_EQUAL(vm.get(4), 77u);
  BOOST_CHECK(vm.state_hash() == end);
}

BOOST_AUTO_TEST_CASE(a_call_that_the_embedder_drops_is_made_again) {
  machine vm(code().add("hcall", {10, 0}).add("halt"));
  vm.import("mine");
  SUPPORT_OK(comet_host_grant(vm, "mine", nullptr, nullptr, error));
  start(vm);
  vm.run();
  BOOST_CHECK_EQUAL(vm.run().reason, COMET_HOST_CALL);
  BOOST_CHECK_EQUAL(timeline(vm).entries, 0u);
  BOOST_CHECK_EQUAL(timeline(vm).changes, 0u);
  vm.write(data_address, {1});
  vm.set_pc(code_address);
  BOOST_CHECK_GE(timeline(vm).changes, 1u);
  BOOST_CHECK_EQUAL(vm.run().reason, COMET_HOST_CALL);
  SUPPORT_OK(comet_host_complete(vm, 0, 1, error));
  BOOST_CHECK_EQUAL(timeline(vm).entries, 1u);
}

BOOST_AUTO_TEST_CASE(a_change_from_outside_in_the_past_begins_another_future) {
  ticking run;
  snapshot fresh(run.vm);
  run.vm.run(4 * lap);
  fresh.restore();
  run.vm.run(2 * lap);
  BOOST_CHECK_EQUAL(run.vm.get(1), 3u);
  run.vm.set(1, 1000);
  BOOST_CHECK_EQUAL(timeline(run.vm).entries, 2u);
  BOOST_CHECK_EQUAL(timeline(run.vm).changes, 1u);
  run.vm.run(lap);
  BOOST_CHECK_EQUAL(run.ticks, 5u);
  BOOST_CHECK_EQUAL(run.vm.get(1), 1005u);
}

BOOST_AUTO_TEST_CASE(each_way_of_changing_the_machine_is_a_change_from_outside) {
  ticking run;
  machine& vm = run.vm;
  std::uint64_t expected = 0;
  const auto changed = [&] {
    run.vm.run(lap);
    const std::uint64_t seen = timeline(vm).changes;
    BOOST_CHECK_EQUAL(seen, ++expected);
    expected = seen;
  };
  vm.write(data_address, {1}); changed();
  vm.map(0x60000, 1, read_write); changed();
  SUPPORT_OK(comet_protect(vm, 0, 0x60000, 1, COMET_READ, error)); changed();
  SUPPORT_OK(comet_unmap(vm, 0, 0x60000, 1, error)); changed();
  vm.set(5, 1); changed();
  SUPPORT_OK(comet_set_thread_register(vm, 0, 0, 1, error)); changed();
  vm.set_pc(code_address); changed();
  vm.restart(code_address); changed();
  comet_space space = 0;
  SUPPORT_OK(comet_space_new(vm, &space, error)); changed();
  SUPPORT_OK(comet_space_free(vm, space, error)); changed();
  comet_thread thread = 0;
  SUPPORT_OK(comet_thread_new(vm, 0, code_address, &thread, error)); changed();
  SUPPORT_OK(comet_thread_free(vm, thread, error)); changed();
  vm.import("another"); changed();
  vm.import("another");
  BOOST_CHECK_EQUAL(timeline(vm).changes, expected);
}

BOOST_AUTO_TEST_CASE(a_run_that_leaves_what_was_recorded_goes_live) {
  ticking run;
  snapshot other(run.vm);
  run.vm.set_pc(code_address + 1);
  start(run.vm);
  run.vm.run(4 * lap);
  const std::uint64_t called = run.ticks;
  other.restore();  // not of this timeline: its calls stand at other counts
  run.vm.run(lap);
  BOOST_CHECK_EQUAL(run.ticks, called + 1);
  BOOST_CHECK_EQUAL(timeline(run.vm).entries, 2u);
}

BOOST_AUTO_TEST_CASE(a_kept_log_brings_back_the_future_that_another_one_replaced) {
  ticking run;
  snapshot fresh(run.vm);
  run.vm.run(6 * lap);
  const hash original = run.vm.state_hash();
  std::uint32_t kept = 0, other = 0;
  SUPPORT_OK(comet_timeline_keep(run.vm, &kept, error));
  fresh.restore();
  run.vm.run(2 * lap);
  run.vm.set(1, 1000);
  snapshot changed(run.vm);
  BOOST_CHECK_EQUAL(timeline(run.vm).entries, 2u);
  run.vm.run(4 * lap);
  const hash what_if = run.vm.state_hash();
  BOOST_CHECK(what_if != original);
  SUPPORT_OK(comet_timeline_keep(run.vm, &other, error));
  for (int again = 0; again < 2; ++again) {
    fresh.restore();
    SUPPORT_OK(comet_timeline_resume(run.vm, kept, error));
    run.vm.run(6 * lap);
    BOOST_CHECK(run.vm.state_hash() == original);
    changed.restore();
    SUPPORT_OK(comet_timeline_resume(run.vm, other, error));
    run.vm.run(4 * lap);
    BOOST_CHECK(run.vm.state_hash() == what_if);
  }
  BOOST_CHECK_EQUAL(run.ticks, 10u);
  SUPPORT_OK(comet_timeline_drop(run.vm, kept, error));
  SUPPORT_OK(comet_timeline_drop(run.vm, other, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_timeline_resume(run.vm, kept, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_timeline_drop(run.vm, kept, error));
}

BOOST_AUTO_TEST_CASE(logs_share_what_they_have_in_common_and_stay_within_one_limit) {
  ticking run(summing(), 4000);
  run.vm.run(3 * lap);
  const std::uint64_t bytes = timeline(run.vm).bytes;
  std::uint32_t kept[20];
  for (std::uint32_t& id : kept) SUPPORT_OK(comet_timeline_keep(run.vm, &id, error));
  BOOST_CHECK_EQUAL(timeline(run.vm).bytes, bytes);
  run.vm.set(1, 0);
  run.vm.run(1000 * lap);
  BOOST_CHECK_LE(timeline(run.vm).bytes, 4000u);
  BOOST_CHECK_GT(timeline(run.vm).begin, 3 * lap);
  SUPPORT_OK(comet_timeline_resume(run.vm, kept[0], error));
  BOOST_CHECK_EQUAL(timeline(run.vm).entries, 0u); // the oldest went from all
  BOOST_CHECK_EQUAL(timeline(run.vm).bytes, 0u);
  BOOST_CHECK_EQUAL(timeline(run.vm).begin, 2 * lap + 3);
  SUPPORT_OK(comet_machine_reset(run.vm, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_timeline_resume(run.vm, kept[0], error));
}

BOOST_AUTO_TEST_CASE(calls_that_trapped_are_made_again) {
  ticking run;
  snapshot fresh(run.vm);
  run.vm.run(lap);
  SUPPORT_OK(comet_protect(run.vm, 0, data_address, 8, COMET_READ, error));
  BOOST_CHECK_EQUAL(run.vm.run().trap, COMET_TRAP_WRITE);
  BOOST_CHECK_EQUAL(timeline(run.vm).entries, 1u);
  BOOST_CHECK_EQUAL(run.vm.run().trap, COMET_TRAP_WRITE);
  BOOST_CHECK_EQUAL(run.ticks, 3u);
}

BOOST_AUTO_TEST_CASE(watchpoints_see_what_a_logged_call_does) {
  ticking run;
  snapshot fresh(run.vm);
  run.vm.run(4 * lap);
  fresh.restore();
  std::uint32_t id = 0;
  SUPPORT_OK(comet_watchpoint_set(run.vm, 0, data_address, 8, COMET_WRITE, &id, error));
  const comet_stop stop = run.vm.run();
  BOOST_CHECK_EQUAL(stop.reason, COMET_WATCHPOINT);
  BOOST_CHECK_EQUAL(stop.instruction_count, 3u);
  BOOST_CHECK_EQUAL(run.ticks, 4u);
}

BOOST_AUTO_TEST_CASE(calls_without_a_result_are_served_from_the_log) {
  machine vm(code().add("hcall", {10, 0}).add("imm", {2, 1}).add("halt"));
  vm.import("count");
  int calls = 0;
  SUPPORT_OK(comet_host_grant(vm, "count", [](comet_call*, void* data) {
    ++*static_cast<int*>(data);
    return COMET_OK;
  }, &calls, error));
  start(vm);
  vm.set(11, 5);
  snapshot begin(vm);
  for (int times = 0; times < 2; ++times) {
    BOOST_CHECK_EQUAL(vm.run().reason, COMET_HALTED);
    BOOST_CHECK_EQUAL(vm.get(11), 5u);
    begin.restore();
  }
  BOOST_CHECK_EQUAL(calls, 1);
}

BOOST_AUTO_TEST_CASE(the_log_stays_within_its_limit_and_says_what_it_lost) {
  ticking run(summing(), 4096);
  snapshot fresh(run.vm);
  run.vm.run(1000 * lap);
  const comet_timeline_info info = timeline(run.vm);
  BOOST_CHECK_LE(info.bytes, 4096u);
  BOOST_CHECK_GT(info.entries, 5u);
  BOOST_CHECK_EQUAL(info.entries, (info.end - info.begin) / lap);
  fresh.restore();
  const comet_stop stop = run.vm.run();
  BOOST_CHECK_EQUAL(stop.trap, COMET_TRAP_HOST_CALL);
  BOOST_CHECK(std::strstr(stop.message, "no longer reaches") != nullptr);
  BOOST_CHECK_EQUAL(run.ticks, 1000u);
  // Changing something there is another future, which needs no log.
  run.vm.set(1, 0);
  run.vm.run(lap);
  BOOST_CHECK_EQUAL(run.ticks, 1001u);
}

BOOST_AUTO_TEST_CASE(an_entry_beyond_the_limit_is_lost_alone) {
  ticking run(summing(), 1);
  run.vm.run(lap);
  const comet_timeline_info info = timeline(run.vm);
  BOOST_CHECK_EQUAL(info.entries, 0u);
  BOOST_CHECK_EQUAL(info.bytes, 0u);
  BOOST_CHECK_EQUAL(info.begin, 3u);
}

BOOST_AUTO_TEST_CASE(threads_have_logs_of_their_own) {
  ticking run;
  comet_thread other = 0;
  SUPPORT_OK(comet_thread_new(run.vm, 0, code_address, &other, error));
  start(run.vm);
  snapshot fresh(run.vm);
  run.vm.run(2 * lap);
  run.vm.run(3 * lap, other);
  run.vm.run(lap);
  const hash end = run.vm.state_hash();
  fresh.restore();
  run.vm.run(2 * lap);
  run.vm.run(3 * lap, other);
  run.vm.run(lap);
  BOOST_CHECK(run.vm.state_hash() == end);
  BOOST_CHECK_EQUAL(run.ticks, 6u);
  BOOST_CHECK_EQUAL(timeline(run.vm, other).end, 2 * lap + 3);
}

BOOST_AUTO_TEST_CASE(without_recording_nothing_is_kept) {
  ticking run;
  run.vm.run(lap);
  comet_timeline_stop(run.vm);
  snapshot mark(run.vm);
  run.vm.run(lap);
  mark.restore();
  run.vm.run(lap);
  BOOST_CHECK_EQUAL(run.ticks, 3u);
  const comet_timeline_info info = timeline(run.vm);
  BOOST_CHECK_EQUAL(info.recording, 0);
  BOOST_CHECK_EQUAL(info.entries, 0u);
  SUPPORT_OK(comet_machine_reset(run.vm, error));
}

BOOST_AUTO_TEST_CASE(wrong_arguments_are_refused) {
  machine vm;
  comet_timeline_info info = COMET_TIMELINE_INFO_INIT;
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_timeline_start(nullptr, 1, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_timeline_keep(vm, nullptr, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_timeline_get(vm, 7, &info, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_timeline_get(vm, 0, nullptr, error));
  comet_timeline_stop(nullptr);
}

// What a host function touches, piece by piece, is told again by the log as it was told first.
BOOST_AUTO_TEST_CASE(accesses_of_host_calls_come_again) {
  const comet_host_function touches = [](comet_call* call, void* data) {
    ++*static_cast<int*>(data);
    std::uint8_t bytes[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    const std::uint64_t at = data_address;
    for (const auto& [offset, length, writes] : {std::tuple{0, 4, false}, {4, 4, false}, {16, 2, false}, {18, 2, true}, {20, 4, true},
                                                 {20, 2, false}, {22, 2, false}, {100, 1, true}, {8, 8, false}}) {
      const auto size = static_cast<std::size_t>(length);
      const std::uint64_t place = at + static_cast<std::uint64_t>(offset);
      const comet_status status = writes ? comet_call_write(call, place, bytes, size) : comet_call_read(call, place, bytes, size);
      if (status != COMET_OK) return status;
    }
    comet_call_result(call, bytes[0]);
    return COMET_OK;
  };
  machine vm(code().add("hcall", {10, 0}).add("hcall", {20, 0}).add("halt"));
  vm.import("touch");
  int calls = 0;
  SUPPORT_OK(comet_host_grant(vm, "touch", touches, &calls, error));
  start(vm);
  snapshot begin(vm);
  const auto seen = [&] {
    observing all({{COMET_EVENT_READ | COMET_EVENT_WRITE, 0, UINT64_MAX}}, 100);
    all.run(vm);
    std::vector<std::tuple<unsigned, std::uint64_t>> bytes;  // an access is told in pieces, or as one
    for (std::size_t n = 0; n < all.value.event_count; ++n)
      for (std::uint64_t i = 0; i < all.events[n].length; ++i) bytes.emplace_back(all.events[n].kind, all.events[n].place + i);
    return bytes;
  };
  const auto first = seen();
  const hash end = vm.state_hash();
  BOOST_CHECK_EQUAL(first.size(), 2u * 29);
  begin.restore();
  BOOST_CHECK(seen() == first);
  BOOST_CHECK(vm.state_hash() == end);
  BOOST_CHECK_EQUAL(calls, 2);
}

BOOST_AUTO_TEST_SUITE_END()
