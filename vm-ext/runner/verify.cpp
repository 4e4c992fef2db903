#include "verify.h"

#include <cinttypes>
#include <vector>

#include "options.h"
#include "reach.h"
#include "report.h"
#include "text.h"

namespace comet::runner {
namespace {

struct Import {
  std::string name;
  bool granted;
  bool reached;
};

struct Findings {
  std::vector<comet_section> sections;
  std::vector<Import> imports;
  std::vector<comet_definition> instructions;
  Reach code;
  bool may_run = true;   // all imports are granted
  bool clean = true;     // no page is writable and executable, and no code that can be reached traps
};

Findings find(const comet_image* image, const comet_machine* machine) {
  Findings found;
  found.code = reach(image);
  comet_section section = COMET_SECTION_INIT;
  for (size_t n = 0; comet_image_section(image, n, &section, nullptr) == COMET_OK; ++n) {
    found.sections.push_back(section);
    if ((section.protection & COMET_WRITE) != 0 && (section.protection & COMET_EXECUTE) != 0) found.clean = false;
  }
  for (size_t n = 0; const char* name = comet_image_import(image, n); ++n) {
    comet_grant_info grant = COMET_GRANT_INFO_INIT;
    const bool granted = comet_host_granted(machine, name, &grant, nullptr) == COMET_OK;
    found.imports.push_back({name, granted, found.code.host_calls.count(n) != 0});
    found.may_run = found.may_run && granted;
  }
  comet_definition definition = COMET_DEFINITION_INIT;
  for (size_t n = 0; comet_isa_definition(comet_image_isa(image), n, &definition, nullptr) == COMET_OK; ++n)
    found.instructions.push_back(definition);
  found.clean = found.clean && found.code.bad_count == 0;
  return found;
}

std::string protection(int bits) {
  return std::string((bits & COMET_READ) != 0 ? "r" : "-") + ((bits & COMET_WRITE) != 0 ? "w" : "-") +
         ((bits & COMET_EXECUTE) != 0 ? "x" : "-");
}

std::string as_text(const comet_image* image, const Findings& found) {
  std::string out = "entry: " + place(image, comet_image_entry(image)) + "\nsections:\n";
  for (const comet_section& section : found.sections) {
    const std::string bits = protection(section.protection);
    out += text("  0x%08" PRIx64 "  %10" PRIu64 " bytes  %s  ", section.address, section.memory_length, bits.c_str()) + section.name +
           (bits.find("wx") != bits.npos ? "  (writable and executable)\n" : "\n");
  }
  out += found.imports.empty() ? "host calls: none\n" : "host calls:\n";
  for (const Import& import : found.imports)
    out += "  " + import.name + (import.granted ? "  granted" : "  NOT granted") + (import.reached ? "\n" : "  (only by unknown jumps, or never)\n");
  if (!found.instructions.empty()) out += "instructions of its own:\n";
  for (const comet_definition& one : found.instructions)
    out += "  " + std::string(one.name) + " = " + one.parts + "\n";
  out += text("code: %" PRIu64 " instructions can be reached from the entry, and what %" PRIu64 " jumps through registers lead to\n",
              found.code.instructions, found.code.indirect);
  for (const BadCode& bad : found.code.bad) out += "  at " + place(image, bad.address) + ": " + bad.why + "\n";
  if (found.code.bad_count > found.code.bad.size()) out += text("  (and %" PRIu64 " more)\n", found.code.bad_count - found.code.bad.size());
  out += !found.may_run ? "it needs host calls that were not allowed\n" : found.clean ? "nothing to remark\n" : "see the remarks above\n";
  return out;
}

const char* as_json(bool value) { return value ? "true" : "false"; }

// The elements between brackets, one in a line.
class List {
 public:
  void add(const std::string& element) { out_ += (out_.empty() ? "\n    " : ",\n    ") + element; }
  std::string done() const { return "[" + out_ + (out_.empty() ? "]" : "\n  ]"); }

 private:
  std::string out_;
};

std::string as_json(const comet_image* image, const Findings& found) {
  List sections, imports, instructions, bad;
  for (const comet_section& section : found.sections)
    sections.add("{\"name\": " + json_text(section.name) +
                 text(", \"address\": \"0x%" PRIx64 "\", \"bytes\": %" PRIu64 ", \"memory\": %" PRIu64 ", \"protection\": \"%s\"}", section.address,
                      section.length, section.memory_length, protection(section.protection).c_str()));
  for (const Import& import : found.imports)
    imports.add("{\"name\": " + json_text(import.name) +
                text(", \"granted\": %s, \"reached\": %s}", as_json(import.granted), as_json(import.reached)));
  for (const comet_definition& one : found.instructions)
    instructions.add("{\"name\": " + json_text(one.name) + ", \"parts\": " + json_text(one.parts) + "}");
  for (const BadCode& one : found.code.bad)
    bad.add(text("{\"address\": \"0x%" PRIx64 "\", \"why\": ", one.address) + json_text(one.why) + "}");
  return text("{\n  \"entry\": \"0x%" PRIx64 "\",\n  \"sections\": ", comet_image_entry(image)) + sections.done() +
         ",\n  \"host_calls\": " + imports.done() + ",\n  \"own_instructions\": " + instructions.done() +
         text(",\n  \"code\": {\"instructions\": %" PRIu64 ", \"indirect_jumps\": %" PRIu64 ", \"bad\": %" PRIu64 "},\n  \"bad_code\": ",
              found.code.instructions, found.code.indirect, found.code.bad_count) +
         bad.done() + text(",\n  \"may_run\": %s,\n  \"clean\": %s\n}\n", as_json(found.may_run), as_json(found.clean));
}

}  // namespace

Verdict verify(const comet_image* image, const comet_machine* machine, bool json) {
  const Findings found = find(image, machine);
  const int status = !found.may_run ? exit_not_granted : found.clean ? 0 : exit_remarks;
  return {status, json ? as_json(image, found) : as_text(image, found)};
}

}  // namespace comet::runner
