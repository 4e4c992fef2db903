// Writes state files. The same state is the same bytes.
#include <cinttypes>

#include "../api/guard.h"
#include "../image/definition_record.h"
#include "../machine/machine.h"
#include "format.h"
#include "pages.h"
#include "records.h"
#include "saved_state.h"

namespace comet {
namespace {

// Records of pages are cut when they have come to this.
constexpr size_t pages_record_length = size_t{1} << 20;

void put_count(Payload& payload, size_t count, const char* what) {
  if (count > UINT32_MAX)  // beyond tests: takes more than 2^32 entries
    fail(COMET_ERROR_ARGUMENT, 0, "the state has %zu %s; the file format holds at most %" PRIu32, count, what,
         UINT32_MAX);
  payload.put(count, 4);
}

void put_hash(Payload& payload, const Hash128& hash) { payload.put_bytes(hash.data(), hash.size()); }

void write_machine(RecordWriter& writer, const SavedState& state, const SavedState* base) {
  Payload payload;
  const comet_config& limits = state.limits;
  for (const uint64_t limit :
       {limits.window, limits.memory_limit, limits.register_limit, limits.call_depth_limit})
    payload.put(limit, 8);
  for (const uint64_t word : state.random.value_or(Random::State{})) payload.put(word, 8);
  payload.put(state.random.has_value(), 1);
  payload.put(base != nullptr, 1);
  payload.put(0, 2);
  payload.put(limits.thread_limit, 4);
  put_hash(payload, base == nullptr ? Hash128{} : base->identity);
  writer.record(state_format::machine_record, payload);
}

void write_imports(RecordWriter& writer, const SavedState& state) {
  Payload payload;
  put_count(payload, state.imports.size(), "imports");
  for (const SavedImport& import : state.imports) {
    payload.put(import.granted, 1);
    payload.put_name(import.name);
  }
  writer.record(state_format::imports_record, payload);
}

void write_instructions(RecordWriter& writer, const SavedState& state) {
  const auto& all = state.own.definitions.all();
  if (all.empty()) return;
  Payload payload;
  put_count(payload, all.size(), "instructions");
  for (const auto& each : all) put_definition(payload, *each);
  writer.record(state_format::instructions_record, payload);
}

void write_texts(RecordWriter& writer, uint32_t record, const std::vector<std::string>& texts) {
  Payload payload;
  put_count(payload, texts.size(), "arguments");
  for (const std::string& text : texts) {
    put_count(payload, text.size(), "bytes in an argument");
    payload.put_bytes(text.data(), text.size());
  }
  writer.record(record, payload);
}

void write_thread(RecordWriter& writer, comet_thread id, const ThreadState& thread, uint8_t waits) {
  Payload payload;
  payload.put(id, 4);
  payload.put(thread.space, 4);
  payload.put(thread.pc, 8);
  payload.put(thread.instruction_count, 8);
  for (const uint64_t value : thread.thread_registers) payload.put(value, 8);
  payload.put(waits, 1);
  payload.put(0, 7);
  payload.put(thread.registers.size(), 8);
  payload.put(thread.calls.size(), 8);
  for (const uint64_t value : thread.registers) payload.put(value, 8);
  for (const ThreadState::Call& call : thread.calls)
    for (const uint64_t part : {call.function, call.return_address, call.window}) payload.put(part, 8);
  writer.record(state_format::thread_record, payload);
}

// Left out where a thread has to do with no other.
void write_status(RecordWriter& writer, comet_thread id, const ThreadStatus& status) {
  if (status == ThreadStatus{}) return;
  Payload payload;
  payload.put(id, 8);
  for (const uint64_t number : numbers_of(status)) payload.put(number, 8);
  writer.record(state_format::status_record, payload);
}

void write_schedule(RecordWriter& writer, const Schedule& schedule) {
  if (!schedule.begun) return;
  Payload payload;
  for (const uint64_t number : numbers_of(schedule)) payload.put(number, 8);
  writer.record(state_format::schedule_record, payload);
}

void put_entry(Payload& payload, state_format::PageKind kind, const PageRun& run, uint64_t count_or_pieces) {
  payload.put(kind, 1);
  payload.put(run.protection, 1);
  payload.put(0, 6);
  payload.put(run.first, 8);
  payload.put(count_or_pieces, 8);
}

void put_stored(Payload& payload, const PageRun& run) {
  put_entry(payload, state_format::page_stored, run, run.pieces);
  for (unsigned i = 0; i < 64; ++i)
    if ((run.pieces >> i & 1) != 0)
      payload.put_bytes(run.bytes + i * state_format::piece_length, state_format::piece_length);
}

void write_space(RecordWriter& writer, comet_space id, const PageRuns& runs, const PageRuns* base) {
  Payload payload;
  payload.put(id, 4);
  payload.put(0, 4);
  writer.record(state_format::space_record, payload);
  const auto in_base = [&](const PageRun& run) {
    const PageRun* same = base == nullptr || run.zero ? nullptr : find_page(*base, run.first);
    return same != nullptr && same->hash == run.hash;
  };
  payload.clear();
  for (auto run = runs.begin(); run != runs.end();) {
    if (payload.bytes().size() >= pages_record_length) {
      writer.record(state_format::pages_record, payload);
      payload.clear();
    }
    if (run->zero) {
      put_entry(payload, state_format::pages_zero, *run, run->count);
      ++run;
    } else if (!in_base(*run)) {
      put_stored(payload, *run);
      ++run;
    } else {
      auto end = run;
      while (end != runs.end() && end->first - run->first == static_cast<uint64_t>(end - run) &&
             end->protection == run->protection && in_base(*end))
        ++end;
      put_entry(payload, state_format::pages_of_base, *run, static_cast<uint64_t>(end - run));
      run = end;
    }
  }
  if (!payload.bytes().empty()) writer.record(state_format::pages_record, payload);
}

// A page that is the first of its group says so.
void write_joined(RecordWriter& writer, const SavedState& state) {
  Payload payload;
  for (const auto& group : state.joined) {
    for (const JoinedPage& page : group) {
      payload.put(page.space, 4);
      payload.put(&page == &group.front(), 4);
      payload.put(page.page, 8);
    }
  }
  if (!payload.bytes().empty()) writer.record(state_format::joined_record, payload);
}

// Left out where there is none.
void write_files(RecordWriter& writer, const SavedFiles& files) {
  if (files.directories.empty() && files.open.empty()) return;
  Payload payload;
  put_count(payload, files.directories.size(), "directories");
  for (const std::string& name : files.directories) payload.put_name(name);
  put_count(payload, files.open.size(), "files");
  for (const SavedFile& file : files.open) {
    payload.put(file.number, 4);
    payload.put(file.how.directory, 4);
    payload.put(file.kind, 1);
    for (const bool flag : {file.how.readable, file.how.writable, file.how.append, file.how.following}) payload.put(flag, 1);
    payload.put(0, 1);
    payload.put(file.place, 8);
    payload.put_name(file.how.path);
  }
  writer.record(state_format::files_record, payload);
}

void write_image_record(RecordWriter& writer, const SavedImage& image) {
  Payload payload;
  put_hash(payload, image.hash);
  if (image.image != nullptr) {
    const std::vector<uint8_t> bytes = write_image(image.image->image);
    payload.put_bytes(bytes.data(), bytes.size());
  }
  writer.record(state_format::image_record, payload);
}

}  // namespace

void write_state(RecordWriter& writer, const SavedState& state, const SavedState* base, uint32_t kind) {
  if (state.threads.size() > state_format::most_threads || state.spaces.size() > state_format::most_spaces)
    fail(COMET_ERROR_ARGUMENT, 0,
         "a machine with %zu threads and %zu spaces cannot be saved; at most 1024 of each can",
         state.threads.size(), state.spaces.size());
  writer.header(kind);
  write_machine(writer, state, base);
  write_imports(writer, state);
  write_instructions(writer, state);
  write_texts(writer, state_format::arguments_record, state.arguments);
  if (!state.environment.empty()) write_texts(writer, state_format::environment_record, state.environment);
  for (const auto& [id, thread] : state.threads)
    write_thread(writer, id, thread, state.waits(id));
  for (const auto& [id, thread] : state.threads) write_status(writer, id, thread.status);
  write_schedule(writer, state.schedule);
  for (const auto& [id, runs] : state.spaces) {
    const PageRuns* base_runs = nullptr;
    if (base != nullptr && base->spaces.count(id) != 0) base_runs = &base->spaces.at(id);
    write_space(writer, id, runs, base_runs);
  }
  write_joined(writer, state);
  if (state.image) write_image_record(writer, *state.image);
  write_files(writer, state.open_files);
  Payload done;
  put_hash(done, state.identity);
  writer.record(state_format::done_record, done);
}

void write_stop(RecordWriter& writer, const SavedStop& saved) {
  const comet_stop& stop = saved.stop;
  Payload payload;
  payload.put(saved.thread, 4);
  payload.put(static_cast<uint64_t>(stop.reason), 4);
  payload.put(static_cast<uint64_t>(stop.trap), 4);
  payload.put(static_cast<uint64_t>(stop.access), 4);
  payload.put(stop.host_call, 4);
  payload.put(stop.reason == COMET_LIMIT ? static_cast<uint32_t>(stop.limit) : stop.watchpoint, 4);
  for (const uint64_t part : {stop.pc, stop.address, stop.instruction_count, stop.executed,
                              static_cast<uint64_t>(stop.exit_status)})
    payload.put(part, 8);
  put_hash(payload, saved.hash);
  payload.put_name(stop.message);
  writer.record(state_format::stop_record, payload);
}

}  // namespace comet
