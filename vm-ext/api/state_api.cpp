// comet.h: states in files, recordings.
#include <algorithm>
#include <cstring>

#include "../machine/machine.h"
#include "../state/format.h"
#include "../state/recorder.h"
#include "../state/records.h"
#include "../state/saved_state.h"
#include "guard.h"

using namespace comet;

namespace {

comet_save_options complete(const comet_save_options* given) {
  comet_save_options options = COMET_SAVE_OPTIONS_INIT;
  if (given == nullptr) return options;
  require_size(given->size, "options");
  std::memcpy(static_cast<void*>(&options), given, std::min(given->size, sizeof options));
  return options;
}

SavedImage saved_image(const comet_image& image, bool only_hash) {
  const std::vector<uint8_t> bytes = write_image(image.image);
  SavedImage saved{StateHash::of(bytes.data(), bytes.size()), nullptr};
  if (only_hash) return saved;
  saved.image = std::make_unique<comet_image>();
  read_image(bytes.data(), bytes.size(), saved.image->image);
  return saved;
}

// A comet_stop may be of an older library.
SavedStop saved_stop(const comet_machine& machine, comet_thread thread, const comet_stop& given) {
  require_size(given.size, "stop");
  machine.thread(thread);
  comet_stop stop = COMET_STOP_INIT;
  std::memcpy(static_cast<void*>(&stop), &given, std::min(given.size, sizeof stop));
  stop.message[sizeof stop.message - 1] = 0;
  return {thread, stop, machine.state_hash(), machine.instruction_count()};
}

SavedState captured(const comet_machine& machine, const comet_save_options& options) {
  SavedState state = capture(machine);
  if (options.image != nullptr) state.image = saved_image(*options.image, options.image_hash_only != 0);
  return state;
}

// Why the machine stopped included, if the options tell.
SavedState captured_with_stop(const comet_machine& machine, const comet_save_options& options) {
  SavedState state = captured(machine, options);
  if (options.stop != nullptr) state.stop = saved_stop(machine, options.thread, *options.stop);
  return state;
}

// Of all threads.
uint64_t instructions_before(const SavedState& state) {
  uint64_t count = state.schedule.ended_count;
  for (const auto& [id, thread] : state.threads) count += thread.instruction_count;
  return count;
}

uint64_t known_end(const SavedState& state) {
  uint64_t end = instructions_before(state);
  for (const auto& [id, count] : state.reached) end = std::max(end, count);
  return end;
}

void copy_hash(uint8_t to[16], const Hash128& hash) { std::copy(hash.begin(), hash.end(), to); }

}  // namespace

comet_status comet_state_save(const comet_machine* machine, const comet_save_options* options,
                              comet_sink sink, void* data, comet_state** kept, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    if (sink == nullptr) fail(COMET_ERROR_ARGUMENT, 0, "sink is NULL; pass a function that takes the bytes");
    machine->require_no_run("be saved");
    const comet_save_options chosen = complete(options);
    SavedState state = captured_with_stop(*machine, chosen);
    RecordWriter writer(sink, data);
    write_state(writer, state, chosen.base, state_format::kind_state);
    if (state.stop) write_stop(writer, *state.stop);
    if (kept == nullptr) return;
    for (auto& [id, runs] : state.spaces)
      for (PageRun& run : runs) run.bytes = nullptr;  // the machine's own, which change
    *kept = new comet_state(std::move(state));
  });
}

comet_status comet_state_capture(const comet_machine* machine, const comet_save_options* options,
                                 comet_state** state, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    require(state, "state");
    machine->require_no_run("be captured");
    const comet_save_options chosen = complete(options);
    if (chosen.base != nullptr)
      fail(COMET_ERROR_ARGUMENT, 0, "a state in memory has all its pages and needs no base; pass NULL");
    SavedState captured_state = captured_with_stop(*machine, chosen);
    keep_pages(captured_state, machine->memory());
    *state = new comet_state(std::move(captured_state));
  });
}

comet_status comet_machine_fork(const comet_machine* machine, const comet_state* state,
                                comet_machine** forked, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    require(forked, "fork");
    machine->require_no_run("be forked");
    std::optional<SavedState> own;
    if (state == nullptr) keep_pages(own.emplace(capture(*machine)), machine->memory());
    auto made = std::make_unique<comet_machine>(machine->config(), machine->memory());
    made->host.grant_as(machine->host);
    made->host_state.streams = machine->host_state.streams;
    made->instructions.treated = machine->instructions.treated;
    made->instructions.count_anew();
    restore_state(*made, own ? *own : static_cast<const SavedState&>(*state));
    made->host_state.files = machine->host_state.files.shared();
    *forked = made.release();
  });
}

comet_status comet_state_read(const void* bytes, size_t length, const comet_state* base, comet_state** state,
                              comet_error* error) {
  return guard(error, [&] {
    require(bytes, "bytes");
    require(state, "state");
    const auto* const begin = static_cast<const uint8_t*>(bytes);
    *state = new comet_state(read_state({begin, begin + length}, base));
  });
}

comet_status comet_state_read_from(comet_source source, void* data, uint64_t limit, const comet_state* base,
                                   comet_state** state, comet_error* error) {
  return guard(error, [&] {
    if (source == nullptr) fail(COMET_ERROR_ARGUMENT, 0, "source is NULL; pass a function that gives the bytes");
    require(state, "state");
    *state = new comet_state(read_state(take_file(source, data, limit), base));
  });
}

void comet_state_free(comet_state* state) { delete state; }

comet_status comet_state_get(const comet_state* state, comet_state_info* info, comet_error* error) {
  return guard(error, [&] {
    require(state, "state");
    comet_state_info value = COMET_STATE_INFO_INIT;
    copy_hash(value.identity, state->identity);
    if (state->base) {
      value.has_base = 1;
      copy_hash(value.base, *state->base);
    }
    if (state->image) {
      value.has_image = state->image->image != nullptr ? 2 : 1;
      copy_hash(value.image, state->image->hash);
    }
    value.config = state->limits;
    for (const auto& [id, runs] : state->spaces) {
      for (const PageRun& run : runs) {
        value.pages += run.count;
        value.pages_with_content += run.zero ? 0 : 1;
      }
    }
    if (state->stop) {
      value.has_stop = 1;
      value.thread = state->stop->thread;
      copy_hash(value.hash, state->stop->hash);
    }
    value.recording = state->recording ? 1 : 0;
    value.lost = state->lost ? 1 : 0;
    for (const auto& [id, calls] : state->calls) value.entries += calls.size();
    value.begin = instructions_before(*state);
    value.end = known_end(*state);
    give(info, value, "info");
  });
}

comet_status comet_state_stop(const comet_state* state, comet_stop* stop, comet_error* error) {
  return guard(error, [&] {
    require(state, "state");
    if (!state->stop)
      fail(COMET_ERROR_STATE, 0,
           "the state does not say why the machine stopped; comet_state_get tells whether one does");
    give(stop, state->stop->stop, "stop");
  });
}

const comet_image* comet_state_image(const comet_state* state) {
  return state == nullptr || !state->image ? nullptr : state->image->image.get();
}

const char* comet_state_import(const comet_state* state, uint32_t index) {
  return state == nullptr || index >= state->imports.size() ? nullptr : state->imports[index].name.c_str();
}

const char* comet_state_argument(const comet_state* state, uint32_t index) {
  return state == nullptr || index >= state->arguments.size() ? nullptr : state->arguments[index].c_str();
}

const char* comet_state_directory(const comet_state* state, uint32_t index) {
  if (state == nullptr || index >= state->open_files.directories.size()) return nullptr;
  return state->open_files.directories[index].c_str();
}

comet_status comet_state_restore(comet_machine* machine, const comet_state* state, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    require(state, "state");
    restore_state(*machine, *state);
  });
}

// ---- recordings --------------------------------------------------------------------------------------

comet_status comet_record_start(comet_machine* machine, const comet_save_options* options, comet_sink sink,
                                void* data, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    if (sink == nullptr) fail(COMET_ERROR_ARGUMENT, 0, "sink is NULL; pass a function that takes the bytes");
    machine->require_no_run("begin to be recorded");
    if (!machine->timeline.recording())
      fail(COMET_ERROR_STATE, 0, "host calls are not being logged; begin with comet_timeline_start");
    const comet_save_options chosen = complete(options);
    machine->timeline.listener = std::make_unique<Recorder>(captured(*machine, chosen), sink, data);
  });
}

comet_status comet_record_stop(comet_machine* machine, const comet_save_options* options,
                               comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    const comet_save_options chosen = complete(options);
    std::optional<SavedStop> stop;
    if (chosen.stop != nullptr) stop = saved_stop(*machine, chosen.thread, *chosen.stop);
    const std::unique_ptr<TimelineListener> listener = std::move(machine->timeline.listener);
    if (listener == nullptr)
      fail(COMET_ERROR_STATE, 0, "the machine is not being recorded; comet_record_start begins that");
    static_cast<Recorder&>(*listener).stop(stop);
  });
}

comet_status comet_timeline_load(comet_machine* machine, const comet_state* state, uint64_t byte_limit,
                                 comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    require(state, "state");
    if (!state->recording)
      fail(COMET_ERROR_ARGUMENT, 0, "the state is no recording: it has no host calls of the program in it");
    if (capture(*machine).identity != state->identity)
      fail(COMET_ERROR_STATE, 0,
           "the machine is not where the recording begins; restore the state first, in a machine of the same "
           "limits");
    machine->timeline.start_with(state->calls, known_end(*state), byte_limit);
  });
}
