// comet.h: machines, memory, threads and registers.
#include <algorithm>
#include <cstring>

#include "../machine/machine.h"
#include "guard.h"

using namespace comet;

namespace {

constexpr int all_protections = COMET_READ | COMET_WRITE | COMET_EXECUTE;
// Above these a configuration is taken for a mistake; each is far beyond what a host can give.
constexpr uint64_t largest_window = uint64_t{1} << 46;
constexpr uint64_t largest_registers = uint64_t{1} << 32;
constexpr uint64_t largest_call_depth = uint64_t{1} << 32;
constexpr uint64_t largest_thread_limit = 65536;

unsigned long long wide(uint64_t value) { return value; }

void require_range(uint64_t address, uint64_t length) {
  if (length != 0 && address + (length - 1) < address)
    fail(COMET_ERROR_ADDRESS, address, "the range of %llu bytes at 0x%llx goes beyond the end of the address space; "
         "use a smaller length", wide(length), wide(address));
}

void require_protection(int protection) {
  if ((protection & ~all_protections) != 0)
    fail(COMET_ERROR_ARGUMENT, 0, "protection %d is not a union of COMET_READ, COMET_WRITE and COMET_EXECUTE", protection);
}

void require_pages(uint64_t address, uint64_t length) {
  if (((address | length) & page_mask) != 0)
    fail(COMET_ERROR_ARGUMENT, address, "0x%llx and %llu bytes are no whole pages of %d bytes", wide(address), wide(length), COMET_PAGE_SIZE);
}

void require_mapped(const Space& space, uint64_t address, uint64_t length) {
  if (const auto missing = space.memory.first_denied(address, length, 0))
    fail(COMET_ERROR_ADDRESS, *missing, "nothing is mapped at 0x%llx; map it first", wide(*missing));
}

comet_config checked(const comet_config& config) {
  if (config.window > largest_window)
    fail(COMET_ERROR_ARGUMENT, 0, "a window of %llu bytes is too large; at most %llu", wide(config.window), wide(largest_window));
  if (config.register_limit > largest_registers)
    fail(COMET_ERROR_ARGUMENT, 0, "a register limit of %llu is too large; at most %llu", wide(config.register_limit), wide(largest_registers));
  if (config.call_depth_limit == 0 || config.call_depth_limit > largest_call_depth)
    fail(COMET_ERROR_ARGUMENT, 0, "a call depth limit of %llu is not possible; it is from 1 to %llu", wide(config.call_depth_limit), wide(largest_call_depth));
  if (config.thread_limit == 0 || config.thread_limit > largest_thread_limit)
    fail(COMET_ERROR_ARGUMENT, 0, "a thread limit of %llu is not possible; it is from 1 to %llu", wide(config.thread_limit), wide(largest_thread_limit));
  return config;
}

comet_config complete(const comet_config* given) {
  comet_config config = COMET_CONFIG_INIT;
  if (given != nullptr) {
    if (given->size < sizeof(size_t))
      fail(COMET_ERROR_ARGUMENT, 0, "config has size %zu; begin with COMET_CONFIG_INIT", given->size);
    std::memcpy(static_cast<void*>(&config), given, std::min(given->size, sizeof config));
    config.size = sizeof config;
  }
  return checked(config);
}

HostMemory host_memory(const comet_allocator* given) {
  comet_allocator allocator = COMET_ALLOCATOR_INIT;
  if (given == nullptr) return HostMemory();
  if (given->size < offsetof(comet_allocator, zeroed)) // half a pointer is none
    fail(COMET_ERROR_ARGUMENT, 0, "allocator has size %zu; begin with COMET_ALLOCATOR_INIT", given->size);
  std::memcpy(static_cast<void*>(&allocator), given, std::min(given->size, sizeof allocator));
  if (allocator.allocate == nullptr || allocator.release == nullptr)
    fail(COMET_ERROR_ARGUMENT, 0, "an allocator has both allocate and release; set them, or pass NULL for the system's memory");
  return HostMemory(allocator);
}

comet_limits limits_of(const comet_machine& machine) {
  const comet_config& config = machine.config();
  const HostState& host = machine.host_state;
  return {sizeof(comet_limits), config.memory_limit, config.register_limit, config.call_depth_limit, host.output_left,
          host.stop_for_memory ? 1 : 0};
}

uint64_t* register_place(const Thread& thread, uint64_t level, uint64_t index) {
  if (level >= thread.depth())
    fail(COMET_ERROR_ARGUMENT, 0, "there is no activation %llu; the thread has %llu, counted from 0", wide(level), wide(thread.depth()));
  return thread.register_at(level, index);
}

comet_standing standing_of(const ThreadStatus& status) {
  if (status.result) return COMET_ENDED;
  switch (status.wait.what) {
    case Wait::For::nothing: break;
    case Wait::For::address: return COMET_WAITS_FOR_ADDRESS;
    case Wait::For::thread: return COMET_WAITS_FOR_THREAD;
    case Wait::For::event: return COMET_WAITS_FOR_EVENT;
  }
  return COMET_RUNNABLE;
}

void require_thread_register(uint32_t index) {
  if (index >= COMET_THREAD_REGISTERS)
    fail(COMET_ERROR_ARGUMENT, 0, "there is no thread register %u; they are 0 to %d", index, COMET_THREAD_REGISTERS - 1);
}

} // namespace

const char* comet_version(void) { return COMET_VERSION_STRING; }

const char* comet_status_name(comet_status status) {
  switch (status) {
    case COMET_OK: return "no error";
    case COMET_ERROR_ARGUMENT: return "bad argument";
    case COMET_ERROR_MEMORY: return "out of memory";
    case COMET_ERROR_ADDRESS: return "bad address";
    case COMET_ERROR_FORMAT: return "bad format";
    case COMET_ERROR_CAPABILITY: return "missing capability";
    case COMET_ERROR_STATE: return "not possible now";
    case COMET_ERROR_SYSTEM: return "system error";
  }
  return "unknown status";
}

comet_status comet_machine_new(const comet_config* config, comet_machine** machine, comet_error* error) {
  return comet_machine_new_with(config, nullptr, machine, error);
}

comet_status comet_machine_new_with(const comet_config* config, const comet_allocator* allocator, comet_machine** machine,
                                    comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    *machine = new comet_machine(complete(config), host_memory(allocator));
  });
}

void comet_machine_free(comet_machine* machine) {
  if (machine != nullptr && machine->runs()) machine->freed = true; // by a callback: guard_run frees it
  else delete machine;
}

comet_status comet_machine_reset(comet_machine* machine, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    machine->reset();
  });
}

comet_status comet_machine_config(const comet_machine* machine, comet_config* config, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    give(config, machine->config(), "config");
  });
}

comet_status comet_get_limits(const comet_machine* machine, comet_limits* limits, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    give(limits, limits_of(*machine), "limits");
  });
}

comet_status comet_set_limits(comet_machine* machine, const comet_limits* limits, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    require(limits, "limits");
    require_size(limits->size, "limits");
    comet_limits wanted = limits_of(*machine);
    std::memcpy(static_cast<void*>(&wanted), limits, std::min(limits->size, sizeof wanted));
    comet_config config = machine->config();
    config.memory_limit = wanted.memory;
    config.register_limit = wanted.registers;
    config.call_depth_limit = wanted.call_depth;
    machine->set_limits(checked(config));
    machine->host_state.output_left = wanted.output;
    machine->host_state.stop_for_memory = wanted.stop_for_memory != 0;
  });
}

void comet_set_log(comet_machine* machine, comet_log log, void* data) {
  if (machine == nullptr) return;
  machine->log = log;
  machine->log_data = data;
  if (machine->config().window != 0 && machine->space(0).memory.window_bytes() == 0)
    machine->tell("the host gives no window, so memory is reached by the page table alone, which is slow");
}

// ---- memory

comet_status comet_machine_statistics(const comet_machine* machine, comet_statistics* statistics, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    comet_statistics value = COMET_STATISTICS_INIT;
    value.decoded_limit = CodeCache::byte_limit;
    for (const auto& [id, space] : machine->spaces()) {
      value.decoded_instructions += space->code.decoded_count();
      value.decoded_bytes += space->code.bytes();
      value.decoded_drops += space->code.dropped_count();
    }
    value.mapped_bytes = machine->mapped_bytes();
    value.spaces = machine->spaces().size();
    value.threads = machine->thread_count();
    value.snapshots = machine->snapshot_count();
    value.output_bytes = machine->host_state.output_bytes;
    give(statistics, value, "statistics");
  });
}

comet_status comet_space_new(comet_machine* machine, comet_space* space, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    require(space, "space");
    *space = machine->new_space();
    machine->note_other_change();
  });
}

comet_status comet_space_free(comet_machine* machine, comet_space space, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    machine->free_space(space);
    machine->note_other_change();
  });
}

comet_status comet_map(comet_machine* machine, comet_space space, uint64_t address, uint64_t length, int protection,
                       comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    require_range(address, length);
    require_protection(protection);
    machine->space(space).memory.map(address, length, static_cast<std::uint8_t>(protection));
    machine->note_change({.kind = Change::Kind::map, .access = static_cast<std::uint8_t>(protection), .where = space, .address = address, .length = length});
  });
}

comet_status comet_unmap(comet_machine* machine, comet_space space, uint64_t address, uint64_t length,
                         comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    require_range(address, length);
    machine->space(space).memory.unmap(address, length);
    machine->note_change({.kind = Change::Kind::unmap, .where = space, .address = address, .length = length});
  });
}

comet_status comet_protect(comet_machine* machine, comet_space space, uint64_t address, uint64_t length,
                           int protection, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    require_range(address, length);
    require_protection(protection);
    machine->space(space).memory.protect(address, length, static_cast<std::uint8_t>(protection));
    machine->note_change({.kind = Change::Kind::protect, .access = static_cast<std::uint8_t>(protection), .where = space, .address = address, .length = length});
  });
}

comet_status comet_share(comet_machine* machine, comet_space space, uint64_t address, uint64_t length, comet_space with,
                         uint64_t at, int protection, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    require_range(address, length);
    require_range(at, length);
    require_protection(protection);
    require_pages(address, length);
    require_pages(at, length);
    machine->share(space, address, length, with, at, static_cast<std::uint8_t>(protection));
    machine->note_other_change();
  });
}

comet_status comet_map_host(comet_machine* machine, comet_space space, uint64_t address, const void* bytes, uint64_t length,
                            int protection, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    if (length != 0) require(bytes, "bytes");
    require_range(address, length);
    require_protection(protection);
    require_pages(address, length);
    AddressSpace& memory = machine->space(space).memory;
    if (const auto region = memory.next_region(address); length != 0 && region && region->first_page << page_bits <= address + (length - 1))
      fail(COMET_ERROR_ARGUMENT, address, "something is mapped from 0x%llx on; unmap it first", wide(address));
    memory.map_host(address >> page_bits, length >> page_bits, static_cast<const std::uint8_t*>(bytes), static_cast<std::uint8_t>(protection));
    machine->note_other_change();
  });
}

comet_status comet_page_get(const comet_machine* machine, comet_space space, uint64_t address, comet_page_info* info,
                            comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    const Space& of = machine->space(space);
    require_mapped(of, address, 1);
    const auto region = of.memory.next_region(address);
    const Block* const block = of.memory.shared_block(address >> page_bits);
    comet_page_info value = COMET_PAGE_INFO_INIT;
    value.protection = region->protection;
    value.spaces = 1;
    if (block != nullptr) // a snapshot may hold spaces besides
      value.spaces = static_cast<uint32_t>(std::count_if(machine->spaces().begin(), machine->spaces().end(), [&](const auto& entry) {
        return std::any_of(block->places.begin(), block->places.end(), [&](const Block::Place& place) { return place.space == &entry.second->memory; });
      }));
    value.of_host = of.memory.shows_host(address >> page_bits) ? 1 : 0;
    give(info, value, "info");
  });
}

comet_status comet_next_region(const comet_machine* machine, comet_space space, uint64_t from, comet_region* region,
                               comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    const auto found = machine->space(space).memory.next_region(from);
    if (!found) fail(COMET_ERROR_ADDRESS, from, "nothing is mapped at or behind 0x%llx", wide(from));
    give(region, comet_region{sizeof(comet_region), found->first_page << page_bits, found->page_count << page_bits, found->protection}, "region");
  });
}

comet_status comet_read(const comet_machine* machine, comet_space space, uint64_t address, void* buffer,
                        size_t length, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    if (length != 0) require(buffer, "buffer");
    require_range(address, length);
    const Space& from = machine->space(space);
    require_mapped(from, address, length);
    from.memory.read(address, buffer, length);
  });
}

comet_status comet_write(comet_machine* machine, comet_space space, uint64_t address, const void* bytes,
                         size_t length, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    if (length != 0) require(bytes, "bytes");
    require_range(address, length);
    Space& to = machine->space(space);
    require_mapped(to, address, length);
    const std::uint8_t access = machine->serves_host_call(space) ? protection_write : 0;
    if (access != 0) to.memory.note_access(address, length, access);
    to.memory.write(address, bytes, length);
    machine->note_change({.kind = Change::Kind::write, .access = access, .where = space, .address = address, .length = length}, bytes);
  });
}

// ---- threads and registers

comet_status comet_thread_new(comet_machine* machine, comet_space space, uint64_t pc, comet_thread* thread,
                              comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    require(thread, "thread");
    *thread = machine->new_thread(space, pc);
    machine->note_other_change();
  });
}

comet_status comet_thread_free(comet_machine* machine, comet_thread thread, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    machine->free_thread(thread);
    machine->note_other_change();
  });
}

comet_status comet_next_thread(const comet_machine* machine, comet_thread from, comet_thread* thread, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    require(thread, "thread");
    *thread = machine->next_thread(from);
  });
}

comet_status comet_thread_get(const comet_machine* machine, comet_thread thread, comet_thread_info* info,
                              comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    const Thread& of = machine->thread(thread);
    const uint64_t used = of.used_registers(machine->space(of.space).code.highest_register());
    comet_thread_info value = COMET_THREAD_INFO_INIT;
    value.space = of.space;
    value.pc = of.pc;
    value.instruction_count = of.instruction_count;
    value.activations = of.depth();
    value.window = of.window_index();
    value.registers = used > value.window ? used - value.window : 0;
    value.standing = standing_of(of.status);
    value.place = of.status.result.value_or(of.status.wait.place);
    value.handlers = static_cast<uint32_t>(of.status.interruptions.size());
    give(info, value, "info");
  });
}

comet_status comet_set_pc(comet_machine* machine, comet_thread thread, uint64_t pc, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    Thread& of = machine->thread(thread);
    of.pc = pc;
    of.status.wait = {};
    of.status.answer.reset();
    of.pending_call.reset();
    of.failed_call.reset();
    machine->timeline.abandon(thread);
    machine->note_other_change();
  });
}

comet_status comet_thread_restart(comet_machine* machine, comet_thread thread, uint64_t pc, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    Thread& restarted = machine->thread(thread);
    // The run that is under way counts by what its threads, all of them where they take turns, have executed.
    if (restarted.running || machine->schedule().begun) machine->require_no_run("restart this thread");
    restarted.restart(pc);
    machine->timeline.abandon(thread);
    machine->note_other_change();
  });
}

comet_status comet_get_register(const comet_machine* machine, comet_thread thread, uint64_t level, uint64_t index,
                                uint64_t* value, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    require(value, "value");
    const uint64_t* place = register_place(machine->thread(thread), level, index);
    *value = place == nullptr || index == 0 ? 0 : *place;
  });
}

comet_status comet_set_register(comet_machine* machine, comet_thread thread, uint64_t level, uint64_t index,
                                uint64_t value, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    Thread& of = machine->thread(thread);
    uint64_t* const place = register_place(of, level, index);
    if (index == 0) fail(COMET_ERROR_ARGUMENT, 0, "register 0 is always 0 and cannot be set");
    if (place == nullptr)
      fail(COMET_ERROR_ARGUMENT, 0, "register %llu lies beyond the register stack; raise register_limit", wide(index));
    for (uint64_t inner = 0; inner < level; ++inner)
      if (of.window_at(inner) == place)
        fail(COMET_ERROR_ARGUMENT, 0, "register %llu of activation %llu is register 0 of activation %llu, which is always 0 and cannot be set",
             wide(index), wide(level), wide(inner));
    of.write(place, value);
    machine->note_change({.kind = Change::Kind::set_register, .where = thread, .address = index, .length = level, .value = value});
  });
}

comet_status comet_get_thread_register(const comet_machine* machine, comet_thread thread, uint32_t index,
                                       uint64_t* value, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    require(value, "value");
    require_thread_register(index);
    *value = machine->thread(thread).thread_registers[index];
  });
}

comet_status comet_set_thread_register(comet_machine* machine, comet_thread thread, uint32_t index, uint64_t value,
                                       comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    require_thread_register(index);
    machine->thread(thread).thread_registers[index] = value;
    machine->note_change({.kind = Change::Kind::set_thread_register, .where = thread, .address = index, .value = value});
  });
}

comet_status comet_get_activation(const comet_machine* machine, comet_thread thread, uint64_t level,
                                  comet_activation* activation, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    const Thread& of = machine->thread(thread);
    if (level >= of.depth())
      fail(COMET_ERROR_ARGUMENT, 0, "there is no activation %llu; the thread has %llu, counted from 0", wide(level), wide(of.depth()));
    comet_activation value = COMET_ACTIVATION_INIT;
    value.function = (of.top - level)->function;
    value.window = static_cast<uint64_t>(of.window_at(level) - of.registers.data());
    value.pc = of.pc;
    if (level != 0) {
      value.pc = machine->space(of.space).code.return_address(*(of.top - (level - 1)));
    }
    give(activation, value, "activation");
  });
}
