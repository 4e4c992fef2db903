#include "timeline.h"

#include <algorithm>
#include <new>

namespace comet {
namespace {

std::size_t size_of(const LoggedCall& call) {
  std::size_t bytes = sizeof call;
  for (const Change& change : call.changes) bytes += sizeof change + change.bytes.size();
  return bytes;
}

// Whether a host call only looks at what comes behind the bytes that it looked at last.
bool goes_on(const Change& last, const Change& next) {
  // beyond tests: all that a thread accesses is in one space
  return last.kind == Change::Kind::access && next.kind == Change::Kind::access && last.where == next.where &&
         last.access == next.access && last.address + last.length == next.address;
}

bool before(const std::shared_ptr<const LoggedCall>& call, std::uint64_t count) { return call->count < count; }

} // namespace

void Timeline::count_change() {
  ++changes_;
  if (listener) listener->changed();
}

void Timeline::start(std::uint64_t byte_limit) {
  begin_anew();
  recording_ = true;
  byte_limit_ = byte_limit;
  changes_ = 0;
}

void Timeline::stop() {
  clear();
  recording_ = false;
}

void Timeline::clear() {
  begin_anew();
  for (auto& [id, logs] : kept_) forget(logs);
  kept_.clear();
}

void Timeline::begin_anew() {
  if (listener) listener->changed();
  forget(logs_);
  open_.clear();
}

void Timeline::forget(Entry& entry) noexcept {
  if (entry.use_count() == 1) bytes_ -= entry->bytes;
  entry.reset();
}

void Timeline::forget(Logs& logs) noexcept {
  for (auto& [thread, log] : logs.threads)
    for (Entry& entry : log.calls) forget(entry);
  logs = {};
}

// ---- recording --------------------------------------------------------------------------------------

void Timeline::open(comet_thread thread, std::uint64_t count, std::uint64_t index, std::uint64_t total) {
  open_.push_back({thread, false, LoggedCall{count, index, {}, {}, {}, {}, total}});
}

bool Timeline::note(const Change& change, const void* bytes, std::optional<comet_thread> of) noexcept {
  const auto found = std::find_if(open_.rbegin(), open_.rend(), [&](const OpenCall& open) { return !of || open.thread == *of; });
  if (found == open_.rend()) return false;
  OpenCall& open = *found;
  std::vector<Change>& changes = open.call.changes;
  try {
    if (!changes.empty() && goes_on(changes.back(), change)) {
      changes.back().length += change.length;
      return true;
    }
    changes.push_back(change);
    if (change.kind != Change::Kind::write) return true;
    const auto* const begin = static_cast<const std::uint8_t*>(bytes);
    changes.back().bytes.assign(begin, begin + change.length);
  } catch (const std::bad_alloc&) {
    open.lost = true;
  }
  return true;
}

void Timeline::finish(comet_thread thread, std::optional<std::uint64_t> result,
                      std::optional<std::int64_t> exit_status, std::optional<Random> random) {
  const auto found = std::find_if(open_.begin(), open_.end(), [&](const OpenCall& open) { return open.thread == thread; });
  if (found == open_.end()) return;
  OpenCall open = std::move(*found);
  open_.erase(found);
  LoggedCall& call = open.call;
  call.result = result;
  call.exit_status = exit_status;
  call.random = random;
  call.sequence = next_sequence_++;
  call.bytes = size_of(call);
  const std::size_t bytes = call.bytes;
  const std::uint64_t count = call.count, total = call.total;
  if (listener) {
    // beyond tests: the host's memory has to end within a call that is being recorded
    if (open.lost) listener->changed();
    else listener->finished(thread, call);
  }
  try {
    if (!open.lost) { // beyond tests: the host's memory has to end within the call
      logs_.threads[thread].calls.push_back(std::make_shared<const LoggedCall>(std::move(call)));
      bytes_ += bytes;
    }
  } catch (const std::bad_alloc&) {
    open.lost = true;
  }
  if (open.lost) lose_all_until(thread, count, total);
  keep_within_limit();
}

void Timeline::abandon(comet_thread thread) {
  const auto found = std::find_if(open_.begin(), open_.end(), [&](const OpenCall& open) { return open.thread == thread; });
  if (found == open_.end()) return;
  const bool changed = std::any_of(found->call.changes.begin(), found->call.changes.end(),
                                   [](const Change& change) { return change.kind != Change::Kind::access; });
  open_.erase(found);
  if (changed) count_change();
}

void Timeline::keep_within_limit() {
  while (bytes_ > byte_limit_) {
    Log* oldest = nullptr;
    Logs* among = nullptr;
    const auto look = [&](Logs& logs) {
      for (auto& [thread, log] : logs.threads) {
        if (log.calls.empty() || (oldest != nullptr && log.calls.front()->sequence >= oldest->calls.front()->sequence)) continue;
        oldest = &log;
        among = &logs;
      }
    };
    look(logs_);
    for (auto& [id, logs] : kept_) look(logs);
    oldest->begin = oldest->calls.front()->count + 1;
    among->begin = std::max(among->begin, oldest->calls.front()->total + 1);
    forget(oldest->calls.front());
    oldest->calls.pop_front();
  }
}

void Timeline::lose_all_until(comet_thread thread, std::uint64_t count, std::uint64_t total) {
  const auto found = logs_.threads.find(thread);
  if (found == logs_.threads.end()) return;
  Log& log = found->second;
  logs_.begin = std::max(logs_.begin, total + 1);
  for (Entry& entry : log.calls) forget(entry); // beyond tests: the host's memory has to end within a later call
  log.calls.clear();
  log.begin = count + 1;
}

// ---- going back and forth ---------------------------------------------------------------------------

bool Timeline::forgotten(comet_thread thread, std::uint64_t count) const { return count < begin(thread); }

const LoggedCall* Timeline::find(comet_thread thread, std::uint64_t count, std::uint64_t index, std::uint64_t total) {
  const auto found = logs_.threads.find(thread);
  if (found == logs_.threads.end()) return nullptr;
  const auto& calls = found->second.calls;
  if (calls.empty() || calls.back()->count < count) return nullptr;
  const LoggedCall& call = **std::lower_bound(calls.begin(), calls.end(), count, before);
  // beyond tests: another index at that count takes a forged log
  if (call.count == count && call.index == index) return &call;
  cut(thread, count, total);
  return nullptr;
}

const LoggedCall* Timeline::next_arrival(std::uint64_t total) const {
  const auto found = logs_.threads.find(COMET_EVERY_THREAD);
  if (!recording_ || found == logs_.threads.end()) return nullptr;
  const auto& calls = found->second.calls;
  const auto next = std::lower_bound(calls.begin(), calls.end(), total, before);
  return next == calls.end() ? nullptr : next->get();
}

bool Timeline::arrivals_forgotten(std::uint64_t total) const {
  const auto found = logs_.threads.find(COMET_EVERY_THREAD);
  return recording_ && found != logs_.threads.end() && total < found->second.begin;
}

void Timeline::cut(comet_thread thread, std::uint64_t count, std::uint64_t total) {
  logs_.begin = std::min(logs_.begin, total);
  logs_.known_to = std::min(logs_.known_to, total);
  const auto found = logs_.threads.find(thread);
  if (found == logs_.threads.end()) return;
  Log& log = found->second;
  while (!log.calls.empty() && log.calls.back()->count >= count) {
    forget(log.calls.back());
    log.calls.pop_back();
  }
  log.begin = std::min(log.begin, count);
}

std::uint32_t Timeline::keep() {
  kept_.emplace(next_kept_, logs_);
  return next_kept_++;
}

bool Timeline::resume(std::uint32_t id) {
  const auto found = kept_.find(id);
  if (found == kept_.end()) return false;
  Logs logs = found->second;
  begin_anew();
  logs_ = std::move(logs);
  return true;
}

bool Timeline::drop(std::uint32_t id) {
  const auto found = kept_.find(id);
  if (found == kept_.end()) return false;
  forget(found->second);
  kept_.erase(found);
  return true;
}

void Timeline::start_with(const std::map<comet_thread, std::vector<LoggedCall>>& calls, std::uint64_t known_to,
                          std::uint64_t byte_limit) {
  Logs logs;
  std::uint64_t bytes = 0;
  for (const auto& [thread, list] : calls) {
    for (const LoggedCall& call : list) {
      const auto entry = std::make_shared<LoggedCall>(call);
      bytes += entry->bytes = size_of(call);
      logs.threads[thread].calls.push_back(entry);
    }
  }
  clear();
  start(std::max(byte_limit, bytes));
  logs_ = std::move(logs);
  logs_.known_to = known_to;
  bytes_ = bytes;
}

std::uint64_t Timeline::entries() const {
  std::uint64_t entries = 0;
  for (const auto& [thread, log] : logs_.threads) entries += log.calls.size();
  return entries;
}

std::uint64_t Timeline::begin(comet_thread thread) const {
  if (thread == COMET_EVERY_THREAD) return logs_.begin;
  const auto found = logs_.threads.find(thread);
  return found == logs_.threads.end() ? 0 : found->second.begin;
}

std::uint64_t Timeline::end(comet_thread thread) const {
  std::uint64_t end = 0;
  for (const auto& [id, log] : logs_.threads) {
    if (log.calls.empty()) continue;
    if (thread == COMET_EVERY_THREAD) end = std::max(end, log.calls.back()->total + 1);
    else if (thread == id) end = log.calls.back()->count + 1;
  }
  return end;
}

} // namespace comet
