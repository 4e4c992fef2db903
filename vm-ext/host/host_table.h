// The host calls that a machine was given, and the list of names by which its program asks for them.
//
// Two tables meet here. Grants map a name to what serves it; they belong to the embedder. The import list
// maps the index in `hcall base, index` to a name; it belongs to the program and is part of the machine's
// state. An index is served when its name is granted, whichever came first.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "../comet.h"

namespace comet {

// What serves a granted host call. `function` is null where every call is left to the embedder.
struct HostCall {
  comet_host_function function = nullptr;
  void* data = nullptr;
  // It does nothing but what follows from the machine's state, so that it is executed anew where a past is run again.
  bool internal = false;
};

// Names are 1 to 63 letters, digits, `_`, `-`, `.`.
bool valid_host_name(std::string_view name);

class HostTable {
 public:
  HostTable() = default;
  // The cached pointers lead into the grants, so that a copy would serve calls from the original's.
  HostTable(const HostTable&) = delete;
  HostTable& operator=(const HostTable&) = delete;

  // Grants a name, or replaces what serves it. The name must be valid.
  void grant(std::string_view name, HostCall call);
  // False when it was not granted.
  bool revoke(std::string_view name);
  // Grants what `other` grants, and nothing else.
  void grant_as(const HostTable& other);
  bool granted(std::string_view name) const { return grants_.find(name) != grants_.end(); }

  // The index of a name in the import list, which it joins when it is new. The name must be valid.
  uint32_t import(std::string_view name);
  const std::vector<std::string>& imports() const { return imports_; }
  // Replaces the whole list: an empty one for a reset, an older one for a snapshot.
  void set_imports(std::vector<std::string> names);

  // What serves an index; null when the index is beyond the list or its name is not granted. One bounds
  // check and one load; valid until the next grant, revoke or change of the list.
  const HostCall* find(uint64_t index) const {
    return index < resolved_.size() ? resolved_[static_cast<size_t>(index)] : nullptr;
  }

 private:
  const HostCall* resolve(std::string_view name) const;
  void resolve_all();

  std::map<std::string, HostCall, std::less<>> grants_;
  std::vector<std::string> imports_;
  std::vector<const HostCall*> resolved_;  // by import index
};

}  // namespace comet
