// Machines whose memory comes from the embedder: what they take comes from there and goes back, dirty as it may be, and
// what is refused is an error.
#include <cstdlib>
#include <cstring>
#include <new>

#include "support.h"

using namespace support;

namespace {

// Fills what it gives with what nobody wrote.
struct pool {
  std::size_t live = 0, calls = 0, largest = SIZE_MAX, most = SIZE_MAX; // that is given
  bool refuses = false, throws = false;
  comet_allocator allocator = COMET_ALLOCATOR_INIT;
  pool() {
    allocator.allocate = [](void* data, std::size_t length) -> void* {
      auto* const self = static_cast<pool*>(data);
      if (self->throws) throw std::bad_alloc();
      if (self->refuses || length > self->largest || length > self->most - self->live) return nullptr;
      self->live += length;
      ++self->calls;
      return std::memset(std::malloc(length), 0xa5, length);
    };
    allocator.release = [](void* data, void* memory, std::size_t length) {
      static_cast<pool*>(data)->live -= length;
      std::memset(memory, 0x5a, length);
      std::free(memory);
    };
    allocator.data = this;
  }
  ~pool() { BOOST_TEST(live == 0u); }
  comet_machine* make(std::uint64_t window = 1 << 20) {
    comet_config config = COMET_CONFIG_INIT;
    config.window = window;
    config.register_limit = 1024;
    config.call_depth_limit = 64;
    comet_machine* made = nullptr;
    SUPPORT_OK(comet_machine_new_with(&config, &allocator, &made, error));
    return made;
  }
};

constexpr std::uint64_t far_address = 0x700000000000;

void prepare(machine& vm, const code& program) {
  vm.load(program);
  vm.map(data_address, 2 * COMET_PAGE_SIZE, read_write);
  vm.map(far_address, 2 * COMET_PAGE_SIZE, read_write);
  vm.restart(program.address());
}

// Touches memory in the window and beyond it, registers that nobody set, and calls.
code some_of_all() {
  code text;
  text.add("imm", {1, 50}).add("imm", {2, data_address + 0xfff0}).add("imm", {3, far_address + 0xfff0}).add("imm", {4, 64});
  const std::uint64_t loop = text.here(), function = code_address + 0x100;
  text.add("st64", {2, 1, 12}).add("bcopy", {3, 2, 4}).add("ldu64", {5, 3, 40}).add("call", {10, function});
  text.add("addi", {1, 1, 0 - std::uint64_t{1}}).add("bnei", {1, 0, loop}).add("halt");
  while (text.here() < function) text.add("nop");
  return text.add("add", {1, 30, 31}).add("ret");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(allocator)

BOOST_AUTO_TEST_CASE(a_machine_does_the_same_in_memory_of_the_embedders) {
  pool from;
  machine given(from.make()), ordinary;
  for (machine* vm : {&given, &ordinary}) prepare(*vm, some_of_all());
  BOOST_TEST(from.live > (std::size_t{1} << 19));
  const auto same = [&] { return given.state_hash() == ordinary.state_hash(); };
  BOOST_TEST(same());
  comet_snapshot* taken[2] = {};
  const auto both = [&](auto&& act) { act(given, taken[0]), act(ordinary, taken[1]); };
  both([](machine& vm, comet_snapshot*& snapshot) {
    vm.run(100);
    SUPPORT_OK(comet_snapshot_take(vm, &snapshot, error));
    SUPPORT_OK(comet_unmap(vm, 0, data_address, COMET_PAGE_SIZE, error));
    vm.map(data_address, COMET_PAGE_SIZE, read_write);
    vm.map(far_address + 8 * COMET_PAGE_SIZE, COMET_PAGE_SIZE, read_write);
    vm.run(100);
  });
  BOOST_TEST(same());
  const hash later = given.state_hash();
  both([](machine& vm, comet_snapshot*& snapshot) { SUPPORT_OK(comet_snapshot_restore(vm, snapshot, error)); });
  BOOST_TEST(same());
  BOOST_CHECK(given.state_hash() != later);
  both([](machine& vm, comet_snapshot*& snapshot) {
    comet_space other = 0;
    SUPPORT_OK(comet_space_new(vm, &other, error));
    SUPPORT_OK(comet_share(vm, 0, data_address, 2 * COMET_PAGE_SIZE, other, far_address, read_write, error));
    comet_snapshot_free(vm, snapshot);
    vm.run();
  });
  BOOST_TEST(same());
}

BOOST_AUTO_TEST_CASE(forks_and_states_take_from_it_and_outlive_the_machine) {
  pool from, other;
  comet_state* state = nullptr;
  hash before{};
  {
    machine vm(from.make());
    prepare(vm, some_of_all());
    vm.run(100);
    before = vm.state_hash();
    SUPPORT_OK(comet_state_capture(vm, nullptr, &state, error));
  }
  BOOST_TEST(from.live > 0u);
  machine ordinary;
  const hash empty = ordinary.state_hash();
  comet_state* nothing = nullptr;
  SUPPORT_OK(comet_state_capture(ordinary, nullptr, &nothing, error));
  {
    machine here(from.make()), elsewhere(other.make());
    for (const machine* vm : {&here, &elsewhere, &ordinary}) {
      SUPPORT_OK(comet_state_restore(*vm, state, error));
      comet_machine* forked = nullptr;
      SUPPORT_OK(comet_machine_fork(*vm, nullptr, &forked, error));
      machine fork(forked);
      BOOST_TEST(fork.state_hash() == before);
      fork.run();
      fork.map(0x40000, COMET_PAGE_SIZE, read_write);
      SUPPORT_OK(comet_unmap(fork, 0, 0, UINT64_MAX, error));
      fork.map(code_address, 3 * COMET_PAGE_SIZE, read_write);
      BOOST_TEST(fork.read(code_address, 3 * COMET_PAGE_SIZE) == bytes(3 * COMET_PAGE_SIZE));
      SUPPORT_OK(comet_state_restore(fork, nothing, error));
      BOOST_TEST(fork.state_hash() == empty);
    }
  }
  comet_state_free(nothing);
  comet_state_free(state);
}

BOOST_AUTO_TEST_CASE(decoded_code_grows_as_it_is_needed_and_no_further_than_there_is) {
  code text;
  text.add("imm", {1, 3});
  const std::uint64_t loop = text.here();
  for (int i = 0; i < 20000; ++i) text.add("addi", {2, 2, 1});
  text.add("addi", {1, 1, 0 - std::uint64_t{1}}).add("bnei", {1, 0, loop}).add("halt");
  for (const std::size_t largest : {SIZE_MAX, std::size_t{3} << 19}) {
    pool from;
    from.largest = largest;
    machine vm(from.make());
    vm.load(text);
    vm.restart(text.address());
    BOOST_TEST(vm.run().reason == COMET_HALTED);
    BOOST_TEST(vm.get(2) == 60000u);
#ifndef COMET_REFERENCE_ONLY // the reference loop keeps so little that it never asks for more
    comet_statistics statistics = COMET_STATISTICS_INIT;
    SUPPORT_OK(comet_machine_statistics(vm, &statistics, error));
    BOOST_TEST(statistics.decoded_drops > 0u);
#endif
  }
}

// A program that calls a function in each of many pages. Each of them has a table of 256 KiB for what is decoded there.
machine in_many_pages(comet_machine* made, std::uint64_t pages) {
  machine vm(made);
  code text;
  text.add("imm", {1, far_address}).add("imm", {2, far_address + pages * COMET_PAGE_SIZE});
  const std::uint64_t again = text.here();
  text.add("jalr", {3, 1}).add("addi", {1, 1, COMET_PAGE_SIZE}).add("blt_u", {1, 2, again}).add("halt");
  vm.load(text);
  vm.map(far_address, pages * COMET_PAGE_SIZE, all_rights);
  const code function = code().add("jumpr", {3});
  for (std::uint64_t page = 0; page < pages; ++page) vm.write(far_address + page * COMET_PAGE_SIZE, function.content());
  vm.restart(text.address());
  return vm;
}

#ifndef COMET_REFERENCE_ONLY // the reference loop has no tables
BOOST_AUTO_TEST_CASE(tables_of_decoded_code_are_bounded) {
  constexpr std::uint64_t pages = 1200;
  pool from;
  machine vm = in_many_pages(from.make(), pages);
  std::size_t most = 0;
  comet_stop stop = COMET_STOP_INIT;
  do {
    stop = vm.run(1000);
    most = std::max(most, from.live);
  } while (stop.reason == COMET_OUT_OF_FUEL);
  BOOST_TEST(stop.reason == COMET_HALTED);
  comet_statistics statistics = COMET_STATISTICS_INIT;
  SUPPORT_OK(comet_machine_statistics(vm, &statistics, error));
  BOOST_TEST(statistics.decoded_drops > 0u);
  BOOST_TEST(most < pages * COMET_PAGE_SIZE + statistics.decoded_limit + (4u << 20));
}

BOOST_AUTO_TEST_CASE(who_has_no_memory_for_more_tables_gets_it_of_those_that_are_there) {
  pool from;
  machine vm = in_many_pages(from.make(), 20);
  vm.run(1);
  from.most = from.live + (3 << 20);
  comet_stop stop = COMET_STOP_INIT;
  comet_error error = COMET_ERROR_INIT;
  int refused = 0;
  for (comet_status status = COMET_ERROR_MEMORY; status == COMET_ERROR_MEMORY && refused < 20; refused += status != COMET_OK)
    status = comet_run(vm, 0, plenty, &stop, &error);
  BOOST_TEST((refused > 0 && refused < 5));
  BOOST_TEST(stop.reason == COMET_HALTED);
}
#endif

BOOST_AUTO_TEST_CASE(a_window_that_is_refused_is_none) {
  pool from;
  from.largest = 600'000;
  machine vm(from.make(1 << 30));
  std::string told;
  comet_set_log(vm, [](void* data, const char* line) { *static_cast<std::string*>(data) += line; }, &told);
  BOOST_TEST(told.find("no window") != std::string::npos);
  prepare(vm, some_of_all());
  told.clear();
  machine without(from.make(0)); // who wants none misses none
  comet_set_log(without, [](void* data, const char* line) { *static_cast<std::string*>(data) += line; }, &told);
  BOOST_TEST(told.empty());
  BOOST_TEST(vm.run().reason == COMET_HALTED);
}

BOOST_AUTO_TEST_CASE(what_is_refused_in_a_run_can_be_given_later) {
  pool from;
  machine vm(from.make());
  prepare(vm, some_of_all());
  from.refuses = true;
  comet_stop stop = COMET_STOP_INIT;
  comet_error error = COMET_ERROR_INIT;
  BOOST_TEST(comet_run(vm, 0, plenty, &stop, &error) == COMET_ERROR_MEMORY);
  BOOST_TEST(comet_machine_reset(vm, &error) == COMET_ERROR_MEMORY);
  from.refuses = false;
  BOOST_TEST(vm.run().reason == COMET_HALTED);
}

BOOST_AUTO_TEST_CASE(what_throws_has_no_memory) {
  pool from;
  machine vm(from.make());
  from.throws = true;
  comet_error error = COMET_ERROR_INIT;
  BOOST_TEST(comet_map(vm, 0, far_address, 2 * COMET_PAGE_SIZE, read_write, &error) == COMET_ERROR_MEMORY);
  from.throws = false;
  prepare(vm, some_of_all());
  BOOST_TEST(vm.run().reason == COMET_HALTED);
}

BOOST_AUTO_TEST_CASE(an_allocator_has_both_functions) {
  comet_machine* made = nullptr;
  comet_error error = COMET_ERROR_INIT;
  pool from;
  comet_allocator half = from.allocator;
  half.release = nullptr;
  BOOST_TEST(comet_machine_new_with(nullptr, &half, &made, &error) == COMET_ERROR_ARGUMENT);
  BOOST_TEST(std::string(error.message).find("both allocate and release") != std::string::npos);
  half = from.allocator;
  half.allocate = nullptr;
  BOOST_TEST(comet_machine_new_with(nullptr, &half, &made, &error) == COMET_ERROR_ARGUMENT);
  half.size = 0;
  BOOST_TEST(comet_machine_new_with(nullptr, &half, &made, &error) == COMET_ERROR_ARGUMENT);
  BOOST_TEST(made == nullptr);
}

BOOST_AUTO_TEST_SUITE_END()
