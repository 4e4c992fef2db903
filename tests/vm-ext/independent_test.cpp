// Machines never meet: each host thread has its own, made from one state and with one grant, and each comes to the end
// that it would come to alone. Under ThreadSanitizer this says that nothing in the library is shared unseen.
#include <atomic>
#include <thread>

#include "support.h"

using namespace support;

namespace {

constexpr unsigned thread_count = 4, machines_each = 6;

// Writes the squares of 1 to 3000 over a page and asks for something now and then.
code program() {
  code text;
  text.add("imm", {10, 3000}).add("imm", {11, data_address});
  const std::uint64_t loop = text.here();
  text.add("mul", {12, 10, 10}).add("andi", {13, 10, 1023}).add("stx64", {11, 13, 12}).add("hcall", {0, 0});
  text.add("addi", {10, 10, 0 - std::uint64_t{1}}).add("bnei", {10, 0, loop});
  return text.add("halt");
}

comet_status answer(comet_call* call, void* data) {
  static_cast<std::atomic<unsigned>*>(data)->fetch_add(1, std::memory_order_relaxed);
  comet_call_result(call, 5);
  return COMET_OK;
}

// Runs a machine in slices, with a snapshot that is gone back to once; gives the hash at the end.
hash run_to_end(comet_machine* vm) {
  comet_stop stop = COMET_STOP_INIT;
  hash end{};
  comet_snapshot* taken = nullptr;
  bool fine = comet_run(vm, 0, 1000, &stop, nullptr) == COMET_OK && comet_snapshot_take(vm, &taken, nullptr) == COMET_OK &&
              comet_run(vm, 0, 1000, &stop, nullptr) == COMET_OK && comet_snapshot_restore(vm, taken, nullptr) == COMET_OK;
  comet_snapshot_free(vm, taken);
  do fine = fine && comet_run(vm, 0, 5000, &stop, nullptr) == COMET_OK;
  while (fine && stop.reason == COMET_OUT_OF_FUEL);
  if (fine && stop.reason == COMET_HALTED) comet_state_hash(vm, end.data(), nullptr);
  return end;
}

} // namespace

BOOST_AUTO_TEST_SUITE(independent_machines)

BOOST_AUTO_TEST_CASE(machines_on_several_host_threads_do_not_disturb_each_other) {
  std::atomic<unsigned> calls = 0, released = 0;
  comet_grant_options options = COMET_GRANT_OPTIONS_INIT;
  options.signature = "u64";
  static std::atomic<unsigned>* releases;
  releases = &released;
  options.release = [](void*) { releases->fetch_add(1); };
  std::vector<hash> ends(thread_count * machines_each);
  hash alone{};
  {
    machine first(program());
    first.import("ask");
    SUPPORT_OK(comet_host_grant_with(first, "ask", answer, &calls, &options, error));
    comet_state* state = nullptr;
    SUPPORT_OK(comet_state_capture(first, nullptr, &state, error));
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < thread_count; ++t)
      threads.emplace_back([&, t] {
        for (unsigned i = 0; i < machines_each; ++i) {
          comet_machine* forked = nullptr;
          if (comet_machine_fork(first, state, &forked, nullptr) != COMET_OK) return;
          ends[t * machines_each + i] = run_to_end(forked);
          comet_machine_free(forked);
        }
      });
    for (std::thread& thread : threads) thread.join();
    comet_state_free(state);
    BOOST_CHECK_EQUAL(released.load(), 0);
    alone = run_to_end(first);
  }
  BOOST_CHECK_EQUAL(released.load(), 1);
  BOOST_TEST((alone != hash{}));
  for (const hash& end : ends) BOOST_TEST(end == alone);
}

BOOST_AUTO_TEST_SUITE_END()
