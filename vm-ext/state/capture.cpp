// From a machine to a SavedState, and back into another machine.
#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "../api/guard.h"
#include "../machine/machine.h"
#include "pages.h"

namespace comet {

SavedState capture(const Machine& machine) {
  SavedState state{};
  state.limits = machine.config();
  state.random = machine.host_state.random.state();
  for (const std::string& name : machine.host.imports())
    state.imports.push_back({name, machine.host.granted(name)});
  state.own = *machine.instructions.own;
  state.arguments = machine.host_state.arguments;
  state.environment = machine.host_state.environment;
  state.open_files = machine.host_state.files.saved();
  state.threads = machine.thread_states();
  state.schedule = machine.schedule();
  for (const auto& [id, thread] : state.threads)
    if (machine.waits(id)) {
      state.waiting.insert(id);
      if (machine.asked_in_turn(id)) state.asked_in_turn = id;
    }
  for (const auto& [id, space] : machine.spaces()) {
    PageRuns& runs = state.spaces[id];
    space->memory.for_each_page([&](uint64_t number, uint8_t protection, const uint8_t* bytes) {
      PageRun run{.first = number, .count = 1, .protection = protection, .zero = false};
      run.pieces = pieces_of(bytes);
      run.zero = run.pieces == 0;
      run.bytes = bytes;
      if (!run.zero) run.hash = StateHash::of(bytes, page_size);
      add_run(runs, run);
    });
  }
  for (const auto& group : machine.joined_pages()) {
    auto& joined = state.joined.emplace_back();
    for (const Machine::PagePlace& place : group) joined.push_back({place.space, place.page});
  }
  state.identity = identity_of(state);
  return state;
}

void keep_pages(SavedState& state, const HostMemory& memory) {
  size_t length = 0;
  for (const auto& [id, runs] : state.spaces)
    for (const PageRun& run : runs) length += run.zero ? 0 : page_size;
  const auto pages = std::make_shared<SharedPages>(length, memory);
  uint8_t* next = pages->data();
  for (auto& [id, runs] : state.spaces) {
    for (PageRun& run : runs) {
      if (run.zero) continue;
      std::memcpy(next, run.bytes, page_size);
      run.bytes = next;
      next += page_size;
    }
  }
  state.pages = pages;
}

// The window is left out: it makes machines quicker, and changes nothing else.
Hash128 identity_of(const SavedState& state) {
  StateHash hash;
  const auto text = [&](const std::string& words) {
    hash.number(words.size());
    hash.bytes(words.data(), words.size());
  };
  for (const uint64_t limit :
       {state.limits.memory_limit, state.limits.register_limit, state.limits.call_depth_limit, state.limits.thread_limit})
    hash.number(limit);
  hash.number(state.random.has_value());
  for (const uint64_t word : state.random.value_or(Random::State{})) hash.number(word);
  hash.number(state.imports.size());
  for (const SavedImport& import : state.imports) {
    text(import.name);
    hash.number(import.granted);
  }
  hash.number(state.arguments.size());
  for (const std::string& argument : state.arguments) text(argument);
  if (!state.environment.empty()) hash.number(state.environment.size());
  for (const std::string& entry : state.environment) text(entry);
  hash.number(state.threads.size());
  for (const auto& [id, thread] : state.threads) {
    for (const uint64_t part : {uint64_t{id}, uint64_t{thread.space}, thread.pc, thread.instruction_count,
                                uint64_t{state.waits(id)}})
      hash.number(part);
    for (const uint64_t part : thread.thread_registers) hash.number(part);
    hash.number(thread.registers.size());
    for (const uint64_t part : thread.registers) hash.number(part);
    hash.number(thread.calls.size());
    for (const ThreadState::Call& call : thread.calls)
      for (const uint64_t part : {call.function, call.return_address, call.window}) hash.number(part);
  }
  hash.number(state.spaces.size());
  for (const auto& [id, runs] : state.spaces) {
    hash.number(id);
    hash.number(runs.size());
    for (const PageRun& run : runs) {
      for (const uint64_t part : {run.first, run.count, uint64_t{run.protection}, uint64_t{run.zero}})
        hash.number(part);
      hash.bytes(run.hash.data(), run.hash.size());
    }
  }
  hash_instructions(hash, state.own);
  for (const auto& group : state.joined) {
    hash.number(group.size());
    for (const JoinedPage& page : group)
      for (const uint64_t part : {uint64_t{page.space}, page.page}) hash.number(part);
  }
  hash_schedule(hash, state.schedule);
  for (const auto& [id, thread] : state.threads) hash_status(hash, id, thread.status);
  return hash.finish();
}

namespace {

unsigned long long wide(uint64_t value) { return value; }

void check_limits(const Machine& machine, const SavedState& state) {
  uint64_t pages = 0;
  for (const auto& [id, runs] : state.spaces)
    for (const PageRun& run : runs) pages += run.count;  // of up to 1024 spaces with 2^48 pages each
  machine.require_page_limit(pages);
  const comet_config& config = machine.config();
  for (const auto& [id, thread] : state.threads) {
    if (thread.registers.size() > config.register_limit + register_slack ||
        thread.calls.back().window > config.register_limit)
      fail(COMET_ERROR_MEMORY, 0,
           "thread %u of the state uses more registers than this machine's register limit of %llu; "
           "give a machine with the limit of the one that it was saved from, %llu",
           id, wide(config.register_limit), wide(state.limits.register_limit));
    if (thread.calls.size() > config.call_depth_limit)
      fail(COMET_ERROR_MEMORY, 0,
           "thread %u of the state has %zu calls under way, more than this machine's call depth limit of "
           "%llu; "
           "give a machine with the limit of the one that it was saved from, %llu",
           id, thread.calls.size(), wide(config.call_depth_limit), wide(state.limits.call_depth_limit));
  }
}

// What the program could call it has to be able to call.
void check_grants(const Machine& machine, const SavedState& state) {
  for (const SavedImport& import : state.imports)
    if (import.granted && !machine.host.granted(import.name))
      fail(COMET_ERROR_CAPABILITY, 0,
           "the state needs the host call `%s`, which this machine was not given; grant it if the program "
           "may have it",
           import.name.c_str());
}

// Of pages side by side, those that are so in `pages` too are shown at once.
void show(AddressSpace& memory, PageRuns::const_iterator run, PageRuns::const_iterator end,
          const SharedPages& pages) {
  while (run != end) {
    const PageRun& first = *run++;
    if (first.zero) continue;
    uint64_t count = 1;
    for (; run != end && !run->zero; ++run) ++count;
    memory.show(first.first, count, pages, static_cast<size_t>(first.bytes - pages.data()));
  }
}

void fill(AddressSpace& memory, const PageRuns& runs, const SharedPages* pages) {
  std::vector<uint8_t> page;
  for (auto run = runs.begin(); run != runs.end();) {
    // What lies side by side is mapped at once.
    uint64_t count = 0;
    auto end = run;
    for (; end != runs.end() && end->first == run->first + count && end->protection == run->protection; ++end)
      count += end->count;
    memory.map(run->first << page_bits, count << page_bits, run->protection);
    if (pages != nullptr) {
      show(memory, run, end, *pages);
      run = end;
    }
    for (; run != end; ++run) {
      if (run->zero) continue;
      page.resize(page_size);
      expand_page(run->pieces, run->bytes, page.data());
      memory.write(run->first << page_bits, page.data(), page.size());
    }
  }
}

}  // namespace

void restore_state(Machine& machine, const SavedState& state) {
  machine.require_no_run("take over another state");
  check_limits(machine, state);
  check_grants(machine, state);
  Machine::Spaces spaces;
  for (const auto& [id, runs] : state.spaces) {
    for (const PageRun& run : runs)
      if (!run.zero && run.bytes == nullptr)
        fail(COMET_ERROR_ARGUMENT, 0,
             "this state was kept as a base for saving others, without its pages; read it from its file to "
             "restore it");
    auto space = machine.detached_space();
    fill(space->memory, runs, state.pages.get());
    spaces.emplace(id, std::move(space));
  }
  for (const auto& group : state.joined)
    for (const JoinedPage& page : group)
      if (&page != &group.front())
        spaces.at(group.front().space)->memory.join(group.front().page, spaces.at(page.space)->memory, page.page);
  std::vector<std::string> imports;
  for (const SavedImport& import : state.imports) imports.push_back(import.name);
  std::vector<std::string> arguments = state.arguments, environment = state.environment;
  Files files = machine.host_state.files.reopened(state.open_files);
  machine.adopt(std::move(spaces), state.threads, std::move(imports),
                std::make_shared<const comet_isa>(state.own), Random(state.random), state.schedule, state.waiting,
                state.asked_in_turn);
  machine.host_state.arguments.swap(arguments);
  machine.host_state.environment.swap(environment);
  std::swap(machine.host_state.files, files);
}

}  // namespace comet
