// Recordings: the state at the beginning and the host calls that followed, run once more elsewhere.
#include <cstring>

#include "state_files.h"

using namespace support;

namespace {

constexpr std::uint64_t megabyte = 1 << 20;

// Gives another number each time, and writes it to memory.
comet_status tick(comet_call* call, void* data) {
  const std::uint64_t value = ++*static_cast<std::uint64_t*>(data) * 1000;
  if (const comet_status status = comet_call_write(call, data_address + 64, &value, sizeof value);
      status != COMET_OK)
    return status;
  comet_call_result(call, value);
  return COMET_OK;
}
comet_status never(comet_call*, void*) {
  BOOST_ERROR("a host call was made that the recording has");
  return COMET_OK;
}

// Ten laps: `tick` of the embedder's function, `ask` that it serves itself, `random`; then exit with 5.
code program() {
  code text;
  text.add("imm", {1, 10});
  const std::uint64_t loop = text.here();
  text.add("hcall", {10, 0}).add("add", {4, 4, 11}).add("hcall", {10, 1}).add("add", {4, 4, 11});
  text.add("imm", {11, data_address})
      .add("imm", {12, 8})
      .add("hcall", {10, 2})
      .add("ldu64", {5, 11, data_address - 8});
  text.add("add", {4, 4, 5}).add("addi", {1, 1, 0 - std::uint64_t{1}}).add("bnei", {1, 0, loop});
  return text.add("imm", {11, 5}).add("hcall", {10, 3}).add("halt");
}

void import_all(machine& vm) {
  for (const char* name : {"tick", "ask", "random", "exit"}) vm.import(name);
}

void grant_all(machine& vm, comet_host_function function, void* data) {
  SUPPORT_OK(comet_host_grant(vm, "tick", function, data, error));
  SUPPORT_OK(comet_host_grant(vm, "ask", function == never ? never : nullptr, nullptr, error));
  SUPPORT_OK(comet_host_grant_standard(vm, "random", error));
}

comet_stop run_serving(machine& vm) {
  for (;;) {
    const comet_stop stop = vm.run();
    if (stop.reason != COMET_HOST_CALL) return stop;
    vm.write(data_address + 128, {1, 2, 3});
    SUPPORT_OK(comet_set_thread_register(vm, 0, 2, stop.instruction_count, error));
    SUPPORT_OK(comet_set_register(vm, 0, 0, 7, stop.pc, error));
    vm.map(data_address + 4 * COMET_PAGE_SIZE, 1, COMET_READ);
    SUPPORT_OK(comet_protect(vm, 0, data_address + 4 * COMET_PAGE_SIZE, 1, read_write, error));
    SUPPORT_OK(comet_unmap(vm, 0, data_address + 4 * COMET_PAGE_SIZE, 1, error));
    SUPPORT_OK(comet_host_complete(vm, 0, 77, error));
  }
}

struct recorded {
  recorded() {
    import_all(vm);
    grant_all(vm, tick, &ticks);
    SUPPORT_OK(comet_timeline_start(vm, 0, error));
    SUPPORT_OK(comet_record_start(vm, nullptr, append, &file, error));
  }
  comet_stop run() {
    stop = run_serving(vm);
    return stop;
  }
  void end() {
    comet_save_options options = COMET_SAVE_OPTIONS_INIT;
    options.stop = &stop;
    SUPPORT_OK(comet_record_stop(vm, &options, error));
  }
  machine vm{program()};
  std::uint64_t ticks = 0;
  comet_stop stop = COMET_STOP_INIT;
  bytes file;
};

// A machine at the beginning of a recording, with its log.
struct replayed {
  explicit replayed(const bytes& file) : recording(file) {
    grant_all(vm, never, nullptr);
    SUPPORT_OK(comet_state_restore(vm, recording, error));
    SUPPORT_OK(comet_timeline_load(vm, recording, 0, error));
  }
  state recording;
  machine vm;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(recordings)

BOOST_AUTO_TEST_CASE(a_recording_does_elsewhere_what_was_done) {
  recorded original;
  BOOST_REQUIRE_EQUAL(original.run().exit_status, 5);
  original.end();
  replayed copy(original.file);
  const comet_state_info info = copy.recording.info();
  BOOST_CHECK_EQUAL(info.recording, 1);
  BOOST_CHECK_EQUAL(info.lost, 0);
  BOOST_CHECK_EQUAL(info.entries, 31u);
  BOOST_CHECK_EQUAL(info.begin, 0u);
  BOOST_CHECK_EQUAL(info.end, original.stop.instruction_count);
  BOOST_CHECK(std::memcmp(info.hash, original.vm.state_hash().data(), 16) == 0);
  const comet_stop stop = copy.vm.run();
  BOOST_CHECK_EQUAL(stop.exit_status, 5);
  BOOST_CHECK_EQUAL(stop.instruction_count, original.stop.instruction_count);
  BOOST_CHECK(copy.vm.state_hash() == original.vm.state_hash());
  BOOST_CHECK_LT(original.file.size(), 6000u);
}

BOOST_AUTO_TEST_CASE(a_recording_may_end_anywhere) {
  recorded original;
  original.run();
  original.end();
  const std::size_t begin = record(original.file, "DONE").end;
  std::uint64_t entries = 0, end = 0;
  for (std::size_t length = begin; length <= original.file.size(); ++length) {
    const state cut(
        bytes(original.file.begin(), original.file.begin() + static_cast<std::ptrdiff_t>(length)));
    BOOST_REQUIRE_GE(cut.info().entries, entries);
    BOOST_REQUIRE_GE(cut.info().end, end);
    BOOST_REQUIRE_EQUAL(cut.info().has_stop, length == original.file.size());
    entries = cut.info().entries;
    end = cut.info().end;
  }
  BOOST_CHECK_EQUAL(entries, 31u);
  // What there is of it is replayed, and then execution is live.
  const state half(
      bytes(original.file.begin(),
            original.file.begin() + static_cast<std::ptrdiff_t>((begin + original.file.size()) / 2)));
  machine vm;
  std::uint64_t live = 0;
  grant_all(vm, tick, &live);
  SUPPORT_OK(comet_state_restore(vm, half, error));
  SUPPORT_OK(comet_timeline_load(vm, half, megabyte, error));
  run_serving(vm);
  BOOST_CHECK_GT(live, 2u);
  BOOST_CHECK_LT(live, 8u);
}

// Where several threads ran, how far all of them came is told beside where the last one stopped.
BOOST_AUTO_TEST_CASE(a_recording_of_threads_ends_where_they_did) {
  machine vm(code().add("addi", {1, 1, 1}).add("blti_u", {1, 50, code_address}).add("halt"));
  comet_thread other = 0;
  SUPPORT_OK(comet_thread_new(vm, 0, code_address, &other, error));
  SUPPORT_OK(comet_timeline_start(vm, 0, error));
  bytes file;
  SUPPORT_OK(comet_record_start(vm, nullptr, append, &file, error));
  const comet_stop stop = vm.run(30, COMET_EVERY_THREAD);
  vm.run(20, other);
  comet_save_options options = COMET_SAVE_OPTIONS_INIT;
  options.stop = &stop;
  SUPPORT_OK(comet_record_stop(vm, &options, error));
  comet_stop read = COMET_STOP_INIT;
  SUPPORT_OK(comet_state_stop(state(file), &read, error));
  BOOST_CHECK_EQUAL(read.instruction_count, stop.instruction_count);
}

BOOST_AUTO_TEST_CASE(a_program_that_was_killed_leaves_how_far_it_came) {
  machine vm(code().add("jump", {code_address}));
  bytes file;
  SUPPORT_OK(comet_timeline_start(vm, 0, error));
  SUPPORT_OK(comet_record_start(vm, nullptr, append, &file, error));
  comet_set_deadline(vm, 1'100'000'000);
  const comet_stop stop = vm.run();
  const state cut(file);
  BOOST_CHECK_GT(cut.info().end, stop.instruction_count / 4);
  BOOST_CHECK_LE(cut.info().end, stop.instruction_count);
}

BOOST_AUTO_TEST_CASE(a_change_from_outside_ends_a_recording) {
  recorded original;
  original.vm.run(1);
  original.vm.set(9, 9);
  original.run();
  original.end();
  const state lost(original.file);
  BOOST_CHECK_EQUAL(lost.info().lost, 1);
  BOOST_CHECK_EQUAL(lost.info().entries, 0u);
  BOOST_CHECK_EQUAL(lost.info().has_stop, 0);

  recorded reset;
  SUPPORT_OK(comet_machine_reset(reset.vm, error));
  BOOST_CHECK_EQUAL(state(reset.file).info().lost, 1);

  recorded seeded;
  comet_set_random_seed(seeded.vm, 4);
  BOOST_CHECK_EQUAL(state(seeded.file).info().lost, 1);

  // Back in time, and on with other host calls.
  recorded forked;
  SUPPORT_OK(comet_timeline_start(forked.vm, megabyte, error));
  forked.file.clear();
  SUPPORT_OK(comet_record_start(forked.vm, nullptr, append, &forked.file, error));
  snapshot before(forked.vm);
  forked.vm.run(3);
  before.restore();
  SUPPORT_OK(comet_set_pc(forked.vm, 0, code_address, error));
  forked.run();
  BOOST_CHECK_EQUAL(state(forked.file).info().lost, 1);
}

BOOST_AUTO_TEST_CASE(a_sink_that_refuses_does_not_stop_the_program) {
  struct full_disk {
    bytes file;
    std::size_t room;
  } disk{{}, 3000};
  machine vm(program());
  std::uint64_t ticks = 0;
  import_all(vm);
  grant_all(vm, tick, &ticks);
  SUPPORT_OK(comet_timeline_start(vm, 0, error));
  const comet_sink sink = [](void* data, const void* part, std::size_t length) {
    auto* const to = static_cast<full_disk*>(data);
    return to->file.size() + length > to->room ? 1 : append(&to->file, part, length);
  };
  SUPPORT_OK(comet_record_start(vm, nullptr, sink, &disk, error));
  BOOST_CHECK_EQUAL(run_serving(vm).exit_status, 5);
  SUPPORT_FAILS(COMET_ERROR_SYSTEM, comet_record_stop(vm, nullptr, error));
  SUPPORT_FAILS(COMET_ERROR_STATE, comet_record_stop(vm, nullptr, error));
  BOOST_CHECK_GT(state(disk.file).info().entries, 5u);
}

BOOST_AUTO_TEST_CASE(a_log_belongs_to_the_state_that_it_began_with) {
  recorded original;
  original.run();
  original.end();
  const state recording(original.file);
  comet_config config = COMET_CONFIG_INIT;
  config.call_depth_limit = 100;
  machine other(&config);
  grant_all(other, never, nullptr);
  SUPPORT_FAILS(COMET_ERROR_STATE, comet_timeline_load(other, recording, megabyte, error));
  SUPPORT_OK(comet_state_restore(other, recording, error));
  SUPPORT_FAILS(COMET_ERROR_STATE, comet_timeline_load(other, recording, megabyte, error));  // other limits
  bytes file;
  SUPPORT_OK(comet_state_save(other, nullptr, append, &file, nullptr, error));
  const state plain(file);
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_timeline_load(other, plain, megabyte, error));
  machine silent;
  bytes nothing;
  SUPPORT_FAILS(COMET_ERROR_STATE, comet_record_start(silent, nullptr, append, &nothing, error));
}

BOOST_AUTO_TEST_CASE(a_call_in_flight_is_recorded_where_it_is_answered) {
  recorded original;
  while (original.vm.run(1).reason != COMET_HOST_CALL) {
  }
  bytes file;
  SUPPORT_OK(comet_state_save(original.vm, nullptr, append, &file, nullptr, error));
  machine elsewhere;
  std::uint64_t ticks = 5;
  grant_all(elsewhere, tick, &ticks);
  SUPPORT_OK(comet_timeline_start(elsewhere, megabyte, error));
  SUPPORT_OK(comet_state_restore(elsewhere, state(file), error));
  snapshot moved(elsewhere);
  bytes recording;
  SUPPORT_OK(comet_record_start(elsewhere, nullptr, append, &recording, error));
  SUPPORT_OK(comet_host_complete(elsewhere, 0, 4711, error));
  run_serving(elsewhere);
  SUPPORT_OK(comet_record_stop(elsewhere, nullptr, error));
  replayed copy(recording);
  copy.vm.run();
  BOOST_CHECK(copy.vm.state_hash() == elsewhere.state_hash());
  moved.restore();
  elsewhere.run();
  BOOST_CHECK(copy.vm.state_hash() == elsewhere.state_hash());
}

BOOST_AUTO_TEST_CASE(what_no_run_could_have_recorded_is_refused) {
  recorded original;
  original.run();
  original.end();
  const bytes& file = original.file;
  const auto with_call = [&](const bytes& content) { return with_content(file, "CALL", content); };
  // thread, count, index, flags, changes
  refused(with_call({0x80, 0x80, 0x80, 0x80, 8, 1, 0, 0, 0}), "no thread 2147483648");
  refused(with_call({0x80, 0x80, 0x80, 0x80, 0x80, 1, 1, 0, 0, 0}), "no thread 34359738368");
  refused(with_call({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2}), "more than 64 bits");
  refused(with_call({0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0}),
          "has more than 64 bits");
  refused(with_call({0, 2, 0, 8, 1, 0}), "less than one of them");
  refused(with_call({0, 1, 0, 16, 0}), "flags that are not known");
  refused(with_call({0, 1, 0, 0, 100}), "100 changes do not fit");
  refused(with_call({0, 1, 0, 0, 0, 0}), "follow behind");
  refused(with_call({0, 1, 0, 4, 1, 2}), "the random generator takes 8 bytes");
  refused(with_call({0, 1, 0, 0, 1, 8, 0, 0, 0, 0}), "no kind 8 of changes");
  refused(with_call({0, 1, 0, 0, 1, 2, 8, 0, 0, 1}), "no host call can make such a change");     // protection
  refused(with_call({0, 1, 0, 0, 1, 5, 0, 0, 0, 0, 1}), "no host call can make such a change");  // register 0
  refused(with_call({0, 1, 0, 0, 1, 1, 1, 0x80, 0x80, 0x80, 0x80, 0x80, 1, 0, 1}), "no host call can make such a change");  // space
  refused(with_call({0, 1, 0, 0, 1, 6, 0, 0, 16, 1}),
          "no host call can make such a change");  // thread register
  refused(with_call({0, 1, 0, 0, 1, 2, 1, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2}),
          "no host call can make such a change");
  refused(with_call({0, 1, 0, 0, 1, 0, 0, 0, 1, 50, 1}), "written bytes takes 50 bytes");
  bytes call = content_of(file, "CALL");
  call[1] = 0;  // the same count as the one before
  refused(with_record_behind(file, "CALL", "CALL", call), "the same instruction count");
  refused(with_record_behind(file, "STOP", "CALL", call), "follows behind the end");
  refused(with_record_behind(file, "DONE", "LOST", {}), "follows behind the end");
  refused(with_record_behind(file, "DONE", "MACH", {}), "no such record belongs into a recording");
  bytes tick(16);
  tick[3] = 0x80;
  refused(with_record_behind(file, "DONE", "TICK", tick), "no thread 2147483648");
  SUPPORT_OK(comet_state_restore(original.vm, state(file), error));
  SUPPORT_OK(comet_timeline_start(original.vm, 0, error));
  original.vm.run(2);
  bytes late;
  SUPPORT_OK(comet_record_start(original.vm, nullptr, append, &late, error));
  refused(with_record_behind(late, "DONE", "CALL", {0, 0, 0, 0, 0}), "from before the recording began");
}

// What a file says that is in order, but not of this program, is an error of the run, or another run.
BOOST_AUTO_TEST_CASE(a_log_that_fits_no_machine_harms_none) {
  recorded original;
  original.run();
  original.end();
  const auto run_with = [&](const bytes& change) {
    bytes content{0, 1, 0, 1, 42, 1};
    append(&content, change.data(), change.size());
    bytes file = with_content(original.file, "CALL", content);
    file.resize(record(file, "CALL").end);
    const state recording(sealed(file));
    machine vm;
    std::uint64_t ticks = 0;
    grant_all(vm, tick, &ticks);
    SUPPORT_OK(comet_state_restore(vm, recording, error));
    SUPPORT_OK(comet_timeline_load(vm, recording, megabyte, error));
    comet_stop stop = COMET_STOP_INIT;
    comet_error error = COMET_ERROR_INIT;
    return comet_run(vm, 0, 1000, &stop, &error);
  };
  BOOST_CHECK_EQUAL(run_with({1, 1, 0, 0, 8}), COMET_OK);
  BOOST_CHECK_EQUAL(run_with({1, 1, 0, 0, 0}), COMET_OK);
  BOOST_CHECK_EQUAL(run_with({1, 1, 7, 0, 8}), COMET_ERROR_ARGUMENT);  // no space 7
  BOOST_CHECK_EQUAL(run_with({0, 2, 0, 0, 1, 9}), COMET_ERROR_STATE);  // nothing mapped at 0
  BOOST_CHECK_EQUAL(run_with({2, 3, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}), COMET_ERROR_MEMORY);
  BOOST_CHECK_EQUAL(run_with({3, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}),
                    COMET_OK);  // then nothing is mapped
  BOOST_CHECK_EQUAL(run_with({4, 1, 0, 0, 1}), COMET_ERROR_ADDRESS);
  BOOST_CHECK_EQUAL(run_with({5, 0, 0, 1, 3, 9}), COMET_ERROR_STATE);  // no activation 3
  BOOST_CHECK_EQUAL(run_with({5, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0, 9}), COMET_ERROR_STATE);
  BOOST_CHECK_EQUAL(run_with({5, 0, 4, 1, 0, 9}), COMET_ERROR_ARGUMENT);  // no thread 4
  BOOST_CHECK_EQUAL(run_with({6, 0, 0, 15, 9}), COMET_OK);
}

BOOST_AUTO_TEST_CASE(random_numbers_are_part_of_the_state_and_of_the_past) {
  code drawing;
  drawing.add("imm", {11, data_address})
      .add("imm", {12, 8})
      .add("hcall", {10, 0})
      .add("jump", {code_address});
  machine vm(drawing);
  vm.import("random");
  SUPPORT_OK(comet_host_grant_standard(vm, "random", error));
  comet_set_random_seed(vm, 11);
  const auto draw = [&] {
    vm.run(4);
    return vm.read_word(data_address);
  };
  draw();
  SUPPORT_OK(comet_timeline_start(vm, megabyte, error));
  snapshot first(vm);
  const std::uint64_t one = draw(), two = draw();
  first.restore();
  BOOST_CHECK_EQUAL(draw(), one);  // from the log
  BOOST_CHECK_EQUAL(draw(), two);
  const std::uint64_t three = draw();  // live, behind what was drawn and not once more
  BOOST_CHECK(three != one && three != two);
  comet_timeline_stop(vm);
  first.restore();
  BOOST_CHECK_EQUAL(draw(), one);  // drawn again
  BOOST_CHECK_EQUAL(draw(), two);
  BOOST_CHECK_EQUAL(draw(), three);
}

BOOST_AUTO_TEST_SUITE_END()
