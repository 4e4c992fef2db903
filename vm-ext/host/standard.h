// The standard host calls, in groups: what they take and give is in README.md.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "host_table.h"

namespace comet {

struct StandardCall {
  std::string_view group;
  std::string_view name;
  comet_host_function function;
};

extern const std::array<StandardCall, 11> standard_calls;

// Those that do nothing but what follows from the machine's state; implemented by the machine.
constexpr std::size_t internal_call_count = 11;
extern const std::array<StandardCall, internal_call_count> internal_calls;

// Grants or revokes every call of a group: "exit", "streams", "arguments", "clock", "random", "memory", "files",
// "threads", "events". False when there is no such group; then nothing is changed.
bool grant_standard(HostTable& table, std::string_view group);
bool revoke_standard(HostTable& table, std::string_view group);

// What a new machine has: exit, streams, arguments, memory, files, threads, events.
void grant_default(HostTable& table);

}  // namespace comet
