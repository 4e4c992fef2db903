// Host calls with a signature and with data of their own, and calls that the embedder answers later.
#include "support.h"

using namespace support;

namespace {

code one_call(const fields& arguments) {
  code text;
  for (std::size_t i = 0; i < arguments.size(); ++i) text.add("imm", {i + 1, arguments[i]});
  return text.add("hcall", {0, 0}).add("halt");
}

comet_status note_call(comet_call*, void* data) {
  ++*static_cast<unsigned*>(data);
  return COMET_OK;
}

// What becomes of a call with these arguments.
comet_stop try_call(const char* signature, const fields& arguments, unsigned& calls, const bytes& memory = {}) {
  machine vm(one_call(arguments));
  if (!memory.empty()) vm.write(data_address, memory);
  vm.import("f");
  comet_grant_options options = COMET_GRANT_OPTIONS_INIT;
  options.signature = signature;
  SUPPORT_OK(comet_host_grant_with(vm, "f", note_call, &calls, &options, error));
  return vm.run();
}

bool passes(const char* signature, const fields& arguments, const bytes& memory = {}) {
  unsigned calls = 0;
  const comet_stop stop = try_call(signature, arguments, calls, memory);
  BOOST_CHECK_EQUAL(calls, stop.reason == COMET_HALTED ? 1u : 0u);
  return stop.reason == COMET_HALTED;
}

constexpr std::uint64_t page_end = data_address + COMET_PAGE_SIZE;

} // namespace

BOOST_AUTO_TEST_SUITE(grants)

BOOST_AUTO_TEST_CASE(arguments_are_held_against_the_signature_before_the_function_is_called) {
  constexpr std::uint64_t all = UINT64_MAX;
  BOOST_TEST(passes("", {all}));
  BOOST_TEST(passes("u64 i64 f64", {all, all, all}));
  BOOST_TEST(passes("u32 f32", {0xffffffff, 0xffffffff}));
  BOOST_TEST(!passes("u32", {0x100000000}));
  BOOST_TEST(!passes("f32", {all}));
  BOOST_TEST(passes("i32 i32 i32", {0x7fffffff, all, 0xffffffff80000000}));
  BOOST_TEST(passes("i32", {0xffffffff}));
  BOOST_TEST(!passes("i32", {0xffffffff7fffffff}));
  BOOST_TEST(!passes("i32", {0x100000000}));
  BOOST_TEST(passes("bytes", {data_address, COMET_PAGE_SIZE}));
  BOOST_TEST(passes("bytes u32", {data_address, 5, 7}));
  BOOST_TEST(passes("bytes", {5, 0}));
  BOOST_TEST(passes("buffer", {data_address, 8}));
  const bytes text{'a', 'b', 0};
  BOOST_TEST(passes("string", {data_address}, text));
  BOOST_TEST(passes("string string", {data_address, data_address + 1}, text));
  BOOST_TEST(!passes("string", {code_address - 1}));

  unsigned calls = 0;
  comet_stop stop = try_call("u64 u32", {1, all}, calls);
  BOOST_CHECK_EQUAL(stop.trap, COMET_TRAP_HOST_CALL);
  BOOST_CHECK_EQUAL(stop.message, std::string("host call `f` failed: argument 2 is 0xffffffffffffffff, which has more than 32 bits"));
  stop = try_call("bytes", {data_address + 1, COMET_PAGE_SIZE}, calls);
  BOOST_CHECK_EQUAL(stop.trap, COMET_TRAP_READ);
  BOOST_CHECK_EQUAL(stop.address, page_end);
  stop = try_call("buffer", {code_address, 1}, calls); // may not be written
  BOOST_CHECK_EQUAL(stop.trap, COMET_TRAP_WRITE);
  BOOST_CHECK_EQUAL(stop.address, code_address);
  BOOST_CHECK_EQUAL(calls, 0);
}

BOOST_AUTO_TEST_CASE(a_string_ends_before_its_page_does_or_traps_there) {
  bytes page(COMET_PAGE_SIZE, 'x');
  unsigned calls = 0;
  const comet_stop stop = try_call("string", {page_end - 10}, calls, page);
  BOOST_CHECK_EQUAL(stop.trap, COMET_TRAP_READ);
  BOOST_CHECK_EQUAL(stop.address, page_end);
  page.back() = 0;
  BOOST_TEST(passes("string", {page_end - 10}, page));
  BOOST_TEST(passes("string", {data_address}, page)); // 65535 bytes and a NUL

  machine vm(one_call({data_address}));
  vm.map(data_address, 2 * COMET_PAGE_SIZE, read_write);
  vm.write(data_address, bytes(COMET_PAGE_SIZE, 'x'));
  vm.import("f");
  comet_grant_options options = COMET_GRANT_OPTIONS_INIT;
  options.signature = "string";
  SUPPORT_OK(comet_host_grant_with(vm, "f", note_call, &calls, &options, error));
  BOOST_CHECK_EQUAL(vm.run().trap, COMET_TRAP_HOST_CALL);
}

BOOST_AUTO_TEST_CASE(a_signature_of_other_words_is_refused) {
  machine vm;
  comet_grant_options options = COMET_GRANT_OPTIONS_INIT;
  for (const char* signature : {"u8", "u64,u64", "bytes strin"}) {
    options.signature = signature;
    SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_host_grant_with(vm, "f", nullptr, nullptr, &options, error));
  }
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_host_grant_with(vm, "f", nullptr, nullptr, nullptr, error));
  comet_grant_info info = COMET_GRANT_INFO_INIT;
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_host_granted(vm, "f", &info, error));
  options.signature = "  u64   bytes ";
  SUPPORT_OK(comet_host_grant_with(vm, "f", nullptr, nullptr, &options, error));
  SUPPORT_OK(comet_host_granted(vm, "f", &info, error));
  BOOST_CHECK_EQUAL(info.signature, std::string("  u64   bytes "));
}

BOOST_AUTO_TEST_CASE(data_is_released_once_when_the_last_machine_loses_the_grant) {
  int released = 0;
  comet_grant_options options = COMET_GRANT_OPTIONS_INIT;
  options.release = [](void* data) { ++*static_cast<int*>(data); };
  comet_machine* fork = nullptr;
  {
    machine vm;
    SUPPORT_OK(comet_host_grant_with(vm, "f", note_call, &released, &options, error));
    SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_host_grant_with(vm, "f g", note_call, &released, &options, error));
    BOOST_CHECK_EQUAL(released, 0);
    SUPPORT_OK(comet_machine_fork(vm, nullptr, &fork, error));
  }
  BOOST_CHECK_EQUAL(released, 0);
  comet_machine_free(fork);
  BOOST_CHECK_EQUAL(released, 1);
  machine vm;
  SUPPORT_OK(comet_host_grant_with(vm, "f", note_call, &released, &options, error));
  SUPPORT_OK(comet_host_grant(vm, "f", nullptr, nullptr, error));
  BOOST_CHECK_EQUAL(released, 2);
  SUPPORT_OK(comet_host_grant_with(vm, "f", note_call, &released, &options, error));
  SUPPORT_OK(comet_host_revoke(vm, "f", error));
  BOOST_CHECK_EQUAL(released, 3);
}

BOOST_AUTO_TEST_CASE(a_function_that_takes_its_own_grant_away_keeps_its_data_to_its_end) {
  static bool released;
  released = false;
  machine vm(one_call({}));
  vm.import("f");
  comet_grant_options options = COMET_GRANT_OPTIONS_INIT;
  options.release = [](void*) { released = true; };
  const comet_host_function revoke = [](comet_call* call, void*) {
    BOOST_CHECK_EQUAL(comet_host_revoke(comet_call_machine(call), "f", nullptr), COMET_OK);
    BOOST_CHECK(!released);
    return COMET_OK;
  };
  SUPPORT_OK(comet_host_grant_with(vm, "f", revoke, nullptr, &options, error));
  BOOST_CHECK_EQUAL(vm.run().reason, COMET_HALTED);
  BOOST_CHECK(released);
}

BOOST_AUTO_TEST_CASE(a_machine_that_is_freed_by_its_host_function_ends_its_run_first) {
  comet_machine* handle = nullptr;
  SUPPORT_OK(comet_machine_new(nullptr, &handle, error));
  const code program = one_call({});
  SUPPORT_OK(comet_map(handle, 0, code_address, 1, read_execute, error));
  SUPPORT_OK(comet_write(handle, 0, code_address, program.content().data(), program.content().size(), error));
  SUPPORT_OK(comet_thread_restart(handle, 0, code_address, error));
  std::uint32_t index = 0;
  SUPPORT_OK(comet_host_import(handle, "f", &index, error));
  static bool released;
  released = false;
  comet_grant_options options = COMET_GRANT_OPTIONS_INIT;
  options.release = [](void*) { released = true; };
  const comet_host_function free_it = [](comet_call* call, void*) {
    comet_machine_free(comet_call_machine(call));
    std::uint64_t value = 0;
    BOOST_CHECK_EQUAL(comet_get_register(comet_call_machine(call), 0, 0, 1, &value, nullptr), COMET_OK);
    BOOST_CHECK(!released);
    return COMET_OK;
  };
  SUPPORT_OK(comet_host_grant_with(handle, "f", free_it, nullptr, &options, error));
  comet_stop stop = COMET_STOP_INIT;
  SUPPORT_FAILS(COMET_ERROR_STATE, comet_run(handle, 0, plenty, &stop, error));
  BOOST_CHECK(released);
}

BOOST_AUTO_TEST_CASE(a_machine_that_is_freed_by_its_poll_function_ends_its_run_first) {
  comet_machine* handle = nullptr;
  SUPPORT_OK(comet_machine_new(nullptr, &handle, error));
  code endless;
  endless.add("jump", {code_address});
  SUPPORT_OK(comet_map(handle, 0, code_address, 1, read_execute, error));
  SUPPORT_OK(comet_write(handle, 0, code_address, endless.content().data(), endless.content().size(), error));
  SUPPORT_OK(comet_thread_restart(handle, 0, code_address, error));
  comet_set_poll(handle, [](void* data) {
    comet_machine_free(static_cast<comet_machine*>(data));
    return 0;
  }, handle);
  comet_stop stop = COMET_STOP_INIT;
  SUPPORT_FAILS(COMET_ERROR_STATE, comet_run(handle, 0, plenty, &stop, error));
}

// ---- answers that come later --------------------------------------------------------------------------

namespace {

// Each of three threads asks with its own number and its own place for an answer of 8 bytes.
struct askers {
  machine vm;
  comet_thread threads[3] = {};
  askers() {
    code text;
    text.add("hcall", {0, 0}).add("ldu64", {5, 2, 0}).add("add", {6, 1, 5}).add("halt");
    vm.load(text);
    vm.map(data_address, 1, read_write);
    vm.import("ask");
    SUPPORT_OK(comet_host_grant(vm, "ask", nullptr, nullptr, error));
    vm.restart(code_address);
    for (unsigned i = 1; i < 3; ++i) SUPPORT_OK(comet_thread_new(vm, 0, code_address, &threads[i], error));
    for (unsigned i = 0; i < 3; ++i) {
      vm.set(1, 100 + i, threads[i]);
      vm.set(2, data_address + 8 * i, threads[i]);
    }
  }
  void ask_all() {
    for (const comet_thread thread : threads) BOOST_REQUIRE_EQUAL(vm.run(plenty, thread).reason, COMET_HOST_CALL);
  }
  void answer(unsigned i) {
    const std::uint64_t value = 1000 * (i + 1);
    SUPPORT_OK(comet_host_write(vm, threads[i], data_address + 8 * i, &value, sizeof value, error));
    SUPPORT_OK(comet_host_complete(vm, threads[i], 7 + i, error));
  }
  void finish() {
    for (unsigned i = 0; i < 3; ++i) {
      BOOST_CHECK_EQUAL(vm.run(plenty, threads[i]).reason, COMET_HALTED);
      BOOST_CHECK_EQUAL(vm.get(6, threads[i]), 7 + i + 1000 * (i + 1));
    }
  }
};

} // namespace

BOOST_AUTO_TEST_CASE(several_threads_wait_and_are_answered_in_any_order) {
  askers at;
  comet_thread thread = 0;
  std::uint32_t index = 9;
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_host_waiting(at.vm, 0, &thread, &index, error));
  at.ask_all();
  SUPPORT_OK(comet_host_waiting(at.vm, at.threads[1], &thread, &index, error));
  BOOST_CHECK_EQUAL(thread, at.threads[1]);
  BOOST_CHECK_EQUAL(index, 0);
  at.answer(1);
  SUPPORT_OK(comet_host_waiting(at.vm, at.threads[1], &thread, &index, error));
  BOOST_CHECK_EQUAL(thread, at.threads[2]);
  at.answer(2);
  at.answer(0);
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_host_waiting(at.vm, 0, &thread, &index, error));
  at.finish();
}

BOOST_AUTO_TEST_CASE(what_was_written_for_each_comes_again_from_the_log) {
  askers at;
  SUPPORT_OK(comet_timeline_start(at.vm, 1 << 20, error));
  snapshot start(at.vm);
  at.ask_all();
  at.answer(0); // not the one that asked last
  at.answer(2);
  at.answer(1);
  at.finish();
  const hash end = at.vm.state_hash();
  start.restore();
  for (const comet_thread thread : at.threads) BOOST_CHECK_EQUAL(at.vm.run(plenty, thread).reason, COMET_HALTED);
  BOOST_TEST(at.vm.state_hash() == end);
}

BOOST_AUTO_TEST_CASE(an_answer_reaches_what_the_program_may_reach) {
  askers at;
  std::uint64_t value = 0;
  SUPPORT_FAILS(COMET_ERROR_STATE, comet_host_read(at.vm, 0, data_address, &value, 8, error));
  SUPPORT_FAILS(COMET_ERROR_STATE, comet_host_fail(at.vm, 0, "no", error));
  at.ask_all();
  at.vm.write(data_address, {5});
  SUPPORT_OK(comet_host_read(at.vm, 0, data_address, &value, 8, error));
  BOOST_CHECK_EQUAL(value, 5);
  comet_error error = COMET_ERROR_INIT;
  BOOST_CHECK_EQUAL(comet_host_write(at.vm, 0, code_address, &value, 8, &error), COMET_ERROR_ADDRESS);
  BOOST_CHECK_EQUAL(error.address, code_address);
  BOOST_CHECK_EQUAL(comet_host_read(at.vm, 0, data_address + COMET_PAGE_SIZE - 4, &value, 8, &error), COMET_ERROR_ADDRESS);
  BOOST_CHECK_EQUAL(error.address, data_address + COMET_PAGE_SIZE);
}

BOOST_AUTO_TEST_CASE(a_call_that_the_embedder_cannot_serve_traps_and_may_be_made_again) {
  askers at;
  at.ask_all();
  SUPPORT_OK(comet_host_fail(at.vm, at.threads[1], "the line is dead", error));
  SUPPORT_FAILS(COMET_ERROR_STATE, comet_host_complete(at.vm, at.threads[1], 0, error));
  comet_stop stop = at.vm.run(plenty, at.threads[1]);
  BOOST_CHECK_EQUAL(stop.trap, COMET_TRAP_HOST_CALL);
  BOOST_CHECK_EQUAL(stop.message, std::string("host call `ask` failed: the line is dead"));
  BOOST_CHECK_EQUAL(stop.pc, code_address);
  BOOST_CHECK_EQUAL(stop.executed, 0);
  stop = at.vm.run(plenty, at.threads[1]);
  BOOST_CHECK_EQUAL(stop.reason, COMET_HOST_CALL);
  at.answer(0);
  at.answer(1);
  at.answer(2);
  at.finish();
}

BOOST_AUTO_TEST_CASE(limits_are_raised_while_calls_wait) {
  askers at;
  at.ask_all();
  comet_limits limits = COMET_LIMITS_INIT;
  SUPPORT_OK(comet_get_limits(at.vm, &limits, error));
  limits.call_depth *= 2;
  SUPPORT_OK(comet_set_limits(at.vm, &limits, error));
  for (unsigned i = 0; i < 3; ++i) at.answer(i);
  at.finish();
}

BOOST_AUTO_TEST_SUITE_END()
