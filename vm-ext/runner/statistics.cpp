#include "statistics.h"

#include <cinttypes>

#include "text.h"

namespace comet::runner {
namespace {

std::string host_calls(const comet_machine* machine) {
  std::string result;
  for (uint32_t index = 0; const char* name = comet_host_import_name(machine, index); ++index) {
    comet_grant_info grant = COMET_GRANT_INFO_INIT;
    comet_host_granted(machine, name, &grant, nullptr);
    result += (result.empty() ? "" : ", ") + json_text(name) + text(": %" PRIu64, grant.calls);
  }
  return result;
}

std::string trap(const comet_stop& stop) {
  if (stop.reason != COMET_TRAP) return "null";
  return "{\"kind\": " + json_text(comet_trap_name(stop.trap)) +
         text(", \"address\": \"0x%" PRIx64 "\", \"message\": ", stop.address) + json_text(stop.message) + "}";
}

}  // namespace

std::string statistics(const comet_machine* machine, const comet_stop& stop, const Outcome& outcome) {
  comet_statistics all = COMET_STATISTICS_INIT;
  comet_machine_statistics(machine, &all, nullptr);
  comet_schedule schedule = COMET_SCHEDULE_INIT;
  comet_schedule_get(machine, &schedule, nullptr);
  const auto yes = [](bool fence) { return fence ? "true" : "false"; };
  return "{\n  \"reason\": " + json_text(comet_reason_name(stop.reason)) +
         text(",\n  \"status\": %d,\n  \"pc\": \"0x%" PRIx64 "\",\n  \"trap\": ", outcome.status, stop.pc) + trap(stop) +
         text(",\n  \"instructions\": %" PRIu64 ",\n  \"fuel\": %" PRIu64 ",\n  \"seconds\": %.6f,\n",
              schedule.instruction_count, outcome.fuel, outcome.seconds) +
         text("  \"memory\": {\"pages\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"spaces\": %" PRIu64 "},\n",
              all.mapped_bytes / COMET_PAGE_SIZE, all.mapped_bytes, all.spaces) +
         text("  \"threads\": %" PRIu64 ",\n  \"output\": %" PRIu64 ",\n", all.threads, all.output_bytes) +
         text("  \"decoded\": {\"instructions\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"drops\": %" PRIu64 "},\n",
              all.decoded_instructions, all.decoded_bytes, all.decoded_drops) +
         text("  \"fences\": {\"seccomp\": %s, \"landlock\": %s},\n", yes(outcome.fences.seccomp), yes(outcome.fences.landlock)) +
         "  \"host_calls\": {" + host_calls(machine) + "}\n}\n";
}

}  // namespace comet::runner
