// States in files: what is restored goes on as the original does; what is damaged is refused.
#include <cstring>
#include <functional>
#include <random>

#include <sys/wait.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "state_files.h"

using namespace support;

namespace {

constexpr std::uint64_t far_address = 0x700000000000;

int refuse(void*, const void*, std::size_t) { return 1; }

bytes save(const machine& vm, comet_save_options options = COMET_SAVE_OPTIONS_INIT,
           comet_state** kept = nullptr) {
  bytes file;
  SUPPORT_OK(comet_state_save(vm, &options, append, &file, kept, error));
  return file;
}

void restore(machine& vm, const comet_state* from) { SUPPORT_OK(comet_state_restore(vm, from, error)); }

// A machine that goes on where `vm` stands, from a file against one of before.
void restore_against(machine& copy, const machine& vm, const bytes& before, const comet_state* base_hashes) {
  comet_save_options options = COMET_SAVE_OPTIONS_INIT;
  options.base = base_hashes;
  const state base(before), second(save(vm, options), base);
  restore(copy, second);
  BOOST_CHECK(copy.state_hash() == vm.state_hash());
}

// Calls itself to a depth, draws random numbers, asks a host call that the embedder serves, and stores over
// pages in and beyond the window. Imports: 0 random, 1 ask.
code busy() {
  code text;
  text.add("imm", {1, 400}).add("imm", {2, data_address}).add("imm", {3, far_address});
  const std::uint64_t loop = text.here(), function = code_address + 0x200;
  text.add("imm", {11, data_address + 0x100}).add("imm", {12, 16}).add("hcall", {10, 0});
  text.add("add", {11, 1, 4}).add("hcall", {10, 1}).add("add", {4, 4, 11});
  text.add("st64", {2, 4, 8}).add("ldu64", {5, 2, 0x100}).add("add", {4, 4, 5}).add("st64", {3, 4, 0x10ff0});
  text.add("tset", {3, 4}).add("imm", {11, 6}).add("call", {10, function}).add("add", {4, 4, 11});
  text.add("addi", {1, 1, 0 - std::uint64_t{1}}).add("bnei", {1, 0, loop}).add("halt");
  while (text.here() < function) text.add("nop");
  const std::uint64_t deepest = function + 0x40;
  text.add("beqi", {1, 0, deepest}).add("addi", {6, 1, 0 - std::uint64_t{1}}).add("call", {5, function});
  text.add("add", {1, 1, 6}).add("ret");
  while (text.here() < deepest) text.add("nop");
  return text.add("imm", {1, 3}).add("ret");
}

void equip(machine& vm) {
  SUPPORT_OK(comet_host_grant_standard(vm, "random", error));
  SUPPORT_OK(comet_host_grant(vm, "ask", nullptr, nullptr, error));
}

struct busy_machine : machine {
  busy_machine() : machine(busy()) {
    map(far_address, 3 * COMET_PAGE_SIZE, read_write);
    equip(*this);
    import("random");
    import("ask");
    comet_set_random_seed(*this, 7);
  }
};

// Answers what a run asks, until it ends or so much fuel is used up. `answer` false: leaves the last one
// open.
comet_stop run_answering(machine& vm, std::uint64_t fuel, bool answer_last = true) {
  for (;;) {
    const comet_stop stop = vm.run(fuel);
    fuel -= stop.executed;
    if (stop.reason != COMET_HOST_CALL || (fuel == 0 && !answer_last)) return stop;
    std::uint64_t argument = 0;
    SUPPORT_OK(comet_host_argument(vm, 0, 0, &argument, error));
    SUPPORT_OK(comet_host_complete(vm, 0, argument * 3 + 1, error));
    if (fuel != 0) --fuel;
  }
}

const hash& end_of_busy() {
  static const hash end = [] {
    busy_machine vm;
    const comet_stop stop = run_answering(vm, plenty);
    BOOST_REQUIRE_MESSAGE(stop.reason == COMET_HALTED, stop.message);
    return vm.state_hash();
  }();
  return end;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(state_files)

BOOST_AUTO_TEST_CASE(a_restored_machine_goes_on_to_the_same_end) {
  busy_machine original;
  run_answering(original, 5000);
  comet_space other = 0;
  comet_thread second = 0;
  SUPPORT_OK(comet_space_new(original, &other, error));
  original.map(0, 3 * COMET_PAGE_SIZE, COMET_READ, other);
  original.write(COMET_PAGE_SIZE + 5, {1, 2, 3}, other);
  SUPPORT_OK(comet_thread_new(original, other, 0x123, &second, error));
  const state saved(save(original));

  machine copy;
  equip(copy);
  restore(copy, saved);
  BOOST_CHECK(copy.state_hash() == original.state_hash());
  BOOST_CHECK_EQUAL(copy.info(second).pc, 0x123u);
  BOOST_CHECK_EQUAL(copy.read(COMET_PAGE_SIZE + 7, 1, other)[0], 3);
  BOOST_CHECK(save(copy) == save(original));
  run_answering(original, plenty);
  run_answering(copy, plenty);
  BOOST_CHECK(copy.state_hash() == original.state_hash());
}

BOOST_AUTO_TEST_CASE(arguments_go_with_the_state) {
  machine vm(code()
                 .add("imm", {11, 1})
                 .add("imm", {12, data_address})
                 .add("imm", {13, 9})
                 .add("hcall", {10, 0})
                 .add("halt"));
  vm.import("arg");
  const char* const words[] = {"program", "word"};
  SUPPORT_OK(comet_set_arguments(vm, 2, words, error));
  const state saved(save(vm));
  BOOST_CHECK_EQUAL(std::string(comet_state_argument(saved, 0)), "program");
  BOOST_CHECK(comet_state_argument(saved, 2) == nullptr);
  machine copy;
  restore(copy, saved);
  copy.run();
  BOOST_CHECK_EQUAL(copy.get(11), 4u);
  BOOST_CHECK(copy.read(data_address, 4) == (bytes{'w', 'o', 'r', 'd'}));
}

BOOST_AUTO_TEST_CASE(the_environment_goes_with_the_state) {
  machine vm(code()
                 .add("imm", {11, 1})
                 .add("imm", {12, data_address})
                 .add("imm", {13, 9})
                 .add("hcall", {10, 0})
                 .add("halt"));
  vm.import("env");
  const bytes without = save(vm);
  const char* const entries[] = {"A=x", "B=y"};
  SUPPORT_OK(comet_set_environment(vm, 2, entries, error));
  const bytes file = save(vm);
  BOOST_CHECK(file != without);
  machine copy;
  restore(copy, state(file));
  copy.run();
  BOOST_CHECK_EQUAL(copy.get(11), 3u);
  BOOST_CHECK(copy.read(data_address, 3) == (bytes{'B', '=', 'y'}));
  restore(copy, state(without));
  BOOST_CHECK(save(copy) == without);
  refused(with_record_behind(file, "THRD", "ENVI", {0, 0, 0, 0}), "not where it belongs");
  refused(with_content(file, "ENVI", {1, 0, 0, 0, 9, 0, 0, 0}), "9 bytes in an argument do not fit");
}

// A child process is given a state by a pipe, goes on for a while, and gives a state back.
BOOST_AUTO_TEST_CASE(a_run_that_is_moved_between_processes_ends_as_the_undisturbed_one) {
  std::mt19937_64 random(1);
  bytes file;
  {
    busy_machine vm;
    file = save(vm);
  }
  unsigned in_flight = 0;
  for (int move = 0; move < 20; ++move) {
    const std::uint64_t fuel = random() % 900;
    int to_child[2], from_child[2];
    BOOST_REQUIRE(pipe(to_child) == 0 && pipe(from_child) == 0);
    const pid_t child = fork();
    BOOST_REQUIRE(child >= 0);
    const auto read_all = [](int descriptor) {
      bytes content;
      std::uint8_t part[4096];
      for (ssize_t count; (count = ::read(descriptor, part, sizeof part)) > 0;)
        append(&content, part, static_cast<std::size_t>(count));
      return content;
    };
    const auto write_all = [](int descriptor, const bytes& content) {
      for (std::size_t done = 0; done < content.size();) {
        const ssize_t count = ::write(descriptor, content.data() + done, content.size() - done);
        if (count <= 0) return;
        done += static_cast<std::size_t>(count);
      }
    };
    if (child == 0) {
      close(to_child[1]);
      close(from_child[0]);
      const bytes given = read_all(to_child[0]);
      comet_state* came = nullptr;
      comet_machine* made = nullptr;
      bytes sent;
      comet_state_read(given.data(), given.size(), nullptr, &came, nullptr);
      comet_machine_new(nullptr, &made, nullptr);
      comet_host_grant_standard(made, "random", nullptr);
      comet_host_grant(made, "ask", nullptr, nullptr, nullptr);
      comet_state_restore(made, came, nullptr);
      // A call that was in flight is answered here, without being asked again.
      std::uint64_t argument = 0;
      if (comet_host_argument(made, 0, 0, &argument, nullptr) == COMET_OK)
        comet_host_complete(made, 0, argument * 3 + 1, nullptr);
      comet_stop stop = COMET_STOP_INIT;
      for (std::uint64_t left = fuel;
           comet_run(made, 0, left, &stop, nullptr) == COMET_OK && stop.reason == COMET_HOST_CALL;) {
        left -= stop.executed;
        if (left < 30) break;
        comet_host_argument(made, 0, 0, &argument, nullptr);
        comet_host_complete(made, 0, argument * 3 + 1, nullptr);
        --left;
      }
      comet_state_save(made, nullptr, append, &sent, nullptr, nullptr);
      write_all(from_child[1], sent);
      _exit(stop.reason == COMET_HOST_CALL ? 1 : 0);
    }
    close(to_child[0]);
    close(from_child[1]);
    write_all(to_child[1], file);
    close(to_child[1]);
    file = read_all(from_child[0]);
    close(from_child[0]);
    int status = 0;
    waitpid(child, &status, 0);
    in_flight += WEXITSTATUS(status);
  }
  BOOST_CHECK_GT(in_flight, 5u);
  BOOST_CHECK_LT(in_flight, 20u);
  const state last(file);
  machine vm;
  equip(vm);
  restore(vm, last);
  BOOST_CHECK_GT(vm.info().instruction_count, 1000u);
  std::uint64_t argument = 0;
  if (comet_host_argument(vm, 0, 0, &argument, nullptr) == COMET_OK)
    SUPPORT_OK(comet_host_complete(vm, 0, argument * 3 + 1, error));
  BOOST_CHECK_EQUAL(run_answering(vm, plenty).reason, COMET_HALTED);
  BOOST_CHECK(vm.state_hash() == end_of_busy());
}

BOOST_AUTO_TEST_CASE(zero_pages_are_not_stored_and_parts_of_pages_are) {
  machine vm;
  vm.map(0, std::uint64_t{256} << 20, read_write);
  vm.map(far_address, std::uint64_t{16} << 20, COMET_READ);
  BOOST_CHECK_LT(save(vm).size(), 1000u);
  vm.write(0x12345, {1});
  const bytes file = save(vm);
  BOOST_CHECK_LT(file.size(), 2500u);
  const state saved(file);
  BOOST_CHECK_EQUAL(saved.info().pages, (256u + 16) << 4);
  BOOST_CHECK_EQUAL(saved.info().pages_with_content, 1u);
}

BOOST_AUTO_TEST_CASE(an_incremental_state_holds_what_changed) {
  constexpr std::uint64_t length = std::uint64_t{64} << 20;
  machine vm;
  vm.map(0, length, read_write);
  bytes content(length);
  for (std::size_t i = 0; i < content.size(); ++i)
    content[i] = static_cast<std::uint8_t>(i * 7 + (i >> 16) + 1);
  vm.write(0, content);
  comet_state* kept = nullptr;
  const bytes whole = save(vm, COMET_SAVE_OPTIONS_INIT, &kept);
  const state base_hashes(kept);
  for (std::uint64_t page = 0; page < 10; ++page) vm.write(page * 100 * COMET_PAGE_SIZE + 8, {1, 2, 3, 4});
  SUPPORT_OK(comet_protect(vm, 0, 0x50000, COMET_PAGE_SIZE, COMET_READ, error));

  comet_save_options options = COMET_SAVE_OPTIONS_INIT;
  options.base = base_hashes;
  const bytes difference = save(vm, options);
  BOOST_CHECK_LT(difference.size(), whole.size() / 95);
  const state base(whole), second(difference, base);
  BOOST_CHECK_EQUAL(second.info().has_base, 1);
  BOOST_CHECK(std::memcmp(second.info().base, base.info().identity, 16) == 0);
  machine copy;
  restore(copy, second);
  BOOST_CHECK(copy.state_hash() == vm.state_hash());

  // A chain: the next one stands on the second.
  vm.write(0x777, {9});
  options.base = second;
  const bytes next = save(vm, options);
  BOOST_CHECK_LT(next.size(), std::size_t{3} * COMET_PAGE_SIZE);
  const state third(next, second);
  restore(copy, third);
  BOOST_CHECK(copy.state_hash() == vm.state_hash());

  comet_state* read = nullptr;
  SUPPORT_FAILS(COMET_ERROR_STATE, comet_state_read(next.data(), next.size(), nullptr, &read, error));
  SUPPORT_FAILS(COMET_ERROR_STATE, comet_state_read(next.data(), next.size(), base, &read, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_state_restore(copy, base_hashes, error));
  BOOST_CHECK(copy.state_hash() == vm.state_hash());
}

// Whatever a page was and became: not there, zero, of one content, of another; with gaps between pages and without.
BOOST_AUTO_TEST_CASE(an_incremental_state_brings_each_page_to_what_it_became) {
  for (const std::uint64_t distance : {COMET_PAGE_SIZE, 2 * COMET_PAGE_SIZE}) {
    machine vm;
    const auto become = [&](std::uint64_t page, std::uint64_t what) {
      SUPPORT_OK(comet_unmap(vm, 0, page * distance, COMET_PAGE_SIZE, error));
      if (what != 0) vm.map(page * distance, COMET_PAGE_SIZE, read_write);
      if (what > 1) vm.write(page * distance, {static_cast<std::uint8_t>(what)});
    };
    for (std::uint64_t page = 0; page < 16; ++page) become(page, page / 4);
    comet_state* kept = nullptr;
    const bytes whole = save(vm, COMET_SAVE_OPTIONS_INIT, &kept);
    const state base_hashes(kept);
    for (std::uint64_t page = 0; page < 16; ++page) become(page, page % 4);
    comet_space more = 0;
    SUPPORT_OK(comet_space_new(vm, &more, error));
    vm.map(0, COMET_PAGE_SIZE, read_write, more);
    vm.write(0, {2}, more);
    machine copy;
    restore_against(copy, vm, whole, base_hashes);
  }
}

// Pages of the base beside such as are zero or protected otherwise, and above all of them.
BOOST_AUTO_TEST_CASE(an_incremental_state_has_what_lies_beside_the_pages_of_its_base) {
  machine vm;
  vm.map(4 * COMET_PAGE_SIZE, 2 * COMET_PAGE_SIZE, read_write);
  vm.map(6 * COMET_PAGE_SIZE, COMET_PAGE_SIZE, COMET_READ);
  vm.write(4 * COMET_PAGE_SIZE, {1});
  comet_state* kept = nullptr;
  const bytes whole = save(vm, COMET_SAVE_OPTIONS_INIT, &kept);
  const state base_hashes(kept);
  vm.map(9 * COMET_PAGE_SIZE, COMET_PAGE_SIZE, read_write);
  vm.write(9 * COMET_PAGE_SIZE, {2});
  machine copy;
  restore_against(copy, vm, whole, base_hashes);
  comet_page_info info = COMET_PAGE_INFO_INIT;
  SUPPORT_OK(comet_page_get(copy, 0, 6 * COMET_PAGE_SIZE, &info, error));
  BOOST_CHECK_EQUAL(info.protection, COMET_READ);
}

BOOST_AUTO_TEST_CASE(what_a_machine_cannot_take_leaves_it_as_it_was) {
  busy_machine vm;
  run_answering(vm, 4000);
  const state saved(save(vm));
  const auto fails_with = [&](comet_config config, comet_status wanted, bool equipped = true) {
    machine other(code().add("halt"), &config);
    if (equipped) equip(other);
    const hash before = other.state_hash();
    SUPPORT_FAILS(wanted, comet_state_restore(other, saved, error));
    BOOST_CHECK(other.state_hash() == before);
    BOOST_CHECK_EQUAL(other.run().reason, COMET_HALTED);
  };
  comet_config config = COMET_CONFIG_INIT;
  fails_with(config, COMET_ERROR_CAPABILITY, false);
  config.memory_limit = 4 * COMET_PAGE_SIZE;
  fails_with(config, COMET_ERROR_MEMORY);
  config = COMET_CONFIG_INIT;
  config.call_depth_limit = 1;
  while (vm.info().activations < 3) run_answering(vm, 1);
  const state deep(save(vm));
  {
    machine other(&config);
    equip(other);
    SUPPORT_FAILS(COMET_ERROR_MEMORY, comet_state_restore(other, deep, error));
    config = COMET_CONFIG_INIT;
    config.register_limit = 4;
    machine narrow(&config);
    equip(narrow);
    SUPPORT_FAILS(COMET_ERROR_MEMORY, comet_state_restore(narrow, deep, error));
  }
  config = COMET_CONFIG_INIT;  // as much as is needed is enough
  config.memory_limit = 5 * COMET_PAGE_SIZE;
  config.call_depth_limit = vm.info().activations;
  machine other(&config);
  equip(other);
  restore(other, deep);
  BOOST_CHECK(other.state_hash() == vm.state_hash());
}

BOOST_AUTO_TEST_CASE(snapshots_outlive_a_restored_state) {
  busy_machine vm;
  run_answering(vm, 300);
  const hash then = vm.state_hash();
  snapshot before(vm);
  const bytes file = save(vm);
  run_answering(vm, 300);
  SUPPORT_OK(comet_breakpoint_set(vm, 0, code_address, error));
  restore(vm, state(file));
  BOOST_CHECK(vm.state_hash() == then);
  SUPPORT_FAILS(COMET_ERROR_ADDRESS, comet_breakpoint_clear(vm, 0, code_address, error));
  run_answering(vm, 900);
  before.restore();
  BOOST_CHECK(vm.state_hash() == then);
  run_answering(vm, plenty);
  BOOST_CHECK(vm.state_hash() == end_of_busy());
}

BOOST_AUTO_TEST_CASE(a_core_tells_why_and_of_which_program) {
  comet_image* image = nullptr;
  SUPPORT_OK(comet_image_new(&image, error));
  const code text = code().add("nop").add("brk");
  SUPPORT_OK(comet_image_add_section(image, ".text", code_address, text.content().data(),
                                     text.content().size(), 100, read_execute, error));
  SUPPORT_OK(comet_image_add_symbol(image, "main", code_address, error));
  SUPPORT_OK(comet_image_set_entry(image, code_address, error));
  machine vm;
  SUPPORT_OK(comet_image_load(image, vm, 0, error));
  comet_stop stop = vm.run();
  comet_save_options options = COMET_SAVE_OPTIONS_INIT;
  options.image = image;
  options.stop = &stop;
  const state core(save(vm, options));
  comet_stop told = COMET_STOP_INIT;
  SUPPORT_OK(comet_state_stop(core, &told, error));
  BOOST_CHECK_EQUAL(told.trap, COMET_TRAP_BRK);
  BOOST_CHECK_EQUAL(told.pc, code_address + 1);
  BOOST_CHECK_EQUAL(std::string(told.message), stop.message);
  BOOST_CHECK(std::memcmp(core.info().hash, vm.state_hash().data(), 16) == 0);
  BOOST_CHECK_EQUAL(core.info().has_image, 2);
  comet_symbol symbol = COMET_SYMBOL_INIT;
  SUPPORT_OK(comet_image_symbol_at(comet_state_image(core), code_address + 1, &symbol, error));
  BOOST_CHECK_EQUAL(std::string(symbol.name), "main");

  options.image_hash_only = 1;
  options.stop = nullptr;
  const state slim(save(vm, options));
  BOOST_CHECK_EQUAL(slim.info().has_image, 1);
  BOOST_CHECK(std::memcmp(core.info().image, slim.info().image, 16) == 0);
  BOOST_CHECK(comet_state_image(slim) == nullptr);
  BOOST_CHECK(comet_state_image(state(saved(vm))) == nullptr);
  SUPPORT_FAILS(COMET_ERROR_STATE, comet_state_stop(slim, &told, error));
  options.stop = &stop;
  options.thread = 5;
  bytes file;
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_state_save(vm, &options, append, &file, nullptr, error));
  comet_image_free(image);
}

BOOST_AUTO_TEST_CASE(own_instructions_go_with_the_state) {
  const std::uint8_t nop[] = {0, 1, 1};
  comet_definition own = COMET_DEFINITION_INIT;
  own.name = "own";
  own.opcode = 1024;
  own.operands = "";
  own.meaning = "nothing";
  own.body = nop;
  own.length = sizeof nop;
  machine vm;
  vm.map(code_address, 1, read_execute);
  vm.write(code_address, {0x80, 0x08});  // opcode 1024
  vm.restart(code_address);
  SUPPORT_OK(comet_machine_define(vm, &own, error));
  const bytes file = save(vm);
  machine copy;
  restore(copy, state(file));
  BOOST_CHECK(copy.state_hash() == vm.state_hash());
  BOOST_CHECK_EQUAL(copy.run(1).reason, COMET_OUT_OF_FUEL);
  BOOST_CHECK_EQUAL(copy.info().pc, code_address + 2);
  const bytes content = content_of(file, "INST");
  refused(with_content(file, "INST", {9, 0, 0, 0}), "9 instructions do not fit");
  refused(with_content(file, "INST", bytes(content.begin(), content.end() - 1)), "are left");
  bytes nameless = content;
  nameless[4 + 8 + 2] = '(';
  refused(with_content(file, "INST", nameless), "record INST");
  refused(with_record_behind(file, "INST", "INST", content), "here should be the record ARGS");
}

BOOST_AUTO_TEST_CASE(imports_are_told_by_name) {
  busy_machine vm;
  const state saved(save(vm));
  BOOST_CHECK_EQUAL(std::string(comet_state_import(saved, 1)), "ask");
  BOOST_CHECK(comet_state_import(saved, 2) == nullptr);
  BOOST_CHECK(comet_state_import(nullptr, 0) == nullptr);
  BOOST_CHECK(comet_state_image(nullptr) == nullptr);
}

BOOST_AUTO_TEST_CASE(whoever_takes_no_bytes_gets_an_error) {
  busy_machine vm;
  SUPPORT_FAILS(COMET_ERROR_SYSTEM, comet_state_save(vm, nullptr, refuse, nullptr, nullptr, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_state_save(vm, nullptr, nullptr, nullptr, nullptr, error));
  SUPPORT_OK(comet_timeline_start(vm, 0, error));
  SUPPORT_FAILS(COMET_ERROR_SYSTEM, comet_record_start(vm, nullptr, refuse, nullptr, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_record_start(vm, nullptr, nullptr, nullptr, error));
}

BOOST_AUTO_TEST_CASE(a_state_comes_from_a_stream_in_any_pieces) {
  struct stream {
    bytes content;
    std::size_t piece, at = 0;
    static std::int64_t give(void* data, void* to, std::size_t room) {
      stream& self = *static_cast<stream*>(data);
      const std::size_t length = std::min({self.piece, room, self.content.size() - self.at});
      std::copy_n(self.content.begin() + static_cast<std::ptrdiff_t>(self.at), length, static_cast<std::uint8_t*>(to));
      self.at += length;
      return static_cast<std::int64_t>(length);
    }
  };
  const auto read = [](stream from, std::uint64_t limit, const comet_state* base = nullptr) {
    comet_state* made = nullptr;
    SUPPORT_OK(comet_state_read_from(stream::give, &from, limit, base, &made, error));
    return made;
  };
  busy_machine vm;
  run_answering(vm, 3000);
  const bytes first = save(vm);
  const hash then = vm.state_hash();
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{COMET_PAGE_SIZE}, SIZE_MAX}) {
    const state got(read({first, piece}, first.size()));
    machine copy;
    equip(copy);
    restore(copy, got);
    BOOST_CHECK(copy.state_hash() == then);
    run_answering(vm, 500);
    comet_save_options options = COMET_SAVE_OPTIONS_INIT;
    options.base = got;
    const state changed(read({save(vm, options), piece}, UINT64_MAX, got));
    restore(copy, changed);
    BOOST_CHECK(copy.state_hash() == vm.state_hash());
  }

  comet_state* made = nullptr;
  stream more{first, SIZE_MAX};
  SUPPORT_FAILS(COMET_ERROR_MEMORY, comet_state_read_from(stream::give, &more, first.size() - 1, nullptr, &made, error));
  stream torn{bytes(first.begin(), first.end() - 30), 100};
  SUPPORT_FAILS(COMET_ERROR_FORMAT, comet_state_read_from(stream::give, &torn, UINT64_MAX, nullptr, &made, error));
  for (const std::size_t length : {std::size_t{0}, std::size_t{10}, std::size_t{1} << 26}) { // of which little is taken
    stream other{bytes(length, 'x'), 100};
    SUPPORT_FAILS(COMET_ERROR_FORMAT, comet_state_read_from(stream::give, &other, UINT64_MAX, nullptr, &made, error));
    BOOST_CHECK_LE(other.at, 200u);
  }
  const comet_source fails = [](void*, void*, std::size_t) -> std::int64_t { return -1; };
  SUPPORT_FAILS(COMET_ERROR_SYSTEM, comet_state_read_from(fails, nullptr, 1000, nullptr, &made, error));
  const comet_source lies = [](void*, void*, std::size_t room) { return static_cast<std::int64_t>(room + 1); };
  SUPPORT_FAILS(COMET_ERROR_SYSTEM, comet_state_read_from(lies, nullptr, 1000, nullptr, &made, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_state_read_from(nullptr, nullptr, 1000, nullptr, &made, error));
  BOOST_CHECK(made == nullptr);
}

BOOST_AUTO_TEST_CASE(a_running_machine_is_neither_saved_nor_replaced) {
  machine vm(code().add("hcall", {10, 0}).add("halt"));
  static comet_state* other = nullptr;
  other = nullptr;
  save(vm, COMET_SAVE_OPTIONS_INIT, &other);
  vm.import("inside");
  SUPPORT_OK(comet_host_grant(
      vm, "inside",
      [](comet_call* call, void*) {
        comet_machine* const running = comet_call_machine(call);
        bytes file;
        SUPPORT_FAILS(COMET_ERROR_STATE, comet_state_save(running, nullptr, append, &file, nullptr, error));
        SUPPORT_FAILS(COMET_ERROR_STATE, comet_state_restore(running, other, error));
        SUPPORT_FAILS(COMET_ERROR_STATE, comet_record_start(running, nullptr, append, &file, error));
        return COMET_OK;
      },
      nullptr, error));
  BOOST_CHECK_EQUAL(vm.run().reason, COMET_HALTED);
  comet_state_free(other);
}

BOOST_AUTO_TEST_CASE(more_threads_or_spaces_than_a_file_holds_are_not_saved) {
  comet_config config = COMET_CONFIG_INIT;
  config.window = 0;
  config.register_limit = 16;
  config.call_depth_limit = 16;
  machine vm(&config);
  for (int i = 1; i < 1024; ++i) {
    comet_space space = 0;
    SUPPORT_OK(comet_space_new(vm, &space, error));
  }
  const state all(save(vm));
  comet_space space = 0;
  SUPPORT_OK(comet_space_new(vm, &space, error));
  bytes file;
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_state_save(vm, nullptr, append, &file, nullptr, error));
  machine crowded(&config);
  for (int i = 0; i < 1024; ++i) {
    comet_thread thread = 0;
    SUPPORT_OK(comet_thread_new(crowded, 0, 0, &thread, error));
  }
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_state_save(crowded, nullptr, append, &file, nullptr, error));
}

// ---- files that are wrong ------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_file_that_is_damaged_anywhere_is_refused) {
  busy_machine vm;
  run_answering(vm, 100);
  const bytes file = save(vm);
  for (std::size_t length = 0; length < file.size(); ++length) {
    comet_state* read = nullptr;
    const std::unique_ptr<std::uint8_t[]> exact(new std::uint8_t[length + 1]);
    std::copy_n(file.begin(), length, exact.get());
    if (length > 600 && length + 100 < file.size() && length % 61 != 0) continue;
    BOOST_REQUIRE_EQUAL(comet_state_read(exact.get(), length, nullptr, &read, nullptr), COMET_ERROR_FORMAT);
  }
  for (std::size_t at = 0; at < file.size(); at += at < 600 ? 1 : 53) {
    bytes changed = file;
    changed[at] ^= 0x20;
    comet_state* read = nullptr;
    BOOST_REQUIRE_EQUAL(comet_state_read(changed.data(), changed.size(), nullptr, &read, nullptr),
                        COMET_ERROR_FORMAT);
  }
}

BOOST_AUTO_TEST_CASE(what_no_machine_could_have_saved_is_refused) {
  busy_machine vm;
  run_answering(vm, 100);
  comet_stop stop = vm.run(1);
  comet_save_options options = COMET_SAVE_OPTIONS_INIT;
  options.stop = &stop;
  const bytes file = save(vm, options);
  // The change to a number in the content of a record.
  const auto with = [&](const std::string& type, std::size_t offset, std::uint64_t value,
                        std::size_t length) {
    bytes changed = file;
    put_at(changed, record(file, type).content + offset, value, length);
    return sealed(changed);
  };
  BOOST_REQUIRE(sealed(file) == file);

  bytes changed = file;
  put_at(changed, 8, 9, 4);
  refused(changed, "version 9");
  changed = file;
  put_at(changed, 12, 9, 4);
  refused(changed, "no kind 9 of files");
  refused(bytes(16, 1), "not a state of Comet VM");
  changed = file;
  changed.push_back(0);
  refused(changed, "something follows");
  refused(with_record_behind(file, "STOP", "STOP", content_of(file, "STOP")), "something follows");
  refused(with_record_behind(file, "MACH", "MORE", {}), "does not know");
  refused(with_record_behind(file, "MACH", "mo.e", {}), "four ASCII letters");
  changed = file;
  put_at(changed, record(file, "IMPT").content - 12, 1, 4);
  refused(sealed(changed), "kept for later");
  changed = file;
  changed[record(file, "IMPT").end - 9] = 1;
  refused(sealed(changed), "behind the record");
  {  // what is not known and not needed is passed over
    const state read(with_record_behind(file, "MACH", "more", {1, 2, 3}));
    machine copy;
    equip(copy);
    restore(copy, read);
    BOOST_CHECK(copy.state_hash() == vm.state_hash());
  }

  refused(without_record(file, "MACH"), "here should be the record MACH");
  refused(without_record(file, "ARGS"), "here should be the record ARGS");
  refused(without_record(file, "THRD"), "no thread 0");
  refused(without_record(file, "SPAC"), "not where it belongs");
  refused(without_record(file, "DONE"), "not where it belongs");
  refused(with_record_behind(file, "DONE", "LOST", {}), "only the record STOP");
  refused(with("DONE", 0, 1, 8), "not the one that its hash tells of");

  refused(with_content(file, "MACH", {1, 2, 3}), "are left");
  refused(with("MACH", 67, 1, 1), "kept for later");
  refused(with("IMPT", 0, 1000, 4), "1000 imports do not fit");
  refused(with("IMPT", 7, ' ', 1), "no name for an import");
  refused(with_content(file, "IMPT", {2, 0, 0, 0, 0, 1, 0, 'a', 0, 1, 0, 'a'}), "is there twice");
  refused(with("ARGS", 0, 77, 4), "77 arguments do not fit");
  refused(with_content(file, "ARGS", {1, 0, 0, 0, 9, 0, 0, 0}), "9 bytes in an argument do not fit");
  refused(with_content(file, "ARGS", {0, 0, 0, 0, 9}), "follow behind the last field");

  const std::size_t counts = 4 + 4 + 8 + 8 + 16 * 8 + 8;
  refused(with("THRD", 0, 0x80000000, 4), "above 2^31");
  refused(with("THRD", 4, 7, 4), "is in no space");
  refused(with("THRD", counts - 7, 1, 1), "kept for later");
  refused(with("THRD", counts, UINT64_MAX, 8), "registers do not fit");
  refused(with("THRD", counts + 8, UINT64_MAX / 24, 8), "calls do not fit");
  const bytes thread = content_of(file, "THRD");
  refused(with("THRD", counts, (thread.size() - counts - 16) / 8 + 1, 8), "fewer registers than are told");
  const std::size_t registers = number_at(thread, counts, 8), calls = counts + 16 + 8 * registers;
  refused(with("THRD", counts + 16, 5, 8), "windows of a thread's calls");  // r0
  refused(with("THRD", calls + 16, std::uint64_t{1} << 40, 8), "calls");    // the outermost window
  refused(with("THRD", calls + 8, 1, 8), "calls of a thread");              // its return address
  refused(with("THRD", calls - 8, 0, 8), "calls of a thread");              // the last register
  bytes falling = thread;
  falling.resize(thread.size() + 24);
  put_at(falling, counts + 8, number_at(thread, counts + 8, 8) + 1, 8);
  put_at(falling, thread.size() - 8, std::uint64_t{1} << 40, 8);
  refused(with_content(file, "THRD", falling), "windows of a thread's calls");
  bytes no_calls(thread.begin(), thread.begin() + static_cast<std::ptrdiff_t>(calls));
  put_at(no_calls, counts + 8, 0, 8);
  refused(with_content(file, "THRD", no_calls), "calls of a thread");
  refused(with_record_behind(file, "THRD", "THRD", thread), "threads are not in ascending order");
  refused(with_record_behind(file, "SPAC", "SPAC", content_of(file, "SPAC")),
          "spaces are not in ascending order");

  refused(with("PAGE", 0, 3, 1), "no kind 3 of pages");
  refused(with("PAGE", 1, 8, 1), "no protection 8");
  refused(with("PAGE", 8, UINT64_MAX, 8), "beyond the address space");
  const auto pages = [&](std::uint64_t kind, std::uint64_t first, std::uint64_t count) {
    bytes entry(24);
    put_at(entry, 0, kind, 1);
    put_at(entry, 8, first, 8);
    put_at(entry, 16, count, 8);
    return entry;
  };
  refused(with_content(file, "PAGE", pages(0, 5, 0)), "empty, overlaps");
  refused(with_content(file, "PAGE", pages(0, 5, std::uint64_t{1} << 48)), "beyond the address space");
  refused(with_content(file, "PAGE", pages(0, 0, std::uint64_t{1} << 48)), "beyond the address space");
  refused(with_content(file, "PAGE", pages(0, (std::uint64_t{1} << 48) - 1, 2)), "beyond the address space");
  refused(with_content(file, "PAGE", pages(1, 5, 3)), "a page takes 2048 bytes but 0 are left");
  refused(with_content(file, "PAGE", pages(2, 5, 1)), "the base has no content for page 5");
  bytes twice = pages(0, 5, 1);
  twice.insert(twice.end(), twice.begin(), twice.end());
  refused(with_content(file, "PAGE", twice), "overlaps another");

  refused(with("STOP", 0, 4, 4), "no thread 4");
  refused(with("STOP", 4, COMET_LIMIT + 1, 4), "no such reason");
  refused(with("STOP", 8, 14, 4), "no such reason");
  refused(with("STOP", 12, 4, 4), "no such reason");
  bytes talkative = content_of(file, "STOP");
  talkative.resize(82);
  put_at(talkative, 80, 200, 2);
  talkative.resize(82 + 200, 'x');
  refused(with_content(file, "STOP", talkative), "at most 159 bytes");
  bytes cut = content_of(file, "STOP");
  cut.resize(82);
  put_at(cut, 80, 3, 2);
  cut.insert(cut.end(), {'x', 0, 'x'});
  refused(with_content(file, "STOP", cut), "at most 159 bytes");
  // What a host function said may be of several lines, and what a file says, anything.
  const std::string bold = "a\n\033[1m\177\302\233b \303\244";
  bytes obeyed = content_of(file, "STOP");
  obeyed.resize(82);
  put_at(obeyed, 80, bold.size(), 2);
  obeyed.insert(obeyed.end(), bold.begin(), bold.end());
  comet_stop shown = COMET_STOP_INIT;
  SUPPORT_OK(comet_state_stop(state(with_content(file, "STOP", obeyed)), &shown, error));
  BOOST_CHECK_EQUAL(std::string(shown.message), "a??[1m???b \303\244");
}

// A page that a file has bytes of, which are all 0, is as one that it has none of.
BOOST_AUTO_TEST_CASE(a_page_may_be_stored_that_is_zero) {
  machine vm;
  vm.map(5 * COMET_PAGE_SIZE, COMET_PAGE_SIZE, read_write);
  bytes page(24 + 1024);
  put_at(page, 0, 1, 1);
  put_at(page, 1, read_write, 1);
  put_at(page, 8, 5, 8);
  put_at(page, 16, 1, 8);
  machine copy;
  restore(copy, state(with_content(save(vm), "PAGE", page)));
  BOOST_CHECK(copy.state_hash() == vm.state_hash());
}

BOOST_AUTO_TEST_CASE(more_threads_and_spaces_than_any_machine_saves_are_refused) {
  busy_machine vm;
  const bytes file = save(vm);
  bytes many = file;
  bytes thread = content_of(file, "THRD"), space = content_of(file, "SPAC");
  for (std::uint64_t id = 1024; id > 0; --id) {
    put_at(thread, 0, id, 4);
    many = with_record_behind(many, "THRD", "THRD", thread);
  }
  refused(many, "more than 1024 threads");
  many = without_record(file, "PAGE");
  for (std::uint64_t id = 1024; id > 0; --id) {
    put_at(space, 0, id, 4);
    many = with_record_behind(many, "SPAC", "SPAC", space);
  }
  refused(many, "more than 1024 spaces");
}

BOOST_AUTO_TEST_CASE(an_image_in_a_state_is_checked_as_any) {
  machine vm;
  comet_image* image = nullptr;
  SUPPORT_OK(comet_image_new(&image, error));
  comet_save_options options = COMET_SAVE_OPTIONS_INIT;
  options.image = image;
  bytes file = save(vm, options);
  bytes content = content_of(file, "imag");
  content[20] ^= 1;
  refused(with_content(file, "imag", content), "not the one that its hash tells of");
  const XXH128_hash_t right = XXH3_128bits(&content[16], content.size() - 16);
  XXH128_canonicalFromHash(reinterpret_cast<XXH128_canonical_t*>(content.data()), right);
  refused(with_content(file, "imag", content), "in the image that the state brings: ");
  comet_image_free(image);
}

// A state that waits for a host call has to stand at one. The identity of a file that was changed by hand is
// made right by changing the machine instead.
BOOST_AUTO_TEST_CASE(a_host_call_in_flight_has_to_be_one) {
  machine vm(code().add("hcall", {10, 0}).add("nop").add("halt"));
  vm.import("ask");
  SUPPORT_OK(comet_host_grant(vm, "ask", nullptr, nullptr, error));
  BOOST_REQUIRE_EQUAL(vm.run().reason, COMET_HOST_CALL);
  vm.write(code_address, {0});  // brk, while the call is in flight
  const state gone(save(vm));
  machine other;
  SUPPORT_OK(comet_host_grant(other, "ask", nullptr, nullptr, error));
  SUPPORT_FAILS(COMET_ERROR_FORMAT, comet_state_restore(other, gone, error));
  vm.write(code_address, {0xff, 0xff, 0x7f});  // no instruction
  const state none(save(vm));
  SUPPORT_FAILS(COMET_ERROR_FORMAT, comet_state_restore(other, none, error));
  const code far_base = code().add("hcall", {std::uint64_t{1} << 40, 0});
  vm.write(code_address, far_base.content());
  const state beyond(save(vm));
  SUPPORT_FAILS(COMET_ERROR_FORMAT, comet_state_restore(other, beyond, error));
}

BOOST_AUTO_TEST_SUITE_END()
