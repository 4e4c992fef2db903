// The host calls that a machine was given, and the list of names by which its program asks for them.
//
// Two tables meet here. Grants map a name to what serves it; they belong to the embedder. The import list
// maps the index in `hcall base, index` to a name; it belongs to the program and is part of the machine's
// state. An index is served when its name is granted, whichever came first.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../comet.h"

namespace comet {

// What serves a granted host call. `function` is null where every call is left to the embedder.
struct HostCall {
  comet_host_function function = nullptr;
  void* data = nullptr;
  std::shared_ptr<void> owned{};    // releases the data when the last machine that has the grant loses it
  std::string signature{};          // valid_signature
  uint64_t fuel = 0;                // that a call costs besides its instruction
  uint64_t quota = COMET_UNLIMITED; // calls in all that may be made
  uint64_t calls = 0;               // so far; those that the timeline's log answers are not among them
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
  // Null when it is not granted.
  const HostCall* granted_call(std::string_view name) const;
  HostCall* granted_call(std::string_view name) { return const_cast<HostCall*>(std::as_const(*this).granted_call(name)); }
  // False when it was not granted.
  bool revoke(std::string_view name);
  // Grants what `other` grants, and nothing else. What is left of quotas is left here too; nothing was called yet.
  void grant_as(const HostTable& other);
  bool granted(std::string_view name) const { return grants_.find(name) != grants_.end(); }

  // The index of a name in the import list, which it joins when it is new. The name must be valid.
  uint32_t import(std::string_view name);
  const std::vector<std::string>& imports() const { return imports_; }
  // Replaces the whole list: an empty one for a reset, an older one for a snapshot.
  void set_imports(std::vector<std::string> names);

  // What serves an index; null when the index is beyond the list or its name is not granted. One bounds
  // check and one load; valid until the next grant, revoke or change of the list.
  HostCall* find(uint64_t index) const {
    // beyond tests: a run asks before how many there are
    return index < resolved_.size() ? resolved_[static_cast<size_t>(index)] : nullptr;
  }

 private:
  void resolve_all();

  std::map<std::string, HostCall, std::less<>> grants_;
  std::vector<std::string> imports_;
  std::vector<HostCall*> resolved_;  // by import index
};

}  // namespace comet
