#include "statistics.h"

#include <cinttypes>

#include "text.h"

namespace comet::runner {
namespace {

// Pages that are mapped, in the space that the program runs in.
uint64_t mapped_pages(const comet_machine* machine) {
  uint64_t pages = 0;
  comet_region region = COMET_REGION_INIT;
  for (uint64_t from = 0; comet_next_region(machine, 0, from, &region, nullptr) == COMET_OK;) {
    pages += region.length / COMET_PAGE_SIZE;
    from = region.address + region.length;
    if (from == 0) break;
  }
  return pages;
}

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

std::string statistics(const comet_machine* machine, const comet_stop& stop, int status, double seconds) {
  comet_statistics decoded = COMET_STATISTICS_INIT;
  comet_machine_statistics(machine, &decoded, nullptr);
  const uint64_t pages = mapped_pages(machine);
  comet_schedule schedule = COMET_SCHEDULE_INIT;
  comet_schedule_get(machine, &schedule, nullptr);
  return "{\n  \"reason\": " + json_text(comet_reason_name(stop.reason)) +
         text(",\n  \"status\": %d,\n  \"pc\": \"0x%" PRIx64 "\",\n  \"trap\": ", status, stop.pc) + trap(stop) +
         text(",\n  \"instructions\": %" PRIu64 ",\n  \"seconds\": %.6f,\n", schedule.instruction_count, seconds) +
         text("  \"memory\": {\"pages\": %" PRIu64 ", \"bytes\": %" PRIu64 "},\n", pages, pages * COMET_PAGE_SIZE) +
         text("  \"decoded\": {\"instructions\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"drops\": %" PRIu64 "},\n",
              decoded.decoded_instructions, decoded.decoded_bytes, decoded.decoded_drops) +
         "  \"host_calls\": {" + host_calls(machine) + "}\n}\n";
}

}  // namespace comet::runner
