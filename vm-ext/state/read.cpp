// Reads state files, which may be hostile: what a machine's own state could not be is refused here.
#include <algorithm>
#include <cinttypes>
#include <span>

#include "../api/guard.h"
#include "../host/host_table.h"
#include "../image/definition_record.h"
#include "../image/text.h"
#include "../memory/address_space.h"
#include "format.h"
#include "log.h"
#include "pages.h"
#include "records.h"
#include "saved_state.h"

namespace comet {
namespace {

constexpr uint64_t pages_of_a_space = uint64_t{1} << (64 - page_bits);
// New threads and spaces get numbers behind these.
constexpr uint64_t highest_id = UINT32_MAX / 2;

class StateReader {
 public:
  StateReader(std::shared_ptr<const std::vector<uint8_t>> file, const SavedState* base)
      : file_(std::move(file)), records_(*file_), base_(base) {
    state_.files.push_back(file_);
  }

  SavedState read(uint32_t kind);

 private:
  using Take = void (StateReader::*)(Fields&);

  // The next record that this reader knows.
  std::optional<Record> next();
  Record need(const char* what);
  void take(uint32_t type, const char* what, Take take);
  Hash128 take_hash(Fields& fields, const char* what);
  uint32_t take_id(Fields& fields, const char* what);

  void take_machine(Fields& fields);
  void take_imports(Fields& fields);
  void take_instructions(Fields& fields);
  void take_texts(Fields& fields, std::vector<std::string>& texts);
  void take_thread(Fields& fields);
  void take_status(Fields& fields);
  void take_schedule(Fields& fields);
  void take_pages(Fields& fields, PageRuns& runs);
  void take_page(Fields& fields, const PageRun& run, PageRuns& runs);
  void take_pages_of_base(Fields& fields, uint64_t at, const PageRun& run, PageRuns& runs);
  void take_joined(Fields& fields);
  void take_image(Fields& fields);
  void take_files(Fields& fields);
  void take_done(Fields& fields);
  void take_call(Fields& fields);
  void take_tick(Fields& fields);
  void take_stop(Fields& fields);
  void take_log();
  void check_thread(const Fields& fields, uint64_t at, comet_thread id) const;

  std::shared_ptr<const std::vector<uint8_t>> file_;
  RecordReader records_;
  const SavedState* base_;
  SavedState state_{};
  bool status_known_ = false;  // of a thread: no more threads come
  comet_space space_ = 0;      // whose pages come
  std::vector<uint8_t> page_;
};

bool lower_case(uint32_t type) { return (type & 0xff) >= 'a'; }

bool known(uint32_t type) {
  using namespace state_format;
  for (const uint32_t one :
       {machine_record, imports_record, instructions_record, arguments_record, environment_record, thread_record,
        status_record, schedule_record, space_record, pages_record, joined_record, image_record, files_record,
        done_record, call_record, tick_record, lost_record, stop_record})
    if (one == type) return true;
  return false;
}

std::optional<Record> StateReader::next() {
  for (;;) {
    std::optional<Record> record = records_.next();
    if (!record || known(record->type)) return record;
    if (!lower_case(record->type))
      fail(COMET_ERROR_FORMAT, record->offset,
           "the state has a record at offset %" PRIu64
           " that this library does not know; use a newer Comet VM",
           record->offset);
  }
}

Record StateReader::need(const char* what) {
  std::optional<Record> record = next();
  if (!record)
    fail(COMET_ERROR_FORMAT, records_.offset(),
         "the state ends at offset %" PRIu64 ", where %s should be; copy it again, or save it again",
         records_.offset(), what);
  return std::move(*record);
}

void StateReader::take(uint32_t type, const char* what, Take take) {
  Record record = need(what);
  if (record.type != type) record.fields.fail_at(record.offset, "here should be %s", what);
  (this->*take)(record.fields);  // beyond tests: a pointer to a member could be one to a virtual function
  record.fields.expect_end();
}

Hash128 StateReader::take_hash(Fields& fields, const char* what) {
  Hash128 hash;
  std::copy_n(fields.take_bytes(hash.size(), what), hash.size(), hash.begin());
  return hash;
}

uint32_t StateReader::take_id(Fields& fields, const char* what) {
  const uint64_t at = fields.offset();
  const uint64_t id = fields.take(4, what);
  if (id > highest_id) fields.fail_at(at, "%s is above 2^31", what);
  return static_cast<uint32_t>(id);
}

void StateReader::take_machine(Fields& fields) {
  state_.limits = COMET_CONFIG_INIT;
  for (uint64_t* limit : {&state_.limits.window, &state_.limits.memory_limit, &state_.limits.register_limit,
                          &state_.limits.call_depth_limit})
    *limit = fields.take(8, "a limit");
  Random::State random;
  for (uint64_t& word : random) word = fields.take(8, "the random generator");
  if (fields.take(1, "the random generator") != 0) state_.random = random;
  const bool has_base = fields.take(1, "the base") != 0;
  fields.take_zeros(2);
  state_.limits.thread_limit = fields.take(4, "a limit");
  const Hash128 base = take_hash(fields, "the base");
  if (!has_base) return;
  state_.base = base;
  if (base_ == nullptr)
    fail(COMET_ERROR_STATE, 0, "the state holds only what differs from a base, which is needed to read it");
  if (base_->identity != base)
    fail(COMET_ERROR_STATE, 0, "the state was saved against another base than the one that is given");
  state_.files.insert(state_.files.end(), base_->files.begin(), base_->files.end());
}

void StateReader::take_imports(Fields& fields) {
  const uint64_t count = fields.take_count(4, state_format::shortest_import, "imports");
  std::set<std::string_view> seen;
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t at = fields.offset();
    const bool granted = fields.take(1, "an import") != 0;
    const std::string_view name = fields.take_name("an import's name");
    if (!valid_host_name(name) || !seen.insert(name).second)
      fields.fail_at(at, "%s is no name for an import, or is there twice", quoted(name).c_str());
    state_.imports.push_back({std::string(name), granted});
  }
}

void StateReader::take_instructions(Fields& fields) {
  const uint64_t count = fields.take_count(4, shortest_definition, "instructions");
  take_definitions(fields, count,
                   [&](isa::Definition definition) { state_.own.definitions.add(std::move(definition)); });
}

void StateReader::take_texts(Fields& fields, std::vector<std::string>& texts) {
  const uint64_t count = fields.take_count(4, state_format::shortest_argument, "arguments");
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t length = fields.take_count(4, 1, "bytes in an argument");
    const auto* bytes = reinterpret_cast<const char*>(fields.take_bytes(length, "an argument"));
    texts.emplace_back(bytes, length);
  }
}

// Handlers that are under way have to be activations of the thread, and what is looked up by a number has to be there:
// nothing else of it can harm the host.
void StateReader::take_status(Fields& fields) {
  const uint64_t at = fields.offset();
  const uint64_t id = fields.take(8, "a thread's number");
  const auto found = id > highest_id ? state_.threads.end() : state_.threads.find(static_cast<comet_thread>(id));
  if (found == state_.threads.end() || found->second.status != ThreadStatus{})
    fields.fail_at(at, "there is no such thread, or it is there twice");
  status_known_ = true;
  const auto number = [&] { return fields.take(8, "how a thread stands"); };
  const auto maybe = [&]() -> std::optional<uint64_t> {
    const uint64_t there = number(), value = number();
    return there != 0 ? std::optional(value) : std::nullopt;
  };
  const auto count = [&](uint64_t most) {
    const uint64_t given = number();
    if (given > most) fields.fail_at(at, "a thread has more handlers or timers than there can be");
    return given;
  };
  ThreadStatus status;
  status.spawned = number() != 0;
  status.result = maybe();
  const uint64_t what = number();
  if (what > static_cast<uint64_t>(Wait::For::event)) fields.fail_at(at, "a thread waits for what there is not");
  status.wait.what = static_cast<Wait::For>(what);
  for (uint64_t* part : {&status.wait.place, &status.wait.nanoseconds, &status.wait.ticket}) *part = number();
  status.answer = maybe();
  status.declined = number();
  for (uint64_t left = count(most_reactions); left != 0; --left) {
    Reaction reaction{};
    for (uint64_t* part : {&reaction.kind, &reaction.id, &reaction.function, &reaction.argument}) *part = number();
    if (!possible_reaction(reaction.kind, reaction.id)) fields.fail_at(at, "a thread has a handler for what there is not");
    status.handlers.push_back(reaction);
  }
  for (uint64_t left = count(most_timers); left != 0; --left) {
    Timer timer{};
    for (uint64_t* part : {&timer.id, &timer.nanoseconds, &timer.period}) *part = number();
    status.timers.push_back(timer);
  }
  const std::vector<ThreadState::Call>& calls = found->second.calls;
  for (uint64_t left = count(2); left != 0; --left) {
    Interruption one;
    one.trap = number() != 0;
    one.depth = number();
    one.window = number();
    one.answer = maybe();
    const bool behind = status.interruptions.empty() || (one.trap && !status.interruptions.back().trap &&
                                                         one.depth > status.interruptions.back().depth);
    if (!behind || one.depth < 2 || one.depth > calls.size() || calls[static_cast<size_t>(one.depth) - 1].window != one.window)
      fields.fail_at(at, "a handler is under way where no activation is its own");
    status.interruptions.push_back(one);
  }
  // Thread 0 stays, and who joins a thread takes it away.
  if (status.spawned && id == 0) fields.fail_at(at, "thread 0 was spawned by nobody");
  // beyond tests: takes a forged state of a thread that ended in a handler
  if (status.result && (!status.spawned || status.wait.what != Wait::For::nothing || !status.interruptions.empty()))
    fields.fail_at(at, "a thread has ended and does something");
  found->second.status = std::move(status);
}

void StateReader::take_schedule(Fields& fields) {
  const uint64_t at = fields.offset();
  Schedule& schedule = state_.schedule;
  schedule.begun = true;
  const auto number = [&] { return fields.take(8, "the turns"); };
  const uint64_t current = number();
  for (uint64_t* part : {&schedule.slice_left, &schedule.slice, &schedule.seed, &schedule.drawn, &schedule.ended_count}) *part = number();
  const uint64_t next_thread = number();
  schedule.next_ticket = number();
  schedule.arrived = number();
  schedule.current = static_cast<uint32_t>(current);
  schedule.next_thread = static_cast<uint32_t>(next_thread);
  if (current > highest_id || state_.threads.count(schedule.current) == 0 || next_thread == 0 || next_thread > highest_id + 1 ||
      schedule.slice == 0 || schedule.slice > longest_slice || schedule.slice_left == 0 ||
      schedule.slice_left > 2 * schedule.slice)
    fields.fail_at(at, "no machine's threads take turns like that");
}

void StateReader::take_thread(Fields& fields) {
  const uint64_t at = fields.offset();
  const comet_thread id = take_id(fields, "a thread's number");
  if (!state_.threads.empty() && id <= state_.threads.rbegin()->first)
    fields.fail_at(at, "threads are not in ascending order");
  if (state_.threads.size() == state_format::most_threads)
    fields.fail_at(at, "there are more than 1024 threads");
  ThreadState thread{};
  thread.space = take_id(fields, "a thread's space");
  thread.pc = fields.take(8, "a pc");
  thread.instruction_count = fields.take(8, "an instruction count");
  for (uint64_t& value : thread.thread_registers) value = fields.take(8, "a thread register");
  const uint64_t waits = fields.take(1, "whether it waits");
  if (waits != 0) state_.waiting.insert(id);
  if (waits == 2) state_.asked_in_turn = id;
  fields.take_zeros(7);
  const uint64_t registers = fields.take_count(8, 8, "registers");
  const uint64_t calls = fields.take_count(8, state_format::call_length, "calls");
  if (registers > fields.left() / 8) fields.fail_at(at, "there are fewer registers than are told");
  thread.registers.resize(static_cast<size_t>(registers));
  for (uint64_t& value : thread.registers) value = fields.take(8, "a register");
  thread.calls.resize(static_cast<size_t>(calls));
  uint64_t lowest = 0;
  for (ThreadState::Call& call : thread.calls) {
    for (uint64_t* part : {&call.function, &call.return_address, &call.window})
      *part = fields.take(8, "a call");
    // Register 0 of every window reads 0, and windows begin one behind the other.
    const bool zero = call.window >= registers || thread.registers[static_cast<size_t>(call.window)] == 0;
    if (call.window < lowest || !zero)
      fields.fail_at(at, "the windows of a thread's calls are not as calls make them");
    lowest = call.window;
  }
  if (calls == 0 || thread.calls[0].window != 0 || thread.calls[0].return_address != 0 ||
      (registers != 0 && thread.registers.back() == 0))
    fields.fail_at(at, "the registers and calls of a thread are not as a machine has them");
  state_.threads.emplace(id, std::move(thread));
}

void StateReader::take_pages(Fields& fields, PageRuns& runs) {
  while (fields.left() != 0) {
    const uint64_t at = fields.offset();
    const uint64_t kind = fields.take(1, "a run of pages");
    PageRun run{};
    run.protection = static_cast<uint8_t>(fields.take(1, "a protection"));
    fields.take_zeros(6);
    run.first = fields.take(8, "a page's number");
    const uint64_t count_or_pieces = fields.take(8, "how many pages there are");
    run.zero = kind == state_format::pages_zero;
    run.count = kind == state_format::page_stored ? 1 : count_or_pieces;
    const uint64_t behind = runs.empty() ? 0 : runs.back().first + runs.back().count;
    if (run.protection > (protection_read | protection_write | protection_execute))
      fields.fail_at(at, "there is no protection %u", run.protection);
    if (run.count == 0 || run.first < behind || run.first >= pages_of_a_space ||
        run.count > pages_of_a_space - 1 || run.count > pages_of_a_space - run.first)
      fields.fail_at(at, "a run of pages is empty, overlaps another, or lies beyond the address space");
    if (kind == state_format::pages_zero) {
      add_run(runs, run);
    } else if (kind == state_format::page_stored) {
      run.pieces = count_or_pieces;
      take_page(fields, run, runs);
    } else if (kind == state_format::pages_of_base) {
      take_pages_of_base(fields, at, run, runs);
    } else {
      fields.fail_at(at, "there is no kind %" PRIu64 " of pages", kind);
    }
  }
}

void StateReader::take_page(Fields& fields, const PageRun& run, PageRuns& runs) {
  PageRun stored = run;
  stored.bytes = fields.take_bytes(stored_length(run.pieces), "a page");
  page_.resize(page_size);
  expand_page(run.pieces, stored.bytes, page_.data());
  stored.zero = pieces_of(page_.data()) == 0;
  if (!stored.zero) stored.hash = StateHash::of(page_.data(), page_.size());
  add_run(runs, stored);
}

void StateReader::take_pages_of_base(Fields& fields, uint64_t at, const PageRun& run, PageRuns& runs) {
  const PageRuns* from = nullptr;
  // beyond tests: takes a forged state on a base without that space
  if (state_.base && base_->spaces.count(space_) != 0) from = &base_->spaces.at(space_);
  for (uint64_t i = 0; i < run.count; ++i) {
    const PageRun* page = from == nullptr ? nullptr : find_page(*from, run.first + i);
    if (page == nullptr)  // beyond tests: takes a forged state on a base without that page
      fields.fail_at(at, "the base has no content for page %" PRIu64, run.first + i);
    PageRun same = *page;
    same.protection = run.protection;
    if (base_->pages != nullptr) same.bytes = nullptr;  // captured, and not ours to keep
    add_run(runs, same);
  }
}

void StateReader::take_joined(Fields& fields) {
  const auto run_of = [&](const JoinedPage& page) -> const PageRun* {
    const auto space = state_.spaces.find(page.space);
    if (space == state_.spaces.end()) return nullptr;
    const PageRuns& runs = space->second;
    const auto behind = std::upper_bound(runs.begin(), runs.end(), page.page, [](uint64_t number, const PageRun& run) { return number < run.first; });
    if (behind == runs.begin()) return nullptr;
    const PageRun& run = *std::prev(behind);
    return page.page - run.first < run.count ? &run : nullptr;
  };
  std::set<std::pair<comet_space, uint64_t>> seen;
  while (fields.left() != 0) {
    const uint64_t at = fields.offset();
    const comet_space space = take_id(fields, "a joined page's space");
    const bool first = fields.take(4, "a joined page") != 0;
    const JoinedPage page{space, fields.take(8, "a joined page's number")};
    if (first) {
      if (!state_.joined.empty() && state_.joined.back().size() < 2) fields.fail_at(at, "a page is joined to no other");
      state_.joined.emplace_back();
    } else if (state_.joined.empty() || page.space <= state_.joined.back().back().space) {
      fields.fail_at(at, "joined pages are not in ascending order");
    }
    const PageRun* const run = run_of(page);
    const PageRun* const same = first ? run : run_of(state_.joined.back().front());
    if (run == nullptr || !seen.emplace(page.space, page.page).second || run->zero != same->zero || run->hash != same->hash)
      fields.fail_at(at, "a joined page is not mapped, is there twice, or has another content");
    state_.joined.back().push_back(page);
  }
  if (state_.joined.empty() || state_.joined.back().size() < 2) fields.fail_at(fields.offset(), "a page is joined to no other");
}

void StateReader::take_image(Fields& fields) {
  SavedImage image{take_hash(fields, "the image's hash"), nullptr};
  const uint64_t at = fields.offset(), length = fields.left();
  if (length != 0) {
    const uint8_t* bytes = fields.take_bytes(length, "the image");
    if (StateHash::of(bytes, length) != image.hash)
      fields.fail_at(at, "the image is not the one that its hash tells of");
    image.image = std::make_unique<comet_image>();
    try {
      read_image(bytes, length, image.image->image);
    } catch (const Failure& failure) {
      if (failure.status != COMET_ERROR_FORMAT) throw;  // beyond tests: nothing else fails there
      fail(COMET_ERROR_FORMAT, at + failure.address, "in the image that the state brings: %.440s",
           failure.message);
    }
  }
  state_.image = std::move(image);
}

// Opening goes by the name of a directory that the machine was granted itself, and then beneath that: where a file is
// said to be cannot lead elsewhere, whatever it says.
void StateReader::take_files(Fields& fields) {
  SavedFiles& files = state_.open_files;
  const auto is_text = [](std::string_view text) {
    return text.size() <= longest_path && text.find('\0') == text.npos;
  };
  const uint64_t directories = fields.take_count(4, state_format::shortest_directory, "directories");
  for (uint64_t i = 0; i < directories; ++i) {
    const uint64_t at = fields.offset();
    const std::string name(fields.take_name("a directory's name"));
    const auto& all = files.directories;
    const bool again = std::find(all.begin(), all.end(), name) != all.end();
    if (name.empty() || !is_text(name) || all.size() == most_files || again)
      fields.fail_at(at, "a directory was not granted under such a name, or twice");
    files.directories.push_back(name);
  }
  const uint64_t count = fields.take_count(4, state_format::shortest_file, "files");
  uint64_t lowest = 0;
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t at = fields.offset();
    SavedFile file{};
    file.number = fields.take(4, "a file's number");
    file.how.directory = static_cast<size_t>(fields.take(4, "a file's directory"));
    const uint64_t kind = fields.take(1, "a file's kind");
    for (bool* flag : {&file.how.readable, &file.how.writable, &file.how.append, &file.how.following})
      *flag = fields.take(1, "how a file was opened") != 0;
    fields.take_zeros(1);
    file.place = fields.take(8, "a place in a file");
    file.how.path = fields.take_name("a file's path");
    const bool known = kind == SavedFile::lost || kind == SavedFile::granted || kind == SavedFile::directory ||
                       kind == SavedFile::file;
    if (!known || file.number < lowest || file.number >= first_file + most_files || !is_text(file.how.path) ||
        (kind != SavedFile::lost && file.how.directory >= files.directories.size()))
      fields.fail_at(at, "a file is not as a machine has it open");
    file.kind = static_cast<SavedFile::Kind>(kind);
    lowest = file.number + 1;
    files.open.push_back(std::move(file));
  }
}

void StateReader::take_done(Fields& fields) {
  const uint64_t at = fields.offset();
  state_.identity = take_hash(fields, "the state's hash");
  if (identity_of(state_) != state_.identity)
    fields.fail_at(at, "the state is not the one that its hash tells of");
}

// ---- what follows in a recording ---------------------------------------------------------------------

void StateReader::check_thread(const Fields& fields, uint64_t at, comet_thread id) const {
  // In a recording there are also those that the program makes, and what is of all.
  const bool there = state_.recording ? id <= highest_id || id == COMET_EVERY_THREAD : state_.threads.count(id) != 0;
  if (!there) fields.fail_at(at, "there is no thread %u", id);
}

void StateReader::take_call(Fields& fields) {
  const uint64_t at = fields.offset();
  const comet_thread id = take_call_thread(fields);
  check_thread(fields, at, id);
  const auto found = state_.calls.find(id);
  const uint64_t before = found == state_.calls.end() ? 0 : found->second.back().count;
  LoggedCall call = comet::take_call(fields, before);
  if (found != state_.calls.end() && call.count == before)
    fields.fail_at(at, "two host calls have the same instruction count");
  // An event within a host call would take the window away that the result goes to.
  for (const Change& change : call.changes)
    if ((change.kind == Change::Kind::event) != (id == COMET_EVERY_THREAD))
      fields.fail_at(at, "events come between instructions, and nothing else does");
  const auto thread = state_.threads.find(id);
  if (thread != state_.threads.end() && call.count < thread->second.instruction_count)
    fields.fail_at(at, "a host call is from before the recording began");
  uint64_t& reached = state_.reached[id];
  reached = std::max(reached, std::max(call.count, call.total) + 1);
  state_.calls[id].push_back(std::move(call));
}

void StateReader::take_tick(Fields& fields) {
  const uint64_t at = fields.offset();
  const auto id = static_cast<comet_thread>(fields.take(4, "a thread's number"));
  fields.take_zeros(4);
  check_thread(fields, at, id);
  uint64_t& reached = state_.reached[id];
  reached = std::max(reached, fields.take(8, "an instruction count"));
}

void StateReader::take_stop(Fields& fields) {
  const uint64_t at = fields.offset();
  SavedStop saved{};
  comet_stop& stop = saved.stop;
  stop = COMET_STOP_INIT;
  saved.thread = static_cast<comet_thread>(fields.take(4, "a stop's thread"));
  check_thread(fields, at, saved.thread);
  const uint64_t reason = fields.take(4, "a stop's reason"), trap = fields.take(4, "a stop's trap"),
                 access = fields.take(4, "a stop's access");
  if (reason > COMET_LIMIT || trap > COMET_TRAP_USER || access > (COMET_READ | COMET_WRITE))
    fields.fail_at(at, "there is no such reason to stop");
  stop.reason = static_cast<comet_reason>(reason);
  stop.trap = static_cast<comet_trap>(trap);
  stop.access = static_cast<int>(access);
  stop.host_call = static_cast<uint32_t>(fields.take(4, "a stop's host call"));
  stop.watchpoint = static_cast<uint32_t>(fields.take(4, "a stop's watchpoint"));
  if (stop.reason == COMET_LIMIT) {
    if (stop.watchpoint > COMET_LIMIT_HOST_CALLS) fields.fail_at(at, "there is no such limit");
    stop.limit = static_cast<comet_limit>(std::exchange(stop.watchpoint, 0));
  }
  for (uint64_t* part : {&stop.pc, &stop.address, &stop.instruction_count, &stop.executed})
    *part = fields.take(8, "a stop");
  stop.exit_status = static_cast<int64_t>(fields.take(8, "a stop's exit status"));
  saved.hash = take_hash(fields, "a stop's hash");
  const std::string_view message = fields.take_name("a stop's message");
  if (message.size() >= sizeof stop.message || message.find('\0') != message.npos)
    fields.fail_at(at, "a stop's message is no line of at most 159 bytes");
  std::copy(message.begin(), message.end(), stop.message);
  make_visible(stop.message);
  if (state_.recording) {
    uint64_t& reached = state_.reached[saved.thread];
    reached = std::max(reached, stop.instruction_count);
  }
  state_.stop = saved;
}

// A recording may end anywhere: whoever wrote it may have been killed.
void StateReader::take_log() {
  while (std::optional<Record> record = next()) {
    Fields& fields = record->fields;
    if (state_.lost || state_.stop) fields.fail_at(record->offset, "a record follows behind the end");
    switch (record->type) {
      case state_format::call_record: take_call(fields); break;
      case state_format::tick_record: take_tick(fields); break;
      case state_format::lost_record: state_.lost = true; break;
      case state_format::stop_record: take_stop(fields); break;
      default: fields.fail_at(record->offset, "no such record belongs into a recording");
    }
    fields.expect_end();
  }
}

SavedState StateReader::read(uint32_t kind) {
  using namespace state_format;
  state_.recording = kind == kind_recording;
  take(machine_record, "the record MACH", &StateReader::take_machine);
  take(imports_record, "the record IMPT", &StateReader::take_imports);
  Record behind_imports = need("the record ARGS");
  if (behind_imports.type == instructions_record) {
    take_instructions(behind_imports.fields);
    behind_imports.fields.expect_end();
    behind_imports = need("the record ARGS");
  }
  if (behind_imports.type != arguments_record)
    behind_imports.fields.fail_at(behind_imports.offset, "here should be the record ARGS");
  take_texts(behind_imports.fields, state_.arguments);
  behind_imports.fields.expect_end();
  bool files_known = false;
  for (bool done = false; !done;) {
    Record record = need("the record DONE");
    Fields& fields = record.fields;
    const bool space_known = !state_.spaces.empty();
    if (record.type == environment_record && state_.environment.empty() && state_.threads.empty()) {
      take_texts(fields, state_.environment);
    } else if (record.type == thread_record && !space_known && !status_known_) {
      take_thread(fields);
    } else if (record.type == status_record && !space_known && !state_.schedule.begun) {
      take_status(fields);
    } else if (record.type == schedule_record && !space_known && !state_.schedule.begun) {
      take_schedule(fields);
    } else if (record.type == space_record) {
      const comet_space id = take_id(fields, "a space's number");
      fields.take_zeros(4);
      if (space_known && id <= space_) fields.fail_at(record.offset, "spaces are not in ascending order");
      if (state_.spaces.size() == most_spaces)
        fields.fail_at(record.offset, "there are more than 1024 spaces");
      state_.spaces[space_ = id];
    } else if (record.type == pages_record && space_known) {
      take_pages(fields, state_.spaces.at(space_));
    } else if (record.type == joined_record && space_known && state_.joined.empty()) {
      take_joined(fields);
    } else if (record.type == image_record && !state_.image) {
      take_image(fields);
    } else if (record.type == files_record && !files_known) {
      files_known = true;
      take_files(fields);
    } else if (record.type == done_record) {
      if (state_.threads.count(0) == 0 || state_.spaces.count(0) == 0)
        fields.fail_at(record.offset, "there is no thread 0, or no space 0");
      for (const auto& [id, thread] : state_.threads)
        if (state_.spaces.count(thread.space) == 0)
          fields.fail_at(record.offset, "thread %u is in no space", id);
      take_done(fields);
      done = true;
    } else {
      fields.fail_at(record.offset, "the record is not where it belongs");
    }
    fields.expect_end();
  }
  if (state_.recording) {
    take_log();
  } else if (std::optional<Record> record = next()) {
    if (record->type != stop_record)
      record->fields.fail_at(record->offset, "only the record STOP follows behind DONE");
    take_stop(record->fields);
    record->fields.expect_end();
  }
  if (!state_.recording && (next() || records_.torn()))
    fail(COMET_ERROR_FORMAT, records_.offset(),
         "something follows at offset %" PRIu64 ", behind the end of the state; copy it again",
         records_.offset());
  return std::move(state_);
}

}  // namespace

SavedState read_state(std::vector<uint8_t> file, const SavedState* base) {
  const uint32_t kind = RecordReader::kind(file);
  return StateReader(std::make_shared<const std::vector<uint8_t>>(std::move(file)), base).read(kind);
}

std::vector<uint8_t> take_file(comet_source source, void* data, uint64_t limit) {
  constexpr size_t least_room = 16384;
  std::vector<uint8_t> file;
  for (size_t length = 0;;) {
    // One byte more than is allowed tells that there is more.
    if (file.size() == length) file.resize(length + std::min<uint64_t>(std::max(length / 2, least_room), limit - length) + 1);
    const int64_t given = source(data, file.data() + length, file.size() - length);
    if (given < 0 || static_cast<uint64_t>(given) > file.size() - length)
      fail(COMET_ERROR_SYSTEM, length, "the state was not read: whoever gives its bytes failed behind %zu of them", length);
    const bool began = length >= state_format::header_length;
    length += static_cast<size_t>(given);
    if (length > limit)
      fail(COMET_ERROR_MEMORY, 0, "the state has more than the %" PRIu64 " bytes that may be read; allow more if it is to be believed",
           limit);
    if (given == 0) file.resize(length);
    if (given == 0 || (!began && length >= state_format::header_length)) RecordReader::kind({file.data(), length});
    if (given == 0) return file;
  }
}

}  // namespace comet
