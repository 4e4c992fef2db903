// Pages that several spaces have, and memory of the host that a machine sees: the same content in both places, and part
// of the state like all else.
#include <cstring>

#include "state_files.h"

using namespace support;

namespace {

constexpr std::uint64_t far_address = 0x700000000000;

comet_page_info info_of(const machine& vm, std::uint64_t address, comet_space space = 0) {
  comet_page_info info = COMET_PAGE_INFO_INIT;
  SUPPORT_OK(comet_page_get(vm, space, address, &info, error));
  return info;
}

// Three pages of space 0, of which a second space has the last two: in the window of one, or beyond that of both.
struct shared {
  machine vm;
  comet_space other = 0;
  std::uint64_t here, there;
  explicit shared(std::uint64_t at = data_address, std::uint64_t other_at = 0x300000) : here(at), there(other_at) {
    SUPPORT_OK(comet_space_new(vm, &other, error));
    vm.map(here, 3 * COMET_PAGE_SIZE, read_write);
    vm.write(here + COMET_PAGE_SIZE, {1, 2, 3});
    share();
  }
  void share() {
    SUPPORT_OK(comet_share(vm, 0, here + COMET_PAGE_SIZE, 2 * COMET_PAGE_SIZE, other, there, read_write, error));
  }
};

// Adds 1 to M64[r2] r1 times.
code counter() {
  code text;
  const std::uint64_t loop = text.here();
  text.add("ldu64", {3, 2, 0}).add("addi", {3, 3, 1}).add("st64", {2, 3, 0});
  return text.add("addi", {1, 1, 0 - std::uint64_t{1}}).add("bnei", {1, 0, loop}).add("halt");
}

} // namespace

BOOST_AUTO_TEST_SUITE(sharing)

BOOST_AUTO_TEST_CASE(what_is_written_in_one_space_is_in_the_other) {
  for (const auto& [here, there] : {std::pair{data_address, std::uint64_t{0x300000}}, {far_address, far_address}, {data_address, far_address}}) {
    shared at(here, there);
    BOOST_TEST(at.vm.read(there, 3, at.other) == (bytes{1, 2, 3}));
    at.vm.write(there + 1, {9}, at.other);
    BOOST_TEST(at.vm.read(here + COMET_PAGE_SIZE, 3) == (bytes{1, 9, 3}));
    at.vm.write(here + 2 * COMET_PAGE_SIZE - 1, {7, 8}); // across the pages
    BOOST_TEST(at.vm.read(there + COMET_PAGE_SIZE - 1, 2, at.other) == (bytes{7, 8}));
    BOOST_CHECK_EQUAL(info_of(at.vm, here).spaces, 1);
    BOOST_CHECK_EQUAL(info_of(at.vm, here + COMET_PAGE_SIZE).spaces, 2);
    BOOST_CHECK_EQUAL(info_of(at.vm, there, at.other).spaces, 2);
    SUPPORT_OK(comet_unmap(at.vm, 0, here, 3 * COMET_PAGE_SIZE, error));
    BOOST_TEST(at.vm.read(there, 3, at.other) == (bytes{1, 9, 3}));
    BOOST_CHECK_EQUAL(info_of(at.vm, there, at.other).spaces, 1);
  }
}

BOOST_AUTO_TEST_CASE(programs_in_two_spaces_work_on_one_page) {
  shared at;
  at.vm.load(counter());
  at.vm.load(counter(), read_execute, at.other);
  comet_thread second = 0;
  SUPPORT_OK(comet_thread_new(at.vm, at.other, code_address, &second, error));
  at.vm.restart(code_address);
  at.vm.set(1, 1000);
  at.vm.set(2, at.here + COMET_PAGE_SIZE + 8);
  at.vm.set(1, 500, second);
  at.vm.set(2, at.there + 8, second);
  while (at.vm.run(70).reason == COMET_OUT_OF_FUEL) at.vm.run(35, second); // 14 and 7 turns
  at.vm.run(plenty, second);
  BOOST_CHECK_EQUAL(at.vm.read_word(at.there + 8, at.other), 1500);
}

BOOST_AUTO_TEST_CASE(each_space_has_a_protection_of_its_own) {
  shared at;
  SUPPORT_OK(comet_protect(at.vm, at.other, at.there, 1, COMET_READ, error));
  at.vm.load(counter(), read_execute, at.other);
  comet_thread thread = 0;
  SUPPORT_OK(comet_thread_new(at.vm, at.other, code_address, &thread, error));
  at.vm.set(1, 1, thread);
  at.vm.set(2, at.there, thread);
  const comet_stop stop = at.vm.run(plenty, thread);
  BOOST_CHECK_EQUAL(stop.trap, COMET_TRAP_WRITE);
  BOOST_CHECK_EQUAL(stop.address, at.there);
  BOOST_CHECK_EQUAL(info_of(at.vm, at.here + COMET_PAGE_SIZE).protection, read_write);
}

BOOST_AUTO_TEST_CASE(code_that_another_space_writes_to_is_the_new_code) {
  machine vm;
  comet_space other = 0;
  SUPPORT_OK(comet_space_new(vm, &other, error));
  code text;
  text.add("addi", {1, 1, 1}).add("jump", {code_address});
  vm.load(text);
  SUPPORT_OK(comet_share(vm, 0, code_address, COMET_PAGE_SIZE, other, data_address, read_write, error));
  vm.restart(code_address);
  vm.run(2000);
  BOOST_CHECK_EQUAL(vm.get(1), 1000);
  code changed;
  changed.add("addi", {1, 1, 2});
  vm.write(data_address, changed.content(), other);
  vm.run(2000);
  BOOST_CHECK_EQUAL(vm.get(1), 3000);
}

BOOST_AUTO_TEST_CASE(snapshots_keep_what_was_written_through_any_space_and_what_was_shared) {
  for (const std::uint64_t base : {data_address, far_address}) {
    shared at(base, base);
    const hash before = at.vm.state_hash();
    snapshot taken(at.vm);
    at.vm.write(at.there, {50}, at.other);
    at.vm.write(at.here + 2 * COMET_PAGE_SIZE, {60});
    const hash written = at.vm.state_hash();
    snapshot later(at.vm);
    SUPPORT_OK(comet_unmap(at.vm, at.other, at.there, COMET_PAGE_SIZE, error)); // the sharing ends
    at.vm.map(at.there, 1, read_write, at.other);
    at.vm.write(at.here + COMET_PAGE_SIZE, {70});
    const hash apart = at.vm.state_hash();
    snapshot end(at.vm);
    later.restore();
    BOOST_TEST(at.vm.state_hash() == written);
    at.vm.write(at.there + 5, {1}, at.other); // they are one page again
    BOOST_TEST(at.vm.read(at.here + COMET_PAGE_SIZE + 5, 1) == bytes{1});
    end.restore();
    BOOST_TEST(at.vm.state_hash() == apart);
    taken.restore();
    BOOST_TEST(at.vm.state_hash() == before);
    BOOST_TEST(at.vm.read(at.there, 1, at.other) == bytes{1});
    at.vm.write(at.there, {2}, at.other);
    BOOST_TEST(at.vm.read(at.here + COMET_PAGE_SIZE, 1) == bytes{2});
    end.restore();
    BOOST_TEST(at.vm.state_hash() == apart);
  }
}

BOOST_AUTO_TEST_CASE(a_snapshot_from_before_ends_the_sharing) {
  machine vm;
  comet_space other = 0;
  SUPPORT_OK(comet_space_new(vm, &other, error));
  vm.map(data_address, COMET_PAGE_SIZE, read_write);
  vm.write(data_address, {1});
  const hash before = vm.state_hash();
  snapshot taken(vm);
  SUPPORT_OK(comet_share(vm, 0, data_address, COMET_PAGE_SIZE, other, data_address, read_write, error));
  vm.write(data_address, {2}, other);
  BOOST_TEST(vm.state_hash() != before);
  snapshot with(vm);
  taken.restore();
  BOOST_TEST(vm.state_hash() == before);
  vm.write(data_address, {3});
  with.restore();
  BOOST_TEST(vm.read(data_address, 1, other) == bytes{2});
  BOOST_CHECK_EQUAL(info_of(vm, data_address).spaces, 2);
}

// Code that has run can be shared then, changed by who got it, and brought back.
BOOST_AUTO_TEST_CASE(code_that_was_executed_is_shared_and_restored) {
  machine vm(code().add("imm", {1, 5}).add("halt"));
  comet_space other = 0;
  SUPPORT_OK(comet_space_new(vm, &other, error));
  const auto result = [&] {
    vm.restart(code_address);
    BOOST_CHECK_EQUAL(vm.run().reason, COMET_HALTED);
    return vm.get(1);
  };
  BOOST_CHECK_EQUAL(result(), 5u);
  SUPPORT_OK(comet_share(vm, 0, code_address, COMET_PAGE_SIZE, other, code_address, read_write, error));
  BOOST_CHECK_EQUAL(result(), 5u);
  snapshot before(vm);
  vm.write(code_address, code().add("imm", {1, 7}).content(), other);
  BOOST_CHECK_EQUAL(result(), 7u);
  before.restore();
  BOOST_CHECK_EQUAL(result(), 5u);
}

BOOST_AUTO_TEST_CASE(a_page_goes_back_to_whom_it_was_shared_with) {
  shared at;
  constexpr std::uint64_t page = COMET_PAGE_SIZE;
  at.vm.map(at.there + 8 * page, page, read_write, at.other);
  at.vm.write(at.there + 8 * page, {9}, at.other);
  snapshot before(at.vm);
  SUPPORT_OK(comet_unmap(at.vm, 0, at.here + page, page, error));
  SUPPORT_OK(comet_share(at.vm, at.other, at.there + 8 * page, page, 0, at.here + page, read_write, error));
  BOOST_TEST(at.vm.read(at.here + page, 1) == bytes{9});
  before.restore();
  BOOST_TEST(at.vm.read(at.here + page, 3) == (bytes{1, 2, 3}));
  at.vm.write(at.here + page, {4});
  BOOST_TEST(at.vm.read(at.there, 1, at.other) == bytes{4});
  BOOST_TEST(at.vm.read(at.there + 8 * page, 1, at.other) == bytes{9});
}

BOOST_AUTO_TEST_CASE(nothing_is_written_to_shared_pages_by_blocks_of_no_length) {
  machine vm(code().add("bfill", {1, 2, 3}).add("bcopy", {1, 4, 3}).add("halt"));
  comet_space other = 0;
  SUPPORT_OK(comet_space_new(vm, &other, error));
  SUPPORT_OK(comet_share(vm, 0, data_address, COMET_PAGE_SIZE, other, data_address, read_write, error));
  const snapshot kept(vm);
  vm.set(1, data_address);
  vm.set(4, code_address);
  BOOST_CHECK_EQUAL(vm.run().reason, COMET_HALTED);
  vm.write(data_address, {});
  BOOST_CHECK_EQUAL(comet_snapshot_bytes(vm) / COMET_PAGE_SIZE, 0u);
}

BOOST_AUTO_TEST_CASE(that_pages_are_one_is_part_of_the_hash_of_files_and_of_forks) {
  shared at;
  machine apart;
  comet_space other = 0;
  SUPPORT_OK(comet_space_new(apart, &other, error));
  apart.map(at.here, 3 * COMET_PAGE_SIZE, read_write);
  apart.map(at.there, 2 * COMET_PAGE_SIZE, read_write, other);
  apart.write(at.here + COMET_PAGE_SIZE, {1, 2, 3});
  apart.write(at.there, {1, 2, 3}, other);
  BOOST_TEST(apart.state_hash() != at.vm.state_hash());

  bytes file;
  SUPPORT_OK(comet_state_save(at.vm, nullptr, append, &file, nullptr, error));
  comet_state* state = nullptr;
  SUPPORT_OK(comet_state_read(file.data(), file.size(), nullptr, &state, error));
  machine restored;
  SUPPORT_OK(comet_state_restore(restored, state, error));
  comet_state_free(state);
  comet_machine* handle = nullptr;
  SUPPORT_OK(comet_machine_fork(at.vm, nullptr, &handle, error));
  machine forked(handle);
  for (machine* vm : {&restored, &forked}) {
    BOOST_TEST(vm->state_hash() == at.vm.state_hash());
    vm->write(at.there, {77}, at.other);
    BOOST_TEST(vm->read(at.here + COMET_PAGE_SIZE, 1) == bytes{77});
  }
  BOOST_TEST(at.vm.read(at.there, 1, at.other) == bytes{1});
}

BOOST_AUTO_TEST_CASE(a_file_that_joins_what_cannot_be_one_is_refused) {
  shared at;
  at.vm.write(at.here + 2 * COMET_PAGE_SIZE, {5});
  bytes file;
  SUPPORT_OK(comet_state_save(at.vm, nullptr, append, &file, nullptr, error));
  const bytes joined = content_of(file, "JOIN");
  BOOST_REQUIRE_EQUAL(joined.size(), 4 * 16);
  const auto with = [&](std::size_t page, std::size_t offset, std::uint64_t value, std::size_t length) {
    bytes changed = joined;
    put_at(changed, 16 * page + offset, value, length);
    return with_content(file, "JOIN", changed);
  };
  refused(with(0, 8, 0x9999, 8), "a joined page is not mapped");
  refused(with(0, 8, at.here / COMET_PAGE_SIZE, 8), "has another content");
  refused(with(1, 8, 0x31, 8), "has another content");
  refused(with(3, 8, 0x30, 8), "a joined page is not mapped, is there twice");
  refused(with(0, 4, 0, 4), "not in ascending order");
  refused(with(1, 0, 0, 4), "not in ascending order");
  refused(with(1, 0, 7, 4), "a joined page is not mapped");
  refused(with(1, 4, 1, 4), "joined to no other");
  refused(with(3, 4, 1, 4), "joined to no other");
  refused(with_content(file, "JOIN", {}), "joined to no other");
  refused(with_content(file, "JOIN", bytes(joined.begin(), joined.begin() + 48)), "joined to no other");
  refused(with_content(file, "JOIN", bytes(joined.begin(), joined.begin() + 40)), "");
  refused(with_record_behind(file, "IMPT", "JOIN", joined), "");
  refused(without_record(file, "JOIN"), "hash");
}

BOOST_AUTO_TEST_CASE(a_third_space_gets_the_page_from_any_that_has_it) {
  shared at;
  comet_space third = 0;
  SUPPORT_OK(comet_space_new(at.vm, &third, error));
  SUPPORT_OK(comet_share(at.vm, at.other, at.there, COMET_PAGE_SIZE, third, 0, COMET_READ, error));
  at.vm.write(0, {42}, third);
  BOOST_TEST(at.vm.read(at.here + COMET_PAGE_SIZE, 1) == bytes{42});
  BOOST_CHECK_EQUAL(info_of(at.vm, 0, third).spaces, 3);
  snapshot taken(at.vm);
  SUPPORT_OK(comet_space_free(at.vm, at.other, error));
  BOOST_CHECK_EQUAL(info_of(at.vm, 0, third).spaces, 2);
  at.vm.write(0, {43}, third);
  BOOST_TEST(at.vm.read(at.here + COMET_PAGE_SIZE, 1) == bytes{43});
}

BOOST_AUTO_TEST_CASE(what_cannot_be_shared_is_refused) {
  shared at;
  const auto share = [&](std::uint64_t from, std::uint64_t length, comet_space with, std::uint64_t to) {
    comet_error error = COMET_ERROR_INIT;
    const hash before = at.vm.state_hash();
    const comet_status status = comet_share(at.vm, 0, from, length, with, to, COMET_READ, &error);
    BOOST_CHECK_NE(error.message[0], 0);
    BOOST_TEST(at.vm.state_hash() == before);
    return status;
  };
  constexpr std::uint64_t page = COMET_PAGE_SIZE, elsewhere = 0x900000;
  BOOST_CHECK_EQUAL(share(at.here + 1, page, at.other, elsewhere), COMET_ERROR_ARGUMENT);
  BOOST_CHECK_EQUAL(share(at.here, page - 1, at.other, elsewhere), COMET_ERROR_ARGUMENT);
  BOOST_CHECK_EQUAL(share(at.here, page, at.other, elsewhere + 1), COMET_ERROR_ARGUMENT);
  BOOST_CHECK_EQUAL(share(at.here, page, 0, elsewhere), COMET_ERROR_ARGUMENT);
  BOOST_CHECK_EQUAL(share(at.here, page, 9, elsewhere), COMET_ERROR_ARGUMENT);
  BOOST_CHECK_EQUAL(share(at.here, 4 * page, at.other, elsewhere), COMET_ERROR_ADDRESS);
  BOOST_CHECK_EQUAL(share(at.here, page, at.other, at.there - page + page), COMET_ERROR_ARGUMENT); // mapped there
  BOOST_CHECK_EQUAL(share(at.here + page, page, at.other, elsewhere), COMET_ERROR_ARGUMENT); // has it already
  SUPPORT_OK(comet_share(at.vm, 0, at.here, 0, at.other, at.there, COMET_READ, error)); // nothing is, everywhere
  comet_limits limits = COMET_LIMITS_INIT;
  SUPPORT_OK(comet_get_limits(at.vm, &limits, error));
  limits.memory = 5 * page;
  SUPPORT_OK(comet_set_limits(at.vm, &limits, error));
  BOOST_CHECK_EQUAL(share(at.here, page, at.other, elsewhere), COMET_ERROR_MEMORY);
}

// ---- memory of the host --------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_program_reads_memory_of_the_host_and_nobody_writes_to_it) {
  for (const std::uint64_t base : {std::uint64_t{0x400000}, far_address}) {
    bytes input(2 * COMET_PAGE_SIZE + 1, 5); // at an odd address, too
    const std::uint8_t* const shown = input.data() + 1;
    const bytes before = input;
    machine vm(counter());
    SUPPORT_OK(comet_map_host(vm, 0, base, shown, 2 * COMET_PAGE_SIZE, COMET_READ, error));
    BOOST_CHECK_EQUAL(info_of(vm, base).of_host, 1);
    vm.set(1, 1);
    vm.set(2, base + COMET_PAGE_SIZE);
    const comet_stop stop = vm.run();
    BOOST_CHECK_EQUAL(stop.trap, COMET_TRAP_WRITE);
    BOOST_CHECK_EQUAL(vm.get(3), 0x0505050505050506);
    SUPPORT_OK(comet_protect(vm, 0, base, 2 * COMET_PAGE_SIZE, read_write, error));
    BOOST_CHECK_EQUAL(vm.run().reason, COMET_HALTED);
    BOOST_CHECK_EQUAL(vm.read_word(base + COMET_PAGE_SIZE), 0x0505050505050506);
    BOOST_CHECK_EQUAL(info_of(vm, base + COMET_PAGE_SIZE).of_host, 0);
    BOOST_CHECK_EQUAL(info_of(vm, base).of_host, 1);
    vm.write(base + COMET_PAGE_SIZE - 1, {1, 2});
    BOOST_TEST(vm.read(base + COMET_PAGE_SIZE - 2, 4) == (bytes{5, 1, 2, 5}));
    BOOST_TEST(input == before);
  }
}

BOOST_AUTO_TEST_CASE(states_and_snapshots_have_copies_of_it) {
  bytes input(COMET_PAGE_SIZE, 5);
  machine vm, copy;
  SUPPORT_OK(comet_map_host(vm, 0, data_address, input.data(), input.size(), COMET_READ, error));
  copy.map(data_address, 1, COMET_READ);
  copy.write(data_address, input);
  BOOST_TEST(vm.state_hash() == copy.state_hash()); // where bytes lie is no part of the state
  const hash before = vm.state_hash();
  comet_machine* handle = nullptr;
  SUPPORT_OK(comet_machine_fork(vm, nullptr, &handle, error));
  machine forked(handle);
  snapshot taken(vm);
  SUPPORT_OK(comet_unmap(vm, 0, data_address, 1, error));
  input.assign(input.size(), 6); // the host may do as it likes again
  BOOST_TEST(forked.state_hash() == before);
  taken.restore();
  BOOST_TEST(vm.state_hash() == before);
  BOOST_CHECK_EQUAL(info_of(vm, data_address).of_host, 0);
}

BOOST_AUTO_TEST_CASE(memory_of_the_host_can_be_shared_and_then_is_a_copy) {
  const bytes input(COMET_PAGE_SIZE, 5);
  machine vm;
  comet_space other = 0;
  SUPPORT_OK(comet_space_new(vm, &other, error));
  SUPPORT_OK(comet_map_host(vm, 0, data_address, input.data(), input.size(), COMET_READ, error));
  SUPPORT_OK(comet_share(vm, 0, data_address, COMET_PAGE_SIZE, other, 0, read_write, error));
  vm.write(0, {9}, other);
  BOOST_TEST(vm.read(data_address, 2) == (bytes{9, 5}));
  BOOST_CHECK_EQUAL(input[0], 5);
}

BOOST_AUTO_TEST_CASE(blocks_are_copied_from_memory_of_the_host_at_once) {
  bytes input(2 * COMET_PAGE_SIZE);
  for (std::size_t i = 0; i < input.size(); ++i) input[i] = static_cast<std::uint8_t>(i * 7 + i / 256);
  code text;
  text.add("imm", {1, data_address + 5}).add("imm", {2, 0x400003}).add("imm", {3, 2 * COMET_PAGE_SIZE - 9});
  machine vm(text.add("bcopy", {1, 2, 3}).add("halt"));
  vm.map(data_address, 2 * COMET_PAGE_SIZE, read_write);
  SUPPORT_OK(comet_map_host(vm, 0, 0x400000, input.data(), input.size(), COMET_READ, error));
  BOOST_CHECK_EQUAL(vm.run().reason, COMET_HALTED);
  BOOST_TEST((vm.read(data_address + 5, 2 * COMET_PAGE_SIZE - 9) == bytes(input.begin() + 3, input.end() - 6)));
}

BOOST_AUTO_TEST_CASE(memory_of_the_host_comes_in_whole_pages_where_there_is_room) {
  const bytes input(2 * COMET_PAGE_SIZE, 5);
  machine vm;
  vm.map(data_address + COMET_PAGE_SIZE, 1, read_write);
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_map_host(vm, 0, data_address, input.data(), input.size(), COMET_READ, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_map_host(vm, 0, data_address, input.data(), 5, COMET_READ, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_map_host(vm, 0, data_address, nullptr, COMET_PAGE_SIZE, COMET_READ, error));
  SUPPORT_OK(comet_map_host(vm, 0, data_address, input.data(), COMET_PAGE_SIZE, COMET_READ, error));
  comet_page_info info = COMET_PAGE_INFO_INIT;
  SUPPORT_FAILS(COMET_ERROR_ADDRESS, comet_page_get(vm, 0, 0, &info, error));
  // Nothing has room everywhere.
  comet_space other = 0;
  SUPPORT_OK(comet_space_new(vm, &other, error));
  const hash before = vm.state_hash();
  SUPPORT_OK(comet_map_host(vm, 0, data_address, nullptr, 0, COMET_READ, error));
  SUPPORT_OK(comet_share(vm, 0, data_address, 0, other, data_address, COMET_READ, error));
  BOOST_CHECK(vm.state_hash() == before);
}

BOOST_AUTO_TEST_SUITE_END()
