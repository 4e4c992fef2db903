#include "report.h"

#include <algorithm>
#include <cinttypes>
#include <vector>

#include "text.h"

namespace comet::runner {
namespace {

constexpr size_t instructions_before = 5;
constexpr size_t instructions_behind = 3;
constexpr uint64_t search_length = 65536;   // how far before the pc a symbol may lie to decode from it
constexpr size_t longest_instruction = 40;  // four fields of ten bytes
constexpr uint64_t innermost_shown = 12;
constexpr uint64_t outermost_shown = 4;
constexpr uint64_t registers_shown = 64;

// The range around the pc that is worth decoding.
struct CodeRange {
  uint64_t start;
  uint64_t length;
};

// Begins at the symbol or, without one, at the beginning of the section, when that is near; ends some
// instructions behind the pc, and where the section's own bytes end.
CodeRange code_range(const comet_image* image, uint64_t pc) {
  uint64_t start = pc;
  uint64_t behind = (instructions_behind + 1) * longest_instruction;
  comet_section section = COMET_SECTION_INIT;
  for (size_t n = 0; comet_image_section(image, n, &section, nullptr) == COMET_OK; ++n) {
    if (pc - section.address >= section.memory_length) continue;
    start = section.address;
    if (pc - start < section.length) behind = std::min(behind, section.length - (pc - start));
  }
  comet_symbol symbol = COMET_SYMBOL_INIT;
  if (comet_image_symbol_at(image, pc, &symbol, nullptr) == COMET_OK) start = symbol.value;
  if (pc - start > search_length) start = pc;
  return {start, pc - start + behind};
}

// The bytes from `first` on as far as they are mapped without a gap.
std::vector<uint8_t> read_code(const comet_machine* machine, comet_space space, uint64_t first,
                               uint64_t length) {
  std::vector<uint8_t> bytes;
  while (bytes.size() < length) {
    const uint64_t address = first + bytes.size();
    const uint64_t in_page = COMET_PAGE_SIZE - address % COMET_PAGE_SIZE;
    const size_t old_size = bytes.size();
    const size_t count = static_cast<size_t>(std::min<uint64_t>(length - old_size, in_page));
    bytes.resize(old_size + count);
    if (comet_read(machine, space, address, bytes.data() + old_size, count, nullptr) != COMET_OK) {
      bytes.resize(old_size);
      break;
    }
  }
  return bytes;
}

std::string disassembly(const comet_image* image, const comet_machine* machine, comet_space space,
                        uint64_t pc) {
  const auto [start, length] = code_range(image, pc);
  const std::vector<uint8_t> code = read_code(machine, space, start, length);

  // The starts of the instructions from the symbol to the pc. When they miss the pc, data or a jump into an
  // instruction lies between, and what stands before the pc is not known.
  std::vector<size_t> starts;
  const size_t pc_offset = static_cast<size_t>(pc - start);
  char line[256];
  size_t offset = 0;
  while (offset < pc_offset && offset < code.size()) {
    starts.push_back(offset);
    offset += std::max<size_t>(
        1, comet_disassemble(comet_machine_isa(machine), code.data() + offset, code.size() - offset, start + offset, line, sizeof line));
  }
  if (offset != pc_offset) starts.clear();
  if (starts.size() > instructions_before) starts.erase(starts.begin(), starts.end() - instructions_before);

  std::string report;
  const auto show = [&, start = start](size_t at) {
    const size_t shown = comet_disassemble(comet_machine_isa(machine), code.data() + at, code.size() - at, start + at, line, sizeof line);
    report += text("%s 0x%08" PRIx64 "  %s\n", at == pc_offset ? "=>" : "  ", start + at, line);
    return shown;
  };
  for (const size_t at : starts) show(at);
  size_t at = pc_offset;
  for (size_t i = 0; i <= instructions_behind && at < code.size(); ++i) {
    at += show(at);
  }
  if (report.empty()) report = text("=> 0x%08" PRIx64 "  (nothing is mapped here)\n", pc);
  return report;
}

std::string activations(const comet_image* image, const comet_machine* machine, comet_thread thread,
                        uint64_t count) {
  std::string report;
  for (uint64_t level = 0; level < count; ++level) {
    if (level == innermost_shown && count > innermost_shown + outermost_shown) {
      report += text("  (and %" PRIu64 " more)\n", count - innermost_shown - outermost_shown);
      level = count - outermost_shown;
    }
    comet_activation activation = COMET_ACTIVATION_INIT;
    if (comet_get_activation(machine, thread, level, &activation, nullptr) != COMET_OK) break;
    // A return address may be that of the next line or function; the call lies before it.
    const uint64_t looked_up = level == 0 ? activation.pc : activation.pc - 1;
    report += text("  %" PRIu64 "  %s\n", level, place(image, looked_up).c_str());
  }
  return report;
}

std::string registers(const comet_machine* machine, comet_thread thread, uint64_t count) {
  std::string report;
  uint64_t shown = 0;
  uint64_t hidden = 0;
  for (uint64_t index = 1; index < count; ++index) {
    uint64_t value = 0;
    if (comet_get_register(machine, thread, 0, index, &value, nullptr) != COMET_OK) break;
    if (value == 0) continue;
    if (shown == registers_shown) {
      ++hidden;
      continue;
    }
    ++shown;
    report +=
        text("  r%-5" PRIu64 " 0x%016" PRIx64 "  %" PRId64 "\n", index, value, static_cast<int64_t>(value));
  }
  if (hidden > 0) report += text("  (and %" PRIu64 " more)\n", hidden);
  for (uint32_t index = 0; index < COMET_THREAD_REGISTERS; ++index) {
    uint64_t value = 0;
    if (comet_get_thread_register(machine, thread, index, &value, nullptr) != COMET_OK || value == 0)
      continue;
    report +=
        text("  t%-5" PRIu32 " 0x%016" PRIx64 "  %" PRId64 "\n", index, value, static_cast<int64_t>(value));
  }
  return report.empty() ? "  (all are 0)\n" : report;
}

}  // namespace

std::string place(const comet_image* image, uint64_t address) {
  char words[512];
  comet_describe_place(image, address, words, sizeof words);
  return words;
}

std::string threads(const comet_image* image, const comet_machine* machine) {
  std::string report;
  for (comet_thread thread = 0; comet_next_thread(machine, thread, &thread, nullptr) == COMET_OK; ++thread) {
    comet_thread_info info = COMET_THREAD_INFO_INIT;
    comet_thread_get(machine, thread, &info, nullptr);
    report += text("  thread %" PRIu32 " ", thread);
    switch (info.standing) {
      case COMET_WAITS_FOR_ADDRESS: report += text("waits for [0x%" PRIx64 "]", info.place); break;
      case COMET_WAITS_FOR_THREAD: report += text("waits for thread %" PRIu64, info.place); break;
      case COMET_WAITS_FOR_EVENT: report += "waits for an event"; break;
      default: report += text("has ended with %" PRIu64, info.place); break;
    }
    report += " at " + place(image, info.pc) + "\n";
  }
  return report;
}

std::string trap_report(const comet_image* image, const comet_machine* machine, comet_thread thread,
                        const comet_stop& stop) {
  comet_thread_info info = COMET_THREAD_INFO_INIT;
  comet_thread_get(machine, thread, &info, nullptr);
  std::string report = text("trap: %s\n", stop.message);
  report += text("  kind: %s, address 0x%" PRIx64 "\n", comet_trap_name(stop.trap), stop.address);
  report += "  at " + place(image, stop.pc) + "\n";
  report += text("  after %" PRIu64 " instructions\n", stop.instruction_count);
  report += "\n" + disassembly(image, machine, info.space, stop.pc);
  report += "\nactivations, innermost first:\n" + activations(image, machine, thread, info.activations);
  report += "\nregisters other than 0:\n" + registers(machine, thread, info.registers);
  return report;
}

}  // namespace comet::runner
