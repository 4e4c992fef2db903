// Address spaces: mapping, protection, regions, copying, limits, isolation.
#include <map>

#include "support.h"

using namespace support;

namespace {

struct region {
  std::uint64_t address;
  std::uint64_t length;
  int protection;
  bool operator==(const region&) const = default;
};
std::ostream& operator<<(std::ostream& out, const region& what) {
  return out << std::hex << what.address << "+" << what.length << std::dec << " " << what.protection;
}

std::vector<region> regions(const machine& of, comet_space space = 0) {
  std::vector<region> result;
  comet_region found = COMET_REGION_INIT;
  std::uint64_t from = 0;
  while (comet_next_region(of, space, from, &found, nullptr) == COMET_OK) {
    result.push_back({found.address, found.length, found.protection});
    from = found.address + found.length;
    if (from == 0) break;  // the last page
  }
  return result;
}

void check_regions(const machine& of, const std::vector<region>& expected) {
  const std::vector<region> found = regions(of);
  BOOST_CHECK_EQUAL_COLLECTIONS(found.begin(), found.end(), expected.begin(), expected.end());
}

constexpr std::uint64_t last_page = 0 - std::uint64_t{COMET_PAGE_SIZE};

}  // namespace

BOOST_AUTO_TEST_SUITE(memory)

BOOST_AUTO_TEST_CASE(a_new_machine_has_nothing_mapped) {
  const machine vm;
  check_regions(vm, {});
  SUPPORT_FAILS(COMET_ERROR_ADDRESS, comet_read(vm, 0, 0, bytes(1).data(), 1, error));
}

BOOST_AUTO_TEST_CASE(mapping_takes_every_page_that_the_range_touches) {
  machine vm;
  vm.map(0x2ffff, 2, read_write);
  check_regions(vm, {{0x20000, 0x20000, read_write}});
}

BOOST_AUTO_TEST_CASE(an_empty_range_maps_nothing) {
  machine vm;
  vm.map(0x20000, 0, read_write);
  check_regions(vm, {});
}

BOOST_AUTO_TEST_CASE(new_pages_are_zero) {
  machine vm;
  vm.map(0x20000, 0x20000, COMET_READ);
  BOOST_CHECK(vm.read(0x20000, 0x20000) == bytes(0x20000));
}

BOOST_AUTO_TEST_CASE(unmapped_and_mapped_again_pages_are_zero) {
  for (const std::uint64_t address : {std::uint64_t{0x20000}, std::uint64_t{0x700000000000}}) {
    machine vm;
    vm.map(address, 1, read_write);
    vm.write(address + 5, {1, 2, 3});
    SUPPORT_OK(comet_unmap(vm, 0, address, 1, error));
    vm.map(address, 1, read_write);
    BOOST_CHECK(vm.read(address, 16) == bytes(16));
  }
}

BOOST_AUTO_TEST_CASE(mapping_a_page_again_keeps_its_content_and_changes_its_protection) {
  machine vm;
  vm.map(0x20000, 1, read_write);
  vm.write(0x20000, {1, 2, 3});
  vm.map(0x20000, 0x10001, COMET_READ);
  BOOST_CHECK(vm.read(0x20000, 3) == (bytes{1, 2, 3}));
  check_regions(vm, {{0x20000, 0x20000, COMET_READ}});
}

BOOST_AUTO_TEST_CASE(unmapping_passes_over_pages_that_are_not_mapped) {
  machine vm;
  vm.map(0x20000, 1, read_write);
  vm.map(0x50000, 1, read_write);
  SUPPORT_OK(comet_unmap(vm, 0, 0, 0x60000, error));
  check_regions(vm, {});
}

BOOST_AUTO_TEST_CASE(unmapping_the_whole_address_space_is_quick) {
  machine vm;
  vm.map(0x20000, 1, read_write);
  vm.map(last_page, 1, read_write);
  SUPPORT_OK(comet_unmap(vm, 0, 0, UINT64_MAX, error));
  check_regions(vm, {});
}

BOOST_AUTO_TEST_CASE(both_ends_of_the_address_space_can_be_mapped) {
  machine vm;
  vm.map(0, 1, read_write);
  vm.map(last_page, COMET_PAGE_SIZE, COMET_READ);
  check_regions(vm, {{0, COMET_PAGE_SIZE, read_write}, {last_page, COMET_PAGE_SIZE, COMET_READ}});
  vm.write(UINT64_MAX, {7});
  BOOST_CHECK(vm.read(UINT64_MAX, 1) == bytes{7});
}

BOOST_AUTO_TEST_CASE(ranges_that_wrap_around_are_refused) {
  machine vm;
  vm.map(0, 1, read_write);
  vm.map(last_page, 1, read_write);
  SUPPORT_FAILS(COMET_ERROR_ADDRESS, comet_map(vm, 0, last_page, COMET_PAGE_SIZE + 1, read_write, error));
  SUPPORT_FAILS(COMET_ERROR_ADDRESS, comet_unmap(vm, 0, last_page, COMET_PAGE_SIZE + 1, error));
  SUPPORT_FAILS(COMET_ERROR_ADDRESS, comet_protect(vm, 0, last_page, COMET_PAGE_SIZE + 1, COMET_READ, error));
  SUPPORT_FAILS(COMET_ERROR_ADDRESS, comet_read(vm, 0, UINT64_MAX, bytes(2).data(), 2, error));
  SUPPORT_FAILS(COMET_ERROR_ADDRESS, comet_write(vm, 0, UINT64_MAX, bytes(2).data(), 2, error));
}

BOOST_AUTO_TEST_CASE(protect_needs_every_page_mapped_and_changes_nothing_otherwise) {
  machine vm;
  vm.map(0x20000, 1, read_write);
  vm.map(0x40000, 1, read_write);
  SUPPORT_FAILS(COMET_ERROR_ADDRESS, comet_protect(vm, 0, 0x20000, 0x30000, COMET_READ, error));
  check_regions(vm, {{0x20000, 0x10000, read_write}, {0x40000, 0x10000, read_write}});
  SUPPORT_OK(comet_protect(vm, 0, 0x20000, 1, 0, error));
  check_regions(vm, {{0x20000, 0x10000, 0}, {0x40000, 0x10000, read_write}});
}

BOOST_AUTO_TEST_CASE(regions_join_pages_of_equal_protection_across_the_end_of_the_window) {
  comet_config config = COMET_CONFIG_INIT;
  config.window = 0x30000;
  machine vm(&config);
  vm.map(0x20000, 0x20000, read_write);
  vm.map(0x40000, 0x10000, COMET_READ);
  check_regions(vm, {{0x20000, 0x20000, read_write}, {0x40000, 0x10000, COMET_READ}});
}

BOOST_AUTO_TEST_CASE(next_region_gives_the_region_that_the_address_lies_in) {
  machine vm;
  vm.map(0x20000, 0x30000, read_write);
  comet_region found = COMET_REGION_INIT;
  SUPPORT_OK(comet_next_region(vm, 0, 0x35678, &found, error));
  BOOST_CHECK_EQUAL(found.address, 0x20000u);
  BOOST_CHECK_EQUAL(found.length, 0x30000u);
  SUPPORT_OK(comet_next_region(vm, 0, 0x4ffff, &found, error));
  SUPPORT_FAILS(COMET_ERROR_ADDRESS, comet_next_region(vm, 0, 0x50000, &found, error));
  SUPPORT_FAILS(COMET_ERROR_ADDRESS, comet_next_region(vm, 0, UINT64_MAX, &found, error));
}

BOOST_AUTO_TEST_CASE(host_copies_do_not_ask_for_rights) {
  machine vm;
  vm.map(0x20000, 1, 0);
  vm.write(0x20010, {9});
  BOOST_CHECK(vm.read(0x20010, 1) == bytes{9});
}

BOOST_AUTO_TEST_CASE(host_copies_are_whole_or_not_at_all) {
  for (const std::uint64_t base : {std::uint64_t{0x20000}, std::uint64_t{0x700000000000}}) {
    machine vm;
    vm.map(base, 1, read_write);
    SUPPORT_FAILS(COMET_ERROR_ADDRESS, comet_write(vm, 0, base + 0xfffe, bytes(4, 1).data(), 4, error));
    BOOST_CHECK(vm.read(base + 0xfffe, 2) == bytes(2));
    bytes buffer(4, 5);
    SUPPORT_FAILS(COMET_ERROR_ADDRESS, comet_read(vm, 0, base + 0xfffe, buffer.data(), 4, error));
    BOOST_CHECK(buffer == bytes(4, 5));
  }
}

BOOST_AUTO_TEST_CASE(copies_cross_pages_and_the_end_of_the_window) {
  comet_config config = COMET_CONFIG_INIT;
  config.window = 0x30000;
  machine vm(&config);
  vm.map(0x20000, 0x30000, read_write);
  bytes content(0x2fff0);
  for (std::size_t n = 0; n < content.size(); ++n) content[n] = static_cast<std::uint8_t>(n * 7 + n / 251);
  vm.write(0x20008, content);
  BOOST_CHECK(vm.read(0x20008, content.size()) == content);
}

// A constant offset that does not fit the slot of its instruction, inside the window and beyond it.
BOOST_AUTO_TEST_CASE(an_offset_may_be_far) {
  constexpr std::uint64_t far = 0x300000000;
  for (const std::uint64_t window : {std::uint64_t{1} << 34, std::uint64_t{1} << 32}) {
    comet_config config = COMET_CONFIG_INIT;
    config.window = window;
    machine vm(code()
                   .add("addi", {1, 0, 8})
                   .add("st64", {1, 2, far})
                   .add("ldu64", {3, 1, far})
                   .add("lds8", {4, 1, far})
                   .add("ldu16", {5, 1, far})
                   .add("st8", {1, 6, far + 1})
                   .add("lds32", {7, 1, far})
                   .add("ldu8", {8, 1, far + 0x10000}),
               &config);
    vm.map(far, COMET_PAGE_SIZE, read_write);
    vm.set(2, 0x1122334485868788);
    const comet_stop stop = vm.run();
    BOOST_CHECK_EQUAL(stop.trap, COMET_TRAP_READ);
    BOOST_CHECK_EQUAL(stop.address, far + 0x10008);
    BOOST_CHECK_EQUAL(vm.get(3), 0x1122334485868788);
    BOOST_CHECK_EQUAL(vm.get(4), 0xffffffffffffff88);
    BOOST_CHECK_EQUAL(vm.get(5), 0x8788);
    BOOST_CHECK_EQUAL(vm.get(7), 0xffffffff85860088);
    BOOST_CHECK_EQUAL(vm.get(8), 0);
    BOOST_CHECK_EQUAL(vm.read_word(far + 8), 0x1122334485860088);
  }
}

BOOST_AUTO_TEST_CASE(an_empty_copy_needs_no_memory) {
  const machine vm;
  SUPPORT_OK(comet_read(vm, 0, 0x20000, nullptr, 0, error));
  SUPPORT_OK(comet_write(vm, 0, 0x20000, nullptr, 0, error));
}

BOOST_AUTO_TEST_CASE(spaces_do_not_see_each_other) {
  machine vm;
  std::vector<comet_space> spaces = {0};
  for (int n = 1; n < 20; ++n) {
    comet_space space = 0;
    SUPPORT_OK(comet_space_new(vm, &space, error));
    spaces.push_back(space);
  }
  for (std::size_t n = 0; n < spaces.size(); ++n) {
    vm.map(0x20000, 1, read_write, spaces[n]);
    vm.map(0x700000000000 + n * COMET_PAGE_SIZE, 1, read_write, spaces[n]);
    vm.write(0x20000, {static_cast<std::uint8_t>(n)}, spaces[n]);
  }
  for (std::size_t n = 0; n < spaces.size(); ++n) {
    BOOST_CHECK(vm.read(0x20000, 1, spaces[n]) == bytes{static_cast<std::uint8_t>(n)});
    SUPPORT_FAILS(COMET_ERROR_ADDRESS,
                  comet_read(vm, spaces[n], 0x700000000000 + (n + 1) % spaces.size() * COMET_PAGE_SIZE,
                             bytes(1).data(), 1, error));
  }
}

BOOST_AUTO_TEST_CASE(a_space_with_a_thread_in_it_cannot_be_freed) {
  machine vm;
  comet_space space = 0;
  comet_thread thread = 0;
  SUPPORT_OK(comet_space_new(vm, &space, error));
  SUPPORT_OK(comet_thread_new(vm, space, 0, &thread, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_space_free(vm, space, error));
  SUPPORT_OK(comet_thread_free(vm, thread, error));
  SUPPORT_OK(comet_space_free(vm, space, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_space_free(vm, space, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_map(vm, space, 0, 1, COMET_READ, error));
}

BOOST_AUTO_TEST_CASE(space_0_and_thread_0_stay) {
  machine vm;
  BOOST_CHECK_NE(comet_space_free(vm, 0, nullptr), COMET_OK);
  BOOST_CHECK_NE(comet_thread_free(vm, 0, nullptr), COMET_OK);
}

BOOST_AUTO_TEST_CASE(the_memory_limit_holds_at_the_page_and_over_all_spaces) {
  comet_config config = COMET_CONFIG_INIT;
  config.memory_limit = 4 * COMET_PAGE_SIZE;
  machine vm(&config);
  comet_space space = 0;
  SUPPORT_OK(comet_space_new(vm, &space, error));
  vm.map(0x20000, 2 * COMET_PAGE_SIZE, read_write);
  vm.map(0x700000000000, COMET_PAGE_SIZE, read_write, space);
  SUPPORT_FAILS(COMET_ERROR_MEMORY, comet_map(vm, 0, 0x80000, COMET_PAGE_SIZE + 1, read_write, error));
  check_regions(vm, {{0x20000, 0x20000, read_write}});
  vm.map(0x80000, COMET_PAGE_SIZE, read_write);
  SUPPORT_FAILS(COMET_ERROR_MEMORY, comet_map(vm, 0, 0x90000, 1, read_write, error));
  // Mapped pages do not count twice, and unmapped ones no more.
  vm.map(0x20000, 2 * COMET_PAGE_SIZE, COMET_READ);
  SUPPORT_OK(comet_unmap(vm, 0, 0x20000, 1, error));
  vm.map(0x90000, 1, read_write);
}

BOOST_AUTO_TEST_CASE(tables_of_pages_count_as_a_page_for_each_1024) {
  comet_config config = COMET_CONFIG_INIT;
  config.memory_limit = 2050 * COMET_PAGE_SIZE;
  machine vm(&config);
  vm.map(0, 1024 * COMET_PAGE_SIZE, read_write);
  SUPPORT_FAILS(COMET_ERROR_MEMORY, comet_map(vm, 0, std::uint64_t{1} << 33, 1025 * COMET_PAGE_SIZE, read_write, error));
  vm.map(std::uint64_t{1} << 33, 1024 * COMET_PAGE_SIZE, read_write);
  comet_statistics statistics = COMET_STATISTICS_INIT;
  SUPPORT_OK(comet_machine_statistics(vm, &statistics, error));
  BOOST_CHECK_EQUAL(statistics.mapped_bytes, config.memory_limit);
}

BOOST_AUTO_TEST_CASE(a_huge_map_is_refused_without_touching_the_host) {
  machine vm;
  SUPPORT_FAILS(COMET_ERROR_MEMORY, comet_map(vm, 0, 0, UINT64_MAX, read_write, error));
  SUPPORT_FAILS(COMET_ERROR_MEMORY, comet_map(vm, 0, 0x10000, std::uint64_t{1} << 62, read_write, error));
  check_regions(vm, {});
}

BOOST_AUTO_TEST_CASE(a_program_sees_protection_changes_at_once) {
  for (const std::uint64_t address : {data_address, std::uint64_t{0x700000000000}}) {
    machine vm(code().add("st64", {1, 2, 0}).add("ldu64", {3, 1, 0}).add("jump", {code_address}));
    vm.map(address, 1, read_write);
    vm.set(1, address);
    BOOST_CHECK_EQUAL(vm.run(30).reason, COMET_OUT_OF_FUEL);
    SUPPORT_OK(comet_protect(vm, 0, address, 1, COMET_READ, error));
    BOOST_CHECK_EQUAL(vm.run(30).trap, COMET_TRAP_WRITE);
    SUPPORT_OK(comet_protect(vm, 0, address, 1, COMET_WRITE, error));
    BOOST_CHECK_EQUAL(vm.run(30).trap, COMET_TRAP_READ);
    SUPPORT_OK(comet_protect(vm, 0, address, 1, read_write, error));
    BOOST_CHECK_EQUAL(vm.run(30).reason, COMET_OUT_OF_FUEL);
    SUPPORT_OK(comet_unmap(vm, 0, address, 1, error));
    const comet_stop stop = vm.run(30);
    BOOST_CHECK_EQUAL(stop.reason, COMET_TRAP);
    BOOST_CHECK_EQUAL(stop.address, address);
  }
}

BOOST_AUTO_TEST_CASE(code_that_loses_its_right_stops_being_executed) {
  machine vm(code().add("addi", {1, 1, 1}).add("jump", {code_address}));
  BOOST_CHECK_EQUAL(vm.run(30).reason, COMET_OUT_OF_FUEL);
  SUPPORT_OK(comet_protect(vm, 0, code_address, 1, read_write, error));
  const comet_stop stop = vm.run(30);
  BOOST_CHECK_EQUAL(stop.trap, COMET_TRAP_EXECUTE);
  BOOST_CHECK_EQUAL(stop.address, code_address);
  BOOST_CHECK_EQUAL(stop.executed, 0u);
  SUPPORT_OK(comet_protect(vm, 0, code_address, 1, COMET_EXECUTE, error));
  BOOST_CHECK_EQUAL(vm.run(30).reason, COMET_OUT_OF_FUEL);
  SUPPORT_OK(comet_unmap(vm, 0, code_address, 1, error));
  BOOST_CHECK_EQUAL(vm.run(30).trap, COMET_TRAP_EXECUTE);
}

BOOST_AUTO_TEST_CASE(many_machines_live_beside_each_other) {
  std::vector<std::unique_ptr<machine>> machines;
  comet_config config = COMET_CONFIG_INIT;
  config.window = 0x100000;
  config.register_limit = 1000;
  config.call_depth_limit = 100;
  for (std::uint64_t n = 0; n < 1000; ++n) {
    machines.push_back(std::make_unique<machine>(code().add("st64", {1, 2, 0}).add("halt"), &config));
    machines.back()->set(1, data_address);
    machines.back()->set(2, n);
  }
  for (const auto& each : machines) BOOST_REQUIRE_EQUAL(each->run().reason, COMET_HALTED);
  for (std::uint64_t n = 0; n < 1000; ++n) BOOST_REQUIRE_EQUAL(machines[n]->read_word(data_address), n);
}

BOOST_AUTO_TEST_CASE(reset_brings_back_an_empty_machine) {
  machine vm(code().add("addi", {1, 1, 1}).add("halt"));
  const hash fresh = machine().state_hash();
  comet_space space = 0;
  comet_thread thread = 0;
  SUPPORT_OK(comet_space_new(vm, &space, error));
  SUPPORT_OK(comet_thread_new(vm, space, 0, &thread, error));
  vm.import("anything");
  vm.run();
  SUPPORT_OK(comet_machine_reset(vm, error));
  check_regions(vm, {});
  BOOST_CHECK_EQUAL(vm.get(1), 0u);
  BOOST_CHECK_EQUAL(vm.info().instruction_count, 0u);
  BOOST_CHECK(comet_host_import_name(vm, 0) == nullptr);
  BOOST_CHECK(vm.state_hash() == fresh);
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_map(vm, space, 0, 1, COMET_READ, error));
}

BOOST_AUTO_TEST_CASE(pages_that_only_a_snapshot_holds_do_not_count_against_the_limit) {
  comet_config config = COMET_CONFIG_INIT;
  config.memory_limit = 2 * COMET_PAGE_SIZE;
  machine vm(&config);
  comet_space space = 0;
  SUPPORT_OK(comet_space_new(vm, &space, error));
  vm.map(0, 2 * COMET_PAGE_SIZE, read_write, space);
  snapshot taken(vm);
  SUPPORT_OK(comet_space_free(vm, space, error));
  vm.map(0, 2 * COMET_PAGE_SIZE, read_write);
  SUPPORT_FAILS(COMET_ERROR_MEMORY, comet_map(vm, 0, data_address, 1, COMET_READ, error));
  taken.restore();
  SUPPORT_FAILS(COMET_ERROR_MEMORY, comet_map(vm, 0, 0, 1, COMET_READ, error));
  SUPPORT_OK(comet_unmap(vm, space, 0, 1, error));
  vm.map(0, 1, read_write);
  SUPPORT_FAILS(COMET_ERROR_MEMORY, comet_map(vm, 0, data_address, 1, COMET_READ, error));
}

BOOST_AUTO_TEST_SUITE_END()
