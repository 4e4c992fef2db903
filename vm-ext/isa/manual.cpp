// Prints the instruction list of README.md from the table. `make manual` puts it there.
//
//   isa-manual            the table's instructions
//   isa-manual IMAGE...   those that images bring
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "../comet.h"

#include "isa.h"

namespace {

using comet::isa::Instruction;

const char* const letters = "abc";

std::string syntax(const char* name, const char* operands) {
  std::string text = name;
  for (std::size_t i = 0; operands[i] != 0; ++i) {
    text += i == 0 ? " " : ", ";
    text += letters[i];
  }
  return text;
}

const struct {
  const char* group;
  const char* title;
} groups[] = {{"control", "Control"},        {"constant", "Constants and moves"}, {"memory", "Loads, stores, blocks"},
              {"integer", "64-bit integers"}, {"integer32", "32-bit integers"},    {"branch", "Compare and branch"},
              {"float64", "f64"},             {"float32", "f32"},                  {"convert", "Conversions"},
              {"atomic", "Atomics"}};

// What stands in a cell of a table.
std::string cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.insert(at, 1, '\\');
  return text;
}

int print_image(const char* path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  comet_image* image = nullptr;
  comet_error error = COMET_ERROR_INIT;
  if (!file || comet_image_read(bytes.data(), bytes.size(), &image, &error) != COMET_OK) {
    std::fprintf(stderr, "manual: %s: %s\n", path, file ? error.message : "cannot be read");
    return 1;
  }
  std::printf("### %s\n\n| opcode | instruction | operands | meaning | parts |\n|---:|---|---|---|---|\n", path);
  comet_definition definition = COMET_DEFINITION_INIT;
  for (std::size_t n = 0; comet_isa_definition(comet_image_isa(image), n, &definition, nullptr) == COMET_OK; ++n)
    std::printf("| %llu | `%s` | %s | %s | `%s` |\n", static_cast<unsigned long long>(definition.opcode),
                syntax(definition.name, definition.operands).c_str(), definition.operands, cell(definition.meaning).c_str(), definition.parts);
  std::printf("\n");
  comet_image_free(image);
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  if (argc > 1) {
    int status = 0;
    for (int i = 1; i < argc; ++i) status |= print_image(argv[i]);
    return status;
  }
  std::size_t listed = 0;
  for (const auto& group : groups) {
    std::printf("### %s\n\n| opcode | instruction | operands | meaning |\n|---:|---|---|---|\n", group.title);
    for (std::size_t rank = 0; rank < comet::isa::operation_count; ++rank) {
      const Instruction& instruction = comet::isa::by_rank(rank);
      if (std::strcmp(instruction.group, group.group) != 0) continue;
      std::printf("| %u | `%s` | %s | %s |\n", unsigned{instruction.opcode}, syntax(instruction.name, instruction.operands).c_str(),
                  instruction.operands, instruction.meaning);
      ++listed;
    }
    std::printf("\n");
  }
  if (listed == comet::isa::operation_count) return 0;
  std::fprintf(stderr, "manual: a group of instructions.def has no title in manual.cpp\n");
  return 1;
}
