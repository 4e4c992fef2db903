// comet.h: host calls, streams, arguments.
#include <algorithm>
#include <cerrno>
#include <cstring>

#include "../host/signature.h"
#include "../host/standard.h"
#include "../isa/isa.h"
#include "../machine/machine.h"
#include "guard.h"

using namespace comet;

namespace {

void require_name(const char* name) {
  require(name, "name");
  if (!valid_host_name(name))
    fail(COMET_ERROR_ARGUMENT, 0, "`%.80s` is no name for a host call; use 1 to 63 letters, digits, `_`, `-`, `.`", name);
}

template <class MachineType>
auto& require_granted(MachineType& machine, const char* name) {
  require_name(name);
  auto* const granted = machine.host.granted_call(name);
  if (granted == nullptr) fail(COMET_ERROR_ARGUMENT, 0, "host call `%s` is not granted", name);
  return *granted;
}

[[noreturn]] void fail_group(const char* group) {
  fail(COMET_ERROR_ARGUMENT, 0,
       "there is no group of host calls `%.80s`; there are exit, streams, arguments, memory, files, threads, events, clock and random",
       group);
}

// Notes in the call what was denied, for the trap that follows.
comet_status deny(comet_call* call, uint64_t address, std::uint8_t kind) {
  call->denied_address = address;
  call->denied_kind = kind;
  return COMET_ERROR_ADDRESS;
}

// What the call did belongs to the timeline, watchpoints included.
void note(comet_machine& machine, comet_thread thread, Change::Kind kind, std::uint8_t access, uint64_t address, uint64_t length,
          const void* bytes) {
  if (length == 0) return;
  const comet_space space = machine.thread(thread).space;
  machine.note_change({.kind = kind, .access = access, .where = space, .address = address, .length = length}, bytes, thread);
}

// What a host call reads and writes where it may: its own doing, for watchpoints and the timeline.
void read_for_call(comet_machine& machine, comet_thread thread, AddressSpace& memory, uint64_t address, void* buffer,
                   size_t length) {
  memory.note_access(address, length, protection_read);
  memory.read(address, buffer, length);
  note(machine, thread, Change::Kind::access, protection_read, address, length, nullptr);
}

void write_for_call(comet_machine& machine, comet_thread thread, AddressSpace& memory, uint64_t address, const void* bytes,
                    size_t length) {
  memory.note_access(address, length, protection_write);
  memory.write(address, bytes, length);
  note(machine, thread, Change::Kind::write, protection_write, address, length, bytes);
}

void require_allowed(const AddressSpace& memory, uint64_t address, uint64_t length, std::uint8_t kind) {
  if (const auto denied = memory.first_denied(address, length, kind))
    fail(COMET_ERROR_ADDRESS, *denied, "the program may not %s at 0x%llx", kind == protection_read ? "read" : "write",
         static_cast<unsigned long long>(*denied));
}

std::vector<std::string> copy_texts(size_t count, const char* const* texts, const char* what) {
  if (count != 0) require(texts, what);
  std::vector<std::string> copied;
  for (size_t i = 0; i < count; ++i) {
    require(texts[i], what);
    copied.emplace_back(texts[i]);
  }
  return copied;
}

} // namespace

namespace comet {

comet_status host_check(comet_call* call, uint64_t address, uint64_t length, int access) {
  const auto kind = static_cast<std::uint8_t>(access);
  const auto denied = call->space->memory.first_denied(address, length, kind);
  return denied ? deny(call, *denied, kind) : COMET_OK;
}

} // namespace comet

uint64_t comet_call_argument(const comet_call* call, unsigned n) {
  if (call == nullptr || uint64_t{n} + 1 >= call->argument_limit) return 0;
  return call->registers[uint64_t{n} + 1];
}

void comet_call_result(comet_call* call, uint64_t value) {
  if (call == nullptr) return;
  call->result = value;
  call->has_result = true;
}

comet_machine* comet_call_machine(const comet_call* call) { return call == nullptr ? nullptr : call->machine; }
comet_thread comet_call_thread(const comet_call* call) { return call == nullptr ? 0 : call->thread; }

comet_status comet_call_fail(comet_call* call, const char* message) {
  const comet_status status = guard(nullptr, [&] {
    require(call, "call");
    call->message = message == nullptr ? "" : message;
  });
  return status == COMET_OK ? COMET_ERROR_ARGUMENT : status;
}

comet_status comet_call_read(comet_call* call, uint64_t address, void* buffer, size_t length) {
  return guard(nullptr, [&] {
    require(call, "call");
    if (length != 0) require(buffer, "buffer");
    if (host_check(call, address, length, COMET_READ) != COMET_OK) fail(COMET_ERROR_ADDRESS, call->denied_address, "denied");
    read_for_call(*call->machine, call->thread, call->space->memory, address, buffer, length);
  });
}

comet_status comet_call_write(comet_call* call, uint64_t address, const void* bytes, size_t length) {
  return guard(nullptr, [&] {
    require(call, "call");
    if (length != 0) require(bytes, "bytes");
    if (host_check(call, address, length, COMET_WRITE) != COMET_OK) fail(COMET_ERROR_ADDRESS, call->denied_address, "denied");
    write_for_call(*call->machine, call->thread, call->space->memory, address, bytes, length);
  });
}

comet_status comet_host_grant(comet_machine* machine, const char* name, comet_host_function function, void* data,
                              comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    require_name(name);
    machine->host.grant(name, HostCall{.function = function, .data = data});
  });
}

comet_status comet_host_grant_with(comet_machine* machine, const char* name, comet_host_function function, void* data,
                                   const comet_grant_options* options, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    require_name(name);
    require(options, "options");
    require_size(options->size, "options");
    comet_grant_options chosen = COMET_GRANT_OPTIONS_INIT;
    std::memcpy(static_cast<void*>(&chosen), options, std::min(options->size, sizeof chosen));
    if (chosen.signature == nullptr) chosen.signature = "";
    if (!valid_signature(chosen.signature))
      fail(COMET_ERROR_ARGUMENT, 0, "`%.80s` is no signature; use words of u64 i64 f64 u32 i32 f32 bytes buffer string", chosen.signature);
    HostCall call{.function = function, .data = data, .signature = chosen.signature, .fuel = chosen.fuel, .quota = chosen.quota};
    // Owned from the moment on when nothing can fail any more.
    struct Owner {
      void (*release)(void*) = nullptr;
      void* data = nullptr;
      ~Owner() { if (release != nullptr) release(data); }
    };
    const auto owner = chosen.release == nullptr ? nullptr : std::make_shared<Owner>();
    call.owned = owner;
    machine->host.grant(name, std::move(call));
    if (owner == nullptr) return;
    owner->data = data;
    owner->release = chosen.release;
  });
}

comet_status comet_host_set_quota(comet_machine* machine, const char* name, uint64_t calls, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    HostCall& granted = require_granted(*machine, name);
    granted.quota = calls > COMET_UNLIMITED - granted.calls ? COMET_UNLIMITED : granted.calls + calls;
  });
}

comet_status comet_host_granted(const comet_machine* machine, const char* name, comet_grant_info* info, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    const HostCall& granted = require_granted(*machine, name);
    const uint64_t left = granted.quota == COMET_UNLIMITED ? COMET_UNLIMITED : granted.quota - granted.calls;
    give(info, comet_grant_info{sizeof(comet_grant_info), granted.signature.c_str(), granted.fuel, granted.calls, left}, "info");
  });
}

comet_status comet_host_revoke(comet_machine* machine, const char* name, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    require_name(name);
    if (!machine->host.revoke(name)) fail(COMET_ERROR_ARGUMENT, 0, "host call `%s` is not granted", name);
  });
}

comet_status comet_host_grant_standard(comet_machine* machine, const char* group, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    require(group, "group");
    if (!grant_standard(machine->host, group)) fail_group(group);
  });
}

comet_status comet_host_revoke_standard(comet_machine* machine, const char* group, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    require(group, "group");
    if (!revoke_standard(machine->host, group)) fail_group(group);
  });
}

comet_status comet_host_import(comet_machine* machine, const char* name, uint32_t* index, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    require_name(name);
    require(index, "index");
    const size_t before = machine->host.imports().size();
    *index = machine->host.import(name);
    if (machine->host.imports().size() != before) machine->note_other_change();
  });
}

const char* comet_host_import_name(const comet_machine* machine, uint32_t index) {
  if (machine == nullptr || index >= machine->host.imports().size()) return nullptr;
  return machine->host.imports()[index].c_str();
}

comet_status comet_host_complete(comet_machine* machine, comet_thread thread, uint64_t result, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    machine->complete_host_call(thread, result);
  });
}

comet_status comet_host_fail(comet_machine* machine, comet_thread thread, const char* message, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    require(message, "message");
    machine->fail_host_call(thread, message);
  });
}

comet_status comet_host_waiting(const comet_machine* machine, comet_thread from, comet_thread* thread, uint32_t* index,
                                comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    require(thread, "thread");
    require(index, "index");
    const auto* const found = machine->next_waiting(from);
    if (found == nullptr) fail(COMET_ERROR_ARGUMENT, 0, "no thread from %u on waits for a host call", from);
    *thread = found->first;
    *index = static_cast<uint32_t>(found->second->pending_call->index);
  });
}

comet_status comet_host_read(comet_machine* machine, comet_thread thread, uint64_t address, void* buffer, size_t length,
                             comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    if (length != 0) require(buffer, "buffer");
    AddressSpace& memory = machine->waiting_space(thread).memory;
    require_allowed(memory, address, length, protection_read);
    read_for_call(*machine, thread, memory, address, buffer, length);
  });
}

comet_status comet_host_write(comet_machine* machine, comet_thread thread, uint64_t address, const void* bytes,
                              size_t length, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    if (length != 0) require(bytes, "bytes");
    AddressSpace& memory = machine->waiting_space(thread).memory;
    require_allowed(memory, address, length, protection_write);
    write_for_call(*machine, thread, memory, address, bytes, length);
  });
}

comet_status comet_host_argument(const comet_machine* machine, comet_thread thread, unsigned n, uint64_t* value,
                                 comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    require(value, "value");
    *value = machine->host_argument(thread, n);
  });
}

comet_status comet_set_stream(comet_machine* machine, unsigned stream, int descriptor, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    if (stream >= machine->host_state.streams.size())
      fail(COMET_ERROR_ARGUMENT, 0, "there is no stream %u; they are 0, 1 and 2", stream);
    if (descriptor < COMET_STREAM_EMBEDDER)
      fail(COMET_ERROR_ARGUMENT, 0, "%d is no descriptor, COMET_STREAM_NONE or COMET_STREAM_EMBEDDER", descriptor);
    machine->host_state.streams[stream] = descriptor;
  });
}

comet_status comet_set_arguments(comet_machine* machine, size_t count, const char* const* arguments,
                                 comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    machine->host_state.arguments = copy_texts(count, arguments, "arguments");
  });
}

comet_status comet_set_environment(comet_machine* machine, size_t count, const char* const* settings,
                                   comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    std::vector<std::string> copied = copy_texts(count, settings, "settings");
    for (const std::string& setting : copied) {
      if (setting.find('=') == 0 || setting.find('=') == setting.npos)
        fail(COMET_ERROR_ARGUMENT, 0, "`%.80s` is no setting of the environment, NAME=VALUE", setting.c_str());
    }
    machine->host_state.environment = std::move(copied);
  });
}

comet_status comet_grant_directory(comet_machine* machine, const char* path, const char* name, int access,
                                   comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    require(path, "path");
    require(name, "name");
    Files& files = machine->host_state.files;
    if (access != COMET_READ && access != (COMET_READ | COMET_WRITE))
      fail(COMET_ERROR_ARGUMENT, 0, "a directory is granted with COMET_READ, or that and COMET_WRITE, not %d", access);
    if (*name == 0 || std::strlen(name) > longest_path)
      fail(COMET_ERROR_ARGUMENT, 0, "the name of a directory has 1 to %zu bytes", longest_path);
    if (files.has(name)) fail(COMET_ERROR_ARGUMENT, 0, "a directory `%.80s` was granted before", name);
    if (files.full()) fail(COMET_ERROR_ARGUMENT, 0, "a machine has at most %zu directories and files", most_files);
    if (!files.grant(path, name, (access & COMET_WRITE) != 0))
      fail(COMET_ERROR_ARGUMENT, 0, "the directory `%.80s` cannot be opened: %s", path, std::strerror(errno));
  });
}

comet_status comet_close_files(comet_machine* machine, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    machine->require_no_run("have its files closed");
    machine->host_state.files = machine->host_state.files.reopened({});
  });
}

void comet_set_random_seed(comet_machine* machine, uint64_t seed) {
  if (machine == nullptr) return;
  machine->host_state.random.seed(seed);
  machine->note_other_change();
}
