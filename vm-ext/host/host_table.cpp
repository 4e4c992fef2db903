#include "host_table.h"

#include <algorithm>

namespace comet {

bool valid_host_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  };
  return !name.empty() && name.size() <= 63 && std::all_of(name.begin(), name.end(), allowed);
}

void HostTable::grant(std::string_view name, HostCall call) {
  const auto found = grants_.find(name);
  if (found != grants_.end()) {
    found->second = std::move(call);
    return;
  }
  grants_.emplace(std::string(name), std::move(call));
  resolve_all();
}

bool HostTable::revoke(std::string_view name) {
  const auto found = grants_.find(name);
  if (found == grants_.end()) return false;
  grants_.erase(found);
  resolve_all();
  return true;
}

void HostTable::grant_as(const HostTable& other) {
  grants_ = other.grants_;
  for (auto& [name, call] : grants_) {
    if (call.quota != COMET_UNLIMITED) call.quota -= call.calls;
    call.calls = 0;
  }
  resolve_all();
}

uint32_t HostTable::import(std::string_view name) {
  const auto found = std::find(imports_.begin(), imports_.end(), name);
  if (found != imports_.end()) return static_cast<uint32_t>(found - imports_.begin());
  resolved_.push_back(granted_call(name));
  try {
    imports_.emplace_back(name);
  } catch (...) {
    resolved_.pop_back();
    throw;
  }
  return static_cast<uint32_t>(imports_.size() - 1);
}

void HostTable::set_imports(std::vector<std::string> names) {
  std::vector<HostCall*> resolved(names.size());
  imports_ = std::move(names);
  resolved_ = std::move(resolved);
  resolve_all();
}

const HostCall* HostTable::granted_call(std::string_view name) const {
  const auto found = grants_.find(name);
  return found == grants_.end() ? nullptr : &found->second;
}

void HostTable::resolve_all() {
  for (size_t index = 0; index < imports_.size(); ++index) resolved_[index] = granted_call(imports_[index]);
}

}  // namespace comet
