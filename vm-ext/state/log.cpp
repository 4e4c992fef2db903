#include "log.h"

#include <cinttypes>

#include "format.h"

namespace comet {
namespace {

enum Flag : uint8_t { has_result = 1, has_exit_status = 2, has_random = 4, has_total = 8 };
constexpr uint8_t all_flags = has_result | has_exit_status | has_random | has_total;
constexpr uint8_t all_protections = COMET_READ | COMET_WRITE | COMET_EXECUTE;

using Kind = Change::Kind;

void put_change(Payload& payload, const Change& change) {
  payload.put(static_cast<uint64_t>(change.kind), 1);
  payload.put(change.access, 1);
  payload.put_leb(change.where);
  payload.put_leb(change.address);
  if (change.kind != Kind::set_thread_register && change.kind != Kind::event) payload.put_leb(change.length);
  if (change.kind == Kind::write) payload.put_bytes(change.bytes.data(), change.bytes.size());
  if (change.kind == Kind::set_register || change.kind == Kind::set_thread_register || change.kind == Kind::event)
    payload.put_leb(change.value);
}

Change take_change(Fields& fields) {
  const uint64_t at = fields.offset();
  Change change{};
  const uint64_t kind = fields.take(1, "a change's kind");
  if (kind > static_cast<uint64_t>(Kind::event))
    fields.fail_at(at, "there is no kind %" PRIu64 " of changes", kind);
  change.kind = static_cast<Kind>(kind);
  change.access = static_cast<uint8_t>(fields.take(1, "a change's access"));
  const uint64_t where = fields.take_leb("a change's space or thread");
  change.where = static_cast<uint32_t>(where);
  change.address = fields.take_leb("a change's address");
  const bool memory = change.kind != Kind::set_register && change.kind != Kind::set_thread_register && change.kind != Kind::event;
  if (memory || change.kind == Kind::set_register) change.length = fields.take_leb("a change's length");
  if (change.kind == Kind::write) {
    const uint8_t* bytes = fields.take_bytes(change.length, "written bytes");
    change.bytes.assign(bytes, bytes + change.length);
  }
  if (!memory) change.value = fields.take_leb("a register's value");

  const bool wraps = memory && change.length != 0 && change.address + (change.length - 1) < change.address;
  const bool no_register =
      (change.kind == Kind::set_register && change.address == 0) ||
      (change.kind == Kind::set_thread_register && change.address >= COMET_THREAD_REGISTERS);
  if (where > UINT32_MAX || change.access > all_protections || wraps || no_register)
    fields.fail_at(at, "no host call can make such a change");
  return change;
}

}  // namespace

void put_call(Payload& payload, comet_thread thread, uint64_t before, const LoggedCall& call) {
  payload.put_leb(thread);
  payload.put_leb(call.count - before);
  payload.put_leb(call.index);
  payload.put((call.result ? has_result : 0) | (call.exit_status ? has_exit_status : 0) |
                  (call.random ? has_random : 0) | (call.total != call.count ? has_total : 0),
              1);
  if (call.result) payload.put_leb(*call.result);
  if (call.exit_status) payload.put_leb(static_cast<uint64_t>(*call.exit_status));
  if (call.random)
    for (const uint64_t word : call.random->state().value_or(Random::State{})) payload.put(word, 8);
  if (call.total != call.count) payload.put_leb(call.total);
  payload.put_leb(call.changes.size());
  for (const Change& change : call.changes) put_change(payload, change);
}

comet_thread take_call_thread(Fields& fields) {
  const uint64_t at = fields.offset();
  const uint64_t thread = fields.take_leb("a host call's thread");
  if (thread > UINT32_MAX) fields.fail_at(at, "there is no thread %" PRIu64, thread);
  return static_cast<comet_thread>(thread);
}

LoggedCall take_call(Fields& fields, uint64_t before) {
  const uint64_t at = fields.offset();
  LoggedCall call{};
  const uint64_t later = fields.take_leb("a host call's count");
  if (later > UINT64_MAX - 1 - before)
    fields.fail_at(at, "a host call's instruction count has more than 64 bits");
  call.count = before + later;
  call.index = fields.take_leb("a host call's index");
  const uint64_t flags = fields.take(1, "a host call's flags");
  if ((flags & ~uint64_t{all_flags}) != 0) fields.fail_at(at, "a host call has flags that are not known");
  if ((flags & has_result) != 0) call.result = fields.take_leb("a result");
  if ((flags & has_exit_status) != 0)
    call.exit_status = static_cast<int64_t>(fields.take_leb("an exit status"));
  if ((flags & has_random) != 0) {
    Random::State state;
    for (uint64_t& word : state) word = fields.take(8, "the random generator");
    call.random = Random(state);
  }
  call.total = (flags & has_total) != 0 ? fields.take_leb("a count of all threads") : call.count;
  if (call.total < call.count) fields.fail_at(at, "all threads together have executed less than one of them");
  const uint64_t changes = fields.take_count(0, state_format::shortest_change, "changes");
  call.changes.reserve(static_cast<size_t>(changes));
  for (uint64_t i = 0; i < changes; ++i) call.changes.push_back(take_change(fields));
  fields.expect_end();
  return call;
}

}  // namespace comet
