// Snapshots: taken, restored and freed in any order; pages are compared with a plain model.
#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include "support.h"

using namespace support;

namespace {

constexpr std::uint64_t places[] = {0x20000,        0x30000,        0x40000,           0x90000,
                                    0x700000000000, 0x700000010000, 0xffffffffffff0000};

// Everything that a snapshot holds, copied the plain way.
struct plain_state {
  std::map<std::uint64_t, std::pair<int, bytes>> pages;
  std::uint64_t registers[4] = {};
  std::uint64_t pc = 0;
  bool operator==(const plain_state&) const = default;
};

plain_state copy(const machine& vm) {
  plain_state state;
  comet_region found = COMET_REGION_INIT;
  std::uint64_t from = 0;
  while (comet_next_region(vm, 0, from, &found, nullptr) == COMET_OK) {
    for (std::uint64_t at = found.address; at != found.address + found.length; at += COMET_PAGE_SIZE)
      state.pages[at] = {found.protection, vm.read(at, COMET_PAGE_SIZE)};
    from = found.address + found.length;
    if (from == 0) break;
  }
  for (std::uint64_t n = 0; n < 4; ++n) state.registers[n] = vm.get(n + 1);
  state.pc = vm.info().pc;
  return state;
}

// Changes something at random: by the host, or by a program that stores.
void change(machine& vm, std::mt19937_64& random) {
  const std::uint64_t page = places[random() % std::size(places)];
  switch (random() % 6) {
    case 0: SUPPORT_OK(comet_map(vm, 0, page, 1, static_cast<int>(random() % 8), error)); break;
    case 1: SUPPORT_OK(comet_unmap(vm, 0, page, 1, error)); break;
    case 2: comet_protect(vm, 0, page, 1, static_cast<int>(random() % 8), nullptr); break;
    case 3: {
      const bytes content(1 + random() % 40, static_cast<std::uint8_t>(random()));
      comet_write(vm, 0, page + random() % (COMET_PAGE_SIZE - 40), content.data(), content.size(), nullptr);
      break;
    }
    default:
      vm.restart(code_address);
      vm.set(1, page + random() % 60000);
      vm.set(2, random());
      vm.set(3, page + 8 * (random() % 8000));
      vm.set(4, random() % 300);
      vm.run();
  }
}

code storing_program() {
  return code().add("st64", {1, 2, 0}).add("bfill", {3, 2, 4}).add("bcopy", {1, 3, 4}).add("halt");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(snapshots)

BOOST_AUTO_TEST_CASE(restore_brings_back_memory_registers_and_counts) {
  machine vm(code().add("addi", {1, 1, 1}).add("st64", {2, 1, 0}).add("jump", {code_address}));
  vm.set(2, data_address);
  vm.run(100);
  const hash before = vm.state_hash();
  const plain_state state = copy(vm);
  snapshot mark(vm);
  vm.run(1000);
  BOOST_CHECK(vm.state_hash() != before);
  mark.restore();
  BOOST_CHECK(vm.state_hash() == before);
  BOOST_CHECK(copy(vm) == state);
  BOOST_CHECK_EQUAL(vm.info().instruction_count, 100u);
  // The same future follows.
  vm.run(1000);
  const hash future = vm.state_hash();
  mark.restore();
  vm.run(1000);
  BOOST_CHECK(vm.state_hash() == future);
}

BOOST_AUTO_TEST_CASE(taking_a_snapshot_changes_nothing) {
  machine vm(storing_program());
  const hash before = vm.state_hash();
  snapshot mark(vm);
  BOOST_CHECK(vm.state_hash() == before);
  mark.restore();
  BOOST_CHECK(vm.state_hash() == before);
}

BOOST_AUTO_TEST_CASE(restore_brings_back_activations_and_windows) {
  code program;
  program.add("addi", {1, 1, 1}).add("call", {3, code_address});
  machine vm(program);
  vm.run(21);
  snapshot mark(vm);
  const hash before = vm.state_hash();
  vm.run(40);
  mark.restore();
  BOOST_CHECK(vm.state_hash() == before);
  BOOST_CHECK_EQUAL(vm.info().activations, 11u);
  BOOST_CHECK_EQUAL(vm.info().window, 30u);
  vm.restart(code_address);
  mark.restore();
  BOOST_CHECK_EQUAL(vm.info().activations, 11u);
  BOOST_CHECK(vm.state_hash() == before);
}

BOOST_AUTO_TEST_CASE(restore_brings_back_spaces_threads_and_imports) {
  machine vm(storing_program());
  vm.import("first");
  comet_space kept = 0;
  comet_thread kept_thread = 0;
  SUPPORT_OK(comet_space_new(vm, &kept, error));
  vm.map(0x50000, 1, read_write, kept);
  vm.write(0x50000, {5}, kept);
  SUPPORT_OK(comet_thread_new(vm, kept, 0x1234, &kept_thread, error));
  const hash before = vm.state_hash();
  snapshot mark(vm);
  comet_space later = 0;
  comet_thread later_thread = 0;
  SUPPORT_OK(comet_space_new(vm, &later, error));
  SUPPORT_OK(comet_thread_new(vm, later, 0, &later_thread, error));
  SUPPORT_OK(comet_thread_free(vm, kept_thread, error));
  SUPPORT_OK(comet_space_free(vm, kept, error));
  vm.import("second");
  mark.restore();
  BOOST_CHECK(vm.state_hash() == before);
  BOOST_CHECK(vm.read(0x50000, 1, kept) == bytes{5});
  BOOST_CHECK_EQUAL(vm.info(kept_thread).pc, 0x1234u);
  BOOST_CHECK_EQUAL(std::string(comet_host_import_name(vm, 0)), "first");
  BOOST_CHECK(comet_host_import_name(vm, 1) == nullptr);
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_map(vm, later, 0, 1, COMET_READ, error));
  comet_thread_info info = COMET_THREAD_INFO_INIT;
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_thread_get(vm, later_thread, &info, error));
}

BOOST_AUTO_TEST_CASE(code_written_after_the_snapshot_is_forgotten) {
  for (const std::uint64_t address : {code_address, std::uint64_t{0x700000000000}}) {
    machine vm;
    vm.load(code(address).add("imm", {1, 1}).add("halt"), all_rights);
    vm.restart(address);
    vm.run();
    snapshot mark(vm);
    vm.write(address, code(address).add("imm", {1, 2}).content());
    vm.set_pc(address);
    vm.run();
    BOOST_CHECK_EQUAL(vm.get(1), 2u);
    mark.restore();
    vm.set_pc(address);
    vm.run();
    BOOST_CHECK_EQUAL(vm.get(1), 1u);
  }
}

BOOST_AUTO_TEST_CASE(breakpoints_watchpoints_and_grants_are_not_part_of_the_state) {
  machine vm(code().add("nop").add("st8", {1, 2, 0}).add("hcall", {5, 0}).add("halt"));
  vm.import("late");
  vm.set(1, data_address);
  snapshot mark(vm);
  std::uint32_t id = 0;
  SUPPORT_OK(comet_breakpoint_set(vm, 0, code_address + 1, error));
  SUPPORT_OK(comet_watchpoint_set(vm, 0, data_address, 1, COMET_WRITE, &id, error));
  SUPPORT_OK(comet_host_grant(
      vm, "late", [](comet_call*, void*) { return COMET_OK; }, nullptr, error));
  mark.restore();
  BOOST_CHECK_EQUAL(vm.run().reason, COMET_BREAKPOINT);
  BOOST_CHECK_EQUAL(vm.run().reason, COMET_WATCHPOINT);
  BOOST_CHECK_EQUAL(vm.run().reason, COMET_HALTED);
}

BOOST_AUTO_TEST_CASE(a_pending_host_call_is_part_of_the_state) {
  machine vm(code().add("hcall", {5, 0}).add("halt"));
  vm.import("ask");
  SUPPORT_OK(comet_host_grant(vm, "ask", nullptr, nullptr, error));
  BOOST_CHECK_EQUAL(vm.run().reason, COMET_HOST_CALL);
  snapshot mark(vm);
  SUPPORT_OK(comet_host_complete(vm, 0, 11, error));
  BOOST_CHECK_EQUAL(vm.run().reason, COMET_HALTED);
  mark.restore();
  // Whether the call is still pending or made again by running on, it can be served.
  BOOST_CHECK_EQUAL(vm.run().reason, COMET_HOST_CALL);
  SUPPORT_OK(comet_host_complete(vm, 0, 12, error));
  BOOST_CHECK_EQUAL(vm.get(6), 12u);
  BOOST_CHECK_EQUAL(vm.run().reason, COMET_HALTED);
}

BOOST_AUTO_TEST_CASE(snapshots_hold_no_memory_until_pages_change_and_none_when_freed) {
  machine vm(storing_program());
  vm.map(0x100000, 64 * COMET_PAGE_SIZE, read_write);
  for (std::uint64_t n = 0; n < 32; ++n) vm.write(0x100000 + n * COMET_PAGE_SIZE, {7});
  {
    snapshot mark(vm);
    const std::uint64_t held = comet_snapshot_bytes(vm);
    BOOST_CHECK_LT(held, 16 * std::uint64_t{COMET_PAGE_SIZE});
    for (std::uint64_t n = 0; n < 32; ++n) vm.write(0x100000 + n * COMET_PAGE_SIZE, {1});
    BOOST_CHECK_GE(comet_snapshot_bytes(vm), held + 32 * std::uint64_t{COMET_PAGE_SIZE});
  }
  BOOST_CHECK_EQUAL(comet_snapshot_bytes(vm), 0u);
}

BOOST_AUTO_TEST_CASE(freeing_null_is_nothing_and_the_machine_frees_its_own) {
  machine vm(storing_program());
  comet_snapshot_free(vm, nullptr);
  comet_snapshot* forgotten = nullptr;
  SUPPORT_OK(comet_snapshot_take(vm, &forgotten, error));
  BOOST_CHECK(forgotten != nullptr);
}

BOOST_AUTO_TEST_CASE(a_snapshot_of_another_machine_is_refused) {
  machine one(storing_program());
  machine other(storing_program());
  snapshot mark(one);
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_snapshot_restore(other, mark.get(), error));
}

BOOST_AUTO_TEST_CASE(any_order_of_taking_restoring_and_freeing_gives_the_right_pages) {
  struct kept {
    std::unique_ptr<snapshot> mark;
    plain_state state;
    hash state_hash;
  };
  for (const std::uint64_t window : {std::uint64_t{0}, std::uint64_t{0x40000}, std::uint64_t{1} << 32}) {
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
      std::mt19937_64 random(seed);
      comet_config config = COMET_CONFIG_INIT;
      config.window = window;
      machine vm(storing_program(), &config);
      std::vector<kept> marks;
      for (int step = 0; step < 120; ++step) {
        const std::uint64_t what = random() % 10;
        if (what < 6) {
          change(vm, random);
        } else if (what < 8 || marks.empty()) {
          marks.push_back({std::make_unique<snapshot>(vm), copy(vm), vm.state_hash()});
        } else {
          const std::size_t chosen = random() % marks.size();
          if (what == 8) {
            marks[chosen].mark->restore();
            BOOST_REQUIRE_MESSAGE(copy(vm) == marks[chosen].state,
                                  "seed " << seed << ", step " << step << ": wrong state");
            BOOST_REQUIRE_MESSAGE(vm.state_hash() == marks[chosen].state_hash,
                                  "seed " << seed << ", step " << step << ": wrong hash");
          } else {
            marks.erase(marks.begin() + static_cast<std::ptrdiff_t>(chosen));
          }
        }
      }
      while (!marks.empty()) {
        const std::size_t chosen = random() % marks.size();
        marks[chosen].mark->restore();
        BOOST_REQUIRE_MESSAGE(copy(vm) == marks[chosen].state,
                              "seed " << seed << ", at the end: wrong state");
        marks.erase(marks.begin() + static_cast<std::ptrdiff_t>(chosen));
      }
      BOOST_CHECK_EQUAL(comet_snapshot_bytes(vm), 0u);
    }
  }
}

BOOST_AUTO_TEST_CASE(differences_from_a_snapshot_are_the_bytes_that_changed_and_few_between_them) {
  for (const std::uint64_t window : {std::uint64_t{0}, std::uint64_t{1} << 32}) {
    std::mt19937_64 random(7);
    comet_config config = COMET_CONFIG_INIT;
    config.window = window;
    machine vm(storing_program(), &config);
    for (int round = 0; round < 30; ++round) {
      snapshot mark(vm);
      const plain_state before = copy(vm);
      std::unique_ptr<snapshot> between;
      for (int step = 0; step < 8; ++step) {
        change(vm, random);
        if (step == 3) between = std::make_unique<snapshot>(vm);
      }
      const plain_state now = copy(vm);
      // A number for each byte: of a page that is in one of the two only, all differ.
      const auto bytes_of = [](const plain_state& state, std::uint64_t address) {
        std::vector<int> bytes(COMET_PAGE_SIZE, -1);
        if (const auto page = state.pages.find(address); page != state.pages.end())
          std::copy(page->second.second.begin(), page->second.second.end(), bytes.begin());
        return bytes;
      };
      for (const std::uint64_t page : places) {
        const std::vector<int> old = bytes_of(before, page), young = bytes_of(now, page);
        const auto differ = [&](std::uint64_t n) { return old[n] != young[n]; };
        std::uint64_t done = 0;
        while (done < COMET_PAGE_SIZE) {
          std::uint64_t address = 0, length = 0;
          SUPPORT_OK(comet_snapshot_difference(vm, mark.get(), 0, page + done, &address, &length, error));
          const bool here = length > 0 && address - page < COMET_PAGE_SIZE;
          const std::uint64_t begin = here ? address - page : std::uint64_t{COMET_PAGE_SIZE};
          std::uint64_t left_out = 0;
          for (std::uint64_t n = done; n < begin; ++n) left_out += differ(n);
          BOOST_REQUIRE_MESSAGE(left_out == 0, "round " << round << ", page " << page << ": " << left_out << " bytes left out");
          if (!here) break;
          BOOST_REQUIRE_LE(begin + length, std::uint64_t{COMET_PAGE_SIZE});
          BOOST_REQUIRE(differ(begin) && differ(begin + length - 1));
          std::uint64_t equal = 0, most_equal = 0;
          for (std::uint64_t n = begin; n < begin + length; ++n) {
            equal = differ(n) ? 0 : equal + 1;
            most_equal = std::max(most_equal, equal);
          }
          BOOST_REQUIRE_LT(most_equal, 8u);
          done = begin + length;
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(pages_that_were_written_since_a_snapshot_are_known_whatever_was_written) {
  for (const std::uint64_t window : {std::uint64_t{0}, std::uint64_t{1} << 32}) {
    comet_config config = COMET_CONFIG_INIT;
    config.window = window;
    machine vm(storing_program(), &config);
    const std::uint64_t base = std::uint64_t{1} << 30;
    SUPPORT_OK(comet_map(vm, 0, base, 4 * COMET_PAGE_SIZE, COMET_READ | COMET_WRITE, error));
    snapshot mark(vm);
    std::uint64_t address = 0, length = 1;
    const auto expect = [&](const snapshot& since, std::uint64_t from, std::uint64_t first, std::uint64_t pages) {
      SUPPORT_OK(comet_snapshot_written(vm, since.get(), 0, base + from * COMET_PAGE_SIZE, &address, &length, error));
      BOOST_CHECK_EQUAL(length, pages * COMET_PAGE_SIZE);
      if (pages != 0) BOOST_CHECK_EQUAL(address, base + first * COMET_PAGE_SIZE);
    };
    expect(mark, 0, 0, 0);
    vm.write(base + COMET_PAGE_SIZE + 5, {0}); // what it was
    snapshot later(vm);
    vm.write(base + 2 * COMET_PAGE_SIZE, {1});
    expect(mark, 0, 1, 2);
    expect(mark, 2, 2, 1);
    expect(later, 0, 2, 1);
    expect(mark, 3, 0, 0);
    later.restore();
    expect(mark, 0, 1, 2);
    SUPPORT_OK(comet_map(vm, 0, base + 8 * COMET_PAGE_SIZE, 1, COMET_READ, error));
    expect(mark, 0, 1, 2); // and then, apart, another one
    expect(mark, 3, 8, 1);
  }
}

BOOST_AUTO_TEST_CASE(a_difference_may_lie_at_the_end_of_a_page) {
  machine vm(storing_program());
  snapshot mark(vm);
  vm.write(data_address + COMET_PAGE_SIZE - 2, {1});
  std::uint64_t address = 0, length = 0;
  SUPPORT_OK(comet_snapshot_difference(vm, mark.get(), 0, 0, &address, &length, error));
  BOOST_CHECK_EQUAL(address, data_address + COMET_PAGE_SIZE - 2);
  BOOST_CHECK_EQUAL(length, 1u);
}

// More pages than are set aside for the next snapshot.
BOOST_AUTO_TEST_CASE(many_pages_that_were_kept_are_given_back) {
  constexpr std::uint64_t pages = 300, area = std::uint64_t{1} << 30;
  machine vm(storing_program());
  vm.map(area, pages * COMET_PAGE_SIZE, read_write);
  for (std::uint64_t n = 0; n < pages; ++n) vm.write(area + n * COMET_PAGE_SIZE, {1});
  const snapshot first(vm);
  const std::uint64_t before = comet_snapshot_bytes(vm);
  {
    const snapshot second(vm);
    for (std::uint64_t n = 0; n < pages; ++n) vm.write(area + n * COMET_PAGE_SIZE, {2});
    BOOST_CHECK_GE(comet_snapshot_bytes(vm), before + pages * COMET_PAGE_SIZE);
  }
  BOOST_CHECK_GE(comet_snapshot_bytes(vm), before + pages * COMET_PAGE_SIZE); // the older one needs them now
}

BOOST_AUTO_TEST_CASE(differences_are_asked_of_what_is_in_both) {
  machine vm(storing_program());
  machine other(storing_program());
  std::uint64_t address = 0, length = 0;
  snapshot mark(vm);
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_snapshot_difference(other, mark.get(), 0, 0, &address, &length, error));
  comet_space space = 0;
  SUPPORT_OK(comet_space_new(vm, &space, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_snapshot_difference(vm, mark.get(), space, 0, &address, &length, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_snapshot_written(vm, mark.get(), space, 0, &address, &length, error));
  SUPPORT_OK(comet_snapshot_difference(vm, mark.get(), 0, 0, &address, &length, error));
  BOOST_CHECK_EQUAL(length, 0u);
  // Another space may have the number of one that has gone.
  snapshot with_space(vm);
  SUPPORT_OK(comet_space_free(vm, space, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_snapshot_difference(vm, with_space.get(), space, 0, &address, &length, error));
  comet_space again = 0;
  SUPPORT_OK(comet_space_new(vm, &again, error));
  BOOST_REQUIRE_EQUAL(again, space);
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_snapshot_difference(vm, with_space.get(), space, 0, &address, &length, error));
}

BOOST_AUTO_TEST_CASE(reset_releases_what_snapshots_held) {
  machine vm(storing_program());
  comet_snapshot* mark = nullptr;
  SUPPORT_OK(comet_snapshot_take(vm, &mark, error));
  SUPPORT_OK(comet_machine_reset(vm, error));
  BOOST_CHECK_EQUAL(comet_snapshot_bytes(vm), 0u);
}

BOOST_AUTO_TEST_CASE(a_space_that_comes_back_has_no_breakpoints_or_watchpoints_left) {
  for (const bool by_restore : {false, true}) {
    machine vm(code().add("halt"));
    snapshot without(vm);
    comet_space space = 0;
    SUPPORT_OK(comet_space_new(vm, &space, error));
    vm.load(code().add("imm", {1, data_address}).add("st64", {1, 1, 0}).add("halt"), read_execute, space);
    vm.map(data_address, 1, read_write, space);
    snapshot with(vm);
    std::uint32_t id = 0;
    SUPPORT_OK(comet_watchpoint_set(vm, space, data_address, 8, COMET_WRITE, &id, error));
    SUPPORT_OK(comet_breakpoint_set(vm, space, code_address + 5, error));
    if (by_restore)
      without.restore();
    else
      SUPPORT_OK(comet_space_free(vm, space, error));
    with.restore();
    SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_watchpoint_clear(vm, id, error));
    comet_thread thread = 0;
    SUPPORT_OK(comet_thread_new(vm, space, code_address, &thread, error));
    BOOST_CHECK_EQUAL(vm.run(plenty, thread).reason, COMET_HALTED);
  }
}

BOOST_AUTO_TEST_SUITE_END()
