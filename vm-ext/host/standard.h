// The standard host calls, in groups: what they take and give is in README.md.
#pragma once

#include <string_view>

#include "host_table.h"

namespace comet {

// Grants or revokes every call of a group: "exit", "streams", "arguments", "clock", "random", "memory", "files". False
// when there is no such group; then nothing is changed.
bool grant_standard(HostTable& table, std::string_view group);
bool revoke_standard(HostTable& table, std::string_view group);

// What a new machine has: exit, streams, arguments, memory, files.
void grant_default(HostTable& table);

}  // namespace comet
